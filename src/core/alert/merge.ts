// One alert: what sources claim (AlertEvent), and what we believe now (Alert).
// Decides what a claim changes; where the alert belongs is incident/place.ts, what mutes it mute/mute.ts, how much it matters score/score.ts.
import { spanOf, type Instant } from '../time.ts';
import { compareOrder, endedBy, endedWith, isKnownEnd, isOver, isPast, isSaidBefore, laterOrder, replacedBy } from './episodes.ts';
import { muteAfter } from '../mute/source.ts';
import type { AlertEvent } from './event.ts';
import { isFiringAfterAll, toldAgain } from './refire.ts';
import type { Alert, Refired, Remembered } from './row.ts';
import { severityRank } from './severity.ts';

/** How a claim relates to what we believed: `late` tells of an episode that is already over, or was never known. */
export type Merge = {
  readonly change: 'opened' | 'reopened' | 'repeated' | 'severity' | 'cleared' | 'acknowledged' | 'unacknowledged' | 'noted' | 'late';
  readonly alert: Alert | null;
  /** Why, where the claim itself does not say it. */
  readonly why?: string;
  /** What is known from now on of an alert that is not on the desk, where the claim told something new. */
  readonly remembered?: Remembered;
};

/**
 * Folds one source's claim into what we believe about the alert; `belief` is undefined for one that is not on the desk, of which
 * `remembered` may still know episodes. Times are source clock; `seenAt` is ours. A clear of the same episode pairs whatever the clocks
 * say; one of another clears when the source numbered that later, and else unless it ended before the held episode began: of two
 * Alertmanagers each keeps a start of its own. An episode known to have ended does not reopen: it is late, unless its source keeps telling it (refire.ts). An end that the
 * gateway concluded from silence is no such knowledge: the next word of the source is stronger.
 * An unconfirmed alert that is confirmed opens (or reopens) then, not when it was first heard of.
 * Cf. Alertmanager's merge of alerts with one fingerprint; its implied timeout is replaced by an explicit claim.
 */
export function merge(
  belief: Alert | undefined,
  event: AlertEvent,
  seenAt: Instant,
  remembered?: Remembered,
  told: AlertEvent = event,
): Merge {
  switch (event.claim) {
    case 'firing':
      return belief === undefined ? firingAnew(remembered, event, seenAt, told) : mergeFiring(belief, event, seenAt, told);
    case 'cleared':
      return belief === undefined ? endedUnseen(remembered, event, seenAt) : mergeCleared(belief, event, seenAt, told);
    case 'acknowledged':
      if (belief?.state !== 'firing' || isPast(belief, event)) return { change: 'late', alert: belief ?? null };
      return {
        change: belief.acknowledged ? 'repeated' : 'acknowledged',
        alert: { ...touched(belief, event, seenAt), acknowledged: true },
      };
    case 'unacknowledged':
      if (belief?.state !== 'firing' || isPast(belief, event)) return { change: 'late', alert: belief ?? null };
      return {
        change: belief.acknowledged ? 'unacknowledged' : 'repeated',
        alert: { ...touched(belief, event, seenAt), acknowledged: false },
      };
    case 'noted':
      return belief === undefined ? { change: 'late', alert: null } : { change: 'noted', alert: touched(belief, event, seenAt) };
  }
}

function firingAnew(remembered: Remembered | undefined, event: AlertEvent, seenAt: Instant, told: AlertEvent): Merge {
  if (remembered !== undefined && isSaidBefore(remembered, event, seenAt)) return { change: 'late', alert: null };
  if (remembered === undefined || !isPast(remembered, event)) return { change: 'opened', alert: begun(event, seenAt, remembered, told) };
  const refired = toldAgain({ ...remembered, heardAt: remembered.at }, event, seenAt);
  if (refired === undefined || refired === remembered.refired) return { change: 'late', alert: null };
  if (!isFiringAfterAll(refired)) return { change: 'late', alert: null, remembered: { ...remembered, refired } };
  const ended = remembered.ended.filter((episode) => episode !== event.episode);
  return { change: 'opened', alert: begun(event, seenAt, { ...remembered, ended }, told), why: whyAfterAll(refired) };
}

