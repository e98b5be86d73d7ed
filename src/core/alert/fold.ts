// Facts about alerts, folded into rows. Decides nothing.
import { indexFiring, unchanged, unindexAlert, type Desk, type Folds } from '../desk.ts';
import { countNew } from '../correlate/fold.ts';
import { countMuting } from '../mute/fold.ts';
import { change, drop, put } from '../table.ts';
import type { Instant } from '../time.ts';
import type { AlertFlapping, AlertMerged } from './facts.ts';
import { noHistory, observe } from './flapping.ts';
import { isFiring, type Alert, type AlertRow } from './row.ts';

export const alertFolds: Folds<'AlertMerged' | 'AlertFlapping' | 'AlertsMissing'> = {
  AlertMerged: foldMerged,
  AlertFlapping: foldFlapping,
  AlertsMissing: unchanged,
};

function foldMerged(desk: Desk, fact: AlertMerged): void {
  if (fact.half !== null) countNew(desk, fact.half);
  const row = desk.tables.alerts.rows.get(fact.fingerprint);
  if (fact.alert === null) {
    if (row === undefined) {
      if (fact.remembered !== undefined) put(desk.tables.remembered, fact.fingerprint, fact.remembered);
      return;
    }
    const alert = {
      ...row.alert,
      count: fact.count,
      observedAt: Math.max(row.alert.observedAt, fact.observedAt),
      seenAt: fact.at,
      ...extended(row.alert, fact),
    };
    const history = fact.observed ? observe(row.history, alert.state === 'firing', fact.at) : row.history;
    return put(desk.tables.alerts, fact.fingerprint, { ...row, alert, history });
  }
  drop(desk.tables.remembered, fact.fingerprint); // M2
  const firing = isFiring(fact.alert);
  const was = row !== undefined && isFiring(row.alert);
  const began = firing && !was;
  const history = row?.history ?? noHistory(fact.alert.state === 'firing');
  put(desk.tables.alerts, fact.fingerprint, {
    alert: fact.alert,
    history: fact.observed ? observe(history, fact.alert.state === 'firing', fact.at) : history,
    flapping: row?.flapping ?? false,
    ...(row?.flapped !== undefined && firing ? { flapped: row.flapped } : {}),
    muted: row?.muted ?? null,
    keys: row?.keys ?? [],
    joined: row?.joined ?? 0,
    ...(row?.endpoint === undefined ? {} : { endpoint: row.endpoint }),
    ...(began ? { fired: fact.seq } : row?.fired === undefined ? {} : { fired: row.fired }),
  });
  const incident = fact.alert.incident;
  if (incident === null || was === firing) return;
  indexFiring(desk, fact.fingerprint, incident, firing);
  change(desk.tables.incidents, incident, (before) => ({ ...before, firing: before.firing + (firing ? 1 : -1) }));
}

function extended({ lease }: Alert, { until }: AlertMerged): Pick<Alert, 'lease'> {
  return lease === undefined || until === undefined ? {} : { lease: { ...lease, until } };
}

function foldFlapping(desk: Desk, { fingerprint, incident, flapping, steady }: AlertFlapping): void {
  change(desk.tables.alerts, fingerprint, ({ flapped: _flapped, ...row }) => {
    return { ...row, flapping, ...(!flapping && steady !== undefined && isFiring(row.alert) ? { flapped: steady } : {}) };
  });
  if (incident !== null)
    change(desk.tables.incidents, incident, (row) => ({ ...row, flapping: Math.max(0, (row.flapping ?? 0) + (flapping ? 1 : -1)) }));
}

export function forgetAlert(desk: Desk, fingerprint: string, at: Instant): void {
  const row: AlertRow | undefined = desk.tables.alerts.rows.get(fingerprint);
  if (row === undefined) return;
  if (row.alert.incident !== null) unindexAlert(desk, fingerprint, row.alert.incident, row.keys);
  countMuting(desk, row.muted, -1);
  drop(desk.tables.alerts, fingerprint);
  remember(desk, row.alert, at);
}

/** The alert leaves the desk; one none of whose episodes is known to be over leaves nothing behind. */
function remember(desk: Desk, { fingerprint, ended = [], lastEnd, order, clearedAt, refired }: Alert, at: Instant): void {
  if (ended.length === 0 && lastEnd === undefined) return;
  put(desk.tables.remembered, fingerprint, {
    at,
    ended,
    ...(lastEnd === undefined ? {} : { lastEnd }),
    ...(order === undefined ? {} : { order }),
    clearedAt,
    ...(refired === undefined ? {} : { refired }),
  });
}
