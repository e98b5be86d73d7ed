import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { createExpressions } from '../../adapters/cel/expressions.ts';
import { fill, piecesOf, refers } from '../../src/core/playbook/template.ts';

describe('references inside values', () => {
  it('a text is a reference, a text with expressions, or just a text', () => {
    assert.deepEqual(piecesOf('$params.unit'), { kind: 'reference', expressions: ['params.unit'] });
    assert.deepEqual(piecesOf('a ${params.unit} b ${1 + 1}'), { kind: 'text', expressions: ['params.unit', '1 + 1'] });
    for (const text of ['plain', '', '$$params.unit', 'costs $5', '$', 'a $ b', '^end$', '$$'])
      assert.deepEqual(piecesOf(text), { kind: 'literal' }, text);
  });

  it('a dollar before a word that is no reference is a mistake, and told', () => {
    for (const text of ['is $params.unit', '$params.unit-x', '$Params.unit', '${params.unit', '${a{b}c}', '$params.'])
      assert.equal(piecesOf(text).kind, 'broken', text);
  });

  it('a value refers when any text inside it does', () => {
    for (const value of ['$a', 'x ${a}', '$a-x', ['x', '$a'], { a: { b: ['${x}'] } }]) assert.ok(refers(value), JSON.stringify(value));
    for (const value of [null, 1, true, '', '$$a', '$', [], {}, ['x'], { $a: 'x' }]) assert.ok(!refers(value), JSON.stringify(value));
  });

  it('T1: fill fills exactly what piecesOf found: what is literal stays, what has expressions asks for them', () => {
    const expressions = createExpressions();
    const unit = fc.constantFrom('$', '{', '}', 'a', '.', 'params', '$$', '${a}', '$a', ' ');
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 8 }), (units) => {
        const text = units.join('');
        const asked: string[] = [];
        const filled = fill(text, { a: 'A' }, { ...expressions, evaluate: (cel) => (asked.push(cel), { ok: true, value: '' }) });
        const pieces = piecesOf(text);
        if (pieces.kind === 'literal') assert.deepEqual(filled, { ok: true, value: text.replaceAll('$$', '$') });
        if (pieces.kind === 'text') assert.deepEqual(asked, pieces.expressions);
        if (pieces.kind === 'reference') assert.deepEqual(asked, []);
      }),
      { numRuns: 500 },
    );
  });
});
