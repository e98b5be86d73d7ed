// Facts about alerts, folded into rows. Decides nothing.
import { unchanged, unindexAlert, type Desk, type Folds } from '../desk.ts';
import { countNew } from '../correlate/fold.ts';
import { countMuting } from '../mute/fold.ts';
import { change, drop, put } from '../table.ts';
import type { AlertMerged } from './facts.ts';
import { noHistory, observe } from './flapping.ts';
import type { Alert, AlertRow } from './row.ts';

export const alertFolds: Folds<'AlertMerged' | 'AlertFlapping' | 'AlertsMissing'> = {
  AlertMerged: foldMerged,
  AlertFlapping: (desk, fact) => change(desk.tables.alerts, fact.fingerprint, (row) => ({ ...row, flapping: fact.flapping })),
  AlertsMissing: unchanged,
};

function foldMerged(desk: Desk, fact: AlertMerged): void {
  if (fact.half !== null) countNew(desk, fact.half);
  const held = desk.tables.alerts.rows.get(fact.fingerprint);
  if (fact.alert === null) {
    if (held === undefined) return;
    const alert = { ...held.alert, count: fact.count, observedAt: Math.max(held.alert.observedAt, fact.observedAt), seenAt: fact.at };
    const history = fact.observed ? observe(held.history, alert.state === 'firing') : held.history;
    return put(desk.tables.alerts, fact.fingerprint, { ...held, alert, history });
  }
  const firing = isFiring(fact.alert);
  const before = held?.history ?? noHistory(fact.alert.state === 'firing');
  put(desk.tables.alerts, fact.fingerprint, {
    alert: fact.alert,
    history: fact.observed ? observe(before, fact.alert.state === 'firing') : before,
    flapping: held?.flapping ?? false,
    muted: held?.muted ?? null,
    keys: held?.keys ?? [],
    joined: held?.joined ?? 0,
  });
  const incident = fact.alert.incident;
  const was = held !== undefined && isFiring(held.alert);
  if (incident === null || was === firing) return;
  change(desk.tables.incidents, incident, (row) => ({ ...row, firing: row.firing + (firing ? 1 : -1) }));
}

/** Counts in its incident: an unconfirmed alert does not (I1). */
export function isFiring(alert: Alert): boolean {
  return alert.state === 'firing' && !alert.soft;
}

export function forgetAlert(desk: Desk, fingerprint: string): void {
  const held: AlertRow | undefined = desk.tables.alerts.rows.get(fingerprint);
  if (held === undefined) return;
  if (held.alert.incident !== null) unindexAlert(desk, fingerprint, held.alert.incident, held.keys);
  countMuting(desk, held.muted, -1);
  drop(desk.tables.alerts, fingerprint);
}
