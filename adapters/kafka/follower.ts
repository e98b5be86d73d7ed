// Follows the newest records of every watched partition: one long poll for each broker that leads some of them.
//   F1  A record is handed on once and in order; a partition that ends before where we were is placed anew, and its readers are woken. What others of
//       its broker suffer does not touch it. An offset without a record (a marker of somebody's transaction) is passed.
//   F2  It never gives up: leaders move, brokers come back, topics are made anew.
//   F3  What this process appends in quick succession is not all fetched back: the more of it came, the longer the next poll waits, up to 20 ms.
//       A process that appends little hears of what others append at once.
import { setImmediate as nextRound } from 'node:timers/promises';
import { second, type Millis } from '../../src/core/time.ts';
import { typeOf, type Client, type Cluster } from './client.ts';
import { endsOf, fetchFrom, leadersOf, type Fetched, type Message } from './fetching.ts';
import type { PartitionBuffer } from './partition-buffer.ts';
import { createBell, pause, type Bell } from './waits.ts';

const pollMs: Millis = 250;
const partitionBytes = 1_048_576;
/** Of what we appended ourselves the broker tells us, too. After so many records of it the next poll waits a millisecond, for us to know of what was appended meanwhile. */
const echoesForAMs = 16;
const echoRestMaxMs: Millis = 20;
/** Pause after a failure; it doubles up to the largest while leaders cannot be found. */
const restMs: Millis = 300;
const restMaxMs: Millis = 2 * second;
/** What fails for a shorter time is not worth a line: a leader that moves. */
const graceMs: Millis = 2 * second;

export interface Follower {
  /** Takes up a buffer; it is let go when nobody watches it any more. */
  follow(buffer: PartitionBuffer): void;
  stop(): Promise<void>;
}

/** Puts the record of the message at a place of those that came with it into its buffer. */
type Take = (buffer: PartitionBuffer, messages: readonly Message[], at: number) => void;

interface Following {
  readonly client: Client;
  readonly cluster: Cluster;
  readonly take: Take;
  readonly buffers: Set<PartitionBuffer>;
  /** The broker that leads a buffer's partition; missing after its poll failed, until leaders are looked up again. */
  readonly leaderOf: Map<PartitionBuffer, string>;
  /** The running poll of each leader. */
  readonly polls: Map<string, Promise<void>>;
  /** Rings when leaders have to be looked up: a buffer was added, or a poll failed. */
  readonly bell: Bell;
  /** A poll failed since leaders were last looked up: what the client remembers of them may be old. */
  isTroubled: boolean;
  isStopping: boolean;
}

export function createFollower(client: Client, take: Take): Follower {
  const connection = client.cluster();
  const following: Following = {
    client,
    cluster: connection.cluster,
    take,
    buffers: new Set(),
    leaderOf: new Map(),
    polls: new Map(),
    bell: createBell(),
    isTroubled: false,
    isStopping: false,
  };
  let running: Promise<void> | null = null;
  return {
    follow(buffer) {
      following.buffers.add(buffer);
      running ??= run(following);
      following.bell.ring();
    },
    async stop() {
      following.isStopping = true;
      following.bell.ring();
      await connection.close().catch(() => {});
      await running;
    },
  };
}

/** Looks up the leaders and keeps a poll going for each; does so again whenever the bell rings, and after a failure (F2). */
async function run(following: Following): Promise<void> {
  const { client, cluster, buffers, polls, bell } = following;
  let rest = restMs;
  while (!following.isStopping) {
    const again = bell.next();
    try {
      for (const buffer of buffers) if (buffer.watchers.size === 0) buffers.delete(buffer);
      await cluster.connect();
      await assignLeaders(following);
      following.isTroubled = false;
      rest = restMs;
      await again;
    } catch (error) {
      client.health.bad('follow', error, graceMs);
      await pause(client.clock, rest);
      rest = Math.min(restMaxMs, rest * 2);
    }
  }
  await Promise.all(polls.values());
}

