// Entry of the checkpointing thread: copies what the logs of SQLite (WAL) hold into their files, so that no commit has to.
// It never holds a writer up; when it cannot keep pace, or a reader is in its way, the writer begins the WAL anew when it can (wal.ts).
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { workerData } from 'node:worker_threads';
import { isMediumFailure } from './failures.ts';
import type { StorePaths } from './threads.ts';

/** What is appended is written once, however often it is folded; and what is left when the WAL is begun anew holds acceptances up. */
const logEveryMs = 200;
/** Pages of the state change again and again: folded rarely, they are written to the file once for many changes. */
const stateEveryMs = 1_000;

const { log, state } = workerData as StorePaths; // given by threads.ts
foldEvery(log, logEveryMs);
foldEvery(state, stateEveryMs);

/** Until the store ends this thread. On a full disk the WAL keeps everything, the next round tries again. */
function foldEvery(path: string, everyMs: number): void {
  const db = opened(path);
  if (db !== null) setInterval(() => fold(db), everyMs);
}

/** Null when it is not there any more: a later try would make an empty one in its place. */
function opened(path: string): DatabaseSync | null {
  if (!existsSync(path)) return null;
  try {
    const db = new DatabaseSync(path, { timeout: 1_000 });
    db.exec('PRAGMA synchronous = FULL; PRAGMA cache_size = -256');
    return db;
  } catch (error) {
    if (!isMediumFailure(error)) throw error;
    return null;
  }
}

function fold(db: DatabaseSync): void {
  try {
    db.exec('PRAGMA wal_checkpoint(PASSIVE)');
  } catch (error) {
    if (!isMediumFailure(error)) throw error;
  }
}
