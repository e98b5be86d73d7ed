// Vendors that are down a third of the time: a page that told nobody tries the next way within a minute, and the same again before long, so that
// how late a person hears is how long the vendors are down and not much more; whoever was told hears of the end; no vendor's incident stays open.
//   P1, P4 (core/page/climb.ts, delivery.ts) and the waits of retry.ts; P9 (core/page/row.ts) of what each vendor keeps.
import { rings } from '../../src/core/page/notification.ts';
import { reachWithinMs } from '../../src/core/page/delivery.ts';
import { hour, minute, second, type Millis } from '../../src/core/time.ts';
import { deskName, type Ledger, type Moment } from './ledger.ts';
import type { Condition } from './outside.ts';

/** From its ring to the vendor: a bundle's span, a claim, a grant. */
const handWithinMs: Millis = 40 * second;
/** The longest wait for another attempt, after an answer that may take a minute. */
const retryWithinMs: Millis = 6 * minute + 30 * second;
/** The longest wait of a last rung in simPolicy. */
const roundMs: Millis = 15 * minute;
const slackMs: Millis = 8 * second;
const perTroubleMs: Millis = 5 * second;
/** Of simPolicy's keepTryingMs. */
const keepTryingMs: Millis = 23 * hour;
const outgoingKept = 64;

/** A page that has told nobody. */
interface Unheard {
  readonly desk: string;
  since: Moment;
  withinMs: Millis;
}

export function checkReach(ledger: Ledger): { ended(): void } {
  const unheard = new Map<string, Unheard>();
  const ends = new Map<string, Moment>();
  const requests = new Map<string, number>();
  /** In this world vendors go down and come back. */
  let spells = false;

  ledger.watch({
    fact({ fact, partition, seen }) {
      switch (fact.type) {
        case 'PageOpened':
          return void unheard.set(fact.page, { desk: deskName(partition, fact.scope), since: seen, withinMs: handWithinMs });
        case 'PageAcked':
        case 'PageClosed':
          return void unheard.delete(fact.page);
        case 'NotifyRequested':
          requests.set(fact.page, (requests.get(fact.page) ?? 0) + 1);
          if (fact.notification.kind === 'resolve' && fact.attempt === 1) ends.set(fact.notification.id, seen);
          return;
        case 'NotifyDropped':
          if (!fact.why.startsWith('ring ')) unheard.delete(fact.page); // nobody was to be told then
          return;
        case 'IncidentDecided':
          if (fact.decision === 'suppress')
            for (const [page] of unheard) if (page === incidentPage(partition, fact.scope, fact.incident)) unheard.delete(page);
          return;
        case 'NotifyFinished':
          if (!fact.retry && fact.outcome.outcome !== 'accepted') givenUp(fact.notification, seen);
          return;
        default:
      }
    },
    handed(_notifier, notification, seen, condition) {
      if (condition === null) return;
      spells = true;
      if (!rings[notification.kind]) return;
      for (const page of [notification.page, ...(notification.also ?? []).map((told) => told.page)]) tried(page, seen, condition);
    },
    settled(now) {
      if (spells) for (const [page, entry] of unheard) inTime(page, entry, now);
    },
  });

  function incidentPage(partition: number, scope: string, incident: string): string | null {
    return ledger.desks.get(deskName(partition, scope))?.tables.incidents.rows.get(incident)?.page ?? null;
  }

  function tried(id: string, seen: Moment, condition: Condition): void {
    const entry = unheard.get(id);
    if (entry === undefined) return;
    if (condition === 'well' || condition === 'unheard') {
      unheard.delete(id);
      return;
    }
    ledger.reach('a vendor was down');
    const page = ledger.desks.get(entry.desk)?.tables.pages.rows.get(id);
    const hasNext = page !== undefined && page.rung + 1 < page.ladder.rungs.length;
    entry.since = seen;
    entry.withinMs = handWithinMs + (hasNext ? reachWithinMs : condition === 'refused' ? roundMs : retryWithinMs);
  }

  /** P4: how late a person hears. */
  function inTime(page: string, entry: Unheard, now: Moment): void {
    const { since, withinMs } = entry;
    if (since.disturbances !== now.disturbances) return void (entry.since = now);
    const restarts = now.lives - since.lives;
    const again = now.back > 0 || now.forward > 0 ? restarts + 1 : 0;
    const slack = slackMs + perTroubleMs * (now.troubles - since.troubles + restarts);
    if (now.up - since.up <= withinMs * (1 + again) + slack) return;
    unheard.delete(page);
    ledger.breach(`P4: page ${page} has told nobody, and nobody was tried for ${now.up - since.up} ms`);
  }

  function givenUp(id: string, seen: Moment): void {
    const since = ends.get(id);
    if (since === undefined || seen.forward > 0 || seen.back > 0) return; // a desk that lost a day gives up a day early
    const passed = seen.steady - since.steady;
    if (passed < keepTryingMs) ledger.breach(`P4: ${id} says that it is over, and was given up after ${passed} ms`);
  }

  return {
    ended() {
      const { forward, back } = ledger.moment();
      if (!spells || forward > 0 || back > 0) return;
      const open = new Map<string, string>();
      for (const { id, page, notifier, kind, era, formerEras } of ledger.arrived) {
        const key = (each: number): string => `${page}|${notifier}|${each}`;
        if (kind === 'resolve') for (const each of [era, ...formerEras]) open.delete(key(each));
        else if (rings[kind]) open.set(key(era), id);
      }
      for (const [key, id] of open) {
        const page = key.split('|')[0] ?? '';
        if ((requests.get(page) ?? 0) <= outgoingKept) ledger.breach(`P9: ${key} stays open at its vendor, since ${id}`);
      }
    },
  };
}
