// The log's records that are older than what the partition buffers hold: asked of the brokers a page at a time. Pages are kept for the next reads,
// for readers that catch up come again and again. What is newest is partition-buffer.ts.
import type { GatewayError } from '../../src/core/errors.ts';
import type { LogRecord, Topic } from '../../src/ports/event-log.ts';
import { typeOf, unavailable, type Client } from './client.ts';
import type { Fetched, Message, Reads } from './fetching.ts';
import { offsetOfRaw, rawOf, recordOf } from './log-records.ts';

const pagesMax = 16;

interface Page {
  readonly topic: Topic;
  readonly partition: number;
  /** Of the partition's buffer when the page was asked for; after the partition was cut back the page is not used again. */
  readonly generation: number;
  readonly records: readonly LogRecord[];
}

export interface HistoryDeps {
  readonly client: Client;
  readonly reads: Reads;
  generationOf(topic: Topic, partition: number): number;
}

/** Reads that fail reject with `log_unavailable`. */
export interface History {
  /** Up to `max` records from the offset on; from the first retained one when the offset is older than that. */
  read(topic: Topic, partition: number, offset: number, max: number): Promise<readonly LogRecord[]>;
  /** The delivery that the record at the offset came from; null when there was none, or it is retained no more. */
  raw(topic: Topic, partition: number, offset: number): Promise<string | null>;
  /** Forgets the pages. */
  clear(): void;
}

export function createHistory({ client, reads, generationOf }: HistoryDeps): History {
  const pages: Page[] = [];

  async function pageAt(topic: Topic, partition: number, offset: number): Promise<Page> {
    const generation = generationOf(topic, partition);
    const kept = pages.find(
      (page) =>
        page.topic === topic && page.partition === partition && page.generation === generation && includesOffset(page.records, offset),
    );
    if (kept !== undefined) return kept;
    const fetched = await fetchAt(client, reads, { topic, partition, offset });
    const { messages, from } = fetched;
    const records = messages.flatMap((message, at) =>
      message.offset < from ? [] : [recordOf(client, fetched.topic, partition, messages, at)],
    );
    const page = { topic, partition, generation, records };
    if (page.records.length > 0) pages.push(page);
    if (pages.length > pagesMax) pages.shift();
    return page;
  }

  return {
    async read(topic, partition, offset, max) {
      const records: LogRecord[] = [];
      for (let at = offset; records.length < max;) {
        const more = sliceOf((await pageAt(topic, partition, at)).records, at, max - records.length);
        const last = more.at(-1);
        if (last === undefined) break;
        for (const record of more) records.push(record);
        at = last.offset + 1;
      }
      return records;
    },
    async raw(topic, partition, offset) {
      const { messages, from } = await fetchAt(client, reads, { topic, partition, offset });
      const message = messageAt(messages, offset);
      if (message === undefined || from > offset) return null; // trimmed
      const first = offsetOfRaw(message);
      return rawOf(
        messageAt(messages, first) ?? messageAt((await fetchAt(client, reads, { topic, partition, offset: first })).messages, first),
      );
    },
    clear: () => void (pages.length = 0),
  };
}

interface Place {
  readonly topic: Topic;
  readonly partition: number;
  readonly offset: number;
}

/** One page from the offset on; from the first retained record when the offset is older, and an empty one when it is beyond the end. */
async function fetchAt(client: Client, reads: Reads, { topic, partition, offset }: Place): Promise<Fetched> {
  const spot = { topic: client.settings.topics[topic], partition, offset };
  try {
    return await reads.fetch(spot);
  } catch (error) {
    if (typeOf(error) !== 'OFFSET_OUT_OF_RANGE') throw readFailed(client, topic, error);
  }
  try {
    const { first, end } = await reads.ends(spot.topic, partition);
    if (offset >= end) return { topic: spot.topic, partition, from: offset, messages: [], next: end, end };
    return await reads.fetch({ ...spot, offset: first });
  } catch (error) {
    throw readFailed(client, topic, error);
  }
}

/** Reports that reads fail, and gives the error to throw. */
export function readFailed(client: Client, topic: Topic, error: unknown): GatewayError {
  client.health.bad('read', error);
  return unavailable('log_unavailable', `read ${client.settings.topics[topic]}`, error);
}

function messageAt(messages: readonly Message[], offset: number): Message | undefined {
  return messages.find((message) => message.offset === offset);
}

function includesOffset(records: readonly LogRecord[], offset: number): boolean {
  const [first] = records;
  const last = records.at(-1);
  return first !== undefined && last !== undefined && offset >= first.offset && offset <= last.offset;
}

function sliceOf(records: readonly LogRecord[], offset: number, max: number): readonly LogRecord[] {
  const from = records.findIndex((record) => record.offset >= offset);
  return from === -1 ? [] : records.slice(from, from + max);
}
