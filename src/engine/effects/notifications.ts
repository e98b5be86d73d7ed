// Notifications: claims what is asked for, and delivers what is granted to this very worker, in the words of the grant.
//   X2  A notification is delivered at least once, with the same id: a grant to a worker that is gone is claimed again by whoever has the
//       partition, and a restart repeats only what had not been answered.
//   X8  While a delivery is under way its page is watched: once somebody has it or it is over, a ring that has not left the gateway yet (a slow
//       server, no connection) is withdrawn; its notifier sends it no more. Pages that its message tells besides are watched, too: it leaves
//       soon after without what is no longer true. Its first three attempts: no ring is put off for ever by what ends beside it.
//   X6  What is granted begins within ten seconds of its claim; whoever slept longer claims it again, so that no word of then leaves now.
import type { NotifyDropped, NotifyFinished, NotifyGranted, NotifyRequested, PageAcked, PageClosed } from '../../core/page/facts.ts';
import { rings, type Notification, type NotifyOutcome } from '../../core/page/notification.ts';
import type { Fact } from '../../core/records.ts';
import type { Millis } from '../../core/time.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { Notifier } from '../../ports/notifier.ts';
import { deliver } from '../delivery.ts';
import { beginWithinMs } from './claims.ts';
import type { Lease } from './lease.ts';
import type { Progress } from './progress.ts';
import type { Report } from './reporter.ts';
import type { Work } from './work.ts';

const factsPerScan = 1_000;
const companionsWatchedAttempts = 3;

export interface NotificationsDeps {
  readonly partition: number;
  readonly log: Pick<EventLog, 'read' | 'end'>;
  readonly clock: Clock;
  readonly worker: string;
  readonly notifiers: ReadonlyMap<string, Notifier>;
  readonly withLinks: (notification: Notification) => Notification;
  readonly lease: Lease;
  readonly progress: Pick<Progress, 'leaveUndone'>;
  readonly work: Pick<Work, 'room' | 'begin'>;
  readonly report: Report;
  readonly stopping: AbortSignal;
  /** The grace is over: calls deliveries off. */
  readonly givingUp: AbortSignal;
  readonly onTrouble: (error: unknown) => void;
}

export interface Notifications {
  /** Reads which attempts behind the offset have ended already: they need no repeat (X2). */
  loadEnded(from: number): Promise<void>;
  /** Resolves when the claim is under way, or none is needed. */
  claim(fact: NotifyRequested): Promise<void>;
  /** Resolves when the delivery has begun, or is none of ours; a grant to a worker that is gone is claimed. */
  begin(fact: NotifyGranted): Promise<void>;
  /** Rings of the page that have not left yet are not true any more (X8). */
  withdraw(fact: PageAcked | PageClosed): void;
  /** The attempt has ended, whoever made it. */
  forget(fact: NotifyFinished | NotifyDropped): void;
}

/** One attempt, and whose it is. */
interface Attempt {
  readonly scope: string;
  readonly page: string;
  readonly notification: string;
  readonly attempt: number;
}

