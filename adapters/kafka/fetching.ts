// Records from a partition at an offset: one request, decoded, with what the broker says of the partition's ends.
//   R1  Records of aborted transactions and control records are never returned; `next` passes them, and is never below the end of what was read.
//   R2  A read of one partition goes on while there is more: its `next` is above its offset.
import { typeOf, type Broker, type Client, type Cluster, type Connection } from './client.ts';
import type { Millis } from '../../src/core/time.ts';
import { pause, within } from './waits.ts';

/** Above the largest batch that our topics take, so that a batch always comes whole. */
export const fetchBytesMax = 20_971_520;
const answerWithinMs: Millis = 6_000;

export interface Message {
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: { readonly [name: string]: Buffer | undefined };
}

/** Header of every record that a gateway writes, with the version of the record's form: a record without it was written by somebody else. */
export const formHeader = 'quench';

/** Of a record that is JSON and nothing else. */
export const stamp = { [formHeader]: '1' } as const;

export function isOurs(message: Message): boolean {
  return formOf(message) > 0;
}

/** 0 for a record that somebody else wrote. */
export function formOf({ headers }: Message): number {
  const form = headers[formHeader];
  return form === undefined ? 0 : Math.max(1, Number(form.toString()) || 1);
}

export interface Fetched {
  readonly topic: string;
  readonly partition: number;
  /** Offset that was asked for; a batch comes whole, so there may be messages below it. */
  readonly from: number;
  readonly messages: readonly Message[];
  /** Where to go on. */
  readonly next: number;
  /** Everything below is committed. */
  readonly end: number;
}

export interface Spot {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

interface RawMessage {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: { readonly [name: string]: Buffer | undefined };
  readonly isControlRecord?: boolean;
  readonly batchContext?: {
    readonly firstOffset: string;
    readonly lastOffsetDelta: number;
    readonly producerId: string;
    readonly inTransaction: boolean;
    readonly isControlBatch: boolean;
  };
}

interface RawPartition {
  readonly partition: number;
  readonly highWatermark: string;
  readonly lastStableOffset?: string;
  readonly abortedTransactions?: readonly { readonly producerId: string; readonly firstOffset: string }[];
  readonly messages: readonly RawMessage[];
}

/** Fetches of several partitions of one leader. Rejects with the client's error. */
export async function fetchFrom(
  client: Client,
  broker: Broker,
  spots: readonly Spot[],
  { waitMs, bytes, committed = false }: { readonly waitMs: Millis; readonly bytes: number; readonly committed?: boolean },
): Promise<readonly Fetched[]> {
  const topics = [...Map.groupBy(spots, (spot) => spot.topic)].map(([topic, topicSpots]) => ({
    topic,
    partitions: topicSpots.map(({ partition, offset }) => ({ partition, fetchOffset: String(offset), maxBytes: bytes })),
  }));
  const request = {
    replicaId: -1,
    isolationLevel: committed ? 1 : 0,
    maxWaitTime: waitMs,
    minBytes: 1,
    maxBytes: fetchBytesMax,
    topics,
    rackId: '',
  };
  const answer = (await within(client.clock, answerWithinMs, 'fetch', broker.fetch(request))) as {
    readonly responses: readonly { readonly topicName: string; readonly partitions: readonly RawPartition[] }[];
  };
  return answer.responses.flatMap(({ topicName, partitions }) =>
    partitions.map((raw) => {
      const from = spots.find((spot) => spot.topic === topicName && spot.partition === raw.partition)?.offset ?? 0;
      return decoded(topicName, raw, from, committed);
    }),
  );
}

function decoded(topic: string, raw: RawPartition, from: number, committed: boolean): Fetched {
  const end = Number(committed ? (raw.lastStableOffset ?? raw.highWatermark) : raw.highWatermark);
  const aborted = [...(raw.abortedTransactions ?? [])].toSorted((a, b) => Number(a.firstOffset) - Number(b.firstOffset));
  /** Producers whose transaction was aborted. */
  const abortedProducers = new Set<string>();
  const messages: Message[] = [];
  let next = from;
  for (const message of raw.messages) {
    const offset = Number(message.offset);
    // Compaction takes records from the end of a batch, and the batch goes on as far as it did.
    const { firstOffset = message.offset, lastOffsetDelta = 0 } = message.batchContext ?? {};
    next = Math.max(next, offset + 1, Number(firstOffset) + lastOffsetDelta + 1);
    while (aborted[0] !== undefined && Number(aborted[0].firstOffset) <= offset) abortedProducers.add(aborted.shift()?.producerId ?? '');
    const { producerId = '', inTransaction = false, isControlBatch = false } = message.batchContext ?? {};
    if (isControlBatch || message.isControlRecord === true) abortedProducers.delete(producerId);
    else if (!(inTransaction && abortedProducers.has(producerId)))
      messages.push({ offset, key: message.key, value: message.value, headers: message.headers }); // R1
  }
  return { topic, partition: raw.partition, from, messages, next, end };
}

/** Partitions by the broker that leads them; refreshes what is known of them when `fresh`. */
export async function leadersOf(
  cluster: Cluster,
  topics: readonly string[],
  fresh: boolean,
): Promise<(topic: string, partition: number) => string | null> {
  await cluster.addMultipleTargetTopics([...topics]);
  if (fresh) await cluster.refreshMetadata();
  else await cluster.refreshMetadataIfNecessary();
  return (topic, partition) => {
    const [leader] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]));
    return leader ?? null;
  };
}

