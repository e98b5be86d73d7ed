// One page: from the first ring to an acknowledgement or a resolution.
// Decides only. Which rung rings next is climb.ts, what becomes of one notification delivery.ts, its words notice.ts, sending it engine/effects.
//   P2  An acked page never rings again before its ack times out, or something has happened that the ack does not cover, a playbook
//       that a person let act has failed, one asks for a yes, or the storm that spoke for it does so no longer; it closes only when its
//       incident resolves.
import { emit, nextSeq, wakeAfter, type TurnContext } from '../context.ts';
import { idOf } from '../ids.ts';
import { calledNow } from '../incident/called.ts';
import { incidentOf, type Incident } from '../incident/row.ts';
import { clockOf, hour, minute, second, spanOf, type Instant, type Millis } from '../time.ts';
import type { WakeHandlers } from '../wakes.ts';
import { companionsOf } from './bundle.ts';
import { climbWhenUnheard, isQuiet, onLeft, onReach, onRung, ring, type Place } from './climb.ts';
import { send, takeAnswer, takeBundle, takeClaim, takeWake } from './delivery.ts';
import type { NotifyAnswered, NotifyClaimed, PageWake } from './facts.ts';
import { endOf } from './notice.ts';
import type { NotifyKind } from './notification.ts';
import { isTakenUp } from './outgoing.ts';
import { ladderFor } from './route.ts';
import { erasTold, pageOf, type Page } from './row.ts';

/** What a message told besides has so long to end, or to be taken, with what led it. */
const ledMs: Millis = 15 * second;

/** Why a page rings again; `about` is the alert that it rings for, when that is not the worst. */
type Why = Pick<Place, 'kind' | 'about'> & { readonly reason: string };

export const pageWakes: WakeHandlers<PageWake['kind']> = {
  rung: (ctx, wake) => (wake.same === true ? onLeft : onRung)(ctx, wake.page, wake.ring),
  reach: (ctx, wake) => onReach(ctx, wake.page, wake.ring),
  ack: (ctx, wake) => onAckTimeout(ctx, wake),
  bundle: (ctx, wake) => climbWhenUnheard(ctx, takeBundle(ctx, wake)),
  notify: (ctx, wake) => climbWhenUnheard(ctx, takeWake(ctx, wake)),
};

/** Opens the incident's page and rings the first rung. An incident has at most one page in a life. */
export function openPage(
  ctx: TurnContext,
  incident: Incident,
  why: { readonly reason: string; readonly ladder: string | null; readonly kind: NotifyKind },
): void {
  const ladder = ladderFor(ctx, incident, why.ladder);
  if (ladder === null) {
    emit(ctx, { type: 'IncidentNoted', incident: incident.id, by: 'quench', text: 'no ladder is configured: nobody can be paged' });
    return;
  }
  const page = idOf('p', ctx.desk.scope, nextSeq(ctx));
  // A page is of one life of its incident, and of one installation: no late word about another can end it at the vendor.
  const dedupKey = ctx.installation === null ? `quench:${page}` : `quench:${ctx.installation}:${page}`;
  const { title } = calledNow(ctx, incident);
  emit(ctx, { type: 'PageOpened', page, incident: incident.id, ladder, title, reason: why.reason, dedupKey });
  ring(ctx, page, { round: 0, rung: 0, kind: why.kind });
}

/** A notifier has answered. */
export function onNotifyAnswered(ctx: TurnContext, input: NotifyAnswered): void {
  climbWhenUnheard(ctx, takeAnswer(ctx, input));
}

/** A worker wants to deliver a notification. */
export function onNotifyClaimed(ctx: TurnContext, input: NotifyClaimed): void {
  climbWhenUnheard(ctx, takeClaim(ctx, input));
}

/** Somebody has it: the page stops ringing, and everybody who was told hears who that is. */
export function ackPage(ctx: TurnContext, page: Page, who: { readonly by: string; readonly via: string }): void {
  if (page.state === 'closed' || (page.state === 'acked' && page.ackedBy === who.by)) return;
  watchLed(ctx, page);
  emit(ctx, { type: 'PageAcked', page: page.id, incident: page.incident, ...who });
  for (const notifier of page.told) send(ctx, page.id, notifier, 'acknowledged');
  const { ackTimeoutMs } = page.ladder;
  const again = page.state === 'acked' ? { asked: nextSeq(ctx) } : {};
  if (ackTimeoutMs > 0) wakeAfter(ctx, ackTimeoutMs, { kind: 'ack', page: page.id, ring: page.ring, ...again });
}

/**
 * A storm speaks for it: the page stops ringing, here and where vendors ring for it, and rings anew when the storm no longer speaks for it.
 * Who takes the storm later has this, too; everybody who was told of it was told of the storm, so that nobody is told of it once more.
 */
