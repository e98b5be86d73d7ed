// Which raw pages were sent and have not ended, and the words of their end when what they are about leaves the book. Pure.
//   E1  A page about one alert ends when the alert leaves the book; a counting page when the last of those it counted has left.
//   E2  Alerts that a counting page counted without knowing them (the book was full) count as decided when the book is empty, as in book.ts.
//   E3  Bounded: each page has an alert in the book of its own, or counts some that are not; of those pages the newest 2,000 are known, a week of them.
import type { Instant } from '../../core/time.ts';
import type { Undecided } from './book.ts';
import { endOfMany, endOfOne, type Ending, type Sent } from './page-text.ts';
import type { RawPage } from './raw-lane.ts';

const beyondMax = 2_000;

export interface OpenPages {
  sentOne(alert: Undecided, page: Sent): void;
  /** `more` are in no book. */
  sentMany(alerts: readonly Undecided[], more: number, page: Sent): void;
  /** The alert has left the book: the ends that this brings. */
  endsOf(key: string, how: { readonly why: Ending; readonly now: Instant; readonly isBookEmpty: boolean }): readonly RawPage[];
  /** The alert has left the book, and nobody here knows what becomes of it: its page is left to people. */
  leave(key: string): void;
}

interface Counting {
  readonly sent: Sent;
  readonly count: number;
  readonly more: number;
  /** Of those in the book. */
  left: number;
}

export function createOpenPages(): OpenPages {
  const singles = new Map<string, { readonly alert: Undecided; readonly sent: Sent }>();
  const counted = new Map<string, Counting>();
  /** Those that count alerts which are in no book. */
  const beyond = new Set<Counting>();

  const sentOf = ({ dedupKey, id }: Sent): Sent => ({ dedupKey, id });

  return {
    sentOne: (alert, page) => void singles.set(alert.key, { alert, sent: sentOf(page) }),
    sentMany(alerts, more, page) {
      const counting: Counting = { sent: sentOf(page), count: alerts.length + more, more, left: alerts.length };
      for (const { key } of alerts) counted.set(key, counting);
      if (more === 0) return;
      beyond.add(counting);
      const [oldest] = beyond;
      if (beyond.size > beyondMax && oldest !== undefined) beyond.delete(oldest); // E3
    },
    leave(key) {
      singles.delete(key);
      counted.delete(key);
      beyond.clear(); // E2 holds no more
    },
    endsOf(key, { why, now, isBookEmpty }) {
      const ends: RawPage[] = [];
      const single = singles.get(key);
      if (single !== undefined) ends.push(endOfOne(single.alert, single.sent, { why, now }));
      const counting = counted.get(key);
      if (counting !== undefined) {
        counting.left -= 1;
        if (counting.left === 0 && counting.more === 0) ends.push(endOfMany(counting.sent, { count: counting.count, now }));
      }
      singles.delete(key);
      counted.delete(key);
      if (!isBookEmpty) return ends;
      for (const { sent, count } of beyond) ends.push(endOfMany(sent, { count, now })); // E2
      beyond.clear();
      return ends;
    },
  };
}
