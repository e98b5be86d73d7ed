// What effects have to say goes to the log as inputs. An answer that is lost is an `unknown`, so a log that is away is tried again until we stop.
import type { Input } from '../../core/records.ts';
import type { Millis } from '../../core/time.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import { pause } from '../async/pause.ts';
import type { Progress } from './progress.ts';

const retryAfterMs: Millis = 500;

export interface ReporterDeps {
  readonly partition: number;
  readonly log: Pick<EventLog, 'append'>;
  readonly clock: Pick<Clock, 'after'>;
  readonly progress: Pick<Progress, 'leaveUndone'>;
  readonly stopping: AbortSignal;
  readonly onTrouble: (error: unknown) => void;
}

/** Resolves when the input is on the log, or was left undone because we stop. */
export type Report = (input: Input) => Promise<void>;

export function createReporter({ partition, log, clock, progress, stopping, onTrouble }: ReporterDeps): Report {
  return async (input) => {
    for (;;) {
      try {
        await log.append('inputs', { partition, scope: input.scope, values: [input], mayUseReserve: true });
        return;
      } catch (error) {
        onTrouble(error);
        if (stopping.aborted) return progress.leaveUndone();
        await pause(clock, retryAfterMs);
      }
    }
  };
}
