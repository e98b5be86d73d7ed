// Whether a notification is tried again, and after how long (P4 in delivery.ts).
import type { TurnContext } from '../context.ts';
import { jittered } from '../jitter.ts';
import { backoffAfter, day, hour, minute, second, type Millis } from '../time.ts';
import { rings, type NotifyOutcome } from './notification.ts';
import { isRingUnderWay } from './outgoing.ts';
import { isUntilAccepted } from './present.ts';
import type { Outgoing, Page } from './row.ts';

const retryWaits = { firstMs: second, maxMs: 5 * minute };
/** After no answer: it may have arrived, and a slow notifier shall not get copies. */
const unknownWaits = { firstMs: minute, maxMs: 5 * minute };
const refusedWaits = { firstMs: 5 * minute, maxMs: 5 * minute };
const waitMinMs = 200;
/** However long a notifier asks us to wait. */
const retryAfterMaxMs = hour;
/** How long what must be known is tried, when the policy does not say. */
export const keepTryingMs: Millis = day;

export function isTriedAgain(ctx: TurnContext, page: Page, outgoing: Outgoing, outcome: NotifyOutcome): boolean {
  const { kind, since } = outgoing;
  if (outcome.outcome === 'accepted' && (outcome.left ?? []).length === 0) return isOfFormerEra(page, outgoing);
  const inTime = ctx.at - since < (ctx.policy.delivery?.keepTryingMs ?? keepTryingMs);
  if (isUntilAccepted(kind)) return inTime;
  return outcome.outcome !== 'refused' && page.state === 'ringing' && (rings[kind] || inTime);
}

/** It left before an acknowledgement, and the page rings again since: a vendor may have called nobody for it, so it is said anew (P9). */
function isOfFormerEra(page: Page, outgoing: Outgoing): boolean {
  const { era = 0, ring } = outgoing;
  return isRingUnderWay(outgoing) && page.state === 'ringing' && ring === page.ring && era < (page.era ?? 0);
}

export function waitBefore(outcome: NotifyOutcome, { id, attempt }: Outgoing): Millis {
  const waits = outcome.outcome === 'unknown' ? unknownWaits : outcome.outcome === 'refused' ? refusedWaits : retryWaits;
  const whole = backoffAfter(attempt, waits);
  const share = jittered(`${id}#${attempt}`, waits.firstMs > second ? whole / 2 : 0, whole);
  const asked = outcome.outcome === 'deferred' ? Math.min(retryAfterMaxMs, outcome.retryAfterMs) : 0;
  return Math.max(waitMinMs, asked, share);
}
