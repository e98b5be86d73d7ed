// Decisions, folded into rows. Decides nothing.
import type { Folds } from '../desk.ts';
import { change, put } from '../table.ts';

export const decideFolds: Folds<'AlertDecided' | 'IncidentDecided'> = {
  AlertDecided(desk, fact) {
    if (fact.delivery !== '') put(desk.tables.deliveries, fact.delivery, { at: fact.at, upTo: fact.index });
  },
  IncidentDecided: (desk, fact) =>
    change(desk.tables.incidents, fact.incident, (row) => ({ ...row, decision: fact.decision, reason: fact.reason })),
};
