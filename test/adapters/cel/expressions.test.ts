import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { createExpressions } from '../../../adapters/cel/expressions.ts';
import type { Expressions } from '../../../src/core/playbook/expressions.ts';

const expressions = createExpressions();
const environment = {
  alert: {
    name: 'Down',
    count: 3,
    value: 15,
    load: 1.5,
    labels: { a: 'x', constructor: 'c', toString: 't', ['__proto__']: 'p', 'k8s/app': 'web' },
    list: [1, 2, 3],
    nothing: null,
    long: Array.from({ length: 501 }, () => 1),
    act: () => 'called',
    when: new Date(0),
  },
  steps: { look: { exitCode: 0, stdout: 'active\n' } },
};

const value = (text: string): unknown => {
  const answer = expressions.evaluate(text, environment);
  assert(answer.ok, answer.ok ? '' : `${text}: ${answer.error}`);
  return answer.value;
};
const failure = (text: string, of: { readonly [name: string]: unknown } = environment): string => {
  const answer = expressions.evaluate(text, of);
  assert(!answer.ok, `${text} gave ${JSON.stringify(answer.ok && answer.value)}`);
  return answer.error;
};

describe('conditions over alerts', () => {
  const answers: readonly (readonly [text: string, value: unknown])[] = [
    ['alert.name == "Down" && alert.count >= 3', true],
    ['alert.count in [3, 4]', true],
    ['has(alert.labels.a) && !has(alert.labels.b)', true],
    ['"a" in alert.labels', true],
    ['alert.labels["k8s/app"]', 'web'],
    ['steps.look.stdout.trim() == "active"', true],
    ['alert.list.exists(x, x > 2) && alert.list.all(x, x < 4)', true],
    ['alert.list.map(x, x + 1)', [2, 3, 4]],
    ['alert.nothing == null', true],
    ['alert.count == 3 ? "three" : "other"', 'three'],
    ['alert.name.split("o")', ['D', 'wn']],
    ['alert.labels', { a: 'x', constructor: 'c', toString: 't', ['__proto__']: 'p', 'k8s/app': 'web' }],
  ];
  for (const [text, want] of answers) it(text, () => assert.deepEqual(value(text), want));

  it('numbers of an alert and numbers of the text are the same kind of number, and come back as numbers', () => {
    assert.equal(value('1 + 2'), 3);
    assert.equal(value('alert.count + 1'), 4);
    assert.equal(value('alert.value / 2'), 7.5);
    assert.equal(value('alert.load * 2 + 1'), 4);
    assert.equal(value('alert.value < 14.5 || alert.value > 14'), true);
    assert.equal(value('size(alert.list)'), 3);
  });

  it('what has no JSON form is a failure, not a surprise later', () => {
    for (const text of ['9007199254740993', '1.0 / 0.0', 'b"x"', '1u', 'timestamp("2026-11-21T00:00:00Z")', 'duration("1s")'])
      failure(text);
  });
});

