// What core asks of the expression language; it is handed in.
import type { PatternEngine } from '../alert/labels.ts';
import type { Result } from '../errors.ts';

/** What a condition asks of one value: it holds only where the value under the path is one of these texts. */
export interface Asks {
  readonly path: readonly string[];
  readonly values: readonly string[];
}

/** Pure evaluation of CEL text that came from a policy. Same text and environment, same answer. */
export interface Expressions extends PatternEngine {
  /** The value, or why not, in one sentence. A missing key is a failure, never a guess. */
  evaluate(text: string, environment: { readonly [name: string]: unknown }): Result<unknown, string>;
  /** What the condition asks for with certainty, as far as that is understood: each of them is true wherever its value is `true`. */
  asks(text: string): readonly Asks[];
}
