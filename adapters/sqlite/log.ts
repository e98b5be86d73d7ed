// The event log over the file: appends go to the writer, reads come from the tail or the read-only connection.
//   E1  Nothing is read before it is durable: ends and tails move when the writer answers, and reads stop at the end.
//   E2  A failed append leaves no trace: no offset, no record, no watch call.
import { invariant } from '../../src/core/errors.ts';
import { packed, unpacked } from '../../src/core/stored/stored.ts';
import type { BulkLane, EventLog, LogBatch, LogRecord, Topic } from '../../src/ports/event-log.ts';
import { ask, errorOf } from './ask.ts';
import type { DurableLog } from './checkpoints.ts';
import { createBulkQueue, type BulkQueue } from './bulk.ts';
import type { LogJob, LogQueues } from './lanes.ts';
import type { Reader } from './reader.ts';
import { slotOf, slotSpan } from './requests.ts';
import { tailOf, type Tail } from './tail.ts';
import { parsed, stow, unstow } from './text.ts';

const trimBatchesPerStep = 128;

/** From the batch that holds the offset on; `place` is explained in requests.ts. */
const readBatches = `SELECT place, count, scope, body FROM log
  WHERE place >= coalesce((SELECT max(place) FROM log WHERE place BETWEEN ?1 AND ?2), ?1) AND place < ?3 ORDER BY place`;
const readRaw = 'SELECT raw FROM log WHERE place BETWEEN ? AND ? ORDER BY place DESC LIMIT 1';

interface Watcher {
  readonly call: () => void;
  due: boolean;
}

interface Slot {
  end: number;
  /** Records that were sent to the writer and have no answer yet. */
  flying: number;
  readonly bulk: BulkQueue;
  placing: boolean;
  low: number;
  readonly tail: Tail;
  /** Resolves when the newest append is settled, and so all before it. */
  appended: Promise<void>;
  readonly watchers: Set<Watcher>;
}

interface Options {
  readonly partitions: number;
  readonly queues: LogQueues;
  readonly reader: Reader;
  /** As the file says, by slot. */
  readonly ends: readonly number[];
  readonly lows: readonly number[];
  /** Over all topics and partitions. */
  readonly tailRecordsMax: number;
  readonly tailBytesMax: number;
}

