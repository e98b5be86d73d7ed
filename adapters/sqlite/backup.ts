// A store copied to one file of another name, while a gateway writes to it or while none runs; and what is known of a file before it is trusted.
// Through SQLite, never byte by byte: part of a living store is in its WAL. The copy is one file whatever the store is: log and state side by
// side, as a store of schema 3 was, which the next opening makes two of again (upgrade.ts).
//   B1  The copy is one moment of the store. A read transaction is held over each of its files, the state's from a moment before the log's:
//       the log may hold more than the state knows, never less. Every commit before the copy began is in it.
//   B2  A copy that is whole lies under its name, checked and synced; one that broke off leaves nothing, neither under that name nor beside it.
//   B3  Nothing is overwritten unless the caller says so.
//   B4  The store goes on: the copy reads through a connection of its own (wal.ts keeps the writer from waiting for it).
import { closeSync, existsSync, linkSync, openSync, renameSync, rmSync, statfsSync, statSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { setImmediate as nextRound } from 'node:timers/promises';
import { backup, DatabaseSync } from 'node:sqlite';
import { GatewayError } from '../../src/core/errors.ts';
import { isDamage } from './failures.ts';
import { stateFileOf } from './paths.ts';
import { withTails } from './rescue.ts';
import { identityOf, schemaVersion } from './schema.ts';
import { sync } from './sync.ts';
import { copyTable, stateTableNames, stateTablesBeside } from './tables.ts';

/** 8 MiB a step: between two of them Ctrl-C is heard and progress is told. */
const pagesPerStep = 2_048;
const lockWaitMs = 5_000;
/** The last schema that had all in one file: that of a copy. */
const oneFileSchema = 3;
/** Between the moments of the two files retention may take away what the older moment still needs: rare, and gone with the next try. */
const momentTriesMax = 5;

export interface CopyAsk {
  readonly from: string;
  readonly to: string;
  /** Whether a file that is there already is replaced. */
  readonly replace: boolean;
  readonly signal: AbortSignal;
  /** Called often, with a share of 0 to 1. */
  readonly progress: (share: number) => void;
}

export interface Copied {
  readonly bytes: number;
  readonly schema: number;
}

/**
 * Copies a store. Rejects with `not_found` when there is none, or one half of one, `invalid_config` when it is no store or one of a newer schema,
 * `state_conflict` when the name is taken, `store_unavailable` when the copy cannot be written or is not sound.
 */
export async function copyStore(ask: CopyAsk): Promise<Copied> {
  const { from, to, replace } = ask;
  const log = openSource(from);
  const part = `${to}.part-${process.pid}`;
  const statePart = `${part}.state`;
  let state: DatabaseSync | null = null;
  try {
    const schema = requireKnown(log, from);
    state = schema > oneFileSchema ? openState(log, from) : null;
    if (!replace && existsSync(to)) throw taken(to); // B3
    requireRoom(to, bytesOf(log) + (state === null ? 0 : 2 * bytesOf(state)));
    for (const file of state === null ? [part] : [part, statePart]) closeSync(openSync(file, 'wx', 0o600));
    if (state === null) await copyMoment([{ source: log, part }], ask);
    else {
      await copyMoment(
        [
          { source: state, part: statePart },
          { source: log, part },
        ],
        ask,
      );
      await merge(part, statePart, ask.signal);
    }
    requireSound(part);
    sync(part);
    putUnder(part, to, replace);
    sync(dirname(to));
    return { bytes: statSync(to).size, schema: Math.min(schema, oneFileSchema) };
  } catch (error) {
    throw ask.signal.aborted || error instanceof GatewayError ? error : failed(ask, error);
  } finally {
    log.close();
    state?.close();
    for (const file of [part, statePart].flatMap(withTails)) rmSync(file, { force: true }); // B2
  }
}

function openSource(path: string): DatabaseSync {
  if (!isFile(path)) throw new GatewayError('not_found', `expected the file of a store at ${path}, seen none`);
  try {
    return new DatabaseSync(path, { readOnly: true, timeout: lockWaitMs });
  } catch (error) {
    throw new GatewayError('store_unavailable', `store ${path}: cannot be opened for reading`, error);
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** The other half of a store. */
function openState(log: DatabaseSync, from: string): DatabaseSync {
  const path = stateFileOf(from);
  const help = 'give the file that quench backup wrote; of a data directory, start its gateway once, which says what is wrong';
  if (!isFile(path)) throw new GatewayError('not_found', `${from} is half a store: expected its state at ${path}, seen none; ${help}`);
  const state = openSource(path);
  try {
    if (identityOf(state) !== identityOf(log))
      throw new GatewayError('store_unavailable', `${from} is half a store: ${path} belongs to another; ${help}`);
    return state;
  } catch (error) {
    state.close();
    throw error;
  }
}

/** The schema of a store that this version understands. */
function requireKnown(db: DatabaseSync, path: string): number {
  const version = schemaIn(db);
  if (version === null)
    throw new GatewayError('invalid_config', `${path} is not a store of quench: give the file that quench backup wrote`);
  if (version > schemaVersion)
    throw new GatewayError(
      'invalid_config',
      `store ${path}: written by a newer quench (schema ${version}, this one knows ${schemaVersion}); use the newer one`,
    );
  return version;
}

function schemaIn(db: DatabaseSync): number | null {
  try {
    const isStore = db.prepare("SELECT count(*) AS count FROM sqlite_schema WHERE name IN ('store', 'log', 'lows')").get()?.['count'] === 3;
    return isStore ? Number(db.prepare('PRAGMA user_version').get()?.['user_version']) : null;
  } catch (error) {
    // Not a database at all; other errors are the medium's.
    if (error instanceof Error && 'errcode' in error && error.errcode === 26) return null;
    throw error;
  }
}

function bytesOf(source: DatabaseSync): number {
  return numberOf(source, 'PRAGMA page_count') * numberOf(source, 'PRAGMA page_size');
}

function requireRoom(to: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(dirname(to));
  if (bavail * bsize < bytes)
    throw new GatewayError(
      'store_unavailable',
      `${dirname(to)} has ${bavail * bsize} bytes free, the copy takes ${bytes}: make room, or name another place`,
    );
}

interface Half {
  readonly source: DatabaseSync;
  readonly part: string;
}

/** The halves in the order of their moments. */
async function copyMoment(halves: readonly Half[], { signal, progress }: CopyAsk): Promise<void> {
  const pages = halves.map(({ source }) => Math.max(1, numberOf(source, 'PRAGMA page_count')));
  const all = pages.reduce((sum, each) => sum + each, 0);
  let before = 0;
  holdMoment(halves.map(({ source }) => source));
  try {
    for (const [at, { source, part }] of halves.entries()) {
      const share = (pages[at] ?? 0) / all;
      await backup(source, part, {
        rate: pagesPerStep,
        progress({ totalPages, remainingPages }) {
          signal.throwIfAborted();
          progress(before + share * (1 - remainingPages / Math.max(1, totalPages)));
        },
      });
      signal.throwIfAborted();
      before += share;
    }
  } finally {
    for (const { source } of halves) if (source.isTransaction) source.exec('COMMIT');
  }
}

/** B1: a moment is fixed by the first read. */
function holdMoment(sources: readonly DatabaseSync[]): void {
  for (let tries = 1; ; tries += 1) {
    for (const source of sources) {
      source.exec('BEGIN');
      source.prepare('SELECT count(*) FROM sqlite_schema').get();
    }
    const [state, log] = sources;
    if (state === undefined || log === undefined || hasWhatFollows(log, state)) return;
    if (tries === momentTriesMax)
      throw new GatewayError(
        'store_unavailable',
        'the log has forgotten what its state does not know yet: start the gateway, then try again',
      );
    for (const source of sources) source.exec('COMMIT');
  }
}

/** Whether the log has all that comes after what the state covers. */
function hasWhatFollows(log: DatabaseSync, state: DatabaseSync): boolean {
  const low = log.prepare('SELECT low FROM lows WHERE slot = ?');
  const lowOf = (slot: number): number => Number(low.get(slot)?.['low'] ?? 0);
  const marks = state.prepare('SELECT partition, inputs, facts FROM marks').all();
  return marks.every(({ partition, inputs, facts }) => {
    const slot = Number(partition) * 2;
    return lowOf(slot) <= Number(inputs) && lowOf(slot + 1) <= Number(facts);
  });
}

/** Puts the state beside the log into one file. Of a copy that breaks off nothing is left, so nothing is synced on the way. */
async function merge(part: string, statePart: string, signal: AbortSignal): Promise<void> {
  const db = new DatabaseSync(part, { timeout: lockWaitMs });
  try {
    db.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536');
    db.prepare('ATTACH ? AS state').run(statePart);
    db.exec(`BEGIN IMMEDIATE; ${stateTablesBeside}`);
    for (const name of stateTableNames) {
      copyTable(db, name, { from: 'state', to: 'main' });
      await nextRound(); // Ctrl-C is heard
      signal.throwIfAborted();
    }
    db.exec(`DELETE FROM store WHERE name <> 'partitions'; PRAGMA user_version = ${oneFileSchema}; COMMIT`);
  } finally {
    db.close();
  }
}

/** Makes it a file that stands alone, without WAL, and reads all of it. */
function requireSound(path: string): void {
  const db = new DatabaseSync(path, { timeout: lockWaitMs });
  try {
    db.exec('PRAGMA journal_mode = DELETE');
    const said = Object.values(db.prepare('PRAGMA integrity_check(1)').get() ?? {})[0];
    if (said !== 'ok') throw new GatewayError('store_unavailable', `the copy is not sound, and neither is its source: ${String(said)}`);
  } finally {
    db.close();
  }
}

/** A link takes no name that is taken, which a rename would; a file system without links gets the rename behind a second look. */
function putUnder(part: string, to: string, replace: boolean): void {
  if (replace) return renameSync(part, to);
  try {
    linkSync(part, to);
    return unlinkSync(part);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (code === 'EEXIST' || existsSync(to)) throw taken(to);
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error;
    return renameSync(part, to);
  }
}

function taken(path: string): GatewayError {
  return new GatewayError('state_conflict', `${path} is there already: give another name`);
}

/** SQLite speaks of the source when it says that an image is malformed: the copy is new. */
function failed({ from, to }: CopyAsk, error: unknown): GatewayError {
  if (error instanceof Error && isDamage(error))
    return new GatewayError('store_unavailable', `${from} is damaged or cut off (${error.message}): take another backup`, error);
  return new GatewayError('store_unavailable', `${to} cannot be written: ${error instanceof Error ? error.message : String(error)}`, error);
}

function numberOf(db: DatabaseSync, sql: string): number {
  return Number(Object.values(db.prepare(sql).get() ?? {})[0] ?? 0);
}
