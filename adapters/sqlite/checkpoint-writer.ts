// The writing side of checkpoints, inside the ledger's transaction. Whether a checkpoint points past the log was asked before it came (checkpoints.ts).
import type { DatabaseSync } from 'node:sqlite';
import type { CheckpointRequest } from './requests.ts';

export interface CheckpointWriter {
  save(request: CheckpointRequest): number;
}

export function checkpointWriter(db: DatabaseSync): CheckpointWriter {
  const saveMark = db.prepare('INSERT OR REPLACE INTO marks VALUES (?, ?, ?)');
  const saveRow = db.prepare(
    'INSERT INTO desks (partition, scope, tab, key, doc) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET doc = excluded.doc',
  );
  const dropRow = db.prepare('DELETE FROM desks WHERE partition = ? AND scope = ? AND tab = ? AND key = ?');
  return {
    save({ partition, inputs, facts, rows }) {
      for (const { scope, table, key, doc } of rows) {
        if (doc === null) dropRow.run(partition, scope, table, key);
        else saveRow.run(partition, scope, table, key, doc);
      }
      saveMark.run(partition, inputs, facts);
      return 0;
    },
  };
}
