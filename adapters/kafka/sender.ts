// One producer for a topic, replaced by a new one after a send that was given up. Queues and batches are append-queue.ts.
//   W2  After a send that was given up the producer is thrown away: with its sequence numbers the next batch could be taken for a repeat, and be lost.
//       Its connections are cut before that partition's next batch goes out: left alone it would try the send again, behind what came after it.
//       Sends of other partitions that are on their way with it may end first.
import type { Message, Producer } from 'kafkajs';
import { second, type Millis } from '../../src/core/time.ts';
import { metadataMaxAgeMs, replicasWithinMs, typeOf, type Client } from './client.ts';
import { addressed } from './produce-request.ts';
import { within } from './waits.ts';

const sendWithinMs: Millis = 8 * second;
const closeWithinMs: Millis = 3 * second;

/** Told of each send when it has ended: how long it took, and whether its records are durable. */
export type OnEnded = (tookMs: Millis, durable: boolean) => void;

export interface Sender {
  /**
   * Sends the messages as one request; resolves to the first one's offset once all in-sync replicas have them. At least one message.
   * Rejects with the client's error or `deadline_exceeded`. Unless the error `isTooLarge`, the messages may have been written all the same.
   */
  send(partition: number, messages: readonly Message[]): Promise<number>;
  /** Resolves when the producer of the partition's last failed send is cut off: the partition's next send has to wait for that (W2). */
  cutOff(partition: number): Promise<void> | undefined;
  close(): void;
}

interface ProducerInUse {
  readonly connected: Promise<Producer>;
  sendsUnderWay: number;
  /** Resolves when its connections are cut. */
  readonly severed: Promise<void>;
  sever(): void;
}

export function createSender(client: Client, topic: string, onEnded: OnEnded): Sender {
  const { clock, health } = client;
  const part = `append to ${topic}`;
  const cutOffs = new Map<number, Promise<void>>();
  let current: ProducerInUse | null = null;

  async function sendWith(used: ProducerInUse, partition: number, messages: readonly Message[]): Promise<number> {
    const record = { topic, acks: -1, timeout: replicasWithinMs, messages: addressed(partition, messages) };
    const sent = used.connected.then((producer) => producer.send(record));
    const [first] = await within(clock, sendWithinMs, part, sent);
    // Of a partition that the topic does not have (made anew, smaller) it sends nothing and answers nothing.
    if (first?.partition !== partition || first.baseOffset === undefined)
      throw new Error(`no broker has partition ${partition} of ${topic}`);
    return Number(first.baseOffset);
  }

  return {
    async send(partition, messages) {
      current ??= openProducer(client, topic);
      const used = current;
      const began = clock.steady();
      used.sendsUnderWay += 1;
      try {
        const offset = await sendWith(used, partition, messages);
        health.good(part);
        onEnded(clock.steady() - began, true);
        return offset;
      } catch (error) {
        onEnded(clock.steady() - began, false);
        if (isTooLarge(error)) throw error; // refused for certain: the producer is as good as before
        if (current === used) current = null;
        cutOffs.set(partition, used.severed);
        health.bad(part, error);
        throw error;
      } finally {
        used.sendsUnderWay -= 1;
        if (current !== used && used.sendsUnderWay === 0) used.sever(); // W2
      }
    },
    cutOff: (partition) => cutOffs.get(partition),
    close() {
      current?.sever();
      current = null;
    },
  };
}

function openProducer(client: Client, topic: string): ProducerInUse {
  const { clock } = client;
  const { kafka, sever } = client.severable();
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    metadataMaxAge: metadataMaxAgeMs,
  });
  const { promise: severed, resolve } = Promise.withResolvers<void>();
  return {
    connected: within(clock, sendWithinMs, `connect to write ${topic}`, producer.connect()).then(() => producer),
    sendsUnderWay: 0,
    severed,
    sever() {
      sever();
      resolve();
      void within(clock, closeWithinMs, 'disconnect', producer.disconnect()).catch(() => {});
    },
  };
}

/** Whether the request was refused for its size: nothing of it was written. */
export function isTooLarge(error: unknown): boolean {
  return typeOf(error) === 'MESSAGE_TOO_LARGE' || typeOf(error) === 'RECORD_LIST_TOO_LARGE';
}
