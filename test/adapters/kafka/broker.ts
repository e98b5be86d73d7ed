// A cluster of one broker as far as the log asks it, in memory: for what real ones do too rarely, or too fast, to wait for.
// What our code does on real brokers is in test/kafka.
import type { Client } from '../../../adapters/kafka/client.ts';
import { systemClock } from '../../../src/gateway/clock.ts';

/** Of a partition; `marker` holds an offset and is no record. */
interface Stored {
  readonly offset: number;
  readonly value: object | 'marker';
}

export interface FakeBroker {
  readonly client: Client;
  /** Appends as another gateway would; returns the offset. */
  put(topic: string, partition: number, value: object | 'marker'): number;
  /** Makes the partition anew, or without what is below `from`. */
  cut(topic: string, partition: number, from?: number): void;
  /** While false nobody is told where a partition ends. */
  tellsEnds: boolean;
  /** Called between the broker's answer about an end and its arrival. */
  beforeEnd: (topic: string) => Promise<void>;
  /** Milliseconds that the follower, the second to connect, needs to find its broker. */
  findMs: number;
  /** What a producer's send answers instead of appending. */
  sendsNothing: boolean;
  readonly fetches: number;
}

export function fakeBroker(partitions: number): FakeBroker {
  const logs = new Map<string, { first: number; next: number; records: Stored[] }>();
  let fetches = 0;
  let connections = 0;
  const logOf = (topic: string, partition: number): { first: number; next: number; records: Stored[] } => {
    const key = `${topic} ${partition}`;
    const known = logs.get(key) ?? { first: 0, next: 0, records: [] };
    logs.set(key, known);
    return known;
  };
  const wait = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));
  const refused = (type: string): Error => Object.assign(new Error(type), { type });

  function put(topic: string, partition: number, value: object | 'marker'): number {
    const log = logOf(topic, partition);
    log.records.push({ offset: log.next, value });
    log.next += 1;
    return log.next - 1;
  }

  const raw = ({ offset, value }: Stored): object => ({
    offset: String(offset),
    key: Buffer.from('s'),
    value: value === 'marker' ? null : Buffer.from(JSON.stringify(value)),
    headers: value === 'marker' ? {} : { quench: Buffer.from('1') },
    batchContext: {
      firstOffset: String(offset),
      lastOffsetDelta: 0,
      producerId: '7',
      inTransaction: value === 'marker',
      isControlBatch: value === 'marker',
    },
  });

  interface Asked {
    readonly topics: readonly {
      readonly topic: string;
      readonly partitions: readonly { readonly partition: number; readonly fetchOffset: string }[];
    }[];
    readonly maxWaitTime: number;
  }
  const broker = {
    async fetch({ topics, maxWaitTime }: Asked): Promise<object> {
      fetches += 1;
      let found = false;
      const responses = topics.map(({ topic, partitions: asked }) => ({
        topicName: topic,
        partitions: asked.map(({ partition, fetchOffset }) => {
          const { first, next, records } = logOf(topic, partition);
          if (Number(fetchOffset) < first || Number(fetchOffset) > next) throw refused('OFFSET_OUT_OF_RANGE');
          const some = records.filter(({ offset }) => offset >= Number(fetchOffset)).slice(0, 200);
          found ||= some.length > 0;
          return { partition, highWatermark: String(next), messages: some.map(raw) };
        }),
      }));
      await wait(found ? 1 : Math.min(20, maxWaitTime));
      return { responses };
    },
  };
  const cluster = {
    connect: async () => {},
    addMultipleTargetTopics: async () => {},
    refreshMetadata: () => wait(1),
    refreshMetadataIfNecessary: async () => {},
    findLeaderForPartitions: (_: string, asked: readonly number[]) => ({ 1: asked }),
    findBroker: async () => broker,
    async fetchTopicsOffset([asked]: readonly [
      { readonly topic: string; readonly partitions: readonly [{ readonly partition: number }]; readonly fromBeginning: boolean },
    ]): Promise<object> {
      const [{ partition }] = asked.partitions;
      if (!made.tellsEnds) throw refused('OFFSET_NOT_AVAILABLE');
      const { first, next } = logOf(asked.topic, partition);
      if (!asked.fromBeginning) await made.beforeEnd(asked.topic);
      return [{ topic: asked.topic, partitions: [{ partition, offset: String(asked.fromBeginning ? first : next) }] }];
    },
  };
  interface Sent {
    readonly topic: string;
    readonly messages: readonly { readonly partition: number; readonly value: string }[];
  }
  const producer = () => ({
    connect: async () => {},
    disconnect: async () => {},
    async send({ topic, messages }: Sent): Promise<object> {
      if (made.sendsNothing) return [];
      const offsets = messages.map(({ partition, value }) => put(topic, partition, JSON.parse(value) as object));
      await wait(1);
      return [{ topicName: topic, partition: messages[0]?.partition, errorCode: 0, baseOffset: String(offsets[0]) }];
    },
  });
  const made: FakeBroker = {
    client: {
      clock: systemClock,
      logger: { info() {}, warn() {}, error() {} },
      instance: 'test',
      settings: { topics: { inputs: 'inputs', facts: 'facts' }, partitions },
      health: { good() {}, bad() {}, foreignRecord() {}, doubt() {} },
      cluster() {
        connections += 1;
        const findBroker = connections === 2 ? () => wait(made.findMs).then(() => broker) : cluster.findBroker;
        return { cluster: { ...cluster, findBroker }, close: async () => {} };
      },
      severable: () => ({ kafka: { producer }, sever() {} }),
    } as unknown as Client, // what the log asks of it
    put,
    cut(topic: string, partition: number, from = 0) {
      const log = logOf(topic, partition);
      log.records = from === 0 ? [] : log.records.filter(({ offset }) => offset >= from);
      log.first = from;
      if (from === 0) log.next = 0;
    },
    tellsEnds: true,
    beforeEnd: async () => {},
    findMs: 0,
    sendsNothing: false,
    get fetches() {
      return fetches;
    },
  };
  return made;
}