/** The end of an alert that is not on the desk: its problem may still come, late. */
function endedUnseen(remembered: Remembered | undefined, event: AlertEvent, seenAt: Instant): Merge {
  const known = remembered ?? {};
  const { lastEnd } = endedBy(known, event, seenAt);
  if (event.presumed === true || (event.episode === '' && lastEnd === undefined)) return { change: 'late', alert: null };
  const { ended = [] } = endedWith(known, event.episode);
  const clearedAt = Math.max(event.observedAt, remembered?.clearedAt ?? 0);
  const also = lastEnd === undefined ? {} : { lastEnd };
  return { change: 'late', alert: null, remembered: { at: seenAt, ended, ...laterOrder(known, event), clearedAt, ...also } };
}

function mergeFiring(belief: Alert, event: AlertEvent, seenAt: Instant, told: AlertEvent): Merge {
  const isOther = belief.state === 'cleared' || event.episode !== belief.episode;
  if (isOther && isSaidBefore(belief, event, seenAt)) return { change: 'late', alert: belief };
  if (belief.state === 'cleared') {
    return isPast(belief, event) ? refire(belief, event, seenAt, told) : { change: 'reopened', alert: begun(event, seenAt, belief, told) };
  }
  if (isPast(belief, event) || isOfEarlier(belief, event)) return { change: 'late', alert: belief };
  const alert: Alert = {
    ...touched(belief, event, seenAt),
    episode: event.episode === '' ? belief.episode : event.episode,
    severity: event.severity,
    soft: belief.soft && event.soft === true,
    // Whoever acknowledged it knew it as it was then.
    acknowledged: belief.acknowledged && severityRank(event.severity) <= severityRank(belief.severity),
    ...replacedBy(belief, event.episode),
    ...beganAnew(belief, told),
    ...laterOrder(belief, event),
  };
  const restated: Alert = { ...alert, ...newestWords(belief, event) };
  if (belief.soft && !alert.soft) return { change: alert.incident === null ? 'opened' : 'reopened', alert: restated };
  return alert.severity === belief.severity ? { change: 'repeated', alert: restated } : { change: 'severity', alert: restated };
}

/** Another episode, of which its source spoke before the present one began: a word that was on its way. */
function isOfEarlier({ episode, began, startedAt }: Alert, { episode: other, sentAt }: AlertEvent): boolean {
  return episode !== '' && other !== '' && other !== episode && sentAt !== undefined && sentAt < (began ?? startedAt);
}

/** It fires on, with another episode: from here on what ends it is an end after the beginning of that. */
function beganAnew({ episode }: Alert, { episode: next, startedAt, sentAt }: AlertEvent): Pick<Alert, 'began'> {
  return episode === '' || next === '' || next === episode || sentAt === undefined ? {} : { began: startedAt };
}

/** An ended episode is told as firing: late, until it has been told so often that it fires after all (refire.ts). */
function refire(belief: Alert, event: AlertEvent, seenAt: Instant, told: AlertEvent): Merge {
  const refired = toldAgain({ ...belief, heardAt: belief.seenAt }, event, seenAt);
  if (refired === undefined || refired === belief.refired) return { change: 'late', alert: belief };
  if (!isFiringAfterAll(refired)) return { change: 'late', alert: { ...belief, refired, seenAt } };
  const ended = (belief.ended ?? []).filter((episode) => episode !== event.episode);
  return { change: 'reopened', alert: begun(event, seenAt, { ...belief, ended }, told), why: whyAfterAll(refired) };
}

function whyAfterAll({ told, at, since }: Refired): string {
  const how = told === 1 ? `${spanOf(at - since)} later` : `${told} times in ${spanOf(at - since)}`;
  return `its source said that it had ended and fires on with it, ${how}: taken as firing`;
}

/** What the source now says of it, unless that was seen before what we know; a part that is the same stays the same object. */
function newestWords(belief: Alert, event: AlertEvent): Pick<Alert, 'summary' | 'labels' | 'annotations' | 'links' | 'entity'> {
  const newest = event.observedAt < belief.observedAt ? belief : event;
  return {
    summary: newest.summary,
    labels: kept(belief.labels, newest.labels),
    annotations: kept(belief.annotations, newest.annotations),
    links: kept(belief.links, newest.links),
    entity: kept(belief.entity, newest.entity),
  };
}

