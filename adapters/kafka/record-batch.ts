// A batch of records as it goes to a broker (Kafka's record format 2, not compressed): measured first, then written into one buffer of just that size.
// Knows nothing of requests; produce-request.ts asks for it in place of the client's own encoding, which makes some thirty buffers for each record.
import type { Message } from 'kafkajs';
import type { Millis } from '../../src/core/time.ts';
import { crc32c } from './crc32c.ts';

/** Up to the records: what follows `length`, which is what the batch says of its own size, begins behind 12 bytes. */
const headBytes = 61;
const lengthEnd = 12;
const sumAt = 17;
const sumEnd = 21;
const magic = 2;
const transactional = 16;

export interface BatchOf {
  readonly messages: readonly Message[];
  readonly isTransactional: boolean;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly firstSequence: number;
  /** Of every record, Unix milliseconds. */
  readonly at: Millis;
}

/** Ready to be written. */
export interface SizedBatch {
  readonly bytes: number;
  /** Returns where the batch ends. */
  write(into: Buffer, from: number): number;
}

/** Whether it can be written here: no times of its own, and each header once. Whoever else's messages those are, the client encodes them. */
export function isPlainMessage({ timestamp, headers }: Message): boolean {
  if (timestamp !== undefined) return false;
  for (const name in headers) if (Array.isArray(headers[name]) || headers[name] === undefined) return false;
  return true;
}

export function sizedBatch(batch: BatchOf): SizedBatch {
  const { messages } = batch;
  const headersOf = encodedHeaders();
  const bodies = new Int32Array(messages.length);
  const values = new Int32Array(messages.length);
  const keys = new Int32Array(messages.length);
  let bytes = headBytes;
  for (const [place, { key, value, headers }] of messages.entries()) {
    const keyBytes = key === undefined || key === null ? -1 : bytesOf(key);
    const valueBytes = value === null ? -1 : bytesOf(value);
    const body = 2 + varintBytes(place) + partBytes(keyBytes) + partBytes(valueBytes) + headersOf(headers).length;
    [bodies[place], keys[place], values[place]] = [body, keyBytes, valueBytes];
    bytes += varintBytes(body) + body;
  }
  return {
    bytes,
    write(into, from) {
      let at = from + headBytes;
      for (const [place, { key, value, headers }] of messages.entries()) {
        at = writeVarint(into, at, bodies[place] ?? 0);
        into[at] = 0; // attributes
        into[at + 1] = 0; // as late as the first one
        at = writeVarint(into, at + 2, place);
        at = writePart(into, at, key, keys[place] ?? -1);
        at = writePart(into, at, value, values[place] ?? -1);
        const encoded = headersOf(headers);
        into.set(encoded, at);
        at += encoded.length;
      }
      writeHead(into, from, at, batch);
      return at;
    },
  };
}

function writeHead(into: Buffer, from: number, to: number, batch: BatchOf): void {
  const { messages, isTransactional, producerId, producerEpoch, firstSequence, at } = batch;
  into.writeBigInt64BE(0n, from);
  into.writeInt32BE(to - from - lengthEnd, from + 8);
  into.writeInt32BE(0, from + lengthEnd); // the leader's epoch: the broker's to fill in
  into.writeInt8(magic, from + 16);
  into.writeInt16BE(isTransactional ? transactional : 0, from + sumEnd);
  into.writeInt32BE(messages.length - 1, from + 23);
  into.writeBigInt64BE(BigInt(at), from + 27);
  into.writeBigInt64BE(BigInt(at), from + 35);
  into.writeBigInt64BE(producerId, from + 43);
  into.writeInt16BE(producerEpoch, from + 51);
  into.writeInt32BE(firstSequence, from + 53);
  into.writeInt32BE(messages.length, from + 57);
  into.writeUInt32BE(crc32c(into, from + sumEnd, to), from + sumAt);
}

/** Most records of a batch have the same headers: they are encoded once. */
function encodedHeaders(): (headers: Message['headers']) => Buffer {
  const none = Buffer.from([0]);
  const known = new Map<object, Buffer>();
  return (headers) => {
    if (headers === undefined) return none;
    const before = known.get(headers);
    if (before !== undefined) return before;
    const encoded = encodeHeaders(headers);
    known.set(headers, encoded);
    return encoded;
  };
}

function encodeHeaders(headers: NonNullable<Message['headers']>): Buffer {
  const pairs = Object.entries(headers).map(([name, value]) => ({ name, value: value as Buffer | string })); // isPlainMessage
  let bytes = varintBytes(pairs.length);
  for (const { name, value } of pairs) bytes += partBytes(bytesOf(name)) + partBytes(bytesOf(value));
  const into = Buffer.allocUnsafe(bytes);
  let at = writeVarint(into, 0, pairs.length);
  for (const { name, value } of pairs) {
    at = writePart(into, at, name, bytesOf(name));
    at = writePart(into, at, value, bytesOf(value));
  }
  return into;
}

function bytesOf(text: string | Buffer): number {
  return typeof text === 'string' ? Buffer.byteLength(text) : text.length;
}

/** With the length before it; -1 stands for none. */
function partBytes(bytes: number): number {
  return varintBytes(bytes) + Math.max(0, bytes);
}

function writePart(into: Buffer, from: number, part: string | Buffer | null | undefined, bytes: number): number {
  const at = writeVarint(into, from, bytes);
  if (bytes <= 0) return at;
  if (typeof part !== 'string') into.set(part ?? [], at);
  // A text of as many bytes as letters is copied as it is.
  else if (bytes === part.length) into.write(part, at, bytes, 'latin1');
  else into.write(part, at, bytes, 'utf8');
  return at + bytes;
}

/** A number is written as its double, or for a negative one as the odd number before that: seven bits to a byte, the lowest first. */
function varintBytes(value: number): number {
  let rest = (value << 1) ^ (value >> 31);
  let bytes = 1;
  while ((rest & ~0x7f) !== 0) {
    rest >>>= 7;
    bytes += 1;
  }
  return bytes;
}

function writeVarint(into: Buffer, from: number, value: number): number {
  let rest = (value << 1) ^ (value >> 31);
  let at = from;
  while ((rest & ~0x7f) !== 0) {
    into[at] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
    at += 1;
  }
  into[at] = rest;
  return at + 1;
}
