// Appends to one topic: what waits for a partition goes as one batch while the one before is on its way, so that one await costs one batch.
//   W1  Of a partition one request is on its way at a time: two at once and the client's idempotent producer may acknowledge a record that it
//       lost (2.2.4, seen: it gives a failed send's sequence number to the next one).
//   W2  After a send that was given up the producer is thrown away: with its sequence numbers the next batch could be taken for a repeat, and be lost.
//       Its connections are cut before that partition's next batch goes out: left alone it would try the send again, behind what came after it.
//       Sends of other partitions that are on their way with it may end first.
//   W3  What waits is bounded; what waits behind a failed batch fails with it, so that nobody waits longer than two deadlines: for the cutting, and
//       for its own send.
import type { Message, Producer } from 'kafkajs';
import { GatewayError } from '../../src/core/errors.ts';
import { second, type Millis } from '../../src/core/time.ts';
import { metadataMaxAgeMs, replicasWithinMs, typeOf, unavailable, whyOf, type Client } from './client.ts';
import { within } from './waits.ts';

const requestBytesMax = 1_048_576;
/** The client's work grows with the square of the records of one request (2.2.4, groupMessagesPerPartition). */
export const requestRecordsMax = 512;
const sendWithinMs: Millis = 8 * second;
const closeWithinMs: Millis = 3 * second;
/** Protocol overhead of a record, roughly. */
const recordOverhead = 100;

export interface WriterLimits {
  readonly recordsMax: number;
  readonly bytesMax: number;
}

export const writerLimits: WriterLimits = { recordsMax: 100_000, bytesMax: 67_108_864 };

interface Waiting {
  readonly messages: readonly Message[];
  readonly bytes: number;
  told: boolean;
  readonly resolve: (appended: Appended) => void;
  readonly reject: (error: unknown) => void;
}

/** A producer and the sends on their way with it. */
interface Line {
  readonly producer: Promise<Producer>;
  underWay: number;
  readonly severed: Promise<void>;
  sever(): void;
}

interface Queue {
  readonly partition: number;
  readonly waiting: Waiting[];
  sending: boolean;
  /** The next batch has to wait for it (W2). */
  gap: Promise<void> | null;
  last: Promise<unknown>;
}

export interface Appended {
  /** Of the first record. */
  readonly offset: number;
  /** Whether the records follow one another; false for a batch that was too large for one request. */
  readonly whole: boolean;
}

export interface Writer {
  /** Resolves once all in-sync replicas have the records. At least one message. */
  append(partition: number, messages: readonly Message[]): Promise<Appended>;
  /** Resolves when all that was appended to the partition before has ended, well or not. */
  settled(partition: number): Promise<void>;
  close(): Promise<void>;
}

