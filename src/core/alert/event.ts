// What a source claims about one thing: immutable, free of vendor words, its sizes bounded by the adapter.
import type { Instant } from '../time.ts';
import type { Labels } from './labels.ts';
import type { Severity } from './severity.ts';

/**
 * What a source says. `firing` and `cleared` change state; `acknowledged` says a person took it at the source, `unacknowledged`
 * that nobody has it there any more;
 * `noted` (custom notification, comment, downtime or flapping notice) says something without a new state.
 */
export type Claim = 'firing' | 'cleared' | 'acknowledged' | 'unacknowledged' | 'noted';

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
  /**
   * Number of the occurrence, where the source numbers those of one identity as they begin: decimal digits without leading zeros, and
   * `@` with the series where numbers may begin anew (`81@1764494400`). Absent when it does not.
   */
  readonly episodeOrder?: string;
  /**
   * What it is about, as a key, of a source whose identity is one occurrence of that (an issue of New Relic): occurrences that follow each
   * other are one thing that comes and goes. Absent where the identity says it.
   */
  readonly subject?: string;
  /** The rule or check: what "the same kind of alert" means when we learn. Never empty. */
  readonly name: string;
  /** One line for people; never empty. */
  readonly summary: string;
  readonly claim: Claim;
  readonly proof?: Proof;
  /** Nobody said so: the gateway concluded the end from silence. It does not outlast the next word of the source. */
  readonly presumed?: true;
  readonly severity: Severity;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly entity: Entity;
  /** Source clock; when the condition began. */
  readonly startedAt: Instant;
  /** Source clock; when the source saw what it claims. Equals receipt time when the source does not say. */
  readonly observedAt: Instant;
  /** Source clock at the sending of this claim, or the newest time it tells; absent when it tells none that is as new as the claim. */
  readonly sentAt?: Instant;
  /** Firing: the source vouches for it until then, by its clock, and tells it again before if it lasts; absent when it says no end. */
  readonly until?: Instant;
  readonly links: readonly Link[];
  /** A condition the source itself does not trust yet (Nagios SOFT state): recorded, never paged. */
  readonly soft?: boolean;
  /** The source itself holds notifications back: `downtime`, `flapping`, `silenced`, … ; null lifts it; absent says nothing. */
  readonly sourceMute?: string | null;
  /** What the source holds back is one episode, and the next begins unmuted (a Zabbix problem); absent: the thing itself (a downtime). */
  readonly muteOf?: 'episode';
  /** Until when the source holds it back, by its clock, where it says so and tells nobody when that is over; absent: until it lifts it. */
  readonly muteUntil?: Instant;
  /** Remark of a person or the source that belongs on the timeline. */
  readonly note?: string;
}
