// One run of a playbook: diagnose, act, prove, take back; each call asked for, claimed, granted once, answered or unknown.
// Decides only. Acting is engine/effects.ts; which playbook runs at all is choose.ts.
//   R1  A call is granted to one worker, once; an answer counts only from that worker and only while it is awaited.
//   R2  Silence after a grant is `unknown`; unknown is not repeated unless the step says so in words.
//   R3  Every run ends, once; every end but success, noop and shadow calls a person, even when its alerts have cleared if it
//       left in doubt what it did (unknown, stuck, degraded).
//   R4  While frozen no effect is requested or granted.
//   R5  A run keeps the playbook it began with.
import type { Call, Incident, Run, Undo } from './desk.ts';
import { runEnvironment } from './environment.ts';
import { invariant } from './errors.ts';
import { idOf } from './ids.ts';
import { emit, nextSeq, wakeAfter, type Turn } from './law.ts';
import { ackPage, openPage, pageOf } from './page.ts';
import type { ActionCall, Diagnosis, Json, Playbook, Step } from './playbook.ts';
import type { ActionOutcome } from './ports.ts';
import type { RunEnd, RunMoved, RunPhase, StepAnswered, StepClaimed } from './records.ts';
import { fill, type Environment } from './template.ts';
import { minute, second, spanOf, type Millis } from './time.ts';

const claimWithinMs = 30 * second;
/** From the grant: a worker begins within 10 s of its claim (engine/effects), so that by then it has ended whatever it began. */
const answerGraceMs = 15 * second;
const graceMs = 5 * minute;
const planCharsMax = 600;

export function runOf(turn: Turn, id: string | null): Run | undefined {
  return id === null ? undefined : turn.desk.tables.runs.rows.get(id);
}

function must(turn: Turn, id: string): Run {
  const run = runOf(turn, id);
  invariant(run !== undefined, `R3: run ${id} is on the desk`);
  return run;
}

/** Starts a run and takes it as far as it goes without an answer. */
export function start(
  turn: Turn,
  incident: Incident,
  playbook: Playbook,
  plan: { readonly params: { readonly [name: string]: Json }; readonly target: string },
): string {
  const id = idOf('r', turn.desk.scope, nextSeq(turn));
  emit(turn, { type: 'RunStarted', run: id, incident: incident.id, playbook, mode: playbook.mode, ...plan });
  advance(turn, id);
  return id;
}

type Move = Partial<Pick<RunMoved, 'phase' | 'index' | 'attempt' | 'pause' | 'goodSince' | 'failure' | 'degraded'>>;

function move(turn: Turn, run: Run, to: Move, why: string): Run {
  const { phase, index, attempt } = run;
  emit(turn, { type: 'RunMoved', run: run.id, incident: run.incident, phase, index, attempt, ...to, why });
  return must(turn, run.id);
}

/** Goes on from where the run stands until it asks for a call, waits, or ends. Each round moves forward, so it is bounded. */
function advance(turn: Turn, id: string): void {
  for (;;) {
    const run = must(turn, id);
    if (run.end !== null || run.call !== null) return;
    const goesOn =
      run.phase === 'diagnose'
        ? diagnose(turn, run)
        : run.phase === 'steps'
          ? step(turn, run)
          : run.phase === 'undo'
            ? undo(turn, run)
            : false;
    if (run.phase === 'verify') return prove(turn, run, 0);
    if (!goesOn) return;
  }
}

// ---------------------------------------------------------------- diagnose

function diagnose(turn: Turn, run: Run): boolean {
  const item = run.playbook.diagnose[run.index];
  if (item === undefined) return beginSteps(turn, run);
  if (item.kind === 'look') return request(turn, run, { phase: 'diagnose', step: item.id, attempt: 1, call: item });
  return check(turn, run, item);
}

function check(turn: Turn, run: Run, item: Extract<Diagnosis, { kind: 'check' }>): boolean {
  const holds = turn.law.expressions.evaluate(item.check, runEnvironment(turn.desk, run));
  if (holds.ok && holds.value === true) return next(turn, run, `check holds: ${item.check}`);
  const why = holds.ok ? item.say || `check does not hold: ${item.check}` : `check ${item.check}: ${holds.error}`;
  finish(turn, run, holds.ok && item.otherwise === 'end' ? 'noop' : 'failed', why);
  return false;
}

function next(turn: Turn, run: Run, why: string, also: Move = {}): boolean {
  move(turn, run, { index: run.index + 1, attempt: 0, ...also }, why);
  return true;
}

