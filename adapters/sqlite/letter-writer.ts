// The writing side of the dead letters, inside the ledger's transaction; bounded: the oldest go first, the newest always stays.
import type { DatabaseSync } from 'node:sqlite';
import type { LogOptions, LogRequest } from './requests.ts';

export interface LetterWriter {
  /** Reads back how much there is; after a transaction that failed the file is the only truth. */
  reload(): void;
  add(letter: Extract<LogRequest, { type: 'letter' }>): number;
  mark(id: string, state: string): number;
}

export function letterWriter(
  db: DatabaseSync,
  { lettersMax, letterBytesMax }: Pick<LogOptions, 'lettersMax' | 'letterBytesMax'>,
): LetterWriter {
  const totals = db.prepare('SELECT count(*) AS count, coalesce(sum(bytes), 0) AS bytes FROM letters');
  const insert = db.prepare('INSERT INTO letters (id, state, bytes, doc) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING');
  const dropOldest = db.prepare('DELETE FROM letters WHERE seq = (SELECT min(seq) FROM letters) RETURNING bytes');
  const mark = db.prepare('UPDATE letters SET state = ? WHERE id = ?');
  let count = 0;
  let bytes = 0;
  return {
    reload() {
      const row = totals.get();
      count = Number(row?.['count'] ?? 0);
      bytes = Number(row?.['bytes'] ?? 0);
    },
    add({ id, letter }) {
      const doc = JSON.stringify(letter);
      if (insert.run(id, letter.state, doc.length, doc).changes === 0) return 0;
      count += 1;
      bytes += doc.length;
      while (count > 1 && (count > lettersMax || bytes > letterBytesMax)) {
        bytes -= Number(dropOldest.get()?.['bytes'] ?? 0);
        count -= 1;
      }
      return 0;
    },
    mark(id, state) {
      mark.run(state, id);
      return 0;
    },
  };
}
