// One suite for every keeper of time series. Whoever opens one for it uses the spans and the clock given here. The clock begins at the machine's own
// time: a server forgets by that.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { day, hour, minute, type Instant } from '../../src/core/time.ts';
import { groupsMax, type Notebook, type Series, type SeriesGroup, type SeriesKeep } from '../../src/ports/series.ts';
import type { Field, Point, PointOf, Tag } from '../../src/readmodel/series/point.ts';
import { bucketOf } from '../../src/readmodel/series/time.ts';
import { hostileTexts } from './store-fixture.ts';

export const seriesKeep: SeriesKeep = { pointsMs: 2 * day, hoursMs: 20 * day, daysMs: 400 * day };

export interface SeriesClock {
  at: Instant;
  now(): Instant;
}

export interface OpenSeries {
  readonly series: Series;
  /** Ends it, orderly or not, and opens another on what it left. */
  reopen(): Promise<Series>;
  /** Resolves when sums by the hour and day are made of all that was written, where that is done behind the writing. */
  settled?(): Promise<void>;
  destroy(): Promise<void>;
}

type Promised = (says: string, run: (opened: OpenSeries, clock: SeriesClock) => Promise<void>) => void;

const tags = { scope: 'default', source: 'prometheus', rule: 'DiskFull', severity: 'error', team: 'db' } as const;

export function alertPoint(at: Instant, fields: PointOf<'alert'>['fields'], also: { readonly [tag in Tag]?: string } = {}, nth = 1): Point {
  return { measurement: 'alert', at, nth, tags: { ...tags, ...also }, fields, words: {} };
}

export function seriesContract(name: string, open: (clock: SeriesClock) => Promise<OpenSeries>): void {
  const promise: Promised = (says, run) => {
    test(says, async () => {
      const at = Date.now();
      const clock: SeriesClock = { at, now: () => clock.at };
      const opened = await open(clock);
      try {
        await run(opened, clock);
      } finally {
        await opened.destroy();
      }
    });
  };
  describe(`${name}: time series`, () => {
    writing(promise);
    asking(promise);
    forgetting(promise);
    hostile(promise);
  });
}

/** An hour of today or yesterday, from its beginning; everything of it is kept as points. */
function someHour(clock: SeriesClock, back = 3): Instant {
  return bucketOf(clock.at, 'hour') - back * hour;
}

/** The only group. */
function one(groups: readonly SeriesGroup[]): SeriesGroup {
  assert.equal(groups.length, 1, JSON.stringify(groups.slice(0, 3)));
  return groups[0] ?? assert.fail();
}

