// The incidents of a replay, folded from facts: what each was about, its pages and its runs. Decides nothing.
import type { Fact } from '../../core/records.ts';
import type { Instant } from '../../core/time.ts';
import { iso } from '../../engine/instant.ts';

export interface RunLine {
  readonly id: string;
  readonly playbook: string;
  readonly target: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly end: string;
  readonly reason: string;
}

export interface IncidentLine {
  readonly id: string;
  readonly title: string;
  readonly severity: string;
  readonly openedAt: string;
  readonly resolvedAt: string | null;
  readonly resolvedBy: string | null;
  readonly alerts: readonly string[];
  readonly rootAlert: string | null;
  readonly rootRank: readonly string[];
  readonly mergedInto: null;
  readonly parent: string | null;
  readonly score: number;
  readonly pages: readonly { readonly at: string; readonly policy: string; readonly reason: string }[];
  readonly runs: readonly RunLine[];
}

/** An alert that fired once, under the name it goes by. */
export interface Occurrence {
  readonly uid: string;
  readonly fingerprint: string;
  readonly startedAt: Instant;
}

export interface IncidentLines {
  add(fact: Fact): void;
  /** The occurrence was put into the incident. */
  addOccurrence(incident: string, occurrence: Occurrence): void;
  lines(): IterableIterator<IncidentLine>;
  /** How the runs ended, one word each. */
  runEnds(): Iterable<string>;
  sums(): { readonly incidents: number; readonly unresolved: number; readonly pages: number };
}

interface Row {
  readonly opened: Extract<Fact, { type: 'IncidentOpened' }>;
  resolved: Extract<Fact, { type: 'IncidentResolved' }> | null;
  changed: Extract<Fact, { type: 'IncidentChanged' }> | null;
  parent: string | null;
  readonly occurrences: Occurrence[];
  readonly pages: IncidentLine['pages'][number][];
  readonly runs: string[];
}

export function createIncidentLines(): IncidentLines {
  const rows = new Map<string, Row>();
  const runs = new Map<string, RunLine>();

  function change(incident: string, how: (row: Row) => void): void {
    const row = rows.get(incident);
    if (row !== undefined) how(row);
  }

  return {
    add(fact) {
      switch (fact.type) {
        case 'IncidentOpened':
          return void rows.set(fact.incident, rowOf(fact));
        case 'IncidentChanged':
          return change(fact.incident, (row) => (row.changed = fact));
        case 'IncidentResolved':
          return change(fact.incident, (row) => (row.resolved = fact));
        case 'IncidentReopened':
          return change(fact.incident, (row) => (row.resolved = null));
        case 'IncidentNested':
        case 'IncidentUnnested':
          return change(fact.incident, (row) => (row.parent = fact.type === 'IncidentNested' ? fact.parent : null));
        case 'PageOpened':
          return change(fact.incident, (row) => row.pages.push({ at: iso(fact.at), policy: fact.ladder.name, reason: fact.reason }));
        case 'RunStarted':
        case 'RunRefused':
          return change(fact.incident, withRun(runs, begunRun(fact)));
        case 'RunFinished':
          return endRun(runs, fact);
        // In no line of the answer, or read where a turn's facts are put together.
        case 'PolicyAdopted':
        case 'FreezeChanged':
        case 'AlertMerged':
        case 'AlertDecided':
        case 'AlertJoined':
        case 'AlertMuted':
        case 'AlertFlapping':
        case 'AlertsMissing':
        case 'IncidentAcknowledged':
        case 'IncidentUnacknowledged':
        case 'IncidentDecided':
        case 'TriggerHeld':
        case 'IncidentNoted':
        case 'ApprovalRequested':
        case 'ApprovalGiven':
        case 'StepRequested':
        case 'StepQueued':
        case 'StepGranted':
        case 'StepCalledOff':
        case 'StepFinished':
        case 'RunMoved':
        case 'ResourceRequested':
        case 'ResourceAnswered':
        case 'ResourceReleased':
        case 'ResourceDecided':
        case 'ResourceFreed':
        case 'GroupDecided':
        case 'GroupFreed':
        case 'PageRang':
        case 'InstallationAdopted':
        case 'PageReachChanged':
        case 'NotifyHeld':
        case 'NotifyRequested':
        case 'NotifyGranted':
        case 'NotifyDropped':
        case 'NotifyFinished':
        case 'PageAcked':
        case 'PageClosed':
        case 'SilenceChanged':
        case 'RuleLearned':
        case 'WakeRequested':
        case 'WakeSpent':
        case 'DeskSwept':
        case 'DeskSetBack':
          return;
        default:
          fact satisfies never;
      }
    },
    addOccurrence: (incident, occurrence) => change(incident, (row) => row.occurrences.push(occurrence)),
    lines: () => rows.values().map((row) => lineOf(row, runs)),
    runEnds: () => runs.values().map(({ end }) => end),
    sums: () => sumsOf([...rows.values()]),
  };
}

