// A run that the present has overtaken ends before its next effect, and says what no longer held. What it had done by then is taken back
// when its playbook says so.
//   V3  A run that never acted leaves no trace in what is tried, counted or cooled down: if the trouble comes back, its playbook is asked again.
import type { TurnContext } from '../context.ts';
import type { Stale } from '../present.ts';
import type { CallPlace } from './call-id.ts';
import type { Because, RunEnd } from './facts.ts';
import { finish } from './finish.ts';
import { move, type Progress } from './position.ts';
import { playbookOf, type Run } from './row.ts';

/** How a run ends when this no longer holds: there is nothing left to do for it, or somebody or something said that it must not. */
const endsAs: { readonly [because in Because]: RunEnd } = {
  over: 'noop',
  taken: 'noop',
  muted: 'noop',
  storm: 'noop',
  frozen: 'cancelled',
  off: 'cancelled',
  changed: 'cancelled',
  lock: 'failed',
  slots: 'failed',
};

/** Ends the run whose call nobody came to begin (R6 in calls.ts): that is said of the gateway, not of the remedy. */
export function starved(ctx: TurnContext, run: Run, place: Pick<CallPlace, 'part' | 'step'>, reason: string): Progress {
  return overtaken(ctx, run, place, {
    because: 'slots',
    reason: `${place.part === 'diagnose' ? 'look' : 'step'} ${place.step}: ${reason}`,
  });
}

/** Ends the run instead of the effect at `place`. */
export function overtaken(ctx: TurnContext, run: Run, { part, step }: Pick<CallPlace, 'part' | 'step'>, stale: Stale): Progress {
  if (part === 'undo') return finish(ctx, run, 'stuck', `${stale.reason} before ${step} was taken back`, stale.because);
  const isUntried = stale.because === 'slots' && run.acted !== true;
  const end = isUntried ? 'cancelled' : endsAs[stale.because];
  const reason =
    stale.because === 'slots'
      ? stale.reason
      : run.acted === true
        ? `${stale.reason}, before step ${step}`
        : `${wordsOf(stale)} before it acted`;
  const takesBack = playbookOf(ctx.desk, run).verify.otherwise === 'rollback' && (run.undos ?? []).length > 0;
  if (!takesBack || stale.because === 'frozen') return finish(ctx, run, end, reason, stale.because);
  move(ctx, run, { phase: 'undo', index: 0, attempt: 0, failure: { end, reason, because: stale.because } }, `taking back: ${reason}`);
  return 'goesOn';
}

function wordsOf({ because, reason }: Stale): string {
  return because === 'over' ? 'over' : reason;
}
