// One notification on its way: asked for, claimed by a worker, granted in the words of that moment or dropped, answered or not, tried again.
// What must hold when it is granted is present.ts; what an answer means for the ladder is ring.ts; sending it is engine/effects.
//   P4  A notification is tried until it is accepted, under one id: a ring while its page rings, what must be known (the end) for hours,
//       in growing waits; what a notifier refuses for good is not rung again under that id.
//   P5  Nothing leaves that was not granted, and every attempt is granted or dropped against the present (G1 in present.ts).
//   P9  What rings after an acknowledgement, or for something new, is of a new era: a ring that was granted before does not count for it.
//   P6  For one page at most one ring is on its way to a notifier.
import { emit, nextSeq, wakeAfter, type TurnContext } from '../context.ts';
import { second } from '../time.ts';
import { bundleMax, heldBy, led, mayWait, outsideId, spanAfter, together } from './bundle.ts';
import type { NotifyAnswered, NotifyClaimed, NotifyRequested, PageWake } from './facts.ts';
import { noticeOf } from './notice.ts';
import { rings, type Notification, type NotifyKind, type NotifyOutcome } from './notification.ts';
import { isHeard, isOpen, ringOf } from './outgoing.ts';
import { isUntilAccepted, reasonAgainst, type Word } from './present.ts';
import { isTriedAgain, waitBefore } from './retry.ts';
import { bundleKey, pageOf, type Outgoing, type Page, type Placed } from './row.ts';

const answerWithinMs = 60 * second;
/** Somebody on a rung is told within this, or the next rung rings. */
export const reachWithinMs = 60 * second;
/** Asks for a notification to this notifier; nothing when the same is on its way or was sent. */
export function send(ctx: TurnContext, id: string, notifier: string, kind: NotifyKind): void {
  const page = pageOf(ctx, id);
  if (page === undefined) return;
  const notification = idFor(ctx, page, notifier, kind);
  if (page.outgoing.some((outgoing) => outgoing.id === notification)) return;
  const asked = { id: notification, kind, notifier, attempt: 1 };
  if (!mayWait(kind)) return request(ctx, page, asked);
  const key = bundleKey(notifier, kind);
  const bundle = heldBy(ctx, page, key);
  if (bundle === null) return request(ctx, page, asked, opening(ctx, key, [page]));
  const { until, waiting } = bundle;
  emit(ctx, { type: 'NotifyHeld', page: id, incident: page.incident, notifier, notification: { id: notification, kind }, until });
  if (waiting.length === 0) wakeAfter(ctx, until - ctx.at, { kind: 'bundle', bundle: key, asked: nextSeq(ctx) });
  else if (waiting.length + 1 >= bundleMax) tellTogether(ctx, heldWords(ctx, key));
}

function opening(ctx: TurnContext, key: string, pages: readonly Page[]): Pick<NotifyRequested, 'bundle'> {
  const bundle = spanAfter(ctx, key, pages);
  return bundle === null ? {} : { bundle };
}

/** The span of a notifier is over: what waits and is still true leaves in one message. Returns what `takeAnswer` does. */
export function takeBundle(ctx: TurnContext, { bundle: key }: Extract<PageWake, { kind: 'bundle' }>): readonly Page[] {
  const unheard = dropOver(ctx, heldWords(ctx, key));
  tellTogether(ctx, heldWords(ctx, key));
  return unheard;
}

function heldWords(ctx: TurnContext, key: string): readonly Word[] {
  const waiting = ctx.desk.tables.bundles.rows.get(key)?.waiting ?? [];
  return waiting.flatMap(({ page, notification }) => inState(ctx, { page, notification }, 'held'));
}

function inState(ctx: TurnContext, { page, notification }: Placed, state: Outgoing['state']): readonly Word[] {
  const word = wordOf(ctx, page, notification);
  return word?.outgoing.state === state ? [word] : [];
}

/** One message for all of them, of the ring that leads. */
function tellTogether(ctx: TurnContext, words: readonly Word[]): void {
  const [lead, ...others] = led(ctx, words);
  if (lead === undefined) return;
  const { page, outgoing } = lead;
  const pages = words.map((word) => word.page);
  const placed = others.map((word) => placedNow(word));
  const also = placed.length === 0 ? {} : { with: placed };
  request(ctx, page, outgoing, { ...opening(ctx, bundleKey(outgoing.notifier, outgoing.kind), pages), ...also });
}

function placedNow({ page, outgoing }: Word): Placed {
  const { era = 0 } = page;
  return { page: page.id, notification: outgoing.id, ...(era === 0 ? {} : { era }) };
}

/** Those that this message tells besides, and that wait for its end. */
function othersOf(ctx: TurnContext, { with: placed = [] }: Outgoing): readonly Word[] {
  return placed.flatMap((one) => inState(ctx, one, 'bundled'));
}

