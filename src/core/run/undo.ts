// Taking back: the undos of completed steps, newest first, when the run cannot succeed any more and its playbook says so.
import type { TurnContext } from '../context.ts';
import { runEnvironment } from '../playbook/environment.ts';
import { fill } from '../playbook/template.ts';
import { detailOf, requestFilled } from './calls.ts';
import type { RunEnd } from './facts.ts';
import { finish } from './finish.ts';
import type { ActionOutcome } from './outcome.ts';
import { move, next, type Progress } from './position.ts';
import { frameOf, playbookOf, type Run, type Undo } from './row.ts';

export function undo(ctx: TurnContext, run: Run): Progress {
  const undos = run.undos ?? [];
  const item: Undo | undefined = undos[undos.length - 1 - frameOf(run).index];
  const { end = 'rolled-back', reason = 'taken back', because } = run.failure ?? {};
  if (item === undefined) return finish(ctx, run, end, reason, because);
  return requestFilled(ctx, run, { part: 'undo', step: item.step, attempt: 1 }, item);
}

export function afterUndo(ctx: TurnContext, run: Run, step: string, outcome: ActionOutcome): Progress {
  if (outcome.outcome !== 'ok') return finish(ctx, run, 'stuck', `undo of ${step}: ${detailOf(outcome)}`);
  return next(ctx, run, `${step} taken back`);
}

/** The run cannot succeed any more: take back what can be taken back, then end. */
export function giveUp(ctx: TurnContext, run: Run, end: RunEnd, reason: string): Progress {
  const { otherwise } = playbookOf(ctx.desk, run).verify;
  if (otherwise !== 'rollback' || (run.undos ?? []).length === 0) return finish(ctx, run, end, reason);
  move(ctx, run, { phase: 'undo', index: 0, attempt: 0, failure: { end: 'rolled-back', reason } }, `taking back: ${reason}`);
  return 'goesOn';
}

/** How to take back the effect of a step that has just been done, or null when its playbook does not say. */
export function undoingOf(ctx: TurnContext, run: Run, outcome: ActionOutcome): Omit<Undo, 'step'> | null {
  if (outcome.outcome !== 'ok') return null;
  const item = playbookOf(ctx.desk, run).steps[frameOf(run).index];
  if (item === undefined || item.undo === null) return null;
  const environment = runEnvironment(ctx.desk, { ...run, outputs: { ...run.outputs, [item.id]: outcome.output } });
  const input = fill(item.undo.with, environment, ctx.expressions);
  const { uses, timeoutMs } = item.undo;
  // What cannot be filled is asked for all the same: no action takes such an input, so the run ends stuck and calls a person.
  return { uses, timeoutMs, input: input.ok ? (input.value as Undo['input']) : { $unfilled: input.error } };
}