describe('C1: values are values', () => {
  it('prototypes are out of reach, and labels named like their members are labels', () => {
    for (const text of [
      'alert.constructor',
      'alert.__proto__',
      'alert["__proto__"]',
      'alert.toString',
      'alert.list.constructor',
      'alert.list.length',
      'alert.name.constructor',
      'alert.name.length',
      'steps.constructor',
      'alert.labels.hasOwnProperty',
      'constructor',
      'toString',
      'globalThis',
      'process',
      'alert.labels.hasOwnProperty("a")',
      'alert.name.constructor("return 1")',
      'alert.name.replace("a", "b")',
    ]) {
      failure(text);
    }
    assert.equal(value('alert.labels.constructor'), 'c');
    assert.equal(value('alert.labels["__proto__"]'), 'p');
    assert.equal(value('has(alert.labels.valueOf)'), false);
    assert.equal(Reflect.get({}, 'p'), undefined);
  });

  it('a function or an instance of a class in the environment is never called or looked into', () => {
    for (const text of ['alert.act', 'alert.act()', 'alert.when', 'alert.when.getFullYear()', 'alert.act == 1', 'alert.when == 1'])
      failure(text);
  });

  it('data that looks like an expression stays data, whatever it is', () => {
    const looks = fc.constantFrom(
      '${',
      '}',
      '$alert.name',
      '{{',
      '}}',
      '<%',
      '%>',
      '"',
      "'",
      ' == ',
      'true',
      '||',
      '1',
      '__proto__',
      '$(reboot)',
      '`',
      '\\',
      '\n',
      '\0',
      '\ud800',
      'alert.name',
    );
    fc.assert(
      fc.property(fc.array(looks, { maxLength: 8 }), (parts) => {
        const text = parts.join('');
        const of = { alert: { labels: { x: text } } };
        assert.deepEqual(expressions.evaluate('alert.labels.x', of), { ok: true, value: text });
        assert.deepEqual(expressions.evaluate('alert.labels.x == "never this"', of), { ok: true, value: false });
        assert.deepEqual(expressions.evaluate('"<" + alert.labels.x + ">"', of), { ok: true, value: `<${text}>` });
      }),
      { numRuns: 300 },
    );
  });

  it('any key of any map is reached by its name and by nothing else', () => {
    const key = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString', 'length', 'then'));
    fc.assert(
      fc.property(key, key, (name, other) => {
        const of = { alert: { labels: Object.fromEntries([[name, 'v']]) } };
        const text = (asked: string): string =>
          `alert.labels[${JSON.stringify(asked).replaceAll(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)}]`;
        fc.pre(name.isWellFormed() && other.isWellFormed());
        fc.pre(![...name, ...other].some((char) => (char.codePointAt(0) ?? 0) > 0xffff));
        assert.deepEqual(expressions.evaluate(text(name), of), { ok: true, value: 'v' });
        if (other !== name) assert.equal(expressions.evaluate(text(other), of).ok, false);
      }),
      { numRuns: 300 },
    );
  });

  it('the same text and environment give the same answer, in any order and by any instance', () => {
    const texts = ['alert.count > n', 'alert.name + s', 'alert.list.filter(x, x > n)', 'alert.labels.a.matches(s)', 'n / 0', 'missing'];
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...texts), fc.integer({ min: -5, max: 5 }), fc.string()), { maxLength: 6 }),
        (asked) => {
          const fresh = createExpressions();
          const first = asked.map(([text, n, s]) => expressions.evaluate(text, { ...environment, n, s }));
          const again = asked.toReversed().map(([text, n, s]) => fresh.evaluate(text, { ...environment, n, s }));
          assert.deepEqual(first, again.toReversed());
        },
      ),
      { numRuns: 100 },
    );
  });

  it('an evaluation leaves the environment as it was', () => {
    const frozen = structuredClone({ alert: { list: [1, 2], labels: { a: 'b' } } });
    const before = JSON.stringify(frozen);
    for (const text of ['alert.list.map(x, x + 1)', 'alert.list + [3]', 'alert.labels', 'alert']) expressions.evaluate(text, frozen);
    assert.equal(JSON.stringify(frozen), before);
  });
});

describe('C2: every evaluation ends soon', () => {
  const soon = (what: () => unknown): number => {
    const started = performance.now();
    what();
    return performance.now() - started;
  };

  it('patterns that explode elsewhere take less than 50 ms, in a condition and as a matcher', () => {
    const bait = 'a'.repeat(4_000) + '!';
    for (const pattern of [
      '^(a+)+$',
      '(a|a)*b',
      '(a|aa)+$',
      '(.*a){15}',
      '([a-z]+)*\\d',
      '(a?){50}a{50}$',
      '^(([a-z])+.)+[A-Z]([a-z])+$',
    ]) {
      // The least of three, each by a new evaluator that knows no pattern: another process may take any of them longer.
      const least = (what: (fresh: Expressions) => unknown): number =>
        Math.min(...[1, 2, 3].map(() => createExpressions()).map((fresh) => soon(() => what(fresh))));
      assert(least((fresh) => fresh.pattern(pattern, bait)) < 50, pattern);
      assert(least((fresh) => fresh.evaluate('alert.matches(p)', { alert: bait, p: pattern })) < 50, pattern);
    }
  });

  it('a pattern that needs a machine too big, backward references or look-around is refused with a reason', () => {
    for (const pattern of ['(a{1,900}){1,10}', '(a{500}){2}', '(a)\\1', '(?=a)', '(?<!a)b', '(', 'a'.repeat(501)]) {
      assert.match(expressions.patternProblem(pattern) ?? '', /^pattern: /, pattern);
      assert.equal(expressions.pattern(pattern, 'aa'), false);
      failure(`"aa".matches(${JSON.stringify(pattern)})`);
    }
    assert.equal(expressions.patternProblem('[a-z0-9][a-z0-9.-]{0,62}'), null);
  });

  it('a value too long to be matched is a failure in a condition, and no match for a matcher', () => {
    assert.match(failure('alert.matches("a")', { alert: 'a'.repeat(9_000) }), /at most 8192 characters/);
    assert.equal(expressions.pattern('a+', 'a'.repeat(9_000)), false);
  });

  it('text that is too long, too deep, or walks over lists within lists within lists is refused', () => {
    for (const text of [
      `"${'x'.repeat(4_000)}"`,
      Array.from({ length: 300 }, () => '1').join(' + '),
      `${'('.repeat(60)}1${')'.repeat(60)}`,
      'l.all(x, l.all(y, l.all(z, true)))',
      '(l + l).all(x, true)',
      'l.map(x, l + l).all(y, y.all(z, true))',
      'cel.bind(a, l, a)',
      'b"[]".json()',
      `[${Array.from({ length: 201 }, () => '1').join(',')}]`,
    ]) {
      failure(text, { l: [1] });
    }
  });

  it('the widest walk that is allowed ends within a second', () => {
    const list = Array.from({ length: 500 }, (_, at) => at);
    assert(soon(() => assert.equal(expressions.evaluate('l.all(x, l.all(y, x + y >= 0 && x * y >= 0))', { l: list }).ok, true)) < 1_000);
  });

  it('a list or map that is too long fails only those who look into it', () => {
    for (const text of [
      'alert.long.all(x, x == 1)',
      'alert.long == [1]',
      'size(alert.long)',
      'alert.long[0]',
      '1 in alert.long',
      'alert.long',
    ]) {
      assert.match(failure(text), /too big to look into/, text);
    }
    assert.equal(value('alert.name'), 'Down');
    const wide = { alert: { labels: Object.fromEntries(Array.from({ length: 501 }, (_, at) => [`l${at}`, 'x'])), name: 'n' } };
    assert.match(failure('alert.labels.l1', wide), /too big to look into/);
    assert.deepEqual(expressions.evaluate('alert.name', wide), { ok: true, value: 'n' });
  });

  it('a split into too many parts is a failure', () => {
    assert.match(failure('s.split("")', { s: 'x'.repeat(600) }), /split: expected at most 500 parts/);
  });

  it('thousands of different texts and patterns do not grow the caches for ever, and still answer', () => {
    const fresh = createExpressions();
    for (let at = 0; at < 2_500; at++) assert.deepEqual(fresh.evaluate(`n == ${at}`, { n: at }), { ok: true, value: true });
    for (let at = 0; at < 1_200; at++) assert.equal(fresh.pattern(`a${at}`, `a${at}`), true);
    assert.deepEqual(fresh.evaluate('n == 0', { n: 0 }), { ok: true, value: true });
  });
});

