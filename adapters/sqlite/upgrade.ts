// Upgrades of a file that an older version wrote (schema.ts, F3). One function a step from one schema to the next.
// From 1 to 2: documents become complete. Version 1 merged patches by RFC 7396, so that members that were null, or not known yet, are
// missing, and `state` and the incident stood beside the document; sources and children of incidents were not kept.
// From 2 to 3 no table changed: facts may be written short since (core/stored), which readers of 2 would not understand.
// From 3 to 4: what follows from the log moves to a file of its own. That file is whole, synced and under its name before the log lets go of
// anything, in one transaction; one that a crash left behind is made again.
import { closeSync, existsSync, openSync, renameSync, rmSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { GatewayError } from '../../src/core/errors.ts';
import { blank } from '../../src/readmodel/blank.ts';
import { documentKinds, states, type DocumentByKind, type DocumentKind } from '../../src/readmodel/documents.ts';
import type { DocumentPatch } from '../../src/readmodel/patch.ts';
import { setAside, withTails } from './rescue.ts';
import { sync } from './sync.ts';
import { copyTable, stateTableNames, stateTables } from './tables.ts';
import { unstow } from './text.ts';
import { viewTables } from './viewtables.ts';
import { viewWriter } from './viewwriter.ts';

const docsPerStep = 512;

export function upgradeFrom1(db: DatabaseSync, to: number): void {
  db.exec('BEGIN IMMEDIATE');
  db.exec(`ALTER TABLE views RENAME TO views_of_1; ${viewTables}`);
  const writer = viewWriter(db);
  const old = db.prepare('SELECT * FROM views_of_1 WHERE kind = ? AND seq > ? ORDER BY seq LIMIT ?');
  const members = db.prepare("SELECT doc FROM views_of_1 WHERE kind = 'alert' AND parent = ?");
  // By kind: the order of arrival counts among documents of one kind only. Partitions had no place in the list of kinds before.
  for (const kind of documentKinds) {
    let rows = old.all(kind, 0, docsPerStep);
    for (; rows.length > 0; rows = old.all(kind, Number(rows.at(-1)?.['seq']), docsPerStep)) {
      for (const row of rows) {
        const sources = kind === 'incident' ? sourcesOf(members.all(row['id'] ?? null)) : null;
        writer.write([patchOf(kind, row, sources)], Number(row['changed_at']));
      }
    }
  }
  db.exec(`DROP TABLE views_of_1; PRAGMA user_version = ${to}; COMMIT`);
}

/** Of a log of schema 2 or 3, and what it gets of schema 4. */
export interface Move {
  readonly path: string;
  readonly statePath: string;
  readonly identity: number;
  readonly to: number;
  /** Pragmas of a file without tables. */
  readonly prepare: (db: DatabaseSync) => void;
}

export function moveStateOut(db: DatabaseSync, move: Move): void {
  const { statePath, identity, to } = move;
  const part = `${statePath}.upgrade`;
  try {
    writeState(db, part, move);
    if (existsSync(statePath) && !isLeftBehind(statePath)) setAside(statePath, Date.now(), 'other');
    for (const file of withTails(statePath)) rmSync(file, { force: true });
    renameSync(part, statePath);
    sync(dirname(statePath));
  } finally {
    for (const file of withTails(part)) rmSync(file, { force: true });
  }
  db.exec('BEGIN IMMEDIATE');
  db.exec(stateTableNames.map((name) => `DROP TABLE ${name};`).join(' '));
  db.prepare("INSERT OR REPLACE INTO store VALUES ('identity', ?)").run(identity);
  db.exec(`PRAGMA user_version = ${to}; COMMIT`);
}

/** All of the state that stands beside the log, in a file that nobody has open. It is synced as a whole: a half of it is of no use. */
function writeState(db: DatabaseSync, part: string, { path, identity, to, prepare }: Move): void {
  requireRoom(db, path);
  for (const file of withTails(part)) rmSync(file, { force: true });
  closeSync(openSync(part, 'wx', 0o600));
  const state = new DatabaseSync(part);
  try {
    prepare(state);
    state.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536');
    state.prepare('ATTACH ? AS log').run(path);
    state.exec(`BEGIN IMMEDIATE; ${stateTables}`);
    for (const name of stateTableNames) copyTable(state, name, { from: 'log', to: 'main' });
    const name = state.prepare('INSERT INTO store VALUES (?, ?)');
    name.run('partitions', Number(state.prepare("SELECT value FROM log.store WHERE name = 'partitions'").get()?.['value']));
    name.run('identity', identity);
    name.run('upgrading', 1); // until the log has let go of it (isLeftBehind)
    state.exec(`PRAGMA user_version = ${to}; COMMIT`);
  } finally {
    state.close();
  }
  sync(part);
}

/** Of an upgrade that a crash broke off before the log let go: the log still has all of it. */
function isLeftBehind(statePath: string): boolean {
  try {
    const state = new DatabaseSync(statePath, { readOnly: true });
    try {
      return state.prepare("SELECT 1 FROM store WHERE name = 'upgrading'").get() !== undefined;
    } finally {
      state.close();
    }
  } catch {
    return false; // whatever it is, it is kept
  }
}

function requireRoom(db: DatabaseSync, path: string): void {
  const bytes = Number(db.prepare('PRAGMA page_count').get()?.['page_count']) * Number(db.prepare('PRAGMA page_size').get()?.['page_size']);
  const { bavail, bsize } = statfsSync(dirname(path));
  if (bavail * bsize >= bytes) return;
  throw new GatewayError(
    'store_unavailable',
    `store ${path}: its upgrade takes up to ${bytes} bytes beside it, seen ${bavail * bsize} free: make room, then start again`,
  );
}

type Row = Readonly<Record<string, unknown>>;

function patchOf(kind: DocumentKind, row: Row, sources: readonly string[] | null): DocumentPatch {
  const id = unstow(String(row['id']));
  const scope = unstow(String(row['scope']));
  const state = unstow(String(row['state']));
  const old = JSON.parse(String(row['doc'])) as Row;
  const at = Number(row['at']) || Number(old['openedAt'] ?? old['startedAt'] ?? 0);
  const empty: Row = { ...blank[kind]({ id, scope, at }) };
  const known = Object.entries(old).filter(([member]) => Object.hasOwn(empty, member) && member !== 'id' && member !== 'scope');
  const beside = {
    ...((states[kind] as readonly string[]).includes(state) ? { state } : {}),
    ...(Object.hasOwn(empty, 'incident') && typeof row['parent'] === 'string' ? { incident: unstow(row['parent']) } : {}),
    ...(sources === null ? {} : { sources }),
  };
  const set = { ...Object.fromEntries(known), ...beside };
  // Version 1 wrote the same members with the same meaning, as far as it wrote them.
  return { kind, id, scope, at, begins: true, set } as DocumentPatch;
}

function sourcesOf(alerts: readonly Row[]): readonly string[] {
  const docs = alerts.map(({ doc }) => JSON.parse(String(doc)) as Partial<DocumentByKind['alert']>);
  return [...new Set(docs.flatMap(({ source }) => (source === undefined ? [] : [source])))];
}
