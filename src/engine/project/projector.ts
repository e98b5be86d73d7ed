// Projectors read facts to show them: those of every gateway are the list in projectors.ts.
//   J1  Each has its own cursor and its own pace in every partition: one that is slow, hangs or throws delays neither decisions nor others.
//   J2  Facts are offered in order, and again with the same offset until `apply` has resolved.
import type { Fact } from '../../core/records.ts';
import { second, type Millis } from '../../core/time.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Cursors } from '../../ports/cursors.ts';
import type { EventLog } from '../../ports/event-log.ts';
import { createTail } from '../tail.ts';

/** Many, so that patches of one document become one; reading them from the disk holds the main thread up for some 3 ms. */
const factsPerRead = 1_024;
/** What is being applied is given so long to end when the process stops; it is offered again after the next start. */
const stopMs: Millis = 3 * second;

export interface ProjectorBatch {
  readonly partition: number;
  readonly facts: readonly Fact[];
  /** Behind the last of them: where the cursor stands once they are applied. */
  readonly offset: number;
}

export interface Projector {
  /** In metrics and logs. */
  readonly name: string;
  /** The name of its position among the cursors of its process, and of nobody else's; retention keeps what lies at or above it. */
  readonly cursor: string;
  /** Resolves when the facts are shown, and the cursor is moved, for good. */
  apply(batch: ProjectorBatch): Promise<void>;
  /** Where it stands, of one that keeps that itself, in one step with what it shows: its cursor may be behind it, and never beyond. */
  position?(partition: number): Promise<number>;
  /** The log was cut back, and is read again from there: what it remembers of facts is of another log. */
  placed?(partition: number, offset: number): Promise<void>;
}

export interface ProjectionDeps {
  readonly projector: Projector;
  readonly partition: number;
  readonly log: EventLog;
  readonly cursors: Cursors;
  readonly clock: Clock;
  /** Resolves when there is time for projectors: decisions come first. */
  readonly yieldToHosts: () => Promise<void>;
  readonly onTrouble: (error: unknown) => void;
}

/** One projector at work on one partition. */
export interface Projection {
  readonly name: string;
  start(): Promise<void>;
  /** Resolves after a while also when the projector does not answer. */
  stop(): Promise<void>;
  /** Facts on the log that are not shown yet. */
  behind(): Promise<number>;
}

export function createProjection({ projector, ...deps }: ProjectionDeps): Projection {
  const { partition, cursors, clock } = deps;
  let shown = 0;
  const placed = async (offset: number): Promise<void> => {
    await projector.placed?.(partition, offset);
    await cursors.save(projector.cursor, partition, offset);
    shown = offset;
  };
  const tail = createTail({ ...deps, batch: factsPerRead, placed }, async (facts, offset) => {
    await deps.yieldToHosts();
    await projector.apply({ partition, facts, offset });
    shown = offset;
  });
  return {
    name: projector.name,
    async start() {
      shown = await (projector.position?.(partition) ?? cursors.load(projector.cursor, partition));
      tail.start(shown);
    },
    async stop() {
      const late = Promise.withResolvers<void>();
      const cancel = clock.after(stopMs, late.resolve);
      await Promise.race([tail.stop(), late.promise]);
      cancel();
    },
    behind: async () => Math.max(0, (await deps.log.end('facts', partition)) - shown),
  };
}
