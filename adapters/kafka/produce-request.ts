// Has kafkajs 2.2.4 write the requests that append records in one piece (record-batch.ts). Its own encoding makes some thirty buffers for each record
// and copies every byte seven times. What is sent, when, with which numbers, and what is made of the answer stays the client's.
//   Q2  The bytes of a request are those that the client would have written, or the client writes them: compression, times of a record's own,
//       headers that occur twice, and versions of the request that we do not know are left to it.
//   Q3  Messages of one partition say so at once. Left to itself the client groups them in time that grows with the square of their number.
import { createRequire } from 'node:module';
import type { Message } from 'kafkajs';
import type { Millis } from '../../src/core/time.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { isPlainMessage, sizedBatch, type SizedBatch } from './record-batch.ts';

interface ProduceArguments {
  readonly acks: number;
  readonly timeout: number;
  readonly compression?: number;
  readonly transactionalId?: string | null;
  /** A number, a text of digits, or the client's own 64-bit number. */
  readonly producerId: unknown;
  readonly producerEpoch: number;
  readonly topicData: readonly {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number; readonly firstSequence: number; readonly messages: readonly Message[] }[];
  }[];
}

/** What the client asks of an encoder whose bytes it copies. */
interface Encoded {
  readonly buf: Buffer;
  readonly buffer: Buffer;
  size(): number;
}

interface Exchange {
  readonly request: { readonly encode: () => Promise<Encoded> };
  readonly response: unknown;
}

type MakeExchange = (args: ProduceArguments) => Exchange;

/** What of kafkajs/src/protocol/requests/produce we know. */
interface Produce {
  protocol: (asked: { readonly version: number }) => MakeExchange | undefined;
}

/** The same on the wire. */
const versionsKnown: ReadonlySet<number> = new Set([3, 4, 5, 6, 7]);

/** Mends it for all clients of this process; at most once. Records have the time of the clock that it was mended with. */
export function mendProduce(clock: Pick<Clock, 'now'>): void {
  const produce: Produce = createRequire(import.meta.url)('kafkajs/src/protocol/requests/produce');
  const before = produce.protocol;
  if (typeof before !== 'function' || before.name === protocolInOnePiece.name) return;
  produce.protocol = protocolInOnePiece;

  function protocolInOnePiece(asked: { readonly version: number }): MakeExchange | undefined {
    const make = before(asked);
    return make === undefined || !versionsKnown.has(asked.version) ? make : inOnePiece(make, clock);
  }
}

function inOnePiece(make: MakeExchange, clock: Pick<Clock, 'now'>): MakeExchange {
  return (args) => {
    const exchange = make(args);
    if (!isOurs(args)) return exchange; // Q2
    return { ...exchange, request: { ...exchange.request, encode: () => Promise.resolve(encoded(args, clock.now())) } };
  };
}

function isOurs({ compression = 0, topicData }: ProduceArguments): boolean {
  return compression === 0 && topicData.every(({ partitions }) => partitions.every(({ messages }) => messages.every(isPlainMessage)));
}

/** transactional id, acks, timeout, and of each topic its name, and of each partition its number and batch; lists and texts with their length before. */
export function encoded(args: ProduceArguments, at: Millis): Encoded {
  const { acks, timeout, transactionalId = null, producerEpoch, topicData } = args;
  const common = { isTransactional: Boolean(transactionalId), producerId: BigInt(String(args.producerId)), producerEpoch, at };
  let bytes = textBytes(transactionalId) + 2 + 4 + 4;
  const topics = topicData.map(({ topic, partitions }) => {
    const batches = partitions.map(({ partition, ...rest }) => ({ partition, batch: sizedBatch({ ...common, ...rest }) }));
    bytes += textBytes(topic) + 4 + batches.reduce((sum, { batch }) => sum + 8 + batch.bytes, 0);
    return { topic, batches };
  });
  const into = Buffer.allocUnsafe(bytes);
  let to = into.writeInt32BE(timeout, into.writeInt16BE(acks, writeText(into, 0, transactionalId)));
  to = into.writeInt32BE(topics.length, to);
  for (const { topic, batches } of topics) {
    to = into.writeInt32BE(batches.length, writeText(into, to, topic));
    for (const { partition, batch } of batches) to = writeBatch(into, into.writeInt32BE(partition, to), batch);
  }
  return { buf: into, buffer: into, size: () => into.length };
}

function writeBatch(into: Buffer, from: number, batch: SizedBatch): number {
  return batch.write(into, into.writeInt32BE(batch.bytes, from));
}

/** The messages, addressed to the partition, as the client's `send` takes them (Q3). Where it groups them by itself all the same, each names its partition. */
export function addressed(partition: number, messages: readonly Message[]): Message[] {
  const all = messages.map(({ key, value, headers }) => ({ key, value, headers, partition }));
  // It groups by `reduce` over the list, into an object of lists by partition (producer/groupMessagesPerPartition).
  return Object.defineProperty(all, 'reduce', { value: () => ({ [partition]: all }) }) as Message[];
}

function textBytes(text: string | null): number {
  return 2 + (text === null ? 0 : Buffer.byteLength(text));
}

function writeText(into: Buffer, from: number, text: string | null): number {
  const at = into.writeInt16BE(text === null ? -1 : Buffer.byteLength(text), from);
  return text === null ? at : at + into.write(text, at, 'utf8');
}
