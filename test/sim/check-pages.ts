// Promise 4: a page reaches somebody or says that nobody could be reached; it rings everybody on the rung, neither early nor too often, and
// not after an acknowledgement; nothing leaves that was not granted, or is not true when it is; those who were told hear of the end.
import type { NotifyFinished, NotifyGranted, NotifyRequested, PageOpened, PageRang } from '../../src/core/page/facts.ts';
import type { Ladder } from '../../src/core/page/ladder.ts';
import { rings } from '../../src/core/page/notification.ts';
import type { Outgoing, Page } from '../../src/core/page/row.ts';
import { minute, second, type Instant, type Millis } from '../../src/core/time.ts';
import { hastened, type SeenStamp } from './hastened.ts';
import type { Ledger, Moment } from './ledger.ts';

/** How long a notification may lie about unhanded while the process is up, before its overdue answer says something about us. */
const handWithinMs: Millis = 30 * second;
/** A rung on which nobody was told has so long. */
const reachWithinMs: Millis = minute;
/** Beyond the ladder's own time: the last attempts on its last rung. */
const ladderSlackMs: Millis = 2 * minute;
const outgoingKept = 64;

interface Rang extends SeenStamp {
  readonly fact: PageRang;
  acked: SeenStamp | null;
}

interface Book {
  readonly id: string;
  readonly incident: string;
  readonly ladder: Ladder;
  /** When it began to ring: first, or after an answer, while which nobody had to be told. */
  begun: Moment;
  /** Ids asked for as a first attempt. */
  readonly asked: Set<string>;
  /** Ids that wait to be told together with others. */
  readonly held: Set<string>;
  /** Of the newest ring: ids of earlier rings that count for it. */
  carried: ReadonlySet<string>;
  requests: number;
  rang: Rang | null;
  delivered: boolean;
  /** Pages whose messages told of it, too. */
  readonly ledBy: Set<string>;
  /** One of those is over, or somebody has it: nothing calls for this one at the vendor. */
  left: boolean;
  /** It said that nobody on its ladder could be told. */
  unreached: boolean;
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
  const granted = new Set<string>();
  const refusedEnds = new Set<string>();
  /** Taken by a vendor from a process that then died, and refused from the next: nobody can know that it arrived. */
  const disowned = new Set<string>();
  let ringing: Book[] = [];
  /** Runs that ask for a yes, by incident; those of this turn for which nobody was called yet; and when one expired last. */
  const asking = new Map<string, string>();
  const uncalled = new Map<string, string>();
  const expiredAt = new Map<string, Instant>();

  ledger.watch({
    fact(told, desk) {
      const { fact, seen } = told;
      switch (fact.type) {
        case 'PageOpened':
          return void books.set(fact.page, bookOf(fact, seen));
        case 'PageRang':
          return rang(fact, told, desk.tables.pages.rows.get(fact.page));
        case 'ApprovalRequested':
          asking.set(fact.incident, fact.run);
          return void uncalled.set(fact.incident, fact.run);
        case 'ApprovalGiven':
          return void asking.delete(fact.incident);
        case 'RunFinished':
          if (fact.end === 'expired') expiredAt.set(fact.incident, fact.at);
          return;
        case 'PageAcked':
          leave(fact.page);
          return acked(fact.page, told);
        case 'PageClosed':
          leave(fact.page);
          return closed(fact.page);
        case 'NotifyRequested':
          for (const { page } of fact.with ?? []) books.get(page)?.ledBy.add(fact.page);
          return requested(fact, seen, desk.tables.pages.rows.get(fact.page));
        case 'NotifyHeld':
          ledger.reach('held to be told together');
          return void books.get(fact.page)?.held.add(fact.notification.id);
        case 'NotifyGranted':
          return grants(fact, seen, desk.tables.pages.rows.get(fact.page));
        case 'NotifyDropped':
          ledger.reach('dropped at the grant');
          return void unhanded.delete(fact.notification);
        case 'PageReachChanged':
          if (fact.reach === 'unreached') ledger.reach('page unreached');
          for (const book of booksOf(fact.incident)) book.unreached ||= fact.reach === 'unreached';
          return;
        case 'NotifyFinished':
          return answered(fact, seen);
        case 'IncidentDecided':
          if (fact.decision === 'suppress') for (const book of booksOf(fact.incident)) book.hushed = true;
          return;
        default:
      }
    },
    handed(_notifier, { id }, seen) {
      if (!books.values().some((book) => book.asked.has(id))) ledger.breach(`P4: ${id} was sent and is not on the log`);
      else if (!granted.has(id)) ledger.breach(`P5: ${id} was sent without a grant`);
      if ((handedIn.get(id) ?? seen.lives) !== seen.lives) ledger.reach('notification repeated after a crash');
      handedIn.set(id, seen.lives);
      countsOf(id).handed += 1;
      unhanded.delete(id);
    },
    settled() {
      for (const book of ringing) allAsked(book);
      ringing = [];
      for (const run of uncalled.values()) ledger.breach(`B15: run ${run} asks for a yes, and nobody was called for it`);
      uncalled.clear();
    },
  });

