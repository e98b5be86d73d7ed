// The looks before acting, and where the mode decides how far the run may go after them.
import type { TurnContext } from '../context.ts';
import type { Diagnosis } from '../playbook/document.ts';
import { runEnvironment } from '../playbook/environment.ts';
import { askApproval, tellPlan } from './approval.ts';
import { detailOf, request } from './calls.ts';
import { finish } from './finish.ts';
import { notBegun, type ActionOutcome } from './outcome.ts';
import { starved } from './overtaken.ts';
import { freshRun, move, next, type Progress } from './position.ts';
import { frameOf, playbookOf, type Run } from './row.ts';
import { shadowEnd } from './shadow.ts';

export function diagnose(ctx: TurnContext, run: Run): Progress {
  const item = itemOf(ctx, run);
  if (item === undefined) return beginSteps(ctx, run);
  if (item.kind === 'check') return check(ctx, run, item);
  const asked = request(ctx, run, { part: 'diagnose', step: item.id, attempt: 1 }, item);
  return asked.ok ? asked.value : lookFailed(ctx, run, asked.error);
}

export function afterLook(ctx: TurnContext, run: Run, step: string, outcome: ActionOutcome): Progress {
  if (outcome.outcome === 'ok') return next(ctx, run, `${step} seen`);
  const item = itemOf(ctx, run);
  const isStarved = outcome.outcome === 'failed' && notBegun.has(outcome.error) && !(item?.kind === 'look' && item.continueOnError);
  return isStarved ? starved(ctx, run, { part: 'diagnose', step }, outcome.detail) : lookFailed(ctx, run, detailOf(outcome));
}

function itemOf(ctx: TurnContext, run: Run): Diagnosis | undefined {
  return playbookOf(ctx.desk, run).diagnose[frameOf(run).index];
}

function check(ctx: TurnContext, run: Run, item: Extract<Diagnosis, { kind: 'check' }>): Progress {
  const holds = ctx.expressions.evaluate(item.check, runEnvironment(ctx.desk, run));
  if (holds.ok && holds.value === true) return next(ctx, run, `check holds: ${item.check}`);
  const why = holds.ok ? item.say || `check does not hold: ${item.check}` : `check ${item.check}: ${holds.error}`;
  return finish(ctx, run, holds.ok && item.otherwise === 'end' ? 'noop' : 'failed', why);
}

function lookFailed(ctx: TurnContext, run: Run, why: string): Progress {
  const item = itemOf(ctx, run);
  if (item?.kind === 'look' && item.continueOnError) return next(ctx, run, `look failed, going on: ${why}`);
  return finish(ctx, run, 'failed', `diagnosis: ${why}`);
}

function beginSteps(ctx: TurnContext, run: Run): Progress {
  if (run.mode === 'shadow') {
    tellPlan(ctx, run);
    return finish(ctx, freshRun(ctx, run.id), 'shadowed', shadowEnd(run));
  }
  if (run.mode === 'approve') return askApproval(ctx, run);
  move(ctx, run, { phase: 'steps', index: 0, attempt: 0 }, 'diagnosed');
  return 'goesOn';
}