function writing(promise: Promised): void {
  promise('S1: what is written again is there once, in its sums, too, also by whoever comes after', async (opened, clock) => {
    const at = someHour(clock);
    const points = [alertPoint(at + 1, { cleared: 1, duration_seconds: 30, claims: 2 }), alertPoint(at + 1, { fired: 1 }, {}, 2)];
    assert.deepEqual(await opened.series.write(points), []);
    assert.deepEqual(await opened.series.write([...points, ...points]), []);
    const series = await opened.reopen();
    assert.deepEqual(await series.write(points), []);
    await opened.settled?.();

    for (const later of [0, 3 * day, 30 * day]) {
      clock.at += later;
      for (const [field, sum] of [
        ['cleared', 1],
        ['fired', 1],
        ['duration_seconds', 30],
      ] as const) {
        const { groups } = await series.measure({ measurement: 'alert', field, scopes: 'all', from: at - day, to: at + day });
        const { count, sum: found } = one(groups);
        assert.deepEqual([count, found], [1, sum], `${field}, asked ${later / day} days later`);
      }
      clock.at -= later;
    }
    assert.deepEqual(await series.points({ measurement: 'alert', scopes: 'all', from: at, to: at + hour, limit: 10 }), {
      points,
      isWhole: true,
    });
  });

  promise(
    'nothing to write is written; points of every measurement come back as they were, in order, and a limit says that it was met',
    async ({ series }, clock) => {
      const at = someHour(clock);
      assert.deepEqual(await series.write([]), []);
      const common = { scope: 's', rule: 'r', severity: 'critical', team: 'none' } as const;
      const points: readonly Point[] = [
        {
          measurement: 'incident',
          at: at + 2,
          nth: 7,
          tags: { ...common, source: 'x', outcome: 'human', playbook: 'none' },
          fields: { count: 1, resolve_seconds: 12.5, untouched: 0 },
          words: { incident: 'i1.s' },
        },
        {
          measurement: 'incident',
          at: at + 2,
          nth: 8,
          tags: { ...common, source: 'x', outcome: 'human', playbook: 'none', host: 'db1' },
          fields: { count: 1, members: 4 },
          words: {},
        },
        {
          measurement: 'incident',
          at: at + 5,
          nth: 1,
          tags: { ...common, source: 'y', outcome: 'source', playbook: 'p' },
          fields: { count: 1 },
          words: { incident: 'i2.s' },
        },
      ];
      const others: readonly Point[] = [
        {
          measurement: 'run',
          at,
          nth: 0,
          tags: { ...common, playbook: 'p', mode: 'auto', end: 'rolled-back' },
          fields: { count: 1, acted: 1, wrong: 1, duration_seconds: 0.25, approved: 0 },
          words: { incident: 'i', run: 'r' },
        },
        {
          measurement: 'page',
          at,
          nth: 999_999,
          tags: { ...common, ladder: 'default' },
          fields: { closed: 1, rings: 3, ack_seconds: 61, hour_of_week: 167 },
          words: { incident: 'i', page: 'p', by: 'Anna "A" Müller' },
        },
        {
          measurement: 'decision',
          at,
          nth: 3,
          tags: { ...common, source: 'x', decision: 'suppress' },
          fields: { count: 1, score: 0.375 },
          words: { incident: 'i' },
        },
      ];
      assert.deepEqual(await series.write([...points.toReversed(), ...others]), []);

      const span = { scopes: 'all', from: at, to: at + hour, limit: 10 } as const;
      assert.deepEqual(await series.points({ measurement: 'incident', ...span }), { points, isWhole: true });
      for (const point of others) assert.deepEqual((await series.points({ measurement: point.measurement, ...span })).points, [point]);
      assert.deepEqual(await series.points({ measurement: 'incident', ...span, limit: 2 }), { points: points.slice(0, 2), isWhole: false });
      assert.deepEqual(await series.points({ measurement: 'incident', ...span, limit: 3 }), { points, isWhole: true });
      assert.deepEqual(
        (await series.points({ measurement: 'incident', ...span, from: at + 2, to: at + 5 })).points,
        points.slice(0, 2),
        'the end is not of the span',
      );
      assert.deepEqual((await series.points({ measurement: 'incident', ...span, where: { source: ['y', 'z'] } })).points, points.slice(2));
    },
  );
}

