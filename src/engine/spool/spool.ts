// What intake accepts while the shared log is away: kept in a store of this process, then sent on in order. It stands between intake and
// the log; nothing else appends through it, and intake does not use the offsets, which are 0 for what is spooled.
//   S1  An append resolves once its batch is durable, on the shared log or here; what is here is sent on, over any number of restarts.
//   S2  The shared log gets batches in the order of the calls: while anything is here, all that comes goes through here. Where the log
//       fails in the midst of a window, deliveries that tell of different alerts may change places; those of one alert never do.
//       Nothing goes directly before the place up to which all was sent is saved: the next life would send it behind what is newer.
//   S3  Bounded in bytes and in age; beyond: `overloaded`. What is here stays, however old.
// A batch whose answer was lost is sent again. Alerts are recognised then by their delivery id. Of what people ask (cf. core/turn.ts):
// a policy, a thaw, an approval, a cancelling or a resolving that is done is ignored; a freeze and a silence say again what holds; an ack
// changes nothing unless the page has rung anew since; a note and a remark on left-out alerts make a second line.
import { GatewayError } from '../../core/errors.ts';
import { spanOf, type Instant, type Millis } from '../../core/time.ts';
import type { DeadLetter } from '../../ports/dead-letters.ts';
import type { EventLog, LogBatch } from '../../ports/event-log.ts';
import { iso } from '../instant.ts';
import { createBacklog, type BacklogLimits } from './backlog.ts';
import { entryFor, type SpooledBatch } from './entry.ts';
import { openForwarder, isAway, type ForwarderDeps } from './forwarder.ts';
import { createOutage } from './outage.ts';

export interface SpoolDeps extends Omit<ForwarderDeps, 'watch'>, BacklogLimits {
  readonly watch: SpoolWatch;
}

/** Told of what comes and goes, for figures and for whoever waits for decisions. */
export interface SpoolWatch {
  /** Durable here; `recalled` when an earlier life of the process left it. */
  spooled(batch: SpooledBatch, recalled: boolean): void;
  /** On the shared log, or a dead letter. */
  sent(batch: SpooledBatch): void;
  /** It went to the dead letters: the log will never take it. */
  buried(letter: DeadLetter): void;
}

export interface SpoolStatus {
  /** When the shared log failed first, while it has not taken anything since. */
  readonly awaySince: Instant | null;
  /** Batches that wait to be sent on, and their size as JSON text. */
  readonly records: number;
  readonly bytes: number;
  readonly oldestMs: Millis;
  /** Why nothing more is taken, or null. */
  readonly full: string | null;
}

export interface Spool {
  /** The shared log as intake shall see it. */
  readonly log: EventLog;
  status(): SpoolStatus;
  /** Takes up nothing new; what is being sent at this moment is waited for. The rest is sent by the next life. */
  stop(): Promise<void>;
}

export const emptySpool: SpoolStatus = { awaySince: null, records: 0, bytes: 0, oldestMs: 0, full: null };

interface Call {
  readonly batch: LogBatch;
  /** With the shared log, not yet answered. */
  isSent: boolean;
  readonly resolve: (offset: number) => void;
  readonly reject: (error: unknown) => void;
}

/** Counts what an earlier life left, tells it to `watch`, and begins to send it on. Rejects when the own store cannot be read. */
export async function openSpool(deps: SpoolDeps): Promise<Spool> {
  const { shared, store, clock, watch } = deps;
  const backlog = createBacklog(deps);
  const outage = createOutage();
  /** Calls without an answer, in their order. */
  const calls = new Set<Call>();
  const forwarder = await openForwarder(deps, { backlog, outage, isIdle: () => calls.size === 0, onEmptied: () => (isSpooling = false) });
  let isSpooling = backlog.records > 0;
  forwarder.start();

  function append(batch: LogBatch): Promise<number> {
    return new Promise((resolve, reject) => {
      const call: Call = { batch, isSent: false, resolve, reject };
      calls.add(call);
      if (isSpooling) flush();
      else void send(call);
    });
  }

  /** To the shared log; when that is away, what was sent to it is spooled after all. */
  async function send(call: Call): Promise<void> {
    call.isSent = true;
    try {
      call.resolve(await shared.append('inputs', call.batch));
      calls.delete(call);
    } catch (error) {
      call.isSent = false;
      if (isAway(error)) {
        isSpooling = true;
        if (outage.began(clock.now())) deps.onTrouble(error);
      } else {
        calls.delete(call);
        call.reject(error);
      }
    }
    flush();
  }

  /** S2: a call waits here for those before it whose answer is still open. */
  function flush(): void {
    if (!isSpooling) return;
    for (const call of calls) {
      if (call.isSent) return;
      calls.delete(call);
      void keep(call);
    }
    forwarder.wake();
  }

  async function keep({ batch, resolve, reject }: Call): Promise<void> {
    const full = backlog.fullness(clock.steady());
    if (full !== null) return reject(new GatewayError('overloaded', `the shared log is away and ${full}`)); // S3
    const entry = entryFor(batch, clock.now());
    if (backlog.records === 0) backlog.headAt(forwarder.next, entry.at, { now: entry.at, steady: clock.steady() });
    backlog.add(entry.bytes);
    try {
      const place = await store.log.append('inputs', { partition: 0, scope: batch.scope, values: [entry], ...reserveOf(batch) });
      watch.spooled({ ...batch, place }, false);
      resolve(0); // S1
    } catch (error) {
      backlog.remove(entry.bytes);
      reject(error);
    }
    forwarder.wake();
  }

  return {
    log: { ...shared, append: (topic, batch) => (topic === 'inputs' ? append(batch) : shared.append(topic, batch)) },
    status() {
      const steady = clock.steady();
      const { records, bytes } = backlog;
      return { awaySince: outage.awaySince, records, bytes, oldestMs: backlog.oldestMs(steady), full: backlog.fullness(steady) };
    },
    stop: forwarder.stop,
  };
}

/** What may use the reserve of the log may use that of the spool. */
function reserveOf({ mayUseReserve }: LogBatch): Pick<LogBatch, 'mayUseReserve'> {
  return mayUseReserve === true ? { mayUseReserve } : {};
}

/** One line for people while anything is spooled or the log is away, else null. */
export function describeSpool({ awaySince, records, bytes, oldestMs }: SpoolStatus): string | null {
  if (records === 0 && awaySince === null) return null;
  const since = awaySince === null ? 'the shared log takes again what was spooled' : `the shared log is away since ${iso(awaySince)}`;
  return `${since}; batches spooled: ${records} (${(bytes / 1_048_576).toFixed(1)} MiB, oldest ${spanOf(oldestMs)})`;
}
