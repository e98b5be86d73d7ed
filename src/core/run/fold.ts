// Facts about runs, folded into rows. Decides nothing.
import { countRun, unchanged, type Desk, type Folds } from '../desk.ts';
import { triedAs, type Remedied } from '../incident/row.ts';
import type { Playbook } from '../playbook/document.ts';
import { forgetAsked } from '../resource/fold.ts';
import { change, drop, put } from '../table.ts';
import { ends } from './ends.ts';
import type {
  ApprovalGiven,
  RunFinished,
  RunMoved,
  RunRefused,
  RunStarted,
  StepFinished,
  StepGranted,
  StepQueued,
  StepRequested,
} from './facts.ts';
import { nothingDone, type ActionOutcome } from './outcome.ts';
import { callOf, frameOf, type Frame, type Run } from './row.ts';

const startsKept = 50;
const outcomesKept = 5;
const whyCharsMax = 200;

export const runFolds: Folds<
  | 'RunStarted'
  | 'RunRefused'
  | 'ApprovalRequested'
  | 'ApprovalGiven'
  | 'StepRequested'
  | 'StepQueued'
  | 'StepGranted'
  | 'StepCalledOff'
  | 'StepFinished'
  | 'RunMoved'
  | 'RunFinished'
> = {
  RunStarted: foldStarted,
  RunRefused: foldRefused,
  ApprovalRequested: (desk, fact) => change(desk.tables.runs, fact.run, (run) => ({ ...run, approveUntil: fact.until })),
  ApprovalGiven: foldAnswered,
  StepRequested: foldRequested,
  StepQueued: foldQueued,
  StepGranted: foldGranted,
  StepCalledOff: unchanged,
  StepFinished: (desk, fact) => change(desk.tables.runs, fact.run, (run) => finishedStep(run, fact)),
  RunMoved: (desk, fact) => change(desk.tables.runs, fact.run, (run) => movedRun(run, fact)),
  RunFinished: foldFinished,
};

function foldRefused(desk: Desk, fact: RunRefused): void {
  const { alert, guard, playbook, reason, target } = fact;
  const isMisfit = guard === 'params' || guard === 'target';
  const key = alert === undefined ? playbook : triedAs(playbook, isMisfit ? `?${alert}` : target);
  const refused: Remedied = { end: 'refused', playbook, reason, ...(isMisfit && alert !== undefined ? { misfit: true } : {}) };
  change(desk.tables.incidents, fact.incident, (incident) => ({
    ...incident,
    tried: [...incident.tried, key],
    outcome: fact.mode === 'shadow' ? incident.outcome : after(incident.outcome, refused),
  }));
}

/** The last outcome, with those before it that did not help either. */
function after(before: Remedied | null, last: Remedied): Remedied {
  if (before === null || ends[before.end].helped || ends[last.end].helped) return last;
  const { before: earlier = [], ...previous } = before;
  return { ...last, before: [...earlier, previous].slice(-outcomesKept) };
}

/** Nobody is asked any more; a yes stays with who gave it. */
function foldAnswered(desk: Desk, { run: id, approved, at, by }: ApprovalGiven): void {
  const said = approved ? { approvedAt: at, approvedBy: by } : {};
  change(desk.tables.runs, id, ({ approveUntil: _until, ...run }) => ({ ...run, ...said }));
}

function foldRequested(desk: Desk, fact: StepRequested): void {
  const { call, attempt, at: requestedAt, timeoutMs } = fact;
  change(desk.tables.runs, fact.run, (run) => ({
    ...run,
    frames: [...run.frames.slice(0, -1), { ...frameOf(run), attempt }],
    calls: { ...run.calls, [call]: { worker: null, requestedAt, timeoutMs } },
  }));
}

function foldQueued(desk: Desk, { run: runId, call: id, why, at }: StepQueued): void {
  change(desk.tables.runs, runId, (run) => {
    const call = callOf(run, id);
    return call === undefined || call.worker !== null ? run : { ...run, calls: { ...run.calls, [id]: { ...call, queued: { at, why } } } };
  });
}

function foldGranted(desk: Desk, fact: StepGranted): void {
  const { call: id, worker } = fact;
  change(desk.tables.runs, fact.run, (run) => {
    const call = callOf(run, id);
    return call === undefined ? run : { ...run, calls: { ...run.calls, [id]: { worker, requestedAt: call.requestedAt } } };
  });
}

function foldStarted(desk: Desk, fact: RunStarted): void {
  keepPlaybook(desk, fact.playbook);
  put(desk.tables.runs, fact.run, {
    id: fact.run,
    incident: fact.incident,
    playbook: fact.playbook.digest,
    mode: fact.mode,
    params: fact.params,
    target: fact.target,
    alerts: fact.alerts ?? [],
    life: fact.life ?? null,
    startedAt: fact.at,
    ...(fact.wouldBe === undefined ? {} : { wouldBe: fact.wouldBe }),
    ...(fact.holdsUntil === undefined ? {} : { holdsUntil: fact.holdsUntil }),
    frames: [{ part: 'diagnose', index: 0, attempt: 0 }],
    pause: 0,
    calls: {},
    outputs: {},
    end: null,
  });
  change(desk.tables.incidents, fact.incident, (incident) => ({
    ...incident,
    run: fact.mode === 'shadow' ? incident.run : fact.run,
    runs: [...incident.runs, fact.run],
    tried: [...incident.tried, fact.alerts === undefined ? fact.playbook.name : triedAs(fact.playbook.name, fact.target)],
  }));
  forgetAsked(desk, fact.incident, fact.run);
  if (fact.mode === 'shadow') return;
  holdTarget(desk, fact);
}

