// Entry of the checkpointing thread: copies what the log of SQLite (WAL) holds into the file, so that no commit has to.
// It never holds the writer up; when it cannot keep pace, or a reader is in its way, the writer begins the WAL anew when it can (wal.ts).
import { DatabaseSync } from 'node:sqlite';
import { workerData } from 'node:worker_threads';
import { isMediumFailure } from './failures.ts';

const everyMs = 200;

const { path } = workerData as { readonly path: string }; // given by store.ts
const db = new DatabaseSync(path, { timeout: 1_000 });
db.exec('PRAGMA synchronous = FULL; PRAGMA cache_size = -256');

setInterval(fold, everyMs); // until the store ends this thread

function fold(): void {
  try {
    db.exec('PRAGMA wal_checkpoint(PASSIVE)');
  } catch (error) {
    // A full disk: the WAL keeps everything, the next round tries again.
    if (!isMediumFailure(error)) throw error;
  }
}