export function createNotifications(deps: NotificationsDeps): Notifications {
  const { clock, worker, lease, work, stopping, report } = deps;
  /** Attempts that had ended before this process started. */
  let ended: ReadonlySet<string> = new Set();
  /** Attempts that this worker has claimed, and when, by its steady clock; null once it was granted. */
  const claims = new Map<string, Millis | null>();
  /** Rings under way, by page: aborted to withdraw them. */
  const leaving = new Map<string, Set<AbortController>>();

  async function claimOne({ scope, page, notification, attempt }: Attempt): Promise<void> {
    if (stopping.aborted) return deps.progress.leaveUndone();
    claims.set(keyOf(notification, attempt), clock.steady());
    await report({ type: 'NotifyClaimed', scope, at: clock.now(), page, notification, attempt, worker });
  }

  async function claim(attempt: Attempt): Promise<void> {
    const key = keyOf(attempt.notification, attempt.attempt);
    if (ended.has(key) || claims.has(key)) return;
    claims.set(key, clock.steady());
    await work.room();
    work.begin(claimOne(attempt));
  }

  async function notify(fact: NotifyGranted, claimedAt: Millis, withdrawn: AbortSignal): Promise<void> {
    const one = attemptOf(fact);
    const isLate = (): boolean => clock.steady() - claimedAt > beginWithinMs;
    if (isLate()) return claimOne(one); // X6
    // Who slept may hear now that another has told people already; a page is late for that at most so long, and goes out all the same.
    await lease.heldBefore(isLate);
    if (stopping.aborted && !lease.holds()) return deps.progress.leaveUndone();
    const outcome = await deliverTo(fact, withdrawn);
    if (stopping.aborted && outcome.outcome === 'unknown') return deps.progress.leaveUndone();
    await report({ type: 'NotifyAnswered', ...one, era: fact.notification.era ?? 0, at: clock.now(), outcome });
  }

  async function deliverTo({ notifier: name, notification }: NotifyGranted, withdrawn: AbortSignal): Promise<NotifyOutcome> {
    const notifier = deps.notifiers.get(name);
    if (notifier === undefined) return { outcome: 'refused', detail: `no notifier ${name} is configured` };
    return deliver(notifier, deps.withLinks(notification), { clock, stopping: deps.givingUp, withdrawn, onTrouble: deps.onTrouble });
  }

  /** Runs the work with a signal that aborts when a page that it tells no longer rings (X8). */
  async function whileTrue(fact: NotifyGranted, leave: (withdrawn: AbortSignal) => Promise<void>): Promise<void> {
    const withdrawal = new AbortController();
    const pages = toldBy(fact);
    for (const page of pages) leaving.set(page, (leaving.get(page) ?? new Set()).add(withdrawal));
    try {
      await leave(withdrawal.signal);
    } finally {
      for (const page of pages) {
        const ofPage = leaving.get(page);
        ofPage?.delete(withdrawal);
        if (ofPage?.size === 0) leaving.delete(page);
      }
    }
  }

  return {
    async loadEnded(from) {
      ended = await endedSince(deps, from);
    },
    claim: ({ notification, ...fact }) => claim(attemptOf({ ...fact, outgoing: notification.id })),
    async begin(fact) {
      const key = keyOf(fact.outgoing, fact.attempt);
      if (ended.has(key)) return;
      // Two who both take the partition for theirs claim once each, not in turns for ever.
      if (fact.worker !== worker) return claim(attemptOf(fact)); // X2
      const claimedAt = claims.get(key) ?? null;
      if (claimedAt === null) return;
      claims.set(key, null); // one delivery for each claim
      await work.room();
      work.begin(whileTrue(fact, (withdrawn) => notify(fact, claimedAt, withdrawn)));
    },
    withdraw({ page }) {
      for (const withdrawal of leaving.get(page) ?? []) withdrawal.abort();
      leaving.delete(page);
    },
    forget: ({ notification, attempt }) => void claims.delete(keyOf(notification, attempt)),
  };
}

/** Pages whose end, or whose being taken, makes words untrue that have not left yet (X8). */
function toldBy({ page, attempt, notification: { kind, also = [] } }: NotifyGranted): readonly string[] {
  if (!rings[kind]) return [];
  return attempt > companionsWatchedAttempts ? [page] : [page, ...also.map((told) => told.page)];
}

async function endedSince({ log, partition }: NotificationsDeps, from: number): Promise<ReadonlySet<string>> {
  const ended = new Set<string>();
  const end = await log.end('facts', partition, Infinity); // it moves on while we read
  for (let at = from; at < end;) {
    const records = await log.read('facts', partition, at, factsPerScan);
    const last = records.at(-1);
    if (last === undefined) break;
    for (const record of records) {
      const fact = record.value as Fact; // written by the host only
      if (fact.type === 'NotifyFinished' || fact.type === 'NotifyDropped') ended.add(keyOf(fact.notification, fact.attempt));
    }
    at = last.offset + 1;
  }
  return ended;
}

function attemptOf({ scope, page, outgoing, attempt }: Pick<NotifyGranted, 'scope' | 'page' | 'outgoing' | 'attempt'>): Attempt {
  return { scope, page, notification: outgoing, attempt };
}

function keyOf(notification: string, attempt: number): string {
  return `${notification}#${attempt}`;
}
