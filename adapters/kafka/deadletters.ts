// Dead letters of all gateways: each keeps a copy of all of them in its own store, where they are found; the topic carries them from one to the others.
//   B1  A letter is durable here before anybody is told so, whatever the brokers do; it is carried on when they can take it.
//   B2  A letter that was replayed or discarded anywhere never waits again elsewhere.
//   B3  A letter that the topic does not take stays here alone, and is said; it holds up no other.
// The local store's own log is not otherwise used when the log is shared: its inputs are the outbox.
import type { Message } from 'kafkajs';
import { randomInt } from 'node:crypto';
import { GatewayError } from '../../src/core/errors.ts';
import { second, type Millis } from '../../src/core/time.ts';
import type { DeadLetter, DeadLetters } from '../../src/ports/dead-letters.ts';
import type { LogRecord } from '../../src/ports/event-log.ts';
import type { Store } from '../../src/ports/store.ts';
import type { Client } from './client.ts';
import { createReads, isOurs, stamp, type Reads } from './fetching.ts';
import { createBell, pauseOr, within } from './waits.ts';
import { createWriter, writerLimits, type Writer } from './writer.ts';

const outboxCursor = 'deadletter-outbox';
const topicCursor = 'deadletter';
/** Not a place but a number by which the store knows its own entries again. */
const identityCursor = 'deadletter-identity';
const entriesAtOnce = 100;
/** Far below what the writer lets wait: letters are as large as deliveries. */
const partBytesMax = 1_048_576;
/** Between two looks at the topic; what this process puts into the outbox is carried on at once. */
const lookEveryMs: Millis = second;
const flushWithinMs: Millis = 2 * second;

/** A letter, or what became of one. `by` is the identity of the store that made the entry, and has it already. */
type Entry = { readonly by: number } & (
  | { readonly letter: DeadLetter }
  | { readonly mark: string; readonly state: 'replayed' | 'discarded' }
);

type Unsigned<T> = T extends unknown ? Omit<T, 'by'> : never;

/** Entries that go to the topic together. */
interface Part {
  readonly messages: Message[];
  /** Where the outbox goes on. */
  next: number;
}

interface Carrying {
  readonly client: Client;
  readonly topic: string;
  readonly local: Store;
  readonly writer: Writer;
  readonly reads: Reads;
  /** The identity of the local store. */
  readonly identity: () => Promise<number>;
  isStopping: boolean;
}

export interface SharedLetters extends DeadLetters {
  start(): void;
  close(): Promise<void>;
}

export function createLetters(client: Client, local: Store): SharedLetters {
  const { clock } = client;
  const topic = client.settings.topics.deadletter;
  const carrying: Carrying = {
    client,
    topic,
    local,
    writer: createWriter(client, topic, writerLimits),
    reads: createReads(client),
    identity: createIdentity(local),
    isStopping: false,
  };
  const bell = createBell();
  let running: Promise<unknown> = Promise.resolve();

  /** Into the outbox. */
  async function put(entry: Unsigned<Entry>): Promise<void> {
    const signed = { ...entry, by: await carrying.identity() };
    await local.log.append('inputs', { partition: 0, scope: topic, values: [signed] });
    bell.ring();
  }

  async function run(): Promise<void> {
    while (!carrying.isStopping) {
      const woken = bell.next();
      try {
        await publish(carrying);
        await copy(carrying);
        client.health.good('dead letters');
      } catch (error) {
        if (!carrying.isStopping) client.health.bad('dead letters', error);
      }
      await pauseOr(clock, lookEveryMs, woken);
    }
  }

  return {
    async add(letter) {
      await local.deadLetters.add(letter); // B1
      await put({ letter });
    },
    async mark(id, state) {
      await local.deadLetters.mark(id, state);
      await put({ mark: id, state });
    },
    get: (id) => local.deadLetters.get(id),
    list: (query) => local.deadLetters.list(query),
    count: (endpoints) => local.deadLetters.count(endpoints),
    start: () => void (running = run()),
    async close() {
      await within(clock, flushWithinMs, 'carry dead letters on', publish(carrying)).catch(() => {}); // the next start does it
      carrying.isStopping = true;
      bell.ring();
      await carrying.writer.close();
      await carrying.reads.close().catch(() => {});
      await running;
    },
  };
}

