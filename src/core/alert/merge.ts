// One alert: what sources claim (AlertEvent), and what we believe now (Alert).
// Decides what a claim changes; where the alert belongs is incident/place.ts, what mutes it mute/mute.ts, how much it matters score/score.ts.
import { spanOf, type Instant } from '../time.ts';
import type { AlertEvent } from './event.ts';
import { isFiringAfterAll, toldAgain } from './refire.ts';
import type { Alert } from './row.ts';
import { severityRank } from './severity.ts';

const endedKept = 8;

/** How a claim relates to what we believed: `late` tells of an episode that is already over, or was never known. */
export type Merge = {
  readonly change: 'opened' | 'reopened' | 'repeated' | 'severity' | 'cleared' | 'acknowledged' | 'unacknowledged' | 'noted' | 'late';
  readonly alert: Alert | null;
  /** Why, where the claim itself does not say it. */
  readonly why?: string;
};

/**
 * Folds one source's claim into what we believe about the alert; `belief` is undefined for an identity never heard of.
 * Times are source clock; `seenAt` is ours. A clear of the same episode pairs whatever the clocks say; one of
 * another clears unless that began before the held episode, or ended before it began. An episode known to have ended does not reopen: it is late,
 * unless its source keeps telling it (refire.ts).
 * An unconfirmed alert that is confirmed opens (or reopens) then, not when it was first heard of.
 * Cf. Alertmanager's merge of alerts with one fingerprint; its implied timeout is replaced by an explicit claim.
 */
export function merge(belief: Alert | undefined, event: AlertEvent, seenAt: Instant): Merge {
  switch (event.claim) {
    case 'firing':
      return mergeFiring(belief, event, seenAt);
    case 'cleared':
      return mergeCleared(belief, event, seenAt);
    case 'acknowledged':
      if (belief?.state !== 'firing') return { change: 'late', alert: belief ?? null };
      return {
        change: belief.acknowledged ? 'repeated' : 'acknowledged',
        alert: { ...touched(belief, event, seenAt), acknowledged: true },
      };
    case 'unacknowledged':
      if (belief?.state !== 'firing') return { change: 'late', alert: belief ?? null };
      return {
        change: belief.acknowledged ? 'unacknowledged' : 'repeated',
        alert: { ...touched(belief, event, seenAt), acknowledged: false },
      };
    case 'noted':
      return belief === undefined ? { change: 'late', alert: null } : { change: 'noted', alert: touched(belief, event, seenAt) };
  }
}

function mergeFiring(belief: Alert | undefined, event: AlertEvent, seenAt: Instant): Merge {
  if (belief === undefined) return { change: 'opened', alert: begun(event, seenAt, undefined) };
  if (belief.state === 'cleared') {
    return isOver(belief, event) ? refire(belief, event, seenAt) : { change: 'reopened', alert: begun(event, seenAt, belief) };
  }
  if (isOver(belief, event)) return { change: 'late', alert: belief };
  const alert: Alert = {
    ...touched(belief, event, seenAt),
    episode: event.episode === '' ? belief.episode : event.episode,
    severity: event.severity,
    summary: event.summary,
    soft: belief.soft && event.soft === true,
    // Whoever acknowledged it knew it as it was then.
    acknowledged: belief.acknowledged && severityRank(event.severity) <= severityRank(belief.severity),
    ...replacedBy(belief, event.episode),
  };
  // What the source now says of it counts when its state moved; a plain repeat keeps the words it began with.
  const restated: Alert = { ...alert, labels: event.labels, annotations: event.annotations, links: event.links };
  if (belief.soft && !alert.soft) return { change: alert.incident === null ? 'opened' : 'reopened', alert: restated };
  return alert.severity === belief.severity ? { change: 'repeated', alert } : { change: 'severity', alert: restated };
}

/** An ended episode is told as firing: late, until it has been told so often that it fires after all (refire.ts). */
function refire(belief: Alert, event: AlertEvent, seenAt: Instant): Merge {
  const refired = toldAgain(belief, event, seenAt);
  if (refired === undefined || refired === belief.refired) return { change: 'late', alert: belief };
  if (!isFiringAfterAll(refired)) return { change: 'late', alert: { ...belief, refired } };
  const ended = (belief.ended ?? []).filter((episode) => episode !== event.episode);
  const why = `its source said that it had ended and fires on with it, ${refired.told} times in ${spanOf(refired.at - refired.since)}: taken as firing`;
  return { change: 'reopened', alert: begun(event, seenAt, { ...belief, ended }), why };
}

function mergeCleared(belief: Alert | undefined, event: AlertEvent, seenAt: Instant): Merge {
  if (belief === undefined) return { change: 'late', alert: null };
  const { refired: _refired, ...before } = belief;
  const known: Alert = { ...before, ...endedWith(belief, event.episode) };
  if (belief.state === 'cleared') return { change: 'repeated', alert: touched(known, event, seenAt) };
  const same = event.episode !== '' && event.episode === belief.episode;
  const earlier = event.episode !== '' && belief.episode !== '' && event.startedAt <= belief.startedAt;
  if (
    !same &&
    (earlier || belief.replaced?.includes(event.episode) === true || isOver(belief, event) || event.observedAt < belief.startedAt)
  )
    return { change: 'late', alert: belief };
  const over: Alert = { ...known, ...endedWith(known, belief.episode) };
  const clearedAt = Math.max(event.observedAt, belief.startedAt); // a sender's clock may have gone back between the two
  return { change: 'cleared', alert: { ...touched(over, event, seenAt), state: 'cleared', clearedAt } };
}

/** The episode that the claim tells of is known to have ended. */
function isOver(belief: Alert, { episode }: AlertEvent): boolean {
  return episode !== '' && (belief.ended?.includes(episode) ?? false);
}

/** A source that gives no times still tells, by the episode it fires with, that the one before it is another. */
function replacedBy({ episode, replaced = [] }: Alert, next: string): Pick<Alert, 'replaced'> {
  if (next === '' || episode === '' || next === episode || replaced.includes(episode)) return {};
  return { replaced: [...replaced, episode].slice(-endedKept) };
}

function endedWith({ ended = [] }: Alert, episode: string): Pick<Alert, 'ended'> {
  if (episode === '' || ended.includes(episode)) return ended.length === 0 ? {} : { ended };
  return { ended: [...ended, episode].slice(-endedKept) };
}

/** A new episode; of an earlier one, `before`, it keeps the incident, and the source's mute until the source lifts it. */
function begun(event: AlertEvent, seenAt: Instant, before: Alert | undefined): Alert {
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
    sourceMute: event.sourceMute === undefined ? (before?.sourceMute ?? null) : event.sourceMute,
    incident: before?.incident ?? null,
    ...(before?.ended === undefined ? {} : { ended: before.ended }),
  };
}

function touched(belief: Alert, event: AlertEvent, seenAt: Instant): Alert {
  return {
    ...belief,
    observedAt: Math.max(belief.observedAt, event.observedAt),
    seenAt,
    count: belief.count + 1,
    sourceMute: event.sourceMute === undefined ? belief.sourceMute : event.sourceMute,
  };
}
