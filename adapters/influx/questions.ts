// Questions as InfluxQL. Names in a statement are ours; every text from outside goes as a bound parameter, every time as a number.
import { GatewayError } from '../../src/core/errors.ts';
import type { PointsQuestion, SeriesQuestion } from '../../src/ports/series.ts';
import { tagsOf, type Measurement, type Point, type Tag, fieldsOf, wordsOf } from '../../src/readmodel/series/point.ts';
import { bucketOf, type Covered } from '../../src/readmodel/series/time.ts';
import type { Placeholders, SeriesRows } from './client.ts';
import { tableOf } from './schema.ts';
import { read, written } from './text.ts';

export interface Statement {
  readonly text: string;
  readonly placeholders: Placeholders;
}

/** Null for a question whose answer is known to be empty. */
interface Bounds {
  readonly where: string;
  readonly placeholders: Placeholders;
}

function boundsOf(
  { scopes, where = {} }: Pick<SeriesQuestion, 'scopes' | 'where'>,
  { from, to }: { readonly from: number; readonly to: number },
): Bounds | null {
  const placeholders: { [name: string]: string } = {};
  const wanted: (readonly [string, readonly string[]])[] = Object.entries(where);
  if (scopes !== 'all') wanted.push(['scope', scopes]);
  const parts = [`time >= ${whole(from)}ms`, `time < ${whole(to)}ms`];
  for (const [tag, texts] of wanted) {
    if (texts.length === 0) return null;
    const either = texts.map((text) => {
      const name = `t${Object.keys(placeholders).length}`;
      placeholders[name] = written(text);
      return `"${tag}" = $${name}`;
    });
    parts.push(`(${either.join(' OR ')})`);
  }
  return { where: ` WHERE ${parts.join(' AND ')}`, placeholders };
}

function whole(at: number): string {
  if (!Number.isSafeInteger(at)) throw new GatewayError('invalid_request', 'expected a whole number of milliseconds');
  return String(at);
}

/** Tags of the question were checked against the table of measurements. */
function groupBy({ by = [], every }: Pick<SeriesQuestion, 'by' | 'every'>): string {
  // Weeks begin on Monday: InfluxDB counts from 1970-01-01, a Thursday.
  const time = { hour: 'time(1h)', day: 'time(1d)', week: 'time(7d, 4d)' } as const;
  const parts = [...(every === undefined ? [] : [time[every]]), ...by.map((tag) => `"${tag}"`)];
  return parts.length === 0 ? '' : ` GROUP BY ${parts.join(', ')}${every === undefined ? '' : ' fill(none)'}`;
}

export function measureStatement(database: string, question: SeriesQuestion, covered: Covered): Statement | null {
  const { measurement, field } = question;
  const { resolution } = covered;
  const bounds = boundsOf(question, covered);
  if (bounds === null) return null;
  const columns =
    resolution === 'point'
      ? `count("${field}") AS c, sum("${field}") AS s, min("${field}") AS lo, max("${field}") AS hi`
      : `sum("${field}_count") AS c, sum("${field}_sum") AS s, min("${field}_min") AS lo, max("${field}_max") AS hi`;
  const text = `SELECT ${columns} FROM ${tableOf(database, resolution, measurement)}${bounds.where}${groupBy(question)}`;
  return { text, placeholders: bounds.placeholders };
}

/** Every single value of the question, for quantiles. */
export function valuesStatement(database: string, question: SeriesQuestion, covered: Covered): Statement | null {
  const bounds = boundsOf(question, covered);
  if (bounds === null) return null;
  const { by = [] } = question;
  const groups = by.length === 0 ? '' : ` GROUP BY ${by.map((tag) => `"${tag}"`).join(', ')}`;
  const text = `SELECT "${question.field}" AS value FROM ${tableOf(database, 'point', question.measurement)}${bounds.where}${groups}`;
  return { text, placeholders: bounds.placeholders };
}

export function pointsStatement(database: string, question: PointsQuestion, from: number): Statement | null {
  const bounds = boundsOf(question, { from, to: Math.max(from + 1, question.to) });
  if (bounds === null) return null;
  const text = `SELECT * FROM ${tableOf(database, 'point', question.measurement)}${bounds.where} ORDER BY time ASC LIMIT ${whole(question.limit + 1)}`;
  return { text, placeholders: bounds.placeholders };
}

export type TagTexts = { readonly [tag in Tag]?: string };

export function tagsIn(rows: SeriesRows): TagTexts {
  return Object.fromEntries(Object.entries(rows.tags ?? {}).map(([tag, text]) => [tag, read(text)]));
}

/** `2026-12-01T00:00:00.000000001Z`: milliseconds, and what is below them. */
export function timeOf(text: unknown): { readonly at: number; readonly nth: number } {
  const [, seconds = '', fraction = ''] = /^(.*?)(?:\.(\d+))?Z$/.exec(String(text)) ?? [];
  const digits = fraction.padEnd(9, '0');
  return { at: Date.parse(`${seconds}Z`) + Number(digits.slice(0, 3)), nth: Number(digits.slice(3, 9)) };
}

/** Where the hour, day or week of a row begins. */
export function bucketIn(time: unknown, every: SeriesQuestion['every']): number | null {
  return every === undefined ? null : bucketOf(timeOf(time).at, every);
}

export function pointsIn(measurement: Measurement, answer: readonly SeriesRows[]): Point[] {
  return answer.flatMap(({ columns, values = [] }) =>
    values.map((row) => {
      const cells = new Map(columns.map((column, at) => [column, row[at]]));
      const texts = (names: readonly string[]): { readonly [name: string]: string } =>
        Object.fromEntries(
          names.flatMap((name) => {
            const cell = cells.get(name);
            return typeof cell === 'string' && cell !== '' ? [[name, read(cell)]] : [];
          }),
        );
      const fields = fieldsOf(measurement).flatMap((field) => (typeof cells.get(field) === 'number' ? [[field, cells.get(field)]] : []));
      const said = { tags: texts(tagsOf(measurement)), fields: Object.fromEntries(fields), words: texts(wordsOf(measurement)) };
      return { measurement, ...timeOf(cells.get('time')), ...said } as Point; // of the table of measurements
    }),
  );
}
