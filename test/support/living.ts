// Whether a process lives, and waiting for it to stop; for tests that start real ones.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** False for a zombie: it runs nothing any more. */
export function lives(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}

/** Waits until the condition holds; fails with the sentence when it does not in time. */
export async function until(says: string, holds: () => boolean | Promise<boolean>, withinMs = 2_000): Promise<void> {
  const endsAt = performance.now() + withinMs;
  while (!(await holds())) {
    assert.ok(performance.now() < endsAt, `not within ${withinMs}ms: ${says}`);
    await sleep(10);
  }
}

/** The numbers in a file, one a line; empty until it is there. */
export function pidsIn(file: string): readonly number[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** For clean-up: ends a process if it is still there; with a minus, its whole group. */
export function end(pid: number): void {
  if (Math.abs(pid) <= 1) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
