// The host of one partition: reads inputs in order, turns them, appends the facts, saves the desks, arms the waits.
// A loop without rules: every decision is core's. Its parts: recovery, loop, turner, facts-writer, checkpointer, waits.
//   H1  Facts of an input are on the log before those of the next input of its scope; none is there twice, none is missing,
//       whatever crashes: after a restart the tail since the checkpoint is turned again and what is already there is skipped.
//   H2  A checkpoint never runs ahead of the facts on the log.
//   H3  A bug stops the partition loudly; a broken log or store is tried again from what is durable.
import { GatewayError } from '../../core/errors.ts';
import type { Expressions } from '../../core/playbook/expressions.ts';
import type { Desk } from '../../core/desk.ts';
import type { WorldRow } from '../../core/playbook/row.ts';
import type { Fact } from '../../core/records.ts';
import type { Millis } from '../../core/time.ts';
import type { CheckpointMark, Checkpoints } from '../../ports/checkpoints.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import { createBell, type Bell } from '../async/bell.ts';
import { pause } from '../async/pause.ts';
import type { Meter } from '../meter.ts';
import { createCheckpointer } from './checkpointer.ts';
import { createFactsWriter } from './facts-writer.ts';
import { turnUntilStopped, type LoopParts } from './loop.ts';
import { recover } from './recovery.ts';
import { createSetBack } from './set-back.ts';
import { noPolicy } from './no-policy.ts';
import { untoldsOf, watchAppendsOf, type Stuck, type Untolds } from './stuck.ts';
import { createTurner, type Turn, type Turner } from './turner.ts';
import { createUnreached, type Unreached } from './unreached.ts';
import { createWaits, type Waits } from './waits.ts';

const retryAfterMs: Millis = 500;

export interface HostDeps {
  readonly partition: number;
  readonly log: EventLog;
  readonly checkpoints: Checkpoints;
  readonly expressions: Expressions;
  readonly clock: Clock;
  /** False once our lease on the partition may have run out. A host does not load then: loading would fence the new owner out. */
  readonly holds: () => boolean;
  /** Lets other work of the process run between batches. */
  readonly yieldToIntake: () => Promise<void>;
  /** Told every fact that this host decided, once it is durable; for metrics. */
  readonly onDecided: (fact: Fact) => void;
  /** Told how far the checkpoint covers, each time it moves. */
  readonly onSaved: (mark: CheckpointMark) => void;
  readonly onTrouble: (error: unknown) => void;
  /** How many inputs that may wait for others are on the log ahead of what is turned; unless it is set, what is turned in a moment (pace.ts). */
  readonly room?: number;
  /** Decides in place of core's own turn (turner.ts). */
  readonly turn?: Turn;
}

export interface Host {
  /** Resolves when the desks are loaded and turning has begun. */
  start(): Promise<void>;
  /** Finishes the batch in hand, saves, and resolves. */
  stop(): Promise<void>;
  /** Inputs on the log that are not turned yet. */
  lag(): Promise<number>;
  /** Of the inputs that were on the log when the desks were loaded, how many are turned; null while they are loaded. */
  recovery(): { readonly done: number; readonly of: number } | null;
  /** The policy in force, the emergency stop, and what the log calls this installation, as this partition knows them. */
  world(): WorldRow;
  /** The bug that stopped the partition, or null. */
  readonly bug: Error | null;
  readonly waits: number;
  /** Since when and why the log takes nothing that this host appends, null while it does; and what its desks hold open meanwhile. */
  stuck(): Stuck | null;
  untolds(max: number): Untolds;
  /** Pages that ring and could be told to nobody on their ladder. */
  unreached(): number;
  /** How far desks are ahead of the clock; 0 when none is. */
  aheadMs(): Millis;
  /** What the last checkpoint covers. */
  readonly saved: CheckpointMark;
}

export function createHost(deps: HostDeps): Host {
  const appends = watchAppendsOf(deps.log, deps.clock);
  return hostOf({ ...deps, log: appends.log }, appends.stuck);
}

