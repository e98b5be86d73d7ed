// When the engine starts: behind the door, which needs only the log. What an earlier life left to decide, however heavy, keeps nobody out.
//   E1  On a log that holds nothing the policy comes before the first delivery; else the one in force decides until the newer one is published.
import type { Config } from '../config/quench/types.ts';
import { GatewayError } from '../core/errors.ts';
import { second, type Millis } from '../core/time.ts';
import { endsWithin } from '../engine/async/deadline.ts';
import type { Service } from '../engine/service.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventLog } from '../ports/event-log.ts';
import type { Publisher } from './publishing.ts';

/** So long a start waits for what is mostly there at once; it is not held up by what takes longer. */
const startWaitsMs: Millis = 5 * second;

interface Parts {
  readonly config: Pick<Config, 'roles' | 'log' | 'policy'>;
  readonly clock: Clock;
  readonly service: Pick<Service, 'start'>;
  readonly publisher: Pick<Publisher, 'publish'>;
  readonly log: Pick<EventLog, 'end' | 'partitions'>;
  readonly onTrouble: (error: unknown) => void;
}

export interface EngineStart {
  beforeTheDoor(): Promise<void>;
  /** Rejects when the engine cannot start, if that is found out soon; later it is said in the log and by `problem`. */
  start(): Promise<void>;
  /** Why the engine did not start, or null. */
  problem(): string | null;
}

export function createEngineStart({ config, clock, service, publisher, log, onTrouble }: Parts): EngineStart {
  // Who only takes in decides by no policy, and puts none in force.
  const publishes = config.log !== null || config.roles.includes('host');
  let isPublished = false;
  let problem: string | null = null;

  async function begin(): Promise<void> {
    await service.start();
    if (publishes && !isPublished) await publisher.publish(config.policy);
  }

  return {
    async beforeTheDoor() {
      if (!publishes || (await isUsed(log))) return;
      await publisher.publish(config.policy); // E1
      isPublished = true;
    },
    async start() {
      const begun = begin().catch((error: unknown) => {
        problem = error instanceof Error ? error.message : 'the engine did not start';
        onTrouble(error);
        throw error;
      });
      begun.catch(() => {}); // who does not wait for it finds the problem
      await endsWithin(clock, startWaitsMs, begun);
    },
    problem: () => problem,
  };
}

/** Of a log that is away nothing is known: the publishing waits for it behind an open door. */
async function isUsed(log: Parts['log']): Promise<boolean> {
  try {
    return await holdsInputs(log);
  } catch (error) {
    if (error instanceof GatewayError) return false;
    throw error;
  }
}

async function holdsInputs(log: Parts['log']): Promise<boolean> {
  for (let partition = 0; partition < log.partitions; partition += 1) if ((await log.end('inputs', partition)) > 0) return true;
  return false;
}
