// The text of a body's bytes, as far as anybody can know it: a byte order mark or the zero bytes of UTF-16 decide, else UTF-8.
//   D1  Different bytes never become the same name: what is not UTF-8 is kept as Latin-1 (core/bytes.ts), not replaced.
import { isUtf8 } from 'node:buffer';
import { textOfBinary } from '../../core/bytes.ts';

/** The text without its byte order mark. */
export function textOfBody(bytes: Buffer): string {
  const wide = utf16Of(bytes);
  if (wide !== null) return new TextDecoder(wide).decode(bytes);
  const text = isUtf8(bytes) ? bytes.toString('utf8') : textOfBinary(bytes.toString('latin1'));
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

function utf16Of(bytes: Buffer): 'utf-16le' | 'utf-16be' | null {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  // JSON and forms begin with an ASCII character, which leaves a zero byte before or after it.
  if (first !== undefined && first !== 0 && second === 0) return 'utf-16le';
  if (first === 0 && second !== undefined && second !== 0) return 'utf-16be';
  return null;
}
