// What the failure tests stand on: the shared log opened with its words kept, writers that never rest and remember what was acknowledged,
// and a reader that is not ours.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Kafka, logLevel, type Admin, type SASLOptions } from 'kafkajs';
import { setTimeout as sleep } from 'node:timers/promises';
import { openKafka } from '../../../adapters/kafka/backbone.ts';
import type { KafkaOptions } from '../../../adapters/kafka/options.ts';
import { memoryDisk } from '../../../adapters/memory/disk.ts';
import { memoryStore } from '../../../adapters/memory/store.ts';
import { GatewayError } from '../../../src/core/errors.ts';
import { systemClock } from '../../../src/gateway/clock.ts';
import type { Backbone } from '../../../src/ports/backbone.ts';
import type { EventLog, Topic } from '../../../src/ports/event-log.ts';
import { until } from '../../senders/support.ts';
import type { KafkaCluster } from '../broker/kafka.ts';

/** The longest that anything here is waited for. */
export const patienceMs = 30_000;

export interface Line {
  readonly level: 'info' | 'warn' | 'error';
  readonly text: string;
  readonly fields: { readonly [name: string]: unknown };
}

/** What was said, in order. */
export class Lines {
  readonly all: Line[] = [];
  readonly logger = { info: this.#keep('info'), warn: this.#keep('warn'), error: this.#keep('error') };

  #keep(level: Line['level']): (fields: Line['fields'], text: string) => void {
    return (fields, text) => {
      const error = fields['error'];
      this.all.push({ level, text, fields: error instanceof Error ? { ...fields, error: `${error.name}: ${error.message}` } : fields });
    };
  }

  of(text: string): readonly Line[] {
    return this.all.filter((line) => line.text === text);
  }

  /** Every part of the log that was away came back, and each was said once for each time; some part was, unless told otherwise. */
  assertInTurns(timesMax: number, wasAway = true): void {
    const turns = Map.groupBy(
      this.all.filter(({ text }) => text === 'log is away' || text === 'log is back'),
      ({ fields }) => fields['part'],
    );
    assert.ok(turns.size > 0 || !wasAway, 'some part was away');
    for (const [part, lines] of turns) {
      const told = lines.map(({ text }) => text.replace('log is ', ''));
      assert.ok(told.length % 2 === 0 && told.length <= 2 * timesMax, `${String(part)}: ${told.join(', ')}`);
      for (const [place, word] of told.entries())
        assert.equal(word, place % 2 === 0 ? 'away' : 'back', `${String(part)}: ${told.join(', ')}`);
    }
  }
}

export interface Opened {
  readonly backbone: Backbone;
  readonly log: EventLog;
  readonly lines: Lines;
  readonly prefix: string;
  close(): Promise<void>;
}

/** Topics of its own, unless a prefix is given; one copy on one broker, three on three. */
export async function open(
  cluster: { readonly bootstrap: readonly string[]; readonly brokers: readonly unknown[] },
  change: Partial<KafkaOptions> = {},
): Promise<Opened> {
  const { topicPrefix = newPrefix(), partitions = 2 } = change;
  const lines = new Lines();
  const local = memoryStore({ disk: memoryDisk(), partitions, clock: systemClock });
  const options = { brokers: cluster.bootstrap, replication: cluster.brokers.length, ...change, topicPrefix, partitions };
  const backbone = await openKafka(options, {
    clock: systemClock,
    logger: lines.logger,
    watch: { appended: () => {}, rebalanced: () => {} },
    local,
    instance: `test-${topicPrefix}`,
    retentionMs: 86_400_000,
  });
  const close = async (): Promise<void> => {
    await backbone.close();
    await local.close();
  };
  return { backbone, log: backbone.log, lines, prefix: topicPrefix, close };
}

export function newPrefix(): string {
  return `f${randomBytes(4).toString('hex')}.`;
}

/** A client beside the gateway's, as an operator's tools would be. */
export function outsider(cluster: KafkaCluster, sasl?: SASLOptions): Kafka {
  return new Kafka({
    brokers: [...cluster.bootstrap],
    logLevel: logLevel.NOTHING,
    requestTimeout: 2_000,
    retry: { retries: 8, initialRetryTime: 100, maxRetryTime: 1_000 },
    ...(sasl === undefined ? {} : { sasl }),
  });
}

export async function withAdmin<T>(kafka: Kafka, ask: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await ask(admin);
  } finally {
    await admin.disconnect();
  }
}

export interface Seen {
  readonly partition: number;
  readonly offset: number;
  readonly value: string;
}

