// One run of a playbook: diagnose, act, prove, take back; each call asked for, claimed, granted once, answered or unknown.
// Decides only. Acting is engine/effects.ts; which playbook runs at all is choose.ts.
//   R1  A call is granted to one worker, once; an answer counts only from that worker and only while it is awaited.
//   R2  Silence after a grant is `unknown`; unknown is not repeated unless the step says so in words.
//   R3  Every run ends, once; every end but success, noop and shadow calls a person, even when its alerts have cleared if it
//       left in doubt what it did (unknown, stuck, degraded).
//   R4  While frozen no effect is requested or granted.
//   R5  A run keeps the playbook it began with.
import { emit, nextSeq, wakeAfter, type TurnContext } from '../context.ts';
import { invariant } from '../errors.ts';
import { idOf } from '../ids.ts';
import type { Incident } from '../incident/row.ts';
import type { Json } from '../json.ts';
import { ackPage, openPage } from '../page/ring.ts';
import { pageOf } from '../page/row.ts';
import type { ActionCall, Diagnosis, Playbook, Step } from '../playbook/document.ts';
import { runEnvironment } from '../playbook/environment.ts';
import { fill, type Environment } from '../playbook/template.ts';
import { minute, second, spanOf, type Millis } from '../time.ts';
import { ends } from './ends.ts';
import type { RunEnd, RunMoved, RunPhase, StepAnswered, StepClaimed } from './facts.ts';
import type { ActionOutcome } from './outcome.ts';
import type { Call, Run, Undo } from './row.ts';

const claimWithinMs = 30 * second;
/** From the grant: a worker begins within 10 s of its claim (engine/effects), so that by then it has ended whatever it began. */
const answerGraceMs = 15 * second;
const graceMs = 5 * minute;
const planCharsMax = 600;

export function runOf(ctx: TurnContext, id: string | null): Run | undefined {
  return id === null ? undefined : ctx.desk.tables.runs.rows.get(id);
}

function must(ctx: TurnContext, id: string): Run {
  const run = runOf(ctx, id);
  invariant(run !== undefined, `R3: run ${id} is on the desk`);
  return run;
}

/** Starts a run and takes it as far as it goes without an answer. */
export function start(
  ctx: TurnContext,
  incident: Incident,
  playbook: Playbook,
  plan: { readonly params: { readonly [name: string]: Json }; readonly target: string },
): string {
  const id = idOf('r', ctx.desk.scope, nextSeq(ctx));
  emit(ctx, { type: 'RunStarted', run: id, incident: incident.id, playbook, mode: playbook.mode, ...plan });
  advance(ctx, id);
  return id;
}

type Move = Partial<Pick<RunMoved, 'phase' | 'index' | 'attempt' | 'pause' | 'goodSince' | 'failure' | 'degraded'>>;

function move(ctx: TurnContext, run: Run, to: Move, why: string): Run {
  const { phase, index, attempt } = run;
  emit(ctx, { type: 'RunMoved', run: run.id, incident: run.incident, phase, index, attempt, ...to, why });
  return must(ctx, run.id);
}

/** Goes on from where the run stands until it asks for a call, waits, or ends. Each round moves forward, so it is bounded. */
function advance(ctx: TurnContext, id: string): void {
  for (;;) {
    const run = must(ctx, id);
    if (run.end !== null || run.call !== null) return;
    const goesOn =
      run.phase === 'diagnose'
        ? diagnose(ctx, run)
        : run.phase === 'steps'
          ? step(ctx, run)
          : run.phase === 'undo'
            ? undo(ctx, run)
            : false;
    if (run.phase === 'verify') return prove(ctx, run, 0);
    if (!goesOn) return;
  }
}

// ---------------------------------------------------------------- diagnose

function diagnose(ctx: TurnContext, run: Run): boolean {
  const item = run.playbook.diagnose[run.index];
  if (item === undefined) return beginSteps(ctx, run);
  if (item.kind === 'look') return request(ctx, run, { phase: 'diagnose', step: item.id, attempt: 1, call: item });
  return check(ctx, run, item);
}

