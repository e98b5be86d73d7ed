// One page as the desk keeps it, with the notifications that are on their way.
import type { Severity } from '../alert/severity.ts';
import type { TurnContext } from '../context.ts';
import type { Instant } from '../time.ts';
import type { Ladder } from './ladder.ts';
import type { NotifyKind } from './notification.ts';

/** A notification on its way. Its words are written when it is granted, and kept nowhere. */
export interface Outgoing {
  readonly id: string;
  readonly kind: NotifyKind;
  readonly notifier: string;
  readonly attempt: number;
  /** The ring it counts for. */
  readonly ring: number;
  /**
   * `held`: to be told together with others; `bundled`: another's message tells it, and ends it; `asked`: no worker has claimed this attempt;
   * `granted`: one is at it; `waiting`: for its next attempt; the others are ends.
   */
  readonly state: 'held' | 'bundled' | 'asked' | 'granted' | 'waiting' | 'accepted' | 'refused' | 'dropped';
  /** When it was asked for first. */
  readonly since: Instant;
  /** Number of the fact that granted the attempt; while granted. */
  readonly grant?: number;
  /** When the next attempt is due; while waiting. */
  readonly dueAt?: Instant;
  /** Recipients of the notifier who are still to be told, after it was taken for the others. */
  readonly left?: readonly string[];
  /** The page's era in whose words it was granted last, when that was not the first. */
  readonly era?: number;
  /** Rings of other pages that its message tells, too; kept of the newest such message of the page. */
  readonly with?: readonly Placed[];
  /** An attempt was taken for some of its recipients already. */
  readonly heard?: true;
}

/** A notification and the page it belongs to. */
export interface Placed {
  readonly page: string;
  readonly notification: string;
  /** Of what another's message tells: the era of its page then, when that was not the first. */
  readonly era?: number;
}

/** After a notifier was called: until when further rings wait, what the severest ring so far was, and what waits. */
export interface Bundle {
  readonly until: Instant;
  readonly severity: Severity;
  readonly waiting: readonly Placed[];
}

/** The row of its bundle: first rings wait for first rings, repeats for repeats. */
export function bundleKey(notifier: string, kind: NotifyKind): string {
  return `${kind === 'repeat' ? 'repeat' : 'page'}|${notifier}`;
}

/** How the end of a page reads, as it was when it ended: an end may leave late, when the incident is in another life already. */
export interface PageEnd {
  readonly title: string;
  readonly severity: Severity;
  readonly text: string;
}

export interface Page {
  readonly id: string;
  readonly incident: string;
  /** As the policy had it at the newest ring. */
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
  /** The storm that speaks for it, while it is silent because of that. */
  readonly storm?: string;
  /** The fact by which another took it over, when one did: the wait of the acknowledgement before is stale. */
  readonly takenOver?: number;
  /** The most severe that it rang for; absent of a page of 0.1.0. */
  readonly severity?: Severity;
  /** The alert that it rang for last, when that was not the worst of the incident. */
  readonly about?: string;
  /** Rules of critical alerts that it rang for; absent while it rang for none, and of pages before that was kept. */
  readonly criticals?: readonly string[];
  /** When it last rang anew for something worse or new, while it was ringing. */
  readonly anewAt?: Instant;
  /** How often it rang again after an acknowledgement, or for something new; absent while it did not. */
  readonly era?: number;
  /** The eras in which each notifier may have told somebody, the newest few; absent of whom era 0 is all that is known. */
  readonly eras?: { readonly [notifier: string]: readonly number[] };
  /** What vendors know it by. */
  readonly dedupKey: string;
  /** `unreached`: its ladder was climbed and nobody took it; `exhausted`: somebody was told, the ladder has ended, and nobody answers. */
  readonly reach: 'unreached' | 'exhausted' | null;
  /** Once it has ended and somebody is to hear of that. */
  readonly end?: PageEnd;
}

export function pageOf(ctx: TurnContext, id: string | null): Page | undefined {
  return id === null ? undefined : ctx.desk.tables.pages.rows.get(id);
}

/** The eras in which this notifier may have told somebody, oldest first: what a vendor keeps by era is to be ended in each. */
export function erasTold(page: Page, notifier: string): readonly number[] {
  if (page.eras !== undefined && Object.hasOwn(page.eras, notifier)) return page.eras[notifier] ?? [];
  return page.told.includes(notifier) ? [0] : [];
}