/** Everything in a topic, by partition and offset, read by a consumer that is none of our code. */
export async function everythingIn(kafka: Kafka, topic: string): Promise<readonly Seen[]> {
  const ends = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic));
  const missing = new Map(
    ends.filter(({ low, high }) => Number(high) > Number(low)).map(({ partition, high }) => [partition, Number(high)]),
  );
  const seen: Seen[] = [];
  const consumer = kafka.consumer({ groupId: `reader-${newPrefix()}`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachBatchAutoResolve: true,
    async eachBatch({ batch }) {
      const { partition, messages } = batch;
      for (const { offset, value } of messages) seen.push({ partition, offset: Number(offset), value: value?.toString() ?? '' });
      if (Number(batch.lastOffset()) + 1 >= (missing.get(partition) ?? 0)) missing.delete(partition);
    },
  });
  await until(`all of ${topic} is read`, {
    withinMs: patienceMs,
    look: async () => (missing.size === 0 ? true : null),
    seen: async () => `${seen.length} records, to come: ${JSON.stringify([...missing])}`,
  });
  await consumer.disconnect();
  return seen.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset);
}

interface Sent {
  readonly name: string;
  readonly partition: number;
  readonly offset: number;
}

export interface Crowd {
  readonly acked: readonly Sent[];
  readonly failed: readonly { readonly code: string; readonly tookMs: number }[];
  /** Longest time of one append so far, whatever became of it. */
  readonly slowestMs: number;
  /** When an append to the partition was last acknowledged, and its longest pause since the crowd began. */
  pauseOf(partition: number): number;
  stop(): Promise<void>;
}

/** So many writers, each with one append under way at any time; a failed one is not tried again, so every record is sent once. */
export function crowd(log: EventLog, topic: Topic, writers: number): Crowd {
  const acked: Sent[] = [];
  const failed: { code: string; tookMs: number }[] = [];
  const lastAt = new Map<number, number>();
  const pauses = new Map<number, number>();
  let slowestMs = 0;
  let stopping = false;

  async function write(writer: number): Promise<void> {
    const partition = writer % log.partitions;
    for (let count = 0; !stopping; count += 1) {
      const name = `${writer}:${count}`;
      const began = performance.now();
      try {
        const offset = await log.append(topic, { partition, scope: `writer-${writer}`, values: [{ type: 'Test', name }] });
        acked.push({ name, partition, offset });
        const at = performance.now();
        pauses.set(partition, Math.max(pauses.get(partition) ?? 0, at - (lastAt.get(partition) ?? at)));
        lastAt.set(partition, at);
      } catch (error) {
        failed.push({ code: error instanceof GatewayError ? error.code : String(error), tookMs: performance.now() - began });
        await sleep(50);
      }
      slowestMs = Math.max(slowestMs, performance.now() - began);
      await sleep(5);
    }
  }

  const all = Array.from({ length: writers }, (_, writer) => write(writer));
  return {
    acked,
    failed,
    get slowestMs() {
      return slowestMs;
    },
    pauseOf: (partition) => Math.round(pauses.get(partition) ?? 0),
    async stop() {
      stopping = true;
      await Promise.all(all);
    },
  };
}

/** Every acknowledged record is there once, at the offset that was told, in its writer's order; what was not acknowledged is there at most once. */
export function assertNothingLost(acked: readonly Sent[], seen: readonly Seen[]): void {
  const places = new Map<string, Seen[]>();
  for (const one of seen) {
    const { name } = JSON.parse(one.value) as { readonly name: string };
    places.set(name, [...(places.get(name) ?? []), one]);
  }
  for (const [name, found] of places) assert.equal(found.length, 1, `${name} is there ${found.length} times: ${JSON.stringify(found)}`);
  for (const { name, partition, offset } of acked) {
    const [at] = places.get(name) ?? [];
    assert.ok(at !== undefined, `${name} was acknowledged at ${partition}/${offset} and is not there`);
    assert.deepEqual([at.partition, at.offset], [partition, offset], `${name} is where it was said to be`);
  }
  const newest = new Map<string, number>();
  for (const [name] of places) {
    const [writer = '', count = ''] = name.split(':');
    assert.ok(Number(count) > (newest.get(writer) ?? -1), `${name} comes after ${newest.get(writer)}`);
    newest.set(writer, Number(count));
  }
}

/** Waits until the log has nothing to complain of. */
export async function well({ backbone, lines }: Pick<Opened, 'backbone' | 'lines'>): Promise<void> {
  await until('the log is well', {
    withinMs: patienceMs,
    look: async () => (backbone.problem() === null ? true : null),
    seen: async () => `${backbone.problem()}\n${JSON.stringify(lines.all)}`,
  });
}
