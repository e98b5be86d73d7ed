// Promise 4: a page reaches somebody or ends its ladder; it rings everybody on the rung, neither early nor too often, and not after
// an acknowledgement; those who were told hear of the end.
import type { NotifyFinished, NotifyRequested, PageOpened, PageRang } from '../../src/core/page/facts.ts';
import type { Ladder } from '../../src/core/page/ladder.ts';
import type { Page } from '../../src/core/page/row.ts';
import { rings } from '../../src/core/page/notification.ts';
import { minute, second, type Instant, type Millis } from '../../src/core/time.ts';
import type { Ledger, Moment } from './ledger.ts';

const attemptsMax = 8;
/** How long a notification may lie about unhanded while the process is up, before its overdue answer says something about us. */
const handWithinMs: Millis = 30 * second;
/** Beyond the ladder's own time: the last attempts on its last rung. */
const ladderSlackMs: Millis = 2 * minute;
const outgoingKept = 64;

interface Rang {
  readonly fact: PageRang;
  readonly seen: Moment;
  acked: { readonly seen: Moment; readonly at: Instant } | null;
}

interface Book {
  readonly id: string;
  readonly incident: string;
  readonly ladder: Ladder;
  readonly opened: Moment;
  /** Ids asked for as a first attempt. */
  readonly asked: Set<string>;
  requests: number;
  rang: Rang | null;
  delivered: boolean;
  /** The ladder came to its end, or nobody on its last rung can be reached. */
  exhausted: boolean;
  /** It was to be quiet for a while, so that its ladder may take longer. */
  hushed: boolean;
  closed: boolean;
}

