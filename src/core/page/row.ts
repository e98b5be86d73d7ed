// One page as the desk keeps it, with the notifications that are on their way.
import type { Severity } from '../alert/severity.ts';
import type { TurnContext } from '../context.ts';
import type { Instant } from '../time.ts';
import type { Ladder } from './ladder.ts';
import type { Notification } from './notification.ts';

/** A notification on its way. */
export interface Outgoing {
  readonly notification: Notification;
  readonly notifier: string;
  readonly attempt: number;
  readonly ring: number;
  readonly state: 'sent' | 'waiting' | 'accepted' | 'refused';
}

export interface Page {
  readonly id: string;
  readonly incident: string;
  readonly ladder: Ladder;
  readonly title: string;
  readonly reason: string;
  readonly state: 'ringing' | 'acked' | 'closed';
  readonly openedAt: Instant;
  readonly round: number;
  readonly rung: number;
  readonly ring: number;
  readonly outgoing: readonly Outgoing[];
  /** Notifiers that may have told somebody; they are told of the end, too. */
  readonly told: readonly string[];
  readonly ackedBy: string | null;
  /** Severity of the incident when it last rang; absent of a page of 0.1.0. */
  readonly severity?: Severity;
  /** How often it was acknowledged and rang again; absent while it was not. */
  readonly era?: number;
}

export function pageOf(ctx: TurnContext, id: string | null): Page | undefined {
  return id === null ? undefined : ctx.desk.tables.pages.rows.get(id);
}
