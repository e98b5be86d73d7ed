// How far the clock of each sender is from ours, measured by what it sends, and taken out of the times it tells.
// Measured on the desk, endpoint by endpoint, out of inputs alone: turning stays a function of the log.
//   K1  The skew is the median of the newest fifteen differences between our receipt and the sender's clock, once there are five and the
//       middle half of them lies within a minute: deliveries that were merely late differ among themselves, a wrong clock does not.
//   K2  Less than a minute, or more than fifteen hours, is not taken out.
//   K3  Nothing begins or is seen after it was received.
import type { TurnContext } from '../context.ts';
import { hour, minute, spanOf, type Instant, type Millis } from '../time.ts';
import type { AlertSeen, Change } from './facts.ts';
import type { AlertEvent } from './event.ts';

const samplesMax = 15;
const samplesMin = 5;
const spreadMax: Millis = minute;
const skewMin: Millis = minute;
const skewMax: Millis = 15 * hour;

/** What is known of the sender behind one endpoint. */
export interface SenderRow {
  /** Our receipt minus its clock, newest last, at most fifteen. */
  readonly lags: readonly Millis[];
  /** What is added to its times; positive when its clock is behind. */
  readonly skewMs: Millis;
  /** How often it told an alert again, counted to twenty, and after how long a silence at most. */
  readonly gaps?: { readonly count: number; readonly longestMs: Millis };
}

export function skewOf({ desk }: TurnContext, endpoint: string): Millis {
  return desk.tables.senders.rows.get(endpoint)?.skewMs ?? 0;
}

/** The event by our clock (K3). */
export function byOurClock(event: AlertEvent, { skewMs, at, asked }: { skewMs: Millis; at: Instant; asked: boolean }): AlertEvent {
  const startIsTold = event.sentAt !== undefined || event.startedAt !== event.observedAt;
  const sightIsTold = event.sentAt !== undefined && !asked;
  const startedAt = Math.min(event.startedAt + (startIsTold ? skewMs : 0), at);
  const observedAt = Math.min(event.observedAt + (sightIsTold ? skewMs : 0), at);
  const isAsTold = startedAt === event.startedAt && observedAt === event.observedAt;
  if (isAsTold && (skewMs === 0 || (event.until ?? event.muteUntil) === undefined)) return event;
  const ends = skewMs === 0 ? {} : { ...later(event, 'until', skewMs), ...later(event, 'muteUntil', skewMs) };
  return { ...event, startedAt, observedAt, ...ends };
}

function later(event: AlertEvent, end: 'until' | 'muteUntil', byMs: Millis): Partial<AlertEvent> {
  const at = event[end];
  return at === undefined ? {} : { [end]: at + byMs };
}

/** What we asked a source for says nothing of its clock: the answer is as old as it likes. */
export function isAsked({ endpoint, delivery }: AlertSeen): boolean {
  return delivery.startsWith(`${endpoint}:reconcile:`);
}

/** Our receipt minus the sender's clock, where the claim tells it: when it was sent, or, of what is new to us, when it began. */
export function lagOf(input: AlertSeen, change: Change, at: Instant): Millis | undefined {
  const { sentAt, startedAt, observedAt } = input.event;
  if (isAsked(input)) return undefined;
  if (sentAt !== undefined) return at - sentAt;
  const isNew = change === 'opened' || change === 'reopened';
  return isNew && startedAt !== observedAt ? at - startedAt : undefined;
}

/** K1, K2 */
export function measured(before: SenderRow | undefined, lagMs: Millis): SenderRow {
  const lags = [...(before?.lags ?? []), lagMs].slice(-samplesMax);
  const sorted = lags.toSorted((a, b) => a - b);
  const at = (share: number): Millis => sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
  if (lags.length < samplesMin || at(0.75) - at(0.25) > spreadMax) return { ...before, lags, skewMs: before?.skewMs ?? 0 };
  const median = at(0.5);
  const size = Math.abs(median);
  return { ...before, lags, skewMs: size < skewMin || size > skewMax ? 0 : median };
}

/** For the timeline. */
export function describeSkew(skewMs: Millis): string | undefined {
  if (skewMs === 0) return undefined;
  return `its sender's clock is ${spanOf(Math.abs(skewMs))} ${skewMs > 0 ? 'behind' : 'ahead'}: taken out`;
}
