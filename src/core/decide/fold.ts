// Decisions, folded into rows. Decides nothing.
import { measured } from '../alert/clocks.ts';
import { indexWaiting, type Desk, type Folds } from '../desk.ts';
import { heldAs, type Incident } from '../incident/row.ts';
import { change, put } from '../table.ts';
import type { IncidentDecided, TriggerHeld } from './facts.ts';

export const decideFolds: Folds<'AlertDecided' | 'IncidentDecided' | 'TriggerHeld'> = {
  AlertDecided(desk, fact) {
    if (fact.delivery !== '') put(desk.tables.deliveries, fact.delivery, { at: fact.at, upTo: fact.index });
    if (fact.lagMs === undefined || fact.endpoint === undefined) return;
    put(desk.tables.senders, fact.endpoint, measured(desk.tables.senders.rows.get(fact.endpoint), fact.lagMs));
  },
  IncidentDecided: foldDecided,
  TriggerHeld: (desk, fact) => change(desk.tables.incidents, fact.incident, (row) => withHeld(row, fact)),
};

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
