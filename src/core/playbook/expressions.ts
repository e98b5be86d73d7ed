// What core asks of the expression language; it is handed in.
import type { PatternEngine } from '../alert/labels.ts';
import type { Result } from '../errors.ts';

/** Pure evaluation of CEL text that came from a policy. Same text and environment, same answer. */
export interface Expressions extends PatternEngine {
  /** The value, or why not, in one sentence. A missing key is a failure, never a guess. */
  evaluate(text: string, environment: { readonly [name: string]: unknown }): Result<unknown, string>;
}