export function checkPages(ledger: Ledger): { calm(): void; ended(): void } {
  const books = new Map<string, Book>();
  const unhanded = new Map<string, Moment>();
  const handedIn = new Map<string, number>();
  /** How often each was asked for, handed to its notifier, and answered how. */
  const counts = new Map<string, { asked: number; handed: number; readonly answers: Set<string> }>();
  const refusedEnds = new Set<string>();
  /** Taken by a vendor from a process that then died, and refused from the next: nobody can know that it arrived. */
  const disowned = new Set<string>();
  let ringing: Book[] = [];

  ledger.watch({
    fact({ fact, seen }, desk) {
      switch (fact.type) {
        case 'PageOpened':
          return void books.set(fact.page, bookOf(fact, seen));
        case 'PageRang':
          return rang(fact, seen, desk.tables.pages.rows.get(fact.page));
        case 'PageAcked':
          return acked(fact.page, seen, fact.at);
        case 'PageClosed':
          return closed(fact.page);
        case 'NotifyRequested':
          return requested(fact, seen, desk.tables.pages.rows.get(fact.page));
        case 'NotifyFinished':
          return answered(fact, seen, desk.tables.pages.rows.get(fact.page));
        case 'IncidentNoted':
          if (fact.text.startsWith('ladder ')) for (const book of booksOf(fact.incident)) book.exhausted = true;
          return;
        case 'IncidentDecided':
          if (fact.decision === 'suppress') for (const book of booksOf(fact.incident)) book.hushed = true;
          return;
        default:
      }
    },
    handed(_notifier, { id }, seen) {
      if (!books.values().some((book) => book.asked.has(id))) ledger.breach(`P4: ${id} was sent and is not on the log`);
      if ((handedIn.get(id) ?? seen.lives) !== seen.lives) ledger.reach('notification repeated after a crash');
      handedIn.set(id, seen.lives);
      countsOf(id).handed += 1;
      unhanded.delete(id);
    },
    settled() {
      for (const book of ringing) allAsked(book);
      ringing = [];
    },
  });

  function booksOf(incident: string): readonly Book[] {
    return [...books.values()].filter((book) => book.incident === incident && !book.closed);
  }

  /** P1, P2, P3: in the ladder's order, each rung after its wait, none while acknowledged. */
  function rang(fact: PageRang, seen: Moment, page: Page | undefined): void {
    const book = books.get(fact.page);
    if (book === undefined) return ledger.breach(`P1: page ${fact.page} rang before it was opened`);
    const last = book.rang;
    book.rang = { fact, seen, acked: null };
    ringing.push(book);
    if (book.closed) return ledger.breach(`P2: page ${fact.page} rang after it was closed`);
    if (last === null || page === undefined) return;
    if (last.acked !== null) return rangAgain(book, last.acked, fact, seen);
    if (fact.kind === 'risen' && fact.round === 0 && fact.rung === 0) return ledger.reach('rang anew because it got worse');
    const { rungs, repeat } = book.ladder;
    const up = last.fact.rung + 1 < rungs.length;
    const [round, rung] = up ? [last.fact.round, last.fact.rung + 1] : [last.fact.round + 1, 0];
    if (fact.round !== round || fact.rung !== rung || fact.round > repeat || fact.ring !== last.fact.ring + 1) {
      ledger.breach(`P1: page ${fact.page} went from ${place(last.fact)} to ${place(fact)}`);
    }
    const outgoing = page.outgoing.filter((one) => one.ring === page.ring);
    const unreachable = outgoing.length > 0 && outgoing.every((one) => one.state === 'refused');
    if (unreachable) ledger.reach('climbed because nobody on the rung could be reached');
    else early(fact, { seen: last.seen, at: last.fact.at }, seen, rungs[last.fact.rung]?.waitMs ?? 0);
  }

  function rangAgain({ ladder }: Book, from: { readonly seen: Moment; readonly at: Instant }, fact: PageRang, seen: Moment): void {
    if (fact.round !== 0 || fact.rung !== 0) ledger.breach(`P1: acknowledged page ${fact.page} rang again at ${place(fact)}`);
    if (fact.kind !== 'repeat') return ledger.reach('answered page rings again for something new');
    if (ladder.ackTimeoutMs === 0) return ledger.breach(`P2: page ${fact.page} rang although it was acknowledged for good`);
    early(fact, from, seen, ladder.ackTimeoutMs);
  }

  /** A restart knows the wall clock only (check-waits.ts). */
  function early(fact: PageRang, from: { readonly seen: Moment; readonly at: Instant }, to: Moment, waitMs: Millis): void {
    const restarted = to.lives !== from.seen.lives || ledger.repeats;
    const forgiven = restarted ? to.forward - from.seen.forward + Math.max(0, from.seen.wall - from.at) : 0;
    const passed = to.steady - from.seen.steady;
    if (passed + 1 < waitMs - forgiven) {
      ledger.breach(`R7: page ${fact.page} rang ${place(fact)} after ${passed} ms instead of ${waitMs} ms`);
    }
  }

  function allAsked({ id, ladder, rang: last, asked }: Book): void {
    if (last === null) return;
    for (const notifier of ladder.rungs[last.fact.rung]?.notify ?? []) {
      if (!asked.has(`${id}|${last.fact.ring}|${notifier}`)) ledger.breach(`P1: page ${id} rang ${place(last.fact)} without ${notifier}`);
    }
  }

  function acked(id: string, seen: Moment, at: Instant): void {
    const book = books.get(id);
    if (book === undefined) return;
    if (book.rang !== null) book.rang.acked = { seen, at };
    honest(book, seen);
  }

  function closed(id: string): void {
    const book = books.get(id);
    if (book === undefined) return;
    if (book.rang?.acked === null) honest(book, ledger.moment());
    book.closed = true;
  }

  /** P4: whoever had the time of a whole ladder has reached somebody, or has said that nobody can be reached. */
  function honest(book: Book, now: Moment): void {
    const { ladder, opened, delivered, exhausted, hushed } = book;
    if (delivered || exhausted || hushed) return;
    const climbMs = ladder.rungs.reduce((sum, rung) => sum + rung.waitMs, 0) * (ladder.repeat + 1);
    const restarts = 1 + now.lives - opened.lives;
    if (now.up - opened.up > (climbMs + ladderSlackMs) * restarts)
      ledger.breach(`P4: page ${book.id} reached nobody and its ladder did not end`);
  }

  function requested(fact: NotifyRequested, seen: Moment, page: Page | undefined): void {
    const { id, kind } = fact.notification;
    const book = books.get(fact.page);
    unhanded.set(id, seen);
    countsOf(id).asked += 1;
    if (page === undefined || book === undefined) return ledger.breach(`P4: ${id} belongs to no page`);
    book.requests += 1;
    const says = `${id} (attempt ${fact.attempt})`;
    if (fact.attempt > attemptsMax) ledger.breach(`P4: ${says} is one too many`);
    if (rings[kind] && page.state !== 'ringing') ledger.breach(`P2: ${says} is sent while the page is ${page.state}`);
    if (kind === 'acknowledged' && page.state !== 'acked') ledger.breach(`B4: ${says} says who has it while the page is ${page.state}`);
    if (kind === 'resolve' && page.state !== 'closed') ledger.breach(`P2: ${says} says it is over while the page is ${page.state}`);
    if (fact.attempt === 1 && book.asked.has(id)) ledger.breach(`P1: ${id} was asked for twice as a first attempt`);
    book.asked.add(id);
  }

  function answered({ outcome, notification, page, notifier, retry }: NotifyFinished, seen: Moment, row: Page | undefined): void {
    const book = books.get(page);
    if (book === undefined) return;
    const since = unhanded.get(notification);
    if (since !== undefined && seen.up - since.up > handWithinMs) {
      const when = since.lives === seen.lives ? '' : 'after a restart ';
      ledger.breach(`X2: ${when}${notification} was not handed to ${notifier} for ${seen.up - since.up} ms`);
    }
    countsOf(notification).answers.add(outcome.outcome);
    const arrivals = ledger.arrived.filter((one) => one.id === notification);
    if (outcome.outcome === 'accepted') {
      if (arrivals.length === 0) ledger.breach(`P4: ${notification} counts as accepted and never arrived`);
      book.delivered = true;
      return;
    }
    if (outcome.outcome !== 'unknown' && arrivals.some((one) => one.life < seen.lives)) {
      disowned.add(notification);
      ledger.reach('arrived, then refused after a crash');
    }
    if (retry) return;
    if (notification === `${page}|end|${notifier}`) refusedEnds.add(notification);
    const others = row?.outgoing.some((one) => one.notification.id !== notification && (one.state === 'sent' || one.state === 'waiting'));
    if (others === false && row !== undefined && row.rung + 1 >= row.ladder.rungs.length) book.exhausted = true;
  }

  function countsOf(id: string): { asked: number; handed: number; readonly answers: Set<string> } {
    const held = counts.get(id) ?? { asked: 0, handed: 0, answers: new Set() };
    counts.set(id, held);
    return held;
  }

  /** Two owners handed it over for one asking, and only the one that was refused could still say so. */
  function isDisowned(id: string): boolean {
    const { asked, handed, answers } = countsOf(id);
    return disowned.has(id) || (handed > asked && answers.has('refused') && !answers.has('accepted') && !answers.has('unknown'));
  }

  return {
    calm() {
      const now = ledger.moment();
      for (const book of books.values()) if (!book.closed && book.rang?.acked === null) honest(book, now);
    },
    ended() {
      for (const { id, notifier, kind, page, seen } of ledger.arrived) {
        const book = books.get(page);
        if (kind === 'resolve' || isDisowned(id) || book?.closed !== true || book.requests > outgoingKept) continue;
        const end = `${page}|end|${notifier}`;
        const ends = ledger.arrived.filter((one) => one.id === end);
        if (refusedEnds.has(end) || ends.some((one) => one.seen.steady >= seen.steady)) continue;
        if (ends.length === 0) ledger.breach(`P2: ${notifier} was told ${id} and never that it is over`);
        else ledger.reach('a page arrived behind its own resolution');
      }
    },
  };
}

function bookOf({ page, incident, ladder }: PageOpened, opened: Moment): Book {
  const state = { requests: 0, rang: null, delivered: false, exhausted: false, hushed: false, closed: false };
  return { id: page, incident, ladder, opened, asked: new Set(), ...state };
}

function place(fact: PageRang): string {
  return `round ${fact.round + 1} rung ${fact.rung + 1} (ring ${fact.ring})`;
}
