// The two files of a store: pragmas, versions, and whether they belong together. Only their writer threads open them for writing, after owner.ts
// let the process; the log's is opened first.
//   F1  A commit is durable when it returns: WAL with synchronous=FULL, one sync per commit.
//   F2  A file of a newer schema, of another partition count, or of another program is refused and left as it is.
//   F3  A log of an older schema is upgraded before anything else is done with it: whole or not at all (upgrade.ts). What cannot be made
//       anew from the log is kept: documents and lines outlive the facts that retention takes away. There is no way back: the older
//       version refuses the file (F2), so a copy is to be made before.
//   F4  A log goes on with its own state only: the two have one identity, and the state is not ahead of the log. Without a state it is turned
//       again from its beginning; a log that has forgotten its beginning cannot do without.
import { randomInt } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { GatewayError } from '../../src/core/errors.ts';
import { stateFileOf } from './paths.ts';
import type { LogOptions, StateOptions } from './requests.ts';
import { bulkTable, lettersIndex, logTables, stateTables } from './tables.ts';
import { moveStateOut, upgradeFrom1 } from './upgrade.ts';

/** `user_version` of both files. It grows with each change of the tables and of the form of records (core/stored); docs/install.md says what that means to who upgrades. */
export const schemaVersion = 4;
export const pageBytes = 4096;
/** How long a writer waits for a lock. */
export const writerTimeoutMs = 5_000;
const identitiesMax = 2 ** 48 - 1;

/** A state that its log cannot go on with (F4). */
export class UnfitState extends Error {
  constructor(path: string, why: string) {
    super(`store ${path}: ${why}`);
  }
}

/** Opens or creates the log. Throws `invalid_config` for a file that this version must not touch (F2). */
export function openLog(options: LogOptions): DatabaseSync {
  return opened(options, (db, version) => {
    if (version === 0) create(db, logTables, { partitions: options.partitions, identity: randomInt(identitiesMax) });
    requirePartitions(db, options);
    if (version === 1) upgradeFrom1(db, 2);
    if (version > 0 && version < schemaVersion) {
      // The state's file is whole before the log lets go of anything.
      const { path } = options;
      moveStateOut(db, { path, statePath: stateFileOf(path), identity: randomInt(identitiesMax), to: schemaVersion, prepare });
    }
    // Empty whenever no gateway runs that ended in order, so it is no new schema either.
    db.exec(bulkTable);
    // Only makes reading faster, so it is no new schema: a program that does not know it keeps it in order all the same.
    db.exec(lettersIndex);
  });
}

/** Opens or creates the state of a log. Throws as openLog does, and `UnfitState` (F4). */
export function openState(options: StateOptions): DatabaseSync {
  return opened(options, (db, version) => {
    if (version === 0 && options.lows.some((low) => low > 0)) throw new UnfitState(options.path, 'is missing');
    if (version === 0) create(db, stateTables, options);
    else requireFit(db, options);
    requirePartitions(db, options);
    db.exec("DELETE FROM store WHERE name = 'upgrading'");
  });
}

/** The number that both files of a store have. */
export function identityOf(db: DatabaseSync): number {
  return numberOf(db, "SELECT value FROM store WHERE name = 'identity'");
}

function opened(options: LogOptions | StateOptions, make: (db: DatabaseSync, version: number) => void): DatabaseSync {
  const db = new DatabaseSync(options.path, { timeout: writerTimeoutMs });
  try {
    const version = numberOf(db, 'PRAGMA user_version');
    if (version > schemaVersion) {
      throw new GatewayError(
        'invalid_config',
        `store ${options.path}: written by a newer quench (schema ${version}, this one knows ${schemaVersion}); start the newer one, or give another path`,
      );
    }
    if (version === 0 && numberOf(db, 'SELECT count(*) FROM sqlite_schema') > 0) {
      throw new GatewayError('invalid_config', `store ${options.path}: is the database of another program; give another path`);
    }
    if (version === 0) prepare(db);
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16384; PRAGMA mmap_size = 0');
    // The WAL is folded into the file by wal-checkpointer.ts.
    db.exec('PRAGMA journal_size_limit = 67108864; PRAGMA wal_autocheckpoint = 0');
    make(db, version);
    if (options.fileBytesMax !== null) db.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(options.fileBytesMax / pageBytes))}`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Of a file without tables: auto_vacuum counts only before the first of them, and before WAL writes the first page. */
function prepare(db: DatabaseSync): void {
  db.exec(`PRAGMA page_size = ${pageBytes}; PRAGMA auto_vacuum = INCREMENTAL`);
}

interface Named {
  readonly partitions: number;
  readonly identity: number;
}

function create(db: DatabaseSync, tables: string, { partitions, identity }: Named): void {
  db.exec('BEGIN IMMEDIATE');
  db.exec(tables);
  const name = db.prepare('INSERT INTO store VALUES (?, ?)');
  name.run('partitions', partitions);
  name.run('identity', identity);
  db.exec(`PRAGMA user_version = ${schemaVersion}`);
  db.exec('COMMIT');
}

function requirePartitions(db: DatabaseSync, { path, partitions: configured }: LogOptions | StateOptions): void {
  const partitions = numberOf(db, "SELECT value FROM store WHERE name = 'partitions'");
  if (partitions === configured) return;
  throw new GatewayError(
    'invalid_config',
    `store ${path}: has ${partitions} partitions, configured are ${configured}; the count of an existing store cannot change`,
  );
}

/** F4 */
function requireFit(db: DatabaseSync, { path, identity, ends }: StateOptions): void {
  if (identityOf(db) !== identity) throw new UnfitState(path, 'belongs to another log');
  for (const { partition, inputs, facts } of db.prepare('SELECT partition, inputs, facts FROM marks').all()) {
    const slot = Number(partition) * 2;
    if (Number(inputs) > (ends[slot] ?? 0) || Number(facts) > (ends[slot + 1] ?? 0)) throw new UnfitState(path, 'is ahead of its log');
  }
}

function numberOf(db: DatabaseSync, sql: string): number {
  return Number(Object.values(db.prepare(sql).get() ?? {})[0] ?? 0);
}
