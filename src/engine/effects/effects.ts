// The hands of the gateway: reads the facts of one partition in order, and has each one's work begun. Rules are core's; this keeps order and bounds.
// Its parts: actions (carries out steps), claims (of steps, in their turn), notifications, messages (from desk to desk), reporter (answers go to the log), work (what is under way), progress, lease.
//   X1  An action happens only after the log granted it to this worker, and at most once per grant.
//   X2  A notification is delivered once it is granted, at least once, with the same id; a restart repeats only what had not been answered.
//   X3  A slow target or notifier holds up nobody else, within the bound of what may be under way.
//   X4  Whoever slept through his grant does nothing: an action begins within ten seconds of its claim, and while the partition is still held.
import { isOutbox } from '../../core/outbox.ts';
import type { Notification } from '../../core/page/notification.ts';
import type { Fact } from '../../core/records.ts';
import { isMessage } from '../../core/resource/message.ts';
import type { Millis } from '../../core/time.ts';
import type { Executor } from '../../executor/executor.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Cursors } from '../../ports/cursors.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { Notifier } from '../../ports/notifier.ts';
import { createSaver } from '../async/saver.ts';
import { createTail, placeIn } from '../tail.ts';
import { createActions, type Actions, type StepUnderWay } from './actions.ts';
import { createLease } from './lease.ts';
import { createMessages, type Messages } from './messages.ts';
import { createNotifications, type Notifications } from './notifications.ts';
import { createProgress } from './progress.ts';
import { createReporter } from './reporter.ts';
import { createWork } from './work.ts';

const factsPerRead = 256;
const cursorEveryMs: Millis = 200;
/** The name of effects among the readers of facts; retention asks it what is still needed. */
export const effectsCursor = 'effects';

export interface EffectsDeps {
  readonly partition: number;
  readonly log: EventLog;
  readonly cursors: Cursors;
  readonly clock: Clock;
  /** Unlike any other worker, living or dead: of a process that gets a partition a second time, too. */
  readonly worker: string;
  /** Whether, by our own clock, the partition is still ours to act for. */
  readonly holds: () => boolean;
  /** Told how far the cursor has come, each time it moves. */
  readonly onPassed: (offset: number) => void;
  readonly executor: Executor;
  readonly notifiers: ReadonlyMap<string, Notifier>;
  /** Adds what core cannot know: links to the gateway, signed. */
  readonly withLinks: (notification: Notification) => Notification;
  readonly onTrouble: (error: unknown) => void;
}

export interface Effects {
  start(): Promise<void>;
  /** Takes up nothing new and waits for what is under way, at most so long. */
  stop(graceMs: Millis): Promise<void>;
  readonly underWay: number;
  /** Takes up no new step and goes on with all else; resolves when no step is under way. */
  drain(): Promise<void>;
  readonly steps: readonly StepUnderWay[];
}

export function createEffects(deps: EffectsDeps): Effects {
  const { partition, log, cursors, clock, onTrouble } = deps;
  const stop = new AbortController();
  const giveUp = new AbortController();
  const stopping = stop.signal;
  const progress = createProgress();
  const saver = createSaver({
    clock,
    everyMs: cursorEveryMs,
    async save(offset) {
      await cursors.save(effectsCursor, partition, offset);
      deps.onPassed(offset);
    },
    onTrouble,
  });
  const advance = (): void => saver.moved(progress.passed());
  const work = createWork({ clock, progress, stopping, onEnded: advance, onTrouble });
  const parts = {
    ...deps,
    progress,
    work,
    stopping,
    givingUp: giveUp.signal,
    lease: createLease(deps.holds, clock, stopping),
    report: createReporter({ partition, log, clock, progress, stopping, onTrouble }),
  };
  const actions = createActions(parts);
  const notifications = createNotifications(parts);
  const messages = createMessages(parts);
  const placed = notifications.loadEnded;
  const tail = createTail({ partition, log, clock, batch: factsPerRead, placed, onTrouble }, async (facts, end) => {
    for (const fact of facts) await begin(fact, { actions, notifications, messages });
    progress.taken(end);
    advance();
  });

  return {
    async start() {
      const from = await placeIn(log, 'facts', partition, await cursors.load(effectsCursor, partition), onTrouble);
      progress.place(from);
      saver.place(from);
      await notifications.loadEnded(from);
      if (!stopping.aborted) tail.start(from);
    },
    async stop(graceMs) {
      stop.abort();
      await tail.stop();
      await work.ended(graceMs);
      giveUp.abort();
      await saver.flush();
    },
    get underWay() {
      return work.underWay;
    },
    drain: () => actions.drain(),
    get steps() {
      return actions.underWay;
    },
  };
}

interface Hands {
  readonly actions: Actions;
  readonly notifications: Notifications;
  readonly messages: Messages;
}

/** Resolves when the next fact may be taken. */
async function begin(fact: Fact, { actions, notifications, messages }: Hands): Promise<void> {
  if (!isOutbox(fact)) return;
  switch (fact.type) {
    case 'StepRequested':
      return actions.claim(fact);
    case 'StepGranted':
      return actions.begin(fact);
    case 'StepCalledOff':
      return actions.callOff(fact);
    case 'StepFinished':
      return actions.forget(fact);
    case 'NotifyRequested':
      return notifications.claim(fact);
    case 'NotifyGranted':
      return notifications.begin(fact);
    case 'PageAcked':
    case 'PageClosed':
      return notifications.withdraw(fact);
    case 'NotifyFinished':
    case 'NotifyDropped':
      return notifications.forget(fact);
    case 'ResourceRequested':
    case 'ResourceReleased':
    case 'ResourceDecided':
    case 'GroupDecided':
      return messages.carry(fact);
    case 'ResourceFreed':
      return isMessage(fact) ? messages.carry(fact) : undefined;
    // Waits are the host's.
    case 'WakeRequested':
    case 'WakeSpent':
      return;
    default:
      fact satisfies never;
  }
}
