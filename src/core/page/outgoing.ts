// Where one notification stands: predicates over its row. What moves it is delivery.ts.
import { mayWait } from './bundle.ts';
import { rings, type NotifyKind } from './notification.ts';
import { isUntilAccepted } from './present.ts';
import type { Outgoing, Page } from './row.ts';

/** What was asked for, or carried on, when the ringing rung rang. */
export function ringOf(page: Page): readonly Outgoing[] {
  return page.outgoing.filter(({ ring, kind }) => ring === page.ring && rings[kind]);
}

/** A notifier has taken it, for at least some of its recipients. */
export function isHeard({ state, heard }: Outgoing): boolean {
  return state === 'accepted' || heard === true;
}

/** Asked for or being delivered: an answer is to come. */
export function isOpen({ state }: Outgoing): boolean {
  return state === 'asked' || state === 'granted';
}

/** An answer or another attempt is to come. */
export function isUnderWay(outgoing: Outgoing): boolean {
  const { state, kind, with: others } = outgoing;
  return isOpen(outgoing) || isHeldBack(outgoing) || (state === 'waiting' && (isUntilAccepted(kind) || others !== undefined));
}

/** A ring that is not over: a newer one for its notifier takes it up instead of sending another (P6). */
export function isRingUnderWay(outgoing: Outgoing): boolean {
  return rings[outgoing.kind] && (isOpen(outgoing) || isHeldBack(outgoing) || outgoing.state === 'waiting');
}

/**
 * A newer ring of this kind takes it up instead of sending another (P6); what may not wait does not take up what waits for others, or what
 * another's message tells, in the words of before when that is on its way.
 */
export function isTakenUp(outgoing: Outgoing, kind: NotifyKind): boolean {
  return isRingUnderWay(outgoing) && (!isHeldBack(outgoing) || mayWait(kind));
}

/** In a bundle: it waits for others, or another's message tells it. */
function isHeldBack({ state }: Outgoing): boolean {
  return state === 'held' || state === 'bundled';
}
