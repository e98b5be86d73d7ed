// Every word that leaves was granted, once for each claim, and leaves soon after its grant; what was asked for has an end, or was dropped with
// its reason. Whether a grant was true when it was given is asked in check-pages.ts (G1).
//   P5  (core/page/delivery.ts) nothing leaves that was not granted; X6 (engine/effects/notifications.ts) nor long after.
import { rings } from '../../src/core/page/notification.ts';
import { second, type Millis } from '../../src/core/time.ts';
import type { Ledger, Moment } from './ledger.ts';

/** A worker begins within ten seconds of its claim, and its call may lie in a queue for a moment. */
const leaveWithinMs: Millis = 15 * second;
/** Whoever is about to tell people hears within this that somebody has it, or that it is over (X8). */
const hearWithinMs: Millis = 5 * second;
/** Of what a message tells besides, while its attempts are so few. */
const companionsWatchedAttempts = 3;

export function checkGrants(ledger: Ledger): { ended(): void } {
  /** By notification, attempt and worker. */
  const claims = new Map<string, number>();
  const grants = new Map<string, number>();
  /** By notification: how often it was granted and handed over, and when it was granted last. */
  const granted = new Map<string, { count: number; seen: Moment }>();
  const handed = new Map<string, number>();
  /** Pages that do not ring, and since when. */
  const silent = new Map<string, Moment>();
  /** Notifications that have no end yet; a ring that only waits for its next attempt may go with its page. */
  const open = new Set<string>();
  const untilTaken = new Set<string>();

  ledger.watch({
    input(input) {
      if (input.type === 'NotifyClaimed') count(claims, `${input.notification}#${input.attempt} ${input.worker}`);
    },
    fact({ fact, seen }) {
      switch (fact.type) {
        case 'NotifyHeld':
          return void open.add(fact.notification.id);
        case 'NotifyRequested':
          if (!rings[fact.notification.kind]) untilTaken.add(fact.notification.id);
          return void open.add(fact.notification.id);
        case 'NotifyGranted': {
          const key = `${fact.outgoing}#${fact.attempt} ${fact.worker}`;
          if (count(grants, key) > (claims.get(key) ?? 0)) ledger.breach(`P5: ${key} was granted more often than it was claimed`);
          granted.set(fact.outgoing, { count: (granted.get(fact.outgoing)?.count ?? 0) + 1, seen });
          return;
        }
        case 'PageAcked':
        case 'PageClosed':
          if (!silent.has(fact.page)) silent.set(fact.page, seen);
          return;
        case 'PageRang':
          return void silent.delete(fact.page);
        case 'NotifyDropped':
          return void open.delete(fact.notification);
        case 'NotifyFinished':
          if (!fact.retry || !untilTaken.has(fact.notification)) open.delete(fact.notification);
          return;
        default:
      }
    },
    handed(_notifier, { id, kind }, seen) {
      const grant = granted.get(id);
      if (grant === undefined) return; // check-pages.ts says so
      if (count(handed, id) > grant.count) ledger.breach(`P5: ${id} was sent ${handed.get(id)} times for ${grant.count} grants`);
      const sinceMs = seen.steady - grant.seen.steady;
      const isLate = sinceMs > leaveWithinMs && grant.seen.disturbances === seen.disturbances;
      if (isLate) ledger.breach(`X6: ${id} (${kind}) was sent ${sinceMs} ms after its grant`);
    },
    left({ id, kind, page, also = [] }, seen) {
      if (!rings[kind]) return;
      const silentFor = (one: string): Millis => {
        const over = silent.get(one);
        return over !== undefined && over.disturbances === seen.disturbances ? seen.steady - over.steady : 0;
      };
      if (silentFor(page) > hearWithinMs)
        ledger.breach(`G1: ${id} (${kind}) left ${silentFor(page)} ms after somebody had it, or it was over`);
      if ((granted.get(id)?.count ?? 0) > companionsWatchedAttempts) return;
      for (const told of also)
        if (silentFor(told.page) > hearWithinMs)
          ledger.breach(`G1: ${id} tells ${told.page}, too, and left ${silentFor(told.page)} ms after somebody had that, or it was over`);
    },
  });

  return {
    ended() {
      for (const id of open) ledger.breach(`P5: ${id} was asked for, and neither told, given up nor dropped`);
    },
  };
}

function count(counts: Map<string, number>, key: string): number {
  const next = (counts.get(key) ?? 0) + 1;
  counts.set(key, next);
  return next;
}
