// Rows that nobody needs any more leave the desk, a bounded number at a time; which ones, the noun they belong to decides.
import type { Desk, Folds } from './desk.ts';
import { forgetAlert } from './alert/fold.ts';
import { invariant } from './errors.ts';
import { forgetIncident } from './incident/fold.ts';
import { forgetGroup, forgetResource } from './resource/fold.ts';
import type { FactBase } from './stamp.ts';
import { drop } from './table.ts';

/** Rows that are no longer needed left the desk. Runs and pages leave with their incident. */
export interface DeskSwept extends FactBase {
  readonly type: 'DeskSwept';
  readonly table: 'alerts' | 'incidents' | 'deliveries' | 'targets' | 'resources' | 'groups';
  readonly keys: readonly string[];
}

export const sweepFolds: Folds<'DeskSwept'> = { DeskSwept: foldSwept };

function foldSwept(desk: Desk, fact: DeskSwept): void {
  invariant(Object.hasOwn(sweeps, fact.table), `D1: nothing sweeps the table ${fact.table}`);
  for (const key of fact.keys) sweeps[fact.table](desk, key);
}

const sweeps: { readonly [Table in DeskSwept['table']]: (desk: Desk, key: string) => void } = {
  alerts: forgetAlert,
  incidents: forgetIncident,
  deliveries: (desk, key) => drop(desk.tables.deliveries, key),
  targets: (desk, key) => drop(desk.tables.targets, key),
  resources: forgetResource,
  groups: forgetGroup,
};