function kept<Part extends object>(before: Part, now: Part): Part {
  return JSON.stringify(before) === JSON.stringify(now) ? before : now;
}

function mergeCleared(belief: Alert, event: AlertEvent, seenAt: Instant, told: AlertEvent): Merge {
  const { refired: _refired, ...before } = belief;
  const ended = event.presumed === true ? {} : { ...endedWith(belief, event.episode), ...endedBy(belief, event, seenAt) };
  const known: Alert = { ...before, ...ended };
  if (belief.state === 'cleared') return { change: 'repeated', alert: touched({ ...known, ...laterOrder(belief, event) }, event, seenAt) };
  if (isEndOfEarlier(belief, event, told) || isKnownEnd(belief, event, seenAt)) return { change: 'late', alert: { ...belief, ...ended } };
  const over: Alert = { ...known, ...laterOrder(belief, event), ...(event.presumed === true ? {} : endedWith(known, belief.episode)) };
  const clearedAt = Math.max(event.observedAt, belief.startedAt); // a sender's clock may have gone back between the two
  return { change: 'cleared', alert: { ...touched(over, event, seenAt), state: 'cleared', clearedAt } };
}

/**
 * The end is that of an episode before the one that is held. Numbers of the source go before times, which may be the receipt's; times of
 * its own clock are compared as it told them, for what we believe of that clock may have changed in between.
 */
function isEndOfEarlier(belief: Alert, event: AlertEvent, told: AlertEvent): boolean {
  if (event.episode !== '' && event.episode === belief.episode) return false;
  if (isOver(belief, event)) return true;
  const order = compareOrder(event.episodeOrder, belief.order);
  if (order !== 0) return order < 0;
  const isReplaced = belief.replaced?.includes(event.episode) === true;
  const isNamed = event.episode !== '' && belief.episode !== '';
  // An end that is told to be as old as its start has no time of its own: then the start, or the order in which both were told, says it.
  const isBefore = (one: AlertEvent, began: Instant): boolean =>
    one.observedAt < began || (one.observedAt <= one.startedAt && (isReplaced || (isNamed && one.startedAt <= began)));
  const byOurs = isBefore(event, belief.startedAt);
  if (event.sentAt === undefined) return byOurs;
  return belief.began === undefined ? byOurs && isBefore(told, belief.startedAt) : isBefore(told, belief.began);
}

/** A new episode; of an earlier one, `before`, it keeps the incident, what is known to be over, and the source's mute until that is lifted. */
function begun(event: AlertEvent, seenAt: Instant, before: Partial<Alert> | undefined, told: AlertEvent): Alert {
  return {
    fingerprint: event.fingerprint,
    source: event.source,
    episode: event.episode,
    name: event.name,
    summary: event.summary,
    state: 'firing',
    severity: event.severity,
    labels: event.labels,
    annotations: event.annotations,
    entity: event.entity,
    links: event.links,
    startedAt: event.startedAt,
    observedAt: event.observedAt,
    seenAt,
    clearedAt: null,
    count: 1,
    acknowledged: false,
    soft: event.soft === true,
    ...muteAfter(before, event, seenAt),
    incident: before?.incident ?? null,
    ...(before?.ended === undefined ? {} : { ended: before.ended }),
    ...(before?.lastEnd === undefined ? {} : { lastEnd: before.lastEnd }),
    ...(told.startedAt === event.startedAt ? {} : { began: told.startedAt }),
    ...(event.episodeOrder === undefined ? {} : { order: event.episodeOrder }),
    ...(event.subject === undefined ? {} : { subject: event.subject }),
  };
}

function touched(before: Alert, event: AlertEvent, seenAt: Instant): Alert {
  const { muteEnd: _muteEnd, ...belief } = before;
  return {
    ...belief,
    observedAt: Math.max(belief.observedAt, event.observedAt),
    seenAt,
    count: belief.count + 1,
    ...muteAfter(before, event, seenAt),
  };
}
