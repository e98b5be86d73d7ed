// What the gateway and its executor process say to each other. Plain data over the channel that Node opens between parent and child;
// each end is a program of the same version, so nothing here is checked or numbered.
import type { ActionOutcome } from '../core/run/outcome.ts';
import type { ActionRequest } from '../ports/action.ts';

/** From the gateway to the executor. */
export type ToExecutor =
  /** First, once: what the actions may do, and the keys of what a lost executor was still running. Answered by `ready` or `refused`. */
  | { readonly type: 'start'; readonly config: unknown; readonly orphans: readonly string[] }
  /** Answered by one `outcome` of the same id. */
  | { readonly type: 'act'; readonly id: number; readonly uses: string; readonly request: ActionRequest }
  /** The call of this id is to end; its `outcome` still comes. */
  | { readonly type: 'abort'; readonly id: number }
  /** Answered by `pong`. */
  | { readonly type: 'ping' }
  /** End what is under way, and then yourself. */
  | { readonly type: 'stop' };

/** From the executor to the gateway. */
export type FromExecutor =
  | { readonly type: 'ready' }
  /** The configuration is not what the actions take. */
  | { readonly type: 'refused'; readonly message: string }
  | { readonly type: 'outcome'; readonly id: number; readonly outcome: ActionOutcome }
  | { readonly type: 'pong' };
