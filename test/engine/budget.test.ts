// The store within limits.disk, over real files: the oldest goes when they grow, and nothing that somebody has still to read.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { sqliteLimits, sqliteStore } from '../../adapters/sqlite/store.ts';
import { minute } from '../../src/core/time.ts';
import { sweepToBudget } from '../../src/engine/retention.ts';
import type { Store } from '../../src/ports/store.ts';
import { someday } from '../support/clock.ts';

const batches = 200;
const perBatch = 50;
const records = batches * perBatch;
const words = 'a record of about eight hundred bytes '.repeat(20);
const bytesMax = 6_000_000;

async function filled(t: TestContext): Promise<{ readonly store: Store; readonly bytes: () => number }> {
  const dir = mkdtempSync(join(tmpdir(), 'quench-budget-'));
  const store = await sqliteStore({ path: join(dir, 'quench.db'), partitions: 1, limits: sqliteLimits });
  t.after(async () => {
    await store.close();
    rmSync(dir, { recursive: true });
  });
  for (let batch = 0; batch < batches; batch += 1) {
    const values = Array.from({ length: perBatch }, (_, place) => ({ at: someday + batch * minute, type: 'Noted', place, words }));
    for (const topic of ['inputs', 'facts'] as const) await store.log.append(topic, { partition: 0, scope: 'default', values });
  }
  return { store, bytes: () => store.bytes?.() ?? 0 };
}

/** What a sweep needs, on a day on which nothing is old by its age. */
function depsOf(store: Store, readUpTo: number): Parameters<typeof sweepToBudget>[0] {
  const clock = { now: () => someday + batches * minute, steady: () => 0, after: () => () => {} };
  const saved = (): { inputs: number; facts: number } => ({ inputs: readUpTo, facts: readUpTo });
  return { ...store, clock, retentionMs: 30 * 24 * 60 * minute, saved, consumers: [] };
}

async function firstOf(store: Store, topic: 'inputs' | 'facts'): Promise<number> {
  const [first] = await store.log.read(topic, 0, 0, 1);
  return first?.offset ?? Number.NaN;
}

test('K2: files that grow beyond the budget are brought below it, the oldest first, and the newest stays', async (t) => {
  const { store, bytes } = await filled(t);
  const before = bytes();
  assert.ok(before > 2 * bytesMax, `${before} bytes are filled`);
  const swept = await sweepToBudget(depsOf(store, records), { bytes, bytesMax });
  assert.equal(swept.overBytes, 0);
  assert.ok(bytes() <= bytesMax, `${bytes()} bytes are taken`);
  for (const topic of ['inputs', 'facts'] as const) {
    const first = await firstOf(store, topic);
    assert.ok(first > records / 8 && first < records, `${topic} begin at ${first}`);
    assert.equal((await store.log.read(topic, 0, records - 1, 1)).length, 1);
  }
});

test('K2: within the budget nothing goes', async (t) => {
  const { store, bytes } = await filled(t);
  assert.deepEqual(await sweepToBudget(depsOf(store, records), { bytes, bytesMax: bytes() * 2 }), { before: null, overBytes: 0 });
  assert.equal(await firstOf(store, 'inputs'), 0);
});

test('K1: what somebody has still to read stays, and by how much the budget is passed is said', async (t) => {
  const { store, bytes } = await filled(t);
  const swept = await sweepToBudget(depsOf(store, 1_000), { bytes, bytesMax });
  assert.ok(swept.overBytes > 0);
  for (const topic of ['inputs', 'facts'] as const) assert.ok((await firstOf(store, topic)) <= 1_000, topic);
  const cursor = { ...depsOf(store, records), consumers: ['slow'] };
  await store.cursors.save('slow', 0, 2_000);
  assert.ok((await sweepToBudget(cursor, { bytes, bytesMax })).overBytes >= 0);
  assert.ok((await firstOf(store, 'facts')) <= 2_000, 'a projector that is behind');
});
