// Follows the newest records of every watched partition: one long poll for each broker that leads some of them.
//   F1  A record is handed on once and in order; a partition that ends before where we were is placed anew, and its readers are woken. What others of
//       its broker suffer does not touch it. An offset without a record (a marker of somebody's transaction) is passed.
//   F2  It never gives up: leaders move, brokers come back, topics are made anew.
import { second, type Millis } from '../../src/core/time.ts';
import { typeOf, type Client, type Connection } from './client.ts';
import { endsOf, fetchFrom, leadersOf, type Fetched, type Message } from './fetching.ts';
import type { PartitionBuffer } from './partition-buffer.ts';
import { pause } from './waits.ts';

const pollMs: Millis = 250;
const partitionBytes = 1_048_576;
const restMs: Millis = 300;
const patienceMs: Millis = 2 * second;
const restMaxMs: Millis = 2 * second;

export interface Follower {
  /** Takes up a buffer; it is let go when nobody watches it any more. */
  follow(buffer: PartitionBuffer): void;
  stop(): Promise<void>;
}

export function createFollower(client: Client, take: (buffer: PartitionBuffer, message: Message) => void): Follower {
  const { clock } = client;
  const connection: Connection = client.cluster();
  const { cluster } = connection;
  const buffers = new Set<PartitionBuffer>();
  const polls = new Map<string, Promise<void>>();
  let stopping = false;
  let running: Promise<void> | null = null;
  let wake: () => void = () => {};
  let troubled = false;

  /** Finds leaders and keeps a poll going for each; comes back to it when something failed or was added. */
  async function run(): Promise<void> {
    let rest = restMs;
    while (!stopping) {
      const again = new Promise<void>((resolve) => (wake = resolve));
      try {
        for (const buffer of buffers) if (buffer.watchers.size === 0) buffers.delete(buffer);
        await cluster.connect();
        await assignAll();
        troubled = false;
        rest = restMs;
        await again;
      } catch (error) {
        client.health.bad('follow', error, patienceMs);
        await pause(clock, rest);
        rest = Math.min(restMaxMs, rest * 2);
      }
    }
    await Promise.all(polls.values());
  }

  async function assignAll(): Promise<void> {
    if (buffers.size === 0) return;
    const leaders = await leadersOf(cluster, [...new Set([...buffers].map((buffer) => buffer.topic))], troubled);
    for (const buffer of buffers) {
      if (buffer.next === null) await place(buffer);
      const leader = leaders(buffer.topic, buffer.partition);
      if (leader === null) throw new Error(`no leader of ${buffer.topic} ${buffer.partition} is known`);
      leaderOf.set(buffer, leader);
      if (!polls.has(leader))
        polls.set(
          leader,
          poll(leader).finally(() => polls.delete(leader)),
        );
    }
  }

  const leaderOf = new Map<PartitionBuffer, string>();

  /** Puts the buffer where its partition ends, unless what it waits for is still to come. */
  async function place(buffer: PartitionBuffer): Promise<void> {
    const was = buffer.next; // before we ask: our own appends go on
    const { first, end } = await endsOf(cluster, buffer.topic, buffer.partition);
    if (was !== null && first <= was && was <= end) return;
    const isCut = was !== null && was > end;
    const isNews = isCut || end > buffer.durableEnd; // readers may have looked before
    buffer.place(end, isCut);
    if (isNews) buffer.notify();
  }

  async function poll(leader: string): Promise<void> {
    while (!stopping) {
      const mine = [...buffers].filter((buffer) => leaderOf.get(buffer) === leader && buffer.watchers.size > 0 && buffer.next !== null);
      if (mine.length === 0) return;
      try {
        const broker = await cluster.findBroker({ nodeId: leader });
        const asked = mine.map((buffer) => ({ buffer, life: buffer.generation }));
        const spots = mine.map((buffer) => ({ topic: buffer.topic, partition: buffer.partition, offset: buffer.next ?? 0 }));
        for (const fetched of await fetchFrom(client, broker, spots, { waitMs: pollMs, bytes: partitionBytes })) handOn(asked, fetched);
        client.health.good('follow');
      } catch (error) {
        await failed(mine, error);
        return;
      }
    }
  }

  function handOn(asked: readonly { readonly buffer: PartitionBuffer; readonly life: number }[], fetched: Fetched): void {
    const one = asked.find(({ buffer }) => buffer.topic === fetched.topic && buffer.partition === fetched.partition);
    if (one === undefined || one.buffer.generation !== one.life) return; // placed anew while we asked
    const { buffer } = one;
    let heard = fetched.end > buffer.durableEnd;
    buffer.durableEnd = Math.max(buffer.durableEnd, fetched.end);
    for (const message of fetched.messages) {
      if (buffer.next === null || message.offset < buffer.next) continue; // ours, or the head of a batch
      if (message.offset > buffer.next) buffer.place(message.offset, false);
      take(buffer, message);
      heard = true;
    }
    if (buffer.next !== null && fetched.next > buffer.next) buffer.place(fetched.next, false);
    if (heard) buffer.notify();
  }

  /** Where it ends cannot be asked now, and may be before where we were. */
  function forget(buffer: PartitionBuffer): void {
    buffer.forget();
    buffer.notify();
  }

  /** Asks for leaders again; where an offset is out of range, the partition was cut back or made anew (F1). */
  async function failed(mine: readonly PartitionBuffer[], error: unknown): Promise<void> {
    troubled = true;
    for (const buffer of mine) leaderOf.delete(buffer);
    if (typeOf(error) === 'OFFSET_OUT_OF_RANGE') for (const buffer of mine) await place(buffer).catch(() => forget(buffer));
    else client.health.bad('follow', error, patienceMs);
    await pause(clock, restMs);
    wake();
  }

  return {
    follow(buffer) {
      buffers.add(buffer);
      running ??= run();
      wake();
    },
    async stop() {
      stopping = true;
      wake();
      await connection.close().catch(() => {});
      await running;
    },
  };
}