/** Notes the run; gives what it adds to the row of its incident. */
function withRun(runs: Map<string, RunLine>, run: RunLine): (row: Row) => void {
  runs.set(run.id, run);
  return (row) => row.runs.push(run.id);
}

function sumsOf(all: readonly Row[]): ReturnType<IncidentLines['sums']> {
  return {
    incidents: all.length,
    unresolved: all.filter(({ resolved }) => resolved === null).length,
    pages: all.reduce((sum, { pages }) => sum + pages.length, 0),
  };
}

function rowOf(opened: Row['opened']): Row {
  return { opened, resolved: null, changed: null, parent: null, occurrences: [], pages: [], runs: [] };
}

function endRun(runs: Map<string, RunLine>, { run: id, at, end, reason }: Extract<Fact, { type: 'RunFinished' }>): void {
  const run = runs.get(id);
  if (run !== undefined) runs.set(id, { ...run, endedAt: iso(at), end, reason });
}

function begunRun(fact: Extract<Fact, { type: 'RunStarted' | 'RunRefused' }>): RunLine {
  const { run: id, target } = fact;
  const startedAt = iso(fact.at);
  if (fact.type === 'RunStarted') return { id, playbook: fact.playbook.name, target, startedAt, endedAt: null, end: 'working', reason: '' };
  return { id, playbook: fact.playbook, target, startedAt, endedAt: startedAt, end: 'refused', reason: `${fact.guard}: ${fact.reason}` };
}

function lineOf(
  { opened, changed, resolved, occurrences, parent, pages, runs: ids }: Row,
  runs: ReadonlyMap<string, RunLine>,
): IncidentLine {
  const rank = rankOf(occurrences, changed?.root ?? '');
  return {
    id: opened.incident,
    title: changed?.title ?? opened.title,
    severity: changed?.severity ?? opened.severity,
    openedAt: iso(opened.at),
    resolvedAt: resolved === null ? null : iso(resolved.at),
    resolvedBy: resolved?.by ?? null,
    alerts: occurrences.map(({ uid }) => uid),
    rootAlert: rank[0] ?? null,
    rootRank: rank,
    mergedInto: null,
    parent,
    score: changed?.score.value ?? 0,
    pages,
    runs: ids.flatMap((id) => runs.get(id) ?? []),
  };
}

/** One occurrence of each alert, the first: the root's, then the others by their start. */
function rankOf(occurrences: readonly Occurrence[], root: string): readonly string[] {
  const firsts = new Map<string, Occurrence>();
  for (const occurrence of occurrences) if (!firsts.has(occurrence.fingerprint)) firsts.set(occurrence.fingerprint, occurrence);
  return [...firsts.values()]
    .sort((a, b) => Number(b.fingerprint === root) - Number(a.fingerprint === root) || a.startedAt - b.startedAt)
    .map(({ uid }) => uid);
}
