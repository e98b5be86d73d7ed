// The same promises without a process of its own, for simulation and offline tests: what the actions do happens right here.
import type { Action } from '../ports/action.ts';
import { nothingDone, type Executor } from './executor.ts';

export function localExecutor(actions: readonly Action[]): Executor {
  const known = new Map(actions.map((action) => [action.name, action]));
  const aborter = new AbortController();
  return {
    slot: async (lane, { calledOff }) => (calledOff.aborted || aborter.signal.aborted ? null : { lane, free: () => {} }),
    async act(uses, request, { calledOff }) {
      const action = known.get(uses);
      if (aborter.signal.aborted) return nothingDone('closed', 'the executor is closed');
      if (action === undefined) return nothingDone('no_such_action', `no action is named "${uses}"`);
      try {
        return await action.act(request, calledOff === undefined ? aborter.signal : AbortSignal.any([aborter.signal, calledOff]));
      } catch (error) {
        return { outcome: 'unknown', detail: `executor: ${uses} broke: ${error instanceof Error ? error.message : 'no reason given'}` };
      }
    },
    async close() {
      aborter.abort();
    },
  };
}
