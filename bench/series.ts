// What time series cost: CPU of the main thread for each new alert (facts to points, and handing them over), and points a second that the file of the
// gateway, and Debian's InfluxDB where it is installed, take in batches. Not for how decisions feel it: that is engine.ts with and without.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { settingsOf } from '../adapters/influx/options.ts';
import { influxSeries } from '../adapters/influx/series.ts';
import { pointsMaxDefault, sqliteSeries } from '../adapters/sqlite/series.ts';
import { day, minute } from '../src/core/time.ts';
import type { Fact } from '../src/core/records.ts';
import { systemClock } from '../src/gateway/clock.ts';
import type { Series } from '../src/ports/series.ts';
import { patchesOf } from '../src/readmodel/patches.ts';
import { createNotes } from '../src/readmodel/series/notes.ts';
import type { Point } from '../src/readmodel/series/point.ts';
import { pointsOf } from '../src/readmodel/series/points.ts';
import { entryOf } from '../src/readmodel/timeline.ts';
import { influxPresence, startInflux } from '../test/influx/server.ts';
import { eventOf } from '../test/support/event.ts';
import { policyOf } from '../test/support/policy.ts';
import { tell } from '../test/support/story.ts';

const alerts = 3_000;
const rounds = 9;
const batch = 1_000;
const keep = { pointsMs: 30 * day, hoursMs: 180 * day, daysMs: 1_095 * day };

function newAlerts(): readonly Fact[] {
  const story = tell(policyOf());
  for (let n = 0; n < alerts; n += 1)
    story.see(eventOf({ name: `Rule${n % 40}`, entity: { host: `h${n}`, service: 's' }, fingerprint: n.toString(16).padStart(16, '0') }));
  const shift = Date.now() - story.now();
  return story.facts.map((fact) => earlier(fact, -shift));
}

function earlier<Each extends { readonly at: number }>(each: Each, byMs: number): Each {
  return Object.assign(structuredClone(each), { at: each.at - byMs });
}

/** Microseconds of CPU. */
function cpuOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

const median = (values: readonly number[]): number => [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;

async function rateOf(series: Series, points: readonly Point[]): Promise<number> {
  const began = performance.now();
  for (let from = 0; from < points.length; from += batch) await series.write(points.slice(from, from + batch));
  return points.length / ((performance.now() - began) / 1_000);
}

const facts = newAlerts();
let points: readonly Point[] = [];
const [making, handing, showing] = [[] as number[], [] as number[], [] as number[]];
for (let round = 0; round < rounds; round += 1) {
  making.push(
    cpuOf(() => {
      const notes = createNotes();
      points = facts.flatMap((fact) => pointsOf(notes, fact));
      notes.changes();
    }) / alerts,
  );
  handing.push(cpuOf(() => void structuredClone(points)) / alerts);
  showing.push(cpuOf(() => facts.forEach((fact) => JSON.stringify([patchesOf(fact, 0), entryOf(fact)]))) / alerts);
}
console.log(`${facts.length / alerts} facts and ${points.length / alerts} points a new alert`);
console.log(
  `main thread, µs a new alert: points ${median(making).toFixed(1)}, handing over ${median(handing).toFixed(1)}; documents and lines ${median(showing).toFixed(1)}`,
);

const many = Array.from({ length: 5 }, (_, again) => points.map((point) => earlier(point, again * minute))).flat();
const dir = mkdtempSync(join(tmpdir(), 'quench-bench-'));
const file = await sqliteSeries({ path: join(dir, 'series.db'), keep, pointsMax: pointsMaxDefault, clock: systemClock });
console.log(
  `file of the gateway: ${Math.round(await rateOf(file.series, many))} points/s, again ${Math.round(await rateOf(file.series, many))}`,
);
await file.close();
rmSync(dir, { recursive: true });

if (influxPresence().skip === false) {
  const server = await startInflux();
  const series = influxSeries({ settings: settingsOf({ url: server.url }), keep, clock: systemClock, logger: { info: () => {} } });
  const before = process.cpuUsage();
  const rate = await rateOf(series, many);
  const { user, system } = process.cpuUsage(before);
  console.log(`InfluxDB: ${Math.round(rate)} points/s, ${((user + system) / many.length).toFixed(1)} µs a point here`);
  await series.close();
  await server.stop();
} else console.log('InfluxDB: not installed here');
