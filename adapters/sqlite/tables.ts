// The tables of the two files: what is in which, and why it stands there. Those of the read model are viewtables.ts.
// One row of `log` is one append call. `place` is topic, partition and first offset in one number (requests.ts); `raw` is last, so
// that reading records does not touch it. Desk rows are long: with a rowid they fit a page, and new ones are written side by side.
import type { DatabaseSync } from 'node:sqlite';
import { viewTables } from './viewtables.ts';

/** `partitions`, and `identity`: a number that both files of a store have (schema.ts, F4). */
const storeTable = 'CREATE TABLE store (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;';

/** What must be durable before anybody is answered. */
export const logTables = `${storeTable}
CREATE TABLE log (place INTEGER PRIMARY KEY, count INTEGER NOT NULL, scope TEXT NOT NULL, body TEXT NOT NULL, raw TEXT);
CREATE TABLE lows (slot INTEGER PRIMARY KEY, low INTEGER NOT NULL);
CREATE TABLE letters (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, state TEXT NOT NULL, bytes INTEGER NOT NULL, doc TEXT NOT NULL
);`;

const stateOnly = `
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
) WITHOUT ROWID;`;

/** What follows from the log, saved behind it: in its own file, so that saving much of it at once holds up nobody who is to be answered. */
export const stateTables = `${storeTable}${stateOnly}`;

/** The same beside the log in one file, as it was until schema 3 and still is in a backup (backup.ts). */
export const stateTablesBeside = stateOnly;

/** Every table of the state but `store`, in the order in which they are copied from file to file. */
export const stateTableNames = ['marks', 'desks', 'cursors', 'views', 'facets', 'places', 'tallies', 'timeline'] as const;

/** Copies a table of the state into an empty one with the same columns; `from` and `to` are databases of the connection. */
export function copyTable(
  db: DatabaseSync,
  name: (typeof stateTableNames)[number],
  { from, to }: { readonly from: string; readonly to: string },
): void {
  db.exec(`INSERT INTO ${to}.${name} SELECT * FROM ${from}.${name}`);
}

/** Batches that are kept and have no place yet, in the order in which they came (log-writer.ts). */
export const bulkTable = `CREATE TABLE IF NOT EXISTS bulk (
  seq INTEGER PRIMARY KEY, slot INTEGER NOT NULL, count INTEGER NOT NULL, scope TEXT NOT NULL, body TEXT NOT NULL, raw TEXT
);
CREATE INDEX IF NOT EXISTS bulk_slot ON bulk (slot, seq)`;

export const lettersIndex = "CREATE INDEX IF NOT EXISTS letters_endpoint ON letters (json_extract(doc, '$.endpoint'))";
