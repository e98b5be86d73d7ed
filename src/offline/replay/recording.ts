// What was decided then, as the recorded facts tell it: who belongs to which incident, what mutes whom. B1 and B2 are told in compare.ts.
import type { AlertDecided } from '../../core/decide/facts.ts';
import type { MuteReason } from '../../core/mute/facts.ts';
import type { Fact } from '../../core/records.ts';
import type { Instant } from '../../core/time.ts';
import { createLedger, type Ledger } from './ledger.ts';

export interface Recording {
  readonly ledger: Ledger;
  /** False for a repeat of a fact that was added. */
  add(partition: number, fact: Fact, since: Instant): boolean;
  /** Fingerprints of an incident, as far as they were told. */
  alertsOf(incident: string): ReadonlySet<string>;
  opened(incident: string): boolean;
  /** What mutes the alert by the facts added so far, or null. */
  muteOf(fact: AlertDecided): MuteReason | null;
  /** Facts of the range itself. */
  readonly facts: number;
  /** What goes back to before the range (B2). */
  readonly before: { readonly pages: number; readonly runs: number };
}

export function createRecording(): Recording {
  const ledger = createLedger();
  const marks = new Map<string, number>();
  const members = new Map<string, Set<string>>();
  const openedHere = new Set<string>();
  const mutes = new Map<string, MuteReason>();
  const before = { pages: 0, runs: 0 };
  let facts = 0;

  function join(incident: string | null, fingerprint: string): void {
    if (incident === null) return;
    const known = members.get(incident);
    if (known === undefined) members.set(incident, new Set([fingerprint]));
    else known.add(fingerprint);
  }

  function note(fact: Fact): void {
    facts += 1;
    if (fact.type === 'IncidentOpened') openedHere.add(fact.incident);
    const begins = fact.type === 'PageOpened' || fact.type === 'RunStarted' || fact.type === 'RunRefused';
    if (begins && !openedHere.has(fact.incident)) before[fact.type === 'PageOpened' ? 'pages' : 'runs'] += 1;
    else ledger.add(fact);
  }

  return {
    ledger,
    before,
    get facts() {
      return facts;
    },
    add(partition, fact, since) {
      const mark = `${partition}|${fact.scope}`;
      if (fact.seq <= (marks.get(mark) ?? 0)) return false;
      marks.set(mark, fact.seq);
      if (fact.type === 'AlertDecided' || fact.type === 'AlertJoined') join(fact.incident, fact.fingerprint);
      if (fact.type === 'AlertMuted') {
        if (fact.reason === null) mutes.delete(alertOf(fact));
        else mutes.set(alertOf(fact), fact.reason);
      }
      if (fact.at >= since) note(fact);
      return true;
    },
    alertsOf: (incident) => members.get(incident) ?? new Set(),
    opened: (incident) => openedHere.has(incident),
    muteOf: (fact) => mutes.get(alertOf(fact)) ?? null,
  };
}

/** The identity of an alert. */
export function alertOf({ scope, fingerprint }: { readonly scope: string; readonly fingerprint: string }): string {
  return `${scope}|${fingerprint}`;
}
