// The partitions that the group assigned to this process, and the work on them, begun by `gained` and ended by `lost`.
//   H2  Of one partition `gained` and `lost` are called one after the other, each after the one before has ended.
import type { Shares } from '../../src/ports/shares.ts';

export type Handlers = Parameters<Shares['start']>[0];

export interface AssignmentsDeps {
  /** Once true, work is begun no more, and what is assigned is not wanted. */
  isStopping(): boolean;
  /** Neither `gained` nor `lost` may reject; told when one did. */
  onBug(partition: number, error: unknown): void;
}

export interface Assignments {
  has(partition: number): boolean;
  list(): readonly number[];
  /** Nothing is called before. */
  start(handlers: Handlers): void;
  /**
   * Takes the newest assignment, and begins and ends work accordingly. Under another member id than before we are new to the coordinator: somebody
   * else may have had meanwhile what runs here, so that all of it is ended first, also what is ours again.
   */
  assign(memberId: string, partitions: readonly number[]): void;
  /** Resolves when every call that was begun or queued so far has ended. */
  settled(): Promise<unknown>;
}

export function createAssignments({ isStopping, onBug }: AssignmentsDeps): Assignments {
  let handlers: Handlers | null = null;
  let knownAs = '';
  let assigned: ReadonlySet<number> = new Set();
  /** `gained` was called, and `lost` was not. */
  const running = new Set<number>();
  /** Begun under an earlier member id: to be ended first. */
  const stale = new Set<number>();
  /** The last of what is queued for each partition. */
  const queued = new Map<number, Promise<void>>();

  /** What is wanted may have changed since this was queued (H2). */
  async function adjust(partition: number): Promise<void> {
    if (stale.delete(partition)) await become(partition, false);
    await become(partition, assigned.has(partition) && !isStopping());
  }

  async function become(partition: number, isWanted: boolean): Promise<void> {
    if (handlers === null || isWanted === running.has(partition)) return;
    if (isWanted) running.add(partition);
    else running.delete(partition);
    try {
      if (isWanted) await handlers.gained(partition, () => assigned.has(partition) && !stale.has(partition) && !isStopping());
      else await handlers.lost(partition);
    } catch (error) {
      onBug(partition, error);
    }
  }

  return {
    has: (partition) => assigned.has(partition),
    list: () => [...assigned],
    start: (given) => void (handlers = given),
    assign(memberId, partitions) {
      if (memberId !== knownAs) for (const partition of running) stale.add(partition);
      knownAs = memberId;
      assigned = new Set(partitions);
      for (const partition of new Set([...assigned, ...running, ...queued.keys()])) {
        const before = queued.get(partition) ?? Promise.resolve();
        queued.set(
          partition,
          before.then(() => adjust(partition)),
        );
      }
    },
    settled: () => Promise.all(queued.values()),
  };
}
