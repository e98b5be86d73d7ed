// One page: from the first ring to an acknowledgement, a resolution, or the end of the ladder.
// Decides only. What becomes of one notification is delivery.ts, its words are notice.ts, sending it is engine/effects.
//   P1  A page rings one rung at a time; the next rings when the rung's wait is over or nobody on it can be reached.
//   P2  An acked page never rings again before its ack times out, or something has happened that the ack does not cover, or a playbook
//       that a person let act has failed; it closes only when its incident resolves.
//   P3  A wake names page and ring, so a late timer cannot climb twice.
import { emit, nextSeq, wakeAfter, type TurnContext } from '../context.ts';
import { idOf } from '../ids.ts';
import type { Incident } from '../incident/row.ts';
import { suppressionOf } from '../mute/suppression.ts';
import { alertEnvironment, incidentEnvironment } from '../playbook/environment.ts';
import { minute, spanOf } from '../time.ts';
import type { WakeHandlers } from '../wakes.ts';
import { send, takeAnswer, takeWake } from './delivery.ts';
import type { NotifyAnswered, PageWake } from './facts.ts';
import type { Ladder } from './ladder.ts';
import type { NotifyKind } from './notification.ts';
import { pageOf, type Page } from './row.ts';

export const pageWakes: WakeHandlers<PageWake['kind']> = {
  rung: (ctx, wake) => onRung(ctx, wake.page, wake.ring),
  ack: (ctx, wake) => onAckTimeout(ctx, wake.page, wake.ring),
  notify: (ctx, wake) => climbWhenRefused(ctx, takeWake(ctx, wake)),
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
  emit(ctx, { type: 'PageOpened', page, incident: incident.id, ladder, title: incident.title, reason: why.reason });
  ring(ctx, page, { round: 0, rung: 0, kind: why.kind });
}

function ladderFor(ctx: TurnContext, incident: Incident, wanted: string | null): Ladder | null {
  const { policy, expressions } = ctx;
  const named = (name: string): Ladder | null => (Object.hasOwn(policy.ladders, name) ? (policy.ladders[name] ?? null) : null);
  if (wanted !== null && named(wanted) !== null) return named(wanted);
  const root = ctx.desk.tables.alerts.rows.get(incident.root)?.alert;
  const environment = { incident: incidentEnvironment(ctx.desk, incident), alert: root === undefined ? {} : alertEnvironment(root) };
  for (const route of policy.routes) {
    if (route.when === null) return named(route.ladder);
    const holds = expressions.evaluate(route.when, environment);
    if (holds.ok && holds.value === true) return named(route.ladder);
  }
  return named('default') ?? Object.values(policy.ladders)[0] ?? null;
}

interface Place {
  readonly round: number;
  readonly rung: number;
  readonly kind: NotifyKind;
  readonly reason?: string;
}

function ring(ctx: TurnContext, id: string, place: Place): void {
  const before = pageOf(ctx, id);
  const rung = before?.ladder.rungs[place.rung];
  if (before === undefined || rung === undefined) return;
  const { round, rung: number, kind, ...why } = place;
  const { incident } = before;
  const severity = ctx.desk.tables.incidents.rows.get(incident)?.severity;
  const era = (before.era ?? 0) + (before.state === 'acked' ? 1 : 0);
  const also = { ...(severity === undefined ? {} : { severity }), ...(era === 0 ? {} : { era }) };
  emit(ctx, { type: 'PageRang', page: id, incident, round, rung: number, ring: before.ring + 1, kind, ...why, ...also });
  for (const notifier of rung.notify) send(ctx, id, notifier, kind);
  wakeAfter(ctx, rung.waitMs, { kind: 'rung', page: id, ring: before.ring + 1 });
}

/** A notifier has answered. */
export function onNotifyAnswered(ctx: TurnContext, input: NotifyAnswered): void {
  climbWhenRefused(ctx, takeAnswer(ctx, input));
}

/** Nobody on the ringing rung can be reached: the next one rings without waiting (P1). */
function climbWhenRefused(ctx: TurnContext, page: Page | null): void {
  if (page !== null && hasNext(page) && !isQuiet(ctx, page)) climb(ctx, page);
}