export function createWriter(
  client: Client,
  topic: string,
  limits: WriterLimits,
  onEnded: (tookMs: Millis, durable: boolean) => void = () => {},
): Writer {
  const { clock } = client;
  const queues = new Map<number, Queue>();
  let line: Line | null = null;
  let records = 0;
  let bytes = 0;
  let closed = false;

  function open(): Line {
    const { kafka, sever } = client.severable();
    const made = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      metadataMaxAge: metadataMaxAgeMs,
    });
    const { promise: severed, resolve } = Promise.withResolvers<void>();
    return {
      producer: within(clock, sendWithinMs, `connect to write ${topic}`, made.connect()).then(() => made),
      underWay: 0,
      severed,
      sever() {
        sever();
        resolve();
        void within(clock, closeWithinMs, 'disconnect', made.disconnect()).catch(() => {});
      },
    };
  }

  async function send(queue: Queue, messages: readonly Message[]): Promise<number> {
    line ??= open();
    const mine = line;
    const { partition } = queue;
    const began = clock.steady();
    mine.underWay += 1;
    try {
      const addressed = messages.map((message) => ({ ...message, partition }));
      const [first] = await within(
        clock,
        sendWithinMs,
        `append to ${topic}`,
        mine.producer.then((ready) => ready.send({ topic, acks: -1, timeout: replicasWithinMs, messages: addressed })),
      );
      // Of a partition that the topic does not have (made anew, smaller) it sends nothing and answers nothing.
      if (first?.partition !== partition || first.baseOffset === undefined)
        throw new Error(`no broker has partition ${partition} of ${topic}`);
      client.health.good(`append to ${topic}`);
      onEnded(clock.steady() - began, true);
      return Number(first.baseOffset);
    } catch (error) {
      onEnded(clock.steady() - began, false);
      if (isTooLarge(error)) throw error; // refused for certain
      if (line === mine) line = null;
      queue.gap = mine.severed;
      client.health.bad(`append to ${topic}`, error);
      throw error;
    } finally {
      mine.underWay -= 1;
      if (line !== mine && mine.underWay === 0) mine.sever(); // W2
    }
  }

  async function flush(queue: Queue): Promise<void> {
    queue.sending = true;
    // Callers of the same moment share the first batch.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (queue.waiting.length > 0) {
      const batch = take(queue.waiting);
      try {
        await deliver(queue, batch);
      } catch (error) {
        const told = unavailable('log_unavailable', `append to ${topic}`, error);
        for (const one of [...batch, ...queue.waiting.splice(0)]) settle(one, () => one.reject(told)); // W3
        await queue.gap;
      }
    }
    queue.sending = false;
  }

  /** Sends the batches as one request; when that is too large, each by itself, and one that still is, record by record. */
  async function deliver(queue: Queue, batch: readonly Waiting[]): Promise<void> {
    const messages = batch.flatMap((one) => one.messages);
    try {
      let at = await send(queue, messages);
      for (const one of batch) {
        const offset = at;
        at += one.messages.length;
        settle(one, () => one.resolve({ offset, whole: true }));
      }
    } catch (error) {
      if (!isTooLarge(error)) throw error;
      const [only] = batch;
      if (batch.length > 1) for (const one of batch) await deliver(queue, [one]);
      else if (only !== undefined) await deliverInPieces(queue, only);
    }
  }

  async function deliverInPieces(queue: Queue, one: Waiting): Promise<void> {
    let first: number | null = null;
    for (const message of one.messages) {
      try {
        first = Math.min(first ?? Number.POSITIVE_INFINITY, await send(queue, [message]));
      } catch (error) {
        if (!isTooLarge(error)) throw error;
        client.say.error(
          { topic, partition: queue.partition, bytes: sizeOf(message), why: whyOf(error) },
          'record is larger than the topic takes: raise its max.message.bytes',
        );
        client.health.doubt();
        const told = new GatewayError(
          'payload_too_large',
          `${topic} takes no record of ${sizeOf(message)} bytes: raise its max.message.bytes`,
          error,
        );
        return settle(one, () => one.reject(told));
      }
    }
    settle(one, () => one.resolve({ offset: first ?? 0, whole: false }));
  }

  function settle(one: Waiting, tell: () => void): void {
    if (one.told) return; // before another of its batch failed
    one.told = true;
    records -= one.messages.length;
    bytes -= one.bytes;
    tell();
  }

  return {
    append(partition, messages) {
      if (closed) return Promise.reject(new GatewayError('log_unavailable', 'the log is closed'));
      const size = messages.reduce((sum, message) => sum + sizeOf(message), 0);
      if (records + messages.length > limits.recordsMax || bytes + size > limits.bytesMax)
        return Promise.reject(
          new GatewayError('overloaded', `${records} records (${bytes} bytes) wait to be appended to ${topic}, no more may`),
        );
      records += messages.length;
      bytes += size;
      const queue = queues.get(partition) ?? { partition, waiting: [], sending: false, gap: null, last: Promise.resolve() };
      queues.set(partition, queue);
      const appended = new Promise<Appended>((resolve, reject) =>
        queue.waiting.push({ messages, bytes: size, told: false, resolve, reject }),
      );
      queue.last = appended;
      if (!queue.sending) void flush(queue);
      return appended;
    },
    async settled(partition) {
      await queues.get(partition)?.last.catch(() => {});
    },
    async close() {
      closed = true;
      await Promise.allSettled([...queues.values()].map((queue) => queue.last)); // at most two deadlines (W3)
      line?.sever();
      line = null;
    },
  };
}

/** From the head of the queue what fits into one request; at least one. */
function take(waiting: Waiting[]): readonly Waiting[] {
  let records = 0;
  let bytes = 0;
  let count = 0;
  for (const one of waiting) {
    records += one.messages.length;
    bytes += one.bytes;
    if (count > 0 && (records > requestRecordsMax || bytes > requestBytesMax)) break;
    count += 1;
  }
  return waiting.splice(0, count);
}

function sizeOf(message: Message): number {
  const headers = Object.values(message.headers ?? {}).reduce((sum, value) => sum + (value?.length ?? 0), 0);
  return (message.value?.length ?? 0) + (message.key?.length ?? 0) + headers + recordOverhead;
}

function isTooLarge(error: unknown): boolean {
  return typeOf(error) === 'MESSAGE_TOO_LARGE' || typeOf(error) === 'RECORD_LIST_TOO_LARGE';
}
