// The event log over two topics, one record for each input and fact: the port's offsets are the topic's own.
//   L1  A record's text is its value, its scope the key; the delivery it came from is a header of the batch's first record.
//   L2  What this process appended is readable at once where it continues what we know; nothing is fetched that we wrote ourselves.
import type { Message as OutMessage } from 'kafkajs';
import { GatewayError } from '../../src/core/errors.ts';
import type { BackboneWatch } from '../../src/ports/backbone.ts';
import type { EventLog, LogBatch, LogRecord, Topic } from '../../src/ports/event-log.ts';
import { typeOf, unavailable, type Client } from './client.ts';
import { createReads, isOurs, stamp, type Fetched, type Message, type Reads } from './fetching.ts';
import { createFollower } from './follower.ts';
import { Strand } from './strand.ts';
import { createWriter, writerLimits, type WriterLimits } from './writer.ts';

/** Of text in all strands together, and in one. */
const charsMax = 67_108_864;
const strandCharsMax = 4_194_304;
/** Pages of history kept for readers that catch up. */
const pagesMax = 16;

interface Page {
  readonly topic: Topic;
  readonly partition: number;
  /** Of its strand when it was asked for. */
  readonly life: number;
  readonly records: readonly LogRecord[];
}

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
  const nameOf = (topic: Topic): string => settings.topics[topic];
  const writers = {
    inputs: createWriter(client, nameOf('inputs'), limits, (tookMs, durable) => watch.appended('inputs', tookMs, durable)),
    facts: createWriter(client, nameOf('facts'), limits, (tookMs, durable) => watch.appended('facts', tookMs, durable)),
  };
  const reads: Reads = createReads(client);
  const strands = new Map<string, Strand>();
  const pages: Page[] = [];
  const follower = createFollower(client, (strand, message) => {
    strand.push(recordOf(client, strand.topic, strand.partition, message), message.value?.length ?? 0);
  });
  let closed = false;

  function strandOf(topic: Topic, partition: number): Strand {
    const key = `${topic} ${partition}`;
    const known = strands.get(key);
    if (known !== undefined) return known;
    const strand = new Strand(nameOf(topic), partition, Math.min(strandCharsMax, charsMax / (2 * settings.partitions)));
    strands.set(key, strand);
    return strand;
  }

  function check(partition: number): void {
    if (closed) throw new GatewayError('log_unavailable', 'the log is closed');
    if (!(partition >= 0 && partition < settings.partitions))
      throw new RangeError(`invariant broken: partition ${partition} of ${settings.partitions}`);
  }

  async function ask(topic: Topic, partition: number, offset: number): Promise<Fetched> {
    const spot = { topic: nameOf(topic), partition, offset };
    try {
      return await reads.fetch(spot);
    } catch (error) {
      if (typeOf(error) !== 'OFFSET_OUT_OF_RANGE') throw readFailed(topic, error);
    }
    try {
      const { first, end } = await reads.ends(spot.topic, partition);
      if (offset >= end) return { topic: spot.topic, partition, from: offset, messages: [], next: end, end };
      return await reads.fetch({ ...spot, offset: first });
    } catch (error) {
      throw readFailed(topic, error);
    }
  }

  function readFailed(topic: Topic, error: unknown): GatewayError {
    client.health.bad('read', error);
    return unavailable('log_unavailable', `read ${nameOf(topic)}`, error);
  }

  /** Up to `max` records that are older than what the strand holds, from pages that serve the next reads, too. */
  async function history(topic: Topic, partition: number, offset: number, max: number): Promise<readonly LogRecord[]> {
    const found: LogRecord[] = [];
    for (let at = offset; found.length < max;) {
      const records = sliceOf((await pageAt(topic, partition, at)).records, at, max - found.length);
      const last = records.at(-1);
      if (last === undefined) break;
      for (const record of records) found.push(record);
      at = last.offset + 1;
    }
    return found;
  }

  async function pageAt(topic: Topic, partition: number, offset: number): Promise<Page> {
    const { life } = strandOf(topic, partition);
    const held = pages.find((one) => one.topic === topic && one.partition === partition && one.life === life && holds(one.records, offset));
    if (held !== undefined) return held;
    const fetched = await ask(topic, partition, offset);
    const wanted = fetched.messages.filter((message) => message.offset >= fetched.from);
    const page = { topic, partition, life, records: wanted.map((message) => recordOf(client, fetched.topic, partition, message)) };
    if (page.records.length > 0) pages.push(page);
    if (pages.length > pagesMax) pages.shift();
    return page;
  }

  return {
    partitions: settings.partitions,

    async append(topic, batch) {
      check(batch.partition);
      const texts = batch.values.map((value) => JSON.stringify(value));
      const { offset, whole } = await writers[topic].append(batch.partition, messagesOf(batch, texts));
      const strand = strandOf(topic, batch.partition);
      const before = strand.known;
      if (whole && offset === strand.next)
        // L2
        for (const [index, value] of batch.values.entries())
          strand.push({ partition: batch.partition, offset: offset + index, scope: batch.scope, value }, texts[index]?.length ?? 0);
      else strand.known = Math.max(strand.known, offset + texts.length);
      if (strand.known > before) strand.hear();
      return offset;
    },

    async settled(partition) {
      await Promise.all([writers.inputs.settled(partition), writers.facts.settled(partition)]);
    },

    async read(topic, partition, offset, max) {
      check(partition);
      if (max <= 0) return [];
      const strand = strandOf(topic, partition);
      // A strand that nobody watches is followed no more, and ends where it was left.
      const newest = strand.watchers.size > 0 ? strand.slice(offset, max) : null;
      return newest ?? history(topic, partition, offset, max);
    },

    async end(topic, partition, atLeast = 0) {
      check(partition);
      const strand = strandOf(topic, partition);
      const { known, next, watchers, life } = strand;
      if (watchers.size > 0 && (next !== null || known > 0) && known >= atLeast) return known;
      try {
        const { end } = await reads.ends(nameOf(topic), partition);
        if (strand.life === life && strand.next !== null) strand.known = Math.max(strand.known, end); // what is there can be read
        return end;
      } catch (error) {
        throw readFailed(topic, error);
      }
    },

    watch(topic, partition, call) {
      check(partition);
      const strand = strandOf(topic, partition);
      if (strand.watchers.size === 0) strand.forget(); // what was known before is old
      // The same function may watch twice.
      const mine = (): void => call();
      strand.watchers.add(mine);
      follower.follow(strand);
      return () => void strand.watchers.delete(mine);
    },

    async raw(topic, partition, offset) {
      check(partition);
      const { messages, from } = await ask(topic, partition, offset);
      const message = messages.find((one) => one.offset === offset);
      if (message === undefined || from > offset) return null; // trimmed
      const first = offset - Number(message.headers['place']?.toString() ?? 0);
      const found =
        messages.find((one) => one.offset === first) ?? (await ask(topic, partition, first)).messages.find((one) => one.offset === first);
      const held = found?.headers['raw'];
      return held === undefined ? null : decoded(held);
    },

    async trim(topic, partition, below) {
      check(partition);
      const admin = client.kafka.admin();
      try {
        await admin.connect();
        await admin.fetchTopicOffsets(nameOf(topic)); // it knows no leaders before
        const { end } = await reads.ends(nameOf(topic), partition);
        const offset = String(Math.min(below, end));
        await admin.deleteTopicRecords({ topic: nameOf(topic), partitions: [{ partition, offset }] });
      } catch (error) {
        // Below what is retained already: as it should be.
        if (typeOf(error) !== 'OFFSET_OUT_OF_RANGE') throw unavailable('log_unavailable', `trim ${nameOf(topic)}`, error);
      } finally {
        await admin.disconnect().catch(() => {});
      }
      pages.length = 0;
    },

    async close() {
      closed = true;
      await Promise.all([writers.inputs.close(), writers.facts.close(), follower.stop(), reads.close().catch(() => {})]);
    },
  };
}