  function leave(page: string): void {
    for (const book of books.values()) if (book.ledBy.delete(page)) book.left = true;
  }

  function booksOf(incident: string): readonly Book[] {
    return [...books.values()].filter((book) => book.incident === incident && !book.closed);
  }

  /** P1, P2, P3: in the ladder's order, each rung after its wait, none while acknowledged. */
  function rang(fact: PageRang, told: SeenStamp, page: Page | undefined): void {
    const { seen } = told;
    const book = books.get(fact.page);
    if (book === undefined) return ledger.breach(`P1: page ${fact.page} rang before it was opened`);
    if (fact.kind === 'approval') uncalled.delete(fact.incident);
    const last = book.rang;
    book.rang = { ...told, fact, acked: null };
    book.carried = new Set((fact.carried ?? []).map(({ notification }) => notification));
    ringing.push(book);
    if (book.closed) return ledger.breach(`P2: page ${fact.page} rang after it was closed`);
    if (last === null || page === undefined) return;
    if (last.acked !== null) {
      book.begun = seen;
      return rangAgain(book, last.acked, fact, seen);
    }
    const why = fact.round === 0 && fact.rung === 0 ? anew(fact) : null;
    if (why !== null) return ledger.reach(why);
    if (book.left && fact.kind === 'repeat' && place({ ...fact, ring: fact.ring - 1 }) === place(last.fact)) {
      book.left = false; // U3
      return ledger.reach('rings by itself since what told of it is over');
    }
    const { rungs, repeat } = book.ladder;
    const outgoing = page.outgoing.filter((one) => one.ring === page.ring && rings[one.kind]);
    const [round, rung] = nextPlace(last.fact, book.ladder, outgoing);
    if (fact.round !== round || fact.rung !== rung || fact.ring !== last.fact.ring + 1) {
      ledger.breach(`P1: page ${fact.page} went from ${place(last.fact)} to ${place(fact)}`);
    }
    const ownMs = rungs[last.fact.rung]?.waitMs ?? 0;
    const wholeMs = last.fact.round > repeat ? Math.max(ownMs, minute) : ownMs;
    const heard = outgoing.some((one) => one.state === 'accepted' || one.heard === true);
    const isPast = (one: Outgoing): boolean =>
      one.state === 'refused' || one.state === 'dropped' || (one.state === 'waiting' && (one.dueAt ?? 0) - fact.at >= reachWithinMs);
    if (!heard && outgoing.length > 0 && outgoing.every(isPast)) ledger.reach('climbed because nobody on the rung could be reached');
    else early(fact, last, seen, heard ? wholeMs : Math.min(wholeMs, reachWithinMs));
  }

  /** Why a page that rings may begin its ladder anew. */
  function anew({ kind, incident, at }: PageRang): string | null {
    if (kind === 'risen' || kind === 'joined') return 'rang anew because it got worse';
    if (kind === 'approval' && asking.has(incident)) return 'rang anew because a run asks for a yes';
    return kind === 'page' && expiredAt.get(incident) === at ? 'rang anew because nobody answered in time' : null;
  }

  function rangAgain({ ladder }: Book, from: SeenStamp, fact: PageRang, seen: Moment): void {
    if (fact.round !== 0 || fact.rung !== 0) ledger.breach(`P1: acknowledged page ${fact.page} rang again at ${place(fact)}`);
    if (fact.kind !== 'repeat') return ledger.reach('answered page rings again for something new');
    if (ladder.ackTimeoutMs === 0) return ledger.breach(`P2: page ${fact.page} rang although it was acknowledged for good`);
    early(fact, from, seen, ladder.ackTimeoutMs);
  }

  function early(fact: PageRang, from: SeenStamp, to: Moment, waitMs: Millis): void {
    const forgiven = hastened(ledger, from, to);
    const passed = to.steady - from.seen.steady;
    if (passed + 1 < waitMs - forgiven) {
      ledger.breach(`R7: page ${fact.page} rang ${place(fact)} after ${passed} ms instead of ${waitMs} ms`);
    }
  }

  function allAsked({ id, ladder, rang: last, asked, held, carried }: Book): void {
    if (last === null) return;
    for (const notifier of ladder.rungs[last.fact.rung]?.notify ?? []) {
      const isOf = `${id}|${last.fact.ring}|${notifier}`;
      const isAsked = asked.has(isOf) || held.has(isOf) || carried.values().some((one) => one.endsWith(`|${notifier}`));
      if (!isAsked) ledger.breach(`P1: page ${id} rang ${place(last.fact)} without ${notifier}`);
    }
  }

