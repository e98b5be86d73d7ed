// What is said about muting on the log: silences that people set, and which alerts are held back, with the reason.
import type { Matcher } from '../alert/labels.ts';
import type { FactBase, InputBase } from '../stamp.ts';
import type { Instant } from '../time.ts';

export interface Silence {
  readonly id: string;
  readonly matchers: readonly Matcher[];
  readonly startsAt: Instant;
  readonly endsAt: Instant;
  /** Ends as soon as every alert it muted has cleared. */
  readonly untilResolved: boolean;
  readonly by: string;
  readonly comment: string;
}

/** Sets, replaces (same id) or expires (`endsAt` = now) a silence. */
export interface SilenceSet extends InputBase {
  readonly type: 'SilenceSet';
  readonly silence: Silence;
}

export type MuteReason =
  | { readonly kind: 'silence'; readonly silence: string; readonly until: Instant; readonly comment: string }
  | { readonly kind: 'source'; readonly says: string; readonly until?: Instant }
  | { readonly kind: 'flapping'; readonly percent: number }
  | { readonly kind: 'soft' };

export interface AlertMuted extends FactBase {
  readonly type: 'AlertMuted';
  readonly fingerprint: string;
  readonly incident: string | null;
  readonly reason: MuteReason | null;
  /** The end that the source had said of its own mute has passed. */
  readonly sourceMute?: null;
}

export interface SilenceChanged extends FactBase {
  readonly type: 'SilenceChanged';
  readonly silence: Silence;
  readonly state: 'active' | 'expired';
}

/** Look whether the time is over for which a source said that it holds an alert back; `mute` is `asked` of its end. */
export interface SourceMuteWake {
  readonly kind: 'sourceMute';
  readonly fingerprint: string;
  readonly mute: number;
  readonly asked: number;
}

export type MuteWake = SourceMuteWake | SilenceWake;

/** What a silence waits for: its end, its begin when it was set for later, and to look at the rest of the alerts it may concern. */
export type SilenceWake =
  | { readonly kind: 'silence'; readonly silence: string; readonly endsAt: Instant }
  | { readonly kind: 'silenceStart'; readonly silence: string; readonly startsAt: Instant }
  | { readonly kind: 'silenceReview'; readonly silence: string; readonly from: string; readonly asked: number };
