// Decisions, folded into rows. Decides nothing.
import { measured } from '../alert/clocks.ts';
import { heardAfter } from '../alert/staleness.ts';
import { indexWaiting, type Desk, type Folds } from '../desk.ts';
import { heldAs, type Incident } from '../incident/row.ts';
import { change, put } from '../table.ts';
import type { AlertDecided, IncidentDecided, TriggerHeld } from './facts.ts';

export const decideFolds: Folds<'AlertDecided' | 'IncidentDecided' | 'TriggerHeld'> = {
  AlertDecided(desk, fact) {
    if (fact.delivery !== '') put(desk.tables.deliveries, fact.delivery, { at: fact.at, upTo: fact.index });
    if (fact.endpoint !== undefined) foldSender(desk, fact, fact.endpoint);
  },
  IncidentDecided: foldDecided,
  TriggerHeld: (desk, fact) => change(desk.tables.incidents, fact.incident, (row) => withHeld(row, fact)),
};

function foldSender({ tables }: Desk, { fingerprint, lagMs, gapMs }: AlertDecided, endpoint: string): void {
  const before = tables.senders.rows.get(endpoint);
  const timed = lagMs === undefined ? before : measured(before, lagMs);
  const after = gapMs === undefined ? timed : heardAfter(timed, gapMs);
  if (after !== undefined && after !== before) put(tables.senders, endpoint, after);
  const row = tables.alerts.rows.get(fingerprint);
  if (row !== undefined && row.endpoint !== endpoint) put(tables.alerts, fingerprint, { ...row, endpoint });
}

function withHeld({ held: before = {}, ...incident }: Incident, fact: TriggerHeld): Incident {
  const { digest, since } = fact;
  const key = heldAs(fact);
  const others = Object.entries(before).filter(([other]) => other !== key);
  if (since === null && others.length === 0) return incident;
  return { ...incident, held: Object.fromEntries(since === null ? others : [...others, [key, { since, digest }]]) };
}

function foldDecided(desk: Desk, { incident: id, decision, reason, waitsFor }: IncidentDecided): void {
  const before = desk.tables.incidents.rows.get(id)?.waitsFor;
  change(desk.tables.incidents, id, ({ waitsFor: _waitsFor, ...row }) => {
    return { ...row, decision, reason, ...(waitsFor === undefined ? {} : { waitsFor }) };
  });
  indexWaiting(desk, id, before);
}
