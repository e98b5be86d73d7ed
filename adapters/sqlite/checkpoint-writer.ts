// The writing side of checkpoints, inside the ledger's transaction.
//   W3  A checkpoint never points past the log.
import type { DatabaseSync } from 'node:sqlite';
import { Conflict } from './conflict.ts';
import type { CheckpointRequest } from './requests.ts';

export interface CheckpointWriter {
  /** `ends` of the log, by slot. Throws `Conflict` (W3). */
  save(request: CheckpointRequest, ends: readonly number[]): number;
}

export function checkpointWriter(db: DatabaseSync): CheckpointWriter {
  const saveMark = db.prepare('INSERT OR REPLACE INTO marks VALUES (?, ?, ?)');
  const saveRow = db.prepare(
    'INSERT INTO desks (partition, scope, tab, key, doc) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET doc = excluded.doc',
  );
  const dropRow = db.prepare('DELETE FROM desks WHERE partition = ? AND scope = ? AND tab = ? AND key = ?');
  return {
    save({ partition, inputs, facts, rows }, ends) {
      const past = inputs > (ends[partition * 2] ?? 0) || facts > (ends[partition * 2 + 1] ?? 0);
      if (past) throw new Conflict(`checkpoint of partition ${partition} at inputs ${inputs}, facts ${facts} is past the end of the log`); // W3
      for (const { scope, table, key, doc } of rows) {
        if (doc === null) dropRow.run(partition, scope, table, key);
        else saveRow.run(partition, scope, table, key, doc);
      }
      saveMark.run(partition, inputs, facts);
      return 0;
    },
  };
}
