// What is said about pages on the log: rings, notifications and what became of them, and who has it.
import type { Severity } from '../alert/severity.ts';
import type { FactBase, InputBase } from '../stamp.ts';
import type { Ladder } from './ladder.ts';
import type { Notification, NotifyKind, NotifyOutcome } from './notification.ts';

export interface NotifyAnswered extends InputBase {
  readonly type: 'NotifyAnswered';
  readonly page: string;
  readonly notification: string;
  readonly outcome: NotifyOutcome;
}

export interface PageOpened extends FactBase {
  readonly type: 'PageOpened';
  readonly page: string;
  readonly incident: string;
  readonly ladder: Ladder;
  readonly title: string;
  readonly reason: string;
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
  /** Severity of the incident when it rang: a page rings anew for what is more severe. */
  readonly severity?: Severity;
  /** How often it was acknowledged and rang again, when it was. */
  readonly era?: number;
}

export interface NotifyRequested extends FactBase {
  readonly type: 'NotifyRequested';
  readonly page: string;
  readonly incident: string;
  readonly notifier: string;
  readonly attempt: number;
  readonly notification: Notification;
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
}

export interface PageAcked extends FactBase {
  readonly type: 'PageAcked';
  readonly page: string;
  readonly incident: string;
  readonly by: string;
  readonly via: string;
}

export interface PageClosed extends FactBase {
  readonly type: 'PageClosed';
  readonly page: string;
  readonly incident: string;
  readonly why: string;
}

/** What a page waits for. */
export type PageWake =
  | { readonly kind: 'rung'; readonly page: string; readonly ring: number; readonly asked?: number }
  | { readonly kind: 'ack'; readonly page: string; readonly ring: number; readonly asked?: number }
  /** A notification's answer is overdue, or its retry is due. */
  | {
      readonly kind: 'notify';
      readonly page: string;
      readonly notification: string;
      readonly attempt: number;
      readonly stage: 'answer' | 'retry';
    };
