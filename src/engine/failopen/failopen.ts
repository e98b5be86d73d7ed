// Fails open towards people: a critical alert that was accepted and is not decided in time is paged as it came in, once.
// Decides nothing and evaluates nothing: no silence, no ladder, no playbook. Once it is decided the ladder takes over, and the page ends.
// This file says what comes into the book and leaves it; its parts: book (what is undecided), decided (what was), overdue (when it is paged),
// pacing (how many pages), open-pages (which have not ended), kept and carried (those of earlier lives), page-text (what they say), raw-pager (delivers
// them), raw-lane (in which order).
//   O1  An alert is paged here at most once until it is decided or cleared, and not at all when that happens in time.
//   O2  In five minutes at most ten alerts are paged one by one; all others in one page that counts them.
//   O3  Bounded: 10,000 alerts; those beyond are only counted. One timer for all that wait.
//   O4  A page ends, for whoever was told of it, when nothing that it is about is undecided any more; after that the alert may be paged anew. A restart
//       changes nothing of that: what is undecided still is paged again under the same key, and what was decided or cleared in between ends its page. Only
//       the page of a process that sees no decisions stays open where it was told: that the log has the alert decides nothing.
import type { Fact } from '../../core/records.ts';
import { second, type Millis } from '../../core/time.ts';
import type { LogBatch } from '../../ports/event-log.ts';
import type { NewAlert } from '../intake/delivery-writer.ts';
import type { SpooledBatch } from '../spool/entry.ts';
import { createBook, type Book, type Entry, type Undecided } from './book.ts';
import { askAfterCarried, type CarriedDeps } from './carried.ts';
import { createDecided } from './decided.ts';
import { createOpenPages, type OpenPages } from './open-pages.ts';
import { createOverdue, type Overdue, type OverdueDeps } from './overdue.ts';
import type { Ending } from './page-text.ts';
import { createRawPager, type RawPagerDeps } from './raw-pager.ts';
import { alertsIn, isUrgent, keyOf, lastClaims } from './urgent.ts';

const undecidedMax = 10_000;
/** What an earlier life left has so long at the start, however old it is: the log may well be back. */
const recalledMs: Millis = 30 * second;

export interface FailOpenDeps extends Omit<OverdueDeps, 'isRecalling'>, RawPagerDeps, Pick<CarriedDeps, 'became'> {
  /** Whether `shown` is told what is decided. If not, an alert counts as undecided only while it is spooled. */
  readonly seesDecisions: boolean;
}

export interface FailOpen {
  /** Alerts of one scope on their way to the log; the answer is told whether they were accepted. Null when there is nothing to wait for. */
  offered(scope: string, alerts: readonly NewAlert[], mayRepeat: boolean): ((accepted: boolean) => void) | null;
  /** A batch is in the spool; `recalled` when an earlier life of the process left it. */
  spooled(batch: SpooledBatch, recalled: boolean): void;
  /** An earlier life of the process accepted it, and it stands on the log without a decision. */
  left(batch: LogBatch): void;
  /** All of that has been told. */
  leftAll(): void;
  /** A spooled batch is on the log. */
  sent(batch: SpooledBatch): void;
  /** A fact of any partition. */
  shown(fact: Fact): void;
  /** Alerts that are neither decided nor paged. */
  waiting(): number;
  stop(): Promise<void>;
}

