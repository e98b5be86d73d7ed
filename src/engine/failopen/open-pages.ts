// Which raw pages were sent and have not ended, and the words of their end when what they are about leaves the book. Pure.
//   E1  A page about one alert ends when the alert leaves the book; a counting page when the last of those it counted has left.
//   E2  Alerts that a counting page counted without knowing them (the book was full) count as decided when the book is empty, as in book.ts,
//       and nothing that an earlier life paged is left.
//   E3  Bounded: each page has an alert in the book of its own, or counts some that are not; of those pages the newest 2,000 are known, a week of them.
//   E4  Pages of an earlier life are carried: what they are about need not be in the book, and leaves it all the same when it is decided or clears.
import type { Instant } from '../../core/time.ts';
import type { Undecided } from './book.ts';
import type { Counted, KeptAlert, KeptPage } from './kept.ts';
import { endOfMany, endOfOne, type Ending, type Sent } from './page-text.ts';
import type { RawPage } from './raw-lane.ts';
import { keyOf } from './urgent.ts';

const beyondMax = 2_000;

/** An alert that an earlier life paged raw, by itself or among others. */
export interface Carried {
  readonly key: string;
  readonly scope: string;
  readonly fingerprint: string;
  /** When it began to wait: what was decided before is about something else. */
  readonly at: Instant;
  /** Source clock. */
  readonly observedAt: Instant;
  readonly mayRepeat: boolean;
}

interface End {
  readonly now: Instant;
  readonly isBookEmpty: boolean;
}

export interface OpenPages {
  sentOne(alert: Pick<Undecided, 'key' | 'scope' | 'event'>, page: Sent): void;
  /** `more` are in no book. */
  sentMany(alerts: readonly Pick<Undecided, 'key'>[], more: number, page: Sent): void;
  /** The page was sent by an earlier life (E4). */
  carry(page: KeptPage): void;
  /** Those that earlier lives paged and that have not left, by key. */
  readonly carried: ReadonlyMap<string, Carried>;
  /** What was said at that instant came before the alert that an earlier life paged, or with it: it says nothing of its page. */
  isOlder(at: Instant, key: string): boolean;
  /** The alert has left the book: the ends that this brings. What `never` was accepted has no page, and says nothing of one that is carried. */
  endsOf(key: string, how: End & { readonly why: Ending | 'never' }): readonly RawPage[];
  /** Ends of what only counts alerts that are in no book (E2). */
  endsOfRest(how: End): readonly RawPage[];
  /** The alert has left the book, and nobody here knows what becomes of it: its page is left to people. */
  leave(key: string): void;
}

interface Counting {
  readonly sent: Sent;
  readonly count: number;
  readonly more: number;
  /** Of those in the book, or carried. */
  left: number;
}

interface Single {
  readonly alert: Pick<Undecided, 'scope' | 'event'>;
  readonly sent: Sent;
}

export function createOpenPages(): OpenPages {
  /** Of one alert those with different keys: an earlier life may not have known the installation's name. */
  const singles = new Map<string, readonly Single[]>();
  const counted = new Map<string, readonly Counting[]>();
  const carried = new Map<string, Carried>();
  /** Those that count alerts which are in no book. */
  const beyond = new Set<Counting>();

  const sentOf = ({ dedupKey, id }: Sent): Sent => ({ dedupKey, id });

  function addOne(key: string, { scope, event }: Single['alert'], page: Sent): void {
    const others = (singles.get(key) ?? []).filter(({ sent }) => sent.dedupKey !== page.dedupKey);
    singles.set(key, [...others, { alert: { scope, event }, sent: sentOf(page) }]);
  }

  function addMany(keys: readonly string[], more: number, page: Sent): void {
    const counting: Counting = { sent: sentOf(page), count: keys.length + more, more, left: keys.length };
    for (const key of keys) counted.set(key, [...(counted.get(key) ?? []), counting]);
    if (more === 0) return;
    beyond.add(counting);
    const [oldest] = beyond;
    if (beyond.size > beyondMax && oldest !== undefined) beyond.delete(oldest); // E3
  }

  function take(key: string): { readonly ofOne: readonly Single[]; readonly ofMany: readonly Counting[] } {
    const taken = { ofOne: singles.get(key) ?? [], ofMany: counted.get(key) ?? [] };
    singles.delete(key);
    counted.delete(key);
    carried.delete(key);
    return taken;
  }

  function endsOfRest({ now, isBookEmpty }: End): readonly RawPage[] {
    if (!isBookEmpty || carried.size > 0) return [];
    const ends = [...beyond].map(({ sent, count }) => endOfMany(sent, { count, now })); // E2
    beyond.clear();
    return ends;
  }

  return {
    carried,
    sentOne: (alert, page) => addOne(alert.key, alert, page),
    sentMany: (alerts, more, page) =>
      addMany(
        alerts.map(({ key }) => key),
        more,
        page,
      ),
    carry(page) {
      if ('stuck' in page.about) return; // stuck.ts ends it
      const alerts = 'one' in page.about ? [carriedOne(page.about.one)] : page.about.counted.map(carriedOf);
      for (const alert of alerts) carried.set(alert.key, alert);
      if ('one' in page.about) alerts.forEach(({ key }) => 'one' in page.about && addOne(key, page.about.one, page));
      else
        addMany(
          alerts.map(({ key }) => key),
          page.about.more,
          page,
        );
    },
    isOlder: (at, key) => at <= (carried.get(key)?.at ?? Number.NEGATIVE_INFINITY),
    leave(key) {
      take(key);
      beyond.clear(); // E2 holds no more
    },
    endsOf(key, { why, ...how }) {
      if (why === 'never') return endsOfRest(how);
      const { ofOne, ofMany } = take(key);
      const ends = ofOne.map(({ alert, sent }) => endOfOne(alert, sent, { why, now: how.now }));
      for (const counting of ofMany) {
        counting.left -= 1;
        if (counting.left === 0 && counting.more === 0) ends.push(endOfMany(counting.sent, { count: counting.count, now: how.now }));
      }
      return [...ends, ...endsOfRest(how)];
    },
    endsOfRest,
  };
}

function carriedOne({ scope, event: { fingerprint }, at, observedAt, mayRepeat }: KeptAlert): Carried {
  return { key: keyOf(scope, fingerprint), scope, fingerprint, at, observedAt, mayRepeat };
}

function carriedOf([scope, fingerprint, at, observedAt, mayRepeat]: Counted): Carried {
  return { key: keyOf(scope, fingerprint), scope, fingerprint, at, observedAt, mayRepeat };
}
