import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { roleAt } from '../../src/config/playbook/roles.ts';
import { either } from '../../src/config/yaml/shape.ts';

const program = { type: 'string', 'x-quench': 'program' };
const address = { type: 'string', 'x-quench': 'address' };
const argument = { type: 'string', 'x-quench': 'argument' };
const plain = { type: 'string' };
const schema = {
  type: 'object',
  properties: {
    plain,
    program,
    list: { type: 'array', 'x-quench': 'argument', items: { type: 'string' } },
    pair: { type: 'array', prefixItems: [program, plain], items: address },
    deep: { type: 'object', properties: { inner: { type: 'object', properties: { code: program, name: address } }, note: plain } },
    open: { type: 'object', additionalProperties: argument, properties: { free: plain }, patternProperties: { '^p_': program } },
    either: { oneOf: [plain, { type: 'object', properties: { url: address } }], anyOf: [plain, argument] },
    dependent: { type: 'object', properties: { a: plain }, dependentSchemas: { a: { properties: { b: program } } } },
    choice: { type: 'object', ...either({ properties: { kind: { const: 'x' } } }, { properties: { text: program } }, {}) },
    one: { oneOf: [plain, { type: 'object', properties: { url: address } }] },
  },
};

describe('roleAt', () => {
  for (const [place, role] of [
    ['plain', null],
    ['program', 'program'],
    ['list', 'argument'],
    ['list/0', 'argument'], // R1
    ['list/0/deeper', 'argument'],
    ['pair/0', 'program'],
    ['pair/1', 'address'],
    ['pair/7', 'address'],
    ['pair', 'program'], // R3
    ['deep/inner/code', 'program'],
    ['deep/inner/name', 'address'],
    ['deep/inner', 'program'], // R3
    ['deep', 'program'], // R3
    ['deep/note', null],
    ['open/any', 'argument'],
    ['open/free', null],
    ['open/p_x', 'program'],
    ['either', 'argument'], // R2
    ['either/url', 'argument'], // R1, R2
    ['one/url', 'address'],
    ['one/other', null],
    ['dependent/b', 'program'],
    ['dependent/a', null],
    ['choice/text', 'program'],
    ['choice/kind', null],
    ['unknown', null],
    ['', 'program'],
  ] as const) {
    it(`${place === '' ? 'the whole input' : place} is ${role ?? 'anything'}`, () => {
      assert.equal(roleAt(schema, place === '' ? [] : place.split('/')), role);
    });
  }

  it('is nothing where no schema is', () => {
    for (const none of [undefined, null, true, {}, [], 'x']) assert.equal(roleAt(none, ['a']), null);
  });
});