function beginSteps(turn: Turn, run: Run): boolean {
  if (run.mode === 'shadow') {
    tellPlan(turn, run);
    finish(turn, must(turn, run.id), 'shadowed', 'shadow mode: decided and planned, nothing was done');
    return false;
  }
  if (run.mode === 'approve') {
    askApproval(turn, run);
    return false;
  }
  move(turn, run, { phase: 'steps', index: 0, attempt: 0 }, 'diagnosed');
  return true;
}

/** Says for each step what it would call; a value that only an earlier effect could give is marked assumed. */
function tellPlan(turn: Turn, run: Run): void {
  for (const item of run.playbook.steps) {
    const filled = fill(item.with, runEnvironment(turn.desk, run), turn.law.expressions);
    const text = filled.ok ? JSON.stringify(filled.value) : `assumed (${filled.error})`;
    move(turn, must(turn, run.id), {}, `would call ${item.uses} ${text}`.slice(0, planCharsMax));
  }
}

// ---------------------------------------------------------------- approval

function askApproval(turn: Turn, run: Run): void {
  move(turn, run, { phase: 'approval', index: 0 }, 'waits for a person');
  tellPlan(turn, must(turn, run.id));
  const within = run.playbook.guards.approveWithinMs;
  emit(turn, { type: 'ApprovalRequested', run: run.id, incident: run.incident, until: turn.at + within });
  wakeAfter(turn, within, { kind: 'approval', run: run.id });
  const incident = turn.desk.tables.incidents.rows.get(run.incident);
  if (incident === undefined || incident.page !== null) return;
  const reason = `playbook ${run.playbook.name} wants to act on ${run.target}: approve or deny run ${run.id} within ${spanOf(within)}`;
  openPage(turn, incident, { reason, ladder: run.playbook.escalate.ladder, kind: 'approval' });
}

export function onApproval(
  turn: Turn,
  id: string,
  answer: { readonly approved: boolean; readonly by: string; readonly via: string; readonly note: string },
): void {
  const run = runOf(turn, id);
  if (run?.phase !== 'approval' || run.end !== null) return;
  const { approved, by, note, via } = answer;
  emit(turn, { type: 'ApprovalGiven', run: id, incident: run.incident, approved, by, note });
  const page = pageOf(turn, turn.desk.tables.incidents.rows.get(run.incident)?.page ?? null);
  if (page !== undefined) ackPage(turn, page, { by, via });
  if (!approved) return finish(turn, run, 'denied', `denied by ${by}${note === '' ? '' : `: ${note}`}`);
  move(turn, run, { phase: 'steps', index: 0, attempt: 0 }, `approved by ${by}`);
  advance(turn, id);
}

export function onApprovalTimeout(turn: Turn, id: string): void {
  const run = runOf(turn, id);
  if (run?.phase !== 'approval' || run.end !== null) return;
  withdraw(turn, run, 'nobody answered in time');
  finish(turn, run, 'expired', 'nobody approved it in time');
}

function withdraw(turn: Turn, run: Run, note: string): void {
  emit(turn, { type: 'ApprovalGiven', run: run.id, incident: run.incident, approved: false, by: 'quench', note });
}

// ---------------------------------------------------------------- steps

function step(turn: Turn, run: Run): boolean {
  const item = run.playbook.steps[run.index];
  if (item === undefined) {
    move(turn, run, { phase: 'verify', index: 0, attempt: 0 }, 'steps done');
    prove(turn, must(turn, run.id), 0);
    return false;
  }
  if (item.when !== null) {
    const holds = turn.law.expressions.evaluate(item.when, runEnvironment(turn.desk, run));
    if (!holds.ok) return stepFailed(turn, run, item, `condition of step ${item.id}: ${holds.error}`);
    if (holds.value !== true) return next(turn, run, `step ${item.id} not needed`);
  }
  return request(turn, run, { phase: 'steps', step: item.id, attempt: run.attempt + 1, call: item });
}

function stepFailed(turn: Turn, run: Run, item: Step, why: string): boolean {
  if (item.continueOnError) return next(turn, run, `step ${item.id} failed, going on: ${why}`, { degraded: true });
  return giveUp(turn, run, 'failed', `step ${item.id}: ${why}`);
}

/** The run cannot succeed any more: take back what can be taken back, then end. */
function giveUp(turn: Turn, run: Run, end: RunEnd, reason: string): boolean {
  if (run.playbook.verify.otherwise === 'rollback' && run.undos.length > 0 && run.phase !== 'undo') {
    move(turn, run, { phase: 'undo', index: 0, attempt: 0, failure: { end: 'rolled-back', reason } }, `taking back: ${reason}`);
    return true;
  }
  finish(turn, run, end, reason);
  return false;
}

