// A gateway that keeps time series of what it decides: over a restart, with a file that is damaged, and where they cannot be opened at all.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pointsMaxDefault, sqliteSeries } from '../../adapters/sqlite/series.ts';
import { day } from '../../src/core/time.ts';
import type { Point } from '../../src/readmodel/series/point.ts';
import { deliver, folder, house, open, ready, until, type Folder } from './house.ts';

const keep = { pointsMs: 30 * day, hoursMs: 60 * day, daysMs: 90 * day };

/** What is in the file of a gateway that has ended. */
async function kept({ dir }: Folder, measurement: Point['measurement']): Promise<readonly Point[]> {
  const { series, close } = await sqliteSeries({
    path: join(dir, 'data/quench.series.db'),
    keep,
    pointsMax: pointsMaxDefault,
    clock: { now: Date.now },
  });
  const { points } = await series.points({ measurement, scopes: 'all', from: 0, to: Date.now() + day, limit: 1_000 });
  await close();
  return points;
}

test('alerts become points, each once, over a restart; a damaged file is filled from the log again', { timeout: 90_000 }, async (t) => {
  const place = folder(t, { 'quench.yaml': `${house}delivery: { bundle: 0s }\n` });
  const first = await open(t, place);
  assert.equal(await deliver(first.url, 'DiskFull', 3), 200);
  const shown = async (url: string): Promise<void> =>
    until('nothing waits for the series', async () => {
      const text = await (await fetch(`${url}/metrics`)).text();
      return /^quench_projector_lag\{projector="series"\} 0$/m.test(text);
    });
  await until('it rings', () => /DiskFull/.test(first.rang()));
  await shown(first.url);
  await first.stop();
  const before = await kept(place, 'alert');
  assert.deepEqual(
    before.map(({ tags: { rule = '' }, fields }) => [rule, fields]),
    Array.from({ length: 3 }, () => ['DiskFull', { fired: 1 }]),
  );

  const second = await open(t, place);
  assert.equal(await deliver(second.url, 'Down'), 200);
  await until('it rings', () => /Down/.test(second.rang()));
  await shown(second.url);
  await second.stop();
  const after = await kept(place, 'alert');
  assert.deepEqual(after.slice(0, 3), before);
  assert.equal(after.length, 4);

  writeFileSync(join(place.dir, 'data/quench.series.db'), 'no database '.repeat(1_000));
  const third = await open(t, place);
  await shown(third.url);
  assert.match(third.said(), /the time series were not as they were left/);
  await third.stop();
  assert.deepEqual(await kept(place, 'alert'), after);
});

test(
  'series whose options do not load keep no gateway from paging: it keeps them itself until that is mended',
  { timeout: 60_000 },
  async (t) => {
    for (const series of ['series: { influx: { database: x } }', 'series: { influx: here }', 'series: { nobody: {} }', 'series: []']) {
      const place = folder(t, { 'quench.yaml': `${house}${series}\n` });
      const { url, rang, stop, said } = await open(t, place);
      assert.equal(await deliver(url, 'Down'), 200);
      await until('it rings', () => /Down/.test(rang()));
      assert.match(said(), /series/, 'and it is said');
      await stop();
    }
  },
);

test('series that cannot be opened keep no gateway from paging', { timeout: 60_000 }, async (t) => {
  const place = folder(t, { 'quench.yaml': house });
  mkdirSync(join(place.dir, 'data/quench.series.db'), { recursive: true });
  const { url, rang, said } = await open(t, place);
  assert.equal(await deliver(url, 'Down'), 200);
  await until('it rings', () => /Down/.test(rang()));
  assert.equal((await ready(url)).status, 200);
  assert.match(said(), /the time series cannot be opened: the gateway goes on without them/);
});
