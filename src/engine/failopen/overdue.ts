// What waits too long in the book is paged: one timer for all of it. What comes into the book and leaves it decided is failopen.ts.
// O1 to O3 are told there.
import { minute, second, type Instant, type Millis } from '../../core/time.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Book, Undecided } from './book.ts';
import { aboutMany, aboutOne } from './kept.ts';
import type { OpenPages } from './open-pages.ts';
import { createPacing } from './pacing.ts';
import { pageOfMany, pageOfOne, type Ending, type Situation } from './page-text.ts';
import type { RawPager } from './raw-pager.ts';

const lookAgainMs: Millis = second;

/** One alert, many that one page counts, or what a log that takes nothing keeps from being told (stuck.ts). */
export const rawPageAbouts = ['alert', 'many', 'stuck'] as const;

export type RawPageAbout = (typeof rawPageAbouts)[number];

export interface OverdueDeps {
  readonly clock: Clock;
  readonly afterMs: Millis;
  readonly partitionOf: (scope: string) => number;
  /** Since when the log cannot be reached; null while it can. */
  readonly awaySince: () => Instant | null;
  /**
   * Whether people know the alert as firing at critical, or as one that ended no earlier than its source saw what we were told last.
   * Asked only of what the desk may have dropped as a repeat, without a word.
   */
  readonly known: (scope: string, fingerprint: string, observedAt: Instant) => Promise<boolean>;
  /** What tells this installation from any other, in all its processes; null while it has no name. */
  readonly installation: () => string | null;
  /** Unlike any other process, living or dead. */
  readonly instance: string;
  /** Whether an earlier life may have left more than the book has by now. */
  readonly isRecalling: () => boolean;
  /** A page was begun. */
  readonly paged: (about: RawPageAbout) => void;
}

export interface Overdue {
  /** An alert has begun to wait. */
  added(): void;
  /** An alert found the book full: only the counting page will tell of it (O3). */
  addedBeyond(): void;
  /** It is undecided no more, and its page ends; or it `never` was, and has none; or whoever decides it is not seen here, and its page stays. */
  forget(key: string, why: Ending | 'never' | 'unseen'): void;
  /** Looks no more. */
  stop(): void;
}

interface Parts {
  readonly book: Book;
  readonly pager: Pick<RawPager, 'send' | 'end'>;
  readonly open: OpenPages;
}

export function createOverdue(deps: OverdueDeps, { book, pager, open }: Parts): Overdue {
  const { clock } = deps;
  const pacing = createPacing();
  let countingPages = 0;
  let cancelTimer: (() => void) | null = null;
  let stopped = false;

  function schedule(): void {
    cancelTimer?.();
    cancelTimer = null;
    const first = book.oldest();
    const due = first === undefined ? pacing.restDue : Math.min(first.since + deps.afterMs, pacing.restDue ?? Number.POSITIVE_INFINITY);
    if (due === null || stopped) return;
    const span = due - clock.steady();
    cancelTimer = clock.after(span > 0 ? Math.min(span, minute) : lookAgainMs, look);
  }

  function look(): void {
    cancelTimer = null;
    const now = clock.steady();
    for (const alert of book.takeDue(now - deps.afterMs)) {
      if (alert.mayRepeat) void pageUnlessKnown(alert);
      else page(alert);
    }
    if (pacing.restDue !== null && pacing.restDue <= now) pageRest();
    schedule();
  }

  /** Asks again when the alert has moved meanwhile. */
  async function pageUnlessKnown(alert: Undecided): Promise<void> {
    const { observedAt } = alert;
    const known = await deps.known(alert.scope, alert.event.fingerprint, observedAt).catch(() => false);
    if (!book.isPaged(alert) || stopped) return;
    if (known) return alert.observedAt === observedAt ? forget(alert.key, 'decided') : pageUnlessKnown(alert);
    page(alert);
    schedule();
  }

  function page(alert: Undecided): void {
    if (!pacing.takeSingle(alert.key, clock.steady())) return; // O2
    deps.paged('alert');
    const words = pageOfOne(alert, situation());
    open.sentOne(alert, words);
    pager.send(words, () => book.isPaged(alert), aboutOne(alert));
  }

  function pageRest(): void {
    const alerts = pacing.takeRest().flatMap((key) => book.find(key) ?? []);
    const more = book.beyond;
    const oldest = alerts[0] ?? book.oldestPaged();
    if (oldest === undefined || alerts.length + more === 0) return;
    book.takeBeyond();
    pacing.sent(clock.steady());
    countingPages += 1;
    deps.paged('many');
    const isWanted = (): boolean => (more > 0 ? book.oldestPaged() !== undefined : alerts.some(book.isPaged));
    const words = pageOfMany({ alerts, more, oldest, id: `${deps.instance}:${countingPages}` }, situation());
    open.sentMany(alerts, more, words);
    pager.send(words, isWanted, aboutMany(alerts, more));
  }

  function situation(): Situation {
    return { now: clock.now(), awaySince: deps.awaySince(), partitionOf: deps.partitionOf, installation: deps.installation() };
  }

  function forget(key: string, why: Ending | 'never' | 'unseen'): void {
    book.forget(key);
    pacing.forget(key);
    if (why === 'unseen') return open.leave(key);
    const isBookEmpty = book.isEmpty && !deps.isRecalling(); // also by what never was
    for (const words of open.endsOf(key, { why, now: clock.now(), isBookEmpty })) pager.end(words);
  }

  return {
    forget,
    added() {
      if (cancelTimer === null) schedule();
    },
    addedBeyond() {
      if (pacing.restDue !== null) return;
      pacing.expectMore(deps.afterMs, clock.steady());
      schedule();
    },
    stop() {
      stopped = true;
      cancelTimer?.();
    },
  };
}
