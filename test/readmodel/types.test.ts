// What must not compile: a question without scopes, a table without a fact, a schema that says less than its type.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AlertState } from '../../src/core/alert/row.ts';
import type { Fact } from '../../src/core/records.ts';
import type { ViewQuery } from '../../src/readmodel/query.ts';
import { closed, integer, nullable, text, words, type SchemaOf } from '../../src/readmodel/schema.ts';

test('Q1: a question without scopes does not compile, nor one with a filter of another kind', () => {
  // @ts-expect-error scopes are missing
  const unscoped: ViewQuery<'alert'> = { kind: 'alert', limit: 1 };
  // @ts-expect-error runs have no severity
  const foreign: ViewQuery<'run'> = { kind: 'run', scopes: 'all', limit: 1, severities: ['info'] };
  // @ts-expect-error `opn` is no state
  const misspelt: ViewQuery<'incident'> = { kind: 'incident', scopes: [], limit: 1, states: ['opn'] };
  assert.equal([unscoped, foreign, misspelt].length, 3);
});

test('a table by fact that leaves one out does not compile', () => {
  // @ts-expect-error all but one are missing
  const table: { readonly [Type in Fact['type']]: string } = { AlertMerged: '' };
  assert.ok(table);
});

test('S1: a schema of another type does not compile, be it wider or narrower', () => {
  // @ts-expect-error a state is missing
  const narrow: SchemaOf<AlertState> = words(['firing']);
  // @ts-expect-error there is no such state
  const wide: SchemaOf<AlertState> = words(['firing', 'cleared', 'gone']);
  // @ts-expect-error null is not said
  const whole: SchemaOf<string | null> = text;
  // @ts-expect-error a member is missing
  const short: SchemaOf<{ readonly a: number; readonly b: string }> = closed<{ readonly a: number; readonly b: string }>({ a: integer });
  const right: SchemaOf<{ readonly a: number | null }> = closed<{ readonly a: number | null }>({ a: nullable(integer) });
  assert.equal([narrow, wide, whole, short, right].length, 5);
});
