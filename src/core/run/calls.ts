// One call of an action: asked for, claimed, granted once, answered or unknown. What an answer means for the run, its part decides.
//   R1  A call is granted to one worker, once; an answer counts only from that worker and only while it is awaited.
//   R2  Silence after a grant is `unknown`; unknown is not repeated unless the step says so in words.
//   R6  The time of a call counts from its grant. Waiting for a slot comes before, within a bound of its own, and nothing is granted in it:
//       a call that only waited was never begun, whatever became of who waited with it.
//   R4  While frozen no effect is requested or granted; what else must be true when one leaves is the table in core/present.ts (V1).
import { emit, wakeAfter, type TurnContext } from '../context.ts';
import { invariant, ok, type Result } from '../errors.ts';
import type { ActionCall, SecretMark } from '../playbook/document.ts';
import { runEnvironment } from '../playbook/environment.ts';
import { fill } from '../playbook/template.ts';
import { staleEffect } from '../present.ts';
import { spanOf, type Millis } from '../time.ts';
import { callId, placeOf, type CallPlace } from './call-id.ts';
import type { StepAnswered, StepClaimed, StepDelayed } from './facts.ts';
import type { ActionOutcome } from './outcome.ts';
import { freshRun, type Progress } from './position.ts';
import { overtaken } from './overtaken.ts';
import { answerGraceMs, claimWithinMs, slotWithinMs } from './longest.ts';
import { callOf, playbookOf, runOf, type Call, type Run, type Undo } from './row.ts';

const whyCharsMax = 200;

/** Asks for a call, or tells why its input cannot be filled: then nothing was asked for, and the part decides what follows. */
export function request(ctx: TurnContext, run: Run, place: CallPlace, call: ActionCall): Result<Progress, string> {
  const input = fill(call.with, runEnvironment(ctx.desk, run), ctx.expressions);
  const { uses, timeoutMs, secret } = call;
  if (!input.ok) return { ok: false, error: `input of ${uses}: ${input.error}` };
  // `with` is an object by the schema of the format; filling keeps the shape.
  return ok(requestFilled(ctx, run, place, { uses, timeoutMs, input: input.value as Undo['input'] }, secret));
}

/** Asks for a call whose input is known; the run ends instead if what must be true of the present is not (V1, R4). */
export function requestFilled(ctx: TurnContext, run: Run, place: CallPlace, filled: Omit<Undo, 'step'>, secret?: SecretMark): Progress {
  const { part, step, attempt } = place;
  const { uses, input, timeoutMs } = filled;
  const stale = staleEffect(ctx, run, part);
  if (stale !== null) return overtaken(ctx, run, place, stale); // V1
  const call = callId(place);
  emit(ctx, {
    type: 'StepRequested',
    run: run.id,
    incident: run.incident,
    call,
    phase: part,
    step,
    attempt,
    uses,
    input,
    timeoutMs,
    target: run.target,
    playbook: playbookOf(ctx.desk, run).name,
    ...(secret === undefined ? {} : { secret }),
  });
  wakeAfter(ctx, claimWithinMs, { kind: 'call', run: run.id, call, stage: 'claim' });
  return 'asked';
}

/** A worker would do it, and has no slot for it: from now on it waits its own time (R6). */
export function queue(ctx: TurnContext, { run: id, call: name, why }: StepDelayed): void {
  const run = runOf(ctx, id);
  const call = callOf(run, name);
  if (run === undefined || call === undefined || call.worker !== null || call.queued !== undefined) return;
  emit(ctx, { type: 'StepQueued', run: id, incident: run.incident, call: name, why: why.slice(0, whyCharsMax) });
  wakeAfter(ctx, slotWithinMs, { kind: 'call', run: id, call: name, stage: 'slot' });
}

/** A worker wants to do it: the first one is granted the call, if it is still right to act; `advance` takes the run on where it is not. */
export function grant(ctx: TurnContext, input: StepClaimed, advance: (progress: Progress) => void): void {
  const run = runOf(ctx, input.run);
  const call = callOf(run, input.call);
  if (run === undefined || call === undefined || call.worker !== null) return; // R1
  const place = placeOf(input.call);
  const stale = staleEffect(ctx, run, place.part);
  if (stale !== null) {
    const error = stale.because === 'frozen' ? 'frozen' : 'stale';
    endCall(ctx, run, input.call, { outcome: 'failed', error, detail: `not granted: ${stale.reason}`, output: {} }, 0, null);
    return advance(overtaken(ctx, freshRun(ctx, run.id), place, stale)); // V1
  }
  const named = ctx.installation === null ? {} : { key: `${ctx.installation}/${run.id}/${input.call}` };
  const waited = call.queued === undefined ? {} : { incident: run.incident, waitedMs: ctx.at - call.queued.at };
  emit(ctx, { type: 'StepGranted', run: run.id, call: input.call, worker: input.worker, ...named, ...waited });
  wakeAfter(ctx, call.timeoutMs + answerGraceMs, { kind: 'call', run: run.id, call: input.call, stage: 'grant' });
}

/** Whether an answer counts: from the worker that was granted the call, while it is awaited (R1). */
export function isAwaited(ctx: TurnContext, input: StepAnswered): boolean {
  return callOf(runOf(ctx, input.run), input.call)?.worker === input.worker;
}

/** An answer that nobody awaits changes nothing, and stands in the story all the same (R1). */
export function noteLate(ctx: TurnContext, input: StepAnswered): void {
  const run = runOf(ctx, input.run);
  if (run === undefined) return;
  const text = `late answer of ${input.call} in run ${run.id}: ${input.outcome.outcome}; it no longer counts`;
  emit(ctx, { type: 'IncidentNoted', incident: run.incident, by: 'quench', text });
}

/** What became of a call that is overdue in this stage, or null when it is not: it was claimed in time, or is over. */
export function overdueOutcome(call: Call | undefined, stage: 'claim' | 'slot' | 'grant'): ActionOutcome | null {
  if (call === undefined) return null;
  if (call.worker !== null) return stage === 'grant' ? { outcome: 'unknown', detail: 'the worker gave no answer in time' } : null; // R2
  if (stage === 'grant' || (call.queued === undefined) !== (stage === 'claim')) return null;
  if (call.queued !== undefined) {
    const waited = `its turn did not come within ${spanOf(slotWithinMs)} (${call.queued.why}); nothing was done`;
    return { outcome: 'failed', error: 'no_slot', detail: waited, output: {} }; // R6
  }
  const detail = `no worker took it within ${spanOf(claimWithinMs)}; nothing was done`;
  return { outcome: 'failed', error: 'unclaimed', detail, output: {} };
}

export function endCall(
  ctx: TurnContext,
  run: Run,
  id: string,
  outcome: ActionOutcome,
  tookMs: Millis,
  undoing: Omit<Undo, 'step'> | null,
): void {
  invariant(callOf(run, id) !== undefined, 'R1: only an outstanding call ends');
  const { part: phase, step, attempt } = placeOf(id);
  // Only an answer brings an output: what is overdue or cancelled has none.
  const gave = outcome.outcome !== 'unknown' && Object.keys(outcome.output).length > 0 ? { input: ctx.offset } : {};
  const call = { run: run.id, incident: run.incident, call: id, phase, step, attempt };
  emit(ctx, { type: 'StepFinished', ...call, outcome, tookMs, undo: undoing, ...gave });
}

export function detailOf(outcome: ActionOutcome): string {
  return outcome.outcome === 'ok' ? 'ok' : outcome.detail;
}
