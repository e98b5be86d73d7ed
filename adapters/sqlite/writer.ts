// Entry of the writer thread: opens the file, then turns each message (a group of requests) into one commit and one answer.
// It has no queue and no policy; priority-queues.ts on the main thread decides what goes into a group and when.
import { parentPort, workerData } from 'node:worker_threads';
import { GatewayError, invariant } from '../../src/core/errors.ts';
import { isDamage } from './failures.ts';
import { ledger, type Ledger } from './ledger.ts';
import type { Opening, Request, WriterOptions } from './requests.ts';
import { openForWriting, writerTimeoutMs } from './schema.ts';
import { walOf } from './wal.ts';

invariant(parentPort, 'writer.ts runs as a worker thread');
serve(parentPort, workerData as WriterOptions); // given by store.ts

/** A disk that has no room for it now has some at the next opening. */
function placeAll(book: Pick<Ledger, 'placeAll'>): void {
  try {
    book.placeAll();
  } catch {
    // Nothing is lost: what is kept is placed when the file is opened again.
  }
}

function serve(port: NonNullable<typeof parentPort>, options: WriterOptions): void {
  try {
    const db = openForWriting(options);
    const book = ledger(db, options);
    book.placeAll();
    const wal = walOf(db, options.path, writerTimeoutMs);
    port.postMessage({ ok: true, ...book.positions() } satisfies Opening);
    port.on('message', (group: readonly Request[] | 'close') => {
      if (group !== 'close') {
        port.postMessage(book.commit(group));
        // Pages that were given up leave the disk only now.
        if (group.some(({ type }) => type === 'trim' || type === 'prune')) wal.fold();
        wal.committed();
        return;
      }
      port.close();
      placeAll(book);
      wal.empty();
      db.close();
    });
  } catch (error) {
    const code = error instanceof GatewayError && error.code === 'invalid_config' ? 'invalid_config' : 'store_unavailable';
    const message = error instanceof GatewayError ? error.message : `store ${options.path}: cannot be opened: ${String(error)}`;
    port.postMessage({ ok: false, code, message, isDamaged: isDamage(error) } satisfies Opening);
  }
}
