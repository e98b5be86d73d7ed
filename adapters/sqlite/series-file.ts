// The file of the time series: its tables, and what writing does to them. Used in the thread of the series only. It follows from the log, so a
// commit need not be on the disk when it returns: what a loss of power takes is read from the log again, since notes and position go with it.
//   S1  A point that is there changes no sum: sums grow by what was inserted, in the same transaction.
//   B1  Points, hours and days are forgotten by age, and points beyond their number, a chunk with each writing; what was forgotten is never
//       taken again, whatever the clock says by then, or its sums would count it twice.
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { day, hour } from '../../src/core/time.ts';
import type { NotebookPage, Refused } from '../../src/ports/series.ts';
import { fieldsOf, measurementNames, wordsOf, type Measurement, type Point } from '../../src/readmodel/series/point.ts';
import { bucketOf, type Resolution } from '../../src/readmodel/series/time.ts';
import type { SeriesOptions } from './series-requests.ts';
import { stow, unstow } from './text.ts';

export const seriesSchema = 1;
/** Columns for fields, of the measurement that has most. */
export const columns = Array.from({ length: Math.max(...measurementNames.map((name) => fieldsOf(name).length)) }, (_, n) => `v${n}`);

const tables = `
CREATE TABLE keys (id INTEGER PRIMARY KEY, measurement INTEGER NOT NULL, tags TEXT NOT NULL, UNIQUE (measurement, tags));
CREATE TABLE points (
  measurement INTEGER NOT NULL, at INTEGER NOT NULL, nth INTEGER NOT NULL, key INTEGER NOT NULL, ${columns.map((name) => `${name} REAL`).join(', ')},
  words TEXT NOT NULL, PRIMARY KEY (measurement, at, nth, key)
) WITHOUT ROWID;
CREATE TABLE sums (
  tier INTEGER NOT NULL, measurement INTEGER NOT NULL, field INTEGER NOT NULL, bucket INTEGER NOT NULL, key INTEGER NOT NULL,
  count INTEGER NOT NULL, sum REAL NOT NULL, min REAL NOT NULL, max REAL NOT NULL, PRIMARY KEY (tier, measurement, field, bucket, key)
) WITHOUT ROWID;
CREATE TABLE notes (partition INTEGER NOT NULL, key TEXT NOT NULL, note TEXT NOT NULL, PRIMARY KEY (partition, key)) WITHOUT ROWID;
CREATE TABLE positions (partition INTEGER PRIMARY KEY, position INTEGER NOT NULL);
CREATE TABLE forgotten (measurement INTEGER PRIMARY KEY, before INTEGER NOT NULL);`;

const chunk = 2_000;
const tiers = [1, 2] as const;

/** 1 for sums by the hour, 2 by the day. */
export function tierOf(resolution: Exclude<Resolution, 'point'>): number {
  return resolution === 'hour' ? 1 : 2;
}

/** The number of a measurement in the file: its place in the table is stored and must stay. */
const numbers: { readonly [name in Measurement]: number } = { alert: 1, decision: 2, incident: 3, run: 4, page: 5 };

export function numberOf(measurement: Measurement): number {
  return numbers[measurement];
}

