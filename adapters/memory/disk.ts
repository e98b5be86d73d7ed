// What a memory store has made durable, apart from the store that wrote it, so that a test can crash one and open another.
//   D1  One store at a time owns a disk, or a seat at it. After a crash its calls never settle and its watchers stay silent, like a dead process's.
//   D2  Stores on several seats of one disk are like processes at one broker: each hears of the others' appends, and of a partition's
//       checkpoints only the saves of the store that loaded it last count.
import { GatewayError } from '../../src/core/errors.ts';
import type { Instant } from '../../src/core/time.ts';
import type { CheckpointMark } from '../../src/ports/checkpoints.ts';
import type { DeadLetter } from '../../src/ports/dead-letters.ts';
import type { DocumentKind } from '../../src/readmodel/documents.ts';
import type { TimelineEntry } from '../../src/readmodel/timeline.ts';

/** One append call; records as the JSON text of their array, so that nothing is shared with whoever appended. */
export interface Batch {
  readonly base: number;
  readonly count: number;
  readonly scope: string;
  readonly body: string;
  readonly raw: string | null;
}

/** One that has no place yet. */
export type KeptBatch = Omit<Batch, 'base'>;

export interface Slot {
  end: number;
  low: number;
  batches: Batch[];
}

export interface Desk {
  mark: CheckpointMark;
  /** By scope, table and key; the document as JSON text. */
  readonly rows: Map<string, { readonly scope: string; readonly table: string; readonly key: string; readonly doc: string }>;
}

export interface Doc {
  readonly seq: number;
  readonly kind: DocumentKind;
  readonly id: string;
  readonly changedAt: Instant;
  /** Of an incident: what it is found by because of its members, of now and before. */
  readonly places: readonly string[];
  readonly body: string;
}

/** Durable content, keyed by JSON text of what it is about. */
export interface Content {
  readonly slots: Map<string, Slot>;
  /** By partition: inputs that wait for their place. */
  readonly kept: Map<number, KeptBatch[]>;
  readonly desks: Map<number, Desk>;
  readonly cursors: Map<string, number>;
  readonly docs: Map<string, Doc>;
  readonly lines: Map<string, Map<string, TimelineEntry>>;
  readonly letters: Map<string, { readonly seq: number; readonly body: string; state: DeadLetter['state'] }>;
  /** Order of first arrival of documents and letters. */
  arrivals: number;
}

export interface Watcher {
  readonly call: () => void;
  readonly alive: () => boolean;
}

export interface MemoryDisk {
  readonly content: Content;
  /** Who waits for appends to a slot. */
  readonly watchers: Map<Slot, Set<Watcher>>;
  /** The store that loaded a partition's checkpoint last (D2). */
  readonly loaders: Map<number, object>;
  /** A place for another store at the same content; crashes alone. */
  seat(): MemoryDisk;
  /**
   * Kills the store that owns the disk. What waits to become durable is lost, but for the first `kept` requests: those reached the
   * disk and were never acknowledged.
   */
  crash(kept?: number): void;
  /** For the store: takes the disk; throws `store_unavailable` when a living store has it. Returns how to give it back. */
  take(crashed: (kept: number) => void): () => void;
}

export function memoryDisk(): MemoryDisk {
  const content: Content = {
    slots: new Map(),
    kept: new Map(),
    desks: new Map(),
    cursors: new Map(),
    docs: new Map(),
    lines: new Map(),
    letters: new Map(),
    arrivals: 0,
  };
  return seatAt({ content, watchers: new Map(), loaders: new Map() });
}

function seatAt(shared: Pick<MemoryDisk, 'content' | 'watchers' | 'loaders'>): MemoryDisk {
  let owner: ((kept: number) => void) | null = null;
  return {
    ...shared,
    seat: () => seatAt(shared),
    crash(kept = 0) {
      owner?.(kept);
      owner = null;
    },
    take(crashed) {
      if (owner) throw new GatewayError('store_unavailable', 'memory disk: in use by another store; close or crash that one first');
      owner = crashed;
      return () => {
        if (owner === crashed) owner = null;
      };
    },
  };
}
