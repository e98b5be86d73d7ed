// What one desk has to say to another: the fact in which it says so becomes an input of the other one, whichever partition turns that.
// Carries only: what is a message, and to whom, core/resource/message.ts says.
//   X7  A message is carried at least once, in the order of the facts, before the cursor passes its fact; whoever hears it twice knows it (Q3).
import { messageOf, type MessageFact } from '../../core/resource/message.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import { partitionOf } from '../intake/scope.ts';
import { createReporter, type ReporterDeps } from './reporter.ts';

export interface MessagesDeps extends Omit<ReporterDeps, 'partition' | 'clock'> {
  readonly log: Pick<EventLog, 'append' | 'partitions'>;
  readonly clock: Pick<Clock, 'now' | 'after'>;
}

export interface Messages {
  /** Resolves when the message is on the log, or was left undone because we stop. */
  carry(fact: MessageFact): Promise<void>;
}

export function createMessages(deps: MessagesDeps): Messages {
  return {
    async carry(fact) {
      if (deps.stopping.aborted) return deps.progress.leaveUndone();
      const input = messageOf(fact, deps.clock.now());
      const append = createReporter({ ...deps, partition: partitionOf(input.scope, deps.log.partitions) });
      await append(input);
    },
  };
}
