// The event log over a memory disk.
import { invariant } from '../../src/core/errors.ts';
import { packed, unpacked } from '../../src/core/stored/stored.ts';
import type { EventLog, LogRecord, Topic } from '../../src/ports/event-log.ts';
import type { Batch, Content, KeptBatch, MemoryDisk, Slot } from './disk.ts';
import type { Placing } from './bulk.ts';
import type { WriteQueue } from './queue.ts';

export function slotIn(content: Content, topic: Topic, partition: number): Slot {
  const key = `${topic}/${partition}`;
  const known = content.slots.get(key);
  if (known) return known;
  const slot: Slot = { end: 0, low: 0, batches: [] };
  content.slots.set(key, slot);
  return slot;
}

const read = new WeakMap<Batch, readonly unknown[]>();

/** What is read of a batch: its text as objects, the same ones for every reader, never those of whoever appended. */
export function recordsOf(batch: Batch): readonly unknown[] {
  const known = read.get(batch);
  if (known) return known;
  const records = unpacked(batch.scope, JSON.parse(batch.body) as readonly unknown[]); // inputs are written as they are
  read.set(batch, records);
  return records;
}

export function memoryLog(
  { content, watchers }: MemoryDisk,
  queue: WriteQueue,
  partitions: number,
): Omit<EventLog, 'close'> & { readonly placing: Placing } {
  function slotAt(topic: Topic, partition: number): Slot {
    invariant(Number.isInteger(partition) && partition >= 0 && partition < partitions, `partition ${partition} is one of ${partitions}`);
    return slotIn(content, topic, partition);
  }

  function wake(slot: Slot): void {
    const calls = watchers.get(slot);
    for (const watcher of calls ?? []) {
      queueMicrotask(() => {
        if (calls?.has(watcher) && watcher.alive()) watcher.call();
      });
    }
  }

  function put(slot: Slot, batch: KeptBatch): number {
    const base = slot.end;
    slot.batches.push({ ...batch, base });
    slot.end += batch.count;
    wake(slot);
    return base;
  }

  return {
    partitions,
    placing: {
      put: (partition, batch) => void put(slotAt('inputs', partition), batch),
      endOf: (partition) => slotAt('inputs', partition).end,
    },
    async append(topic, { partition, scope, values, raw }) {
      const slot = slotAt(topic, partition);
      invariant(values.length > 0, 'a batch has at least one record');
      const body = JSON.stringify(topic === 'facts' ? packed(scope, values) : values);
      const bytes = body.length + (raw?.length ?? 0);
      const batch: KeptBatch = { count: values.length, scope, body, raw: raw ?? null };
      return queue.submit({ records: batch.count, bytes, unavailable: 'log_unavailable' }, () => put(slot, batch));
    },
    async read(topic, partition, offset, max) {
      const slot = slotAt(topic, partition);
      return queue.read(() => {
        const from = Math.max(offset, slot.low);
        const to = Math.min(slot.end, from + max);
        const found: LogRecord[] = [];
        for (let index = indexOf(slot, from); index < slot.batches.length; index += 1) {
          const batch = slot.batches[index];
          if (!batch || batch.base >= to) break;
          const values = recordsOf(batch);
          for (let at = Math.max(from, batch.base); at < Math.min(to, batch.base + batch.count); at += 1) {
            found.push({ partition, offset: at, scope: batch.scope, value: values[at - batch.base] });
          }
        }
        return found;
      });
    },
    async end(topic, partition) {
      const slot = slotAt(topic, partition);
      return queue.read(() => slot.end);
    },
    watch(topic, partition, call) {
      const slot = slotAt(topic, partition);
      const calls = watchers.get(slot) ?? new Set();
      watchers.set(slot, calls);
      const watcher = { call, alive: () => queue.alive() };
      calls.add(watcher);
      return () => calls.delete(watcher);
    },
    async raw(topic, partition, offset) {
      const slot = slotAt(topic, partition);
      return queue.read(() => (offset < slot.low || offset >= slot.end ? null : (slot.batches[indexOf(slot, offset)]?.raw ?? null)));
    },
    async trim(topic, partition, below) {
      const slot = slotAt(topic, partition);
      await queue.submit({ records: 1, bytes: 0, unavailable: 'log_unavailable' }, () => {
        slot.low = Math.max(slot.low, Math.min(below, slot.end));
        slot.batches = slot.batches.slice(indexOf(slot, slot.low));
      });
    },
  };
}

/** Index of the batch that holds the offset, or of the first after it. */
function indexOf({ batches }: Slot, offset: number): number {
  let low = 0;
  let high = batches.length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const batch = batches[middle];
    if (batch && batch.base + batch.count <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
