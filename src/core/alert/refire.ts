// A source that fires on with an episode that had ended: a late delivery, or an end that was none (Alertmanager ends what Prometheus
// could not tell for `resolve_timeout`, and fires on with the same start). One that keeps being told is taken as firing.
//   E1  The third telling reopens, at the earliest five minutes after the first, each a minute after the one before; an end in between
//       starts anew. What the source itself dates before the end, and deliveries that are sent twice, never count.
//   E2  No word is on its way for a quarter of an hour, unless its source numbers its episodes and may try one again for hours: after so long
//       a silence the first telling reopens. Alertmanager tells a group again after hours only.
import { minute, type Instant } from '../time.ts';
import type { AlertEvent } from './event.ts';
import { onTheWayMs } from './episodes.ts';
import type { Alert, Refired } from './row.ts';

const tellingsToReopen = 3;

const firstToLastMs = 5 * minute;

const apartMs = minute;

/** What is known of an ended episode; `heardAt` is when the newest word of it came. */
export interface Over extends Pick<Alert, 'clearedAt' | 'refired'> {
  readonly heardAt: Instant;
}

/** What is known of the episode after this late firing of it; absent when the firing proves nothing (E1). */
export function toldAgain(over: Over, event: AlertEvent, seenAt: Instant): Refired | undefined {
  const { clearedAt, refired: before, heardAt } = over;
  if (event.soft === true || (clearedAt !== null && event.observedAt <= clearedAt)) return before;
  if (event.episodeOrder === undefined && seenAt - heardAt > onTheWayMs) {
    return { episode: event.episode, since: heardAt, at: seenAt, told: 1 }; // E2
  }
  if (before?.episode !== event.episode) return { episode: event.episode, since: seenAt, at: seenAt, told: 1 };
  return seenAt - before.at < apartMs ? before : { ...before, at: seenAt, told: before.told + 1 };
}

export function isFiringAfterAll(refired: Refired | undefined): refired is Refired {
  if (refired === undefined) return false;
  const { told, at, since } = refired;
  return told >= tellingsToReopen ? at - since >= firstToLastMs : told === 1 && at - since > onTheWayMs;
}
