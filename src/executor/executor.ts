// Who acts on the world, somewhere else: what effects ask, whichever process answers.
import type { ActionOutcome } from '../core/run/outcome.ts';
import type { ActionRequest } from '../ports/action.ts';

export interface Executor {
  /** Makes the call at most once. Never rejects: what cannot be known is `unknown`. `calledOff` ends it midway, as far as that is possible. */
  act(uses: string, request: ActionRequest, calledOff?: AbortSignal): Promise<ActionOutcome>;
  /** Calls off what is under way and ends; later calls fail. */
  close(): Promise<void>;
}

/** The outcome of a call that nobody began. */
export function nothingDone(error: string, why: string): ActionOutcome {
  return { outcome: 'failed', error, detail: `executor: nothing was done: ${why}`, output: {} };
}
