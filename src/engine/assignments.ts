// What runs while a partition is ours: one part for each, started when the partition falls to this process and stopped when it goes.
//   N1  Of one partition at most one part runs in this process, and what belongs to the world outside (broken log or store) is tried again.
import { GatewayError } from '../core/errors.ts';
import type { Millis } from '../core/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { Shares } from '../ports/shares.ts';
import { pause } from './async/pause.ts';

const retryAfterMs: Millis = 500;

export interface Part {
  /** May be called again after it has rejected. */
  start(): Promise<void>;
}

export interface Assignments<P extends Part> {
  start(): Promise<void>;
  readonly parts: ReadonlyMap<number, P>;
  /** Parts that are not up yet. */
  readonly beginning: number;
  /** Stops every part in the way given, then gives the partitions back: whoever is next finds what the last one saved. */
  stop(): Promise<void>;
}

export interface AssignmentDeps<P extends Part> {
  readonly shares: Shares;
  readonly clock: Clock;
  readonly make: (partition: number) => P;
  readonly end: (part: P) => Promise<void>;
  readonly onTrouble: (error: unknown) => void;
}

export function createAssignments<P extends Part>(deps: AssignmentDeps<P>): Assignments<P> {
  const { shares, clock } = deps;
  const parts = new Map<number, P>();
  let stopping = false;
  let beginning = 0;

  async function begin(partition: number, wanted: () => boolean = () => true): Promise<void> {
    beginning += 1;
    try {
      await tryOn(partition, wanted);
    } finally {
      beginning -= 1;
    }
  }

  async function tryOn(partition: number, wanted: () => boolean): Promise<void> {
    const part = deps.make(partition);
    parts.set(partition, part);
    while (!stopping && wanted()) {
      try {
        return await part.start();
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        deps.onTrouble(error); // N1
        await pause(clock, retryAfterMs);
      }
    }
  }

  async function finish(partition: number): Promise<void> {
    const part = parts.get(partition);
    parts.delete(partition);
    if (part !== undefined) await deps.end(part);
  }

  return {
    parts,
    get beginning() {
      return beginning;
    },
    start: () => shares.start({ gained: begin, lost: finish }),
    async stop() {
      stopping = true;
      await Promise.all([...parts.keys()].map(finish));
      await shares.stop();
    },
  };
}

/** A process that is alone has every partition for as long as it lives. */
export function everyPartition(partitions: number): Shares {
  const offsets = new Map<number, number>();
  return {
    async start({ gained }) {
      for (let partition = 0; partition < partitions; partition += 1) await gained(partition);
    },
    holds: () => true,
    done: (partition, offset) => void offsets.set(partition, offset),
    progress: async () => offsets,
    stop: async () => {},
  };
}
