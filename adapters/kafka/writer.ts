// Appends to one topic: a queue for each partition, and one producer for all of them.
//   W1  Of a partition one request is on its way at a time (append-queue.ts): one await of `append` costs one batch.
//   W2  After a send that was given up the producer is thrown away, and cut off before that partition's next batch goes out (sender.ts).
//   W3  What waits is bounded; what waits behind a failed batch fails with it, so that nobody waits longer than two deadlines (append-queue.ts).
import type { Message } from 'kafkajs';
import { GatewayError } from '../../src/core/errors.ts';
import { createAppendQueue, sizeOf, type AppendQueue, type Appended } from './append-queue.ts';
import type { Client } from './client.ts';
import { createSender, type OnEnded } from './sender.ts';

export interface WriterLimits {
  readonly recordsMax: number;
  readonly bytesMax: number;
}

export const writerLimits: WriterLimits = { recordsMax: 100_000, bytesMax: 67_108_864 };

export interface Writer {
  /**
   * Resolves once all in-sync replicas have the records. At least one message.
   * Rejects with `overloaded` when too much waits, `payload_too_large` when a record is, else `log_unavailable`.
   */
  append(partition: number, messages: readonly Message[]): Promise<Appended>;
  /** Resolves when all that was appended to the partition before has ended, well or not. */
  settled(partition: number): Promise<void>;
  close(): Promise<void>;
}

export function createWriter(client: Client, topic: string, limits: WriterLimits, onEnded: OnEnded = () => {}): Writer {
  const sender = createSender(client, topic, onEnded);
  const queues = new Map<number, AppendQueue>();
  /** What waits or is on its way, of all partitions together. */
  let records = 0;
  let bytes = 0;
  let isClosed = false;

  function onSettled(settledRecords: number, settledBytes: number): void {
    records -= settledRecords;
    bytes -= settledBytes;
  }

  return {
    append(partition, messages) {
      if (isClosed) return Promise.reject(new GatewayError('log_unavailable', 'the log is closed'));
      const size = messages.reduce((sum, message) => sum + sizeOf(message), 0);
      if (records + messages.length > limits.recordsMax || bytes + size > limits.bytesMax)
        return Promise.reject(
          new GatewayError('overloaded', `${records} records (${bytes} bytes) wait to be appended to ${topic}, no more may`),
        ); // W3
      records += messages.length;
      bytes += size;
      const queue = queues.get(partition) ?? createAppendQueue({ client, topic, partition, sender, onSettled });
      queues.set(partition, queue);
      return queue.append(messages, size);
    },
    async settled(partition) {
      await queues.get(partition)?.settled();
    },
    async close() {
      isClosed = true;
      await Promise.all([...queues.values()].map((queue) => queue.settled())); // at most two deadlines (W3)
      sender.close();
    },
  };
}
