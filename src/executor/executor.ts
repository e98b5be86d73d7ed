// Who acts on the world, somewhere else: what effects ask, whichever process answers.
import type { ActionOutcome } from '../core/run/outcome.ts';
import type { ActionRequest } from '../ports/action.ts';
import type { Lane } from './lanes.ts';

export interface Executor {
  /** Makes the call at most once, when its lane has room. Never rejects: what cannot be known is `unknown`. */
  act(uses: string, request: ActionRequest, lane?: Lane): Promise<ActionOutcome>;
  /** Calls off what is under way and ends; later calls fail. */
  close(): Promise<void>;
}

/** The outcome of a call that nobody began. */
export function nothingDone(error: string, why: string): ActionOutcome {
  return { outcome: 'failed', error, detail: `executor: nothing was done: ${why}`, output: {} };
}
