// Waits of one partition: tokens in a heap, woken on the steady clock, answered by Woke inputs.
// Keeps no truth: desks hold what they wait for, a token nobody awaits is ignored, so cancelling needs no code.
//   W1  A clock that jumps neither hastens nor delays a wait that is running; after a restart no wait is longer than it was asked.
import type { Millis } from '../core/time.ts';
import type { Clock } from '../ports/clock.ts';
import { createHeap } from './async/heap.ts';

export interface Wait {
  readonly scope: string;
  readonly token: string;
}

export interface Timers {
  arm(scope: string, token: string, afterMs: Millis): void;
  readonly size: number;
  stop(): void;
}

const sleepMaxMs = 60_000;
const firedAtOnce = 512;

/** `fire` gets what is due, at most 512 at a time, and must not throw. */
export function createTimers(clock: Clock, fire: (due: readonly Wait[]) => void): Timers {
  const heap = createHeap<Wait>();
  let cancel: (() => void) | null = null;
  let stopped = false;

  function schedule(): void {
    cancel?.();
    cancel = null;
    const next = heap.next();
    if (next === null || stopped) return;
    cancel = clock.after(Math.min(sleepMaxMs, Math.max(0, next - clock.steady())), ring);
  }

  function ring(): void {
    cancel = null;
    const due: Wait[] = [];
    while (due.length < firedAtOnce && (heap.next() ?? Infinity) <= clock.steady()) {
      const wait = heap.take();
      if (wait !== undefined) due.push(wait);
    }
    if (due.length > 0) fire(due);
    schedule();
  }

  return {
    arm(scope, token, afterMs) {
      const before = heap.next();
      const due = clock.steady() + afterMs;
      heap.add(due, { scope, token });
      if (before === null || due < before) schedule();
    },
    get size() {
      return heap.size;
    },
    stop() {
      stopped = true;
      cancel?.();
    },
  };
}
