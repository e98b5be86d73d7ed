// What a replay tells: a line for each alert, an incident for each IncidentOpened, and the sums. Folds facts; decides nothing.
//   G1  Every alert that a delivery held has exactly one line, in the order of deliveries.
//   G2  A firing occurrence belongs to one incident, the one it was put in when it arrived.
import type { AlertEvent } from '../../core/alert/event.ts';
import type { AlertSeen } from '../../core/alert/facts.ts';
import type { AlertDecided, Decision } from '../../core/decide/facts.ts';
import type { Fact } from '../../core/records.ts';
import type { Instant } from '../../core/time.ts';
import { iso } from '../../engine/async/moments.ts';

export interface AlertLine {
  readonly line: number;
  readonly index: number;
  readonly uid: string | null;
  readonly fingerprint: string;
  readonly incident: string | null;
  /** The last one that was stated for this alert by then. */
  readonly score: number;
  readonly decision: Decision;
  readonly reason: string;
}

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

export interface Sums {
  readonly alerts: number;
  readonly identities: number;
  readonly incidents: number;
  readonly unresolved: number;
  readonly pages: number;
  readonly decisions: { readonly [decision: string]: number };
  readonly runs: { readonly [end: string]: number };
}

export interface Ledger {
  seen(fact: Fact): void;
  /** The line of an alert, from the facts of its turn; a redelivery has none of its own and says so. */
  line(number: number, input: AlertSeen, facts: readonly Fact[]): AlertLine;
  incidents(): IterableIterator<IncidentLine>;
  sums(): Sums;
}

interface Occurrence {
  readonly uid: string;
  readonly fingerprint: string;
  readonly startedAt: Instant;
}

interface Held {
  readonly opened: Extract<Fact, { type: 'IncidentOpened' }>;
  resolved: Extract<Fact, { type: 'IncidentResolved' }> | null;
  changed: Extract<Fact, { type: 'IncidentChanged' }> | null;
  parent: string | null;
  readonly occurrences: Occurrence[];
  readonly pages: IncidentLine['pages'][number][];
  readonly runs: string[];
}

