// Facts about runs, folded into rows. Decides nothing.
import { countRun, unchanged, type Desk, type Folds } from '../desk.ts';
import type { Playbook } from '../playbook/document.ts';
import { change, drop, put } from '../table.ts';
import type { RunFinished, RunMoved, RunRefused, RunStarted, StepFinished, StepGranted, StepRequested } from './facts.ts';
import { callOf, frameOf, type Frame, type Run } from './row.ts';

const startsKept = 50;

export const runFolds: Folds<
  | 'RunStarted'
  | 'RunRefused'
  | 'ApprovalRequested'
  | 'ApprovalGiven'
  | 'StepRequested'
  | 'StepGranted'
  | 'StepFinished'
  | 'RunMoved'
  | 'RunFinished'
> = {
  RunStarted: foldStarted,
  RunRefused: foldRefused,
  ApprovalRequested: unchanged,
  ApprovalGiven: unchanged,
  StepRequested: foldRequested,
  StepGranted: foldGranted,
  StepFinished: (desk, fact) => change(desk.tables.runs, fact.run, (run) => finishedStep(run, fact)),
  RunMoved: (desk, fact) => change(desk.tables.runs, fact.run, (run) => movedRun(run, fact)),
  RunFinished: foldFinished,
};

function foldRefused(desk: Desk, fact: RunRefused): void {
  change(desk.tables.incidents, fact.incident, (incident) => ({
    ...incident,
    tried: [...incident.tried, fact.playbook],
    outcome: fact.mode === 'shadow' ? incident.outcome : { end: 'refused' as const, playbook: fact.playbook, reason: fact.reason },
  }));
}

function foldRequested(desk: Desk, fact: StepRequested): void {
  const { call, attempt, at: requestedAt, timeoutMs } = fact;
  change(desk.tables.runs, fact.run, (run) => ({
    ...run,
    frames: [...run.frames.slice(0, -1), { ...frameOf(run), attempt }],
    calls: { ...run.calls, [call]: { worker: null, requestedAt, timeoutMs } },
  }));
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
    startedAt: fact.at,
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
    tried: [...incident.tried, fact.playbook.name],
  }));
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
    ...(gives ? { outputs: { ...run.outputs, [step]: output } } : {}),
    ...(undo === null ? {} : { undos: [...(run.undos ?? []), { step, ...undo }] }),
  };
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
  const { playbook } = fact;
  change(desk.tables.runs, fact.run, (run) => ({ ...run, frames: [], calls: {}, end: fact.end }));
  change(desk.tables.incidents, fact.incident, (incident) =>
    incident.run === fact.run ? { ...incident, run: null, outcome: { end: fact.end, playbook, reason: fact.reason } } : incident,
  );
  const target = desk.tables.runs.rows.get(fact.run)?.target ?? '';
  const history = desk.tables.targets.rows.get(target);
  if (history?.holder === fact.run) put(desk.tables.targets, target, { ...history, holder: null, lastEndAt: fact.at });
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
