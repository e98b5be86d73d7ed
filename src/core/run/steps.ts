// The effects of a run, one after the other: asked for when their condition holds, repeated as far as the playbook allows.
//   R2  Silence after a grant is `unknown`; unknown is not repeated unless the step says so in words.
import type { TurnContext } from '../context.ts';
import { invariant } from '../errors.ts';
import type { Step } from '../playbook/document.ts';
import { runEnvironment } from '../playbook/environment.ts';
import { spanOf } from '../time.ts';
import { detailOf, request } from './calls.ts';
import { finish } from './finish.ts';
import { notBegun, type ActionOutcome } from './outcome.ts';
import { starved } from './overtaken.ts';
import { move, next, pause, type Progress } from './position.ts';
import { frameOf, playbookOf, type Run } from './row.ts';
import { giveUp } from './undo.ts';

export function step(ctx: TurnContext, run: Run): Progress {
  const { index, attempt } = frameOf(run);
  const item = playbookOf(ctx.desk, run).steps[index];
  if (item === undefined) {
    move(ctx, run, { phase: 'verify', index: 0, attempt: 0 }, 'steps done');
    return 'goesOn';
  }
  if (item.when !== null) {
    const holds = ctx.expressions.evaluate(item.when, runEnvironment(ctx.desk, run));
    if (!holds.ok) return stepFailed(ctx, run, item, `condition of step ${item.id}: ${holds.error}`);
    if (holds.value !== true) return next(ctx, run, `step ${item.id} not needed`);
  }
  const asked = request(ctx, run, { part: 'steps', step: item.id, attempt: attempt + 1 }, item);
  return asked.ok ? asked.value : stepFailed(ctx, run, item, asked.error);
}

export function afterStep(ctx: TurnContext, run: Run, _step: string, outcome: ActionOutcome): Progress {
  const { index, attempt } = frameOf(run);
  const item = playbookOf(ctx.desk, run).steps[index];
  invariant(item !== undefined, 'R3: an answered step exists');
  if (outcome.outcome === 'ok') return next(ctx, run, `step ${item.id} done`);
  const mayRepeat = outcome.outcome === 'failed' || item.onUnknown === 'retry'; // R2
  if (mayRepeat && attempt <= item.retry.times) {
    const wait = Math.min(item.retry.waitMaxMs, item.retry.waitMs * item.retry.factor ** (attempt - 1));
    return pause(ctx, run, wait, {}, `step ${item.id}, attempt ${attempt}: ${detailOf(outcome)}; again in ${spanOf(wait)}`);
  }
  if (outcome.outcome === 'failed' && notBegun.has(outcome.error) && !item.continueOnError)
    return starved(ctx, run, { part: 'steps', step: item.id }, outcome.detail);
  if (outcome.outcome === 'failed') return stepFailed(ctx, run, item, whyOf(run, outcome));
  return finish(ctx, run, 'unknown', `step ${item.id}: ${outcome.detail}; it may have happened, so it is not repeated`);
}

/** A refusal is no failure: where nothing was tried, that is said before the reason. */
function whyOf({ acted }: Run, outcome: Extract<ActionOutcome, { outcome: 'failed' }>): string {
  return outcome.error === 'refused' && acted !== true ? `refused, nothing was done: ${outcome.detail}` : outcome.detail;
}

function stepFailed(ctx: TurnContext, run: Run, item: Step, why: string): Progress {
  if (item.continueOnError) return next(ctx, run, `step ${item.id} failed, going on: ${why}`, { degraded: true });
  return giveUp(ctx, run, 'failed', `step ${item.id}: ${why}`);
}
