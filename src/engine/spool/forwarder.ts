// Sends what is spooled on to the shared log, in order, over any number of restarts; waits while there is nothing, or the log is away.
// What comes in, and whether it may go directly, is spool.ts; S1 to S3 are told there.
import { GatewayError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DeadLetter, DeadLetters } from '../../ports/dead-letters.ts';
import type { EventLog, LogRecord } from '../../ports/event-log.ts';
import type { Store } from '../../ports/store.ts';
import { createBell } from '../async/bell.ts';
import { pause } from '../async/pause.ts';
import type { Backlog } from './backlog.ts';
import { batchFor, entryIn, letterOf, windowOf, type Entry, type SpooledBatch } from './entry.ts';
import type { Outage } from './outage.ts';

const windowMax = 64;
/** Entries that were sent on and are not yet forgotten; forgetting one by one would cost a write each. */
const trimEvery = 512;
const cursorName = 'spool';

export interface ForwarderDeps {
  readonly shared: EventLog;
  /** This process's own, of one partition, used for nothing else. */
  readonly store: Pick<Store, 'log' | 'cursors'>;
  readonly deadLetters: Pick<DeadLetters, 'add'>;
  readonly clock: Clock;
  readonly watch: ForwarderWatch;
  readonly onTrouble: (error: unknown) => void;
}

interface ForwarderWatch {
  spooled(batch: SpooledBatch, recalled: boolean): void;
  sent(batch: SpooledBatch): void;
  buried(letter: DeadLetter): void;
}

export interface ForwarderParts {
  readonly backlog: Backlog;
  readonly outage: Outage;
  /** Nobody waits at the front for an answer of the shared log. */
  readonly isIdle: () => boolean;
  /** Everything was sent and saved as sent, while it was idle: what comes may go directly again. */
  readonly onEmptied: () => void;
}

export interface Forwarder {
  start(): void;
  /** There may be something to do. */
  wake(): void;
  /** Place of the entry that is sent next, and of the one that is written next while the spool is empty. */
  readonly next: number;
  /** Takes up nothing new; what is being sent at this moment is waited for. */
  stop(): Promise<void>;
}

/** Counts what an earlier life left. Rejects when the own store cannot be read. */
export async function openForwarder(deps: ForwarderDeps, parts: ForwarderParts): Promise<Forwarder> {
  const { shared, store, clock } = deps;
  const { backlog, outage } = parts;
  const bell = createBell();
  const stopping = new AbortController();
  let next = await store.cursors.load(cursorName, 0);
  let saved = next;
  let trimmed = next;
  let running: Promise<void> = Promise.resolve();
  await recall(deps, backlog, next);

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      const rung = bell.next();
      if (outage.isMissing) await pause(clock, outage.waitMs(), stopping.signal);
      try {
        if (!(await step())) await rung;
      } catch (error) {
        if (outage.missed()) deps.onTrouble(error);
      }
    }
  }

  /** False when there is nothing to do until the bell rings. */
  async function step(): Promise<boolean> {
    const found = backlog.records === 0 ? [] : await store.log.read('inputs', 0, next, outage.isMissing ? 1 : windowMax);
    if (found.length > 0) await send(windowOf(found));
    else if (saved !== next) await save(); // S2
    else {
      if (backlog.records === 0 && parts.isIdle()) {
        outage.over();
        parts.onEmptied();
      }
      return false;
    }
    outage.through();
    return true;
  }

  /** Sends a window at once; from its first failure on everything is sent again. */
  async function send(window: readonly LogRecord[]): Promise<void> {
    const [first] = window;
    if (first !== undefined) backlog.headAt(first.offset, entryIn(first).at, { now: clock.now(), steady: clock.steady() });
    const answers = await Promise.allSettled(window.map((record) => shared.append('inputs', batchFor(entryIn(record), shared.partitions))));
    const failed = answers.findIndex((answer) => answer.status === 'rejected' && !isRefused(answer.reason));
    for (const [place, record] of window.slice(0, failed < 0 ? window.length : failed).entries()) {
      const answer = answers[place];
      if (answer?.status === 'rejected') await bury(deps, entryIn(record), answer.reason);
      passed(entryIn(record), record.offset);
    }
    await save();
    const failure = answers[failed];
    if (failure?.status !== 'rejected') return;
    outage.goesOn(clock.now());
    throw failure.reason;
  }

  function passed(entry: Entry, place: number): void {
    next = place + 1;
    backlog.remove(entry.bytes);
    outage.reached();
    deps.watch.sent({ ...entry, place });
  }

  async function save(): Promise<void> {
    await store.cursors.save(cursorName, 0, next);
    saved = next;
    if (next - trimmed < trimEvery && backlog.records > 0) return;
    await store.log.trim('inputs', 0, next);
    trimmed = next;
  }

  return {
    start: () => void (running = run()),
    wake: bell.ring,
    get next() {
      return next;
    },
    async stop() {
      stopping.abort();
      bell.ring();
      await running;
    },
  };
}

async function bury({ deadLetters, watch }: ForwarderDeps, entry: Entry, error: unknown): Promise<void> {
  const letter = letterOf(entry, error);
  await deadLetters.add(letter);
  watch.buried(letter);
}

/** The log cannot be reached now; later the same batch may be taken. */
export function isAway(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'log_unavailable';
}

/** The log never takes it. */
function isRefused(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'payload_too_large';
}

async function recall({ store, watch, clock }: ForwarderDeps, backlog: Backlog, from: number): Promise<void> {
  for (let at = from; ;) {
    const records = await store.log.read('inputs', 0, at, windowMax);
    const last = records.at(-1);
    if (last === undefined) return;
    for (const record of records) {
      const entry = entryIn(record);
      if (backlog.records === 0) backlog.headAt(record.offset, entry.at, { now: clock.now(), steady: clock.steady() });
      backlog.add(entry.bytes);
      watch.spooled({ ...entry, place: record.offset }, true);
    }
    at = last.offset + 1;
  }
}