describe('C3: a doubt is a failure in words', () => {
  const words: readonly (readonly [text: string, want: RegExp])[] = [
    ['alert.labels.missing', /^No such key: missing \(character 14\)$/],
    ['alert.missing == "x"', /No such key: missing/],
    ['missing', /^Unknown variable: missing/],
    ['alert.name > 3', /no such overload/],
    ['alert.name.foo()', /^unknown method \.foo\(\); known are all, exists/],
    ['eval("1")', /^unknown function eval\(\); known are has, size/],
    ['alert.', /Expected IDENTIFIER/],
    ['', /./],
    ['1 / 0', /division by zero/],
    ['alert.list[7]', /out of bounds/],
  ];
  for (const [text, want] of words) it(text || '(empty)', () => assert.match(failure(text), want));

  it('a missing key does not spoil an answer that does not need it', () =>
    assert.equal(value('alert.labels.missing == "x" || true'), true));
});

describe('a whole-value pattern', () => {
  it('matches all of a value or nothing, across lines too', () => {
    assert.equal(expressions.pattern('a.c', 'abc'), true);
    assert.equal(expressions.pattern('a.c', 'xabc'), false);
    assert.equal(expressions.pattern('a.c', 'abcx'), false);
    assert.equal(expressions.pattern('a|b', 'ab'), false);
    assert.equal(expressions.pattern('web-[0-9]+', 'web-1\nrm -rf /'), false);
    assert.equal(expressions.pattern('a.c', 'a\nc'), true);
    assert.equal(expressions.pattern('', ''), true);
  });

  it('agrees with the built-in engine on patterns that both know', () => {
    const part = fc.constantFrom('a', 'b', '.', 'a*', 'b+', '(a|b)', '[ab]', '[^a]', 'a?', '\\.', '(ab)*');
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 4 }),
        fc.string({ unit: fc.constantFrom('a', 'b', '.', '\n'), maxLength: 6 }),
        (parts, text) => {
          assert.equal(expressions.pattern(parts.join(''), text), new RegExp(`^(?:${parts.join('')})$`, 's').test(text));
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('what the loader asks', () => {
  it('gives the type and every path that is read', () => {
    const checked = expressions.check('params.x == steps.look["out put"].a && has(alert.labels.q) && alert.list.exists(v, v > params.y)', [
      'params',
      'steps',
      'alert',
    ]);
    assert(checked.ok);
    assert.equal(checked.value.type, 'bool');
    for (const path of [
      ['params', 'x'],
      ['steps', 'look', 'out put', 'a'],
      ['alert', 'labels', 'q'],
      ['alert', 'list'],
      ['params', 'y'],
    ]) {
      assert(
        checked.value.reads.some((read) => read.join('|') === path.join('|')),
        path.join('.'),
      );
    }
  });

  it('refuses names that are not there and types that do not fit', () => {
    const refused = (text: string): string => {
      const checked = expressions.check(text, ['alert']);
      assert(!checked.ok);
      return checked.error;
    };
    assert.match(refused('incident.title == "x"'), /Unknown variable: incident/);
    assert.match(refused('size(alert) + "a"'), /no such overload: int \+ string/);
    assert.match(refused('"a".matches(1)'), /'string\.matches\(int\)'/);
    assert.match(refused('alert.name.matches("(a")'), /^pattern: .*missing closing/);
  });
});
