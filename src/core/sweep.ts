// Rows that nobody needs any more leave the desk, a bounded number at a time; which ones, the noun they belong to decides.
import type { Desk, Folds } from './desk.ts';
import { forgetAlert } from './alert/fold.ts';
import { invariant } from './errors.ts';
import { forgetIncident } from './incident/fold.ts';
import { forgetGroup, forgetResource } from './resource/fold.ts';
import type { FactBase } from './stamp.ts';
import { drop } from './table.ts';
import type { Instant } from './time.ts';

/** Rows that are no longer needed left the desk. Runs and pages leave with their incident. */
export interface DeskSwept extends FactBase {
  readonly type: 'DeskSwept';
  readonly table: 'alerts' | 'incidents' | 'deliveries' | 'targets' | 'resources' | 'groups' | 'remembered';
  readonly keys: readonly string[];
}

export const sweepFolds: Folds<'DeskSwept'> = { DeskSwept: foldSwept };

function foldSwept(desk: Desk, fact: DeskSwept): void {
  invariant(Object.hasOwn(sweeps, fact.table), `D1: nothing sweeps the table ${fact.table}`);
  for (const key of fact.keys) sweeps[fact.table](desk, key, fact.at);
}

const sweeps: { readonly [Table in DeskSwept['table']]: (desk: Desk, key: string, at: Instant) => void } = {
  alerts: forgetAlert,
  incidents: forgetIncident,
  deliveries: (desk, key) => drop(desk.tables.deliveries, key),
  targets: (desk, key) => drop(desk.tables.targets, key),
  resources: forgetResource,
  remembered: (desk, key) => drop(desk.tables.remembered, key),
  groups: forgetGroup,
};
