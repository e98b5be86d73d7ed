// D3: what an index finds is what a look at everything would find; indexes are what keeps a cost from growing with what is open.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createExpressions } from '../../adapters/cel/expressions.ts';
import { boundedBy, matchesAll, newBudget, type Matchable, type Matcher } from '../../src/core/alert/labels.ts';
import type { Silence } from '../../src/core/mute/facts.ts';
import { shapeOf } from '../../src/core/mute/shape.ts';
import { indexSilence, newSilenceIndex, silencesFor, unindexSilence } from '../../src/core/mute/silences.ts';
import { addText, dropText, newOrdered, textsFrom } from '../../src/core/ordered.ts';

const expressions = createExpressions();
const tested = boundedBy(newBudget(Number.POSITIVE_INFINITY), expressions);

// ---------------------------------------------------------------- ordered texts

test('D3: ordered texts are walked from any text as a sorted list is, whatever came and went', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '0'), maxLength: 6 });
  const deed = fc.record({ adds: fc.boolean(), texts: fc.array(text, { maxLength: 400 }) });
  fc.assert(
    fc.property(fc.array(deed, { maxLength: 8 }), text, (deeds, from) => {
      const texts = newOrdered();
      const all = new Set<string>();
      for (const { adds, texts: each } of deeds) {
        for (const one of each) {
          if (adds) addText(texts, one);
          else dropText(texts, one);
          if (adds) all.add(one);
          else all.delete(one);
        }
      }
      assert.deepEqual([...textsFrom(texts, from)], [...all].filter((one) => one >= from).sort());
      assert.equal(texts.size, all.size);
    }),
  );
});

test('D3: ordered texts hold more than a block, and lose all of it', () => {
  const texts = newOrdered();
  const all = Array.from({ length: 5_000 }, (_, at) => String((at * 7_919) % 5_000).padStart(5, '0'));
  for (const one of all) addText(texts, one);
  assert.deepEqual([...textsFrom(texts, '02500')], all.filter((one) => one >= '02500').sort());
  for (const one of all) dropText(texts, one);
  assert.deepEqual([texts.size, [...textsFrom(texts, '')], texts.blocks.length], [0, [], 0]);
});

// ---------------------------------------------------------------- the shape of a pattern

const shapes: readonly (readonly [pattern: string, shape: ReturnType<typeof shapeOf>])[] = [
  ['web1', { values: ['web1'] }],
  ['web1|web2|db', { values: ['web1', 'web2', 'db'] }],
  ['^(?:web1|web2)$', { values: ['web1', 'web2'] }],
  ['(web1|web2)', { values: ['web1', 'web2'] }],
  ['web1\\.example\\.org', { values: ['web1.example.org'] }],
  ['web1|', { values: ['web1', ''] }],
  ['web.*', { prefix: 'web' }],
  ['web-?1', { prefix: 'web' }],
  ['webb*', { prefix: 'web' }],
  ['db(1|2)\\..*', { prefix: 'db' }],
  ['db[0-9]+', { prefix: 'db' }],
  ['d😀+', { prefix: 'd' }],
  ['web\\d', { prefix: 'web' }],
  ['web\\$', { values: ['web$'] }],
  ['web.*|db', null],
  ['w(a)|b', null],
  ['(a|b)|c(d)', null],
  ['(?i)web', null],
  ['.*web', null],
  ['[|]a', null],
  ['a[(]|b', null],
  ['a\\Q(\\E|b', null],
];

for (const [pattern, shape] of shapes) {
  test(`S5: the shape of ${pattern} is ${JSON.stringify(shape)}`, () => assert.deepEqual(shapeOf(pattern), shape));
}

