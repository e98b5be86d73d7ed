// Decisions as they come, for whoever waits for one. The read model tells of them, too, but in its own time: in a new gateway it begins with
// everything that the log retains.
import type { Fact } from '../../core/records.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import { createTail } from '../tail.ts';

const factsPerRead = 512;

export interface DecisionFeedDeps {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly onTrouble: (error: unknown) => void;
}

/** Hands on every fact of every partition, from now on and in the order of its partition; returns how to stop. */
export function startDecisionFeed({ log, clock, onTrouble }: DecisionFeedDeps, onFact: (fact: Fact) => void): () => Promise<void> {
  const tails = Array.from({ length: log.partitions }, (_, partition) =>
    createTail({ partition, log, clock, onTrouble, batch: factsPerRead }, async (facts) => facts.forEach(onFact)),
  );
  for (const tail of tails) tail.start(null);
  return async () => void (await Promise.all(tails.map((tail) => tail.stop())));
}
