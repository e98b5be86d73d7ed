// The shared log as the gateway sees it: opened at once, whether or not its brokers answer; the topics are seen to in the background.
import { hash } from 'node:crypto';
import { GatewayError } from '../../src/core/errors.ts';
import type { Millis } from '../../src/core/time.ts';
import type { Backbone, BackboneWatch } from '../../src/ports/backbone.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { SharedRole } from '../../src/ports/shares.ts';
import type { Store } from '../../src/ports/store.ts';
import type { Logger } from '../../src/ports/logger.ts';
import { createCheckpoints } from './checkpoints.ts';
import { createClient } from './client.ts';
import { createCursors } from './cursors.ts';
import { createLetters } from './deadletters.ts';
import { createLog } from './log.ts';
import type { KafkaOptions } from './options.ts';
import { createShares } from './shares.ts';
import { createTopicsWatch } from './topics-watch.ts';
import type { WriterLimits } from './writer.ts';

export interface KafkaDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly watch: BackboneWatch;
  /** Keeps the dead letters. */
  readonly local: Store;
  readonly instance: string;
  readonly retentionMs: Millis;
  readonly limits?: WriterLimits;
}

/** Rejects with `invalid_config` when the topics are there and not as they must be; brokers that are away are waited for in the background. */
export async function openKafka(options: KafkaOptions, deps: KafkaDeps): Promise<Backbone> {
  const client = createClient(options, deps);
  const { topics } = client.settings;
  const log = createLog({ client, watch: deps.watch, ...(deps.limits === undefined ? {} : { limits: deps.limits }) });
  const cursors = createCursors(client);
  const checkpoints = createCheckpoints(client, log);
  const deadLetters = createLetters(client, deps.local);
  const shares = {
    host: createShares({ client, role: 'host', topic: topics.inputs, cursors, watch: deps.watch }),
    effects: createShares({ client, role: 'effects', topic: topics.facts, cursors, watch: deps.watch }),
  };
  const topicsWatch = createTopicsWatch(client, deps.retentionMs);

  async function close(): Promise<void> {
    const stopped = topicsWatch.stop();
    await Promise.all([log.close(), checkpoints.close(), cursors.close().catch(() => {}), deadLetters.close()]);
    await stopped;
  }

  await topicsWatch.start();
  const wrong = client.health.wrongSentence();
  deadLetters.start();
  if (wrong !== null) {
    await close();
    throw new GatewayError('invalid_config', wrong);
  }
  return {
    log,
    checkpoints,
    cursors,
    deadLetters,
    shares: (role: SharedRole) => shares[role],
    forgets: true,
    name: nameOf(options.brokers, client.settings.prefix),
    problem: () => client.health.problem(),
    close,
  };
}

/** The brokers are named in the same way by all who share the log, in whatever order. */
function nameOf(brokers: readonly string[], prefix: string): string {
  return hash('sha256', JSON.stringify([prefix, ...brokers.toSorted()]), 'hex').slice(0, 12);
}
