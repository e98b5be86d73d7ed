// A store copied to one file of another name, while a gateway writes to it or while none runs; and what is known of a file before it is trusted.
// Through SQLite, never byte by byte: part of a living store is in its WAL. The copy is one file whatever the store is: log and state side by
// side, as a store of schema 2 was, which the next opening makes two of again (upgrade.ts).
//   B1  The copy is one moment of the store. A read transaction is held over each of its files, the state's from a moment before the log's:
//       the log may hold more than the state knows, never less. Every commit before the copy began is in it.
//   B2  A copy that is whole lies under its name, checked and synced; one that broke off leaves nothing, neither under that name nor beside it.
//   B3  Nothing is overwritten unless the caller says so.
//   B4  The store goes on: the copy reads through a connection of its own (wal.ts keeps the writer from waiting for it).
import { closeSync, existsSync, linkSync, openSync, renameSync, rmSync, statfsSync, statSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { GatewayError } from '../../src/core/errors.ts';
import { isDamage } from './failures.ts';
import { requireKnown, type Found } from './known.ts';
import { withTails } from './rescue.ts';
import { sync } from './sync.ts';
import { merge } from './merge.ts';

/** 8 MiB a step: between two of them Ctrl-C is heard and progress is told. */
const pagesPerStep = 2_048;
const lockWaitMs = 5_000;

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
 * Copies a store. Rejects with `not_found` when there is none, `invalid_config` when it is no store or one of a newer schema,
 * `state_conflict` when the name is taken, `store_unavailable` when the copy cannot be written or is not sound.
 */
export async function copyStore(ask: CopyAsk): Promise<Copied> {
  const { from, to, replace } = ask;
  const source = openSource(from);
  const part = `${to}.part-${process.pid}`;
  try {
    const schema = requireKnown(source, from);
    if (!replace && existsSync(to)) throw taken(to); // B3
    requireRoom(source, to);
    closeSync(openSync(part, 'wx', 0o600));
    await copyMoment(source, part, ask);
    requireSound(part);
    sync(part);
    putUnder(part, to, replace);
    sync(dirname(to));
    return { bytes: statSync(to).size, schema };
  } catch (error) {
    throw ask.signal.aborted || error instanceof GatewayError ? error : failed(ask, error);
  } finally {
    source.close();
    for (const tail of ['', '-journal', '-wal', '-shm']) rmSync(`${part}${tail}`, { force: true }); // B2
  }
}

function openSource(path: string): DatabaseSync {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true)
    throw new GatewayError('not_found', `expected the file of a store at ${path}, seen none`);
  try {
    return new DatabaseSync(path, { readOnly: true, timeout: lockWaitMs });
  } catch (error) {
    throw new GatewayError('store_unavailable', `store ${path}: cannot be opened for reading`, error);
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
    const isStore =
      db.prepare("SELECT count(*) AS count FROM sqlite_schema WHERE name IN ('store', 'log', 'marks')").get()?.['count'] === 3;
    return isStore ? Number(db.prepare('PRAGMA user_version').get()?.['user_version']) : null;
  } catch (error) {
    // Not a database at all; other errors are the medium's.
    if (error instanceof Error && 'errcode' in error && error.errcode === 26) return null;
    throw error;
  }
}

function requireRoom(source: DatabaseSync, to: string): void {
  const bytes = numberOf(source, 'PRAGMA page_count') * numberOf(source, 'PRAGMA page_size');
  const { bavail, bsize } = statfsSync(dirname(to));
  if (bavail * bsize < bytes)
    throw new GatewayError(
      'store_unavailable',
      `${dirname(to)} has ${bavail * bsize} bytes free, the copy takes ${bytes}: make room, or name another place`,
    );
}

async function copyMoment(source: DatabaseSync, part: string, { signal, progress }: CopyAsk): Promise<void> {
  source.exec('BEGIN');
  try {
    source.prepare('SELECT count(*) FROM sqlite_schema').get(); // B1: the moment is fixed by the first read
    await backup(source, part, {
      rate: pagesPerStep,
      progress({ totalPages, remainingPages }) {
        signal.throwIfAborted();
        progress(1 - remainingPages / Math.max(1, totalPages));
      },
    });
    signal.throwIfAborted();
  } finally {
    source.exec('COMMIT');
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
