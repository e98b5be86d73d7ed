// Time series in their own file, as the contract asks, and what only a file has: age, bounds, damage, another version.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { memorySeries, seriesContent } from '../../../adapters/memory/series.ts';
import { pointsMaxDefault, sqliteSeries } from '../../../adapters/sqlite/series.ts';
import { day, hour, minute } from '../../../src/core/time.ts';
import type { SeriesQuestion } from '../../../src/ports/series.ts';
import type { Point } from '../../../src/readmodel/series/point.ts';
import { alertPoint, notebookContract, seriesContract, seriesKeep, type SeriesClock } from '../../contracts/series.ts';

interface Filed {
  readonly path: string;
  readonly open: (pointsMax?: number) => ReturnType<typeof sqliteSeries>;
  readonly destroy: () => Promise<void>;
}

function filed(clock: { now(): number }): Filed {
  const folder = mkdtempSync(join(tmpdir(), 'quench-series-'));
  const path = join(folder, 'series.db');
  let living: Awaited<ReturnType<typeof sqliteSeries>> | null = null;
  return {
    path,
    async open(pointsMax = pointsMaxDefault) {
      await living?.close();
      living = await sqliteSeries({ path, keep: seriesKeep, pointsMax, clock });
      return living;
    },
    async destroy() {
      await living?.close();
      rmSync(folder, { recursive: true });
    },
  };
}

seriesContract('sqlite', async (clock) => {
  const { open, destroy } = filed(clock);
  const { series } = await open();
  return { series, reopen: async () => (await open()).series, destroy };
});

notebookContract('sqlite', async () => {
  const { open, destroy } = filed({ now: () => 0 });
  const { notebook } = await open();
  return { notebook, reopen: async () => (await open()).notebook, destroy };
});

const someMonday = Date.UTC(2026, 10, 30);
const anyPoint: fc.Arbitrary<Point> = fc
  .tuple(
    fc.integer({ min: 0, max: 2 * 24 * 60 - 1 }),
    fc.integer({ min: 0, max: 2 }),
    fc.constantFrom('a', 'b', 'c'),
    fc.constantFrom('x', 'y'),
    fc.integer({ min: 0, max: 50 }),
  )
  .map(([at, nth, rule, scope, seconds]) =>
    alertPoint(someMonday - 2 * day + at * minute, { cleared: 1, duration_seconds: seconds }, { rule, scope }, nth),
  );
const anyQuestion: fc.Arbitrary<SeriesQuestion> = fc.record(
  {
    measurement: fc.constant('alert' as const),
    field: fc.constantFrom('cleared' as const, 'duration_seconds' as const, 'fired' as const),
    scopes: fc.constantFrom('all' as const, ['x'], ['y', 'z']),
    from: fc.integer({ min: 0, max: 47 }).map((hours) => someMonday - 2 * day + hours * hour),
    to: fc.integer({ min: 48, max: 60 }).map((hours) => someMonday - 2 * day + hours * hour),
    by: fc.subarray(['rule' as const, 'scope' as const]),
    every: fc.constantFrom('hour' as const, 'day' as const, 'week' as const),
    quantiles: fc.constant([0.5, 0.9]),
    where: fc.record({ rule: fc.subarray(['a', 'b', 'd']) }),
  },
  { requiredKeys: ['measurement', 'field', 'scopes', 'from', 'to'] },
);

test('whatever is written and asked, at whatever age, the file answers what the memory does', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(anyPoint, { maxLength: 30 }), { maxLength: 5 }),
      fc.array(anyQuestion, { minLength: 1, maxLength: 8 }),
      async (batches, questions) => {
        const clock: SeriesClock = { at: someMonday, now: () => clock.at };
        const held = memorySeries({ content: seriesContent(), keep: seriesKeep, clock }).series;
        const file = filed(clock);
        try {
          const { series } = await file.open();
          for (const batch of batches) assert.deepEqual(await series.write(batch), await held.write(batch));
          for (const later of [0, 3 * day, 30 * day]) {
            clock.at = someMonday + later;
            for (const question of questions) {
              const asks = [series, held].map((each) =>
                each.measure(question).catch((error: Error) => error.message.replace(/^series: /, '')),
              );
              const [found, expected] = await Promise.all(asks);
              assert.deepEqual(found, expected, JSON.stringify(question));
            }
          }
        } finally {
          await file.destroy();
        }
      },
    ),
    { numRuns: 12 },
  );
});

