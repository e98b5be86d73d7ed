// What waits for its place on the log, of one topic and partition: kept in the file already, placed in order as long as the log ends below a
// limit. Bookkeeping only, on the main thread; the writer moves the rows (log-writer.ts).
//   K1  Batches get their places in the order of the calls that brought them. One that could not be kept is passed over.
//   K2  Bounded: of what waits only so many records are held in memory as objects, the rest is read from the file when it has its place.
import type { LogBatch } from '../../src/ports/event-log.ts';

const batchesPerStep = 256;

export interface BulkBatch {
  readonly scope: string;
  readonly records: number;
  /** Null when it is to be read from the file (K2). */
  readonly values: readonly unknown[] | null;
  readonly bytes: number;
  state: 'flying' | 'kept' | 'gone';
}

export interface BulkQueue {
  /** Records taken in; those that failed are among them. */
  readonly taken: number;
  readonly placed: number;
  readonly limit: number;
  setLimit(below: number): void;
  add(batch: LogBatch, bytes: number): BulkBatch;
  /** It is in the file, or will never be. */
  settled(batch: BulkBatch, isKept: boolean): void;
  /** The oldest that may have their places now, with so much room; a single larger one goes alone. */
  due(room: number): readonly BulkBatch[];
  /** They have their places. */
  leave(batches: readonly BulkBatch[]): void;
}

export function createBulkQueue(heldMax: number): BulkQueue {
  let queue: BulkBatch[] = [];
  let head = 0;
  let taken = 0;
  let placed = 0;
  let held = 0;
  let limit = Number.POSITIVE_INFINITY;

  function drop(): void {
    const batch = queue[head];
    if (batch === undefined) return;
    head += 1;
    placed += batch.records;
    if (batch.values !== null) held -= batch.records;
    if (head < 1_024 || head * 2 < queue.length) return;
    queue = queue.slice(head);
    head = 0;
  }

  function passGone(): void {
    while (queue[head]?.state === 'gone') drop();
  }

  return {
    get taken() {
      return taken;
    },
    get placed() {
      return placed;
    },
    get limit() {
      return limit;
    },
    setLimit: (below) => void (limit = below),
    add({ scope, values }, bytes) {
      const records = values.length;
      const isHeld = held + records <= heldMax;
      if (isHeld) held += records;
      taken += records;
      const batch: BulkBatch = { scope, records, values: isHeld ? values : null, bytes, state: 'flying' };
      queue.push(batch);
      return batch;
    },
    settled(batch, isKept) {
      batch.state = isKept ? 'kept' : 'gone';
      passGone();
    },
    due(room) {
      const due: BulkBatch[] = [];
      let records = 0;
      for (let at = head; at < queue.length && due.length < batchesPerStep; at += 1) {
        const batch = queue[at];
        if (batch?.state !== 'kept' || (due.length > 0 && records + batch.records > room)) break;
        due.push(batch);
        records += batch.records;
      }
      return due;
    },
    leave(batches) {
      for (const _ of batches) drop();
      passGone();
    },
  };
}
