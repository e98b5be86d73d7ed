// What waits to be appended to one partition: it goes as one batch while the batch before is on its way.
//   W1  Of a partition one request is on its way at a time: two at once and the client's idempotent producer may acknowledge a record that it
//       lost (2.2.4, seen: it gives a failed send's sequence number to the next one).
//   W3  What waits behind a failed batch fails with it, so that nobody waits longer than two deadlines: for the cutting off (W2, sender.ts), and
//       for its own send. How much may wait is writer.ts.
import type { Message } from 'kafkajs';
import { GatewayError } from '../../src/core/errors.ts';
import { unavailable, whyOf, type Client } from './client.ts';
import { groupsOf } from './log-records.ts';
import { isTooLarge, type Sender } from './sender.ts';

const requestBytesMax = 1_048_576;
/** So many are encoded in some milliseconds, in which nothing else is done. */
export const requestRecordsMax = 2_048;
/** Protocol overhead of a record, roughly. */
const recordOverhead = 100;

export interface Appended {
  /** Of the first record. */
  readonly offset: number;
  /** Whether the records follow one another; false for a batch that was too large for one request. */
  readonly whole: boolean;
}

export interface AppendQueue {
  /** Resolves once all in-sync replicas have the records. `bytes` is the size of all messages together. */
  append(messages: readonly Message[], bytes: number): Promise<Appended>;
  /** Resolves when all that was appended before has ended, well or not. */
  settled(): Promise<void>;
}

export interface AppendQueueDeps {
  readonly client: Client;
  readonly topic: string;
  readonly partition: number;
  readonly sender: Sender;
  /** Called once for each append, just before its promise is settled. */
  onSettled(records: number, bytes: number): void;
}

interface PendingAppend {
  readonly messages: readonly Message[];
  readonly bytes: number;
  isSettled: boolean;
  readonly resolve: (appended: Appended) => void;
  readonly reject: (error: unknown) => void;
}

export function createAppendQueue(deps: AppendQueueDeps): AppendQueue {
  const waiting: PendingAppend[] = [];
  let isSending = false;
  let newest: Promise<unknown> = Promise.resolve();

  async function sendAll(): Promise<void> {
    isSending = true;
    // Callers of the same moment share the first batch.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (waiting.length > 0) {
      const batch = takeBatch(waiting);
      try {
        await deliver(deps, batch);
      } catch (error) {
        const failure = unavailable('log_unavailable', `append to ${deps.topic}`, error);
        for (const append of [...batch, ...waiting.splice(0)]) settle(deps, append, () => append.reject(failure)); // W3
        await deps.sender.cutOff(deps.partition);
      }
    }
    isSending = false;
  }

  return {
    append(messages, bytes) {
      const { promise, resolve, reject } = Promise.withResolvers<Appended>();
      waiting.push({ messages, bytes, isSettled: false, resolve, reject });
      newest = promise;
      if (!isSending) void sendAll();
      return promise;
    },
    async settled() {
      await newest.catch(() => {});
    },
  };
}

/** From the head of the queue what fits into one request; at least one append. */
function takeBatch(waiting: PendingAppend[]): readonly PendingAppend[] {
  let records = 0;
  let bytes = 0;
  let count = 0;
  for (const append of waiting) {
    records += append.messages.length;
    bytes += append.bytes;
    if (count > 0 && (records > requestRecordsMax || bytes > requestBytesMax)) break;
    count += 1;
  }
  return waiting.splice(0, count);
}

/** Sends the batch as one request; when that is too large, each append by itself, and one that still is, record by record, or group by group. */
async function deliver(deps: AppendQueueDeps, batch: readonly PendingAppend[]): Promise<void> {
  const messages = batch.flatMap((append) => append.messages);
  try {
    let next = await deps.sender.send(deps.partition, messages);
    for (const append of batch) {
      const offset = next;
      next += append.messages.length;
      settle(deps, append, () => append.resolve({ offset, whole: true }));
    }
  } catch (error) {
    if (!isTooLarge(error)) throw error;
    const [only] = batch;
    if (batch.length > 1) for (const append of batch) await deliver(deps, [append]);
    else if (only !== undefined) await deliverByRecord(deps, only);
  }
}

/** A record that is too large by itself fails the append; those of its records that went before it stay written. */
async function deliverByRecord(deps: AppendQueueDeps, append: PendingAppend): Promise<void> {
  let first: number | null = null;
  for (const group of groupsOf(append.messages)) {
    try {
      first = Math.min(first ?? Number.POSITIVE_INFINITY, await deps.sender.send(deps.partition, group));
    } catch (error) {
      if (!isTooLarge(error)) throw error;
      const refusal = recordTooLarge(deps, group, error);
      return settle(deps, append, () => append.reject(refusal));
    }
  }
  settle(deps, append, () => append.resolve({ offset: first ?? 0, whole: false }));
}

/** Settles the append unless it is settled: when one of a batch fails, those that were delivered before it stay delivered. */
function settle({ onSettled }: AppendQueueDeps, append: PendingAppend, how: () => void): void {
  if (append.isSettled) return;
  append.isSettled = true;
  onSettled(append.messages.length, append.bytes);
  how();
}

/** Reports it, has the topic's settings looked at, and gives the error to fail with. */
function recordTooLarge({ client, topic, partition }: AppendQueueDeps, group: readonly Message[], error: unknown): GatewayError {
  const bytes = group.reduce((sum, message) => sum + sizeOf(message), 0);
  client.logger.error({ topic, partition, bytes, why: whyOf(error) }, 'record is larger than the topic takes: raise its max.message.bytes');
  client.health.doubt();
  return new GatewayError('payload_too_large', `${topic} takes no record of ${bytes} bytes: raise its max.message.bytes`, error);
}

/** Bytes of the record in a request, roughly. */
export function sizeOf(message: Message): number {
  const headers = Object.values(message.headers ?? {}).reduce((sum, value) => sum + (value?.length ?? 0), 0);
  return (message.value?.length ?? 0) + (message.key?.length ?? 0) + headers + recordOverhead;
}
