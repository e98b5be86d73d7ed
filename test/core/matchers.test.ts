import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { Matcher, MatchOp } from '../../src/core/alert/labels.ts';
import { matcherIn, matcherText } from '../../src/core/alert/matchers.ts';

const ops: readonly MatchOp[] = ['=', '!=', '=~', '!~'];

/** Text, name, operator, value; those with a * are from Alertmanager's own tests (pkg/labels/parse_test.go). */
const read: readonly (readonly [text: string, name: string, op: MatchOp, value: string])[] = [
  ['foo=bar', 'foo', '=', 'bar'], // *
  ['foo!=bar', 'foo', '!=', 'bar'], // *
  ['foo="bar"', 'foo', '=', 'bar'], // *
  ['  foo = "bar"  ', 'foo', '=', 'bar'],
  ['foo =~ bar.* ', 'foo', '=~', 'bar.*'],
  ['foo=', 'foo', '=', ''], // *
  ['foo=""', 'foo', '=', ''],
  [String.raw`foo="bar\"baz"`, 'foo', '=', 'bar"baz'], // *
  [String.raw`foo="a\\b"`, 'foo', '=', String.raw`a\b`],
  [String.raw`foo="a\nb"`, 'foo', '=', 'a\nb'], // *
  [String.raw`foo=~"web\.example"`, 'foo', '=~', String.raw`web\.example`], // * a spurious escape stays
  [String.raw`foo=~web\.example`, 'foo', '=~', String.raw`web\.example`],
  ['foo="  bar "', 'foo', '=', '  bar '],
  ['foo="=bar"', 'foo', '=', '=bar'],
  ['foo=a=b', 'foo', '=', 'a=b'],
  ['foo==b', 'foo', '=', '=b'],
  ['job.name:x-1!~a|b', 'job.name:x-1', '!~', 'a|b'],
  ['größe=5', 'größe', '=', '5'],
  ['"my label"="x"', 'my label', '=', 'x'], // * the UTF-8 syntax
  [String.raw`"a\"b"=x`, 'a"b', '=', 'x'],
];

const refused = [
  '',
  '=',
  '=x',
  'foo',
  'foo bar',
  '{foo="bar"}',
  '{nonsense',
  'foo="bar',
  'foo=bar"',
  'foo="bar"baz',
  'foo="a"b"',
  'fo o=x',
  '""=x',
];

describe('the text of a matcher', () => {
  for (const [text, name, op, value] of read) {
    it(`reads ${text}`, () => assert.deepEqual(matcherIn(text), { ok: true, value: { name, op, value } }));
  }
  for (const text of refused) {
    it(`refuses ${JSON.stringify(text)}, and says what it saw`, () => {
      const answer = matcherIn(text);
      assert.ok(!answer.ok && answer.error.startsWith('expected a matcher like host=db1') && answer.error.endsWith(JSON.stringify(text)));
    });
  }

  it('M3: what is written is read back, whatever is in it', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: fc.constantFrom('"', '\\', 'n', '\n', ' ', '=', '~', '!', 'a', '{') }),
    );
    const matcher = fc.record<Matcher>(
      { name: text.filter((name) => name !== ''), op: fc.constantFrom(...ops), value: text },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(matcher, (one) => assert.deepEqual(matcherIn(matcherText(one)), { ok: true, value: one })),
      { numRuns: 2_000 },
    );
  });

  it('M2: a plain value without quotes is itself, whatever white space stands around the parts', () => {
    const space = fc.string({ unit: fc.constantFrom(' ', '\t'), maxLength: 3 });
    const name = fc.stringMatching(/^[A-Za-z_][\w.:-]{0,8}$/);
    const value = fc.stringMatching(/^[^"\s=~](?:[^"\n]{0,8}[^"\s])?$/);
    fc.assert(
      fc.property(name, fc.constantFrom(...ops), value, space, (label, op, plain, gap) => {
        assert.deepEqual(matcherIn(`${gap}${label}${gap}${op}${gap}${plain}${gap}`), {
          ok: true,
          value: { name: label, op, value: plain },
        });
      }),
      { numRuns: 1_000 },
    );
  });

  it('never throws, and takes its time from the length', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void matcherIn(text)));
    const began = performance.now();
    matcherIn(`a=${' '.repeat(5_000)}"`);
    matcherIn(`"${'\\'.repeat(50_001)}`);
    assert.ok(performance.now() - began < 1_000);
  });
});
