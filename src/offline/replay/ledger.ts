// What a replay tells: a line for each alert, an incident for each IncidentOpened, and the sums. Folds facts; decides nothing.
//   G1  Every alert that a delivery held has exactly one line, in the order of deliveries.
//   G2  A firing occurrence belongs to one incident, the one it was put in when it arrived.
import type { AlertEvent } from '../../core/alert/event.ts';
import type { Sums } from '../../cli/results.ts';
import type { AlertSeen } from '../../core/alert/facts.ts';
import type { AlertDecided, Decision } from '../../core/decide/facts.ts';
import type { Fact } from '../../core/records.ts';
import { iso } from '../../engine/instant.ts';
import { count, counted, sorted } from './counts.ts';
import { createIncidentLines, type IncidentLine } from './incident-lines.ts';

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

export interface Ledger {
  add(fact: Fact): void;
  /** The line of an alert, from the facts of its turn; a redelivery has none of its own and says so. */
  line(number: number, input: AlertSeen, facts: readonly Fact[]): AlertLine;
  incidents(): IterableIterator<IncidentLine>;
  sums(): Sums;
}

export function createLedger(): Ledger {
  const incidents = createIncidentLines();
  /** The incident that each occurrence was put in first. */
  const home = new Map<string, string>();
  const scores = new Map<string, number>();
  const identities = new Set<string>();
  const decisions = new Map<string, number>();
  let alerts = 0;

  function belong(event: AlertEvent, incident: string): void {
    const uid = nameOf(event);
    if (home.has(uid)) return; // G2
    home.set(uid, incident);
    incidents.addOccurrence(incident, { uid, fingerprint: event.fingerprint, startedAt: event.startedAt });
  }

  return {
    add: incidents.add,
    line(number, { scope, index, event }, facts) {
      const { fingerprint } = event;
      const decided = facts.find((fact): fact is AlertDecided => fact.type === 'AlertDecided');
      const { decision, reason, incident } = decided ?? { decision: 'record', reason: 'this delivery came before', incident: null };
      const key = `${scope}|${fingerprint}`;
      if (decided !== undefined && decided.score !== null) scores.set(key, decided.score.value);
      identities.add(key);
      alerts += 1;
      count(decisions, decision);
      if (incident !== null && event.claim === 'firing') belong(event, incident);
      return { line: number, index, uid: uidOf(event), fingerprint, incident, score: scores.get(key) ?? 0, decision, reason };
    },
    incidents: incidents.lines,
    sums() {
      const { incidents: opened, unresolved, pages } = incidents.sums();
      const runs = sorted(counted(incidents.runEnds()));
      return { alerts, identities: identities.size, incidents: opened, unresolved, pages, decisions: sorted(decisions), runs };
    },
  };
}

/** The recorder's own name of an occurrence: `annotations.uid`. */
function uidOf(event: AlertEvent): string | null {
  return Object.hasOwn(event.annotations, 'uid') ? (event.annotations['uid'] ?? null) : null;
}

/** What an occurrence goes by: the recorder's name, or fingerprint and start. */
export function nameOf(event: AlertEvent): string {
  return uidOf(event) ?? `${event.fingerprint}@${iso(event.startedAt)}`;
}