function check(ctx: TurnContext, run: Run, item: Extract<Diagnosis, { kind: 'check' }>): boolean {
  const holds = ctx.expressions.evaluate(item.check, runEnvironment(ctx.desk, run));
  if (holds.ok && holds.value === true) return next(ctx, run, `check holds: ${item.check}`);
  const why = holds.ok ? item.say || `check does not hold: ${item.check}` : `check ${item.check}: ${holds.error}`;
  finish(ctx, run, holds.ok && item.otherwise === 'end' ? 'noop' : 'failed', why);
  return false;
}

function next(ctx: TurnContext, run: Run, why: string, also: Move = {}): boolean {
  move(ctx, run, { index: run.index + 1, attempt: 0, ...also }, why);
  return true;
}

function beginSteps(ctx: TurnContext, run: Run): boolean {
  if (run.mode === 'shadow') {
    tellPlan(ctx, run);
    finish(ctx, must(ctx, run.id), 'shadowed', 'shadow mode: decided and planned, nothing was done');
    return false;
  }
  if (run.mode === 'approve') {
    askApproval(ctx, run);
    return false;
  }
  move(ctx, run, { phase: 'steps', index: 0, attempt: 0 }, 'diagnosed');
  return true;
}

/** Says for each step what it would call; a value that only an earlier effect could give is marked assumed. */
function tellPlan(ctx: TurnContext, run: Run): void {
  for (const item of run.playbook.steps) {
    const filled = fill(item.with, runEnvironment(ctx.desk, run), ctx.expressions);
    const text = filled.ok ? JSON.stringify(filled.value) : `assumed (${filled.error})`;
    move(ctx, must(ctx, run.id), {}, `would call ${item.uses} ${text}`.slice(0, planCharsMax));
  }
}

// ---------------------------------------------------------------- approval

function askApproval(ctx: TurnContext, run: Run): void {
  move(ctx, run, { phase: 'approval', index: 0 }, 'waits for a person');
  tellPlan(ctx, must(ctx, run.id));
  const within = run.playbook.guards.approveWithinMs;
  emit(ctx, { type: 'ApprovalRequested', run: run.id, incident: run.incident, until: ctx.at + within });
  wakeAfter(ctx, within, { kind: 'approval', run: run.id });
  const incident = ctx.desk.tables.incidents.rows.get(run.incident);
  if (incident === undefined || incident.page !== null) return;
  const reason = `playbook ${run.playbook.name} wants to act on ${run.target}: approve or deny run ${run.id} within ${spanOf(within)}`;
  openPage(ctx, incident, { reason, ladder: run.playbook.escalate.ladder, kind: 'approval' });
}

export function onApproval(
  ctx: TurnContext,
  id: string,
  answer: { readonly approved: boolean; readonly by: string; readonly via: string; readonly note: string },
): void {
  const run = runOf(ctx, id);
  if (run?.phase !== 'approval' || run.end !== null) return;
  const { approved, by, note, via } = answer;
  emit(ctx, { type: 'ApprovalGiven', run: id, incident: run.incident, approved, by, note });
  const page = pageOf(ctx, ctx.desk.tables.incidents.rows.get(run.incident)?.page ?? null);
  if (page !== undefined) ackPage(ctx, page, { by, via });
  if (!approved) return finish(ctx, run, 'denied', `denied by ${by}${note === '' ? '' : `: ${note}`}`);
  move(ctx, run, { phase: 'steps', index: 0, attempt: 0 }, `approved by ${by}`);
  advance(ctx, id);
}

export function onApprovalTimeout(ctx: TurnContext, id: string): void {
  const run = runOf(ctx, id);
  if (run?.phase !== 'approval' || run.end !== null) return;
  withdraw(ctx, run, 'nobody answered in time');
  finish(ctx, run, 'expired', 'nobody approved it in time');
}

function withdraw(ctx: TurnContext, run: Run, note: string): void {
  emit(ctx, { type: 'ApprovalGiven', run: run.id, incident: run.incident, approved: false, by: 'quench', note });
}

// ---------------------------------------------------------------- steps

