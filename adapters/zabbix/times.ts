// When a Zabbix problem began and when the server saw what it says.
// Dates and times of the macros are the server's local time without a zone: read only when its zone is configured.
//   T1  An hour that comes twice (the clocks are set back) is the later of the two that had come when we received it.
//   T2  The end of a suppression that cannot be read is none, and one whose zone nothing tells rather too early than too late: behind it
//       waits a person.
import type { Instant } from '../../src/core/time.ts';
import { instantOf } from '../kit/event.ts';
import { pick, type Fields } from './fields.ts';

/** How the server's dates are read: by an IANA zone, or by minutes east of UTC, which are wrong for half of the year where clocks change. */
export interface ServerZone {
  readonly timeZone?: string;
  readonly utcOffsetMinutes?: number;
}

/** Seconds since 1970 go first (Zabbix 7), then dates in the configured zone, then the receipt time less the duration. */
export function timesOf(
  fields: Fields,
  phase: 'problem' | 'update' | 'recovery' | 'cancel',
  receivedAt: Instant,
  zone: ServerZone,
): { readonly startedAt: Instant; readonly observedAt: Instant; readonly sentAt?: Instant } {
  const local = (date: string, time: string) => localInstant(`${date} ${time}`, zone, receivedAt);
  const began = epoch(pick(fields, 'eventtimestamp')) ?? local(pick(fields, 'eventdate'), pick(fields, 'eventtime'));
  const said = {
    problem: epoch(pick(fields, 'askedtimestamp')) ?? began, // asked by us: it is open at that moment
    update: epoch(pick(fields, 'eventupdatetimestamp')) ?? local(pick(fields, 'eventupdatedate'), pick(fields, 'eventupdatetime')),
    recovery: epoch(pick(fields, 'eventrecoverytimestamp')) ?? local(pick(fields, 'eventrecoverydate'), pick(fields, 'eventrecoverytime')),
    cancel: null,
  }[phase];
  const observedAt = said ?? localInstant(pick(fields, 'lastreceived'), zone, receivedAt) ?? receivedAt;
  const startedAt = began ?? observedAt - durationOf(pick(fields, 'eventduration'));
  return { startedAt: Math.min(startedAt, observedAt), observedAt, ...(said === null ? {} : { sentAt: said }) };
}

/**
 * The end of a suppression, `2026.11.22 00:00:00`, in the server's zone: the configured one, else as far ahead of UTC as the server's other
 * dates are, where a timestamp or our receipt says that; null for what is no date. T2
 */
export function suppressedUntil(text: string, fields: Fields, receivedAt: Instant, zone: ServerZone): Instant | null {
  const zoned = /\d(?:z|[+-]\d\d:?\d\d)$/i.test(text) ? instantOf(text.toUpperCase()) : null;
  if (zoned !== null) return zoned;
  const parts = /^(\d{4})[./-](\d\d)[./-](\d\d)[ t](\d\d:\d\d)(:\d\d)?$/.exec(text);
  if (parts === null) return epoch(text);
  const date = `${parts[1]}.${parts[2]}.${parts[3]} ${parts[4]}${parts[5] ?? ':00'}`;
  const configured = localInstant(date, zone, receivedAt);
  if (configured !== null) return configured;
  const wall = localInstant(date, { utcOffsetMinutes: 0 }, receivedAt);
  return wall === null ? null : wall - (aheadOfUtc(fields, receivedAt) ?? eastMost);
}

/** How far the server's dates are ahead of UTC, by one that comes with its timestamp, or that it wrote just before it sent us this. */
function aheadOfUtc(fields: Fields, receivedAt: Instant): number | null {
  const said = (name: string): readonly [wall: Instant | null, at: Instant | null] => [
    localInstant(`${pick(fields, `${name}date`)} ${pick(fields, `${name}time`)}`, { utcOffsetMinutes: 0 }, receivedAt),
    epoch(pick(fields, `${name}timestamp`)),
  ];
  const [updated, updatedAt] = said('eventupdate');
  const [began, beganAt] = said('event');
  // What we received a little later than it was written; zones differ by quarters of an hour.
  const received = updated === null ? null : Math.ceil((updated - receivedAt) / quarter) * quarter;
  return [minus(updated, updatedAt), minus(began, beganAt), received].find((ahead) => isZone(ahead)) ?? null;
}

function minus(wall: Instant | null, at: Instant | null): number | null {
  return wall === null || at === null ? null : wall - at;
}

function isZone(ahead: number | null): boolean {
  return ahead !== null && ahead <= eastMost && ahead >= westMost;
}

const quarter = 15 * 60_000;
/** The farthest any zone is ahead of UTC, and behind it. */
const eastMost = 14 * 3_600_000;
const westMost = -12 * 3_600_000;

function epoch(text: string): Instant | null {
  return /^[1-9]\d{8,9}$/.test(text) ? Number(text) * 1_000 : null;
}

/** `1y 2M 3w 4d 1h 2m 5s` in milliseconds; 0 for anything else, and beyond ten years. */
function durationOf(text: string): number {
  if (!/^(?:\d{1,6}[yMwdhms]\s?){1,7}$/.test(text)) return 0;
  const seconds: Readonly<Record<string, number>> = { y: 31_536_000, M: 2_592_000, w: 604_800, d: 86_400, h: 3_600, m: 60, s: 1 };
  let sum = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)([yMwdhms])/g)) sum += Number(count) * (seconds[unit ?? ''] ?? 0);
  return sum <= 315_360_000 ? sum * 1_000 : 0;
}

/** `2026.11.21 02:07:47`; null for anything else, and without a zone. */
function localInstant(text: string, { timeZone, utcOffsetMinutes }: ServerZone, receivedAt: Instant): Instant | null {
  const parts = /^(\d{4})\.(\d\d)\.(\d\d) (\d\d:\d\d:\d\d)$/.exec(text);
  if (parts === null) return null;
  const wall = Date.parse(`${parts[1]}-${parts[2]}-${parts[3]}T${parts[4]}Z`);
  if (!Number.isFinite(wall) || wall <= day) return null;
  if (timeZone !== undefined) return inZone(wall, timeZone, receivedAt);
  return utcOffsetMinutes === undefined ? null : wall - utcOffsetMinutes * 60_000;
}

const day = 86_400_000;

/** T1. A time that the clocks skip is read by the offset before the change. */
function inZone(wall: number, timeZone: string, receivedAt: Instant): Instant {
  const [before, after] = [offsetAt(wall - day, timeZone), offsetAt(wall + day, timeZone)];
  const real = [wall - after, wall - before].filter((at) => at + offsetAt(at, timeZone) === wall).sort((a, b) => b - a);
  return real.find((at) => at <= receivedAt + 60_000) ?? real.at(-1) ?? wall - before;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Milliseconds that the zone's clocks are ahead of UTC at an instant. */
function offsetAt(at: Instant, timeZone: string): number {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
    formats.set(timeZone, format);
  }
  const name = format.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const parts = /^GMT([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(name);
  if (parts === null) return 0;
  const seconds = Number(parts[2]) * 3_600 + Number(parts[3]) * 60 + Number(parts[4] ?? 0);
  return (parts[1] === '-' ? -seconds : seconds) * 1_000;
}
