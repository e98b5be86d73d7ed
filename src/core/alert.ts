// One alert: what sources claim (AlertEvent), and what we believe now (Alert).
// Decides what a claim changes; grouping is group.ts, silencing is mute.ts, urgency is score.ts.
import type { Labels } from './labels.ts';
import type { Instant } from './time.ts';

export const severities = ['info', 'warning', 'error', 'critical'] as const;
/** Least to most severe; an adapter maps its vendor's scale onto these four words. */
export type Severity = (typeof severities)[number];

/** 0 for info … 3 for critical. */
export function severityRank(severity: Severity): number {
  return severities.indexOf(severity);
}

/**
 * What a source says. `firing` and `cleared` change state; `acknowledged` says a person took it at the source;
 * `noted` (custom notification, comment, downtime or flapping notice) says something without a new state.
 */
export type Claim = 'firing' | 'cleared' | 'acknowledged' | 'noted';

/** How a `cleared` came about: a check saw it well (`measured`), or it merely ended (`assumed`: TTL, vanished series, manual close). */
export type Proof = 'measured' | 'assumed';

/** Where the trouble is, in lower case, ports and domains kept as the source wrote them; every part optional. */
export interface Entity {
  readonly host?: string;
  readonly ip?: string;
  readonly service?: string;
  readonly pod?: string;
  readonly namespace?: string;
  readonly cluster?: string;
}

export interface Link {
  readonly text: string;
  /** Only http and https; adapters drop the rest. */
  readonly href: string;
}

/** A claim by a source, immutable. Sizes are bounded by the adapter (`adapters/kit/event.ts`). */
export interface AlertEvent {
  /** Vendor word of the adapter that parsed it: `prometheus`, `nagios`, … */
  readonly source: string;
  /** 16 lower-case hex digits: the identity; firing and cleared share it; annotations never enter it. */
  readonly fingerprint: string;
  /** The source's own key of this occurrence (startsAt, problem id, event id); '' when it has none. */
  readonly episode: string;
  /** The rule or check: what "the same kind of alert" means when we learn. Never empty. */
  readonly name: string;
  /** One line for people; never empty. */
  readonly summary: string;
  readonly claim: Claim;
  readonly proof?: Proof;
  readonly severity: Severity;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly entity: Entity;
  /** Source clock; when the condition began. */
  readonly startedAt: Instant;
  /** Source clock; when the source saw what it claims. Equals receipt time when the source does not say. */
  readonly observedAt: Instant;
  readonly links: readonly Link[];
  /** A condition the source itself does not trust yet (Nagios SOFT state): recorded, never paged. */
  readonly soft?: boolean;
  /** The source itself holds notifications back: `downtime`, `flapping`, `silenced`, … ; null lifts it; absent says nothing. */
  readonly sourceMute?: string | null;
  /** Remark of a person or the source that belongs on the timeline. */
  readonly note?: string;
}

export type AlertState = 'firing' | 'cleared';

/** What we believe about one identity now: the merge of its events. */
export interface Alert {
  readonly fingerprint: string;
  readonly source: string;
  readonly episode: string;
  readonly name: string;
  readonly summary: string;
  readonly state: AlertState;
  readonly severity: Severity;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly entity: Entity;
  readonly links: readonly Link[];
  readonly startedAt: Instant;
  readonly observedAt: Instant;
  /** Receipt time of the newest event; gateway clock. */
  readonly seenAt: Instant;
  readonly clearedAt: Instant | null;
  /** Events folded into this episode, duplicates included. */
  readonly count: number;
  readonly acknowledged: boolean;
  readonly soft: boolean;
  readonly sourceMute: string | null;
  readonly incident: string | null;
}

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
