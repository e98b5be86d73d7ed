// Time series in InfluxDB. Points go out in batches, and what they change of hours that continuous queries no longer look at is summed up at once, so
// that a batch which was kept is in every resolution. Opening does not wait for the server; whoever writes waits and tries again (engine/project/series).
//   I1  A batch that the server took in part is not sent again: what it dropped is told, with its reason.
//   I2  One that it does not understand at all is halved until the point is found that it does not take: nothing waits behind that for ever.
import type { IPoint } from 'influx';
import { GatewayError } from '../../src/core/errors.ts';
import { day, hour, minute, type Instant, type Millis } from '../../src/core/time.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Logger } from '../../src/ports/logger.ts';
import { groupsMax, type Refused, type Series, type SeriesAnswer, type SeriesKeep, type SeriesQuestion } from '../../src/ports/series.ts';
import { addingBy, checkQuestion } from '../../src/readmodel/series/groups.ts';
import { measurementNames, type Measurement, type Point } from '../../src/readmodel/series/point.ts';
import { bucketOf, coveredBy, type Covered } from '../../src/readmodel/series/time.ts';
import { influxClient, type InfluxClient } from './client.ts';
import type { Settings } from './options.ts';
import { bucketIn, measureStatement, pointsIn, pointsStatement, tagsIn, valuesStatement } from './questions.ts';
import { ensureSchema, policies, sumsInto } from './schema.ts';
import { written } from './text.ts';

export const batchMax = 5_000;
/** Values of one question that are put in order here. */
const valuesMax = 200_000;
/** Sums of the hours of now are made again for who asks, not more often. */
const freshMs: Millis = minute;
/** What continuous queries look at in any case (schema.ts). */
const liveMs: Millis = 2 * hour;

interface Deps {
  readonly settings: Settings;
  readonly keep: SeriesKeep;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'info'>;
}

export function influxSeries({ settings, keep, clock, logger }: Deps): Series {
  const { database } = settings;
  const client = influxClient(settings, clock);
  const prepared = prepareOnce(client, { settings, keep, logger });
  const fresh = new Map<Measurement, Millis>();

  async function sumUp(measurement: Measurement, to: 'hour' | 'day', from: Instant, until: Instant): Promise<void> {
    await client.query(sumsInto(database, measurement, to, ` WHERE time >= ${from}ms AND time < ${until}ms`));
  }

  /** The hours and days of points that came when no continuous query looks at them any more. */
  async function sumUpLate(points: readonly Point[]): Promise<void> {
    const now = clock.now();
    for (const measurement of measurementNames) {
      const late = points.filter(
        (point) => point.measurement === measurement && point.at < now - liveMs && point.at >= now - keep.pointsMs,
      );
      for (const [from, to] of runsOf(late, 'hour')) await sumUp(measurement, 'hour', from, to);
      for (const [from, to] of runsOf(late, 'day')) await sumUp(measurement, 'day', from, to);
    }
  }

  /** What has come since the continuous queries ran last. */
  async function refresh(measurement: Measurement): Promise<void> {
    const now = clock.now();
    const made = fresh.get(measurement);
    if (made !== undefined && clock.steady() - made < freshMs) return;
    await sumUp(measurement, 'hour', bucketOf(now - liveMs, 'hour'), now + hour);
    await sumUp(measurement, 'day', bucketOf(now - liveMs, 'day'), now + day);
    fresh.set(measurement, clock.steady());
  }

  return {
    async write(points) {
      if (points.length === 0) return [];
      await prepared.run();
      const refused: Refused[] = [];
      for (let from = 0; from < points.length; from += batchMax)
        refused.push(...(await prepared.guarded(() => writeBatch(client, points.slice(from, from + batchMax)))));
      await prepared.guarded(() => sumUpLate(points));
      return refused;
    },
    async measure(question) {
      checkQuestion(question);
      const covered = coveredBy(question, keep, clock.now());
      await prepared.run();
      if (covered.resolution !== 'point') await prepared.guarded(() => refresh(question.measurement));
      return prepared.guarded(() => measured(client, database, question, covered));
    },
    async points(question) {
      checkQuestion(question);
      await prepared.run();
      const statement = pointsStatement(database, question, Math.max(question.from, clock.now() - keep.pointsMs));
      const found =
        statement === null
          ? []
          : pointsIn(question.measurement, await prepared.guarded(() => client.query(statement.text, statement.placeholders)));
      found.sort((one, other) => one.at - other.at || one.nth - other.nth);
      return { points: found.slice(0, question.limit), isWhole: found.length <= question.limit };
    },
    close: async () => client.close(),
  };
}

