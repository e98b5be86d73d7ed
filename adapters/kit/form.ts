// Bodies of type application/x-www-form-urlencoded. Unlike the platform's parser this one keeps bytes that are not UTF-8:
// a shell script encodes what its program printed, in whatever character set that was.
import { textOfBinary } from '../../src/core/bytes.ts';

const fieldsMax = 4_096;

/** Names and values in their order, at most 4,096; a broken escape stands as it was written. */
export function formOf(body: string): readonly (readonly [name: string, value: string])[] {
  const fields: (readonly [string, string])[] = [];
  for (const pair of body.split('&', fieldsMax)) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    fields.push(equals < 0 ? [decoded(pair), ''] : [decoded(pair.slice(0, equals)), decoded(pair.slice(equals + 1))]);
  }
  return fields;
}

function decoded(text: string): string {
  const spaced = text.replaceAll('+', ' ');
  if (!spaced.includes('%')) return spaced;
  const binary = Buffer.from(spaced, 'utf8').toString('latin1');
  return textOfBinary(binary.replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16))));
}
