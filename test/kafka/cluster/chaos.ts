// What happens to a cluster: brokers die one at a time, gateways die, one goes and another comes, one is frozen and wakes up.
import assert from 'node:assert/strict';
import { Kafka, logLevel } from 'kafkajs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RealGateway } from '../../process/gateway.ts';
import { until } from '../../senders/support.ts';
import type { Random } from '../../sim/random.ts';
import type { KafkaCluster } from '../broker/kafka.ts';
import type { Watch } from './watch.ts';

const wholeWithinMs = 60_000;
const againWithinMs = 60_000;

// ---------------------------------------------------------------- brokers

export interface Brokers {
  /** Kills so many, one after the other; the next one when every partition has all its copies again. */
  kill(times: number): Promise<void>;
  /** Whether all run and are in step. */
  readonly whole: boolean;
  readonly kills: number;
  /** Runs the work while all are whole and none is killed. */
  quiet<T>(work: () => Promise<T>): Promise<T>;
}

export function brokersOf(kafka: KafkaCluster, random: Random, say: (line: string) => void): Brokers {
  let whole = true;
  let kills = 0;
  let held: Promise<unknown> = Promise.resolve();

  async function killOne(): Promise<void> {
    await held;
    const broker = random.pick(kafka.brokers);
    whole = false;
    kills += 1;
    say(`broker ${broker.id} is killed`);
    await broker.kill();
    await sleep(random.int(1_000, 6_000));
    await broker.start();
    await inStep(kafka);
    whole = true;
    say(`broker ${broker.id} is back in step`);
  }

  return {
    async kill(times) {
      for (let count = 0; count < times; count += 1) {
        await sleep(random.int(10_000, 20_000));
        await killOne();
      }
    },
    async quiet(work) {
      await until('all brokers whole', { withinMs: wholeWithinMs, look: async () => (whole ? true : null), seen: async () => 'not' });
      const working = work();
      held = working.catch(() => {});
      return working;
    },
    get whole() {
      return whole;
    },
    get kills() {
      return kills;
    },
  };
}

/** Every partition of every topic, the inner ones too, has a leader and all its copies in step. */
async function inStep(kafka: KafkaCluster): Promise<void> {
  const client = new Kafka({ brokers: [...kafka.bootstrap], logLevel: logLevel.NOTHING, retry: { retries: 1 } });
  let seen = '';
  await until('every partition in step', {
    withinMs: wholeWithinMs,
    async look() {
      const admin = client.admin();
      try {
        await admin.connect();
        const { topics } = await admin.fetchTopicMetadata();
        const behind = topics.flatMap(({ name, partitions }) =>
          partitions
            .filter(({ leader, isr, replicas }) => leader < 0 || isr.length < replicas.length)
            .map((one) => `${name} ${one.partitionId}`),
        );
        seen = behind.join(', ');
        return topics.length > 0 && behind.length === 0 ? true : null;
      } catch (error) {
        seen = String(error);
        return null;
      } finally {
        await admin.disconnect().catch(() => {});
      }
    },
    seen: async () => seen,
  });
}

// ---------------------------------------------------------------- gateways

export interface Takeover {
  readonly how: 'killed' | 'stopped' | 'frozen';
  /** When it began, wall clock. */
  readonly at: number;
  /** Those that it decided. */
  readonly partitions: readonly number[];
  /** Until it ran again, or another one in its place. */
  readonly downMs: number;
  /** Null when it took longer than a minute. */
  readonly tookMs: number | null;
  /** A broker was away at the same time. */
  readonly troubled: boolean;
}

export interface Zombie {
  readonly pid: number;
  readonly stoppedAt: number;
  readonly wokenAt: number;
}

export interface Gateways {
  /** Those that shall run, also while one of them is down. */
  readonly all: readonly RealGateway[];
  readonly takeovers: readonly Takeover[];
  readonly zombies: readonly Zombie[];
  /** SIGKILL, and a new life on the same folder a moment later. */
  killOne(): Promise<void>;
  /** SIGTERM to one for good; a new one on a new folder takes its place. */
  replaceOne(make: () => Promise<RealGateway>): Promise<void>;
  /** SIGSTOP for longer than its session, then SIGCONT. */
  freezeOne(spanMs: number): Promise<void>;
}

export function gatewaysOf(
  first: readonly RealGateway[],
  parts: { random: Random; watch: Watch; brokers: Brokers; partitions: number; say: (line: string) => void },
): Gateways {
  const { random, watch, brokers } = parts;
  /** Of a gateway that does not say what it decides. */
  const everyone = Array.from({ length: parts.partitions }, (_, partition) => partition);
  const all = [...first];
  const takeovers: Takeover[] = [];
  const zombies: Zombie[] = [];

  async function takeover(how: Takeover['how'], gateway: RealGateway, work: () => Promise<void>): Promise<void> {
    assert.ok(gateway.pid !== null, `a gateway ended by itself: ${gateway.log()}`);
    const held = await figures(gateway, /^quench_partition_held\{role="host",partition="(\d+)"\} 1$/gm).catch(() => everyone);
    const before = { whole: brokers.whole, kills: brokers.kills };
    const at = Date.now();
    parts.say(`${gateway.url} with [${held.join(' ')}] is ${how}`);
    const again = watch.decidedAgain(held, at, againWithinMs);
    await work();
    const downMs = Date.now() - at;
    parts.say(`${gateway.url} was away for ${downMs} ms`);
    const tookMs = await again;
    parts.say(`taken over after ${tookMs} ms`);
    const troubled = !(before.whole && brokers.whole && before.kills === brokers.kills);
    takeovers.push({ how, at, partitions: held, downMs, tookMs, troubled });
  }

  return {
    all,
    takeovers,
    zombies,
    async killOne() {
      const gateway = random.pick(all);
      await takeover('killed', gateway, async () => {
        await gateway.kill();
        await sleep(random.int(0, 1_500));
        await gateway.start();
      });
    },
    async replaceOne(make) {
      const old = random.pick(all);
      await brokers.quiet(async () => {
        await until('nothing waits to be sent on', {
          withinMs: 120_000,
          look: async () => ((await figures(old, /^quench_spool_records (\d+)$/gm).catch(() => []))[0] === 0 ? true : null),
          seen: async () => old.log(),
        });
        await takeover('stopped', old, async () => {
          await old.stop();
          all.splice(all.indexOf(old), 1);
          const next = await make();
          all.push(next);
          await next.start();
        });
      });
    },
    async freezeOne(spanMs) {
      const gateway = random.pick(all);
      await takeover('frozen', gateway, async () => {
        const stoppedAt = Date.now();
        gateway.signal('SIGSTOP');
        await sleep(spanMs);
        zombies.push({ pid: gateway.pid ?? 0, stoppedAt, wokenAt: Date.now() });
        gateway.signal('SIGCONT');
      });
    },
  };
}

/** Numbers that the pattern's first group finds in the gateway's metrics. */
export async function figures(gateway: RealGateway, pattern: RegExp): Promise<readonly number[]> {
  const answer = await fetch(`${gateway.url}/metrics`, { signal: AbortSignal.timeout(5_000) });
  return [...(await answer.text()).matchAll(pattern)].map((found) => Number(found[1]));
}
