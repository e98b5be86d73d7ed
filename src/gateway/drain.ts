// A stop lets steps under way end before it takes anything apart: a program that is killed halfway is an `unknown`, and calls a person.
// The door stays open meanwhile, decisions are made and people are told; only new steps are left to whoever is next.
//   D1  It ends as soon as nothing is under way, and at the latest after the configured span.
//   D2  What is waited for is said at once, and again every ten seconds.
//   D3  Nobody waits for a claim here longer than core does (core/run/calls.ts): from then on decisions rest, too, and so does that wait.
import type { Config } from '../config/quench/types.ts';
import { second, spanOf, type Millis } from '../core/time.ts';
import { endsWithin } from '../engine/async/deadline.ts';
import type { Service } from '../engine/service.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';

const sayEveryMs: Millis = 10 * second;
const restAfterMs: Millis = 20 * second;
const toldMax = 5;

export interface Drain {
  /** Resolves when it is time to stop; never rejects. */
  run(): Promise<void>;
  /** Why no work should be sent here any more, or null. */
  problem(): string | null;
}

interface Parts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly service: Pick<Service, 'drain' | 'rest' | 'stepsUnderWay'>;
}

export function createDrain({ drainMs }: Pick<Config, 'drainMs'>, { clock, logger, service }: Parts): Drain {
  let isDraining = false;

  /** One line for people: `restart of r12.default (shell/run, 8s of at most 90s)`. */
  function waitedFor(): readonly string[] {
    const steps = service.stepsUnderWay().map(({ run, call, uses, since, timeoutMs }) => {
      const now = clock.steady();
      return `${call} of ${run} (${uses}, ${spanOf(since === null ? 0 : Math.round(now - since))} of at most ${spanOf(timeoutMs)})`;
    });
    const more = steps.length - toldMax;
    return more > 0 ? [...steps.slice(0, toldMax), `${more} more`] : steps;
  }

  return {
    problem: () => (isDraining ? 'stopping: waits for steps under way' : null),
    async run() {
      if (isDraining) return;
      isDraining = true;
      const drained = service.drain();
      const startedAt = clock.steady();
      const left = (): Millis => Math.max(0, startedAt + drainMs - clock.steady());
      let isResting = false;
      for (let isOver = await endsWithin(clock, 0, drained); !isOver && left() > 0;) {
        logger.info({ steps: waitedFor(), left: spanOf(left()) }, 'stopping: waits for steps under way (asked once more, it does not)'); // D2
        if (!isResting && clock.steady() - startedAt >= restAfterMs) {
          isResting = true;
          await service.rest(); // D3
        }
        isOver = await endsWithin(clock, Math.min(sayEveryMs, left()), drained);
      }
      const steps = waitedFor();
      if (steps.length > 0)
        logger.warn({ steps, waited: spanOf(drainMs) }, 'stopping: these steps did not end in time (drain) and are ended');
    },
  };
}
