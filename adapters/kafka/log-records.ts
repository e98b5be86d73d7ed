// What a record of the log looks like in its topic: messages from a batch, and records from messages. Offsets, partitions and requests are others'.
//   L1  A record's text is its value, its scope the key; the delivery it came from is a header of the batch's first record, and the others say
//       how far behind that one they stand.
//   L3  A record says in which form it is (`stamp`). One of a later version is refused, not passed over: whoever reads it would decide without it.
//   L4  Facts that one append brings are written together, so that what one says the next leaves out: the first record of a group holds them all, and
//       each other fact has a record that holds its offset and says its place in the group, without a key. A group goes in one request, so it is one
//       batch, which a broker gives whole: whoever reads from an offset within it is given its first record, too.
import type { Message as OutMessage } from 'kafkajs';
import { GatewayError } from '../../src/core/errors.ts';
import { packed, unpacked } from '../../src/core/stored/stored.ts';
import type { LogBatch, LogRecord, Topic } from '../../src/ports/event-log.ts';
import type { Client } from './client.ts';
import { formHeader, formOf, stamp, type Message } from './fetching.ts';

/** Header of a batch's first record: the body of the delivery, as received. */
const rawHeader = 'raw';
/** Header of a batch's other records: how many records before this one the first one is. */
const placeHeader = 'place';

/** Of facts: one that is readable alone, and those of a group. Both hold facts in the second form of core/stored. */
const aloneForm = 2;
const groupForm = 3;
const aloneStamp = { [formHeader]: String(aloneForm) };
const groupStamp = { [formHeader]: String(groupForm) };

/** A group stays far below what a topic takes; a fact that is larger has a record of its own. */
const groupFactsMax = 128;
const groupCharsMax = 65_536;

/** One message for each value of the batch, in their order. */
export function messagesOf(topic: Topic, batch: LogBatch): readonly OutMessage[] {
  const { scope, values, raw } = batch;
  const key = encoded(scope);
  if (topic === 'facts' && raw === undefined) return factMessages(key, scope, values);
  return values.map((value, place) => {
    const text = JSON.stringify(value);
    if (raw === undefined) return { key, value: text, headers: stamp };
    const header = place === 0 ? { [rawHeader]: encoded(raw) } : { [placeHeader]: String(place) };
    return { key, value: text, headers: { ...stamp, ...header } };
  });
}

function factMessages(key: string, scope: string, values: readonly object[]): OutMessage[] {
  if (values.length > groupFactsMax) return inTwo(key, scope, values);
  const facts = packed(scope, values);
  if (facts.length === 1) return [{ key, value: JSON.stringify(facts[0]), headers: aloneStamp }];
  const text = JSON.stringify(facts);
  if (text.length > groupCharsMax) return inTwo(key, scope, values);
  return facts.map((_, place) => (place === 0 ? { key, value: text, headers: groupStamp } : placeMessage(place)));
}

function inTwo(key: string, scope: string, values: readonly object[]): OutMessage[] {
  const half = values.length > groupFactsMax ? groupFactsMax : values.length >> 1;
  return [...factMessages(key, scope, values.slice(0, half)), ...factMessages(key, scope, values.slice(half))];
}

function placeMessage(place: number): OutMessage {
  return { key: null, value: String(place), headers: groupStamp };
}

/** The messages in runs that must go in one request each (L4). */
export function* groupsOf(messages: readonly OutMessage[]): Iterable<readonly OutMessage[]> {
  let from = 0;
  for (let at = 1; at <= messages.length; at += 1) {
    if (messages[at]?.key === null) continue;
    yield messages.slice(from, at);
    from = at;
  }
}

/**
 * The record of the message at a place of those that were fetched.
 * A message that no gateway wrote is reported, and becomes a record that changes nothing: its offset has to be passed like any other.
 * Throws `log_unavailable` for one of a later version (L3).
 */
export function recordOf(client: Client, topic: string, partition: number, messages: readonly Message[], at: number): LogRecord {
  const message = messages[at];
  if (message === undefined) throw new RangeError(`invariant broken: L1: message ${at} of ${messages.length}`);
  const { offset } = message;
  const form = formOf(message);
  if (form > groupForm) {
    const seen = `${topic} ${partition} holds records of a newer quench (form ${form}, this one knows ${groupForm})`;
    throw new GatewayError('log_unavailable', `${seen}: start the newer one, and stop all that are older`);
  }
  const place = form === groupForm ? placeOf(message) : 0;
  // Offsets of a batch follow one another.
  const head = messages[at - place];
  const isHead = head !== undefined && head.offset === offset - place;
  const scope = decoded(isHead ? head.key : message.key);
  const value = form > 0 && isHead ? valueOf(scope, head, form, place) : null;
  if (value === null) client.health.foreignRecord({ topic, partition, offset });
  return { partition, offset, scope, value: value ?? placeholder };
}

/** How many records before this one its group begins; a text that is no such number leads to no group. */
function placeOf({ key, value }: Message): number {
  return key === null ? Number(value?.toString() ?? Number.NaN) : 0;
}

/** Stands in place of a foreign record's value: a wake that nobody awaits, and no new fact. */
const placeholder = { type: 'Woke', scope: '', at: 0, token: '', seq: 0 } as const;

/** Offset of the record that carries the delivery this message came with. */
export function offsetOfRaw({ offset, headers }: Message): number {
  return offset - Number(headers[placeHeader]?.toString() ?? 0);
}

/** The delivery that the message carries, or null. */
export function rawOf(message: Message | undefined): string | null {
  const raw = message?.headers[rawHeader];
  return raw === undefined ? null : decoded(raw);
}

function valueOf(scope: string, message: Message, form: number, place: number): object | null {
  try {
    const value = form === groupForm ? groupOf(scope, message)[place] : unpacked(scope, [jsonOf(message)])[0];
    return typeof value === 'object' && value !== null ? value : null;
  } catch {
    return null;
  }
}

/** Of a group's first record, whichever of its facts are asked for; read once. */
const groups = new WeakMap<Message, readonly unknown[]>();

function groupOf(scope: string, message: Message): readonly unknown[] {
  const known = groups.get(message);
  if (known !== undefined) return known;
  const stored = jsonOf(message);
  const values = Array.isArray(stored) ? unpacked(scope, stored) : [];
  groups.set(message, values);
  return values;
}

function jsonOf({ value }: Message): unknown {
  return JSON.parse(value?.toString() ?? 'null');
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