export function createFailOpen(deps: FailOpenDeps): FailOpen {
  const { clock, seesDecisions } = deps;
  const { book, open, overdue, leftAll, stop } = openParts(deps);
  const decided = createDecided();
  let offers = 0;

  /** Null for what was decided, and for what is only counted. */
  function enter(alert: NewAlert, how: Pick<Entry, 'at' | 'mayRepeat' | 'place'>): Undecided | null {
    if (decided.has(alert)) return null; // the desk drops it
    const age = Math.max(0, clock.now() - how.at);
    const since = clock.steady() - Math.min(age, Math.max(0, deps.afterMs - recalledMs));
    const entered = book.write({ ...how, since, scope: alert.scope, event: alert.event });
    if (entered === null) overdue.addedBeyond();
    else overdue.added();
    return entered;
  }

  function enterBatch(batch: LogBatch, how: Pick<Entry, 'mayRepeat' | 'place'>): void {
    for (const alert of lastClaims(alertsIn(batch))?.values() ?? []) {
      const undecided = isUrgent(alert.event) ? enter(alert, { ...how, at: alert.at }) : null;
      const key = keyOf(batch.scope, alert.event.fingerprint);
      if (undecided !== null) undecided.accepted = true;
      else if (alert.event.claim === 'cleared' && !open.isOlder(alert.at, key)) overdue.forget(key, 'cleared');
    }
  }

  function forgetUpTo(place: number, key: string, why: Ending | 'unseen'): void {
    const entered = book.find(key);
    if (entered === undefined ? open.carried.has(key) : entered.place <= place) overdue.forget(key, why);
  }

  /** An offer that was not accepted, and that no other delivery tells of, was never there. */
  function answer(entered: Undecided, accepted: boolean): void {
    entered.offers -= 1;
    if (accepted) entered.accepted = true;
    else if (!entered.accepted && entered.offers === 0 && book.isWaiting(entered)) overdue.forget(entered.key, 'never');
  }

  return {
    offered(scope, alerts, mayRepeat) {
      if (!seesDecisions) return null;
      const last = lastClaims(alerts);
      if (last === null) return null;
      const at = clock.now();
      const place = (offers += 1);
      const entered: Undecided[] = [];
      for (const alert of last.values()) {
        const undecided = isUrgent(alert.event) ? enter(alert, { at, mayRepeat, place }) : null;
        if (undecided === null) continue;
        undecided.place = place;
        undecided.offers += 1;
        entered.push(undecided);
      }
      return (accepted) => {
        for (const undecided of entered) answer(undecided, accepted);
        if (!accepted) return;
        for (const { event } of last.values()) if (event.claim === 'cleared') forgetUpTo(place, keyOf(scope, event.fingerprint), 'cleared');
      };
    },
    spooled(batch, recalled) {
      if (seesDecisions && !recalled) return; // `offered` told of it
      enterBatch(batch, { mayRepeat: seesDecisions, place: seesDecisions ? 0 : batch.place });
    },
    left: (batch) => enterBatch(batch, { mayRepeat: true, place: 0 }),
    leftAll,
    sent(batch) {
      if (seesDecisions) return;
      for (const { event } of alertsIn(batch)) {
        forgetUpTo(batch.place, keyOf(batch.scope, event.fingerprint), event.claim === 'cleared' ? 'cleared' : 'unseen');
      }
    },
    shown(fact) {
      if (fact.type !== 'AlertDecided') return;
      decided.note(fact);
      const key = keyOf(fact.scope, fact.fingerprint);
      const undecided = book.find(key) ?? open.carried.get(key);
      if (undecided === undefined || fact.at < undecided.at) return;
      overdue.forget(key, fact.change === 'cleared' ? 'cleared' : 'decided');
    },
    waiting: () => book.waiting,
    stop,
  };
}

interface FailOpenParts {
  readonly book: Book;
  readonly open: OpenPages;
  readonly overdue: Overdue;
  readonly leftAll: () => void;
  readonly stop: () => Promise<void>;
}

/** With the pages of earlier lives in them. */
function openParts(deps: FailOpenDeps): FailOpenParts {
  const book = createBook(undecidedMax);
  const open = createOpenPages();
  const pager = createRawPager(deps);
  for (const page of deps.seesDecisions ? (deps.kept?.left ?? []) : []) {
    if ('stuck' in page.about) continue;
    open.carry(page);
    pager.carry(page.dedupKey, page.notify);
  }
  let isRecalling = open.carried.size > 0;
  const overdue = createOverdue({ ...deps, isRecalling: () => isRecalling }, { book, pager, open });
  const endRest = (): void => {
    const how = { now: deps.clock.now(), isBookEmpty: book.isEmpty && !isRecalling };
    for (const words of open.endsOfRest(how)) pager.end(words);
  };
  const leftAll = (): void => {
    isRecalling = false;
    endRest();
  };
  const stopAsking = askAfterCarried(deps, { book, open, forget: overdue.forget, allGone: endRest });
  const stop = async (): Promise<void> => {
    overdue.stop();
    stopAsking();
    await pager.stop();
  };
  return { book, open, overdue, leftAll, stop };
}
