// A source that fires on with an episode that had ended: a late delivery, or an end that was none (Alertmanager ends what Prometheus
// could not tell for `resolve_timeout`, and fires on with the same start). One that keeps being told is taken as firing.
//   E1  The third telling reopens, at the earliest five minutes after the first, each a minute after the one before; an end in between
//       starts anew. What the source itself dates before the end, and deliveries that are sent twice, never count.
import { minute, type Instant } from '../time.ts';
import type { AlertEvent } from './event.ts';
import type { Alert, Refired } from './row.ts';

export const tellingsToReopen = 3;

const firstToLastMs = 5 * minute;

const apartMs = minute;

/** What is known of the episode after this late firing of it; absent when the firing proves nothing (E1). */
export function toldAgain(belief: Pick<Alert, 'clearedAt' | 'refired'>, event: AlertEvent, seenAt: Instant): Refired | undefined {
  const { clearedAt, refired: before } = belief;
  if (event.soft === true || (clearedAt !== null && event.observedAt <= clearedAt)) return before;
  if (before?.episode !== event.episode) return { episode: event.episode, since: seenAt, at: seenAt, told: 1 };
  return seenAt - before.at < apartMs ? before : { ...before, at: seenAt, told: before.told + 1 };
}

export function isFiringAfterAll(refired: Refired | undefined): refired is Refired {
  return refired !== undefined && refired.told >= tellingsToReopen && refired.at - refired.since >= firstToLastMs;
}
