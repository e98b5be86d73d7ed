import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { slicesOf } from '../../src/http/writing.ts';

const sliceChars = 131_072;
const joined = (body: unknown): string => [...slicesOf(body)].join('');
/** The same value with every list as an iterator. */
function lazily(value: unknown): unknown {
  if (Array.isArray(value)) return value.values().map(lazily);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, lazily(member)]));
}

test('J1: joined, the slices of an answer are its JSON, whatever is long in it', () => {
  const text = 'ä "😀"\n\ud800'.repeat(40_000);
  const items = Array.from({ length: 3_000 }, (_, index) => ({ index, text: `ä "${index}"`, none: undefined }));
  const bodies = [
    {},
    [],
    [undefined],
    { items: [] },
    { items: [], next: null, missing: undefined },
    { items, next: 'x' },
    items,
    [
      { name: 'a', alerts: items },
      { name: 'b', alerts: [] },
    ],
    { body: text, more: 1 },
    { records: [{ raw: text }, { raw: 'short' }] },
    { deep: { deeper: { items } } },
  ];
  for (const body of bodies) assert.equal(joined(body), JSON.stringify(body));
  assert.equal(joined(lazily({ items: [{ alerts: items }] })), JSON.stringify({ items: [{ alerts: items }] }));
  fc.assert(fc.property(fc.jsonValue(), (body) => assert.equal(joined(body), JSON.stringify(body))));
});

test('J1: a text is cut nowhere inside a pair of surrogates', () => {
  for (const before of ['', 'x', 'xy', 'xyz']) {
    const body = { body: before + '😀'.repeat(sliceChars) };
    assert.equal(joined(body), JSON.stringify(body));
  }
});

test('J2: lists, lists in them and texts are cut into slices of a bounded length', () => {
  const item = { text: 'x'.repeat(1_000), list: [1, 2, 3] };
  const items = Array.from({ length: 1_000 }, () => item);
  for (const body of [
    items,
    { items },
    [{ alerts: items }, { alerts: items }],
    { body: 'y'.repeat(1_000_000) },
    [{ raw: 'z'.repeat(1_000_000) }],
  ]) {
    const lengths = [...slicesOf(body)].map((slice) => slice.length);
    assert.ok(lengths.length >= 8, `${lengths.length} slices`);
    assert.ok(Math.max(...lengths) <= 2 * sliceChars, `the longest has ${Math.max(...lengths)}`);
  }
  assert.equal([...slicesOf({ items: items.slice(0, 50) })].length, 1);
});

test('J2: the items of an iterator are made as they are written, not before', () => {
  let made = 0;
  const items = Array.from({ length: 1_000 })
    .values()
    .map(() => ({ number: (made += 1), text: 'x'.repeat(1_000) }));
  const slices = slicesOf([{ alerts: items }]);
  slices.next();
  assert.ok(made >= 100 && made <= 140, `${made} are made for the first slice`);
});