export function createLedger(): Ledger {
  const held = new Map<string, Held>();
  const runs = new Map<string, RunLine>();
  const home = new Map<string, string>();
  const scores = new Map<string, number>();
  const identities = new Set<string>();
  const decisions = new Map<string, number>();
  let alerts = 0;

  function seen(fact: Fact): void {
    switch (fact.type) {
      case 'IncidentOpened':
        return void held.set(fact.incident, {
          opened: fact,
          resolved: null,
          changed: null,
          parent: null,
          occurrences: [],
          pages: [],
          runs: [],
        });
      case 'IncidentChanged':
        return change(fact.incident, (one) => (one.changed = fact));
      case 'IncidentResolved':
        return change(fact.incident, (one) => (one.resolved = fact));
      case 'IncidentReopened':
        return change(fact.incident, (one) => (one.resolved = null));
      case 'IncidentNested':
        return change(fact.incident, (one) => (one.parent = fact.parent));
      case 'PageOpened':
        return change(fact.incident, (one) => one.pages.push({ at: iso(fact.at), policy: fact.ladder.name, reason: fact.reason }));
      case 'RunStarted':
      case 'RunRefused':
      case 'RunFinished':
        return seenRun(fact);
      // In no line of the answer, or read off `facts` where a turn's are put together.
      case 'PolicyAdopted':
      case 'FreezeChanged':
      case 'AlertMerged':
      case 'AlertDecided':
      case 'AlertJoined':
      case 'AlertMuted':
      case 'AlertFlapping':
      case 'AlertsMissing':
      case 'IncidentAcknowledged':
      case 'IncidentDecided':
      case 'IncidentNoted':
      case 'ApprovalRequested':
      case 'ApprovalGiven':
      case 'StepRequested':
      case 'StepGranted':
      case 'StepFinished':
      case 'RunMoved':
      case 'PageRang':
      case 'NotifyRequested':
      case 'NotifyFinished':
      case 'PageAcked':
      case 'PageClosed':
      case 'SilenceChanged':
      case 'RuleLearned':
      case 'WakeRequested':
      case 'WakeSpent':
      case 'DeskSwept':
        return;
    }
  }

  function change(incident: string, how: (one: Held) => void): void {
    const one = held.get(incident);
    if (one !== undefined) how(one);
  }

  function seenRun(fact: Extract<Fact, { type: 'RunStarted' | 'RunRefused' | 'RunFinished' }>): void {
    if (fact.type === 'RunStarted') {
      const { run: id, target } = fact;
      addRun(fact.incident, {
        id,
        playbook: fact.playbook.name,
        target,
        startedAt: iso(fact.at),
        endedAt: null,
        end: 'working',
        reason: '',
      });
    } else if (fact.type === 'RunRefused') {
      const { run: id, playbook, target, guard, reason } = fact;
      addRun(fact.incident, {
        id,
        playbook,
        target,
        startedAt: iso(fact.at),
        endedAt: iso(fact.at),
        end: 'refused',
        reason: `${guard}: ${reason}`,
      });
    } else {
      const run = runs.get(fact.run);
      if (run !== undefined) runs.set(fact.run, { ...run, endedAt: iso(fact.at), end: fact.end, reason: fact.reason });
    }
  }

  function addRun(incident: string, run: RunLine): void {
    runs.set(run.id, run);
    change(incident, (one) => one.runs.push(run.id));
  }

  function line(number: number, input: AlertSeen, facts: readonly Fact[]): AlertLine {
    const { event } = input;
    const { fingerprint } = event;
    const decided = facts.find((fact): fact is AlertDecided => fact.type === 'AlertDecided');
    const { decision, reason, incident } = decided ?? { decision: 'record', reason: 'this delivery came before', incident: null };
    const key = `${input.scope}|${fingerprint}`;
    if (decided !== undefined && decided.score !== null) scores.set(key, decided.score.value);
    identities.add(key);
    alerts += 1;
    decisions.set(decision, (decisions.get(decision) ?? 0) + 1);
    if (incident !== null && event.claim === 'firing') belong(event, incident);
    return { line: number, index: input.index, uid: uidOf(event), fingerprint, incident, score: scores.get(key) ?? 0, decision, reason };
  }

  function belong(event: AlertEvent, incident: string): void {
    const uid = nameOf(event);
    if (home.has(uid)) return; // G2
    home.set(uid, incident);
    change(incident, (one) => one.occurrences.push({ uid, fingerprint: event.fingerprint, startedAt: event.startedAt }));
  }

  function lineOf(one: Held): IncidentLine {
    const { opened, changed, resolved } = one;
    const rank = rankOf(one.occurrences, changed?.root ?? '');
    return {
      id: opened.incident,
      title: changed?.title ?? opened.title,
      severity: changed?.severity ?? opened.severity,
      openedAt: iso(opened.at),
      resolvedAt: resolved === null ? null : iso(resolved.at),
      resolvedBy: resolved?.by ?? null,
      alerts: one.occurrences.map(({ uid }) => uid),
      rootAlert: rank[0] ?? null,
      rootRank: rank,
      mergedInto: null,
      parent: one.parent,
      score: changed?.score.value ?? 0,
      pages: one.pages,
      runs: one.runs.flatMap((id) => runs.get(id) ?? []),
    };
  }

  return {
    seen,
    line,
    incidents: () => held.values().map(lineOf),
    sums: () => ({
      alerts,
      identities: identities.size,
      incidents: held.size,
      unresolved: held
        .values()
        .filter((one) => one.resolved === null)
        .toArray().length,
      pages: held.values().reduce((sum, one) => sum + one.pages.length, 0),
      decisions: sorted(decisions),
      runs: sorted(counted(runs.values().map(({ end }) => end))),
    }),
  };
}

/** One occurrence of each alert, the first: the root's, then the others by their start. */
function rankOf(occurrences: readonly Occurrence[], root: string): readonly string[] {
  const firsts = new Map<string, Occurrence>();
  for (const one of occurrences) if (!firsts.has(one.fingerprint)) firsts.set(one.fingerprint, one);
  return [...firsts.values()]
    .sort((a, b) => Number(b.fingerprint === root) - Number(a.fingerprint === root) || a.startedAt - b.startedAt)
    .map(({ uid }) => uid);
}

/** The recorder's own name of an occurrence: `annotations.uid`. */
function uidOf(event: AlertEvent): string | null {
  return Object.hasOwn(event.annotations, 'uid') ? (event.annotations['uid'] ?? null) : null;
}

/** What an occurrence goes by: the recorder's name, or fingerprint and start. */
export function nameOf(event: AlertEvent): string {
  return uidOf(event) ?? `${event.fingerprint}@${iso(event.startedAt)}`;
}

function counted(words: Iterable<string>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

function sorted(counts: ReadonlyMap<string, number>): { readonly [word: string]: number } {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}