/** A ring and the end are said once; what is told besides is numbered by the fact that asks for it. */
function idFor(ctx: TurnContext, page: Page, notifier: string, kind: NotifyKind): string {
  if (kind === 'resolve') return `${page.id}|end|${notifier}`;
  return `${page.id}|${rings[kind] ? page.ring : `${kind}.${nextSeq(ctx)}`}|${notifier}`;
}

function request(
  ctx: TurnContext,
  page: Page,
  { id, kind, notifier, attempt }: Pick<Outgoing, 'id' | 'kind' | 'notifier' | 'attempt'>,
  also: Pick<NotifyRequested, 'with' | 'bundle'> = {},
): void {
  emit(ctx, { type: 'NotifyRequested', page: page.id, incident: page.incident, notifier, attempt, notification: { id, kind }, ...also });
  wakeAfter(ctx, answerWithinMs, { kind: 'notify', page: page.id, notification: id, attempt, stage: 'answer' });
}

/** A worker wants to deliver it: granted in the words of this moment, or dropped (P5). Returns what `takeAnswer` does. */
export function takeClaim(ctx: TurnContext, input: NotifyClaimed): readonly Page[] {
  const word = wordOf(ctx, input.page, input.notification);
  if (word === null || word.outgoing.attempt !== input.attempt || !isOpen(word.outgoing)) return [];
  const { page, outgoing } = word;
  const why = reasonAgainst(ctx, word);
  if (why !== null && outgoing.state === 'granted') {
    // The worker that it was granted to is gone, and may have sent it: who may have been told hears of the end.
    return settle(ctx, word, { outcome: 'unknown', detail: `a worker was at it and is gone; not sent again: ${why}` });
  }
  if (why !== null) return dropped(ctx, word, why);
  const unheard = dropOver(ctx, othersOf(ctx, outgoing));
  const { notifier, attempt } = outgoing;
  const grant = nextSeq(ctx);
  emit(ctx, {
    type: 'NotifyGranted',
    page: page.id,
    incident: page.incident,
    notifier,
    attempt,
    worker: input.worker,
    outgoing: outgoing.id,
    notification: wordsOf(ctx, word),
  });
  wakeAfter(ctx, answerWithinMs, { kind: 'notify', page: page.id, notification: outgoing.id, attempt, stage: 'grant', grant });
  return unheard;
}

/** The words of this moment, under the id by which the world knows it. */
function wordsOf(ctx: TurnContext, { page, outgoing }: Word): Notification {
  const { id, left } = outgoing;
  const own = noticeOf(ctx, page, { ...outgoing, id: outsideId(ctx, id) });
  const notice = together(ctx, own, othersOf(ctx, outgoing));
  return left === undefined ? notice : { ...notice, only: left };
}

/** Of these words those that are not true any more do not leave. Returns what `takeAnswer` does. */
function dropOver(ctx: TurnContext, words: readonly Word[]): readonly Page[] {
  return words.flatMap((word) => {
    const why = reasonAgainst(ctx, word);
    return why === null ? [] : dropped(ctx, word, why);
  });
}

/** It does not leave; what it was to tell besides, and is still true, leaves without it. */
function dropped(ctx: TurnContext, { page, outgoing }: Word, why: string): readonly Page[] {
  const { id: notification, notifier, attempt } = outgoing;
  emit(ctx, { type: 'NotifyDropped', page: page.id, incident: page.incident, notifier, notification, attempt, why });
  const unheard = dropOver(ctx, othersOf(ctx, outgoing));
  tellTogether(ctx, othersOf(ctx, outgoing));
  return [...unheard, ...unheardAfter(ctx, page.id, outgoing)];
}

/** Takes a notifier's answer. Returns the pages on whose ringing rung nobody can be told soon. */
export function takeAnswer(ctx: TurnContext, input: NotifyAnswered): readonly Page[] {
  const word = wordOf(ctx, input.page, input.notification);
  if (word === null || word.outgoing.state === 'accepted') return [];
  const { era = word.outgoing.era ?? 0 } = input; // P9: of what was sent, not of what another worker was granted since
  const isAwaited = isOpen(word.outgoing) && (input.attempt ?? word.outgoing.attempt) === word.outgoing.attempt;
  const why = isAwaited && input.outcome.outcome === 'deferred' ? reasonAgainst(ctx, word) : null;
  if (why !== null) return dropped(ctx, word, why); // nothing of it left, and nothing of it shall
  // An acceptance counts however late: it spares a retry, and somebody is to be told of the end.
  if (!isAwaited && input.outcome.outcome !== 'accepted') return [];
  return settle(ctx, { ...word, outgoing: { ...word.outgoing, era } }, input.outcome);
}

