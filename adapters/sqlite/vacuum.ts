// Free pages of the file.
import type { DatabaseSync } from 'node:sqlite';

/** Gives some free pages back to the file system; a bounded amount, so that it never holds up appends for long. */
export function giveBack(db: DatabaseSync): void {
  db.exec('PRAGMA incremental_vacuum(512)');
}
