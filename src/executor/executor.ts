// Who acts on the world, somewhere else: what effects ask, whichever process answers.
import type { ActionOutcome } from '../core/run/outcome.ts';
import type { ActionRequest } from '../ports/action.ts';
import type { Lane } from './lanes.ts';

export interface HowToCall {
  /** What the call counts among; without it, among the steps of no playbook. */
  readonly lane?: Lane;
  /** Ends the call midway, as far as that is possible. */
  readonly calledOff?: AbortSignal;
}

export interface Executor {
  /** Makes the call at most once, when its lane has room. Never rejects: what cannot be known is `unknown`. */
  act(uses: string, request: ActionRequest, how?: HowToCall): Promise<ActionOutcome>;
  /** Calls off what is under way and ends; later calls fail. */
  close(): Promise<void>;
}

/** The outcome of a call that nobody began. */
export function nothingDone(error: string, why: string): ActionOutcome {
  return { outcome: 'failed', error, detail: `executor: nothing was done: ${why}`, output: {} };
}
