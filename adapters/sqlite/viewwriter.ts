// The read model's writing side: merges patches and adds timeline entries inside the ledger's transaction.
//   V1  A batch that does not move its cursor forward changes nothing.
//   V2  An entry is written once per (incident, seq, scope).
import type { DatabaseSync } from 'node:sqlite';
import type { Json } from '../../src/core/json.ts';
import { merge } from '../kit/merge-patch.ts';
import type { PatchRow, ViewsRequest } from './requests.ts';

export interface ViewWriter {
  apply(request: ViewsRequest): number;
  prune(before: number, docsMax: number): number;
}

export function viewWriter(db: DatabaseSync): ViewWriter {
  const position = db.prepare('SELECT position FROM cursors WHERE name = ? AND partition = ?');
  const move = db.prepare('INSERT OR REPLACE INTO cursors VALUES (?, ?, ?)');
  const find = db.prepare('SELECT seq, scope, at, state, parent, doc FROM views WHERE kind = ? AND id = ?');
  const insert = db.prepare('INSERT INTO views (kind, id, scope, at, changed_at, state, parent, doc) VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
  const updateAll = db.prepare('UPDATE views SET scope = ?, at = ?, changed_at = ?, state = ?, parent = ?, doc = ? WHERE seq = ?');
  const updateDoc = db.prepare('UPDATE views SET changed_at = ?, doc = ? WHERE seq = ?');
  const addEntry = db.prepare('INSERT OR IGNORE INTO timeline VALUES (?, ?, ?, ?)'); // V2
  const finished = db.prepare(
    `SELECT seq, kind, id FROM views WHERE state IN ('cleared', 'resolved', 'ended', 'closed', 'expired') AND changed_at < ?
     ORDER BY changed_at, seq LIMIT ?`,
  );
  const drop = db.prepare('DELETE FROM views WHERE seq = ?');
  const dropEntries = db.prepare('DELETE FROM timeline WHERE incident = ?');

  function put(row: PatchRow, now: number): void {
    const held = find.get(row.kind, row.id);
    const patch: Json = JSON.parse(row.patch);
    const doc = JSON.stringify(merge(held ? JSON.parse(String(held['doc'])) : undefined, patch));
    if (!held) {
      insert.run(row.kind, row.id, row.scope, row.at ?? 0, now, row.state ?? '', row.of ?? null, doc);
      return;
    }
    const seq = Number(held['seq']);
    const at = Number(held['at']) || (row.at ?? 0);
    const state = row.state ?? String(held['state']);
    const parent = row.of === undefined ? held['parent'] : row.of;
    const same = at === held['at'] && state === held['state'] && parent === held['parent'] && row.scope === held['scope'];
    // The common patch moves no index but that of the final documents.
    if (same) updateDoc.run(now, doc, seq);
    else updateAll.run(row.scope, at, now, state, parent ?? null, doc, seq);
  }

  return {
    apply({ cursor, partition, offset, now, patches, entries }) {
      const held = position.get(cursor, partition)?.['position'];
      if (held !== undefined && offset <= Number(held)) return 0; // V1
      for (const patch of patches) put(patch, now);
      for (const { incident, seq, scope, line } of entries) addEntry.run(incident, seq, scope, line);
      move.run(cursor, partition, offset);
      return 0;
    },
    prune(before, docsMax) {
      const docs = finished.all(before, docsMax);
      for (const { seq, kind, id } of docs) {
        drop.run(seq ?? null);
        if (kind === 'incident') dropEntries.run(id ?? null);
      }
      return docs.length;
    },
  };
}
