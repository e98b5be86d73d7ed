// What became of one call of an action.
import type { Json } from '../json.ts';

const nothingDoneWords =
  'unclaimed no_slot frozen stale cancelled too_late closed overloaded executor_unavailable refused invalid_input aborted secret_lost unsupported spawn not_startable busy';
/** Words of failures before anything was done: said by core itself, or by an executor or an action that refused to begin. */
export const nothingDone: ReadonlySet<string> = new Set(nothingDoneWords.split(' '));

const notBegunWords = 'unclaimed no_slot too_late closed executor_unavailable';
/** Words of calls that nobody came to begin: whether they would have helped is not known, so they are no failed remedy. */
export const notBegun: ReadonlySet<string> = new Set(notBegunWords.split(' '));

export type ActionOutcome =
  | { readonly outcome: 'ok'; readonly output: { readonly [name: string]: Json } }
  /** It did not do it, and we know it. `error` is a fixed word, `detail` a sentence. */
  | { readonly outcome: 'failed'; readonly error: string; readonly detail: string; readonly output: { readonly [name: string]: Json } }
  /** It may have done it. */
  | { readonly outcome: 'unknown'; readonly detail: string };