/** Finds out who leads the partition of each buffer, and begins a poll for each leader that has none. */
async function assignLeaders(following: Following): Promise<void> {
  const { cluster, buffers, leaderOf, polls } = following;
  if (buffers.size === 0) return;
  const leaders = await leadersOf(cluster, [...new Set([...buffers].map((buffer) => buffer.topic))], following.isTroubled);
  for (const buffer of buffers) {
    if (buffer.next === null) await placeAtEnd(cluster, buffer);
    const leader = leaders(buffer.topic, buffer.partition);
    if (leader === null) throw new Error(`no leader of ${buffer.topic} ${buffer.partition} is known`);
    leaderOf.set(buffer, leader);
    if (!polls.has(leader))
      polls.set(
        leader,
        poll(following, leader).finally(() => polls.delete(leader)),
      );
  }
}

/** Asks one broker for what is new, again and again, until it leads nothing that is watched, or a request fails. */
async function poll(following: Following, leader: string): Promise<void> {
  const { client, cluster, buffers, leaderOf, take } = following;
  while (!following.isStopping) {
    const led = [...buffers].filter((buffer) => leaderOf.get(buffer) === leader && buffer.watchers.size > 0 && buffer.next !== null);
    if (led.length === 0) return;
    try {
      const broker = await cluster.findBroker({ nodeId: leader });
      const asked = led.map((buffer) => ({ buffer, generation: buffer.generation }));
      const spots = led.map((buffer) => ({ topic: buffer.topic, partition: buffer.partition, offset: buffer.next ?? 0 }));
      const answers = await fetchFrom(client, broker, spots, { waitMs: pollMs, bytes: partitionBytes });
      client.health.good('follow');
      // The answer to an append of ours, of which this one tells, may be in hand already: it saves reading what was written.
      await nextRound();
      let echoes = 0;
      for (const fetched of answers) echoes += handOn(asked, fetched, take);
      if (echoes >= echoesForAMs) await pause(client.clock, Math.min(echoRestMaxMs, Math.trunc(echoes / echoesForAMs))); // F3
    } catch (error) {
      await pollFailed(following, led, error);
      return;
    }
  }
}

/** Has leaders looked up again; where an offset is out of range, a partition was cut back or made anew, and its buffer is placed anew (F1). */
async function pollFailed(following: Following, led: readonly PartitionBuffer[], error: unknown): Promise<void> {
  const { client, cluster, leaderOf, bell } = following;
  following.isTroubled = true;
  for (const buffer of led) leaderOf.delete(buffer);
  if (typeOf(error) === 'OFFSET_OUT_OF_RANGE') for (const buffer of led) await placeAtEnd(cluster, buffer).catch(() => forget(buffer));
  else client.health.bad('follow', error, graceMs);
  await pause(client.clock, restMs);
  bell.ring();
}

/** Puts the buffer where its partition ends, unless what it waits for is still to come. */
async function placeAtEnd(cluster: Cluster, buffer: PartitionBuffer): Promise<void> {
  const was = buffer.next; // before we ask: our own appends go on meanwhile
  const { first, end } = await endsOf(cluster, buffer.topic, buffer.partition);
  if (was !== null && first <= was && was <= end) return;
  const isCutBack = was !== null && was > end;
  const isNews = isCutBack || end > buffer.durableEnd; // readers may have looked before
  buffer.place(end, isCutBack);
  if (isNews) buffer.notify();
}

/** For a partition whose end cannot be asked now, and may be before where we were. */
function forget(buffer: PartitionBuffer): void {
  buffer.forget();
  buffer.notify();
}

/** Hands on what was fetched for one of the buffers that were asked for (F1). Returns how much of it was here already. */
function handOn(
  asked: readonly { readonly buffer: PartitionBuffer; readonly generation: number }[],
  { topic, partition, messages, next, end }: Fetched,
  take: Take,
): number {
  const match = asked.find(({ buffer }) => buffer.topic === topic && buffer.partition === partition);
  if (match === undefined || match.buffer.generation !== match.generation) return 0; // placed anew while we asked
  const { buffer } = match;
  let echoes = 0;
  let isNews = end > buffer.durableEnd;
  buffer.durableEnd = Math.max(buffer.durableEnd, end);
  for (const [at, message] of messages.entries()) {
    if (buffer.next === null || message.offset < buffer.next) {
      echoes += 1; // appended by us and here already, or the head of a batch
      continue;
    }
    if (message.offset > buffer.next) buffer.place(message.offset, false);
    take(buffer, messages, at);
    isNews = true;
  }
  if (buffer.next !== null && next > buffer.next) buffer.place(next, false);
  if (isNews) buffer.notify();
  return echoes;
}
