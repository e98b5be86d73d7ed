import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { parseBytes, parseRate, parseSpan } from '../../src/config/yaml/duration.ts';
import { spanOf } from '../../src/core/time.ts';

describe('spans, rates and sizes', () => {
  const spans: readonly (readonly [string, number | null])[] = [
    ['90s', 90_000],
    ['10m', 600_000],
    ['1h30m', 5_400_000],
    ['2d', 172_800_000],
    ['250ms', 250],
    ['1m250ms', 60_250],
    ['0s', 0],
    ['3650d', 315_360_000_000],
    ['3651d', null],
    ['', null],
    ['90', null],
    ['-5m', null],
    ['5 m', null],
    ['1.5h', null],
    ['30m1h', null],
    ['5m5m', null],
    ['5M', null],
    ['1e3s', null],
    ['9999999d', null],
  ];
  for (const [text, ms] of spans)
    it(`the span ${JSON.stringify(text)} is ${ms === null ? 'none' : `${ms} ms`}`, () => assert.equal(parseSpan(text), ms));

  it('what the gateway writes, it reads', () => {
    fc.assert(fc.property(fc.nat(300_000_000), (seconds) => assert.equal(parseSpan(spanOf(seconds * 1_000) || '0s'), seconds * 1_000)));
  });

  it('a rate is so many per span, and never per nothing', () => {
    assert.deepEqual(parseRate('3 per 6h'), { max: 3, perMs: 21_600_000 });
    for (const text of ['3', '0 per 6h', '3 per 0s', '3 per 6', '-1 per 6h', '3  per 6h', '3 per 6h per 2d ', 'x per 6h'])
      assert.equal(parseRate(text), null, text);
  });

  it('a size is a whole number with a binary unit', () => {
    assert.equal(parseBytes('1MiB'), 1_048_576);
    assert.equal(parseBytes('512KiB'), 524_288);
    assert.equal(parseBytes('1B'), 1);
    for (const text of ['1MB', '1', '1.5MiB', '0KiB', '', '-1KiB', '9999999999GiB']) assert.equal(parseBytes(text), null, text);
  });
});
