// When a Zabbix problem began and when the server saw what it says.
// Dates and times of the macros are the server's local time without a zone: read only when its offset is configured.
import type { Instant } from '../../src/core/time.ts';
import { pick, type Fields } from './fields.ts';

/** Seconds since 1970 go first (Zabbix 7), then dates with the configured offset in minutes, then the receipt time. */
export function timesOf(
  fields: Fields,
  phase: 'problem' | 'update' | 'recovery' | 'cancel',
  receivedAt: Instant,
  utcOffsetMinutes: number | undefined,
): { readonly startedAt: Instant; readonly observedAt: Instant } {
  const local = (date: string, time: string) => localInstant(`${date} ${time}`, utcOffsetMinutes);
  const began = epoch(pick(fields, 'eventtimestamp')) ?? local(pick(fields, 'eventdate'), pick(fields, 'eventtime'));
  const said = {
    problem: began,
    update: epoch(pick(fields, 'eventupdatetimestamp')) ?? local(pick(fields, 'eventupdatedate'), pick(fields, 'eventupdatetime')),
    recovery: epoch(pick(fields, 'eventrecoverytimestamp')) ?? local(pick(fields, 'eventrecoverydate'), pick(fields, 'eventrecoverytime')),
    cancel: null,
  }[phase];
  const observedAt = said ?? localInstant(pick(fields, 'lastreceived'), utcOffsetMinutes) ?? receivedAt;
  return { startedAt: Math.min(began ?? observedAt, observedAt), observedAt };
}

function epoch(text: string): Instant | null {
  return /^[1-9]\d{8,9}$/.test(text) ? Number(text) * 1_000 : null;
}

/** `2026.11.21 02:07:47`; null for anything else, and without an offset. */
function localInstant(text: string, utcOffsetMinutes: number | undefined): Instant | null {
  const parts = /^(\d{4})\.(\d\d)\.(\d\d) (\d\d:\d\d:\d\d)$/.exec(text);
  if (parts === null || utcOffsetMinutes === undefined) return null;
  const at = Date.parse(`${parts[1]}-${parts[2]}-${parts[3]}T${parts[4]}Z`) - utcOffsetMinutes * 60_000;
  return Number.isFinite(at) && at > 0 ? at : null;
}