export function hushPage(ctx: TurnContext, page: Page, who: { readonly by: string; readonly via: string; readonly storm: string }): void {
  const { id, incident, state } = page;
  if (state === 'closed') return;
  const { by, via, storm } = who;
  watchLed(ctx, page);
  emit(ctx, { type: 'PageAcked', page: id, incident, by, via, storm });
  if (state !== 'ringing') return;
  // What was told within another page's message has nothing of its own at the vendor that would ring on.
  for (const notifier of page.told) if (erasTold(page, notifier).length > 0) send(ctx, id, notifier, 'acknowledged');
}

/** The storm with which somebody took it is over, and it is not: from here on its own acknowledgement may time out. */
export function watchAck(ctx: TurnContext, page: Page): void {
  const { ackTimeoutMs } = page.ladder;
  if (page.state !== 'acked' || ackTimeoutMs === 0) return;
  wakeAfter(ctx, ackTimeoutMs, { kind: 'ack', page: page.id, ring: page.ring, asked: nextSeq(ctx) });
}

/** The acknowledgement has timed out and the incident is still open: ring from the first rung again. */
function onAckTimeout(ctx: TurnContext, wake: Extract<PageWake, { kind: 'ack' }>): void {
  const { page: id, ring: ringNumber, asked = 0 } = wake;
  const page = pageOf(ctx, id);
  if (page?.state !== 'acked' || page.ring !== ringNumber || asked < (page.takenOver ?? 0)) return; // P2, P3
  const since = incidentOf(ctx, page.incident)?.taken?.at;
  if (isQuiet(ctx, page)) {
    return wakeAfter(ctx, quietWait(ctx, page, since), { kind: 'ack', page: id, ring: ringNumber, asked: nextSeq(ctx) });
  }
  const when = since === undefined ? '' : ` at ${clockOf(since)}`;
  const reason = `acknowledged by ${page.ackedBy ?? 'somebody'}${when}, still open after ${spanOf(page.ladder.ackTimeoutMs)}`;
  ringEverybody(ctx, page, { kind: 'repeat', reason });
}

/**
 * Muted when its acknowledgement times out: the silence may end at any time, and whoever has it has had their time, so that it is asked
 * again soon, and the longer the silence lasts the more rarely, from a minute to an hour.
 */
function quietWait({ at }: TurnContext, { ladder }: Page, since: Instant = at): Millis {
  const overdueMs = Math.max(0, at - since - ladder.ackTimeoutMs);
  return Math.min(ladder.ackTimeoutMs, hour, Math.max(minute, Math.floor(overdueMs / 4)));
}

/** Everybody whom the page has told hears once that what it is about comes and goes, while it rings (F5). */
export function tellFlapping(ctx: TurnContext, incident: Incident): void {
  const page = pageOf(ctx, incident.page);
  if (page?.state !== 'ringing') return;
  for (const notifier of page.told) send(ctx, page.id, notifier, 'flapping');
}

/** Somebody had answered the page, or it rings, and it needs a person after all or anew: from the first rung on. */
export function ringAgain(ctx: TurnContext, page: Page, why: Why): void {
  if (page.state !== 'closed') ringEverybody(ctx, page, why); // P3: its ack timeout and the wait of its rung are stale now
}

/** Rings the first rung, and everybody else who was told; to whom a ring is on its way already, it will say this. */
function ringEverybody(ctx: TurnContext, { id }: Page, why: Why): void {
  ring(ctx, id, { round: 0, rung: 0, ...why });
  const page = pageOf(ctx, id);
  const first = page?.ladder.rungs[0]?.notify ?? [];
  const others = page?.told.filter((notifier) => !first.includes(notifier)) ?? [];
  for (const notifier of others) {
    if (page?.outgoing.some((each) => each.notifier === notifier && isTakenUp(each, why.kind)) !== true) send(ctx, id, notifier, why.kind);
  }
}

/**
 * What its message told besides has nothing of its own at the vendor: once this ends there, or is taken, nothing calls for those until
 * their next rung. What still rings after a moment, for what recovers mostly recovers together, rings by itself then (U3).
 */
function watchLed(ctx: TurnContext, page: Page): void {
  if (page.state !== 'ringing') return; // it called for nothing any more: that was watched when it was taken
  const alone = companionsOf(ctx, page.id).filter(
    (led) => led.page.told.includes(led.notifier) && erasTold(led.page, led.notifier).length === 0,
  );
  for (const led of new Set(alone.map((each) => each.page))) {
    wakeAfter(ctx, ledMs, { kind: 'rung', page: led.id, ring: led.ring, asked: nextSeq(ctx), same: true });
  }
}

/** The incident is over: stop ringing and tell everybody who may have been told. */
export function closePage(ctx: TurnContext, page: Page, why: string): void {
  if (page.state === 'closed') return;
  watchLed(ctx, page);
  const end = page.outgoing.length === 0 ? {} : { end: endOf(ctx, page) };
  emit(ctx, { type: 'PageClosed', page: page.id, incident: page.incident, why, ...end });
  for (const notifier of page.told) send(ctx, page.id, notifier, 'resolve');
}