function undo(turn: Turn, run: Run): boolean {
  const item: Undo | undefined = run.undos[run.undos.length - 1 - run.index];
  if (item === undefined) {
    finish(turn, run, run.failure?.end ?? 'rolled-back', run.failure?.reason ?? 'taken back');
    return false;
  }
  return requestFilled(turn, run, {
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
function prove(turn: Turn, run: Run, from: number): void {
  const { proofs, require } = run.playbook.verify;
  for (let index = from; index < proofs.length; index += 1) {
    const proof = proofs[index];
    if (proof === undefined) break;
    if (proof.kind === 'probe') {
      const at = move(turn, run, { index }, `looks: ${proof.uses}`);
      if (request(turn, at, { phase: 'verify', step: `proof${index + 1}`, attempt: run.pause + 1, call: proof }))
        prove(turn, must(turn, run.id), index + 1);
      return;
    }
    const good = (turn.desk.tables.incidents.rows.get(run.incident)?.firing ?? 0) === 0;
    if (good && require === 'any') return proven(turn, run);
    if (!good && require === 'all') return unproven(turn, run, 'alerts still fire');
  }
  if (require === 'all') return proven(turn, run);
  unproven(turn, run, 'no proof held');
}

function proven(turn: Turn, run: Run): void {
  const { stableForMs, everyMs } = run.playbook.verify;
  const since = run.goodSince ?? turn.at;
  const left = since + stableForMs - turn.at;
  if (left > 0) return pause(turn, run, Math.min(left, everyMs), { index: 0, goodSince: since }, `good, must stay so for ${spanOf(left)}`);
  finish(turn, run, run.degraded ? 'degraded' : 'succeeded', 'verified');
}

function unproven(turn: Turn, run: Run, why: string): void {
  const { withinMs, everyMs } = run.playbook.verify;
  const left = (run.verifyingSince ?? turn.at) + withinMs - turn.at;
  if (left > 0) return pause(turn, run, Math.min(left, everyMs), { index: 0, goodSince: null }, why);
  if (giveUp(turn, run, 'failed', `not verified within ${spanOf(withinMs)}: ${why}`)) advance(turn, run.id);
}

/** Every member has cleared: a run that waits to prove itself looks at once, one that waits for a person has nothing to do. */
export function nudge(turn: Turn, id: string): void {
  const run = runOf(turn, id);
  if (run?.phase === 'approval') {
    withdraw(turn, run, 'every alert cleared');
    return finish(turn, run, 'noop', 'every alert cleared before anybody answered');
  }
  if (run?.phase !== 'verify' || run.call !== null || run.end !== null) return;
  prove(turn, move(turn, run, { index: 0, pause: run.pause + 1 }, 'every alert cleared: looks at once'), 0);
}

function pause(turn: Turn, run: Run, span: Millis, also: Move, why: string): void {
  const moved = move(turn, run, { ...also, pause: run.pause + 1 }, why);
  wakeAfter(turn, span, { kind: 'pause', run: run.id, pause: moved.pause });
}

export function onPause(turn: Turn, id: string, number: number): void {
  const run = runOf(turn, id);
  if (run === undefined || run.end !== null || run.call !== null || run.pause !== number) return;
  advance(turn, id);
}

// ---------------------------------------------------------------- calls

interface Asked {
  readonly phase: RunPhase;
  readonly step: string;
  readonly attempt: number;
  readonly call: ActionCall;
}

/** Asks for a call. True when it could not even be asked and the run has moved on by itself. */
function request(turn: Turn, run: Run, asked: Asked): boolean {
  const input = fill(asked.call.with, runEnvironment(turn.desk, run), turn.law.expressions);
  const { uses, timeoutMs } = asked.call;
  if (!input.ok) return notAsked(turn, run, asked, `input of ${uses}: ${input.error}`);
  // `with` is an object by the schema of the format; filling keeps the shape.
  return requestFilled(turn, run, { ...asked, uses, timeoutMs, input: input.value as Undo['input'] });
}

function requestFilled(
  turn: Turn,
  run: Run,
  asked: Omit<Asked, 'call'> & { readonly uses: string; readonly timeoutMs: Millis; readonly input: Undo['input'] },
): boolean {
  const { phase, step: name, attempt, uses, timeoutMs, input } = asked;
  if (turn.law.frozen !== null && (phase === 'steps' || phase === 'undo')) return stopFrozen(turn, run); // R4
  const call = `${phase}/${name}/${attempt}`;
  emit(turn, {
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
  wakeAfter(turn, claimWithinMs, { kind: 'call', run: run.id, call, stage: 'claim' });
  return false;
}

function notAsked(turn: Turn, run: Run, asked: Asked, why: string): boolean {
  if (asked.phase === 'steps') {
    const item = run.playbook.steps[run.index];
    invariant(item !== undefined, 'R3: a step that cannot be asked for exists');
    return stepFailed(turn, run, item, why);
  }
  if (asked.phase === 'diagnose') return lookFailed(turn, run, why);
  return run.playbook.verify.require === 'any' ? true : (unproven(turn, run, why), false);
}

function stopFrozen(turn: Turn, run: Run): boolean {
  const by = turn.law.frozen?.by ?? 'someone';
  finish(turn, run, run.phase === 'undo' ? 'stuck' : 'cancelled', `frozen by ${by} before the next effect`);
  return false;
}

export function onClaimed(turn: Turn, input: StepClaimed): void {
  const run = runOf(turn, input.run);
  if (run?.call?.id !== input.call || run.call.worker !== null) return; // R1
  const acts = run.phase === 'steps' || run.phase === 'undo';
  if (turn.law.frozen !== null && acts) {
    endCall(turn, run, { outcome: 'failed', error: 'frozen', detail: `frozen by ${turn.law.frozen.by}`, output: {} }, 0, null);
    stopFrozen(turn, must(turn, run.id));
    return;
  }
  emit(turn, { type: 'StepGranted', run: run.id, call: input.call, worker: input.worker });
  wakeAfter(turn, run.call.timeoutMs + answerGraceMs, { kind: 'call', run: run.id, call: input.call, stage: 'grant' });
}

export function onAnswered(turn: Turn, input: StepAnswered): void {
  const run = runOf(turn, input.run);
  if (run?.call?.id === input.call && run.call.worker === input.worker) return answered(turn, run, run.call, input.outcome, input.tookMs);
  if (run === undefined) return;
  const text = `late answer of ${input.call} in run ${run.id}: ${input.outcome.outcome}; it no longer counts`;
  emit(turn, { type: 'IncidentNoted', incident: run.incident, by: 'quench', text }); // R1
}

export function onCallWake(turn: Turn, wake: { readonly run: string; readonly call: string; readonly stage: 'claim' | 'grant' }): void {
  const run = runOf(turn, wake.run);
  if (run?.call?.id !== wake.call || (run.call.worker === null) !== (wake.stage === 'claim')) return;
  const outcome: ActionOutcome =
    wake.stage === 'claim'
      ? { outcome: 'failed', error: 'unclaimed', detail: `no worker took it within ${spanOf(claimWithinMs)}; nothing was done`, output: {} }
      : { outcome: 'unknown', detail: 'the worker gave no answer in time' }; // R2
  answered(turn, run, run.call, outcome, turn.at - run.call.requestedAt);
}

function answered(turn: Turn, run: Run, call: Call, outcome: ActionOutcome, tookMs: Millis): void {
  const item = run.phase === 'steps' ? run.playbook.steps[run.index] : undefined;
  endCall(turn, run, outcome, tookMs, outcome.outcome === 'ok' && item !== undefined ? undoOf(turn, run, item, outcome.output) : null);
  const now = must(turn, run.id);
  if (now.failure?.end === 'cancelled') return finish(turn, now, 'cancelled', now.failure.reason);
  switch (run.phase) {
    case 'diagnose':
      if (outcome.outcome === 'ok' ? next(turn, now, `${call.step} seen`) : lookFailed(turn, now, detailOf(outcome))) advance(turn, run.id);
      return;
    case 'steps':
      invariant(item !== undefined, 'R3: an answered step exists');
      if (afterStep(turn, now, item, outcome)) advance(turn, run.id);
      return;
    case 'verify':
      return afterProbe(turn, now, outcome);
    case 'undo':
      if (outcome.outcome !== 'ok') return finish(turn, now, 'stuck', `undo of ${call.step}: ${detailOf(outcome)}`);
      if (next(turn, now, `${call.step} taken back`)) advance(turn, run.id);
      return;
    default:
      invariant(false, `R3: phase ${run.phase} has no calls`);
  }
}

function endCall(turn: Turn, run: Run, outcome: ActionOutcome, tookMs: Millis, undoing: Omit<Undo, 'step'> | null): void {
  const { call, phase } = run;
  invariant(call !== null, 'R1: only an outstanding call ends');
  emit(turn, {
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

function undoOf(turn: Turn, run: Run, item: Step, output: Environment): Omit<Undo, 'step'> | null {
  if (item.undo === null) return null;
  const environment = runEnvironment(turn.desk, { ...run, outputs: { ...run.outputs, [item.id]: output as Run['outputs'][string] } });
  const input = fill(item.undo.with, environment, turn.law.expressions);
  const { uses, timeoutMs } = item.undo;
  // What cannot be filled is asked for all the same: no action takes such an input, so the run ends stuck and calls a person.
  return { uses, timeoutMs, input: input.ok ? (input.value as Undo['input']) : { $unfilled: input.error } };
}

function lookFailed(turn: Turn, run: Run, why: string): boolean {
  const item = run.playbook.diagnose[run.index];
  if (item?.kind === 'look' && item.continueOnError) return next(turn, run, `look failed, going on: ${why}`);
  finish(turn, run, 'failed', `diagnosis: ${why}`);
  return false;
}

function afterStep(turn: Turn, run: Run, item: Step, outcome: ActionOutcome): boolean {
  if (outcome.outcome === 'ok') return next(turn, run, `step ${item.id} done`);
  const mayRepeat = outcome.outcome === 'failed' || item.onUnknown === 'retry'; // R2
  if (mayRepeat && run.attempt <= item.retry.times) {
    const wait = Math.min(item.retry.waitMaxMs, item.retry.waitMs * item.retry.factor ** (run.attempt - 1));
    pause(turn, run, wait, {}, `step ${item.id}, attempt ${run.attempt}: ${detailOf(outcome)}; again in ${spanOf(wait)}`);
    return false;
  }
  if (outcome.outcome === 'failed') return stepFailed(turn, run, item, detailOf(outcome));
  finish(turn, run, 'unknown', `step ${item.id}: ${outcome.detail}; it may have happened, so it is not repeated`);
  return false;
}

function afterProbe(turn: Turn, run: Run, outcome: ActionOutcome): void {
  const proof = run.playbook.verify.proofs[run.index];
  invariant(proof?.kind === 'probe', 'R3: an answered proof is a probe');
  const result = outcome.outcome === 'unknown' ? {} : outcome.output;
  const environment = { ...runEnvironment(turn.desk, run), result: { ...result, ok: outcome.outcome === 'ok' } };
  const holds = turn.law.expressions.evaluate(proof.expect, environment);
  const good = outcome.outcome === 'ok' && holds.ok && holds.value === true;
  if (good && run.playbook.verify.require === 'any') return proven(turn, run);
  if (!good && run.playbook.verify.require === 'all') {
    const seen = outcome.outcome === 'ok' ? (holds.ok ? `${proof.expect} does not hold` : holds.error) : detailOf(outcome);
    return unproven(turn, run, `${proof.uses}: ${seen}`);
  }
  prove(turn, run, run.index + 1);
}

function detailOf(outcome: ActionOutcome): string {
  return outcome.outcome === 'ok' ? 'ok' : outcome.detail;
}

// ---------------------------------------------------------------- ends

/** Ends a run by a person's word: at once when no worker was granted its call, else as soon as that one has answered. */
export function cancel(turn: Turn, id: string, reason: string): void {
  const run = runOf(turn, id);
  if (run === undefined || run.end !== null) return;
  if (run.phase === 'approval') withdraw(turn, run, reason);
  if (run.call?.worker === null) endCall(turn, run, { outcome: 'failed', error: 'cancelled', detail: reason, output: {} }, 0, null);
  const now = must(turn, id);
  if (now.call === null) return finish(turn, now, 'cancelled', reason);
  if (now.failure?.end !== 'cancelled') move(turn, now, { failure: { end: 'cancelled', reason } }, reason);
}

function finish(turn: Turn, run: Run, end: RunEnd, reason: string): void {
  if (run.end !== null) return; // R3
  const helped = end === 'succeeded' || end === 'noop';
  const told = helped || run.mode === 'shadow' ? reason : inItsWords(turn, run, reason);
  emit(turn, { type: 'RunFinished', run: run.id, incident: run.incident, playbook: run.playbook.name, end, reason: told });
  if (run.mode === 'shadow') return;
  const incident = turn.desk.tables.incidents.rows.get(run.incident);
  if (helped && incident !== undefined && incident.firing > 0)
    wakeAfter(turn, graceMs, { kind: 'grace', incident: incident.id, run: run.id });
  turn.open.set(run.incident, null);
}

/** The author's sentence for the person who is called, with the reason behind it. */
function inItsWords(turn: Turn, run: Run, reason: string): string {
  const said = fill(run.playbook.escalate.say, runEnvironment(turn.desk, run), turn.law.expressions);
  const text = said.ok && typeof said.value === 'string' ? said.value.trim() : '';
  return text === '' ? reason : `${text.replace(/\.$/, '')} (${reason})`;
}
