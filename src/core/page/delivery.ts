// One notification on its way: sent, answered or not, tried again, given up. What that means for the ladder is ring.ts.
//   P4  A notification is tried until it is accepted or refused, at most `attemptsMax` times, under one id.
import { emit, nextSeq, wakeAfter, type TurnContext } from '../context.ts';
import { backoffAfter, hour, minute, second, type Millis } from '../time.ts';
import type { NotifyAnswered, PageWake } from './facts.ts';
import { noticeOf } from './notice.ts';
import { rings, type NotifyKind, type NotifyOutcome } from './notification.ts';
import { pageOf, type Outgoing, type Page } from './row.ts';

const answerWithinMs = 60 * second;
const attemptsMax = 8;
const retryWaits = { firstMs: 5 * second, maxMs: 5 * minute };
/** However long a notifier asks us to wait. */
const retryAfterMaxMs = hour;

export function send(ctx: TurnContext, id: string, notifier: string, kind: NotifyKind): void {
  const page = pageOf(ctx, id);
  if (page === undefined) return;
  const notification = noticeOf(ctx, page, { id: idFor(ctx, page, notifier, kind), notifier, kind });
  emit(ctx, { type: 'NotifyRequested', page: id, incident: page.incident, notifier, attempt: 1, notification });
  wakeAfter(ctx, answerWithinMs, { kind: 'notify', page: id, notification: notification.id, attempt: 1, stage: 'answer' });
}

/** A ring and the end are said once; what is told besides is numbered by the fact that asks for it. */
function idFor(ctx: TurnContext, page: Page, notifier: string, kind: NotifyKind): string {
  if (kind === 'resolve') return `${page.id}|end|${notifier}`;
  return `${page.id}|${rings[kind] ? page.ring : `${kind}.${nextSeq(ctx)}`}|${notifier}`;
}

/** Takes a notifier's answer. Returns the page when nobody on its ringing rung can be reached any more, else null. */
export function takeAnswer(ctx: TurnContext, input: NotifyAnswered): Page | null {
  const page = pageOf(ctx, input.page);
  const outgoing = page?.outgoing.find((each) => each.notification.id === input.notification);
  if (page === undefined || outgoing === undefined || outgoing.state === 'accepted') return null;
  // An acceptance counts however late: it spares a retry, and somebody is to be told of the end.
  const counts = outgoing.state === 'sent' || input.outcome.outcome === 'accepted';
  return counts ? settle(ctx, page, input.notification, input.outcome) : null;
}

/** The answer is overdue (it may have arrived), or it is time to try again. Returns what `takeAnswer` does. */
export function takeWake(ctx: TurnContext, wake: Extract<PageWake, { kind: 'notify' }>): Page | null {
  const page = pageOf(ctx, wake.page);
  const outgoing = page?.outgoing.find((each) => each.notification.id === wake.notification);
  if (page === undefined || outgoing === undefined || outgoing.attempt !== wake.attempt) return null;
  if (wake.stage === 'answer' && outgoing.state === 'sent') {
    return settle(ctx, page, wake.notification, { outcome: 'unknown', detail: 'no answer from the notifier in time' });
  }
  if (wake.stage !== 'retry' || outgoing.state !== 'waiting' || !isWanted(page, outgoing)) return null; // P2
  const attempt = outgoing.attempt + 1;
  emit(ctx, {
    type: 'NotifyRequested',
    page: page.id,
    incident: page.incident,
    notifier: outgoing.notifier,
    attempt,
    notification: outgoing.notification,
  });
  wakeAfter(ctx, answerWithinMs, { kind: 'notify', page: page.id, notification: wake.notification, attempt, stage: 'answer' });
  return null;
}

function settle(ctx: TurnContext, page: Page, notification: string, outcome: NotifyOutcome): Page | null {
  const outgoing = page.outgoing.find((each) => each.notification.id === notification);
  if (outgoing === undefined) return null;
  const ending = outgoing.notification.kind === 'resolve';
  const again = outcome.outcome === 'deferred' || outcome.outcome === 'unknown';
  const retry = again && isWanted(page, outgoing) && outgoing.attempt < attemptsMax; // P4
  const { notifier, attempt } = outgoing;
  emit(ctx, { type: 'NotifyFinished', page: page.id, incident: page.incident, notifier, attempt, notification, outcome, retry });
  if (retry) {
    wakeAfter(ctx, retryAfter(outcome, attempt), { kind: 'notify', page: page.id, notification, attempt, stage: 'retry' });
    return null;
  }
  const fresh = pageOf(ctx, page.id);
  if (ending || fresh === undefined) return null;
  if (fresh.state === 'closed' && fresh.told.includes(notifier) && !page.told.includes(notifier)) send(ctx, page.id, notifier, 'resolve');
  return fresh.state === 'ringing' && outgoing.ring === fresh.ring && rungFailed(fresh) ? fresh : null;
}

/** An answer or another attempt is to come. */
export function isUnderWay({ state, notification }: Outgoing): boolean {
  return state === 'sent' || (state === 'waiting' && notification.kind === 'resolve');
}

/** Worth another attempt: people are still to be told of this. */
function isWanted(page: Page, outgoing: Outgoing): boolean {
  return outgoing.notification.kind === 'resolve' || page.state === 'ringing';
}

function rungFailed(page: Page): boolean {
  return page.outgoing.every(({ ring, state }) => ring !== page.ring || state === 'refused');
}

function retryAfter(outcome: NotifyOutcome, attempt: number): Millis {
  if (outcome.outcome !== 'deferred') return backoffAfter(attempt, retryWaits);
  return Math.min(retryAfterMaxMs, Math.max(outcome.retryAfterMs, retryWaits.firstMs));
}
