// What a record of the log looks like in its topic: messages from a batch, and records from messages. Offsets, partitions and requests are others'.
//   L1  A record's text is its value, its scope the key; the delivery it came from is a header of the batch's first record, and the others say
//       how far behind that one they stand.
import type { Message as OutMessage } from 'kafkajs';
import type { LogBatch, LogRecord } from '../../src/ports/event-log.ts';
import type { Client } from './client.ts';
import { isOurs, stamp, type Message } from './fetching.ts';

/** Header of a batch's first record: the body of the delivery, as received. */
const rawHeader = 'raw';
/** Header of a batch's other records: how many records before this one the first one is. */
const placeHeader = 'place';

/** `texts`: the values of the batch as JSON, in their order. */
export function messagesOf(batch: LogBatch, texts: readonly string[]): readonly OutMessage[] {
  const key = encoded(batch.scope);
  return texts.map((text, place) => {
    if (batch.raw === undefined) return { key, value: text, headers: stamp };
    const header = place === 0 ? { [rawHeader]: encoded(batch.raw) } : { [placeHeader]: String(place) };
    return { key, value: text, headers: { ...stamp, ...header } };
  });
}

/** A message that no gateway wrote is reported, and becomes a record that changes nothing: its offset has to be passed like any other. */
export function recordOf(client: Client, topic: string, partition: number, message: Message): LogRecord {
  const { offset, key } = message;
  const value = isOurs(message) ? valueOf(message) : null;
  if (value === null) client.health.foreignRecord({ topic, partition, offset });
  return { partition, offset, scope: decoded(key), value: value ?? placeholder };
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

function valueOf(message: Message): object | null {
  try {
    const value: unknown = JSON.parse(message.value?.toString() ?? 'null');
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
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