function step(ctx: TurnContext, run: Run): boolean {
  const item = run.playbook.steps[run.index];
  if (item === undefined) {
    move(ctx, run, { phase: 'verify', index: 0, attempt: 0 }, 'steps done');
    prove(ctx, must(ctx, run.id), 0);
    return false;
  }
  if (item.when !== null) {
    const holds = ctx.expressions.evaluate(item.when, runEnvironment(ctx.desk, run));
    if (!holds.ok) return stepFailed(ctx, run, item, `condition of step ${item.id}: ${holds.error}`);
    if (holds.value !== true) return next(ctx, run, `step ${item.id} not needed`);
  }
  return request(ctx, run, { phase: 'steps', step: item.id, attempt: run.attempt + 1, call: item });
}

function stepFailed(ctx: TurnContext, run: Run, item: Step, why: string): boolean {
  if (item.continueOnError) return next(ctx, run, `step ${item.id} failed, going on: ${why}`, { degraded: true });
  return giveUp(ctx, run, 'failed', `step ${item.id}: ${why}`);
}

/** The run cannot succeed any more: take back what can be taken back, then end. */
function giveUp(ctx: TurnContext, run: Run, end: RunEnd, reason: string): boolean {
  if (run.playbook.verify.otherwise === 'rollback' && run.undos.length > 0 && run.phase !== 'undo') {
    move(ctx, run, { phase: 'undo', index: 0, attempt: 0, failure: { end: 'rolled-back', reason } }, `taking back: ${reason}`);
    return true;
  }
  finish(ctx, run, end, reason);
  return false;
}

function undo(ctx: TurnContext, run: Run): boolean {
  const item: Undo | undefined = run.undos[run.undos.length - 1 - run.index];
  if (item === undefined) {
    finish(ctx, run, run.failure?.end ?? 'rolled-back', run.failure?.reason ?? 'taken back');
    return false;
  }
  return requestFilled(ctx, run, {
    phase: 'undo',
    step: item.step,
    attempt: 1,
    uses: item.uses,
    timeoutMs: item.timeoutMs,
    input: item.input,
  });
}

// ---------------------------------------------------------------- verify

/** Goes through the proofs from `from` on; a probe leaves and comes back by its answer. Returns nothing: it waits, asks or ends. */
function prove(ctx: TurnContext, run: Run, from: number): void {
  const { proofs, require } = run.playbook.verify;
  for (let index = from; index < proofs.length; index += 1) {
    const proof = proofs[index];
    if (proof === undefined) break;
    if (proof.kind === 'probe') {
      const at = move(ctx, run, { index }, `looks: ${proof.uses}`);
      if (request(ctx, at, { phase: 'verify', step: `proof${index + 1}`, attempt: run.pause + 1, call: proof }))
        prove(ctx, must(ctx, run.id), index + 1);
      return;
    }
    const good = (ctx.desk.tables.incidents.rows.get(run.incident)?.firing ?? 0) === 0;
    if (good && require === 'any') return proven(ctx, run);
    if (!good && require === 'all') return unproven(ctx, run, 'alerts still fire');
  }
  if (require === 'all') return proven(ctx, run);
  unproven(ctx, run, 'no proof held');
}

function proven(ctx: TurnContext, run: Run): void {
  const { stableForMs, everyMs } = run.playbook.verify;
  const since = run.goodSince ?? ctx.at;
  const left = since + stableForMs - ctx.at;
  if (left > 0) return pause(ctx, run, Math.min(left, everyMs), { index: 0, goodSince: since }, `good, must stay so for ${spanOf(left)}`);
  finish(ctx, run, run.degraded ? 'degraded' : 'succeeded', 'verified');
}

function unproven(ctx: TurnContext, run: Run, why: string): void {
  const { withinMs, everyMs } = run.playbook.verify;
  const left = (run.verifyingSince ?? ctx.at) + withinMs - ctx.at;
  if (left > 0) return pause(ctx, run, Math.min(left, everyMs), { index: 0, goodSince: null }, why);
  if (giveUp(ctx, run, 'failed', `not verified within ${spanOf(withinMs)}: ${why}`)) advance(ctx, run.id);
}

