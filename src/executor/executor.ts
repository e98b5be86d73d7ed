// Who acts on the world, somewhere else: what effects ask, whichever process answers.
import type { ActionOutcome } from '../core/run/outcome.ts';
import type { ActionRequest } from '../ports/action.ts';
import type { Millis } from '../core/time.ts';
import type { Lane, Slot } from './slots.ts';

export interface HowToWait {
  /** Nobody wants the slot any more. */
  readonly calledOff: AbortSignal;
  /** Told once, in words, when the slot cannot be had at once. */
  readonly onWaits: (why: string) => void;
}

export interface HowToCall {
  /** The slot that the call takes, which is free again when the call has ended. */
  readonly slot: Slot;
  /** Ends the call midway, as far as that is possible. */
  readonly calledOff?: AbortSignal;
  /** How long the call may wait for a process that makes it, 5 s if not given; one that was not begun by then has failed. */
  readonly beginWithinMs?: Millis;
}

export interface Executor {
  /** A slot of the lane, in the order of asking; null when it was called off, when too many wait, and once closed. Give it to a call, or free it. */
  slot(lane: Lane, how: HowToWait): Promise<Slot | null>;
  /** Makes the call at most once. Its time counts from when the process is handed it. Never rejects: what cannot be known is `unknown`. */
  act(uses: string, request: ActionRequest, how: HowToCall): Promise<ActionOutcome>;
  /** Calls off what is under way and ends; later calls fail. */
  close(): Promise<void>;
}

/** The outcome of a call that nobody began. */
export function nothingDone(error: string, why: string): ActionOutcome {
  return { outcome: 'failed', error, detail: `executor: nothing was done: ${why}`, output: {} };
}