test('B1: points are forgotten by age and number, hours and days by age; what was forgotten is not counted again', async () => {
  const clock: SeriesClock = { at: someMonday, now: () => clock.at };
  const file = filed(clock);
  const first = Array.from({ length: 100 }, (_, n) => alertPoint(someMonday - 100 + n, { fired: 1 }));
  const { series } = await file.open(150);
  const count = async (back: number): Promise<number> =>
    (await series.measure({ measurement: 'alert', field: 'fired', scopes: 'all', from: clock.at - back, to: clock.at + 1 })).groups[0]
      ?.count ?? 0;
  const rows = (table: string): number => {
    const db = new DatabaseSync(file.path, { readOnly: true });
    const found = Number(db.prepare(`SELECT count(*) AS count FROM ${table}`).get()?.['count']);
    db.close();
    return found;
  };
  await series.write(first);
  clock.at += hour;
  await series.write(Array.from({ length: 100 }, (_, n) => alertPoint(clock.at - 100 + n, { fired: 1 })));
  await series.write([]);
  await series.write([alertPoint(clock.at, { fired: 1 })]);
  assert.equal(rows('points'), 151, 'the bound is kept from one writing to the next');
  assert.equal(await count(3 * day), 201, 'sums know them all');

  assert.deepEqual(await series.write(first.slice(0, 10)), [{ points: 10, reason: 'older than points are kept' }]);
  clock.at += 3 * day;
  await series.write([alertPoint(clock.at, { fired: 1 })]);
  assert.equal(rows('points'), 1);
  clock.at -= 3 * day;
  const again = await series.write([alertPoint(clock.at - 1, { fired: 1 })]);
  assert.equal(again[0]?.points, 1, 'also once the clock went back');
  clock.at += 3 * day;
  assert.equal(await count(5 * day), 202);

  clock.at += 25 * day;
  await series.write([alertPoint(clock.at, { fired: 1 })]);
  assert.equal(await count(40 * day), 203, 'days');
  clock.at += 2 * 400 * day;
  await series.write([alertPoint(clock.at, { fired: 1 })]);
  assert.equal(rows('sums'), 2, 'an hour and a day');
  await file.destroy();
});

test('B1: what a writing that failed had counted is not there, and pushes out no point that is', async (t) => {
  const clock: SeriesClock = { at: someMonday, now: () => clock.at };
  const file = filed(clock);
  t.after(() => file.destroy());
  const { series } = await file.open(150);
  await series.write(Array.from({ length: 100 }, (_, n) => alertPoint(someMonday - 100 + n, { fired: 1 })));
  const db = new DatabaseSync(file.path);
  // The medium fails at the end of the writing, as when the disk fills up, and for as long as the gateway tries.
  db.exec("CREATE TRIGGER bad BEFORE INSERT ON sums BEGIN SELECT raise(ABORT, 'the disk has a bad day'); END");
  const more = Array.from({ length: 40 }, (_, n) => alertPoint(someMonday + n, { fired: 1 }));
  for (let attempt = 0; attempt < 5; attempt += 1) await assert.rejects(series.write(more), /a bad day/);
  db.exec('DROP TRIGGER bad');
  await series.write(more);
  await series.write([alertPoint(someMonday + 50, { fired: 1 })]);
  assert.equal(Number(db.prepare('SELECT count(*) AS count FROM points').get()?.['count']), 141);
  db.close();
});

test('a file that is damaged is set aside and another begun; one of a newer version is left alone', async () => {
  const file = filed({ now: () => someMonday });
  writeFileSync(file.path, 'this is no database, however long it may be '.repeat(500));
  const opened = await file.open();
  assert.match(opened.found.join(), /was damaged \(.*\) and is now .*series\.db\.damaged-2026-11-30.*; another is filled from the log/);
  assert.deepEqual(await opened.notebook.load(0), { offset: 0, notes: [] });
  await opened.close();
  assert.ok(readdirSync(join(file.path, '..')).some((name) => name.includes('.damaged-')));

  const db = new DatabaseSync(file.path);
  db.exec('PRAGMA user_version = 99');
  db.close();
  await assert.rejects(file.open(), /written by a newer quench; start the newer one, or move the file away/);
  await file.destroy();
});

test('what is asked after the end is refused, and what was asked before is answered', async () => {
  const file = filed({ now: () => someMonday });
  const { series, close } = await file.open();
  const written = series.write([alertPoint(someMonday, { fired: 1 })]);
  const closed = close();
  assert.deepEqual(await written, []);
  await closed;
  await assert.rejects(series.write([alertPoint(someMonday, { fired: 1 })]), /series: closed/);
  await file.destroy();
});
