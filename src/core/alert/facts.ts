// What is said about alerts on the log: the claims that come in, and what they did to what we believe.
import type { FactBase, InputBase } from '../stamp.ts';
import type { Instant } from '../time.ts';
import type { AlertEvent } from './event.ts';
import type { Alert, Remembered } from './row.ts';

export interface AlertSeen extends InputBase {
  readonly type: 'AlertSeen';
  readonly endpoint: string;
  /** Sender's id of the delivery when it has one ('' otherwise) and the event's place in it: a redelivery is dropped by them. */
  readonly delivery: string;
  readonly index: number;
  readonly event: AlertEvent;
}

/** A source told us that it left alerts out of a delivery (Alertmanager `truncatedAlerts`). */
export interface AlertsHidden extends InputBase {
  readonly type: 'AlertsHidden';
  readonly endpoint: string;
  readonly count: number;
  readonly group: string;
}

/** What a claim did to the alert it names. */
export type Change = 'opened' | 'reopened' | 'repeated' | 'severity' | 'cleared' | 'acknowledged' | 'unacknowledged' | 'noted' | 'late';

/** The belief about an alert after a claim; `alert` is null when only the counters moved, or nothing was known. */
export interface AlertMerged extends FactBase {
  readonly type: 'AlertMerged';
  readonly fingerprint: string;
  readonly change: Change;
  readonly alert: Alert | null;
  readonly count: number;
  readonly observedAt: Instant;
  /** A state for the flapping history: hard states and soft recoveries. */
  readonly observed: boolean;
  /** Number of the bucket, half a storm window, in which a new alert counts; null for what is not new. The stored word is `half`. */
  readonly half: number | null;
  readonly note: string | null;
  /** Only where `alert` is null: what is known from now on of an alert that is not on the desk. */
  readonly remembered?: Remembered;
  /** Until when its source vouches for it, where it says so; our clock. */
  readonly until?: Instant;
}

export interface AlertFlapping extends FactBase {
  readonly type: 'AlertFlapping';
  readonly fingerprint: string;
  readonly incident: string | null;
  readonly flapping: boolean;
  readonly percent: number;
  /** `9 times in 4 min, down 50 % of the time`; absent in 0.1.0. */
  readonly text?: string;
  /** How it flapped, when it ended because the alert was steady. */
  readonly steady?: string;
}

/** Look whether a flapping alert has been steady long enough. */
export interface SteadyWake {
  readonly kind: 'steady';
  readonly fingerprint: string;
  readonly asked: number;
}

/** The time is over for which a source vouches for an alert, or was, and it was given more. */
export interface LeaseWake {
  readonly kind: 'lease';
  readonly fingerprint: string;
  readonly lease: number;
  readonly why: 'due' | 'patience';
  readonly asked: number;
}

export type AlertWake = SteadyWake | LeaseWake;

export interface AlertsMissing extends FactBase {
  readonly type: 'AlertsMissing';
  readonly endpoint: string;
  readonly group: string;
  readonly count: number;
}
