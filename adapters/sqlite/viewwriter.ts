// The read model's writing side: applies patches and adds timeline entries inside the ledger's transaction.
//   V1  A batch that does not move its cursor forward changes nothing.
//   V2  An entry is written once per (incident, seq, scope).
// What follows for other rows from a change of one (children, members, tallies, facets) is viewkin.ts.
import type { DatabaseSync } from 'node:sqlite';
import { finalStates, type DocumentByKind, type DocumentKind } from '../../src/readmodel/documents.ts';
import { patched, type DocumentPatch } from '../../src/readmodel/patch.ts';
import { linkOf, rankOf } from '../../src/readmodel/query.ts';
import type { ViewsRequest } from './requests.ts';
import { stow } from './text.ts';
import { viewKin } from './viewkin.ts';
import { hiddenRank } from './viewtables.ts';

type Doc = DocumentByKind[DocumentKind];

export interface ViewWriter {
  apply(request: ViewsRequest): number;
  /** The patches alone, as changed at the instant. */
  write(patches: readonly DocumentPatch[], now: number): void;
  prune(before: number, docsMax: number): number;
}

export function viewWriter(db: DatabaseSync): ViewWriter {
  const position = db.prepare('SELECT position FROM cursors WHERE name = ? AND partition = ?');
  const move = db.prepare('INSERT OR REPLACE INTO cursors VALUES (?, ?, ?)');
  const find = db.prepare('SELECT seq, rank, at, parent, final, doc FROM views WHERE kind = ? AND id = ?');
  const insert = db.prepare(
    'INSERT INTO views (kind, id, scope, rank, at, parent, final, changed_at, children, doc) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?)',
  );
  const updateAll = db.prepare('UPDATE views SET rank = ?, at = ?, parent = ?, final = ?, changed_at = ?, doc = ? WHERE seq = ?');
  const updateDoc = db.prepare('UPDATE views SET changed_at = ?, doc = ? WHERE seq = ?');
  const addEntry = db.prepare('INSERT OR IGNORE INTO timeline VALUES (?, ?, ?, ?)'); // V2
  const finished = db.prepare('SELECT seq, kind, id, doc FROM views WHERE final = 1 AND changed_at < ? ORDER BY changed_at, seq LIMIT ?');
  const drop = db.prepare('DELETE FROM views WHERE seq = ?');
  const dropEntries = db.prepare('DELETE FROM timeline WHERE incident = ?');
  const kin = viewKin(db);

  function put(patch: DocumentPatch, now: number): void {
    const { kind } = patch;
    const stored = find.get(kind, stow(patch.id));
    const before = stored === undefined ? null : (JSON.parse(String(stored['doc'])) as Doc);
    const after = patched<DocumentKind>(before, patch);
    if (after === null) return;
    const link = linkOf<DocumentKind>(kind, after);
    const parent = link === null ? null : stow(link);
    const final = after.state === finalStates[kind] ? 1 : 0;
    const rank = rankOf(kind, after) + (kin.isHidden(kind, parent) ? hiddenRank : 0);
    const doc = JSON.stringify(after);
    let seq = Number(stored?.['seq'] ?? 0);
    if (stored === undefined) {
      seq = Number(insert.run(kind, stow(after.id), stow(after.scope), rank, after.at, parent, final, now, doc).lastInsertRowid);
    } else {
      const same = rank === stored['rank'] && after.at === stored['at'] && parent === stored['parent'] && final === stored['final'];
      // The common patch moves no index but that of the final documents.
      if (same) updateDoc.run(now, doc, seq);
      else updateAll.run(rank, after.at, parent, final, now, doc, seq);
    }
    kin.changed({ kind, seq, before, after });
  }

  function write(patches: readonly DocumentPatch[], now: number): void {
    kin.begin();
    for (const patch of patches) put(patch, now);
    kin.settle();
  }

  return {
    write,
    apply({ cursor, partition, offset, now, patches, entries }) {
      const reached = position.get(cursor, partition)?.['position'];
      if (reached !== undefined && offset <= Number(reached)) return 0; // V1
      write(
        patches.map((patch) => JSON.parse(patch) as DocumentPatch),
        now,
      ); // written by views.ts
      for (const { incident, seq, scope, line } of entries) addEntry.run(incident, seq, scope, line);
      move.run(cursor, partition, offset);
      return 0;
    },
    prune(before, docsMax) {
      kin.begin();
      const docs = finished.all(before, docsMax);
      for (const { seq, kind, id, doc } of docs) {
        drop.run(seq ?? null);
        kin.dropped({ kind: kind as DocumentKind, seq: Number(seq), before: JSON.parse(String(doc)) as Doc }); // as `put` wrote them
        if (kind === 'incident') dropEntries.run(id ?? null);
      }
      kin.settle();
      return docs.length;
    },
  };
}
