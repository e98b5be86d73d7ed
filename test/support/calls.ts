// One call of an action as effects make it: a slot first, then the call.
import type { ActionOutcome } from '../../src/core/run/outcome.ts';
import { nothingDone, type Executor } from '../../src/executor/executor.ts';
import { anyLane, type Lane } from '../../src/executor/slots.ts';
import type { ActionRequest } from '../../src/ports/action.ts';

interface How {
  readonly lane?: Lane;
  readonly calledOff?: AbortSignal;
  readonly onWaits?: (why: string) => void;
}

/** Nothing was done, and `no_slot` is its word, where no slot was given. */
export async function callOf(executor: Executor, uses: string, request: ActionRequest, how: How = {}): Promise<ActionOutcome> {
  const { lane = anyLane, calledOff = new AbortController().signal, onWaits = () => {} } = how;
  const slot = await executor.slot(lane, { calledOff, onWaits });
  return slot === null ? nothingDone('no_slot', 'there was no slot') : executor.act(uses, request, { slot, calledOff });
}