function hostOf(deps: HostDeps, stuck: Host['stuck']): Host {
  const { partition, log, clock, onTrouble } = deps;
  const arrivals = createBell();
  const stopping = new AbortController();
  const { waits, checkpointer, turner, factsWriter, unreached, setBack, follow } = partsOf(deps, arrivals, stopping.signal);
  const isStopping = (): boolean => stopping.signal.aborted;
  /** The inputs that the last load found undecided; null before the first. */
  let tail: { readonly from: number; readonly to: number } | null = null;
  let bug: Error | null = null;
  let running: Promise<void> = Promise.resolve();
  let unwatch: () => void = () => {};

  /** Only when no append and no save is under way. */
  async function load(): Promise<void> {
    waits.stop();
    const desks = turner.reset();
    const { mark, newestSeqs } = await recover(deps, desks);
    turner.placeAt(mark.inputs);
    factsWriter.reset(newestSeqs);
    checkpointer.reset(mark);
    follow(desks);
    tail = { from: mark.inputs, to: await log.end('inputs', partition) };
  }

  async function run(): Promise<void> {
    let isBroken = false;
    while (!isStopping()) {
      try {
        if (isBroken) await reload();
        if (isBroken && isStopping()) return; // what is here is not whole
        isBroken = false;
        await turnUntilStopped({ ...deps, turner, factsWriter, checkpointer, arrivals, stopping: stopping.signal });
      } catch (error) {
        onTrouble(error);
        if (!(error instanceof GatewayError)) return void (bug = errorIn(error)); // H3
        isBroken = true;
        await pause(clock, retryAfterMs, stopping.signal);
      }
    }
  }

  async function reload(): Promise<void> {
    while (!isStopping()) {
      try {
        if (!deps.holds()) throw new GatewayError('store_unavailable', `partition ${partition} is not surely ours at the moment`);
        await Promise.allSettled([factsWriter.durable(), checkpointer.durable()]);
        return await load();
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error; // H3
        onTrouble(error);
        await pause(clock, retryAfterMs, stopping.signal);
      }
    }
  }

  return {
    async start() {
      await load();
      if (isStopping()) return waits.stop();
      unwatch = log.watch('inputs', partition, arrivals.ring);
      setBack.start();
      running = run();
    },
    async stop() {
      stopping.abort();
      unwatch();
      arrivals.ring();
      await running;
      waits.stop();
    },
    // While the desks are loaded it is not known yet where we stand.
    lag: async () => (tail === null ? 0 : await untaken(log, partition, turner.offset)),
    recovery: () => (tail === null ? null : { done: Math.min(tail.to, turner.offset) - tail.from, of: tail.to - tail.from }),
    world: () => turner.world(),
    get bug() {
      return bug;
    },
    get saved() {
      return checkpointer.mark;
    },
    stuck,
    untolds: (max) => untoldsIn(turner, max),
    unreached: () => unreached.size,
    get waits() {
      return waits.size;
    },
    aheadMs: setBack.value,
  };
}

function errorIn(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

function untoldsIn(turner: Turner, max: number): Untolds {
  return untoldsOf(turner.desks.values(), (turner.world().policy ?? noPolicy).paging, max);
}

/** Inputs from the offset on, and those that have no place on the log yet. */
async function untaken(log: EventLog, partition: number, offset: number): Promise<number> {
  const { taken, placed } = log.bulk?.counts(partition) ?? { taken: 0, placed: 0 };
  return Math.max(0, (await log.end('inputs', partition)) - offset) + taken - placed;
}

interface Parts extends Pick<LoopParts, 'turner' | 'factsWriter' | 'checkpointer'> {
  readonly waits: Waits;
  readonly unreached: Unreached;
  readonly setBack: Meter<Millis>;
  /** What is loaded is what they go by. */
  follow(desks: ReadonlyMap<string, Desk>): void;
}

function partsOf(deps: HostDeps, arrivals: Bell, stopping: AbortSignal): Parts {
  const unreached = createUnreached();
  const waits = createWaits(deps);
  const checkpointer = createCheckpointer({ ...deps, onTaken: (desk) => turner.rest(desk), onFailed: arrivals.ring });
  const turner: Turner = createTurner({ ...deps, onChanged: checkpointer.changed });
  const factsWriter = createFactsWriter({
    ...deps,
    onDurable(scope, facts, fresh, knownSeq) {
      waits.follow(scope, facts, knownSeq);
      for (const fact of facts) unreached.note(fact);
      for (const fact of fresh) deps.onDecided(fact);
    },
  });
  const setBack = createSetBack({
    ...deps,
    stopping,
    takeNewestStamp: turner.takeNewestStamp,
    wakeLater: turner.wakeLater,
    desks: () => turner.desks,
  });
  return {
    waits,
    checkpointer,
    turner,
    factsWriter,
    unreached,
    setBack,
    follow(desks) {
      waits.start(desks.values());
      unreached.reset(desks.values());
      for (const desk of desks.values()) turner.rest(desk);
    },
  };
}
