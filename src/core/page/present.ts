// What must still be true when a word to people leaves: one table by kind of notification, asked at the grant (law 4); effects of playbooks
// have theirs in core/present.ts. First attempts, retries, restarts and takeovers all come through the same grant (delivery.ts).
// A condition answers why the word must not leave now, or null. What follows when it is dropped is delivery.ts and climb.ts.
//   G1  Nothing is granted while a condition of its kind speaks against it.
//   G2  Conditions read the desk and the rules in force now, never what was written down when the thing was asked for.
import type { TurnContext } from '../context.ts';
import { flapsNow } from '../decide/flaps.ts';
import { incidentOf } from '../incident/row.ts';
import { suppressionOf } from '../mute/suppression.ts';
import { rings, type NotifyKind } from './notification.ts';
import { ladderNow } from './route.ts';
import type { Outgoing, Page } from './row.ts';

/** Why it must not leave now, in words for the timeline, or null. */
type Condition = (ctx: TurnContext, word: Word) => string | null;

/** A notification that asks to leave, and its page. */
export interface Word {
  readonly page: Page;
  readonly outgoing: Outgoing;
}

/** The first reason that speaks against it, or null when it may leave (G1). */
export function reasonAgainst(ctx: TurnContext, word: Word): string | null {
  for (const condition of words[word.outgoing.kind]) {
    const reason = condition(ctx, word);
    if (reason !== null) return reason;
  }
  return null;
}

const pageRings: Condition = (_ctx, { page }) =>
  page.state === 'closed' ? 'it is over' : page.state === 'acked' ? `${page.ackedBy ?? 'somebody'} has it` : null;

const pageIsClosed: Condition = (_ctx, { page }) => (page.state === 'closed' ? null : 'it is not over');

const pageIsAcked: Condition = (_ctx, { page }) => (page.state === 'acked' ? null : 'nobody has it any more');

/** The incident is open, and its page of today is this one: a page of an earlier life says nothing any more. */
const pageIsCurrent: Condition = (ctx, { page }) => {
  const incident = incidentOf(ctx, page.incident);
  if (incident === undefined || incident.state === 'resolved') return 'the incident is resolved';
  return incident.page === page.id ? null : `page ${incident.page ?? 'of a later life'} has taken its place`;
};

const isNotMuted: Condition = (ctx, { page }) => {
  const incident = incidentOf(ctx, page.incident);
  return incident === undefined ? null : suppressionOf(ctx, incident, null);
};

/** Flapping itself mutes what is less than critical, and is what is to be told. */
const isFlapping: Condition = (ctx, { page }) => {
  const incident = incidentOf(ctx, page.incident);
  return incident !== undefined && flapsNow(ctx, incident) === null ? 'it flaps no longer, or is muted' : null;
};

const isNewestRing: Condition = (_ctx, { page, outgoing }) => {
  const newer = page.outgoing.find(({ notifier, kind, ring }) => notifier === outgoing.notifier && rings[kind] && ring > outgoing.ring);
  return newer === undefined ? null : `ring ${newer.ring} has taken its place`;
};

/** The ladder of today still names it; a ladder that was renamed or is gone is the one that the routes give now. */
const isOnLadder: Condition = (ctx, { page, outgoing }) => {
  const ladder = ladderNow(ctx, page);
  const named = ladder.rungs.some(({ notify }) => notify.includes(outgoing.notifier));
  return named ? null : `ladder ${ladder.name} no longer names ${outgoing.notifier}`;
};

const isUnreached: Condition = (_ctx, { page }) => (page.reach === 'unreached' ? null : 'somebody was reached meanwhile');

const ofRings = [pageRings, pageIsCurrent, isNotMuted, isNewestRing, isOnLadder] as const;

/** What must hold for each kind of word to people. */
const words: { readonly [Kind in NotifyKind]: readonly Condition[] } = {
  page: ofRings,
  repeat: ofRings,
  risen: ofRings,
  joined: ofRings,
  unacknowledged: ofRings,
  storm: ofRings,
  approval: ofRings,
  unreached: [pageRings, pageIsCurrent, isNotMuted, isUnreached],
  acknowledged: [pageIsAcked, pageIsCurrent],
  flapping: [pageRings, pageIsCurrent, isFlapping],
  resolve: [pageIsClosed],
};

/** Kinds that are tried until they are accepted, refused or not, within the policy's span: whoever was told must know. */
const untilAccepted: ReadonlySet<NotifyKind> = new Set<NotifyKind>(['resolve', 'acknowledged']);

export function isUntilAccepted(kind: NotifyKind): boolean {
  return untilAccepted.has(kind);
}
