// Spans of time series: which resolution answers a question, and where hours, days and weeks begin. All in UTC.
import { GatewayError } from '../../core/errors.ts';
import { day, hour, type Instant, type Millis } from '../../core/time.ts';

export const resolutions = ['point', 'hour', 'day'] as const;

/** What an answer is made of: single points, or sums by the hour or the day. */
export type Resolution = (typeof resolutions)[number];

export const everies = ['hour', 'day', 'week'] as const;

export type Every = (typeof everies)[number];

const spans: { readonly [every in Every]: Millis } = { hour, day, week: 7 * day };
/** 1970-01-01 was a Thursday: weeks begin on Monday. */
const weekShift: Millis = 3 * day;

export function bucketOf(at: Instant, every: Every): Instant {
  const shift = every === 'week' ? weekShift : 0;
  return Math.floor((at + shift) / spans[every]) * spans[every] - shift;
}

export function lengthOf(every: Every): Millis {
  return spans[every];
}

export interface Kept {
  readonly pointsMs: Millis;
  readonly hoursMs: Millis;
  readonly daysMs: Millis;
}

export interface Covered {
  readonly resolution: Resolution;
  readonly from: Instant;
  readonly to: Instant;
}

/** The finest resolution that goes back to the beginning of the span; the coarsest where none does. */
export function coveredBy(
  asked: { readonly from: Instant; readonly to: Instant; readonly every?: Every },
  keep: Kept,
  now: Instant,
): Covered {
  const { from, to, every } = asked;
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || to <= from)
    throw new GatewayError('invalid_request', 'expected a span whose end is after its beginning');
  if (from >= now - keep.pointsMs) return { resolution: 'point', from, to };
  if (from >= now - keep.hoursMs) return { resolution: 'hour', from: bucketOf(from, 'hour'), to: -bucketOf(-to, 'hour') };
  if (every === 'hour')
    throw new GatewayError('invalid_request', 'sums by the hour are not kept that long: ask for a later beginning, or by the day');
  return { resolution: 'day', from: bucketOf(from, 'day'), to: -bucketOf(-to, 'day') };
}

/** By nearest rank, of values in ascending order; there is at least one. */
export function quantileOf(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? 0;
}
