// What stands in the database: three retention policies, one for each resolution, and continuous queries that make hours of points and days of hours.
//   D1  Made or checked before the first point is written. A policy of another duration is given ours; one that is missing and that we may not
//       make is said by name.
//   D2  Continuous queries see the hours of now. Hours that points come late for are made by whoever writes them (series.ts), by the same statement.
import { GatewayError } from '../../src/core/errors.ts';
import { hour, type Millis } from '../../src/core/time.ts';
import type { SeriesKeep } from '../../src/ports/series.ts';
import { fieldsOf, measurementNames, type Measurement } from '../../src/readmodel/series/point.ts';
import type { Resolution } from '../../src/readmodel/series/time.ts';
import type { InfluxClient } from './client.ts';

export const policies: { readonly [resolution in Resolution]: string } = { point: 'points', hour: 'hours', day: 'days' };

const sums = ['count', 'sum', 'min', 'max'] as const;
/** Of an hour, so that what comes a little late is in it; and today and yesterday. */
const resample = { hour: 'EVERY 10m FOR 3h', day: 'EVERY 1h FOR 2d' } as const;

/** Identifiers are ours, or letters, digits, `_`, `.` and `-` by the schema of the options. */
export function tableOf(database: string, resolution: Resolution, measurement: Measurement): string {
  return `"${database}"."${policies[resolution]}"."${measurement}"`;
}

/** The statement that makes hours of points, or days of hours; `where` bounds it. */
export function sumsInto(database: string, measurement: Measurement, to: 'hour' | 'day', where = ''): string {
  const columns = fieldsOf(measurement).flatMap((field) =>
    sums.map((sum) => {
      const [how, of] = to === 'hour' ? [sum, field] : [sum === 'count' ? 'sum' : sum, `${field}_${sum}`];
      return `${how}("${of}") AS "${field}_${sum}"`;
    }),
  );
  const from = tableOf(database, to === 'hour' ? 'point' : 'hour', measurement);
  return `SELECT ${columns.join(', ')} INTO ${tableOf(database, to, measurement)} FROM ${from}${where} GROUP BY time(${to === 'hour' ? '1h' : '1d'}), * fill(none)`;
}

export async function ensureSchema(
  client: InfluxClient,
  { database, create, keep }: { readonly database: string; readonly create: boolean; readonly keep: SeriesKeep },
): Promise<readonly string[]> {
  const done: string[] = [];
  if (create) await client.query(`CREATE DATABASE "${database}"`);
  const there = new Map((await rows(client, `SHOW RETENTION POLICIES ON "${database}"`)).map((row) => [row['name'], row['duration']]));
  const spans: { readonly [resolution in Resolution]: Millis } = { point: keep.pointsMs, hour: keep.hoursMs, day: keep.daysMs };
  for (const resolution of ['point', 'hour', 'day'] as const) {
    const name = policies[resolution];
    const hours = Math.ceil(spans[resolution] / hour);
    const duration = there.get(name);
    if (duration === `${hours}h0m0s`) continue;
    if (!create) {
      if (duration === undefined) throw missing(`the retention policy ${name} of ${database} is missing`);
      continue; // whoever made it knows why
    }
    const how = duration === undefined ? 'CREATE' : 'ALTER';
    await client.query(
      `${how} RETENTION POLICY "${name}" ON "${database}" DURATION ${hours}h REPLICATION 1${resolution === 'point' ? ' DEFAULT' : ''}`,
    );
    if (duration !== undefined) done.push(`retention policy ${name} kept for ${String(duration)} before, ${hours}h from now on`);
  }
  if (create) await ensureQueries(client, database, done);
  return done;
}

async function ensureQueries(client: InfluxClient, database: string, done: string[]): Promise<void> {
  const there = new Map<unknown, string>();
  for (const { name, query } of await rows(client, 'SHOW CONTINUOUS QUERIES', database)) there.set(name, String(query));
  for (const measurement of measurementNames) {
    for (const to of ['hour', 'day'] as const) {
      const name = `quench_${measurement}_${policies[to]}`;
      const wanted = `CREATE CONTINUOUS QUERY "${name}" ON "${database}" RESAMPLE ${resample[to]} BEGIN ${sumsInto(database, measurement, to)} END`;
      const before = there.get(name);
      if (before !== undefined && plain(before) === plain(wanted)) continue;
      if (before !== undefined) {
        await client.query(`DROP CONTINUOUS QUERY "${name}" ON "${database}"`);
        done.push(`continuous query ${name} was another and is made anew`);
      }
      await client.query(wanted);
    }
  }
}

/** The server writes names without quotes where they need none. */
function plain(statement: string): string {
  return statement
    .replace(/["\s]+/g, ' ')
    .replace(/ ?([.,()]) ?/g, '$1')
    .trim()
    .toLowerCase();
}

/** Rows as objects; of an answer that is by name, only those of that name. */
async function rows(client: InfluxClient, statement: string, name?: string): Promise<readonly { readonly [column: string]: unknown }[]> {
  const series = await client.query(statement);
  return series
    .filter((each) => name === undefined || ('name' in each && each.name === name))
    .flatMap(({ columns, values = [] }) => values.map((row) => Object.fromEntries(columns.map((column, at) => [column, row[at]]))));
}

function missing(what: string): GatewayError {
  return new GatewayError('store_unavailable', `InfluxDB: ${what}: make it, or leave out \`create: false\` (adapters/influx/README.md)`);
}