/** Every member has cleared: a run that waits to prove itself looks at once, one that waits for a person has nothing to do. */
export function nudge(ctx: TurnContext, id: string): void {
  const run = runOf(ctx, id);
  if (run?.phase === 'approval') {
    withdraw(ctx, run, 'every alert cleared');
    return finish(ctx, run, 'noop', 'every alert cleared before anybody answered');
  }
  if (run?.phase !== 'verify' || run.call !== null || run.end !== null) return;
  prove(ctx, move(ctx, run, { index: 0, pause: run.pause + 1 }, 'every alert cleared: looks at once'), 0);
}

function pause(ctx: TurnContext, run: Run, span: Millis, also: Move, why: string): void {
  const moved = move(ctx, run, { ...also, pause: run.pause + 1 }, why);
  wakeAfter(ctx, span, { kind: 'pause', run: run.id, pause: moved.pause });
}

export function onPause(ctx: TurnContext, id: string, number: number): void {
  const run = runOf(ctx, id);
  if (run === undefined || run.end !== null || run.call !== null || run.pause !== number) return;
  advance(ctx, id);
}

// ---------------------------------------------------------------- calls

interface Asked {
  readonly phase: RunPhase;
  readonly step: string;
  readonly attempt: number;
  readonly call: ActionCall;
}

/** Asks for a call. True when it could not even be asked and the run has moved on by itself. */
function request(ctx: TurnContext, run: Run, asked: Asked): boolean {
  const input = fill(asked.call.with, runEnvironment(ctx.desk, run), ctx.expressions);
  const { uses, timeoutMs } = asked.call;
  if (!input.ok) return notAsked(ctx, run, asked, `input of ${uses}: ${input.error}`);
  // `with` is an object by the schema of the format; filling keeps the shape.
  return requestFilled(ctx, run, { ...asked, uses, timeoutMs, input: input.value as Undo['input'] });
}

function requestFilled(
  ctx: TurnContext,
  run: Run,
  asked: Omit<Asked, 'call'> & { readonly uses: string; readonly timeoutMs: Millis; readonly input: Undo['input'] },
): boolean {
  const { phase, step: name, attempt, uses, timeoutMs, input } = asked;
  if (ctx.frozen !== null && (phase === 'steps' || phase === 'undo')) return stopFrozen(ctx, run); // R4
  const call = `${phase}/${name}/${attempt}`;
  emit(ctx, {
    type: 'StepRequested',
    run: run.id,
    incident: run.incident,
    call,
    phase,
    step: name,
    attempt,
    uses,
    input,
    timeoutMs,
    target: run.target,
  });
  wakeAfter(ctx, claimWithinMs, { kind: 'call', run: run.id, call, stage: 'claim' });
  return false;
}

function notAsked(ctx: TurnContext, run: Run, asked: Asked, why: string): boolean {
  if (asked.phase === 'steps') {
    const item = run.playbook.steps[run.index];
    invariant(item !== undefined, 'R3: a step that cannot be asked for exists');
    return stepFailed(ctx, run, item, why);
  }
  if (asked.phase === 'diagnose') return lookFailed(ctx, run, why);
  return run.playbook.verify.require === 'any' ? true : (unproven(ctx, run, why), false);
}

function stopFrozen(ctx: TurnContext, run: Run): boolean {
  const by = ctx.frozen?.by ?? 'someone';
  finish(ctx, run, run.phase === 'undo' ? 'stuck' : 'cancelled', `frozen by ${by} before the next effect`);
  return false;
}

export function onClaimed(ctx: TurnContext, input: StepClaimed): void {
  const run = runOf(ctx, input.run);
  if (run?.call?.id !== input.call || run.call.worker !== null) return; // R1
  const acts = run.phase === 'steps' || run.phase === 'undo';
  if (ctx.frozen !== null && acts) {
    endCall(ctx, run, { outcome: 'failed', error: 'frozen', detail: `frozen by ${ctx.frozen.by}`, output: {} }, 0, null);
    stopFrozen(ctx, must(ctx, run.id));
    return;
  }
  emit(ctx, { type: 'StepGranted', run: run.id, call: input.call, worker: input.worker });
  wakeAfter(ctx, run.call.timeoutMs + answerGraceMs, { kind: 'call', run: run.id, call: input.call, stage: 'grant' });
}

