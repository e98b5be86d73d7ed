// Rows that nobody needs any more leave the desk, a bounded number at a time; which ones, the noun they belong to decides.
import type { Desk, Folds } from './desk.ts';
import { forgetAlert } from './alert/fold.ts';
import { invariant } from './errors.ts';
import { forgetIncident } from './incident/fold.ts';
import type { FactBase } from './stamp.ts';
import { drop } from './table.ts';

/** Rows that are no longer needed left the desk (cleared alerts, ended runs, closed incidents, old counters). */
export interface DeskSwept extends FactBase {
  readonly type: 'DeskSwept';
  readonly table: string;
  readonly keys: readonly string[];
}

export const sweepFolds: Folds<'DeskSwept'> = { DeskSwept: foldSwept };

function foldSwept(desk: Desk, fact: DeskSwept): void {
  for (const key of fact.keys) {
    if (fact.table === 'alerts') forgetAlert(desk, key);
    else if (fact.table === 'incidents') forgetIncident(desk, key);
    else if (fact.table === 'deliveries') drop(desk.tables.deliveries, key);
    else if (fact.table === 'targets') drop(desk.tables.targets, key);
    else invariant(false, `D1: nothing sweeps the table ${fact.table}`);
  }
}
