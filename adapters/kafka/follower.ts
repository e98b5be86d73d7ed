// Follows the newest records of every watched partition: one long poll for each broker that leads some of them.
//   F1  A record is handed on once and in order; a partition that ends before where we were is placed anew, and its readers are woken. What others of
//       its broker suffer does not touch it. An offset without a record (a marker of somebody's transaction) is passed.
//   F2  It never gives up: leaders move, brokers come back, topics are made anew.
import { second, type Millis } from '../../src/core/time.ts';
import { typeOf, type Client, type Connection } from './client.ts';
import { endsOf, fetchFrom, leadersOf, type Fetched, type Message } from './fetching.ts';
import type { Strand } from './strand.ts';
import { pause } from './waits.ts';

const pollMs: Millis = 250;
const partitionBytes = 1_048_576;
const restMs: Millis = 300;
const patienceMs: Millis = 2 * second;
const restMaxMs: Millis = 2 * second;

export interface Follower {
  /** Takes up a strand; it is let go when nobody watches it any more. */
  follow(strand: Strand): void;
  stop(): Promise<void>;
}

export function createFollower(client: Client, take: (strand: Strand, message: Message) => void): Follower {
  const { clock } = client;
  const connection: Connection = client.cluster();
  const { cluster } = connection;
  const strands = new Set<Strand>();
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
        for (const strand of strands) if (strand.watchers.size === 0) strands.delete(strand);
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
    if (strands.size === 0) return;
    const leaders = await leadersOf(cluster, [...new Set([...strands].map((strand) => strand.topic))], troubled);
    for (const strand of strands) {
      if (strand.next === null) await place(strand);
      const leader = leaders(strand.topic, strand.partition);
      if (leader === null) throw new Error(`no leader of ${strand.topic} ${strand.partition} is known`);
      leaderOf.set(strand, leader);
      if (!polls.has(leader))
        polls.set(
          leader,
          poll(leader).finally(() => polls.delete(leader)),
        );
    }
  }

  const leaderOf = new Map<Strand, string>();

  /** Puts the strand where its partition ends, unless what it waits for is still to come. */
  async function place(strand: Strand): Promise<void> {
    const was = strand.next; // before we ask: our own appends go on
    const { first, end } = await endsOf(cluster, strand.topic, strand.partition);
    if (was !== null && first <= was && was <= end) return;
    const isCut = was !== null && was > end;
    const isNews = isCut || end > strand.known; // readers may have looked before
    strand.place(end, isCut);
    if (isNews) strand.hear();
  }

  async function poll(leader: string): Promise<void> {
    while (!stopping) {
      const mine = [...strands].filter((strand) => leaderOf.get(strand) === leader && strand.watchers.size > 0 && strand.next !== null);
      if (mine.length === 0) return;
      try {
        const broker = await cluster.findBroker({ nodeId: leader });
        const asked = mine.map((strand) => ({ strand, life: strand.life }));
        const spots = mine.map((strand) => ({ topic: strand.topic, partition: strand.partition, offset: strand.next ?? 0 }));
        for (const fetched of await fetchFrom(client, broker, spots, { waitMs: pollMs, bytes: partitionBytes })) handOn(asked, fetched);
        client.health.good('follow');
      } catch (error) {
        await failed(mine, error);
        return;
      }
    }
  }

  function handOn(asked: readonly { readonly strand: Strand; readonly life: number }[], fetched: Fetched): void {
    const one = asked.find(({ strand }) => strand.topic === fetched.topic && strand.partition === fetched.partition);
    if (one === undefined || one.strand.life !== one.life) return; // placed anew while we asked
    const { strand } = one;
    let heard = fetched.end > strand.known;
    strand.known = Math.max(strand.known, fetched.end);
    for (const message of fetched.messages) {
      if (strand.next === null || message.offset < strand.next) continue; // ours, or the head of a batch
      if (message.offset > strand.next) strand.place(message.offset, false);
      take(strand, message);
      heard = true;
    }
    if (strand.next !== null && fetched.next > strand.next) strand.place(fetched.next, false);
    if (heard) strand.hear();
  }

  /** Where it ends cannot be asked now, and may be before where we were. */
  function forget(strand: Strand): void {
    strand.forget();
    strand.hear();
  }

  /** Asks for leaders again; where an offset is out of range, the partition was cut back or made anew (F1). */
  async function failed(mine: readonly Strand[], error: unknown): Promise<void> {
    troubled = true;
    for (const strand of mine) leaderOf.delete(strand);
    if (typeOf(error) === 'OFFSET_OUT_OF_RANGE') for (const strand of mine) await place(strand).catch(() => forget(strand));
    else client.health.bad('follow', error, patienceMs);
    await pause(clock, restMs);
    wake();
  }

  return {
    follow(strand) {
      strands.add(strand);
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
