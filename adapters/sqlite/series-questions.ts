// Questions to the file of the time series, answered in its thread. Values reach SQLite by parameters only.
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import {
  groupsMax,
  type PointsAnswer,
  type PointsQuestion,
  type SeriesAnswer,
  type SeriesKeep,
  type SeriesQuestion,
} from '../../src/ports/series.ts';
import { sees } from '../../src/readmodel/query.ts';
import { addingBy, checkQuestion } from '../../src/readmodel/series/groups.ts';
import { fieldsOf, wordsOf, type Measurement, type Point, type Tag } from '../../src/readmodel/series/point.ts';
import { bucketOf, coveredBy, lengthOf, type Every } from '../../src/readmodel/series/time.ts';
import { columns, numberOf, prepared, tierOf } from './series-file.ts';
import { unstow } from './text.ts';

type Tags = { readonly [tag in Tag]?: string };

export function measureIn(db: DatabaseSync, question: SeriesQuestion, keep: SeriesKeep, now: number): SeriesAnswer {
  checkQuestion(question);
  const { resolution, from, to } = coveredBy(question, keep, now);
  const { measurement, field, by = [], every, quantiles } = question;
  const place = fieldsOf(measurement).indexOf(field);
  const keys = keysFor(db, question);
  const isPoints = resolution === 'point';
  const shares = isPoints && quantiles !== undefined ? quantiles : null;
  const adding = addingBy(by, shares, groupsMax);
  const bucket = bucketSql(every, isPoints ? 'at' : 'bucket');
  if (shares !== null) {
    const sql = `SELECT key, at, ${columns[place]} AS value FROM points WHERE measurement = ? AND at >= ? AND at < ? AND ${columns[place]} IS NOT NULL`;
    for (const row of prepared(db, sql).iterate(numberOf(measurement), from, to)) {
      const tags = keys.get(Number(row['key']));
      const value = Number(row['value']);
      const at = every === undefined ? null : bucketOf(Number(row['at']), every);
      if (tags !== undefined) adding.add(tags, at, { count: 1, sum: value, min: value, max: value }, [value]);
    }
    return { resolution, from, to, groups: adding.groups() };
  }
  const values: SQLInputValue[] = isPoints
    ? [numberOf(measurement), from, to]
    : [tierOf(resolution), numberOf(measurement), place, from, to];
  const column = columns[place];
  const sql = isPoints
    ? `SELECT key, ${bucket} AS span, count(${column}) AS count, sum(${column}) AS sum, min(${column}) AS min, max(${column}) AS max
       FROM points WHERE measurement = ? AND at >= ? AND at < ? AND ${column} IS NOT NULL GROUP BY key, span`
    : `SELECT key, ${bucket} AS span, sum(count) AS count, sum(sum) AS sum, min(min) AS min, max(max) AS max
       FROM sums WHERE tier = ? AND measurement = ? AND field = ? AND bucket >= ? AND bucket < ? GROUP BY key, span`;
  for (const row of prepared(db, sql).iterate(...values)) {
    const tags = keys.get(Number(row['key']));
    if (tags === undefined) continue;
    const [count, sum, min, max] = [row['count'], row['sum'], row['min'], row['max']].map(Number) as [number, number, number, number];
    adding.add(tags, every === undefined ? null : Number(row['span']), { count, sum, min, max });
  }
  return { resolution, from, to, groups: adding.groups() };
}

/** Where the hour, day or week of an instant begins, as `bucketOf` says it. */
function bucketSql(every: Every | undefined, column: 'at' | 'bucket'): string {
  if (every === undefined) return '0';
  const span = lengthOf(every);
  // A bucket that is on both sides of 1970 is no matter: gateways have no instants before.
  const shift = -bucketOf(0, every);
  return `((${column} + ${shift}) / ${span}) * ${span} - ${shift}`;
}

export function pointsIn(db: DatabaseSync, question: PointsQuestion, keep: SeriesKeep, now: number): PointsAnswer {
  checkQuestion(question);
  const { measurement, from, to, limit } = question;
  const keys = keysFor(db, question);
  const points: Point[] = [];
  const sql = 'SELECT * FROM points WHERE measurement = ? AND at >= ? AND at < ? ORDER BY at, nth, key';
  for (const row of prepared(db, sql).iterate(numberOf(measurement), Math.max(from, now - keep.pointsMs), to)) {
    const tags = keys.get(Number(row['key']));
    if (tags === undefined) continue;
    if (points.length === limit) return { points, isWhole: false };
    points.push(pointOf(measurement, tags, row));
  }
  return { points, isWhole: true };
}

function pointOf(measurement: Measurement, tags: Tags, row: { readonly [column: string]: unknown }): Point {
  const fields: { [field: string]: number } = {};
  for (const [place, field] of fieldsOf(measurement).entries()) {
    const value = row[columns[place] ?? ''];
    if (typeof value === 'number') fields[field] = value;
  }
  const texts = JSON.parse(unstow(String(row['words']))) as readonly (string | null)[]; // as series-file.ts wrote them
  const words: { [word: string]: string } = {};
  for (const [place, word] of wordsOf(measurement).entries()) {
    const text = texts[place] ?? null;
    if (text !== null) words[word] = text;
  }
  return { measurement, at: Number(row['at']), nth: Number(row['nth']), tags, fields, words } as Point; // of the table of measurements
}

/** Combinations of tags that the question is about, by their number. */
function keysFor(
  db: DatabaseSync,
  { measurement, scopes, where = {} }: Pick<SeriesQuestion, 'measurement' | 'scopes' | 'where'>,
): ReadonlyMap<number, Tags> {
  const wanted = Object.entries(where) as readonly (readonly [Tag, readonly string[]])[]; // the tags of a question
  const found = new Map<number, Tags>();
  for (const row of prepared(db, 'SELECT id, tags FROM keys WHERE measurement = ?').iterate(numberOf(measurement))) {
    const tags = Object.fromEntries(JSON.parse(unstow(String(row['tags']))) as readonly (readonly [string, string])[]) as Tags; // as series-file.ts wrote them
    if (!sees(scopes, tags.scope ?? '')) continue;
    if (wanted.every(([tag, texts]) => texts.includes(tags[tag] ?? ''))) found.set(Number(row['id']), tags);
  }
  return found;
}