function holdTarget(desk: Desk, fact: RunStarted): void {
  const before = desk.tables.targets.rows.get(fact.target) ?? { holder: null, lastEndAt: null, starts: [] };
  const starts = [...before.starts, { playbook: fact.playbook.name, at: fact.at }].slice(-startsKept);
  put(desk.tables.targets, fact.target, { ...before, holder: fact.run, starts });
}

/** Expressions see what looks and steps gave; what a proof gave is only looked at once, and an undo gives nothing. */
function finishedStep(run: Run, fact: StepFinished): Run {
  const { phase, step, outcome, undo } = fact;
  const gives = phase === 'diagnose' || phase === 'steps';
  const output = outcome.outcome === 'unknown' ? {} : outcome.output;
  return {
    ...run,
    calls: Object.fromEntries(Object.entries(run.calls).filter(([call]) => call !== fact.call)),
    ...(phase === 'steps' && hasActed(outcome) ? { acted: true } : {}),
    ...(gives ? { outputs: { ...run.outputs, [step]: output } } : {}),
    ...(undo === null ? {} : { undos: [...(run.undos ?? []), { step, ...undo }] }),
  };
}

/** Whether the world may be another one after this outcome of a step. */
function hasActed(outcome: ActionOutcome): boolean {
  return outcome.outcome !== 'failed' || !nothingDone.has(outcome.error);
}

function movedRun(run: Run, fact: RunMoved): Run {
  return {
    ...run,
    frames: [frameAfter(run, fact)],
    pause: fact.pause ?? run.pause,
    ...(fact.failure === undefined ? {} : { failure: fact.failure }),
    ...(fact.degraded === true ? { degraded: true } : {}),
  };
}

function frameAfter(run: Run, fact: RunMoved): Frame {
  const { phase: part, index, attempt, goodSince } = fact;
  if (part !== 'verify') return { part, index, attempt };
  const before = frameOf(run);
  if (before.part !== 'verify') return { part, index, attempt, since: fact.at, goodSince: goodSince ?? null };
  return { ...before, index, attempt, goodSince: goodSince === undefined ? before.goodSince : goodSince };
}

function foldFinished(desk: Desk, fact: RunFinished): void {
  const { because, playbook, end } = fact;
  const before = desk.tables.runs.rows.get(fact.run);
  const why = fact.reason.slice(0, whyCharsMax);
  change(desk.tables.runs, fact.run, (run) => ({ ...run, frames: [], calls: {}, end, why, ...(because === undefined ? {} : { because }) }));
  const neverActed = because !== undefined && before?.acted === undefined;
  change(desk.tables.incidents, fact.incident, (incident) => {
    if (incident.run !== fact.run) return incident;
    if (neverActed) {
      const target = before?.target ?? '';
      const waited = because === 'slots' ? { starved: { playbook, target, at: fact.at, reason: why } } : {};
      return { ...incident, run: null, tried: withoutLast(incident.tried, triedAs(playbook, target)), ...waited };
    }
    return { ...incident, run: null, outcome: after(incident.outcome, { end, playbook, reason: fact.reason }) };
  });
  if (before !== undefined) freeTarget(desk, fact, before.target, neverActed);
}

/** A run that was overtaken before it did anything counts for nothing: no attempt, no cooldown, and its playbook may be asked again. */
function freeTarget(desk: Desk, { run, playbook, at }: RunFinished, target: string, neverActed: boolean): void {
  const history = desk.tables.targets.rows.get(target);
  if (history?.holder !== run) return;
  if (!neverActed) return put(desk.tables.targets, target, { ...history, holder: null, lastEndAt: at });
  const index = history.starts.findLastIndex((start) => start.playbook === playbook);
  put(desk.tables.targets, target, { ...history, holder: null, starts: history.starts.toSpliced(index, index < 0 ? 0 : 1) });
}

function withoutLast(list: readonly string[], text: string): readonly string[] {
  const index = list.lastIndexOf(text);
  return index < 0 ? list : list.toSpliced(index, 1);
}

/** The document of a playbook lies on the desk once, however many runs began with it, until the last of them has left. */
function keepPlaybook(desk: Desk, playbook: Playbook): void {
  const { digest } = playbook;
  if (!desk.tables.playbooks.rows.has(digest)) put(desk.tables.playbooks, digest, playbook);
  countRun(desk, digest, 1);
}

export function forgetRun(desk: Desk, id: string): void {
  const run = desk.tables.runs.rows.get(id);
  if (run === undefined) return;
  drop(desk.tables.runs, id);
  if (countRun(desk, run.playbook, -1) === 0) drop(desk.tables.playbooks, run.playbook);
}
