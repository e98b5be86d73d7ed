// Notifications: delivers what is requested and was not answered before this process started.
//   X2  A notification is delivered at least once, with the same id; a restart repeats only what had not been answered.
import type { NotifyRequested } from '../../core/page/facts.ts';
import type { Notification, NotifyOutcome } from '../../core/page/notification.ts';
import type { Fact } from '../../core/records.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { Notifier } from '../../ports/notifier.ts';
import { deliver } from '../delivery.ts';
import { beginWithinMs } from './actions.ts';
import type { Lease } from './lease.ts';
import type { Progress } from './progress.ts';
import type { Report } from './reporter.ts';
import type { Work } from './work.ts';

const factsPerScan = 1_000;

export interface NotificationsDeps {
  readonly partition: number;
  readonly log: Pick<EventLog, 'read' | 'end'>;
  readonly clock: Clock;
  readonly notifiers: ReadonlyMap<string, Notifier>;
  readonly withAckLink: (notification: Notification) => Notification;
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
  /** Reads which attempts behind the offset were answered already: they need no repeat (X2). */
  loadAnswered(from: number): Promise<void>;
  /** Resolves when the delivery has begun, or needs none. */
  begin(fact: NotifyRequested): Promise<void>;
}

export function createNotifications(deps: NotificationsDeps): Notifications {
  const { clock, lease, work, stopping } = deps;
  /** Attempts that were answered before this process started. */
  let answered: ReadonlySet<string> = new Set();

  async function notify(fact: NotifyRequested): Promise<void> {
    const { scope, page, notification } = fact;
    const askedAt = clock.steady();
    // Who slept may hear now that another has told people already; a page is late for that at most so long, and goes out all the same.
    await lease.heldBefore(() => clock.steady() - askedAt > beginWithinMs);
    if (stopping.aborted && !lease.holds()) return deps.progress.leaveUndone();
    const outcome = await attempt(fact);
    if (stopping.aborted && outcome.outcome === 'unknown') return deps.progress.leaveUndone();
    await deps.report({ type: 'NotifyAnswered', scope, at: clock.now(), page, notification: notification.id, outcome });
  }

  async function attempt({ notifier: name, notification }: NotifyRequested): Promise<NotifyOutcome> {
    const notifier = deps.notifiers.get(name);
    if (notifier === undefined) return { outcome: 'refused', detail: `no notifier ${name} is configured` };
    return deliver(notifier, deps.withAckLink(notification), { clock, stopping: deps.givingUp, onTrouble: deps.onTrouble });
  }

  return {
    async loadAnswered(from) {
      answered = await answersSince(deps, from);
    },
    async begin(fact) {
      if (answered.has(attemptOf(fact.notification.id, fact.attempt))) return;
      await work.room();
      work.begin(notify(fact));
    },
  };
}

async function answersSince({ log, partition }: NotificationsDeps, from: number): Promise<ReadonlySet<string>> {
  const answered = new Set<string>();
  const end = await log.end('facts', partition, Infinity); // it moves on while we read
  for (let at = from; at < end;) {
    const records = await log.read('facts', partition, at, factsPerScan);
    const last = records.at(-1);
    if (last === undefined) break;
    for (const record of records) {
      const fact = record.value as Fact; // written by the host only
      if (fact.type === 'NotifyFinished') answered.add(attemptOf(fact.notification, fact.attempt));
    }
    at = last.offset + 1;
  }
  return answered;
}

function attemptOf(notification: string, attempt: number): string {
  return `${notification}#${attempt}`;
}