export function onAnswered(ctx: TurnContext, input: StepAnswered): void {
  const run = runOf(ctx, input.run);
  if (run?.call?.id === input.call && run.call.worker === input.worker) return answered(ctx, run, run.call, input.outcome, input.tookMs);
  if (run === undefined) return;
  const text = `late answer of ${input.call} in run ${run.id}: ${input.outcome.outcome}; it no longer counts`;
  emit(ctx, { type: 'IncidentNoted', incident: run.incident, by: 'quench', text }); // R1
}

export function onCallWake(
  ctx: TurnContext,
  wake: { readonly run: string; readonly call: string; readonly stage: 'claim' | 'grant' },
): void {
  const run = runOf(ctx, wake.run);
  if (run?.call?.id !== wake.call || (run.call.worker === null) !== (wake.stage === 'claim')) return;
  const outcome: ActionOutcome =
    wake.stage === 'claim'
      ? { outcome: 'failed', error: 'unclaimed', detail: `no worker took it within ${spanOf(claimWithinMs)}; nothing was done`, output: {} }
      : { outcome: 'unknown', detail: 'the worker gave no answer in time' }; // R2
  answered(ctx, run, run.call, outcome, ctx.at - run.call.requestedAt);
}

function answered(ctx: TurnContext, run: Run, call: Call, outcome: ActionOutcome, tookMs: Millis): void {
  const item = run.phase === 'steps' ? run.playbook.steps[run.index] : undefined;
  endCall(ctx, run, outcome, tookMs, outcome.outcome === 'ok' && item !== undefined ? undoOf(ctx, run, item, outcome.output) : null);
  const now = must(ctx, run.id);
  if (now.failure?.end === 'cancelled') return finish(ctx, now, 'cancelled', now.failure.reason);
  switch (run.phase) {
    case 'diagnose':
      if (outcome.outcome === 'ok' ? next(ctx, now, `${call.step} seen`) : lookFailed(ctx, now, detailOf(outcome))) advance(ctx, run.id);
      return;
    case 'steps':
      invariant(item !== undefined, 'R3: an answered step exists');
      if (afterStep(ctx, now, item, outcome)) advance(ctx, run.id);
      return;
    case 'verify':
      return afterProbe(ctx, now, outcome);
    case 'undo':
      if (outcome.outcome !== 'ok') return finish(ctx, now, 'stuck', `undo of ${call.step}: ${detailOf(outcome)}`);
      if (next(ctx, now, `${call.step} taken back`)) advance(ctx, run.id);
      return;
    default:
      invariant(false, `R3: phase ${run.phase} has no calls`);
  }
}

function endCall(ctx: TurnContext, run: Run, outcome: ActionOutcome, tookMs: Millis, undoing: Omit<Undo, 'step'> | null): void {
  const { call, phase } = run;
  invariant(call !== null, 'R1: only an outstanding call ends');
  emit(ctx, {
    type: 'StepFinished',
    run: run.id,
    incident: run.incident,
    call: call.id,
    phase,
    step: call.step,
    attempt: call.attempt,
    outcome,
    tookMs,
    undo: undoing,
  });
}

function undoOf(ctx: TurnContext, run: Run, item: Step, output: Environment): Omit<Undo, 'step'> | null {
  if (item.undo === null) return null;
  const environment = runEnvironment(ctx.desk, { ...run, outputs: { ...run.outputs, [item.id]: output as Run['outputs'][string] } });
  const input = fill(item.undo.with, environment, ctx.expressions);
  const { uses, timeoutMs } = item.undo;
  // What cannot be filled is asked for all the same: no action takes such an input, so the run ends stuck and calls a person.
  return { uses, timeoutMs, input: input.ok ? (input.value as Undo['input']) : { $unfilled: input.error } };
}

function lookFailed(ctx: TurnContext, run: Run, why: string): boolean {
  const item = run.playbook.diagnose[run.index];
  if (item?.kind === 'look' && item.continueOnError) return next(ctx, run, `look failed, going on: ${why}`);
  finish(ctx, run, 'failed', `diagnosis: ${why}`);
  return false;
}

