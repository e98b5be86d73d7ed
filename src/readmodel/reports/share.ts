// Shares of few, and hours in which people work.
import { GatewayError } from '../../core/errors.ts';
import type { Instant } from '../../core/time.ts';

/** 95 %, two-sided. */
const z = 1.959963984540054;

/** Upper end of the Wilson score interval: below it the true share lies with 95 % confidence. Source: E. B. Wilson, JASA 22 (1927), 209–212. */
export function upperOf(part: number, whole: number): number | null {
  if (whole === 0) return null;
  const seen = part / whole;
  const middle = seen + z ** 2 / (2 * whole);
  const width = z * Math.sqrt((seen * (1 - seen)) / whole + z ** 2 / (4 * whole ** 2));
  return Math.min(1, (middle + width) / (1 + z ** 2 / whole));
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Monday to Friday, from 8 to 18 in the zone. */
export function isAtWork(at: Instant, zone: string): boolean {
  const parts = formatIn(zone).formatToParts(at);
  const of = (type: string): string => parts.find((part) => part.type === type)?.value ?? '';
  const hours = Number(of('hour'));
  return !['Sat', 'Sun'].includes(of('weekday')) && hours >= 8 && hours < 18;
}

function formatIn(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  try {
    const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, weekday: 'short', hour: '2-digit', hourCycle: 'h23' });
    if (formats.size < 500) formats.set(zone, format);
    return format;
  } catch {
    throw new GatewayError('invalid_request', 'query/zone: expected the name of a time zone such as Europe/Berlin');
  }
}