/** The rung's wait is over: climb, begin another round, or find that the ladder has ended. */
function onRung(ctx: TurnContext, id: string, ringNumber: number): void {
  const page = pageOf(ctx, id);
  if (page?.state !== 'ringing' || page.ring !== ringNumber) return; // P2, P3
  if (isQuiet(ctx, page)) {
    const waitMs = page.ladder.rungs[page.rung]?.waitMs ?? minute;
    wakeAfter(ctx, waitMs, { kind: 'rung', page: id, ring: page.ring, asked: nextSeq(ctx) });
    return;
  }
  climb(ctx, page);
}

function climb(ctx: TurnContext, page: Page): void {
  if (hasNext(page)) return ring(ctx, page.id, { round: page.round, rung: page.rung + 1, kind: 'repeat' });
  if (page.round < page.ladder.repeat) return ring(ctx, page.id, { round: page.round + 1, rung: 0, kind: 'repeat' });
  emit(ctx, {
    type: 'IncidentNoted',
    incident: page.incident,
    by: 'quench',
    text: `ladder ${page.ladder.name} ended after ${page.round + 1} rounds and nobody acknowledged`,
  });
}

/** Everything that could be acted on has been silenced since: stay quiet, ask again after the wait. */
function isQuiet(ctx: TurnContext, page: Page): boolean {
  const incident = ctx.desk.tables.incidents.rows.get(page.incident);
  return incident === undefined || suppressionOf(ctx, incident, null) !== null;
}

function hasNext(page: Page): boolean {
  return page.rung + 1 < page.ladder.rungs.length;
}

/** Somebody has it: the page stops ringing, and everybody who was told hears who that is. */
export function ackPage(ctx: TurnContext, page: Page, who: { readonly by: string; readonly via: string }): void {
  if (page.state === 'closed' || (page.state === 'acked' && page.ackedBy === who.by)) return;
  emit(ctx, { type: 'PageAcked', page: page.id, incident: page.incident, ...who });
  for (const notifier of page.told) send(ctx, page.id, notifier, 'acknowledged');
  if (page.ladder.ackTimeoutMs > 0) wakeAfter(ctx, page.ladder.ackTimeoutMs, { kind: 'ack', page: page.id, ring: page.ring });
}

/** The acknowledgement has timed out and the incident is still open: ring from the first rung again. */
function onAckTimeout(ctx: TurnContext, id: string, ringNumber: number): void {
  const page = pageOf(ctx, id);
  if (page?.state !== 'acked' || page.ring !== ringNumber) return; // P2, P3
  if (isQuiet(ctx, page)) {
    return wakeAfter(ctx, page.ladder.ackTimeoutMs, { kind: 'ack', page: id, ring: ringNumber, asked: nextSeq(ctx) });
  }
  const reason = `acknowledged by ${page.ackedBy ?? 'somebody'}, still open after ${spanOf(page.ladder.ackTimeoutMs)}`;
  ringEverybody(ctx, page, { kind: 'repeat', reason });
}

/** Somebody had answered the page, or it rings, and it needs a person after all or anew: from the first rung on. */
export function ringAgain(ctx: TurnContext, page: Page, why: { readonly reason: string; readonly kind: NotifyKind }): void {
  if (page.state !== 'closed') ringEverybody(ctx, page, why); // P3: its ack timeout and the wait of its rung are stale now
}

/** Rings the first rung, and tells everybody else who was told. */
function ringEverybody(ctx: TurnContext, page: Page, why: { readonly reason: string; readonly kind: NotifyKind }): void {
  ring(ctx, page.id, { round: 0, rung: 0, ...why });
  const first = page.ladder.rungs[0]?.notify ?? [];
  for (const notifier of page.told) if (!first.includes(notifier)) send(ctx, page.id, notifier, why.kind);
}

/** The incident is over: stop ringing and tell everybody who may have been told. */
export function closePage(ctx: TurnContext, page: Page, why: string): void {
  if (page.state === 'closed') return;
  emit(ctx, { type: 'PageClosed', page: page.id, incident: page.incident, why });
  for (const notifier of page.told) send(ctx, page.id, notifier, 'resolve');
}
