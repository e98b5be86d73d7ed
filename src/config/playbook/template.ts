// References inside values of a playbook: what a text says about `$` before anything is ever rendered.
// Rendering happens in core, once, at run time; here a text is only taken apart, so that mistakes show at load.
import type { Json } from '../../core/json.ts';
import { below } from '../yaml/yaml.ts';

/** `$a.b` alone is a reference; `${cel}` within a text is a part; `$$` is a dollar. */
export type Pieces =
  | { readonly kind: 'literal' }
  | { readonly kind: 'reference'; readonly expressions: readonly [string] }
  | { readonly kind: 'text'; readonly expressions: readonly string[] }
  | { readonly kind: 'broken'; readonly why: string };

// The same two shapes as core/template.ts fills.
const referenceShape = /^\$[a-z][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*$/;

/** Takes one text apart. Expressions are CEL, not yet checked. */
export function piecesOf(text: string): Pieces {
  if (!text.includes('$')) return { kind: 'literal' };
  if (referenceShape.test(text)) return { kind: 'reference', expressions: [text.slice(1)] };
  const expressions: string[] = [];
  const rest = text.replace(/\$\$|\$\{([^{}]*)\}/g, (match: string, expression: string | undefined) => {
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

/** Every text of a value, with the JSON pointer to it. */
export function textsOf(value: Json, pointer = ''): readonly { readonly pointer: string; readonly text: string }[] {
  if (typeof value === 'string') return [{ pointer, text: value }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => textsOf(member as Json, below(pointer, key)));
}

/** Whether a value holds any reference. */
export function refers(value: Json): boolean {
  return textsOf(value).some(({ text }) => piecesOf(text).kind !== 'literal');
}
