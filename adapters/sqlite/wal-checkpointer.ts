// Entry of the checkpointing thread: copies what the logs of SQLite (WAL) hold into their files, so that no commit has to.
// It never holds a writer up; when it cannot keep pace, or a reader is in its way, the writer begins the WAL anew when it can (wal.ts).
import { DatabaseSync } from 'node:sqlite';
import { workerData } from 'node:worker_threads';
import { isMediumFailure } from './failures.ts';

const everyMs = 200;

const { paths } = workerData as { readonly paths: readonly string[] }; // given by threads.ts
const opened = paths.map((path) => {
  const db = new DatabaseSync(path, { timeout: 1_000 });
  db.exec('PRAGMA synchronous = FULL; PRAGMA cache_size = -256');
  return db;
});

setInterval(foldAll, everyMs); // until the store ends this thread

function foldAll(): void {
  for (const db of opened) fold(db);
}

function fold(db: DatabaseSync): void {
  try {
    db.exec('PRAGMA wal_checkpoint(PASSIVE)');
  } catch (error) {
    // A full disk: the WAL keeps everything, the next round tries again.
    if (!isMediumFailure(error)) throw error;
  }
}
