// The event log over two topics, one record for each input and fact: the port's offsets are the topic's own.
//   L1  A record's text is its value, its scope the key; the delivery it came from is a header of the batch's first record (log-records.ts).
//   L2  What this process appended is readable at once where it continues what we know; nothing is fetched that we wrote ourselves.
import type { Message } from 'kafkajs';
import { GatewayError } from '../../src/core/errors.ts';
import type { BackboneWatch } from '../../src/ports/backbone.ts';
import type { EventLog, LogBatch, Topic } from '../../src/ports/event-log.ts';
import type { Appended } from './append-queue.ts';
import { typeOf, unavailable, type Client } from './client.ts';
import { createReads, type Reads } from './fetching.ts';
import { createFollower } from './follower.ts';
import { createHistory, readFailed } from './history.ts';
import { messagesOf, recordOf } from './log-records.ts';
import type { Settings } from './options.ts';
import { PartitionBuffer, type BufferLimits } from './partition-buffer.ts';
import { createWriter, writerLimits, type WriterLimits } from './writer.ts';

/** Of text in all buffers together, and in one: a reader that is not further behind than that asks no broker. */
const charsMax = 67_108_864;
const bufferCharsMax = 16_777_216;
/** Of records in all buffers of a topic together as long as each may hold the fewest, and in one. */
const recordsMax = 32_768;
const bufferRecordsMax = 16_384;
const bufferRecordsMin = 4_096;

export interface KafkaLogDeps {
  readonly client: Client;
  readonly watch: BackboneWatch;
  readonly limits?: WriterLimits;
}

export interface KafkaLog extends EventLog {
  /** Resolves when every append of the partition that was called before has ended, well or not. */
  settled(partition: number): Promise<void>;
}

export function createLog({ client, watch, limits = writerLimits }: KafkaLogDeps): KafkaLog {
  const { settings } = client;
  const writers = {
    inputs: createWriter(client, settings.topics.inputs, limits, (tookMs, durable) => watch.appended('inputs', tookMs, durable)),
    facts: createWriter(client, settings.topics.facts, limits, (tookMs, durable) => watch.appended('facts', tookMs, durable)),
  };
  const reads = createReads(client);
  const bufferOf = createBuffers(settings);
  const history = createHistory({ client, reads, generationOf: (topic, partition) => bufferOf(topic, partition).generation });
  const follower = createFollower(client, (buffer, messages, at) => {
    buffer.push(recordOf(client, buffer.topic, buffer.partition, messages, at), messages[at]?.value?.length ?? 0);
  });
  let closed = false;

  function check(partition: number): void {
    if (closed) throw new GatewayError('log_unavailable', 'the log is closed');
    if (!(partition >= 0 && partition < settings.partitions))
      throw new RangeError(`invariant broken: partition ${partition} of ${settings.partitions}`);
  }

  return {
    partitions: settings.partitions,
    async append(topic, batch) {
      check(batch.partition);
      const messages = messagesOf(topic, batch);
      const appended = await writers[topic].append(batch.partition, messages);
      noteAppended(bufferOf(topic, batch.partition), batch, messages, appended);
      return appended.offset;
    },
    async settled(partition) {
      await Promise.all([writers.inputs.settled(partition), writers.facts.settled(partition)]);
    },
    async read(topic, partition, offset, max) {
      check(partition);
      if (max <= 0) return [];
      const buffer = bufferOf(topic, partition);
      // A buffer that nobody watches is not filled any more, and ends where it was left.
      const newest = buffer.watchers.size > 0 ? buffer.slice(offset, max) : null;
      return newest ?? history.read(topic, partition, offset, max);
    },
    async end(topic, partition, atLeast = 0) {
      check(partition);
      const buffer = bufferOf(topic, partition);
      if (isEndKnown(buffer) && buffer.durableEnd >= atLeast) return buffer.durableEnd;
      return askEnd(client, reads, topic, buffer);
    },
    watch(topic, partition, call) {
      check(partition);
      const buffer = bufferOf(topic, partition);
      if (buffer.watchers.size === 0) buffer.forget(); // it was not filled while nobody watched
      // The same function may watch twice.
      const watcher = (): void => call();
      buffer.watchers.add(watcher);
      follower.follow(buffer);
      return () => void buffer.watchers.delete(watcher);
    },
    async raw(topic, partition, offset) {
      check(partition);
      return history.raw(topic, partition, offset);
    },
    async trim(topic, partition, below) {
      check(partition);
      await deleteBelow(client, reads, { topic: settings.topics[topic], partition, below });
      history.clear();
    },
    async close() {
      closed = true;
      await Promise.all([writers.inputs.close(), writers.facts.close(), follower.stop(), reads.close().catch(() => {})]);
    },
  };
}

/** The buffer of a partition, the same one each time. */
function createBuffers(settings: Settings): (topic: Topic, partition: number) => PartitionBuffer {
  const buffers = new Map<string, PartitionBuffer>();
  return (topic, partition) => {
    const key = `${topic} ${partition}`;
    const known = buffers.get(key);
    if (known !== undefined) return known;
    const buffer = new PartitionBuffer(settings.topics[topic], partition, limitsFor(settings.partitions));
    buffers.set(key, buffer);
    return buffer;
  };
}

function limitsFor(partitions: number): BufferLimits {
  return {
    recordsMax: Math.max(bufferRecordsMin, Math.min(bufferRecordsMax, Math.trunc(recordsMax / partitions))),
    charsMax: Math.min(bufferCharsMax, charsMax / (2 * partitions)),
  };
}

/** Puts into the buffer what we appended where it is what comes next there (L2), and wakes the readers when there is more to read. */
function noteAppended(buffer: PartitionBuffer, batch: LogBatch, messages: readonly Message[], { offset, whole }: Appended): void {
  const { partition, scope, values } = batch;
  const endBefore = buffer.durableEnd;
  if (whole && offset === buffer.next)
    for (const [index, value] of values.entries())
      buffer.push({ partition, offset: offset + index, scope, value }, messages[index]?.value?.length ?? 0);
  else buffer.durableEnd = Math.max(buffer.durableEnd, offset + messages.length);
  if (buffer.durableEnd > endBefore) buffer.notify();
}

/** Whether the buffer is followed, so that its end is the partition's as far as anybody told us. */
function isEndKnown({ watchers, next, durableEnd }: PartitionBuffer): boolean {
  return watchers.size > 0 && (next !== null || durableEnd > 0);
}

async function askEnd(client: Client, reads: Reads, topic: Topic, buffer: PartitionBuffer): Promise<number> {
  const { generation } = buffer;
  try {
    const { end } = await reads.ends(buffer.topic, buffer.partition);
    // Whoever was told the end may read up to it.
    if (buffer.generation === generation && buffer.next !== null) buffer.durableEnd = Math.max(buffer.durableEnd, end);
    return end;
  } catch (error) {
    throw readFailed(client, topic, error);
  }
}

async function deleteBelow(
  client: Client,
  reads: Reads,
  { topic, partition, below }: { readonly topic: string; readonly partition: number; readonly below: number },
): Promise<void> {
  const admin = client.kafka.admin();
  try {
    await admin.connect();
    await admin.fetchTopicOffsets(topic); // it knows no leaders before
    const { end } = await reads.ends(topic, partition);
    const offset = String(Math.min(below, end));
    await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset }] });
  } catch (error) {
    // Below what is retained already: as it should be.
    if (typeOf(error) !== 'OFFSET_OUT_OF_RANGE') throw unavailable('log_unavailable', `trim ${topic}`, error);
  } finally {
    await admin.disconnect().catch(() => {});
  }
}