/** Throws what SQLite throws; `NewerSeries` for a file of a later version. */
export function openSeriesFile(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: 5_000 });
  try {
    const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
    if (version > seriesSchema) throw new NewerSeries(`${path} was written by a newer quench`);
    if (version === 0) db.exec('PRAGMA auto_vacuum = INCREMENTAL; PRAGMA page_size = 4096');
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -8192; PRAGMA mmap_size = 0');
    db.exec('PRAGMA wal_autocheckpoint = 1000; PRAGMA journal_size_limit = 16777216; PRAGMA temp_store = MEMORY');
    if (version === 0) db.exec(`BEGIN IMMEDIATE; ${tables} PRAGMA user_version = ${seriesSchema}; COMMIT`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

export class NewerSeries extends Error {}

export interface SeriesWriter {
  write(points: readonly Point[], now: number): readonly Refused[];
  save(page: NotebookPage & { readonly partition: number; readonly afresh: boolean }): void;
}

interface Sums {
  readonly row: readonly [tier: number, measurement: number, field: number, bucket: number, key: number];
  count: number;
  sum: number;
  min: number;
  max: number;
}

export function seriesWriter(db: DatabaseSync, options: SeriesOptions): SeriesWriter {
  const keys = keyTable(db);
  const insert = db.prepare(`INSERT OR IGNORE INTO points VALUES (?, ?, ?, ?, ${columns.map(() => '?').join(', ')}, ?)`);
  const grow = db.prepare(`INSERT INTO sums VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    count = count + excluded.count, sum = sum + excluded.sum, min = min(min, excluded.min), max = max(max, excluded.max)`);
  const putNote = db.prepare('INSERT OR REPLACE INTO notes VALUES (?, ?, ?)');
  const dropNote = db.prepare('DELETE FROM notes WHERE partition = ? AND key = ?');
  const move = db.prepare('INSERT OR REPLACE INTO positions VALUES (?, ?)');
  const forgetting = forgetter(db, options);

  function put(point: Point, sums: Map<string, Sums>): void {
    const measurement = numberOf(point.measurement);
    const key = keys.idOf(measurement, textOfTags(point.tags));
    const fields: { readonly [field: string]: number } = point.fields;
    const names = fieldsOf(point.measurement);
    const values = columns.map((_, n) => fields[names[n] ?? ''] ?? null);
    const isNew = insert.run(measurement, point.at, point.nth, key, ...values, wordsText(point)).changes === 1;
    if (!isNew) return; // S1
    forgetting.came(measurement);
    for (const [field, value] of values.entries()) {
      if (value === null) continue;
      add(sums, [1, measurement, field, bucketOf(point.at, 'hour'), key], value);
      add(sums, [2, measurement, field, bucketOf(point.at, 'day'), key], value);
    }
  }

  return {
    write: (points, now) =>
      atOnce(db, forgetting, () => {
        keys.begin();
        forgetting.forget(now);
        const sums = new Map<string, Sums>();
        let late = 0;
        for (const point of points) {
          if (point.at < forgetting.before(numberOf(point.measurement))) late += 1; // B1
          else put(point, sums);
        }
        for (const { row, count, sum, min, max } of sums.values()) grow.run(...row, count, sum, min, max);
        return late === 0 ? [] : [{ points: late, reason: 'older than points are kept' }];
      }),
    save: ({ partition, offset, notes, afresh }) =>
      atOnce(db, null, () => {
        if (afresh) db.prepare('DELETE FROM notes WHERE partition = ?').run(partition);
        for (const { key, note } of notes) {
          if (note === null) dropNote.run(partition, stow(key));
          else putNote.run(partition, stow(key), stow(note));
        }
        move.run(partition, offset);
      }),
  };
}

function add(sums: Map<string, Sums>, row: Sums['row'], value: number): void {
  const name = row.join(' ');
  const before = sums.get(name);
  if (before === undefined) {
    sums.set(name, { row, count: 1, sum: value, min: value, max: value });
    return;
  }
  before.count += 1;
  before.sum += value;
  before.min = Math.min(before.min, value);
  before.max = Math.max(before.max, value);
}

/** `forgetting`: what the work counts there goes back with it. */
function atOnce<T>(db: DatabaseSync, forgetting: Forgetter | null, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  const undo = forgetting?.mark();
  try {
    const done = work();
    db.exec('COMMIT');
    return done;
  } catch (error) {
    undo?.();
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

function keyTable(db: DatabaseSync): { idOf(measurement: number, tags: string): number; begin(): void } {
  const find = db.prepare('SELECT id FROM keys WHERE measurement = ? AND tags = ?');
  const make = db.prepare('INSERT INTO keys (measurement, tags) VALUES (?, ?)');
  let known = new Map<string, number>();
  return {
    begin: () => (known = new Map()), // what a transaction that failed had made is not there
    idOf(measurement, tags) {
      const name = `${measurement} ${tags}`;
      const id = known.get(name) ?? Number(find.get(measurement, tags)?.['id'] ?? make.run(measurement, tags).lastInsertRowid);
      known.set(name, id);
      return id;
    },
  };
}

interface Forgetter {
  /** Points of the measurement before it are not taken any more. */
  before(measurement: number): number;
  came(measurement: number): void;
  forget(now: number): void;
  /** Returns how to take back what has been counted and forgotten since. */
  mark(): () => void;
}

function forgetter(db: DatabaseSync, { keep, pointsMax }: SeriesOptions): Forgetter {
  const counts = new Map<number, number>();
  const marks = new Map<number, number>();
  for (const row of db.prepare('SELECT measurement, count(*) AS count FROM points GROUP BY measurement').iterate())
    counts.set(Number(row['measurement']), Number(row['count']));
  for (const row of db.prepare('SELECT measurement, before FROM forgotten').iterate())
    marks.set(Number(row['measurement']), Number(row['before']));
  const dropPoints = db.prepare(
    'DELETE FROM points WHERE (measurement, at, nth, key) IN (SELECT measurement, at, nth, key FROM points WHERE measurement = ?1 AND at < ?2 ORDER BY at LIMIT ?3)',
  );
  const dropSums = db.prepare(
    'DELETE FROM sums WHERE (tier, measurement, field, bucket, key) IN (SELECT tier, measurement, field, bucket, key FROM sums WHERE tier = ?1 AND measurement = ?2 AND field = ?3 AND bucket < ?4 LIMIT ?5)',
  );
  const nthOldest = db.prepare('SELECT at FROM points WHERE measurement = ? ORDER BY at LIMIT 1 OFFSET ?');
  const mark = db.prepare('INSERT OR REPLACE INTO forgotten VALUES (?, ?)');
  const dropKeys = db.prepare('DELETE FROM keys WHERE id NOT IN (SELECT key FROM sums UNION SELECT key FROM points)');
  /** Looking through everything once a day is enough, and not while a gateway starts. */
  let keysAt: number | null = null;

  function forgetPoints(measurement: number, now: number): void {
    const count = counts.get(measurement) ?? 0;
    const oldest = count > pointsMax ? nthOldest.get(measurement, Math.min(chunk, count - pointsMax))?.['at'] : undefined;
    const before = Math.max(
      marks.get(measurement) ?? Number.NEGATIVE_INFINITY,
      now - keep.pointsMs,
      Number(oldest ?? Number.NEGATIVE_INFINITY),
    );
    const gone = Number(dropPoints.run(measurement, before, chunk).changes);
    marks.set(measurement, before);
    if (gone === 0) return;
    counts.set(measurement, count - gone);
    mark.run(measurement, before);
  }

  function forgetSums(measurement: Measurement, now: number): void {
    for (const tier of tiers) {
      const before = bucketOf(now - (tier === 1 ? keep.hoursMs : keep.daysMs), 'day');
      for (const field of fieldsOf(measurement).keys()) dropSums.run(tier, numberOf(measurement), field, before, chunk);
    }
  }

  function backTo<Value>(held: Map<number, Value>): () => void {
    const then = [...held];
    return () => {
      held.clear();
      for (const [measurement, value] of then) held.set(measurement, value);
    };
  }

  return {
    mark() {
      const undo = [backTo(counts), backTo(marks)];
      const keysThen = keysAt;
      return () => {
        for (const each of undo) each();
        keysAt = keysThen;
      };
    },
    before: (measurement) => marks.get(measurement) ?? Number.NEGATIVE_INFINITY,
    came: (measurement) => void counts.set(measurement, (counts.get(measurement) ?? 0) + 1),
    forget(now) {
      for (const measurement of measurementNames) {
        forgetPoints(numberOf(measurement), now);
        forgetSums(measurement, now);
      }
      keysAt ??= now - day + hour;
      if (now - keysAt >= day) {
        keysAt = now;
        dropKeys.run();
        db.exec('PRAGMA incremental_vacuum(2000)');
      }
    },
  };
}

function textOfTags(tags: { readonly [tag: string]: string | undefined }): string {
  return stow(JSON.stringify(Object.entries(tags).sort(([one], [other]) => (one < other ? -1 : 1))));
}

function wordsText(point: Point): string {
  const words: { readonly [word: string]: string | undefined } = point.words;
  return stow(JSON.stringify(wordsOf(point.measurement).map((word) => words[word] ?? null)));
}

export function notesIn(db: DatabaseSync, partition: number): readonly { readonly key: string; readonly note: string }[] {
  return prepared(db, 'SELECT key, note FROM notes WHERE partition = ?')
    .all(partition)
    .map((row) => ({ key: unstow(String(row['key'])), note: unstow(String(row['note'])) }));
}

export function positionIn(db: DatabaseSync, partition: number): number {
  return Number(prepared(db, 'SELECT position FROM positions WHERE partition = ?').get(partition)?.['position'] ?? 0);
}

const statements = new WeakMap<DatabaseSync, Map<string, StatementSync>>();

/** Texts come from a small fixed set. */
export function prepared(db: DatabaseSync, sql: string): StatementSync {
  const known = statements.get(db) ?? new Map<string, StatementSync>();
  statements.set(db, known);
  const statement = known.get(sql) ?? db.prepare(sql);
  known.set(sql, statement);
  return statement;
}
