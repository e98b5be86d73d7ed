// Looks at the topics again and again while the gateway runs, and sooner when something failed that may be their fault: a topic that is deleted under
// us is made anew. What is looked at is topics.ts.
import { GatewayError } from '../../src/core/errors.ts';
import { second, type Millis } from '../../src/core/time.ts';
import type { Client } from './client.ts';
import { topicKeeper } from './topics.ts';
import { createBell, pauseOr } from './waits.ts';

const firstWithinMs: Millis = 4 * second;
const lookEveryMs: Millis = 30 * second;
/** After a look that failed. */
const lookAgainMs: Millis = 2 * second;
/** However much fails, the topics are not looked at more often. */
const lookRestMs: Millis = second;

export interface TopicsWatch {
  /** Resolves when the first look has ended, well or not, or when that takes too long; looking goes on in the background. */
  start(): Promise<void>;
  /** Resolves when a look that is under way has ended. */
  stop(): Promise<void>;
}

export function createTopicsWatch(client: Client, retentionMs: Millis): TopicsWatch {
  const { clock, health } = client;
  const keepTopics = topicKeeper(client, retentionMs);
  const bell = createBell();
  let isStopping = false;
  let lookedAt: Millis = 0;
  let cancelEarlyLook: (() => void) | null = null;
  let running: Promise<void> = Promise.resolve();

  health.onDoubt(() => {
    cancelEarlyLook ??= clock.after(Math.max(0, lookedAt + lookRestMs - clock.steady()), () => {
      cancelEarlyLook = null;
      bell.ring();
    });
  });

  /** Resolves to how long to wait before the next look. */
  async function look(): Promise<Millis> {
    try {
      await keepTopics();
      health.good('topics');
      return lookEveryMs;
    } catch (error) {
      if (error instanceof GatewayError && error.code === 'invalid_config') health.wrong('topics', error.message);
      else health.bad('topics', error);
      return lookAgainMs;
    } finally {
      lookedAt = clock.steady();
    }
  }

  async function keepLooking(first: Promise<Millis>): Promise<void> {
    let restMs = await first;
    while (!isStopping) {
      await pauseOr(clock, restMs, bell.next());
      if (!isStopping) restMs = await look();
    }
  }

  return {
    async start() {
      const first = look();
      await pauseOr(clock, firstWithinMs, first);
      running = keepLooking(first);
    },
    stop() {
      isStopping = true;
      cancelEarlyLook?.();
      bell.ring();
      return running;
    },
  };
}