/** First retained and next offset of a partition. */
export async function endsOf(
  cluster: Cluster,
  topic: string,
  partition: number,
): Promise<{ readonly first: number; readonly end: number }> {
  await cluster.addMultipleTargetTopics([topic]);
  const offsetAt = async (fromBeginning: boolean): Promise<number> => {
    const [answer] = await cluster.fetchTopicsOffset([{ topic, partitions: [{ partition }], fromBeginning }]);
    return Number(answer?.partitions[0]?.offset ?? 0);
  };
  const [first, end] = await Promise.all([offsetAt(true), offsetAt(false)]);
  return { first, end: Math.max(first, end) };
}

/** One-off reads, one after the other, on a connection that long polls do not hold up; tries anew while leaders move. */
export interface Reads {
  fetch(spot: Spot, options?: { readonly bytes?: number; readonly committed?: boolean }): Promise<Fetched>;
  ends(topic: string, partition: number): Promise<{ readonly first: number; readonly end: number }>;
  close(): Promise<void>;
}

const triesMax = 6;
/** Pause before the second try; before the third it is twice that, and so on. */
const restMs: Millis = 100;
/** Of all tries: longer than a change of leader, short enough for whoever waits at a start. */
const readWithinMs: Millis = 8_000;
const pagesBytes = 1_048_576;

export function createReads(client: Client): Reads {
  const connection: Connection = client.cluster();
  const { cluster } = connection;
  let connected: Promise<void> | null = null;

  async function connectedAnd<T>(ask: () => Promise<T>): Promise<T> {
    connected ??= cluster.connect();
    await connected;
    return ask();
  }

  /** Asks, and asks again with leaders looked up anew. An offset that is out of range is the answer, not a failure. */
  async function askAgain<T>(ask: (fresh: boolean) => Promise<T>): Promise<T> {
    const until = client.clock.steady() + readWithinMs;
    /** Thrown in the end: it says more than that the time was over. */
    let first: { readonly error: unknown } | null = null;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const left = Math.max(1, until - client.clock.steady());
        const answer = await within(
          client.clock,
          left,
          'read',
          connectedAnd(() => ask(attempt > 1)),
        );
        client.health.good('read');
        return answer;
      } catch (error) {
        connected = null;
        if (typeOf(error) === 'OFFSET_OUT_OF_RANGE') throw error;
        first ??= { error };
        if (attempt >= triesMax || client.clock.steady() >= until) throw first.error;
        await pause(client.clock, restMs * attempt);
      }
    }
  }

  return {
    fetch: (spot, { bytes = pagesBytes, committed = false } = {}) =>
      askAgain(async (fresh) => {
        const leaders = await leadersOf(cluster, [spot.topic], fresh);
        const nodeId = leaders(spot.topic, spot.partition);
        if (nodeId === null) throw new Error(`no leader of ${spot.topic} ${spot.partition} is known`);
        const broker = await cluster.findBroker({ nodeId });
        const [fetched] = await fetchFrom(client, broker, [spot], { waitMs: 5, bytes, committed });
        if (fetched === undefined) throw new Error(`no answer for ${spot.topic} ${spot.partition}`);
        // Compaction leaves empty batches, of which the client tells nothing: of one partition alone a batch always comes, whatever its size.
        return fetched.next === spot.offset && spot.offset < fetched.end ? { ...fetched, next: spot.offset + 1 } : fetched;
      }),
    ends: (topic, partition) =>
      askAgain(async (fresh) => {
        if (fresh) await leadersOf(cluster, [topic], true); // it asks whom it takes for the leader, and never looks again by itself
        return endsOf(cluster, topic, partition);
      }),
    close: () => connection.close(),
  };
}
