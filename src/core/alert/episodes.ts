// Which episodes of an identity are over, by the names that its source gives them and by the order in which it numbers them.
// What a claim changes is merge.ts; how what is known outlives the alert on the desk is remembered.ts.
//   O1  Numbers order episodes only within one series; where the source does not number them, or began a new series, they say nothing.
//   O2  An end that names no episode (a recovery without the number of its problem) says when: what its source said before that, and what comes
//       within a quarter of an hour after that end, is over. Later nothing is late for it: the clock of the source may have been set back.
import { minute, type Instant, type Millis } from '../time.ts';
import type { AlertEvent } from './event.ts';
import type { Alert } from './row.ts';

const endedKept = 8;
/** How long a word may be on its way. */
export const onTheWayMs: Millis = 15 * minute;

/** What is known of the episodes of an identity. */
export type Episodes = Pick<Alert, 'ended' | 'order' | 'lastEnd'>;

/** Less than 0 when episode `a` began before `b`, more when after; 0 when the numbers do not say (O1). A number is `18` or `18@series`. */
export function compareOrder(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return 0;
  const [number = '', series = ''] = a.split('@', 2);
  const [otherNumber = '', otherSeries = ''] = b.split('@', 2);
  if (series !== otherSeries || number === otherNumber) return 0;
  if (number.length !== otherNumber.length) return number.length - otherNumber.length;
  return number < otherNumber ? -1 : 1;
}

/** The episode that the claim names is known to have ended. */
export function isOver({ ended }: Episodes, { episode }: Pick<AlertEvent, 'episode'>): boolean {
  return episode !== '' && (ended?.includes(episode) ?? false);
}

/** It is known to have ended, or its number says that a later one has begun. */
export function isPast(known: Episodes, event: Pick<AlertEvent, 'episode' | 'episodeOrder'>): boolean {
  return isOver(known, event) || compareOrder(event.episodeOrder, known.order) < 0;
}

/** Its source said it before an end that named no episode (O2). */
export function isSaidBefore({ lastEnd }: Episodes, { sentAt }: AlertEvent, seenAt: Instant): boolean {
  return lastEnd !== undefined && sentAt !== undefined && sentAt < lastEnd.said && isOnItsWay(lastEnd, seenAt);
}

/** An end that names no episode, and was said no later than one that is known: it is told again, or was on its way (O2). */
export function isKnownEnd({ lastEnd }: Episodes, { episode, sentAt }: AlertEvent, seenAt: Instant): boolean {
  return episode === '' && lastEnd !== undefined && sentAt !== undefined && sentAt <= lastEnd.said && isOnItsWay(lastEnd, seenAt);
}

function isOnItsWay({ at }: NonNullable<Episodes['lastEnd']>, seenAt: Instant): boolean {
  return seenAt >= at && seenAt - at <= onTheWayMs;
}

/** What is known once this end has come; one without a time of its source's own says nothing (O2). */
export function endedBy({ lastEnd }: Episodes, { episode, sentAt }: AlertEvent, at: Instant): Pick<Alert, 'lastEnd'> {
  if (episode === '' && sentAt !== undefined && sentAt >= (lastEnd?.said ?? 0)) return { lastEnd: { said: sentAt, at } };
  return lastEnd === undefined ? {} : { lastEnd };
}

/** What is known once the named episode has ended, too: the newest eight. */
export function endedWith({ ended = [] }: Pick<Alert, 'ended'>, episode: string): Pick<Alert, 'ended'> {
  if (episode === '' || ended.includes(episode)) return ended.length === 0 ? {} : { ended };
  return { ended: [...ended, episode].slice(-endedKept) };
}

/** A source that gives no times still tells, by the episode it fires with, that the one before it is another. */
export function replacedBy({ episode, replaced = [] }: Alert, next: string): Pick<Alert, 'replaced'> {
  if (next === '' || episode === '' || next === episode || replaced.includes(episode)) return {};
  return { replaced: [...replaced, episode].slice(-endedKept) };
}

/** The later of what is held and what the claim says; a new series takes the place of the old one. */
export function laterOrder({ order }: Episodes, { episodeOrder }: Pick<AlertEvent, 'episodeOrder'>): Pick<Alert, 'order'> {
  const later = episodeOrder === undefined || compareOrder(episodeOrder, order) < 0 ? order : episodeOrder;
  return later === undefined ? {} : { order: later };
}