function messagesOf(batch: LogBatch, texts: readonly string[]): readonly OutMessage[] {
  const key = encoded(batch.scope);
  return texts.map((text, place) => {
    if (batch.raw === undefined) return { key, value: text, headers: stamp };
    return { key, value: text, headers: place === 0 ? { ...stamp, raw: encoded(batch.raw) } : { ...stamp, place: String(place) } };
  });
}

function recordOf(client: Client, topic: string, partition: number, message: Message): LogRecord {
  const { offset, key } = message;
  const value = isOurs(message) ? valueOf(message) : null;
  if (value === null) client.health.stranger({ topic, partition, offset });
  return { partition, offset, scope: decoded(key), value: value ?? passedOver };
}

/** In the place of what somebody else wrote: a wake that nobody awaits, and no new fact. */
const passedOver = { type: 'Woke', scope: '', at: 0, token: '', seq: 0 } as const;

function valueOf(message: Message): object | null {
  try {
    const value: unknown = JSON.parse(message.value?.toString() ?? 'null');
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

function holds(records: readonly LogRecord[], offset: number): boolean {
  const [first] = records;
  const last = records.at(-1);
  return first !== undefined && last !== undefined && offset >= first.offset && offset <= last.offset;
}

function sliceOf(records: readonly LogRecord[], offset: number, max: number): readonly LogRecord[] {
  const from = records.findIndex((record) => record.offset >= offset);
  return from === -1 ? [] : records.slice(from, from + max);
}

/** Text as it is where UTF-8 can hold it, which people can read with their own tools; else as JSON. */
export function encoded(text: string): string {
  return text.isWellFormed() && !text.startsWith('"') ? text : JSON.stringify(text);
}

export function decoded(bytes: Buffer | null): string {
  const text = bytes?.toString() ?? '';
  if (!text.startsWith('"')) return text;
  try {
    return String(JSON.parse(text));
  } catch {
    return text;
  }
}
