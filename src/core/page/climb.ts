// Where a ringing page goes next: up the ladder of today, round again, and at its end over and over, until somebody has it.
//   P1  A page rings one rung at a time; the next rings when the rung's wait is over, when nobody on it was told within a minute, or as soon
//       as nobody on it can be.
//   P3  A wake names page and ring, so a late timer cannot climb twice.
//   P7  A ladder that has ended rings its last rung again and again; who acknowledges or resolves ends it, nothing else does.
//   P8  A page that nobody took says so (`unreached`) and goes to the fail-open notifiers.
import { reword } from '../incident/called.ts';
import { emit, nextSeq, wakeAfter, type TurnContext } from '../context.ts';
import { worstOf } from '../alert/severity.ts';
import { criticalsOf, severityNow } from '../decide/taken.ts';
import type { Incident } from '../incident/row.ts';
import { muteOf } from '../mute/mute.ts';
import { suppressionOf } from '../mute/suppression.ts';
import { minute, second, spanOf, type Millis } from '../time.ts';
import { reachWithinMs, send } from './delivery.ts';
import { isHeard, isTakenUp, ringOf } from './outgoing.ts';
import type { Ladder } from './ladder.ts';
import { rings, type NotifyKind } from './notification.ts';
import { ladderNow } from './route.ts';
import { pageOf, type Page } from './row.ts';

/** However short the last rung's wait is, once the ladder has ended. */
const lastRungEveryMs: Millis = minute;

/** Rules of critical alerts that a page remembers to have rung for. */
export const criticalsKnown = 50;

export interface Place {
  readonly round: number;
  readonly rung: number;
  readonly kind: NotifyKind;
  readonly reason?: string;
  /** The alert that it rings for, when that is not the worst of the incident. */
  readonly about?: string;
}

/** Rings a rung of the ladder as it is today; a place beyond its end is its last rung. */
export function ring(ctx: TurnContext, id: string, place: Place): void {
  const page = pageOf(ctx, id);
  if (page === undefined) return;
  reword(ctx, page.incident);
  const ladder = ladderNow(ctx, page);
  const number = Math.min(place.rung, ladder.rungs.length - 1);
  const rung = ladder.rungs[number];
  if (rung === undefined) return;
  const { round, kind, reason, about } = place;
  const incident = ctx.desk.tables.incidents.rows.get(page.incident);
  const severity = incident === undefined ? undefined : worstOf(page.severity ?? 'info', [severityNow(ctx, incident)]);
  const criticals = incident?.severity === 'critical' ? criticalRulesOf(ctx, incident, page.criticals) : undefined;
  const era = (page.era ?? 0) + (isNewEra(page, kind) ? 1 : 0); // P9
  const carried = page.outgoing.filter((each) => isTakenUp(each, kind) && rung.notify.includes(each.notifier)); // P6
  emit(ctx, {
    type: 'PageRang',
    page: id,
    incident: page.incident,
    round,
    rung: number,
    ring: page.ring + 1,
    kind,
    ...(severity === undefined ? {} : { severity }),
    ...(era === 0 ? {} : { era }),
    ...(reason === undefined ? {} : { reason }),
    ...(about === undefined ? {} : { about }),
    ...(criticals === undefined ? {} : { criticals }),
    ...(isSame(ladder, page.ladder) ? {} : { ladder }),
    ...(carried.length === 0 ? {} : { carried: carried.map((each) => ({ notification: each.id, kind: carriedKind(each.kind, kind) })) }),
  });
  for (const notifier of new Set(rung.notify)) if (!carried.some((each) => each.notifier === notifier)) send(ctx, id, notifier, kind);
  const waitMs = round > ladder.repeat ? Math.max(rung.waitMs, lastRungEveryMs) : rung.waitMs;
  wakeAfter(ctx, waitMs, { kind: 'rung', page: id, ring: page.ring + 1 });
  if (waitMs > reachWithinMs) wakeAfter(ctx, reachWithinMs, { kind: 'reach', page: id, ring: page.ring + 1 });
}

/** What is rung for after an acknowledgement, or for something new, is to call people anew, also where vendors ring once for a key. */
function isNewEra({ state, ring: rang }: Page, kind: NotifyKind): boolean {
  return state === 'acked' || (rang > 0 && (kind === 'risen' || kind === 'joined' || kind === 'approval'));
}

/** Rules of critical alerts that the page rang for, and of those that nothing mutes now; when it knows as many as it can, it rings anew for none. */
function criticalRulesOf(ctx: TurnContext, incident: Incident, known: readonly string[] = []): readonly string[] {
  const names = new Set(known);
  for (const row of criticalsOf(ctx, incident)) {
    if (names.size >= criticalsKnown) break;
    if (!names.has(row.alert.name) && muteOf(ctx, row) === null) names.add(row.alert.name);
  }
  return [...names];
}

/** Who has not been told yet is told for the first time. */
function carriedKind(before: NotifyKind, now: NotifyKind): NotifyKind {
  return before === 'page' && now === 'repeat' ? before : now;
}