/** A number drawn once for each store and kept in it. When the store fails, the next caller tries anew. */
function createIdentity(local: Store): () => Promise<number> {
  let identity: Promise<number> | null = null;

  async function loadOrDraw(): Promise<number> {
    const kept = await local.cursors.load(identityCursor, 0);
    if (kept > 0) return kept;
    const drawn = randomInt(1, 2 ** 47);
    await local.cursors.save(identityCursor, 0, drawn);
    return drawn;
  }

  return () =>
    (identity ??= loadOrDraw().catch((error: unknown) => {
      identity = null;
      throw error;
    }));
}

// ---------------------------------------------------------------- from the outbox to the topic

/** Carries on what is in the outbox, in order, and trims it. */
async function publish(carrying: Carrying): Promise<void> {
  const { local } = carrying;
  let offset = await local.cursors.load(outboxCursor, 0);
  for (;;) {
    const entries = await local.log.read('inputs', 0, offset, entriesAtOnce);
    if (entries.length === 0) return;
    for (const { messages, next } of partsOf(entries)) {
      await Promise.all(messages.map((message) => carry(carrying, message))); // the writer makes one request of them
      offset = next;
      await local.cursors.save(outboxCursor, 0, offset);
      await local.log.trim('inputs', 0, offset);
    }
  }
}

async function carry({ client, topic, writer }: Carrying, message: Message): Promise<void> {
  try {
    await writer.append(0, [message]);
  } catch (error) {
    if (!(error instanceof GatewayError && error.code === 'payload_too_large')) throw error;
    client.logger.error(
      { topic, letter: message.key, bytes: bytesOf(message) },
      'dead letter is larger than the topic takes, only this gateway has it: raise the max.message.bytes of the topic',
    ); // B3
  }
}

/** In order, each of about one request; a larger entry by itself. */
function partsOf(entries: readonly LogRecord[]): readonly Part[] {
  const parts: Part[] = [];
  let bytes = 0;
  for (const { offset, value } of entries) {
    const message = { key: keyOf(value as Entry), value: JSON.stringify(value), headers: stamp }; // written by put only
    bytes += bytesOf(message);
    const part = parts.at(-1);
    if (part !== undefined && bytes <= partBytesMax) {
      part.messages.push(message);
      part.next = offset + 1;
    } else {
      parts.push({ messages: [message], next: offset + 1 });
      bytes = bytesOf(message);
    }
  }
  return parts;
}

function bytesOf({ value }: Message): number {
  return Buffer.byteLength(value ?? '');
}

function keyOf(entry: Entry): string {
  return 'mark' in entry ? entry.mark : entry.letter.id;
}

// ---------------------------------------------------------------- from the topic to the local copy

/** Applies what is new in the topic to the local store, in order. */
async function copy(carrying: Carrying): Promise<void> {
  const { client, topic, local, reads } = carrying;
  let offset = await local.cursors.load(topicCursor, 0);
  const { first, end } = await reads.ends(topic, 0);
  if (offset > end || offset < first) offset = first;
  while (offset < end && !carrying.isStopping) {
    const fetched = await reads.fetch({ topic, partition: 0, offset });
    for (const message of fetched.messages) {
      if (message.offset < offset) continue;
      const entry = isOurs(message) ? entryOf(message.value) : null;
      if (entry === null) client.health.foreignRecord({ topic, partition: 0, offset: message.offset });
      else await apply(carrying, entry);
    }
    offset = fetched.next;
    await local.cursors.save(topicCursor, 0, offset);
  }
}

async function apply({ local, identity }: Carrying, entry: Entry): Promise<void> {
  if (entry.by === (await identity())) return; // the store had it first, and may have forgotten it since
  if ('mark' in entry) await local.deadLetters.mark(entry.mark, entry.state).catch(() => {}); // the store may have forgotten the letter
  else if ((await local.deadLetters.get(entry.letter.id)) === null) await local.deadLetters.add(entry.letter); // B2
}

function entryOf(value: Buffer | null): Entry | null {
  try {
    const entry: unknown = JSON.parse(value?.toString() ?? 'null');
    // Written by publish only; anything else in the topic is passed over.
    return typeof entry === 'object' && entry !== null && ('letter' in entry || 'mark' in entry) ? (entry as Entry) : null;
  } catch {
    return null;
  }
}
