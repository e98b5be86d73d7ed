// One alert: what sources claim (AlertEvent), and what we believe now (Alert).
// Decides what a claim changes; where the alert belongs is incident/place.ts, what mutes it mute/mute.ts, how much it matters score/score.ts.
import type { Instant } from '../time.ts';
import type { AlertEvent } from './event.ts';
import type { Alert } from './row.ts';
import { severityRank } from './severity.ts';

/** How a claim relates to what we believed: `late` tells of an episode that is already over, or was never known. */
export type Merge = {
  readonly change: 'opened' | 'reopened' | 'repeated' | 'severity' | 'cleared' | 'acknowledged' | 'noted' | 'late';
  readonly alert: Alert | null;
};

/**
 * Folds one source's claim into what we believe about the alert; `belief` is undefined for an identity never heard of.
 * Times are source clock; `seenAt` is ours. A clear of another episode, or older than the episode it should end, is late.
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
    case 'noted':
      return belief === undefined ? { change: 'late', alert: null } : { change: 'noted', alert: touched(belief, event, seenAt) };
  }
}

function mergeFiring(belief: Alert | undefined, event: AlertEvent, seenAt: Instant): Merge {
  if (belief === undefined) return { change: 'opened', alert: begun(event, seenAt, undefined) };
  if (belief.state === 'cleared') {
    const over = event.episode !== '' && event.episode === belief.episode && event.observedAt <= (belief.clearedAt ?? 0);
    return over ? { change: 'late', alert: belief } : { change: 'reopened', alert: begun(event, seenAt, belief) };
  }
  const alert: Alert = {
    ...touched(belief, event, seenAt),
    episode: event.episode === '' ? belief.episode : event.episode,
    severity: event.severity,
    summary: event.summary,
    soft: belief.soft && event.soft === true,
    // Whoever acknowledged it knew it as it was then.
    acknowledged: belief.acknowledged && severityRank(event.severity) <= severityRank(belief.severity),
  };
  // What the source now says of it counts when its state moved; a plain repeat keeps the words it began with.
  const restated: Alert = { ...alert, labels: event.labels, annotations: event.annotations, links: event.links };
  if (belief.soft && !alert.soft) return { change: alert.incident === null ? 'opened' : 'reopened', alert: restated };
  return alert.severity === belief.severity ? { change: 'repeated', alert } : { change: 'severity', alert: restated };
}

function mergeCleared(belief: Alert | undefined, event: AlertEvent, seenAt: Instant): Merge {
  if (belief === undefined) return { change: 'late', alert: null };
  if (belief.state === 'cleared') return { change: 'repeated', alert: touched(belief, event, seenAt) };
  const other = event.episode !== '' && belief.episode !== '' && event.episode !== belief.episode;
  if (other || event.observedAt < belief.startedAt) return { change: 'late', alert: belief };
  return { change: 'cleared', alert: { ...touched(belief, event, seenAt), state: 'cleared', clearedAt: event.observedAt } };
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
