// What became of one call of an action.
import type { Json } from '../json.ts';

export type ActionOutcome =
  | { readonly outcome: 'ok'; readonly output: { readonly [name: string]: Json } }
  /** It did not do it, and we know it. `error` is a fixed word, `detail` a sentence. */
  | { readonly outcome: 'failed'; readonly error: string; readonly detail: string; readonly output: { readonly [name: string]: Json } }
  /** It may have done it. */
  | { readonly outcome: 'unknown'; readonly detail: string };