export function eventLog(options: Options): Omit<EventLog, 'close'> & DurableLog {
  const { partitions, queues, reader } = options;
  const slots: readonly Slot[] = options.ends.map((end, index) => ({
    end,
    flying: 0,
    bulk: createBulkQueue(options.tailRecordsMax / options.ends.length),
    placing: false,
    low: options.lows[index] ?? 0,
    tail: tailOf(options.tailRecordsMax / options.ends.length, options.tailBytesMax / options.ends.length),
    appended: Promise.resolve(),
    watchers: new Set(),
  }));

  function slotAt(topic: Topic, partition: number): Slot {
    const slot = slots[slotOf(topic, partition)];
    invariant(slot, `partition ${partition} is one of ${partitions}`);
    return slot;
  }

  /** Reads whole batches from disk until there are enough records. */
  function readDisk(topic: Topic, partition: number, from: number, to: number): LogRecord[] {
    const start = slotOf(topic, partition) * slotSpan;
    const found: LogRecord[] = [];
    for (const row of reader.each(readBatches, start, start + from, start + to)) {
      const base = Number(row['place']) - start;
      const scope = unstow(String(row['scope']));
      const stored = parsed(String(row['body']), 'log_unavailable') as readonly unknown[]; // one append call
      const values = topic === 'facts' ? unpacked(scope, stored) : stored;
      for (const [index, value] of values.entries()) {
        const offset = base + index;
        if (offset >= from && offset < to) found.push({ partition, offset, scope, value });
      }
    }
    return found;
  }

  return {
    partitions,
    bulk: bulkLane(queues, (partition) => slotAt('inputs', partition)),
    append: async (topic, batch) => appendTo(queues, slotAt(topic, batch.partition), topic, batch),
    settled: async (partition) => void (await Promise.all([slotAt('inputs', partition).appended, slotAt('facts', partition).appended])),
    async read(topic, partition, offset, max) {
      const slot = slotAt(topic, partition);
      const from = Math.max(offset, slot.low);
      const to = Math.min(slot.end, from + max);
      if (from >= to) return [];
      return slot.tail.read(partition, from, to - from) ?? readDisk(topic, partition, from, to);
    },
    end: async (topic, partition) => slotAt(topic, partition).end,
    watch(topic, partition, call) {
      const { watchers } = slotAt(topic, partition);
      const watcher: Watcher = { call, due: false };
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    async raw(topic, partition, offset) {
      const slot = slotAt(topic, partition);
      if (offset < slot.low || offset >= slot.end) return null;
      const start = slotOf(topic, partition) * slotSpan;
      const raw = reader.get(readRaw, start, start + offset)?.['raw'];
      return typeof raw === 'string' ? unstow(raw) : null;
    },
    async trim(topic, partition, below) {
      const slot = slotAt(topic, partition);
      const low = Math.max(slot.low, Math.min(below, slot.end));
      const request = { type: 'trim', slot: slotOf(topic, partition), below: low, batchesMax: trimBatchesPerStep } as const;
      let more;
      do {
        more = await ask(queues, { priority: 'retention', request, records: trimBatchesPerStep, bytes: 0 }, 'log_unavailable');
        slot.low = Math.max(slot.low, low);
      } while (more === 1);
    },
  };
}

function appendTo(queues: LogQueues, slot: Slot, topic: Topic, batch: LogBatch): Promise<number> {
  const { job, body } = jobOf(topic, batch, 'append');
  slot.flying += job.records;
  const appended = new Promise<number>((resolve, reject) => {
    queues.send({
      ...job,
      settle(answer) {
        slot.flying -= job.records;
        if (typeof answer !== 'number') return reject(errorOf(answer, 'log_unavailable'));
        slot.end = answer + batch.values.length;
        slot.tail.push({ base: answer, scope: batch.scope, values: batch.values, bytes: body.length });
        wake(slot);
        return resolve(answer);
      },
    });
  });
  slot.appended = appended.then(nothing, nothing);
  return appended;
}

function bulkLane(queues: LogQueues, slotAt: (partition: number) => Slot): BulkLane {
  /** Gives the oldest their places, a step at a time, while there is room. */
  function place(partition: number): void {
    const slot = slotAt(partition);
    const room = slot.bulk.limit - slot.end - slot.flying;
    if (slot.placing || room <= 0) return;
    const due = slot.bulk.due(room);
    if (due.length === 0) return;
    const records = due.reduce((sum, batch) => sum + batch.records, 0);
    slot.placing = true;
    slot.flying += records;
    const request = { type: 'place', slot: slotOf('inputs', partition), batches: due.length } as const;
    queues.send({
      priority: 'inputs',
      request,
      records: 0,
      bytes: 0,
      settle(answer) {
        slot.placing = false;
        slot.flying -= records;
        if (typeof answer !== 'number') return; // tried again with the next word of the limit
        for (const batch of due) {
          if (batch.values === null) slot.tail.clear();
          else slot.tail.push({ base: slot.end, scope: batch.scope, values: batch.values, bytes: batch.bytes });
          slot.end += batch.records;
        }
        slot.bulk.leave(due);
        wake(slot);
        place(partition);
      },
    });
  }

  return {
    mustWait(partition) {
      const { bulk, end, flying } = slotAt(partition);
      return bulk.taken > bulk.placed || end + flying >= bulk.limit;
    },
    async append(batch) {
      const slot = slotAt(batch.partition);
      const { bulk } = slot;
      const { job, body } = jobOf('inputs', batch, 'keep');
      const kept = bulk.add(batch, body.length);
      await new Promise<void>((resolve, reject) => {
        queues.send({
          ...job,
          settle(answer) {
            bulk.settled(kept, typeof answer === 'number');
            if (typeof answer === 'number') resolve();
            else reject(errorOf(answer, 'log_unavailable'));
            place(batch.partition);
          },
        });
      });
    },
    limit(partition, below) {
      slotAt(partition).bulk.setLimit(below);
      place(partition);
    },
    counts(partition) {
      const { taken, placed } = slotAt(partition).bulk;
      return { taken, placed };
    },
  };
}

/** What is sent to the writer, but for what comes of it. */
function jobOf(topic: Topic, batch: LogBatch, type: 'append' | 'keep'): { readonly job: Omit<LogJob, 'settle'>; readonly body: string } {
  invariant(batch.values.length > 0, 'a batch has at least one record');
  const body = JSON.stringify(topic === 'facts' ? packed(batch.scope, batch.values) : batch.values);
  const raw = batch.raw === undefined ? null : stow(batch.raw);
  const slot = slotOf(topic, batch.partition);
  const reserve = batch.mayUseReserve === true ? ({ reserve: true } as const) : {};
  const request = { type, slot, scope: stow(batch.scope), count: batch.values.length, body, raw, ...reserve } as const;
  return { job: { priority: topic, request, records: batch.values.length, bytes: body.length + (batch.raw?.length ?? 0) }, body };
}

function nothing(): void {}

/** One call per watcher and turn, after the promises of the group are settled. */
function wake({ watchers }: Slot): void {
  for (const watcher of watchers) {
    if (watcher.due) continue;
    watcher.due = true;
    queueMicrotask(() => {
      watcher.due = false;
      if (watchers.has(watcher)) watcher.call();
    });
  }
}
