// One run of a playbook: diagnose, act, prove, take back. This file owns the loop: it asks the part that the run is in to go on, and
// the part answers in one word (position.ts). Decides only; acting is engine/effects, which playbook runs at all is decide/choose.ts.
//   R3  Every run ends, once (finish.ts).
//   R5  A run keeps the playbook it began with (row.ts).
import { emit, nextSeq, type TurnContext } from '../context.ts';
import { invariant } from '../errors.ts';
import { idOf } from '../ids.ts';
import type { Incident } from '../incident/row.ts';
import type { Json } from '../json.ts';
import type { Playbook } from '../playbook/document.ts';
import { isOver } from '../present.ts';
import type { Instant, Millis } from '../time.ts';
import type { WakeHandlers } from '../wakes.ts';
import { noteLateWord, onApprovalWake, takeApproval, withdraw, type ApprovalAnswer } from './approval.ts';
import { endCall, grant, isAwaited, noteLate, overdueOutcome } from './calls.ts';
import { placeOf } from './call-id.ts';
import { afterLook, diagnose } from './diagnose.ts';
import type { RunPart, RunWake, StepAnswered, StepClaimed } from './facts.ts';
import { finish } from './finish.ts';
import type { ActionOutcome } from './outcome.ts';
import { freshRun, move, type Progress } from './position.ts';
import { callOf, isCalling, partOf, runOf, type Run } from './row.ts';
import { afterStep, step } from './steps.ts';
import { afterUndo, undo, undoingOf } from './undo.ts';
import { afterProbe, verify } from './verify.ts';

interface Part {
  /** Goes on from where the run stands. */
  readonly goOn: (ctx: TurnContext, run: Run) => Progress;
  /** Takes the outcome of a call that the part asked for; the call itself is over. */
  readonly answered: (ctx: TurnContext, run: Run, step: string, outcome: ActionOutcome) => Progress;
}

const parts: { readonly [part in RunPart]: Part } = {
  approval: { goOn: () => 'waits', answered: asksNothing },
  diagnose: { goOn: diagnose, answered: afterLook },
  steps: { goOn: step, answered: afterStep },
  verify: { goOn: verify, answered: afterProbe },
  undo: { goOn: undo, answered: afterUndo },
};

function asksNothing(): never {
  invariant(false, 'R3: a run that waits for a person has no calls');
}

/** Looks at the run until it asks, waits or ends. Every round moves it forward in its playbook, so the rounds are bounded. */
function advance(ctx: TurnContext, id: string, progress: Progress): void {
  let last = progress;
  while (last === 'goesOn') {
    const run = freshRun(ctx, id);
    const part = partOf(run);
    last = part === null ? 'ended' : parts[part].goOn(ctx, run);
  }
}

/** Starts a run and takes it as far as it goes without an answer. */
export function start(
  ctx: TurnContext,
  incident: Incident,
  playbook: Playbook,
  plan: {
    readonly params: { readonly [name: string]: Json };
    readonly target: string;
    readonly alerts: readonly string[];
    readonly wouldBe?: string;
    /** The id under which its resource was granted, and until when; none of a run that only watches. */
    readonly run?: string;
    readonly holdsUntil?: Instant;
  },
): void {
  const { run: id = idOf('r', ctx.desk.scope, nextSeq(ctx)), ...begun } = plan;
  emit(ctx, { type: 'RunStarted', run: id, incident: incident.id, playbook, mode: playbook.mode, ...begun, life: incident.life });
  advance(ctx, id, 'goesOn');
}

/** `take` is called with the incident when the answer is what the run waits for: who answers has it. */
export function onApproval(ctx: TurnContext, id: string, answer: ApprovalAnswer, take: (incident: string) => void): void {
  const run = runOf(ctx, id);
  if (run === undefined) return;
  if (partOf(run) !== 'approval') return noteLateWord(ctx, run, answer);
  advance(ctx, id, takeApproval(ctx, run, answer, take));
}

