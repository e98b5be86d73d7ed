// Everything that decides, as one document on the log (PolicyPublished), so that a decision can be explained later.
import type { Severity } from '../alert/severity.ts';
import type { Ladder } from '../page/ladder.ts';
import type { Millis } from '../time.ts';
import type { Playbook } from './document.ts';

/** Least severity and score at which an incident without a helping playbook is paged. */
export interface PagingRule {
  readonly severity: Severity;
  readonly score: number;
}

/** The first ladder whose condition holds gets the page; the last has none and is the fallback. */
export interface Route {
  readonly when: string | null;
  readonly ladder: string;
}

export interface GroupingRule {
  /** Alerts that share an entity join the same incident when their starts lie within this span (event time). */
  readonly windowMs: Millis;
  /** Labels whose equal values also join alerts, beside the entity: each entry is one set that must agree whole. */
  readonly labels: readonly (readonly string[])[];
  /** A recurrence within this span of the resolution reopens the incident instead of opening another. */
  readonly reopenMs: Millis;
  /** Members listed one by one; beyond it a member is only counted. */
  readonly membersMax: number;
}

export interface StormRule {
  /** So many new alerts of one scope … */
  readonly alerts: number;
  /** … within this span start a storm: one bounded incident, one page. */
  readonly withinMs: Millis;
}

export interface FlapRule {
  readonly startPercent: number;
  readonly stopPercent: number;
  /** Steady for so long, it no longer flaps; absent in policies of 0.1.0: five minutes. */
  readonly steadyMs?: Millis;
}

export interface DeliveryRule {
  /** How long whoever was told is tried to be told of the end. */
  readonly keepTryingMs: Millis;
  /** Notifiers that are told when nobody on a page's ladder could be. */
  readonly lastResort: readonly string[];
  /** After a notifier was called, so long further rings for it wait to be told together; absent, or 0: each is told by itself. */
  readonly bundleMs?: Millis;
}

export interface Policy {
  readonly digest: string;
  readonly playbooks: readonly Playbook[];
  readonly ladders: { readonly [name: string]: Ladder };
  readonly routes: readonly Route[];
  readonly grouping: GroupingRule;
  readonly storm: StormRule;
  readonly flap: FlapRule;
  readonly paging: PagingRule;
  /** How long a new incident is watched before it is paged, so that a storm becomes one page. */
  readonly settleMs: Millis;
  /** How long a playbook may work before a person is told all the same; 0 pages at once, in parallel. */
  readonly holdOffMs: Millis;
  /** An alert that nobody repeats or clears is taken as ended after this. */
  readonly staleMs: Millis;
  /** Absent in policies of 0.1.0: a day, and nobody beyond the ladder. */
  readonly delivery?: DeliveryRule;
}
