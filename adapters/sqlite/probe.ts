// A write for its own sake: whether the file takes one.
import type { DatabaseSync } from 'node:sqlite';

/** Each call writes another number, inside the transaction of the caller. */
export function prober(db: DatabaseSync): () => number {
  const save = db.prepare("INSERT OR REPLACE INTO store VALUES ('probe', ?)");
  let probes = 0;
  return () => {
    save.run((probes += 1));
    return 0;
  };
}
