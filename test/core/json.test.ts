// F11: a text of JSON is measured before any value is made of it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseJson } from '../../adapters/kit/event.ts';
import { jsonShapeProblem } from '../../src/core/json.ts';

const shape = { depthMax: 3, membersMax: 2, valuesMax: 17 };
const many = 'more than 17 values';
const deep = 'JSON nested deeper than 3 levels';
const wide = 'an object with more than 2 members';

describe('F11: the shape of a text of JSON', () => {
  for (const [text, says] of [
    ['[[[1]]]', null],
    ['[[[[1]]]]', deep],
    ['{"a":{"b":[{}]}}', deep],
    ['["[[[[", "\\"[[[[", "\\\\"]', null],
    ['["\\\\", [[[]]]]', deep],
    ['{"a":1,"b":[1,2,3,4,5,6]}', null],
    ['{"a":1,"b":2,"c":3}', wide],
    ['{"a":"1,2,3,4","b":2}', null],
    ['[{"a":1,"b":2},{"a":1,"b":2},{"a":1,"b":2}]', null],
    ['[1,2,3,4,5,6,7]', null],
    ['{"a":{"b":1,"c":2,"d":3}}', wide],
    [']]],,,}}}"', null],
    [`[${'1,'.repeat(15)}1]`, null],
    [`[${'1,'.repeat(16)}1]`, many],
    [`[${'[],'.repeat(8)}1]`, many],
    [`[${'{},'.repeat(8)}1]`, many],
    [`["${','.repeat(40)}"]`, null],
  ] as const) {
    it(`${text} is ${says ?? 'taken'}`, () => assert.equal(jsonShapeProblem(text, shape), says));
  }

  it('a megabyte of brackets, of labels or of quotes is refused by the door without being parsed', () => {
    const labels = `[{"labels":{${Array.from({ length: 60_000 }, (_, at) => `"l${at}":""`).join(',')}}}]`;
    for (const body of ['['.repeat(1_000_000), '{"a":'.repeat(200_000), labels]) {
      const began = performance.now();
      const read = parseJson(body, 'v');
      assert.deepEqual([read.ok, read.ok ? '' : read.error.reason], [false, 'wrong_shape']);
      assert.ok(performance.now() - began < 100);
    }
    const whole = (body: string): string => (parseJson(body, 'v').ok ? 'taken' : 'refused');
    assert.equal(whole(`[${'{},'.repeat(5_000_000)}{}]`), 'refused', 'sixteen megabytes of empty objects');
    assert.equal(
      whole(`{"id":1234567890123456,"a":[${'1,'.repeat(100_000)}1]}`),
      'refused',
      'each value looked at once more for its digits',
    );
    assert.deepEqual(parseJson('{"id": 12345678901234567, "text": "a 12345678901234567"}', 'v'), {
      ok: true,
      value: { id: '12345678901234567', text: 'a 12345678901234567' },
    });
    for (const [text, value] of [
      ['[-12345678901234567]', ['-12345678901234567']],
      ['12345678901234567', '12345678901234567'],
    ] as const)
      assert.deepEqual(parseJson(text, 'v'), { ok: true, value });
    const alert = {
      status: 'firing',
      startsAt: '1234567890123456',
      labels: Object.fromEntries(Array.from({ length: 15 }, (_, at) => [`l${at}`, 'v'])),
    };
    assert.equal(whole(JSON.stringify({ alerts: Array.from({ length: 40_000 }, () => alert) })), 'taken', 'a list as long as may be sent');
    const slashes = `"${'\\'.repeat(1_000_000)}`;
    const began = performance.now();
    assert.equal(jsonShapeProblem(slashes + '"'.repeat(3), shape), null);
    assert.ok(performance.now() - began < 200);
  });
});
