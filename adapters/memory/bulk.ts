// The bulk lane of the log over a memory disk: what is kept there is durable and has no place yet. For a disk that one store uses alone.
import type { BulkLane, LogBatch } from '../../src/ports/event-log.ts';
import type { Content, KeptBatch } from './disk.ts';
import type { WriteQueue } from './queue.ts';

export interface Placing {
  /** Puts a batch on the log; what is durable already moves only. */
  put(partition: number, batch: KeptBatch): void;
  /** Where the partition's inputs end. */
  endOf(partition: number): number;
}

interface Lane {
  taken: number;
  placed: number;
  below: number;
}

export function memoryBulk(content: Content, queue: WriteQueue, placing: Placing): BulkLane {
  const lanes = new Map<number, Lane>();
  for (const [partition, kept] of content.kept) for (const batch of kept.splice(0)) placing.put(partition, batch);

  function laneOf(partition: number): Lane {
    const lane = lanes.get(partition) ?? { taken: 0, placed: 0, below: Number.POSITIVE_INFINITY };
    lanes.set(partition, lane);
    return lane;
  }

  function keptOf(partition: number): KeptBatch[] {
    const kept = content.kept.get(partition) ?? [];
    content.kept.set(partition, kept);
    return kept;
  }

  function place(partition: number): void {
    const lane = laneOf(partition);
    const kept = keptOf(partition);
    for (let batch = kept[0]; batch !== undefined && placing.endOf(partition) < lane.below; batch = kept[0]) {
      kept.shift();
      placing.put(partition, batch);
      lane.placed += batch.count;
    }
  }

  return {
    mustWait(partition) {
      const { taken, placed, below } = laneOf(partition);
      return taken > placed || placing.endOf(partition) >= below;
    },
    async append(batch: LogBatch) {
      const { partition, scope, values, raw = null } = batch;
      const lane = laneOf(partition);
      const body = JSON.stringify(values);
      const records = values.length;
      lane.taken += records;
      try {
        await queue.submit({ records, bytes: body.length + (raw?.length ?? 0), unavailable: 'log_unavailable' }, () =>
          keptOf(partition).push({ count: records, scope, body, raw }),
        );
      } catch (error) {
        lane.taken -= records;
        throw error;
      }
      place(partition);
    },
    limit(partition, below) {
      laneOf(partition).below = below;
      if (queue.alive()) place(partition);
    },
    counts(partition) {
      const { taken, placed } = laneOf(partition);
      return { taken, placed };
    },
  };
}