  function acked(id: string, told: SeenStamp): void {
    const book = books.get(id);
    if (book === undefined) return;
    if (book.rang !== null) book.rang.acked = told;
    honest(book, told.seen);
  }

  function closed(id: string): void {
    const book = books.get(id);
    if (book === undefined) return;
    if (book.rang?.acked === null) honest(book, ledger.moment());
    book.closed = true;
  }

  /** P4: whoever had the time of a whole ladder has reached somebody, or has said that nobody can be reached. */
  function honest(book: Book, now: Moment): void {
    const { ladder, begun, delivered, unreached, hushed } = book;
    if (delivered || unreached || hushed) return;
    const climbMs = ladder.rungs.reduce((sum, rung) => sum + Math.min(rung.waitMs, reachWithinMs), 0);
    const restarts = 1 + now.lives - begun.lives;
    if (now.up - begun.up > (climbMs + ladderSlackMs) * restarts) ledger.breach(`P4: page ${book.id} reached nobody and does not say so`);
  }

  function requested(fact: NotifyRequested, seen: Moment, page: Page | undefined): void {
    const { id, kind } = fact.notification;
    const book = books.get(fact.page);
    unhanded.set(id, seen);
    countsOf(id).asked += 1;
    if (page === undefined || book === undefined) return ledger.breach(`P4: ${id} belongs to no page`);
    book.requests += 1;
    const says = `${id} (attempt ${fact.attempt})`;
    if (rings[kind] && page.state !== 'ringing') ledger.breach(`P2: ${says} is sent while the page is ${page.state}`);
    if (kind === 'acknowledged' && page.state !== 'acked') ledger.breach(`B4: ${says} says who has it while the page is ${page.state}`);
    if (kind === 'resolve' && page.state !== 'closed') ledger.breach(`P2: ${says} says it is over while the page is ${page.state}`);
    if (fact.attempt === 1 && book.asked.has(id)) ledger.breach(`P1: ${id} was asked for twice as a first attempt`);
    book.asked.add(id);
  }

  /** G1: at the grant it is true. */
  function grants({ outgoing, notification, notifier }: NotifyGranted, seen: Moment, page: Page | undefined): void {
    granted.add(outgoing);
    const { kind } = notification;
    const says = `${outgoing} (${kind}) is granted`;
    if (page === undefined) return ledger.breach(`G1: ${says} without its page`);
    const due = kind === 'resolve' ? 'closed' : kind === 'acknowledged' ? 'acked' : 'ringing';
    if (page.state !== due) ledger.breach(`G1: ${says} while the page is ${page.state}`);
    const others = page.outgoing.filter(
      (one) => one.notifier === notifier && one.id !== outgoing && one.state === 'granted' && rings[one.kind],
    );
    if (rings[kind] && others.length > 0) ledger.breach(`P6: ${says} while ${others[0]?.id} is on its way at ${seen.steady}`);
  }

  function answered({ outcome, notification, page, notifier, retry, with: lead }: NotifyFinished, seen: Moment): void {
    const book = books.get(page);
    if (book === undefined) return;
    const since = unhanded.get(notification);
    if (since !== undefined && seen.up - since.up > handWithinMs) {
      const when = since.lives === seen.lives ? '' : 'after a restart ';
      ledger.breach(`X2: ${when}${notification} was not handed to ${notifier} for ${seen.up - since.up} ms`);
    }
    countsOf(notification).answers.add(outcome.outcome);
    const arrivals = ledger.arrived.filter((one) => one.id === (lead ?? notification));
    if (lead !== undefined) ledger.reach('told together with others');
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

function bookOf({ page, incident, ladder }: PageOpened, begun: Moment): Book {
  const state = { requests: 0, carried: new Set<string>(), rang: null, delivered: false, unreached: false, hushed: false, closed: false };
  return { id: page, incident, ladder, begun, asked: new Set(), held: new Set(), ledBy: new Set(), left: false, ...state };
}

/** Up, then round again, then the last rung over and over; the same once more when all of it was dropped. */
function nextPlace(last: PageRang, { rungs, repeat }: Ladder, outgoing: readonly Outgoing[]): readonly [number, number] {
  if (outgoing.length > 0 && outgoing.every(({ state }) => state === 'dropped')) return [last.round, last.rung];
  if (last.rung + 1 < rungs.length) return [last.round, last.rung + 1];
  return [last.round + 1, last.round < repeat ? 0 : rungs.length - 1];
}

function place(fact: PageRang): string {
  return `round ${fact.round + 1} rung ${fact.rung + 1} (ring ${fact.ring})`;
}
