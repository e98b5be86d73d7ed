// What a record of the log looks like in its topic: messages from a batch, and records from messages. Offsets, partitions and requests are others'.
//   L1  A record's text is its value, its scope the key; the delivery it came from is a header of the batch's first record, and the others say
//       how far behind that one they stand. Facts are written in the gateway's own short form, each of them readable alone.
//   L3  A record says in which form it is (`stamp`). One of a later version is refused, not passed over: whoever reads it would decide without it.
import type { Message as OutMessage } from 'kafkajs';
import { GatewayError } from '../../src/core/errors.ts';
import { packed, storedForm, unpacked } from '../../src/core/stored/stored.ts';
import type { LogBatch, LogRecord, Topic } from '../../src/ports/event-log.ts';
import type { Client } from './client.ts';
import { formHeader, formOf, stamp, type Message } from './fetching.ts';

/** Header of a batch's first record: the body of the delivery, as received. */
const rawHeader = 'raw';
/** Header of a batch's other records: how many records before this one the first one is. */
const placeHeader = 'place';

const factStamp = { [formHeader]: String(storedForm) };

/** The values of the batch as they are written, in their order. */
export function textsOf(topic: Topic, { scope, values }: LogBatch): readonly string[] {
  return values.map((value) => JSON.stringify(topic === 'facts' ? packed(scope, [value])[0] : value));
}

/** `texts`: what `textsOf` gave for the batch. */
export function messagesOf(topic: Topic, batch: LogBatch, texts: readonly string[]): readonly OutMessage[] {
  const key = encoded(batch.scope);
  const form = topic === 'facts' ? factStamp : stamp;
  return texts.map((text, place) => {
    if (batch.raw === undefined) return { key, value: text, headers: form };
    const header = place === 0 ? { [rawHeader]: encoded(batch.raw) } : { [placeHeader]: String(place) };
    return { key, value: text, headers: { ...form, ...header } };
  });
}

/**
 * A message that no gateway wrote is reported, and becomes a record that changes nothing: its offset has to be passed like any other.
 * Throws `log_unavailable` for one of a later version (L3).
 */
export function recordOf(client: Client, topic: string, partition: number, message: Message): LogRecord {
  const { offset, key } = message;
  const scope = decoded(key);
  const form = formOf(message);
  if (form > storedForm) {
    const seen = `${topic} ${partition} holds records of a newer quench (form ${form}, this one knows ${storedForm})`;
    throw new GatewayError('log_unavailable', `${seen}: start the newer one, and stop all that are older`);
  }
  const value = form > 0 ? valueOf(scope, message) : null;
  if (value === null) client.health.foreignRecord({ topic, partition, offset });
  return { partition, offset, scope, value: value ?? placeholder };
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

function valueOf(scope: string, message: Message): object | null {
  try {
    const [value] = unpacked(scope, [JSON.parse(message.value?.toString() ?? 'null')]);
    return typeof value === 'object' && value !== null ? value : null;
  } catch {
    return null;
  }
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
