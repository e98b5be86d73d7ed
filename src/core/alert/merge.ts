// One alert: what sources claim (AlertEvent), and what we believe now (Alert).
// Decides what a claim changes; grouping is group.ts, silencing is mute.ts, urgency is score.ts.
import type { Instant } from '../time.ts';
import type { AlertEvent } from './event.ts';
import type { Alert } from './row.ts';

/** How a claim relates to what we held: `late` tells of an episode that is already over, or was never known. */
export type Merge = {
  readonly change: 'opened' | 'reopened' | 'repeated' | 'severity' | 'cleared' | 'acknowledged' | 'noted' | 'late';
  readonly alert: Alert | null;
};

/**
 * Folds one source's claim into what we believe about the alert; `held` is undefined for an identity never seen.
 * Times are source clock; `seenAt` is ours. A clear of another episode, or older than the episode it should end, is late.
 * An unconfirmed alert that is confirmed opens (or reopens) then, not when it was first heard of.
 * Cf. Alertmanager's merge of alerts with one fingerprint; its implied timeout is replaced by an explicit claim.
 */
export function merge(held: Alert | undefined, event: AlertEvent, seenAt: Instant): Merge {
  switch (event.claim) {
    case 'firing':
      return mergeFiring(held, event, seenAt);
    case 'cleared':
      return mergeCleared(held, event, seenAt);
    case 'acknowledged':
      if (held?.state !== 'firing') return { change: 'late', alert: held ?? null };
      return { change: held.acknowledged ? 'repeated' : 'acknowledged', alert: { ...touched(held, event, seenAt), acknowledged: true } };
    case 'noted':
      return held === undefined ? { change: 'late', alert: null } : { change: 'noted', alert: touched(held, event, seenAt) };
  }
}

function mergeFiring(held: Alert | undefined, event: AlertEvent, seenAt: Instant): Merge {
  if (held === undefined) return { change: 'opened', alert: begun(event, seenAt, undefined) };
  if (held.state === 'cleared') {
    const over = event.episode !== '' && event.episode === held.episode && event.observedAt <= (held.clearedAt ?? 0);
    return over ? { change: 'late', alert: held } : { change: 'reopened', alert: begun(event, seenAt, held) };
  }
  const alert: Alert = {
    ...touched(held, event, seenAt),
    episode: event.episode === '' ? held.episode : event.episode,
    severity: event.severity,
    summary: event.summary,
    soft: held.soft && event.soft === true,
  };
  // What the source now says of it counts when its state moved; a plain repeat keeps the words it began with.
  const restated: Alert = { ...alert, labels: event.labels, annotations: event.annotations, links: event.links };
  if (held.soft && !alert.soft) return { change: alert.incident === null ? 'opened' : 'reopened', alert: restated };
  return alert.severity === held.severity ? { change: 'repeated', alert } : { change: 'severity', alert: restated };
}

function mergeCleared(held: Alert | undefined, event: AlertEvent, seenAt: Instant): Merge {
  if (held === undefined) return { change: 'late', alert: null };
  if (held.state === 'cleared') return { change: 'repeated', alert: touched(held, event, seenAt) };
  const other = event.episode !== '' && held.episode !== '' && event.episode !== held.episode;
  if (other || event.observedAt < held.startedAt) return { change: 'late', alert: held };
  return { change: 'cleared', alert: { ...touched(held, event, seenAt), state: 'cleared', clearedAt: event.observedAt } };
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

function touched(held: Alert, event: AlertEvent, seenAt: Instant): Alert {
  return {
    ...held,
    observedAt: Math.max(held.observedAt, event.observedAt),
    seenAt,
    count: held.count + 1,
    sourceMute: event.sourceMute === undefined ? held.sourceMute : event.sourceMute,
  };
}
