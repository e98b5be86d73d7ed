// What we believe about one identity now, and what the desk keeps beside the belief.
import type { MuteReason } from '../mute/facts.ts';
import type { Instant } from '../time.ts';
import type { Entity, Link } from './event.ts';
import type { FlapHistory } from './flapping.ts';
import type { Labels } from './labels.ts';
import type { Severity } from './severity.ts';

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
  /** Until when the source holds it back; absent when it said no end. */
  readonly muteEnd?: MuteEnd;
  readonly incident: string | null;
  /** Episodes of this identity known to be over, newest last, at most 8; absent when none is known. */
  readonly ended?: readonly string[];
  /** The newest end that named no episode: when its source said it, by the source's own clock, and when it came; absent when all named theirs. */
  readonly lastEnd?: { readonly said: Instant; readonly at: Instant };
  /** When the present episode began by its source's own clock, where `startedAt` does not say that. */
  readonly began?: Instant;
  /** Episodes that another took the place of while the alert was firing, at most 8: their end does not end the present one. */
  readonly replaced?: readonly string[];
  /** Number of the newest episode heard of, as in AlertEvent; absent when the source gives none. */
  readonly order?: string;
  /** What it is about, as in AlertEvent; absent where its identity says that. */
  readonly subject?: string;
  /** Until when its source vouches for it, our clock, and the number of the fact that began to wait for that. */
  readonly lease?: { readonly until: Instant; readonly asked: number };
  /** While cleared: the ended episode that is told as firing all the same; absent when none is. */
  readonly refired?: Refired;
}

/** The end of a source's mute and when that was told, both by our clock; the number of the fact that began to wait for it, once one did. */
export interface MuteEnd {
  readonly until: Instant;
  readonly since: Instant;
  readonly asked?: number;
}

/** Late firings of one ended episode: the first and the newest that count, by our clock, and how many. */
export interface Refired {
  readonly episode: string;
  readonly since: Instant;
  readonly at: Instant;
  readonly told: number;
}

/** What is remembered of an identity whose alert is not on the desk. */
export interface Remembered extends Pick<Alert, 'order' | 'clearedAt' | 'refired' | 'lastEnd'> {
  /** When the newest of it was heard, or the alert left the desk; our clock. */
  readonly at: Instant;
  /** Episodes known to be over, newest last, at most 8. */
  readonly ended: readonly string[];
}

/** An alert with what the desk keeps beside the belief itself. */
export interface AlertRow {
  readonly alert: Alert;
  readonly history: FlapHistory;
  readonly flapping: boolean;
  /** It flapped, so, and has been firing steadily since; absent otherwise. */
  readonly flapped?: string;
  readonly muted: MuteReason | null;
  /** What it can be joined by, and the fact that joined it to its incident. */
  readonly keys: readonly string[];
  readonly joined: number;
  /** The fact since which it counts as firing in its incident; rows of 0.1.0 have none, and then `joined` says it. */
  readonly fired?: number;
  /** Where it was told last; rows of 0.1.0 do not say. */
  readonly endpoint?: string;
}

/** Counts in its incident: an unconfirmed alert does not (I1). */
export function isFiring(alert: Alert): boolean {
  return alert.state === 'firing' && !alert.soft;
}
