// What the gateway decided about an alert or an incident, and why.
import type { Change } from '../alert/facts.ts';
import type { Score } from '../score/score.ts';
import type { FactBase } from '../stamp.ts';
import type { Instant, Millis } from '../time.ts';

export type Decision = 'page' | 'remediate' | 'hold' | 'suppress' | 'record';

/** Exactly one for each AlertSeen that is no redelivery: the answer to "what did you do with it, and why". */
export interface AlertDecided extends FactBase {
  readonly type: 'AlertDecided';
  readonly fingerprint: string;
  /** Where the claim came in; missing in records of 0.1.0. */
  readonly endpoint?: string;
  readonly change: Change;
  readonly incident: string | null;
  readonly decision: Decision;
  readonly reason: string;
  readonly score: Score | null;
  /** The delivery and the place in it, as the input had them, and the input's offset: where the raw payload is. */
  readonly delivery: string;
  readonly index: number;
  readonly offset: number;
  /** Our receipt minus the sender's clock, where the claim tells it. */
  readonly lagMs?: Millis;
  /** How long the source had been silent about an alert that it tells again. */
  readonly gapMs?: Millis;
  /** What was added to the sender's times, when that is not 0. */
  readonly skewMs?: Millis;
}

/** What the gateway will do about an incident now, and why. */
export interface IncidentDecided extends FactBase {
  readonly type: 'IncidentDecided';
  readonly incident: string;
  readonly decision: Decision;
  readonly reason: string;
  /** While it holds because others are at work: what must be released (`lock|target`, `slot|playbook`, `thaw`) for it to go on at once. */
  readonly waitsFor?: readonly string[];
}

/** The condition of a trigger that has to hold for a while has come true for an alert, or (`since` null) holds no longer. */
export interface TriggerHeld extends FactBase {
  readonly type: 'TriggerHeld';
  readonly incident: string;
  readonly playbook: string;
  /** Of the playbook whose condition it is; empty when it holds no longer. */
  readonly digest: string;
  /** Which of the playbook's triggers, from 0. */
  readonly trigger: number;
  /** Empty where the condition is about the incident. */
  readonly fingerprint: string;
  readonly since: Instant | null;
}

/** What a decision about an incident waits for. */
export type DecideWake =
  /** The incident has settled: decide about paging it. */
  | { readonly kind: 'settle'; readonly incident: string; readonly life: number }
  /** A playbook's `for`, a busy lock, or the hold-off before a page is over: deliberate again, `about` an alert when one raised the question. */
  | { readonly kind: 'deliberate'; readonly incident: string; readonly asked: number; readonly about?: string }
  /** Alerts did not clear after a run that succeeded. */
  | { readonly kind: 'grace'; readonly incident: string; readonly run: string; readonly asked?: number };
