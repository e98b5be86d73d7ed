// What is said about pages on the log: rings, notifications and what became of them, and who has it.
import type { Severity } from '../alert/severity.ts';
import type { FactBase, InputBase } from '../stamp.ts';
import type { Instant } from '../time.ts';
import type { Ladder } from './ladder.ts';
import type { Notification, NotifyKind, NotifyOutcome } from './notification.ts';
import type { Bundle, PageEnd, Placed } from './row.ts';

/** A worker wants to deliver this attempt; it may once `NotifyGranted` names it. */
export interface NotifyClaimed extends InputBase {
  readonly type: 'NotifyClaimed';
  readonly page: string;
  readonly notification: string;
  readonly attempt: number;
  readonly worker: string;
}

export interface NotifyAnswered extends InputBase {
  readonly type: 'NotifyAnswered';
  readonly page: string;
  readonly notification: string;
  /** 0.1.0 did not say which. */
  readonly attempt?: number;
  /** Of the words that were granted to whoever answers: another may have been granted newer ones since. Absent before that was said. */
  readonly era?: number;
  readonly outcome: NotifyOutcome;
}

export interface PageOpened extends FactBase {
  readonly type: 'PageOpened';
  readonly page: string;
  readonly incident: string;
  readonly ladder: Ladder;
  readonly title: string;
  readonly reason: string;
  /** What vendors know the page by; 0.1.0 made it of the incident. */
  readonly dedupKey?: string;
}

/** The page rings a rung: wakes and notifications of earlier rings are stale. */
export interface PageRang extends FactBase {
  readonly type: 'PageRang';
  readonly page: string;
  readonly incident: string;
  readonly round: number;
  readonly rung: number;
  readonly ring: number;
  /** Why an answered page rings again, or a ringing one anew, when something has happened since. */
  readonly reason?: string;
  readonly kind?: NotifyKind;
  /** The alert that it rings for, when that is not the worst of the incident. */
  readonly about?: string;
  /** Rules of critical alerts of the incident when it rang, the first so many: a page rings anew for a critical one of another rule. */
  readonly criticals?: readonly string[];
  /** Severity of the incident when it rang: a page rings anew for what is more severe. */
  readonly severity?: Severity;
  /** How often it rang again after an acknowledgement, or for something new, when it did. */
  readonly era?: number;
  /** The ladder as it is now, when it is not the one of the ring before. */
  readonly ladder?: Ladder;
  /** Notifications of earlier rings that are still on their way to notifiers of this rung: they count for this ring, none is asked for beside them. */
  readonly carried?: readonly { readonly notification: string; readonly kind: NotifyKind }[];
}

/** Asks for one attempt. Its words are written when it is granted; 0.1.0 wrote them here, and nobody reads those any more. */
export interface NotifyRequested extends FactBase {
  readonly type: 'NotifyRequested';
  readonly page: string;
  readonly incident: string;
  readonly notifier: string;
  readonly attempt: number;
  readonly notification: { readonly id: string; readonly kind: NotifyKind };
  /** Rings of other pages that wait for the same notifier, and that this message tells, too. */
  readonly with?: readonly Placed[];
  /** Until when further rings for this notifier wait to be told together, unless they are more severe. */
  readonly bundle?: Omit<Bundle, 'waiting'>;
}

/** It waits until then, to be told together with other rings for the same notifier. */
export interface NotifyHeld extends FactBase {
  readonly type: 'NotifyHeld';
  readonly page: string;
  readonly incident: string;
  readonly notifier: string;
  readonly notification: { readonly id: string; readonly kind: NotifyKind };
  readonly until: Instant;
}

/** This worker may deliver this attempt, in the words of this moment. At least once: another worker may be granted it again. */
export interface NotifyGranted extends FactBase {
  readonly type: 'NotifyGranted';
  readonly page: string;
  readonly incident: string;
  readonly notifier: string;
  readonly attempt: number;
  readonly worker: string;
  /** Of the request; `notification.id` is what the world knows it by. */
  readonly outgoing: string;
  readonly notification: Notification;
}

/** It is not true or not wanted any more, and does not leave. */
export interface NotifyDropped extends FactBase {
  readonly type: 'NotifyDropped';
  readonly page: string;
  readonly incident: string;
  readonly notifier: string;
  readonly notification: string;
  readonly attempt: number;
  readonly why: string;
}

/** What became of one attempt; `retry` says that another follows. */
export interface NotifyFinished extends FactBase {
  readonly type: 'NotifyFinished';
  readonly page: string;
  readonly incident: string;
  readonly notifier: string;
  readonly attempt: number;
  readonly notification: string;
  readonly outcome: NotifyOutcome;
  readonly retry: boolean;
  /** When that is due. */
  readonly retryAt?: Instant;
  /** The notification whose message told this one, when it was told together with others. */
  readonly with?: string;
}

/** Whether the page has reached anybody: null once it has, after it had not. */
export interface PageReachChanged extends FactBase {
  readonly type: 'PageReachChanged';
  readonly page: string;
  readonly incident: string;
  readonly reach: 'unreached' | 'exhausted' | null;
  readonly why: string;
}

export interface PageAcked extends FactBase {
  readonly type: 'PageAcked';
  readonly page: string;
  readonly incident: string;
  readonly by: string;
  readonly via: string;
  /** The storm that speaks for it: the page is silent because of that, and rings anew when the storm no longer does. */
  readonly storm?: string;
}

export interface PageClosed extends FactBase {
  readonly type: 'PageClosed';
  readonly page: string;
  readonly incident: string;
  readonly why: string;
  /** How its end reads; absent when nobody was to be told anything. */
  readonly end?: PageEnd;
}

/** What a page waits for. */
export type PageWake =
  /** The rung has had its time; `same`: what told of it is over, and it rings on by itself. */
  | { readonly kind: 'rung'; readonly page: string; readonly ring: number; readonly asked?: number; readonly same?: true }
  | { readonly kind: 'ack'; readonly page: string; readonly ring: number; readonly asked?: number }
  /** By now somebody on the rung should have been told. */
  | { readonly kind: 'reach'; readonly page: string; readonly ring: number }
  /** What waits for a notifier is told together. */
  | { readonly kind: 'bundle'; readonly bundle: string; readonly asked: number }
  /** Nobody claimed it, its answer is overdue (`grant` is the number of the fact that granted it), or its retry is due. */
  | {
      readonly kind: 'notify';
      readonly page: string;
      readonly notification: string;
      readonly attempt: number;
      readonly stage: 'answer' | 'retry' | 'grant';
      readonly grant?: number;
    };
