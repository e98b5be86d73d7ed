// A file of lines, plain or gzip, a line at a time. Only LF ends a line: U+2028 and its kin are text inside JSON.
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { memberOf } from '../../config/yaml/pointer.ts';
import { GatewayError } from '../../core/errors.ts';

const lineBytesMax = 16_777_216;

/** Lines that hold more than blanks. Throws `not_found`, or `invalid_request` when the file cannot be read, is not whole gzip, or has a line above 16 MiB. */
export async function* linesOf(path: string): AsyncGenerator<string> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  try {
    for await (const chunk of await bytesOf(path)) {
      let from = 0;
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
        rest.push(chunk.subarray(from, end));
        const line = textOf(rest);
        rest = [];
        restBytes = 0;
        from = end + 1;
        if (line !== '') yield line;
      }
      rest.push(chunk.subarray(from));
      restBytes += chunk.length - from;
      if (restBytes > lineBytesMax)
        throw new GatewayError('invalid_request', `${path}: expected lines of at most 16 MiB, seen a longer one`);
    }
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    const why = error instanceof Error ? error.message : 'it cannot be read';
    if (memberOf(error, 'code') === 'ENOENT') throw new GatewayError('not_found', `there is no file ${path}`, error);
    throw new GatewayError('invalid_request', `${path}: expected lines of JSON, plain or gzip: ${why}`, error);
  }
  const last = textOf(rest);
  if (last !== '') yield last;
}

function textOf(parts: readonly Buffer[]): string {
  return Buffer.concat(parts).toString('utf8').trim();
}

/** Gzip is told by its first two bytes, not by the name. */
async function bytesOf(path: string): Promise<AsyncIterable<Buffer>> {
  const file = createReadStream(path);
  const first = await firstChunk(file);
  const zipped = first.length > 1 && first[0] === 0x1f && first[1] === 0x8b;
  file.unshift(first);
  if (!zipped) return file;
  const unzip = createGunzip();
  file.on('error', (error) => unzip.destroy(error));
  return file.pipe(unzip);
}

function firstChunk(file: Readable): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    file.once('error', reject);
    file.once('readable', () => {
      file.off('error', reject);
      resolve((file.read() as Buffer | null) ?? Buffer.alloc(0));
    });
  });
}
