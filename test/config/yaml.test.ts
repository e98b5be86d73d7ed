import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { stringify } from 'yaml';
import { readYaml } from '../../src/config/yaml/yaml.ts';
import { linesOf } from './support.ts';

const lines = (text: string): readonly string[] => linesOf(readYaml('f.yaml', text));
const laughs = [
  'a: &a [x, x, x, x, x, x, x, x, x, x]',
  ...'bcdefghi'.split('').map((name, at) => `${name}: &${name} [${Array(10).fill(`*${'abcdefghi'[at]}`).join(', ')}]`),
];

const hostile: readonly { readonly says: string; readonly text: string; readonly want: RegExp }[] = [
  { says: 'a billion laughs', text: laughs.join('\n'), want: /expected at most 50 aliases, seen more/ },
  {
    says: 'a tag of a language',
    text: 'a: 1\nb: !!js/function "f"',
    want: /^f\.yaml:2:4: .*seen a tag \(tag:yaml\.org,2002:js\/function\): tags are not accepted/,
  },
  { says: 'a tag of its own', text: 'b: !vault x', want: /^f\.yaml:1:4: .*a tag \(!vault\)/ },
  {
    says: 'a tag that YAML knows',
    text: 'b: !!str 5',
    want: /^f\.yaml:1:\d+: b: expected plain YAML, seen the tag tag:yaml\.org,2002:str/,
  },
  { says: 'binary data', text: 'b: !!binary aGk=', want: /tags are not accepted/ },
  {
    says: '__proto__ as a key',
    text: 'a:\n  __proto__: { admin: true }',
    want: /^f\.yaml:2:3: a\.__proto__: expected a plain word as key, seen "__proto__"/,
  },
  { says: 'two megabytes', text: `a: ${'x'.repeat(2_000_000)}`, want: /^f\.yaml:1:1: expected at most 1 MiB, seen 2000003 bytes/ },
  { says: 'many levels', text: `a: ${'['.repeat(60)}${']'.repeat(60)}`, want: /expected at most 40 levels, seen more/ },
  { says: 'thousands of levels', text: '['.repeat(50_000), want: /^f\.yaml:\d+:\d+: / },
  { says: 'a key twice', text: 'a: 1\nb: 2\na: 3', want: /^f\.yaml:3:1: expected every key once, seen this key a second time/ },
  { says: 'two documents', text: 'a: 1\n---\nb: 2', want: /^f\.yaml:2:1: expected one document/ },
  { says: 'YAML 1.1', text: '%YAML 1.1\n---\non: yes', want: /expected YAML 1\.2, seen %YAML 1\.1/ },
  { says: 'a list as a key', text: '? [a]\n: b', want: /expected a plain word as key/ },
  { says: 'a tab', text: 'a:\n\tb: 1', want: /^f\.yaml:2:1: expected spaces as indentation, seen a tab/ },
  { says: 'an unfinished list', text: 'a: [1, 2\nb: 3', want: /^f\.yaml:\d+:\d+: expected YAML, seen something else/ },
  { says: 'an alias to nothing', text: 'a: *nowhere', want: /^f\.yaml:1:4: .*nowhere/ },
  {
    says: 'a number that JSON cannot hold',
    text: 'id: 12345678901234567890',
    want: /^f\.yaml:1:5: id: expected a number within ±2\^53.*write it in quotes/,
  },
  { says: 'infinity', text: 'x: .inf', want: /^f\.yaml:1:4: x: expected a number within/ },
];

describe('YAML that would do more than say values is refused with its place', () => {
  for (const { says, text, want } of hostile) {
    it(says, () => {
      const seen = lines(text);
      assert(
        seen.some((line) => want.test(line)),
        seen.join('\n') || '(it was read)',
      );
    });
  }

  it('a hostile file costs less than a second of work, however busy the machine is', () => {
    const began = process.cpuUsage();
    for (const { text } of hostile) lines(text);
    const { user, system } = process.cpuUsage(began);
    assert((user + system) / 1_000 < 1_000);
  });
});

describe('E6: one mistake is one problem', () => {
  for (const text of [
    'a: { if: labels.x[0] == "a", b: 1 }\nc: 2\nd: 3\n',
    'steps:\n  - { run: x, when: out.filter(x, x[0] > 1) }\n  - { run: y }\n  - { run: z }\n',
    'a: { b: run {c} }\nd: [1]\n',
  ]) {
    it(`says to quote: ${JSON.stringify(text)}`, () => {
      assert.equal(lines(text).length, 1);
      assert.match(lines(text)[0] ?? '', /^f\.yaml:[12]:\d+: expected ","[^]*must stand in quotes there$/);
    });
  }

  it('two mistakes that do not follow from each other are two', () => {
    assert.equal(lines('a: 1\na: 2\nb: 1\nb: 2\nc: "x').length, 3);
  });
});

describe('YAML 1.2 as people write it', () => {
  it('on and no are words, not booleans', () => {
    const read = readYaml('f.yaml', 'on: no\nyes: off\nnothing: ~\noctal: 0o17\ndate: 2026-11-21');
    assert(read.ok);
    assert.deepEqual(read.value.value, { on: 'no', yes: 'off', nothing: null, octal: 15, date: '2026-11-21' });
  });

  it('an alias is the value it names, and a label called constructor is a label', () => {
    const read = readYaml('f.yaml', 'a: &a { x: 1 }\nb: *a\nconstructor: c');
    assert(read.ok);
    assert.deepEqual(read.value.value, { a: { x: 1 }, b: { x: 1 }, constructor: 'c' });
  });

  it('each value and each key has its own place; a missing one has that of what is around it', () => {
    const read = readYaml('f.yaml', 'a:\n  - x: 1\n    "k/~": v\nempty:\n');
    assert(read.ok);
    const place = (pointer: string, on: 'key' | 'value'): string => {
      const { line, column, path } = read.value.problem(pointer, '', on);
      return `${line}:${column} ${path}`;
    };
    assert.equal(place('/a/0/x', 'key'), '2:5 a[0].x');
    assert.equal(place('/a/0/x', 'value'), '2:8 a[0].x');
    assert.equal(place('/a/0/k~1~0', 'value'), '3:12 a[0].k/~');
    assert.equal(place('/empty', 'value'), '4:7 empty');
    assert.equal(place('/a/0/missing/deeper', 'value'), '2:5 a[0].missing.deeper');
    assert.equal(place('/nowhere', 'value'), '1:1 nowhere');
  });

  it('what was written as JSON values is read as those', () => {
    const key = fc.string({ minLength: 1, maxLength: 8 }).filter((text) => text !== '__proto__');
    const value = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        fc.string(),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(key, tie('value'), { maxKeys: 3 }),
      ),
    })).value;
    fc.assert(
      fc.property(fc.dictionary(key, value, { minKeys: 1, maxKeys: 4 }), (document) => {
        const read = readYaml('f.yaml', stringify(document, { aliasDuplicateObjects: false }));
        assert(read.ok, linesOf(read).join('\n'));
        assert.equal(JSON.stringify(read.value.value), JSON.stringify(document));
      }),
      { numRuns: 200 },
    );
  });

  it('any text at all is read or refused with a place, never thrown at', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', ':', ' ', '\n', '-', '[', '{', '&a', '*a', '!', '"', '#', '%', '|', '?', '\t', '---') }),
        (text) => {
          for (const line of lines(text)) assert.match(line, /^f\.yaml:\d+:\d+: \S/);
        },
      ),
      { numRuns: 500 },
    );
  });
});
