// After how long a silence an alert is taken as ended: the policy's span, or less where its sender is known to repeat what lasts.
//   S1  Four times the longest silence between two tellings of one alert that was seen at the endpoint, once twenty were; never less than
//       twelve hours (Alertmanager repeats every four unless it is told otherwise), never more than the policy's span.
//   S2  Only an alert that was told six times itself: a sender may repeat one kind and tell another once.
import type { TurnContext } from '../context.ts';
import { hour, type Millis } from '../time.ts';
import type { AlertSeen, Change } from './facts.ts';
import { isAsked, type SenderRow } from './clocks.ts';
import type { Alert, AlertRow } from './row.ts';

export const staleMin: Millis = 12 * hour;
const silencesForOne = 4;
const gapsMin = 20;
const tellingsMin = 6;

/** How long the source had been silent about the alert that it now tells again; absent for anything else. */
export function gapOf(input: AlertSeen, change: Change, before: Alert | undefined, at: number): Millis | undefined {
  if (before?.state !== 'firing' || change !== 'repeated' || input.event.claim !== 'firing' || isAsked(input)) return undefined;
  return at - before.seenAt;
}

/** The same row when nothing is learned by it. */
export function heardAfter(before: SenderRow | undefined, gapMs: Millis): SenderRow {
  const { count, longestMs } = before?.gaps ?? { count: 0, longestMs: 0 };
  if (before !== undefined && count >= gapsMin && gapMs <= longestMs) return before;
  return { lags: [], skewMs: 0, ...before, gaps: { count: Math.min(count + 1, gapsMin), longestMs: Math.max(longestMs, gapMs) } };
}

/** S1, S2 */
export function staleMsOf({ desk, policy }: TurnContext, { alert, endpoint }: AlertRow): Millis {
  const gaps = endpoint === undefined ? undefined : desk.tables.senders.rows.get(endpoint)?.gaps;
  if (gaps === undefined || gaps.count < gapsMin || alert.count < tellingsMin) return policy.staleMs;
  return Math.min(policy.staleMs, Math.max(staleMin, gaps.longestMs * silencesForOne));
}