/** Hours or days that follow each other, as one span. */
function runsOf(points: readonly Point[], every: 'hour' | 'day'): readonly (readonly [from: Instant, to: Instant])[] {
  const length = every === 'hour' ? hour : day;
  const begins = [...new Set(points.map(({ at }) => bucketOf(at, every)))].sort((one, other) => one - other);
  const runs: [number, number][] = [];
  for (const from of begins) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] === from) last[1] = from + length;
    else runs.push([from, from + length]);
  }
  return runs;
}

interface Prepared {
  /** Once it has gone well, nothing. */
  run(): Promise<void>;
  /** What finds database or policies gone has them made again by the next attempt. */
  guarded<T>(work: () => Promise<T>): Promise<T>;
}

function prepareOnce(client: InfluxClient, { settings, keep, logger }: Omit<Deps, 'clock'>): Prepared {
  let preparing: Promise<void> | null = null;
  async function prepare(): Promise<void> {
    for (const each of await ensureSchema(client, { database: settings.database, create: settings.create, keep }))
      logger.info({ done: each }, 'time series prepared');
  }
  return {
    run() {
      preparing ??= prepare().catch((error: unknown) => {
        preparing = null;
        // Whatever the server does not understand of this it may understand after it was set right.
        throw error instanceof GatewayError && error.code === 'internal' ? new GatewayError('store_unavailable', error.message) : error;
      });
      return preparing;
    },
    async guarded(work) {
      try {
        return await work();
      } catch (error) {
        if (error instanceof GatewayError && /not found/.test(error.message)) preparing = null;
        throw error;
      }
    },
  };
}

async function writeBatch(client: InfluxClient, points: readonly Point[]): Promise<readonly Refused[]> {
  const refusal = await client.write(points.map(lineOf), policies.point);
  if (refusal === null) return [];
  const { status, says } = refusal;
  const [, dropped] = /^partial write: .*dropped=(\d+)/.exec(says) ?? [];
  if (status === 400 && dropped !== undefined) return [{ points: Number(dropped), reason: `InfluxDB: ${says}` }]; // I1
  if (status === 404 || /not found/.test(says)) throw new GatewayError('store_unavailable', `InfluxDB: ${says}`);
  if (status !== 400 && status !== 413) throw new GatewayError('store_unavailable', `InfluxDB answers ${status}: ${says}`);
  if (points.length === 1) return [{ points: 1, reason: `InfluxDB: ${says}` }];
  const middle = Math.ceil(points.length / 2);
  return [...(await writeBatch(client, points.slice(0, middle))), ...(await writeBatch(client, points.slice(middle)))]; // I2
}

function lineOf({ measurement, at, nth, tags, fields, words }: Point): IPoint {
  const texts = (of: { readonly [name: string]: string | undefined }): { [name: string]: string } =>
    Object.fromEntries(Object.entries(of).flatMap(([name, text]) => (text === undefined || text === '' ? [] : [[name, written(text)]])));
  return { measurement, tags: texts(tags), fields: { ...fields, ...texts(words) }, timestamp: `${at}${String(nth).padStart(6, '0')}` };
}

async function measured(client: InfluxClient, database: string, question: SeriesQuestion, covered: Covered): Promise<SeriesAnswer> {
  const { by = [], every, quantiles } = question;
  const statement = measureStatement(database, question, covered);
  const isPoints = covered.resolution === 'point' && quantiles !== undefined;
  const adding = addingBy(by, null, groupsMax);
  for (const rows of statement === null ? [] : await client.query(statement.text, statement.placeholders)) {
    for (const [time, count, sum, min, max] of rows.values ?? []) {
      if (Number(count ?? 0) === 0) continue;
      adding.add(tagsIn(rows), bucketIn(time, every), { count: Number(count), sum: Number(sum), min: Number(min), max: Number(max) });
    }
  }
  const sums = adding.groups();
  if (!isPoints) return { ...covered, groups: sums };
  const total = sums.reduce((all, { count }) => all + count, 0);
  if (total > valuesMax)
    throw new GatewayError('invalid_request', `more than ${valuesMax} points: ask for quantiles of a shorter span, or for less`);
  return { ...covered, groups: total === 0 ? [] : await withQuantiles(client, database, question, covered) };
}

async function withQuantiles(
  client: InfluxClient,
  database: string,
  question: SeriesQuestion,
  covered: Covered,
): Promise<SeriesAnswer['groups']> {
  const { by = [], every, quantiles = [] } = question;
  const statement = valuesStatement(database, question, covered);
  const adding = addingBy(by, quantiles, groupsMax);
  for (const rows of statement === null ? [] : await client.query(statement.text, statement.placeholders)) {
    const tags = tagsIn(rows);
    for (const [time, cell] of rows.values ?? []) {
      const value = Number(cell);
      adding.add(tags, bucketIn(time, every), { count: 1, sum: value, min: value, max: value }, [value]);
    }
  }
  return adding.groups();
}
