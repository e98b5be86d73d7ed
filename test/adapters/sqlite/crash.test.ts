// What SIGKILL may not take: every acknowledged record, the numbering, the soundness of the file. Power loss is not shown by this;
// that rests on synchronous=FULL and a disk that honours it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sqliteLimits, sqliteStore } from '../../../adapters/sqlite/store.ts';
import type { LogRecord } from '../../../src/ports/event-log.ts';
import { until } from '../../support/living.ts';

const kills = 25;
const ackedMin = 40;
const appender = new URL('./appender.ts', import.meta.url).pathname;

/** Mulberry32: the same moments every time, as far as the machine allows. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function linesIn(file: string): readonly string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
}

/** Kills it so long after its first `ackedMin` acknowledgements. */
async function appendAndKill(path: string, acks: string, afterMs: number): Promise<void> {
  const enough = linesIn(acks).length + ackedMin;
  const child = spawn(process.execPath, [appender, path, acks], { stdio: ['ignore', 'ignore', 'inherit'] });
  const exited = once(child, 'exit');
  try {
    await until(`${ackedMin} records are acknowledged`, () => child.exitCode !== null || linesIn(acks).length >= enough, 30_000);
    await sleep(afterMs);
  } finally {
    child.kill('SIGKILL');
  }
  const [, signal] = await exited;
  assert.equal(signal, 'SIGKILL', 'the child appended until it was killed');
}

/** Reads what came since `from` and checks it against the acknowledgements. */
function check(records: readonly LogRecord[], from: number, acked: readonly string[]): void {
  const ids = new Map<number, string>();
  for (const [index, { offset, value }] of records.entries()) {
    const { id, index: place } = value as { id: string; index: number };
    assert.equal(offset, from + index, 'no gap');
    if (place === 0) ids.set(offset, id);
    else assert.equal(ids.get(offset - place), id, 'a batch is whole');
  }
  for (const line of acked) {
    const [offset = '', id] = line.split(' ');
    assert.equal(ids.get(Number(offset)), id, `acknowledged record ${line}`);
  }
}

test('every acknowledged record survives a kill at any moment, without a gap', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'quench-crash-'));
  const path = join(folder, 'store.db');
  const random = seeded(20_261_121);
  let from = 0;
  let ackedBefore = 0;
  try {
    for (let kill = 0; kill < kills; kill += 1) {
      await appendAndKill(path, `${path}.acks`, random() * 80);

      const store = await sqliteStore({ path, partitions: 1, limits: sqliteLimits });
      const end = await store.log.end('inputs', 0);
      const records = await store.log.read('inputs', 0, from, end);
      const acked = linesIn(`${path}.acks`);
      check(records, from, acked.slice(ackedBefore));
      from = end;
      ackedBefore = acked.length;
      await store.close();
    }
    const db = new DatabaseSync(path, { readOnly: true });
    assert.deepEqual({ ...db.prepare('PRAGMA quick_check').get() }, { quick_check: 'ok' });
    db.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
