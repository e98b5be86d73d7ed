// Entry of the writer thread: opens the file, then turns each message (a group of requests) into one commit and one answer.
// It has no queue and no policy; priority-queues.ts on the main thread decides what goes into a group and when.
import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { GatewayError, invariant } from '../../src/core/errors.ts';
import { isMediumFailure } from './failures.ts';
import { ledger } from './ledger.ts';
import type { Opening, Request, WriterOptions } from './requests.ts';
import { openForWriting } from './schema.ts';

const walBytesMax = 128 * 1_048_576;
const commitsPerLook = 64;

invariant(parentPort, 'writer.ts runs as a worker thread');
serve(parentPort, workerData as WriterOptions); // given by store.ts

function serve(port: NonNullable<typeof parentPort>, options: WriterOptions): void {
  try {
    const db = openForWriting(options);
    const book = ledger(db, options);
    const wal = walBeside(options.path);
    port.postMessage({ ok: true, ...book.positions() } satisfies Opening);
    port.on('message', (group: readonly Request[] | 'close') => {
      if (group !== 'close') {
        port.postMessage(book.commit(group));
        // Pages that were given up leave the disk only now.
        if (group.some(({ type }) => type === 'trim' || type === 'prune')) foldWal(db, 'PASSIVE');
        if (wal.isLong()) foldWal(db, 'RESTART');
        return;
      }
      port.close();
      foldWal(db, 'TRUNCATE');
      db.close();
    });
  } catch (error) {
    const code = error instanceof GatewayError && error.code === 'invalid_config' ? 'invalid_config' : 'store_unavailable';
    const message = error instanceof GatewayError ? error.message : `store ${options.path}: cannot be opened: ${String(error)}`;
    port.postMessage({ ok: false, code, message } satisfies Opening);
  }
}

/** Moves the WAL into the file. When the disk does not let us, the WAL still holds everything, and a later fold or start finds it. */
function foldWal(db: DatabaseSync, how: 'PASSIVE' | 'RESTART' | 'TRUNCATE'): void {
  try {
    db.exec(`PRAGMA wal_checkpoint(${how})`);
  } catch (error) {
    if (!isMediumFailure(error)) throw error;
  }
}

/** Whether the WAL must be begun anew, looked at now and then: under a load without pauses wal-checkpointer.ts never quite gets to its end. */
function walBeside(path: string): { isLong(): boolean } {
  let commits = 0;
  return {
    isLong() {
      commits += 1;
      return commits % commitsPerLook === 0 && (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) >= walBytesMax;
    },
  };
}