/** Nobody has claimed it, its answer is overdue (it may have arrived), or it is time to try again. Returns what `takeAnswer` does. */
export function takeWake(ctx: TurnContext, wake: Extract<PageWake, { kind: 'notify' }>): readonly Page[] {
  const word = wordOf(ctx, wake.page, wake.notification);
  if (word === null || word.outgoing.attempt !== wake.attempt) return [];
  const { page, outgoing } = word;
  if (wake.stage === 'answer' && outgoing.state === 'asked') {
    return settle(ctx, word, { outcome: 'deferred', retryAfterMs: 0, detail: 'no worker took it in time; nothing was sent' });
  }
  if (wake.stage === 'grant' && outgoing.state === 'granted' && outgoing.grant === wake.grant) {
    return settle(ctx, word, { outcome: 'unknown', detail: 'no answer from the notifier in time' });
  }
  if (wake.stage !== 'retry' || outgoing.state !== 'waiting') return [];
  const why = reasonAgainst(ctx, word);
  if (why !== null) return dropped(ctx, word, why);
  request(ctx, page, { ...outgoing, attempt: outgoing.attempt + 1 });
  return [];
}

function settle(ctx: TurnContext, { page, outgoing }: Word, outcome: NotifyOutcome): readonly Page[] {
  const { id: notification, notifier, attempt } = outgoing;
  const retry = isTriedAgain(ctx, page, outgoing, outcome); // P4
  const waitMs = waitBefore(outcome, outgoing);
  const also = retry ? { retryAt: ctx.at + waitMs } : {};
  const besides = othersOf(ctx, outgoing);
  emit(ctx, { type: 'NotifyFinished', page: page.id, incident: page.incident, notifier, attempt, notification, outcome, retry, ...also });
  if (retry) wakeAfter(ctx, waitMs, { kind: 'notify', page: page.id, notification, attempt, stage: 'retry' });
  if (retry) for (const other of besides) tellSince(ctx, other.page, notifier);
  const others = retry ? [] : besides.flatMap((other) => settleWith(ctx, other, outcome, notification));
  return [...afterAnswer(ctx, page, outgoing, outcome), ...others];
}

/** A message that told it, too, has been taken, or refused for good. */
function settleWith(ctx: TurnContext, { page, outgoing }: Word, outcome: NotifyOutcome, lead: string): readonly Page[] {
  const { id: notification, notifier, attempt } = outgoing;
  const { incident } = page;
  emit(ctx, { type: 'NotifyFinished', page: page.id, incident, notifier, attempt, notification, outcome, retry: false, with: lead });
  return afterAnswer(ctx, page, outgoing, outcome);
}

/** Whoever was told only now, or may have been, hears what has become of it since; `before` is the page without that answer. */
function tellSince(ctx: TurnContext, before: Page, notifier: string): void {
  const fresh = pageOf(ctx, before.id);
  if (fresh?.told.includes(notifier) !== true || before.told.includes(notifier)) return;
  if (fresh.state === 'closed') send(ctx, before.id, notifier, 'resolve');
  if (fresh.state === 'acked') send(ctx, before.id, notifier, 'acknowledged');
}

function afterAnswer(ctx: TurnContext, page: Page, outgoing: Outgoing, outcome: NotifyOutcome): readonly Page[] {
  const { notifier, kind } = outgoing;
  const fresh = pageOf(ctx, page.id);
  if (fresh === undefined || isUntilAccepted(kind)) return [];
  tellSince(ctx, page, notifier);
  if (outcome.outcome === 'accepted' && rings[kind] && fresh.reach === 'unreached') {
    emit(ctx, { type: 'PageReachChanged', page: page.id, incident: page.incident, reach: null, why: `${notifier} took it` });
  }
  return unheardAfter(ctx, page.id, outgoing);
}

/** The page, alone, when it rings and what has just ended leaves nobody on its rung who was told or will be soon. */
function unheardAfter(ctx: TurnContext, id: string, { ring }: Outgoing): readonly Page[] {
  const page = pageOf(ctx, id);
  return page?.state === 'ringing' && ring === page.ring && isUnheard(ctx, page) ? [page] : [];
}

function isUnheard(ctx: TurnContext, page: Page): boolean {
  return ringOf(page).every(
    (each) =>
      !isHeard(each) &&
      (each.state === 'refused' || each.state === 'dropped' || (each.state === 'waiting' && (each.dueAt ?? 0) - ctx.at >= reachWithinMs)),
  );
}

function wordOf(ctx: TurnContext, id: string, notification: string): Word | null {
  const page = pageOf(ctx, id);
  const outgoing = page?.outgoing.find((each) => each.id === notification);
  return page === undefined || outgoing === undefined ? null : { page, outgoing };
}
