// The newest records of one topic and partition, as the very objects that were appended, so that a reader who keeps up needs neither
// disk nor parse. Holds only what is durable; bounded in records and bytes, oldest batch out.
import type { LogRecord } from '../../src/ports/event-log.ts';

interface Batch {
  readonly base: number;
  readonly scope: string;
  readonly values: readonly unknown[];
  readonly bytes: number;
}

export interface Tail {
  push(batch: Batch): void;
  /** Forgets all: what follows is not held. */
  clear(): void;
  /** Up to `max` records from the offset on; null when the offset is older than what is held. */
  read(partition: number, offset: number, max: number): LogRecord[] | null;
}

export function tailOf(recordsMax: number, bytesMax: number): Tail {
  let batches: (Batch | undefined)[] = [];
  let head = 0;
  let records = 0;
  let bytes = 0;

  function shrink(): void {
    for (let oldest = batches[head]; oldest && (records > recordsMax || bytes > bytesMax); oldest = batches[head]) {
      records -= oldest.values.length;
      bytes -= oldest.bytes;
      batches[head] = undefined;
      head += 1;
    }
    if (head > 1_024 && head * 2 > batches.length) {
      batches = batches.slice(head);
      head = 0;
    }
  }

  /** Index of the last batch that begins at or below the offset. */
  function find(offset: number): number {
    let low = head;
    let high = batches.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((batches[middle]?.base ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  return {
    clear() {
      batches = [];
      head = 0;
      records = 0;
      bytes = 0;
    },
    push(batch) {
      batches.push(batch);
      records += batch.values.length;
      bytes += batch.bytes;
      shrink();
    },
    read(partition, offset, max) {
      const oldest = batches[head];
      if (!oldest || offset < oldest.base) return null;
      const found: LogRecord[] = [];
      for (let index = find(offset); index < batches.length && found.length < max; index += 1) {
        const batch = batches[index];
        if (!batch) break;
        const from = Math.max(0, offset - batch.base);
        const to = Math.min(batch.values.length, from + max - found.length);
        for (let at = from; at < to; at += 1) {
          found.push({ partition, offset: batch.base + at, scope: batch.scope, value: batch.values[at] });
        }
      }
      return found;
    },
  };
}