function asking(promise: Promised): void {
  promise('sums, counts, bounds and quantiles by tag and time', async ({ series }, clock) => {
    const at = someHour(clock, 5);
    const points: Point[] = [];
    for (let n = 1; n <= 20; n += 1)
      points.push(alertPoint(at + n * minute, { cleared: 1, duration_seconds: n, claims: 1 }, { rule: n > 15 ? 'Late' : 'Early' }, n));
    points.push(alertPoint(at + hour + 5, { cleared: 1, duration_seconds: 100, claims: 1 }, { rule: 'Late' }));
    points.push(alertPoint(at + hour + 6, { fired: 1 }, { rule: 'Late' }));
    await series.write(points);

    const asked = { measurement: 'alert', field: 'duration_seconds', scopes: 'all', from: at, to: at + 2 * hour } as const;
    const all = await series.measure({ ...asked, quantiles: [0, 0.5, 0.95, 1] });
    assert.deepEqual(all, {
      resolution: 'point',
      from: at,
      to: at + 2 * hour,
      groups: [{ tags: {}, at: null, count: 21, sum: 310, min: 1, max: 100, quantiles: [1, 11, 20, 100] }],
    });
    const hourly = await series.measure({ ...asked, by: ['rule'], every: 'hour', quantiles: [0.5] });
    assert.deepEqual(hourly.groups, [
      { tags: { rule: 'Early' }, at, count: 15, sum: 120, min: 1, max: 15, quantiles: [8] },
      { tags: { rule: 'Late' }, at, count: 5, sum: 90, min: 16, max: 20, quantiles: [18] },
      { tags: { rule: 'Late' }, at: at + hour, count: 1, sum: 100, min: 100, max: 100, quantiles: [100] },
    ]);
    const daily = await series.measure({ ...asked, every: 'week', where: { rule: ['Late'] } });
    assert.deepEqual(
      daily.groups.map(({ at: begins }) => begins),
      [...new Set([at, at + hour].map((each) => bucketOf(each, 'week')))],
    );
    assert.equal(
      daily.groups.reduce((sum, { count }) => sum + count, 0),
      6,
    );
    assert.deepEqual((await series.measure({ ...asked, where: { rule: [] } })).groups, []);
    assert.deepEqual((await series.measure({ ...asked, from: at + 2 * hour, to: at + 3 * hour })).groups, []);
    assert.deepEqual((await series.measure({ ...asked, field: 'fired' })).groups[0]?.count, 1, 'only points that have the field');
  });

  promise('S2: what lies outside the scopes is as if it were not there', async ({ series }, clock) => {
    const at = someHour(clock);
    await series.write([
      alertPoint(at, { fired: 1 }, { scope: 'mine' }),
      alertPoint(at, { fired: 1 }, { scope: 'theirs' }),
      alertPoint(at, { fired: 1 }, { scope: 'mine;team=db' }),
    ]);
    for (const [scopes, found] of [
      ['all', 3],
      [['mine'], 1],
      [['mine', 'theirs'], 2],
      [['min'], 0],
      [[], 0],
    ] as const) {
      const asked = { measurement: 'alert', scopes, from: at, to: at + hour } as const;
      assert.equal((await series.measure({ ...asked, field: 'fired' })).groups[0]?.count ?? 0, found, String(scopes));
      assert.equal((await series.points({ ...asked, limit: 9 })).points.length, found);
    }
    const of = await series.measure({
      measurement: 'alert',
      field: 'fired',
      scopes: ['mine', 'theirs'],
      from: at,
      to: at + hour,
      by: ['scope'],
    });
    assert.deepEqual(
      of.groups.map(({ tags: { scope } }) => scope),
      ['mine', 'theirs'],
    );
  });

  promise('S5 and words that mean nothing are refused, with what is expected', async ({ series }, clock) => {
    const at = someHour(clock);
    const asked = { measurement: 'alert', field: 'fired', scopes: 'all', from: at, to: at + hour } as const;
    const refused = (change: object, says: RegExp): Promise<void> =>
      assert.rejects(
        series.measure({ ...asked, ...change }),
        (error: Error & { code?: string }) => error.code === 'invalid_request' && says.test(error.message),
      );
    await refused({ measurement: 'alerts"' }, /expected a measurement \(alert, /);
    await refused({ measurement: '__proto__' }, /expected a measurement/);
    await refused({ field: 'count" FROM x; --' }, /expected a field of alert/);
    await refused({ by: ['playbook'] }, /expected tags of alert/);
    await refused({ where: { nothing: ['x'] } }, /expected tags of alert/);
    await refused({ quantiles: [2] }, /quantiles between 0 and 1/);
    await refused({ to: at }, /end is after its beginning/);
    await refused({ from: Number.NaN }, /end is after its beginning/);

    await series.write(Array.from({ length: groupsMax + 1 }, (_, n) => alertPoint(at + n, { fired: 1 }, { rule: `r${n}` })));
    await refused({ by: ['rule'] }, /more than 10000 groups: ask for/);
    assert.equal((await series.measure(asked)).groups[0]?.count, groupsMax + 1);
    assert.equal((await series.measure({ ...asked, by: ['rule'], to: at + groupsMax })).groups.length, groupsMax);
  });
}

function forgetting(promise: Promised): void {
  promise('S3: older spans are answered by the hour, then by the day, and say the same', async (opened, clock) => {
    const { series } = opened;
    // Yesterday's noon and the hours around it.
    const noon = bucketOf(clock.at, 'day') - 12 * hour;
    const points = Array.from({ length: 60 }, (_, n) =>
      alertPoint(noon + n * 3 * minute, { cleared: 1, duration_seconds: n, claims: 1 }, { rule: `r${n % 3}` }, n),
    );
    await series.write(points);
    await opened.settled?.();
    const ask = (field: Field, change: object = {}) =>
      series.measure({
        measurement: 'alert',
        field,
        scopes: 'all',
        from: noon + 1,
        to: noon + 3 * hour - 1,
        by: ['rule'],
        quantiles: [0.5],
        ...change,
      });

    const fresh = await ask('duration_seconds', { from: noon, to: noon + 3 * hour });
    clock.at += 3 * day;
    const hourly = await ask('duration_seconds');
    assert.deepEqual([hourly.resolution, hourly.from, hourly.to], ['hour', noon, noon + 3 * hour], 'whole hours');
    assert.deepEqual(
      hourly.groups,
      fresh.groups.map((group) => Object.assign({ ...group }, { quantiles: null })),
    );
    const byHour = await ask('cleared', { every: 'hour', by: [] });
    assert.deepEqual(
      byHour.groups.map(({ at, count }) => [at, count]),
      [
        [noon, 20],
        [noon + hour, 20],
        [noon + 2 * hour, 20],
      ],
    );

    clock.at += 30 * day;
    const daily = await ask('duration_seconds', { every: 'day' });
    const today = noon - 12 * hour;
    assert.deepEqual([daily.resolution, daily.from, daily.to], ['day', today, today + day]);
    assert.deepEqual(
      daily.groups,
      fresh.groups.map((group) => Object.assign({ ...group }, { quantiles: null, at: today })),
    );
    await assert.rejects(ask('cleared', { every: 'hour' }), /not kept that long/);
  });

  promise('S4: what is too old is told, and the rest of the batch is written', async ({ series }, clock) => {
    const at = someHour(clock);
    const old = [3, 4].map((days) => alertPoint(at - days * day, { fired: 1 }));
    const refused = await series.write([old[0] ?? assert.fail(), alertPoint(at, { fired: 1 }), ...old.slice(1)]);
    assert.equal(
      refused.reduce((sum, { points }) => sum + points, 0),
      2,
      JSON.stringify(refused),
    );
    assert.ok(refused.every(({ reason }) => reason !== '' && !reason.includes('\n')));
    const { groups } = await series.measure({ measurement: 'alert', field: 'fired', scopes: 'all', from: at - day, to: at + hour });
    assert.equal(one(groups).count, 1);
  });
}

function hostile(promise: Promised): void {
  promise('S6: texts come back as they were, and are nothing but texts on their way', async (opened, clock) => {
    const { series } = opened;
    const at = someHour(clock);
    const texts = [
      ...hostileTexts.filter((text) => text !== ''),
      'l1\nfake,source=x v=1',
      'x\r\nfake v=1',
      'ends in a backslash\\',
      'two\\\\',
      'a,b=c d',
      '"',
      "'; DROP SERIES FROM alert; --",
      '$from',
      'tab\there',
      '{"json":true}',
      'x'.repeat(300),
    ];
    const points = texts.map((text, n): Point => ({
      measurement: 'incident',
      at: at + n,
      nth: n,
      tags: { scope: text, source: text, rule: text, severity: 'error', team: text, outcome: 'human', playbook: text },
      fields: { count: 1, members: n },
      words: { incident: text },
    }));
    assert.deepEqual(await series.write(points), []);

    const held = await opened.reopen();
    assert.deepEqual((await held.points({ measurement: 'incident', scopes: 'all', from: at, to: at + hour, limit: 999 })).points, points);
    for (const [n, text] of texts.entries()) {
      const asked = {
        measurement: 'incident',
        field: 'members',
        scopes: [text],
        from: at,
        to: at + hour,
        where: { rule: [text] },
        by: ['team'],
      } as const;
      assert.deepEqual(
        (await held.measure(asked)).groups,
        [{ tags: { team: text }, at: null, count: 1, sum: n, min: n, max: n, quantiles: null }],
        text,
      );
    }
    for (const measurement of ['alert', 'run', 'page', 'decision'] as const) {
      assert.deepEqual(
        (await held.points({ measurement, scopes: 'all', from: 0, to: clock.at + day, limit: 9 })).points,
        [],
        `nothing of ${measurement}`,
      );
    }
  });
}

/** For notebooks: where a reader of facts stands and what it had noted, together. */
export function notebookContract(
  name: string,
  open: () => Promise<{ readonly notebook: Notebook; reopen(): Promise<Notebook>; destroy(): Promise<void> }>,
): void {
  test(`${name}: notes and their position are saved together, by partition, and survive`, async () => {
    const opened = await open();
    try {
      assert.deepEqual(await opened.notebook.load(0), { offset: 0, notes: [] });
      const rows = hostileTexts.map((key, n) => ({ key, note: JSON.stringify([key, n]) }));
      await opened.notebook.save({ partition: 0, offset: 7, notes: rows });
      await opened.notebook.save({ partition: 1, offset: 9, notes: [{ key: 'k', note: '1' }] });
      await opened.notebook.save({
        partition: 0,
        offset: 8,
        notes: [
          { key: 'a', note: null },
          { key: 'A', note: '"new"' },
          { key: 'never', note: null },
        ],
      });

      const notebook = await opened.reopen();
      const expected = rows.filter(({ key }) => key !== 'a').map((row) => (row.key === 'A' ? { key: 'A', note: '"new"' } : row));
      const page = await notebook.load(0);
      const sorted = (all: readonly object[]): readonly string[] => all.map((row) => JSON.stringify(row)).sort();
      assert.deepEqual([page.offset, sorted(page.notes)], [8, sorted(expected)]);
      assert.deepEqual([await notebook.position(0), await notebook.position(1), await notebook.position(2)], [8, 9, 0]);
      await notebook.save({ partition: 0, offset: 2, notes: [{ key: 'only', note: '1' }], afresh: true });
      assert.deepEqual(await notebook.load(0), { offset: 2, notes: [{ key: 'only', note: '1' }] });
      assert.deepEqual(await notebook.load(1), { offset: 9, notes: [{ key: 'k', note: '1' }] });
    } finally {
      await opened.destroy();
    }
  });
}
