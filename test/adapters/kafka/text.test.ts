// Texts that go to the log as keys and headers: every text comes back as it was, and a plain one is readable with anybody's tools.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { decoded, encoded } from '../../../adapters/kafka/log-records.ts';

function through(text: string): string {
  return decoded(Buffer.from(encoded(text)));
}

const hostile = [
  '',
  '"',
  '""',
  '"a',
  '"a"',
  '"\\u0041"',
  '\\"a"',
  ' "a"',
  '\u{0}',
  '\u{feff}bom',
  '\u{fffd}',
  '\ud800',
  'a\udfffb',
  '\udfff\ud800',
  '"\ud800"',
  '\u{1f525}',
  '__proto__',
  'null',
  '*',
  'a\r\nb',
  'acme;team=%2A',
  '\u{202e}',
];

test('hostile texts come back as they were', () => {
  for (const text of hostile) assert.equal(through(text), text, JSON.stringify(text));
});

test('any text comes back as it was, and two texts are never one', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('"', '\\', '\ud83d', '\udd25', 'a', '{', 'u0041', '\u{0}') }),
  );
  fc.assert(
    fc.property(text, text, (one, two) => {
      assert.equal(through(one), one);
      assert.equal(one === two, Buffer.from(encoded(one)).equals(Buffer.from(encoded(two))));
    }),
    { numRuns: 2_000 },
  );
});

test('a scope stands in the key as people write it', () => {
  for (const scope of ['default', 'acme;team=db;env=%2A', 'größe', 'a b'] as const) assert.equal(encoded(scope), scope);
});

test('a key of somebody else is taken as it is', () => {
  assert.equal(decoded(null), '');
  assert.equal(decoded(Buffer.from('"unfinished')), '"unfinished');
  assert.equal(decoded(Buffer.from([0xff])), '\u{fffd}');
});
