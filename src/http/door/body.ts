// Reads a request's body: capped, in memory, under one bound for all requests together.
//   B1  Never more than `bodyBytesMax`, or what the caller allows, of one body is held or inflated, never more than `bufferedBytesMax` of all that are arriving.
//   B2  A body that is announced as too large is not waited for.
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw, type InputType, type ZlibOptions } from 'node:zlib';
import { GatewayError } from '../../core/errors.ts';
import { goOn } from './continue.ts';

type Inflate = (sent: Buffer, bytesMax: number) => Promise<Buffer>;

const inflates: ReadonlyMap<string, Inflate> = new Map<string, Inflate>([
  ['gzip', within(promisify(gunzip))],
  ['x-gzip', within(promisify(gunzip))],
  ['deflate', inflateEither],
  ['br', within(promisify(brotliDecompress))],
]);
/** A body that is too large is read to its end and dropped up to this many times the cap, so that the sender sees the answer. */
const drainFactor = 8;

export interface BodyLimits {
  /** As sent, and again after inflating. */
  readonly bodyBytesMax: number;
  /** Of all bodies that are being received. */
  readonly bufferedBytesMax: number;
}

/** Resolves to the bytes, inflated. Rejects with `payload_too_large`, `unsupported_media` (encoding), `overloaded`, or `invalid_request` (cut off, not what the encoding says). */
export type BodyReader = (req: IncomingMessage, bytesMax?: number) => Promise<Buffer>;

export function bodyReader({ bodyBytesMax, bufferedBytesMax }: BodyLimits): BodyReader {
  let buffered = 0;

  function collect(req: IncomingMessage, bytesMax: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      let ownBytes = 0;
      let refusal: GatewayError | null = null;
      function settle(error: GatewayError | null): void {
        buffered -= ownBytes;
        ownBytes = 0;
        if (error !== null) reject(error);
        else resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, bytes));
      }
      function refuse(error: GatewayError): void {
        refusal ??= error;
        chunks.length = 0;
        buffered -= ownBytes;
        ownBytes = 0;
      }
      req.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > bytesMax) refuse(tooLarge(bytesMax));
        else if (buffered + chunk.length > bufferedBytesMax) refuse(new GatewayError('overloaded', 'too many bodies are being received'));
        if (bytes > bytesMax * drainFactor) settle(refusal);
        if (refusal !== null) return;
        buffered += chunk.length;
        ownBytes += chunk.length;
        chunks.push(chunk);
      });
      req.on('end', () => settle(refusal));
      req.on('error', (error) => settle(new GatewayError('invalid_request', 'the body was cut off', error)));
    });
  }

  return async (req, bytesMax = bodyBytesMax) => {
    const encoding = (req.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
    const inflateBody = inflates.get(encoding);
    if (inflateBody === undefined && encoding !== 'identity' && encoding !== '') {
      throw new GatewayError('unsupported_media', 'content-encoding must be gzip, deflate, br or identity');
    }
    if (announced(req) > bytesMax) throw tooLarge(bytesMax); // B2
    goOn(req);
    const sent = await collect(req, bytesMax);
    return inflateBody === undefined ? sent : inflated(inflateBody, encoding, sent, bytesMax);
  };
}

/** As the header says; zero when it says nothing. */
function announced({ headers }: IncomingMessage): number {
  return Number(headers['content-length'] ?? 0);
}

function within(one: (sent: InputType, options: ZlibOptions) => Promise<Buffer>): Inflate {
  return (sent, bytesMax) => one(sent, { maxOutputLength: bytesMax });
}

/** The standard says zlib's format; several programs send the bare stream under the same name. Its first byte tells them apart. */
function inflateEither(sent: Buffer, bytesMax: number): Promise<Buffer> {
  const isZlib = sent.length >= 2 && (sent.readUInt8(0) & 0x0f) === 8 && sent.readUInt16BE(0) % 31 === 0;
  return within(promisify<InputType, ZlibOptions, Buffer>(isZlib ? inflate : inflateRaw))(sent, bytesMax);
}

async function inflated(inflateBody: Inflate, encoding: string, sent: Buffer, bytesMax: number): Promise<Buffer> {
  try {
    return await inflateBody(sent, bytesMax);
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(bytesMax);
    throw new GatewayError('invalid_request', `the body is not ${encoding}`, error);
  }
}

function tooLarge(bytesMax: number): GatewayError {
  return new GatewayError('payload_too_large', `a body may have ${bytesMax} bytes; it was not kept`);
}
