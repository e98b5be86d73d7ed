// The store in memory, for the simulation and for tests: real code over a `memoryDisk` that outlives it. No timers, no randomness.
// A test holds writes back, or fails them, through `sync`; it kills the store with `disk.crash()` and opens another on the same disk.
import type { Clock } from '../../src/ports/clock.ts';
import type { Store } from '../../src/ports/store.ts';
import type { MemoryDisk } from './disk.ts';
import { memoryCheckpoints } from './checkpoints.ts';
import { memoryCursors } from './cursors.ts';
import { memoryDeadLetters } from './dead-letters.ts';
import { memoryBulk } from './bulk.ts';
import { memoryLog } from './log.ts';
import { writeQueue } from './queue.ts';
import { memoryViews } from './views.ts';

/** Bytes are UTF-16 units of the JSON text. */
export interface MemoryLimits {
  /** Waiting to become durable; beyond: `overloaded`. */
  readonly queueRecordsMax: number;
  readonly queueBytesMax: number;
  readonly lettersMax: number;
  readonly letterBytesMax: number;
}

export const memoryLimits: MemoryLimits = {
  queueRecordsMax: 16_384,
  queueBytesMax: 32 * 1_048_576,
  lettersMax: 10_000,
  letterBytesMax: 256 * 1_048_576,
};

/** Opens a store on the disk. Throws `store_unavailable` when a living store has it. */
export function memoryStore(options: {
  readonly disk: MemoryDisk;
  readonly partitions: number;
  /** Dates the changes that `views.prune` goes by. */
  readonly clock: Pick<Clock, 'now'>;
  readonly limits?: MemoryLimits;
  /** The disk is this store's alone: inputs may wait for their place. */
  readonly bulk?: boolean;
  /** One sync of the medium: what waits is durable when it resolves, and refused when it rejects. Without it, a microtask. */
  readonly sync?: () => Promise<void>;
}): Store {
  const { disk, partitions, clock, limits = memoryLimits, bulk = false, sync = () => Promise.resolve() } = options;
  const queue = writeQueue(sync, limits);
  const giveBack = disk.take((kept) => queue.crash(kept));
  const close = async (): Promise<void> => {
    await queue.drain();
    giveBack();
  };
  const { placing, ...log } = memoryLog(disk, queue, partitions);
  return {
    log: { ...log, ...(bulk ? { bulk: memoryBulk(disk.content, queue, placing) } : {}), close },
    checkpoints: memoryCheckpoints(disk, queue),
    views: memoryViews(disk.content, queue, () => clock.now()),
    cursors: memoryCursors(disk.content, queue),
    deadLetters: memoryDeadLetters(disk.content, queue, limits),
    probe: () => queue.submit({ records: 1, bytes: 0, unavailable: 'log_unavailable' }, () => {}),
    close,
  };
}
