// Entry of a writer thread: opens its file, the log's or the state's, then turns each message (a group of requests) into one commit and one
// answer. It has no queue and no policy; priority-queues.ts on the main thread decides what goes into a group and when.
import type { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { GatewayError, invariant } from '../../src/core/errors.ts';
import { isDamage } from './failures.ts';
import { ledger, type Ledger } from './ledger.ts';
import { logPart, type LogPart } from './log-part.ts';
import type { LogOptions, Opening, Request, StateOptions, WriterOptions } from './requests.ts';
import { identityOf, openLog, openState, UnfitState, writerTimeoutMs } from './schema.ts';
import { statePart } from './state-part.ts';
import { walOf } from './wal.ts';

invariant(parentPort, 'writer.ts runs as a worker thread');
serve(parentPort, workerData as WriterOptions); // given by threads.ts

type Port = NonNullable<typeof parentPort>;

function serve(port: Port, options: WriterOptions): void {
  try {
    if (options.holds === 'log') serveLog(port, options);
    else serveState(port, options);
  } catch (error) {
    port.postMessage(refusalOf(error, options.path));
  }
}

function serveLog(port: Port, options: LogOptions): void {
  const db = openLog(options);
  const part = logPart(db, options);
  const book = ledger(db, options.path, part);
  part.placeAll();
  port.postMessage({ ok: true, identity: identityOf(db), ...part.positions() } satisfies Opening);
  listen(port, { db, path: options.path, book, end: () => placeAll(part) });
}

function serveState(port: Port, options: StateOptions): void {
  const db = openState(options);
  const book = ledger(db, options.path, statePart(db));
  port.postMessage({ ok: true, identity: options.identity, ends: options.ends, lows: options.lows } satisfies Opening);
  listen(port, { db, path: options.path, book, end: () => {} });
}

interface Served<Asked> {
  readonly db: DatabaseSync;
  readonly path: string;
  readonly book: Ledger<Asked>;
  readonly end: () => void;
}

function listen<Asked extends Request>(port: Port, { db, path, book, end }: Served<Asked>): void {
  const wal = walOf(db, path, writerTimeoutMs);
  port.on('message', (group: readonly Asked[] | 'close') => {
    if (group !== 'close') {
      port.postMessage(book.commit(group));
      // Pages that were given up leave the disk only now.
      if (group.some(({ type }) => type === 'trim' || type === 'prune')) wal.fold();
      wal.committed();
      return;
    }
    port.close();
    end();
    wal.empty();
    db.close();
  });
}

/** A disk that has no room for it now has some at the next opening. */
function placeAll(part: Pick<LogPart, 'placeAll'>): void {
  try {
    part.placeAll();
  } catch {
    // Nothing is lost: what is kept is placed when the file is opened again.
  }
}

function refusalOf(error: unknown, path: string): Opening {
  if (error instanceof UnfitState) return { ok: false, code: 'store_unavailable', message: error.message, isDamaged: true };
  const code = error instanceof GatewayError && error.code === 'invalid_config' ? 'invalid_config' : 'store_unavailable';
  const message = error instanceof GatewayError ? error.message : `store ${path}: cannot be opened: ${String(error)}`;
  return { ok: false, code, message, isDamaged: isDamage(error) };
}