/** Patterns full of what means something, and values that are likely to fit. */
const piece = fc.constantFrom(
  '*',
  '+',
  '?',
  'a',
  'b',
  'ab',
  '.',
  '.*',
  'a?',
  'b*',
  'a+',
  '(',
  ')',
  '(?:',
  '(?i)',
  '|',
  '[ab]',
  '[^a]',
  '[|]',
  '\\.',
  '\\d',
  '\\Q',
  '\\E',
  '{2}',
  '^',
  '$',
  '\\$',
  '\\b',
  '😀',
  'A',
);
const pattern = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
const value = fc.string({ unit: fc.constantFrom('a', 'b', '.', '$', '|', '(', '1', 'A', '😀', '\n'), maxLength: 6 });

test('S5: a value that fits a pattern has the shape of the pattern', () => {
  let fitted = 0;
  fc.assert(
    fc.property(pattern, fc.array(value, { maxLength: 30 }), (text, values) => {
      const shape = shapeOf(text);
      if (shape === null) return;
      for (const one of [...values, 'a', 'b', 'ab', 'aa', 'aba', 'a.b']) {
        if (!expressions.pattern(text, one)) continue;
        fitted += 1;
        assert.ok('values' in shape ? shape.values.includes(one) : one.startsWith(shape.prefix), `${text} fits ${JSON.stringify(one)}`);
      }
    }),
    { numRuns: 20_000 },
  );
  assert.ok(fitted > 1_000, `only ${fitted} values fitted`);
});

// ---------------------------------------------------------------- silences

const name = fc.constantFrom('host', 'severity', 'team', 'alertname', 'instance', 'constructor');
const word = fc.constantFrom('', 'a', 'b', 'ab', 'abc', 'b1', 'critical', `${'x'.repeat(1_100)}`);
const matcher: fc.Arbitrary<Matcher> = fc.oneof(
  fc.record({ name, op: fc.constantFrom('=' as const, '!=' as const), value: word }),
  fc.record({
    name,
    op: fc.constantFrom('=~' as const, '!~' as const),
    value: fc.oneof(fc.constantFrom('a.*', 'ab|b1', 'a|', '.*b', 'b[0-9]', '('), pattern),
  }),
);
const silence = fc.record({
  id: fc.integer({ min: 0, max: 30 }).map((at) => `s${at}`),
  matchers: fc.array(matcher, { maxLength: 4 }),
  endsAt: fc.integer({ min: 1, max: 4 }),
});
const alert: fc.Arbitrary<Matchable> = fc.record(
  {
    labels: fc.dictionary(name, fc.oneof(word, value)),
    entity: fc.record({ host: word }),
    name: word,
    severity: fc.constantFrom('critical', 'a'),
    source: fc.constant('s'),
  },
  { requiredKeys: ['labels'] },
);

test('D3, S1: of all silences those that match an alert are found, in their order, whichever came and went', () => {
  let matched = 0;
  const deed = fc.record({ ends: fc.boolean(), silence });
  fc.assert(
    fc.property(fc.array(deed, { maxLength: 60 }), fc.array(alert, { minLength: 1, maxLength: 5 }), (deeds, alerts) => {
      const index = newSilenceIndex();
      const all = new Map<string, Silence>();
      for (const { ends, silence: one } of deeds) {
        const before = all.get(one.id);
        if (before !== undefined) unindexSilence(index, before);
        all.delete(one.id);
        if (ends) continue;
        const set: Silence = { ...one, startsAt: 0, untilResolved: false, by: '', comment: '' };
        all.set(one.id, set);
        indexSilence(index, set);
      }
      for (const each of alerts) {
        const fits = ({ matchers }: Silence): boolean => matchesAll(matchers, each, tested);
        const looked = [...all.values()].filter(fits).sort((a, b) => b.endsAt - a.endsAt || (a.id < b.id ? -1 : 1));
        matched += looked.length;
        assert.deepEqual([...silencesFor(index, each)].filter(fits), looked);
      }
      for (const each of all.values()) unindexSilence(index, each);
      assert.deepEqual(
        index,
        newSilenceIndex().sorted === index.sorted ? newSilenceIndex() : { ...newSilenceIndex(), sorted: index.sorted },
      );
    }),
    { numRuns: 2_000 },
  );
  assert.ok(matched > 1_000, `only ${matched} silences matched`);
});
