// The file itself: pragmas, tables and the version check. Only the writer thread opens it for writing, after owner.ts let it.
//   F1  A commit is durable when it returns: WAL with synchronous=FULL, one sync per commit.
//   F2  A file of a newer schema, of another partition count, or of another program is refused and left as it is.
//   F3  A file of an older schema is upgraded before anything else is done with it, in one transaction: whole or not at all. What cannot
//       be made anew from the log is kept: documents and lines outlive the facts that retention takes away. There is no way back: the
//       older version refuses the file (F2), so a copy is to be made before.
import { DatabaseSync } from 'node:sqlite';
import { GatewayError } from '../../src/core/errors.ts';
import type { WriterOptions } from './requests.ts';
import { upgradeFrom1 } from './upgrade.ts';
import { viewTables } from './viewtables.ts';

/** `user_version` of the file. It grows with each change of the tables and of the form of records (core/stored); docs/install.md says what that means to who upgrades. */
export const schemaVersion = 3;
const pageBytes = 4096;
/** How long the writer waits for a lock. */
export const writerTimeoutMs = 5_000;

// One row of `log` is one append call. `place` is topic, partition and first offset in one number (requests.ts); `raw` is last, so
// that reading records does not touch it. Desk rows are long: with a rowid they fit a page, and new ones are written side by side.
const tables = `
CREATE TABLE store (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE log (place INTEGER PRIMARY KEY, count INTEGER NOT NULL, scope TEXT NOT NULL, body TEXT NOT NULL, raw TEXT);
CREATE TABLE lows (slot INTEGER PRIMARY KEY, low INTEGER NOT NULL);
CREATE TABLE marks (partition INTEGER PRIMARY KEY, inputs INTEGER NOT NULL, facts INTEGER NOT NULL);
CREATE TABLE desks (
  seq INTEGER PRIMARY KEY, partition INTEGER NOT NULL, scope TEXT NOT NULL, tab TEXT NOT NULL, key TEXT NOT NULL, doc TEXT NOT NULL,
  UNIQUE (partition, scope, tab, key)
);
CREATE TABLE cursors (
  name TEXT NOT NULL, partition INTEGER NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (name, partition)
) WITHOUT ROWID;
${viewTables}
CREATE TABLE timeline (
  incident TEXT NOT NULL, seq INTEGER NOT NULL, scope TEXT NOT NULL, line TEXT NOT NULL, PRIMARY KEY (incident, seq, scope)
) WITHOUT ROWID;
CREATE TABLE letters (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, state TEXT NOT NULL, bytes INTEGER NOT NULL, doc TEXT NOT NULL
);`;

/** Batches that are kept and have no place yet, in the order in which they came (log-writer.ts). */
const bulkTable = `CREATE TABLE IF NOT EXISTS bulk (
  seq INTEGER PRIMARY KEY, slot INTEGER NOT NULL, count INTEGER NOT NULL, scope TEXT NOT NULL, body TEXT NOT NULL, raw TEXT
);
CREATE INDEX IF NOT EXISTS bulk_slot ON bulk (slot, seq)`;

/** Opens or creates the file for writing. Throws `invalid_config` for a file that this version must not touch (F2). */
export function openForWriting(options: WriterOptions): DatabaseSync {
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
    // auto_vacuum counts only before the first table, and before WAL writes the first page.
    if (version === 0) db.exec(`PRAGMA page_size = ${pageBytes}; PRAGMA auto_vacuum = INCREMENTAL`);
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16384; PRAGMA mmap_size = 0');
    // The WAL is folded into the file by wal-checkpointer.ts.
    db.exec('PRAGMA journal_size_limit = 67108864; PRAGMA wal_autocheckpoint = 0');
    if (version === 0) create(db, options.partitions);
    if (version === 1) upgradeFrom1(db, schemaVersion);
    // Records of schema 2 are read as they are; what is written from now on its readers do not know.
    if (version === 2) db.exec(`PRAGMA user_version = ${schemaVersion}`);
    // Empty whenever no gateway runs that ended in order, so it is no new schema either.
    db.exec(bulkTable);
    // Only makes reading faster, so it is no new schema: a program that does not know it keeps it in order all the same.
    db.exec("CREATE INDEX IF NOT EXISTS letters_endpoint ON letters (json_extract(doc, '$.endpoint'))");
    if (options.fileBytesMax !== null) db.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(options.fileBytesMax / pageBytes))}`);
    const partitions = numberOf(db, "SELECT value FROM store WHERE name = 'partitions'");
    if (partitions !== options.partitions) {
      throw new GatewayError(
        'invalid_config',
        `store ${options.path}: has ${partitions} partitions, configured are ${options.partitions}; the count of an existing store cannot change`,
      );
    }
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function create(db: DatabaseSync, partitions: number): void {
  db.exec('BEGIN IMMEDIATE');
  db.exec(tables);
  db.prepare("INSERT INTO store VALUES ('partitions', ?)").run(partitions);
  db.exec(`PRAGMA user_version = ${schemaVersion}`);
  db.exec('COMMIT');
}

function numberOf(db: DatabaseSync, sql: string): number {
  return Number(Object.values(db.prepare(sql).get() ?? {})[0] ?? 0);
}