/** A worker wants to do a call. */
export function onClaimed(ctx: TurnContext, input: StepClaimed): void {
  grant(ctx, input, (progress) => advance(ctx, input.run, progress));
}

export function onAnswered(ctx: TurnContext, input: StepAnswered): void {
  if (!isAwaited(ctx, input)) return noteLate(ctx, input);
  answered(ctx, input.run, input.call, input.outcome, input.tookMs);
}

function onCallWake(ctx: TurnContext, wake: Extract<RunWake, { kind: 'call' }>): void {
  const call = callOf(runOf(ctx, wake.run), wake.call);
  const outcome = overdueOutcome(call, wake.stage);
  if (call !== undefined && outcome !== null) answered(ctx, wake.run, wake.call, outcome, ctx.at - call.requestedAt);
}

function answered(ctx: TurnContext, id: string, call: string, outcome: ActionOutcome, tookMs: Millis): void {
  const run = freshRun(ctx, id);
  const { part, step: name } = placeOf(call);
  endCall(ctx, run, call, outcome, tookMs, part === 'steps' ? undoingOf(ctx, run, outcome) : null);
  const fresh = freshRun(ctx, id);
  if (fresh.failure?.end === 'cancelled') finish(ctx, fresh, 'cancelled', cancelledReason(fresh.failure.reason, name, outcome));
  else advance(ctx, id, parts[part].answered(ctx, fresh, name, outcome));
}

/** What a cancelled step had done by then is the person's to know. */
function cancelledReason(reason: string, name: string, outcome: ActionOutcome): string {
  return outcome.outcome === 'unknown' ? `${reason}; ${name} was ended midway, what it did is not known (${outcome.detail})` : reason;
}

function onPause(ctx: TurnContext, { run: id, pause }: Extract<RunWake, { kind: 'pause' }>): void {
  const run = runOf(ctx, id);
  if (run === undefined || run.end !== null || isCalling(run) || run.pause !== pause) return;
  advance(ctx, id, 'goesOn');
}

/** An alert has cleared; if it was the run's last one, a run that waits to prove itself looks at once, and one that waits for a person ends. */
export function nudge(ctx: TurnContext, id: string): void {
  const run = runOf(ctx, id);
  const part = partOf(run);
  if (run === undefined || !isOver(ctx, run)) return;
  if (part === 'approval') {
    withdraw(ctx, run, 'every alert cleared');
    finish(ctx, run, 'noop', 'every alert cleared before anybody answered', 'over');
  } else if (part === 'verify' && !isCalling(run)) {
    move(ctx, run, { index: 0, pause: run.pause + 1 }, 'every alert cleared: looks at once');
    advance(ctx, id, 'goesOn');
  }
}

/** Ends a run by a person's word: at once when no worker was granted its call, else its worker is told to end it and answers soon. */
export function cancel(ctx: TurnContext, id: string, reason: string): void {
  const run = runOf(ctx, id);
  if (run === undefined || run.end !== null) return;
  if (partOf(run) === 'approval') withdraw(ctx, run, reason);
  for (const [call, { worker }] of Object.entries(run.calls)) {
    if (worker === null) endCall(ctx, run, call, { outcome: 'failed', error: 'cancelled', detail: reason, output: {} }, 0, null);
  }
  const fresh = freshRun(ctx, id);
  if (!isCalling(fresh)) finish(ctx, fresh, 'cancelled', reason);
  else if (fresh.failure?.end !== 'cancelled') {
    move(ctx, fresh, { failure: { end: 'cancelled', reason } }, reason);
    for (const [call, { worker }] of Object.entries(fresh.calls)) {
      if (worker !== null) emit(ctx, { type: 'StepCalledOff', run: id, incident: run.incident, call, worker, why: reason });
    }
  }
}

export const runWakes: WakeHandlers<RunWake['kind']> = {
  approval: onApprovalWake,
  call: onCallWake,
  pause: onPause,
};
