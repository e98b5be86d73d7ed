// Follows the facts of one partition from a durable cursor, in order, for ever; effects and project are built on it.
//   F1  A fact is offered at least once; repeats of a scope's facts (a host that turned its tail again) are dropped by the high-water mark,
//       also behind a cursor of an earlier life: what was offered last before it is read once more for its marks.
//   F2  The cursor never passes a fact whose handling has not ended.
//   F3  A log that was cut back (a topic deleted and made anew) is read again from its beginning, and that is said; what was known of it is forgotten.
import { GatewayError } from '../core/errors.ts';
import type { Fact } from '../core/records.ts';
import type { Millis } from '../core/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventLog, Topic } from '../ports/event-log.ts';
import { createBell } from './async/bell.ts';
import { pause } from './async/pause.ts';

const retryAfterMs: Millis = 500;
/** A host that has lost its partition writes what it decided at most so many facts behind those of the next one. */
const lookBackMax = 10_000;

export interface TailDeps {
  readonly partition: number;
  readonly log: EventLog;
  readonly clock: Clock;
  readonly batch: number;
  /** Told where reading goes on when the log was cut back: a cursor beyond it is worth nothing. */
  readonly placed?: (offset: number) => Promise<void>;
  readonly onTrouble: (error: unknown) => void;
}

export interface Tail {
  /** `from`: null begins at the end, wherever that is once the log answers. */
  start(from: number | null): void;
  stop(): Promise<void>;
}

/** Calls `take` with facts in order and the offset behind the last of them; the next call comes when it has resolved. */
export function createTail(deps: TailDeps, take: (facts: readonly Fact[], end: number) => Promise<void>): Tail {
  const arrivals = createBell();
  const marks = new Map<string, number>();
  let stopping = false;
  let running: Promise<void> = Promise.resolve();
  let unwatch: () => void = () => {};

  /** F1 */
  async function markBefore(from: number): Promise<void> {
    for (let at = Math.max(0, from - lookBackMax); at < from && !stopping;) {
      const records = await deps.log.read('facts', deps.partition, at, Math.min(deps.batch, from - at));
      for (const { scope, value, offset } of records) {
        if (offset < from) marks.set(scope, Math.max(marks.get(scope) ?? 0, (value as Fact).seq));
      }
      at = (records.at(-1)?.offset ?? from) + 1;
    }
  }

  async function follow(from: number | null): Promise<void> {
    let offset = from;
    let isMarked = from === null;
    while (!stopping) {
      const arrived = arrivals.next();
      try {
        if (!isMarked) await markBefore(from ?? 0);
        isMarked = true;
        offset ??= await deps.log.end('facts', deps.partition);
        const records = await deps.log.read('facts', deps.partition, offset, deps.batch);
        const last = records.at(-1);
        if (last === undefined) {
          if ((await deps.log.end('facts', deps.partition, offset)) >= offset) {
            await arrived;
            continue;
          }
          const at = await placeIn(deps.log, 'facts', deps.partition, offset, deps.onTrouble); // F3
          await deps.placed?.(at);
          marks.clear();
          offset = at;
          await pause(deps.clock, retryAfterMs);
          continue;
        }
        const facts: Fact[] = [];
        for (const record of records) {
          const fact = record.value as Fact; // written by the host only
          if (fact.seq <= (marks.get(record.scope) ?? 0)) continue; // F1
          marks.set(record.scope, fact.seq);
          facts.push(fact);
        }
        await takeAll(facts, last.offset + 1);
        offset = last.offset + 1;
      } catch (error) {
        deps.onTrouble(error);
        if (!stopping) await pause(deps.clock, retryAfterMs);
      }
    }
  }

  /** What was taken off the log is handed over until it is accepted: the marks have passed it. */
  async function takeAll(facts: readonly Fact[], end: number): Promise<void> {
    for (;;) {
      try {
        return await take(facts, end);
      } catch (error) {
        deps.onTrouble(error);
        if (stopping) return;
        await pause(deps.clock, retryAfterMs);
      }
    }
  }

  return {
    start(from) {
      unwatch = deps.log.watch('facts', deps.partition, arrivals.ring);
      running = follow(from);
    },
    async stop() {
      stopping = true;
      unwatch();
      arrivals.ring();
      await running;
    },
  };
}

/** Where to go on in a log: at the offset, or at the beginning when the log ends before it, which is told (F3). */
export async function placeIn(
  log: EventLog,
  topic: Topic,
  partition: number,
  offset: number,
  onTrouble: (error: unknown) => void,
): Promise<number> {
  const end = await log.end(topic, partition, offset);
  if (offset <= end) return offset;
  const cut = `${topic} of partition ${partition} end at ${end}, but were read up to ${offset} before`;
  onTrouble(
    new GatewayError('log_unavailable', `${cut}: the log was cut back or made anew; what it held is gone, it is read from its beginning`),
  );
  return 0;
}
