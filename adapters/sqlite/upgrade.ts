// Upgrades of a file that an older version wrote (schema.ts, F3). One function a step from one schema to the next.
// From 1 to 2: documents become complete. Version 1 merged patches by RFC 7396, so that members that were null, or not known yet, are
// missing, and `state` and the incident stood beside the document; sources and children of incidents were not kept.
import type { DatabaseSync } from 'node:sqlite';
import { blank } from '../../src/readmodel/blank.ts';
import { documentKinds, states, type DocumentByKind, type DocumentKind } from '../../src/readmodel/documents.ts';
import type { DocumentPatch } from '../../src/readmodel/patch.ts';
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
