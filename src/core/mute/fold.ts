// Facts about muting, folded into rows. Decides nothing.
import type { Desk, Folds } from '../desk.ts';
import type { Alert } from '../alert/row.ts';
import { invariant } from '../errors.ts';
import { change, drop, put } from '../table.ts';
import type { AlertMuted, MuteReason, SilenceChanged } from './facts.ts';

export const muteFolds: Folds<'AlertMuted' | 'SilenceChanged'> = { AlertMuted: foldMuted, SilenceChanged: foldSilence };

function foldMuted(desk: Desk, fact: AlertMuted): void {
  const row = desk.tables.alerts.rows.get(fact.fingerprint);
  invariant(row !== undefined, 'D1: a muted alert is on the desk');
  countMuting(desk, row.muted, -1);
  countMuting(desk, fact.reason, 1);
  put(desk.tables.alerts, fact.fingerprint, {
    ...row,
    ...(fact.sourceMute === null ? { alert: unheld(row.alert) } : {}),
    muted: fact.reason,
  });
  if (fact.reason === null || fact.incident === null) return;
  change(desk.tables.incidents, fact.incident, (incident) =>
    incident.hushed === true ? incident : { ...incident, hushed: true as const },
  );
}

function unheld({ muteEnd: _muteEnd, ...alert }: Alert): Alert {
  return { ...alert, sourceMute: null };
}

export function countMuting(desk: Desk, reason: MuteReason | null, by: 1 | -1): void {
  if (reason?.kind !== 'silence') return;
  const row = desk.tables.silences.rows.get(reason.silence);
  if (row !== undefined) put(desk.tables.silences, reason.silence, { ...row, muting: Math.max(0, row.muting + by), used: true });
}

function foldSilence(desk: Desk, fact: SilenceChanged): void {
  const { silences } = desk.tables;
  const before = silences.rows.get(fact.silence.id);
  if (fact.state === 'expired') return drop(silences, fact.silence.id);
  put(silences, fact.silence.id, { silence: fact.silence, muting: before?.muting ?? 0, used: before?.used ?? false });
}
