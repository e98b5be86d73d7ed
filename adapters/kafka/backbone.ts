// The shared log as the gateway sees it: opened at once, whether or not its brokers answer; the topics are seen to in the background.
import { GatewayError } from '../../src/core/errors.ts';
import type { Backbone, BackboneWatch, Clock, SharedRole, Store } from '../../src/core/ports.ts';
import { second, type Millis } from '../../src/core/time.ts';
import { createCheckpoints } from './checkpoints.ts';
import type { Say } from '../say.ts';
import { createClient } from './client.ts';
import { createCursors } from './cursors.ts';
import { createLetters } from './deadletters.ts';
import { createLog } from './log.ts';
import type { KafkaOptions } from './options.ts';
import { createShares } from './shares.ts';
import { topicKeeper } from './topics.ts';
import type { WriterLimits } from './writer.ts';
import { createBell, pauseOr } from './waits.ts';

const firstWithinMs: Millis = 4 * second;
const lookEveryMs: Millis = 30 * second;
const lookAgainMs: Millis = 2 * second;
/** However much fails, the topics are not looked at more often. */
const lookRestMs: Millis = second;

export interface KafkaDeps {
  readonly clock: Clock;
  readonly say: Say;
  readonly watch: BackboneWatch;
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
  const keepTopics = topicKeeper(client, deps.retentionMs);
  let closed = false;
  const bell = createBell();
  let lookedAt: Millis = 0;
  let cancelDoubt: (() => void) | null = null;
  client.health.onDoubt(() => {
    cancelDoubt ??= deps.clock.after(Math.max(0, lookedAt + lookRestMs - deps.clock.steady()), () => {
      cancelDoubt = null;
      bell.ring();
    });
  });

  async function look(): Promise<Millis> {
    try {
      await keepTopics();
      client.health.good('topics');
      return lookEveryMs;
    } catch (error) {
      if (error instanceof GatewayError && error.code === 'invalid_config') client.health.wrong('topics', error.message);
      else client.health.bad('topics', error);
      return lookAgainMs;
    } finally {
      lookedAt = deps.clock.steady();
    }
  }

  /** A topic that is deleted under us is made anew. */
  async function keepLooking(first: Promise<Millis>): Promise<void> {
    let rest = await first;
    while (!closed) {
      await pauseOr(deps.clock, rest, bell.next());
      if (!closed) rest = await look();
    }
  }

  const first = look();
  await pauseOr(deps.clock, firstWithinMs, first);
  const wrong = client.health.wrongSentence();
  const looking = keepLooking(first);
  deadLetters.start();

  async function close(): Promise<void> {
    closed = true;
    cancelDoubt?.();
    bell.ring();
    await Promise.all([log.close(), checkpoints.close(), cursors.close().catch(() => {}), deadLetters.close()]);
    await looking;
  }

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
    problem: () => client.health.problem(),
    close,
  };
}
