// Values with references, filled from an environment: `$params.host` is that value, typed; `${cel}` in a text is its text.
// The template comes from a playbook; what it is filled with is data and is never read as a template again.
//   T1  What a text says about `$` is taken apart by the same two expressions when it is judged (piecesOf) and when it is filled (fill).
import { fail, ok, type Result } from '../errors.ts';
import type { Json } from '../json.ts';
import type { Template } from './document.ts';
import type { Expressions } from './expressions.ts';

export type Environment = { readonly [name: string]: unknown };

const textCharsMax = 65_536;

const wholeReference = /^\$[a-z][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*$/;
/** `$$`, or `${…}` without braces inside; everything else stands for itself. */
const references = /\$\$|\$\{([^{}]*)\}/g;

/** `$a.b` alone is a reference; `${cel}` within a text is a part; `$$` is a dollar. */
export type Pieces =
  | { readonly kind: 'literal' }
  | { readonly kind: 'reference'; readonly expressions: readonly [string] }
  | { readonly kind: 'text'; readonly expressions: readonly string[] }
  | { readonly kind: 'broken'; readonly why: string };

/** One text of a template taken apart, without filling it. Expressions are CEL, not yet checked. */
export function piecesOf(text: string): Pieces {
  if (!text.includes('$')) return { kind: 'literal' };
  if (wholeReference.test(text)) return { kind: 'reference', expressions: [text.slice(1)] };
  const expressions: string[] = [];
  const rest = text.replace(references, (match: string, expression: string | undefined) => {
    if (match !== '$$') expressions.push(expression ?? '');
    return '';
  });
  const loose = /\$[A-Za-z_{][^\s]{0,20}/.exec(rest);
  if (loose !== null) {
    const why = loose[0].startsWith('${')
      ? 'an expression ends with "}" and has no braces inside'
      : 'a reference within a text is written ${…}, a dollar sign $$';
    return { kind: 'broken', why: `${why}; seen "${loose[0]}"` };
  }
  return expressions.length === 0 ? { kind: 'literal' } : { kind: 'text', expressions };
}

/** Whether a template holds any reference, or a text that is none and no plain text either. */
export function refers(template: Template): boolean {
  if (typeof template === 'string') return piecesOf(template).kind !== 'literal';
  return typeof template === 'object' && template !== null && Object.values(template).some((inside: Json) => refers(inside));
}

/** The filled value, or why a reference could not be filled. */
export function fill(template: Template, environment: Environment, expressions: Expressions): Result<Json, string> {
  if (typeof template === 'string') return fillText(template, environment, expressions);
  if (typeof template !== 'object' || template === null) return ok(template);
  if (isList(template)) {
    const items: Json[] = [];
    for (const part of template) {
      const filled = fill(part, environment, expressions);
      if (!filled.ok) return filled;
      items.push(filled.value);
    }
    return ok(items);
  }
  const members: [string, Json][] = [];
  for (const [name, part] of Object.entries(template)) {
    const filled = fill(part, environment, expressions);
    if (!filled.ok) return filled;
    members.push([name, filled.value]);
  }
  return ok(Object.fromEntries(members));
}

function isList(template: Template): template is readonly Json[] {
  return Array.isArray(template);
}

function fillText(text: string, environment: Environment, expressions: Expressions): Result<Json, string> {
  if (!text.includes('$')) return ok(text);
  if (wholeReference.test(text)) return lookUp(text.slice(1), environment);
  let failure: string | null = null;
  const filled = text.replace(references, (match: string, expression: string | undefined) => {
    if (match === '$$') return '$';
    const value = expressions.evaluate(expression ?? '', environment);
    if (value.ok && (typeof value.value === 'string' || typeof value.value === 'number' || typeof value.value === 'boolean'))
      return String(value.value);
    failure ??= value.ok ? `\${${expression}} is no text or number` : value.error;
    return '';
  });
  if (failure !== null) return fail(failure);
  return filled.length > textCharsMax ? fail(`text longer than ${textCharsMax} characters`) : ok(filled);
}

function lookUp(path: string, environment: Environment): Result<Json, string> {
  let value: unknown = environment;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return fail(`$${path}: there is no ${name}`);
    value = (value as Environment)[name];
  }
  if (value === undefined) return fail(`$${path} has no value`);
  // Environments are built from rows and parameters, which are JSON.
  return ok(value as Json);
}