function afterStep(ctx: TurnContext, run: Run, item: Step, outcome: ActionOutcome): boolean {
  if (outcome.outcome === 'ok') return next(ctx, run, `step ${item.id} done`);
  const mayRepeat = outcome.outcome === 'failed' || item.onUnknown === 'retry'; // R2
  if (mayRepeat && run.attempt <= item.retry.times) {
    const wait = Math.min(item.retry.waitMaxMs, item.retry.waitMs * item.retry.factor ** (run.attempt - 1));
    pause(ctx, run, wait, {}, `step ${item.id}, attempt ${run.attempt}: ${detailOf(outcome)}; again in ${spanOf(wait)}`);
    return false;
  }
  if (outcome.outcome === 'failed') return stepFailed(ctx, run, item, detailOf(outcome));
  finish(ctx, run, 'unknown', `step ${item.id}: ${outcome.detail}; it may have happened, so it is not repeated`);
  return false;
}

function afterProbe(ctx: TurnContext, run: Run, outcome: ActionOutcome): void {
  const proof = run.playbook.verify.proofs[run.index];
  invariant(proof?.kind === 'probe', 'R3: an answered proof is a probe');
  const result = outcome.outcome === 'unknown' ? {} : outcome.output;
  const environment = { ...runEnvironment(ctx.desk, run), result: { ...result, ok: outcome.outcome === 'ok' } };
  const holds = ctx.expressions.evaluate(proof.expect, environment);
  const good = outcome.outcome === 'ok' && holds.ok && holds.value === true;
  if (good && run.playbook.verify.require === 'any') return proven(ctx, run);
  if (!good && run.playbook.verify.require === 'all') {
    const seen = outcome.outcome === 'ok' ? (holds.ok ? `${proof.expect} does not hold` : holds.error) : detailOf(outcome);
    return unproven(ctx, run, `${proof.uses}: ${seen}`);
  }
  prove(ctx, run, run.index + 1);
}

function detailOf(outcome: ActionOutcome): string {
  return outcome.outcome === 'ok' ? 'ok' : outcome.detail;
}

// ---------------------------------------------------------------- ends

/** Ends a run by a person's word: at once when no worker was granted its call, else as soon as that one has answered. */
export function cancel(ctx: TurnContext, id: string, reason: string): void {
  const run = runOf(ctx, id);
  if (run === undefined || run.end !== null) return;
  if (run.phase === 'approval') withdraw(ctx, run, reason);
  if (run.call?.worker === null) endCall(ctx, run, { outcome: 'failed', error: 'cancelled', detail: reason, output: {} }, 0, null);
  const now = must(ctx, id);
  if (now.call === null) return finish(ctx, now, 'cancelled', reason);
  if (now.failure?.end !== 'cancelled') move(ctx, now, { failure: { end: 'cancelled', reason } }, reason);
}

function finish(ctx: TurnContext, run: Run, end: RunEnd, reason: string): void {
  if (run.end !== null) return; // R3
  const { helped } = ends[end];
  const told = helped || run.mode === 'shadow' ? reason : inItsWords(ctx, run, reason);
  emit(ctx, { type: 'RunFinished', run: run.id, incident: run.incident, playbook: run.playbook.name, end, reason: told });
  if (run.mode === 'shadow') return;
  const incident = ctx.desk.tables.incidents.rows.get(run.incident);
  if (helped && incident !== undefined && incident.firing > 0)
    wakeAfter(ctx, graceMs, { kind: 'grace', incident: incident.id, run: run.id });
  ctx.toDeliberate.add(run.incident);
}

/** The author's sentence for the person who is called, with the reason behind it. */
function inItsWords(ctx: TurnContext, run: Run, reason: string): string {
  const said = fill(run.playbook.escalate.say, runEnvironment(ctx.desk, run), ctx.expressions);
  const text = said.ok && typeof said.value === 'string' ? said.value.trim() : '';
  return text === '' ? reason : `${text.replace(/\.$/, '')} (${reason})`;
}