function isSame(one: Ladder, other: Ladder): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Nobody on the ringing rung was told, and nobody will be soon: the next one rings without waiting (P1). */
export function climbWhenUnheard(ctx: TurnContext, pages: readonly Page[]): void {
  for (const page of pages) climbNow(ctx, page);
}

function climbNow(ctx: TurnContext, page: Page): void {
  if (isQuiet(ctx, page)) return;
  if (wasDropped(page)) return ringSame(ctx, page);
  if (hasNext(ctx, page)) return climb(ctx, page);
  tellUnreached(ctx, page); // the next round waits its turn, so that a broken notifier is not hammered
}

/** The rung's wait is over: climb, begin another round, or ring the last rung again. */
export function onRung(ctx: TurnContext, id: string, ringNumber: number): void {
  const page = pageOf(ctx, id);
  if (page?.state !== 'ringing' || page.ring !== ringNumber) return; // P3
  if (isQuiet(ctx, page)) {
    const waitMs = Math.max(page.ladder.rungs[page.rung]?.waitMs ?? minute, second);
    return wakeAfter(ctx, waitMs, { kind: 'rung', page: id, ring: page.ring, asked: nextSeq(ctx) });
  }
  if (wasDropped(page)) return ringSame(ctx, page);
  climb(ctx, page);
}

/** The message that told it besides has come to its end at the vendor, or somebody has what led it: it rings its rung by itself. */
export function onLeft(ctx: TurnContext, id: string, ringNumber: number): void {
  const page = pageOf(ctx, id);
  if (page?.state !== 'ringing' || page.ring !== ringNumber || isQuiet(ctx, page)) return; // P3
  ring(ctx, id, { round: page.round, rung: page.rung, kind: 'repeat' });
}

/** A minute after it rang: somebody on the rung has been told, or it has had its time. */
export function onReach(ctx: TurnContext, id: string, ringNumber: number): void {
  const page = pageOf(ctx, id);
  if (page?.state !== 'ringing' || page.ring !== ringNumber) return; // P3
  if (!ringOf(page).some(isHeard)) climbNow(ctx, page);
}

function climb(ctx: TurnContext, page: Page): void {
  const { round, rung, id } = page;
  if (hasNext(ctx, page)) return ring(ctx, id, { round, rung: rung + 1, kind: 'repeat' });
  tellUnreached(ctx, page);
  const ladder = ladderNow(ctx, page);
  if (round < ladder.repeat) return ring(ctx, id, { round: round + 1, rung: 0, kind: 'repeat' });
  const fresh = pageOf(ctx, id) ?? page;
  if (fresh.reach === null) {
    const every = spanOf(Math.max(ladder.rungs.at(-1)?.waitMs ?? 0, lastRungEveryMs));
    const why = `ladder ${ladder.name} ended after ${round + 1} rounds and nobody acknowledged; its last rung rings again every ${every}`;
    emit(ctx, { type: 'PageReachChanged', page: id, incident: page.incident, reach: 'exhausted', why });
  }
  ring(ctx, id, { round: round + 1, rung: ladder.rungs.length - 1, kind: 'repeat' }); // P7
}

/** All rungs have rung and no notifier took it: it is written down, and the fail-open notifiers are told (P8). */
function tellUnreached(ctx: TurnContext, page: Page): void {
  if (page.reach === 'unreached' || page.outgoing.some((each) => rings[each.kind] && isHeard(each))) return;
  const ladder = ladderNow(ctx, page);
  const others = (ctx.policy.delivery?.lastResort ?? []).filter((name) => !ladder.rungs.some(({ notify }) => notify.includes(name)));
  const then =
    others.length === 0 ? 'no fail-open notifier is configured beside it' : `the fail-open notifiers are told: ${others.join(', ')}`;
  const why = `nobody on ladder ${ladder.name} could be told; ${then}`;
  emit(ctx, { type: 'PageReachChanged', page: page.id, incident: page.incident, reach: 'unreached', why });
  for (const notifier of others) send(ctx, page.id, notifier, 'unreached');
}

/** Everything that rang was dropped, for the ladder was changed or nobody was to be called then: the rung has not had its time yet. */
function wasDropped(page: Page): boolean {
  const rang = ringOf(page);
  return rang.length > 0 && rang.every(({ state }) => state === 'dropped');
}

/** Nothing mutes it now: what was dropped because something did, so that nobody heard of it, rings at once instead of at its next rung. */
export function ringDropped(ctx: TurnContext, page: Page | undefined): void {
  if (page?.state === 'ringing' && wasDropped(page)) ringSame(ctx, page);
}

function ringSame(ctx: TurnContext, page: Page): void {
  ring(ctx, page.id, { round: page.round, rung: page.rung, kind: ringOf(page)[0]?.kind ?? 'repeat' });
}

/** Everything that could be acted on has been silenced since: stay quiet, ask again after the wait. */
export function isQuiet(ctx: TurnContext, page: Page): boolean {
  const incident = ctx.desk.tables.incidents.rows.get(page.incident);
  return incident === undefined || suppressionOf(ctx, incident, null) !== null;
}

function hasNext(ctx: TurnContext, page: Page): boolean {
  return page.rung + 1 < ladderNow(ctx, page).rungs.length;
}
