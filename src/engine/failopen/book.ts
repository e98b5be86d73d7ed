// The book of what is undecided: critical alerts that wait for a decision, and those that were paged raw because none came. Pure: no clock, no I/O.
//   O1  An alert is in the book once, and goes from waiting to paged once.
//   O3  Bounded; those beyond are only counted, until the book is empty: then they are as decided as all others, as far as we can know.
import type { AlertEvent } from '../../core/alert/event.ts';
import type { Instant, Millis } from '../../core/time.ts';
import { keyOf } from './urgent.ts';

export interface Undecided {
  readonly key: string;
  readonly scope: string;
  readonly event: Pick<AlertEvent, 'fingerprint' | 'name' | 'summary' | 'source' | 'entity' | 'links'>;
  /** Steady clock. */
  readonly since: Millis;
  /** No later than the stamp of its input: a decision of before is about something else. */
  readonly at: Instant;
  /** The desk may know the delivery, and drop it without a word. */
  readonly mayRepeat: boolean;
  /** Number of the last offer that tells of it; without decisions, the place in the spool where it began. What is older does not end it. */
  place: number;
  /** Source clock, of the newest that tells of it. */
  observedAt: Instant;
  /** Deliveries that tell of it and are not yet answered. */
  offers: number;
  accepted: boolean;
}

export type Entry = Pick<Undecided, 'since' | 'at' | 'mayRepeat' | 'place'> & { readonly scope: string; readonly event: AlertEvent };

export interface Book {
  /** The alert's row, new or old; null when the book is full and the alert is only counted. */
  write(entry: Entry): Undecided | null;
  find(key: string): Undecided | undefined;
  forget(key: string): void;
  isWaiting(alert: Undecided): boolean;
  isPaged(alert: Undecided): boolean;
  /** The oldest that waits. */
  oldest(): Undecided | undefined;
  /** Takes those accepted that began to wait at the instant or before, oldest first, from waiting to paged (O1). */
  takeDue(since: Millis): readonly Undecided[];
  /** Of those paged, the one that was paged first. */
  oldestPaged(): Undecided | undefined;
  readonly waiting: number;
  /** Nothing waits, and nothing is paged. */
  readonly isEmpty: boolean;
  /** Alerts that found the book full, since it was empty or they were last taken. */
  readonly beyond: number;
  takeBeyond(): number;
}

export function createBook(max: number): Book {
  /** In the order of `since`. */
  const waiting = new Map<string, Undecided>();
  const paged = new Map<string, Undecided>();
  let beyond = 0;

  const find = (key: string): Undecided | undefined => waiting.get(key) ?? paged.get(key);

  const isEmpty = (): boolean => waiting.size === 0 && paged.size === 0;

  function forget(key: string): void {
    waiting.delete(key);
    paged.delete(key);
    if (isEmpty()) beyond = 0; // O3
  }

  return {
    find,
    forget,
    write({ scope, event, since, at, mayRepeat, place }) {
      const { fingerprint, name, summary, source, entity, links, observedAt } = event;
      const key = keyOf(scope, fingerprint);
      const before = find(key);
      if (before !== undefined) {
        before.observedAt = Math.max(before.observedAt, observedAt);
        return before;
      }
      if (waiting.size + paged.size >= max) {
        beyond += 1; // O3
        return null;
      }
      const about = { fingerprint, name, summary, source, entity, links };
      const row: Undecided = { key, scope, event: about, since, at, mayRepeat, place, observedAt, offers: 0, accepted: false };
      waiting.set(key, row);
      return row;
    },
    isWaiting: (alert) => waiting.get(alert.key) === alert,
    isPaged: (alert) => paged.get(alert.key) === alert,
    oldest: () => waiting.values().next().value,
    takeDue(since) {
      const due: Undecided[] = [];
      for (const row of waiting.values()) {
        if (row.since > since) break;
        if (row.accepted) due.push(row);
      }
      for (const row of due) {
        waiting.delete(row.key);
        paged.set(row.key, row);
      }
      return due;
    },
    oldestPaged: () => paged.values().next().value,
    get waiting() {
      return waiting.size;
    },
    get isEmpty() {
      return isEmpty();
    },
    get beyond() {
      return beyond;
    },
    takeBeyond() {
      const count = beyond;
      beyond = 0;
      return count;
    },
  };
}
