// The installation's name and the policy of quench.yaml onto the log: what decides is on the log.
//   I1  The installation is named before the first policy, at random, once: the log keeps the first name that it is given.
import { randomBytes } from 'node:crypto';
import type { Policy } from '../core/playbook/policy.ts';
import { everyScope } from '../core/stamp.ts';
import { second, type Millis } from '../core/time.ts';
import { endsWithin } from '../engine/async/deadline.ts';
import { pause } from '../engine/async/pause.ts';
import type { Intake } from '../engine/intake/intake.ts';
import type { Service } from '../engine/service.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';

/** How long the door stays shut for it. */
const doorWaitsMs: Millis = 2 * second;
const againMs: Millis = 2 * second;

interface Publishing {
  readonly policy: Policy;
  /** What the installation is called when it has no name yet. */
  readonly name: string;
  /** The log is shared, and may be away while the door is open. */
  readonly shared: boolean;
  readonly intake: Pick<Intake, 'submit'>;
  readonly service: Pick<Service, 'policy' | 'installation'>;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'warn'>;
}

/** Publishes one policy after the other: what a start has in its file, and what a reload finds there later. */
export interface Publisher {
  publish(policy: Policy): Promise<void>;
  stop(): Promise<void>;
}

/** A policy that is still waiting for a log that is away is given up for the next one. */
export function createPublisher(parts: Omit<Publishing, 'policy' | 'name'>): Publisher {
  const name = randomBytes(6).toString('hex');
  let stop = async (): Promise<void> => {};
  return {
    async publish(policy) {
      await stop();
      stop = await startPublishing({ ...parts, policy, name });
    },
    stop: () => stop(),
  };
}

/**
 * Names the installation when it has no name, and publishes the policy when it is not the one in force, both ahead of the first delivery. A shared
 * log that does not take them, because it is away and the spool full, does not keep the door shut: they are tried again. Resolves with how to stop
 * trying.
 */
export async function startPublishing(parts: Publishing): Promise<() => Promise<void>> {
  const { policy, name, shared, intake, service, clock, logger } = parts;
  const stopping = new AbortController();
  let isNamed = false;
  const publish = async (): Promise<void> => {
    const known = service.installation();
    if (!known.everywhere && !isNamed) {
      await intake.submit({ type: 'InstallationNamed', scope: everyScope, installation: known.name ?? name }); // I1
      isNamed = true;
    }
    if (service.policy()?.digest !== policy.digest) await intake.submit({ type: 'PolicyPublished', scope: everyScope, policy });
  };
  const publishAtLast = async (): Promise<void> => {
    for (let warned = ''; !stopping.signal.aborted;) {
      try {
        return await publish();
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        if (why !== warned) logger.warn({ why }, 'the policy is not published yet; the one before stays in force');
        warned = why;
        await pause(clock, againMs, stopping.signal);
      }
    }
  };
  await (shared ? endsWithin(clock, doorWaitsMs, publishAtLast()) : publish());
  return async () => stopping.abort();
}
