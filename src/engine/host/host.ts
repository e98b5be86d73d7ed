// The host of one partition: reads inputs in order, turns them, appends the facts, saves the desks, arms the waits.
// A loop without rules: every decision is core's.
//   H1  Facts of an input are on the log before those of the next input of its scope; none is there twice, none is missing,
//       whatever crashes: after a restart the tail since the checkpoint is turned again and what is already there is skipped.
//   H2  A checkpoint never runs ahead of the facts on the log.
//   H3  A bug stops the partition loudly; a broken log or store is tried again from what is durable.
import type { DecisionContext } from '../../core/context.ts';
import { worldOf, type Desk } from '../../core/desk.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Expressions } from '../../core/playbook/expressions.ts';
import type { Policy } from '../../core/playbook/policy.ts';
import type { Fact, Input } from '../../core/records.ts';
import { everyScope } from '../../core/stamp.ts';
import type { Instant, Millis } from '../../core/time.ts';
import { turn, turnWorld } from '../../core/turn.ts';
import type { CheckpointMark, Checkpoints, DeskRow } from '../../ports/checkpoints.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog, LogRecord } from '../../ports/event-log.ts';
import { placeIn } from '../tail.ts';
import { createTimers, type Timers } from '../timers.ts';
import { changedCount, changedRows, deskOf, finishLoading, takeRows } from './desks.ts';

const inputsPerBatch = 256;
const batchMs: Millis = 6;
const checkpointEveryMs: Millis = 500;
/** Few enough that writing them does not hold up an acceptance for long; a save under way lets more of them gather, up to a bound below that of the store's queue. */
const changedRowsDue = 512;
const changedRowsMax = 8_000;
const retryAfterMs: Millis = 500;
const factsPerScan = 1_000;

export interface HostDeps {
  readonly partition: number;
  readonly log: EventLog;
  readonly checkpoints: Checkpoints;
  readonly expressions: Expressions;
  readonly clock: Clock;
  /** Whether, by our own clock, the partition is still ours: who is not sure takes it from nobody by loading it again. */
  readonly holds: () => boolean;
  /** Gives other work of the process its chance between batches. */
  readonly breathe: () => Promise<void>;
  /** Sees every fact that this host decided, once it is durable; for metrics. */
  readonly seen: (fact: Fact) => void;
  /** Told how far the checkpoint covers, each time it moves. */
  readonly onSaved: (mark: CheckpointMark) => void;
  readonly onTrouble: (error: unknown) => void;
}

export interface Host {
  /** Resolves when the desks are loaded and turning has begun. */
  start(): Promise<void>;
  /** Finishes the batch in hand, saves, and resolves. */
  stop(): Promise<void>;
  /** Inputs on the log that are not turned yet. */
  lag(): Promise<number>;
  policy(): Policy | null;
  frozen(): { readonly by: string; readonly reason: string } | null;
  /** The bug that stopped the partition, or null. */
  readonly bug: Error | null;
  readonly waits: number;
  /** What the last checkpoint covers. */
  readonly saved: CheckpointMark;
}

/** Before any policy is published nothing pages and nothing acts. */
const noPolicy: Policy = {
  digest: '',
  playbooks: [],
  ladders: {},
  routes: [],
  grouping: { windowMs: 300_000, labels: [], reopenMs: 600_000, membersMax: 500 },
  storm: { alerts: 100, withinMs: 60_000 },
  flap: { startPercent: 30, stopPercent: 20 },
  paging: { severity: 'critical', score: 1 },
  settleMs: 10_000,
  holdOffMs: 120_000,
  staleMs: 259_200_000,
};

export function createHost(deps: HostDeps): Host {
  const { partition, log, clock } = deps;
  let desks = new Map<string, Desk>();
  /** Desks with rows that the checkpoint does not have; of a thousand scopes few change between two saves. */
  const unsaved = new Set<Desk>();
  let offset = 0;
  let known = new Map<string, number>();
  let timers: Timers | null = null;
  /** When waits are due on the steady clock; outlives a reload, not the process (W1). */
  const dues = new Map<string, Millis>();
  let savedAt = 0;
  let saved: CheckpointMark = { inputs: 0, facts: 0 };
  let appending: Promise<void> = Promise.resolve();
  let saving: Promise<void> = Promise.resolve();
  let isSaving = false;
  let saveFailed = false;
  let isLoaded = false;
  let stopping = false;
  let bug: Error | null = null;
  let signal: () => void = () => {};
  let endRest: () => void = () => {};
  let running: Promise<void> = Promise.resolve();
  let unwatch: () => void = () => {};

  async function load(): Promise<void> {
    timers?.stop();
    timers = createTimers(clock, (due) => void answerWaits(due));
    desks = new Map();
    unsaved.clear();
    const mark = await deps.checkpoints.load(partition, (rows) => takeRows(desks, rows));
    finishLoading(desks);
    offset = await placeIn(log, 'inputs', partition, mark?.inputs ?? 0, deps.onTrouble);
    saved = { inputs: offset, facts: await placeIn(log, 'facts', partition, mark?.facts ?? 0, deps.onTrouble) };
    known = await knownSince(saved.facts, mark === null);
    for (const desk of desks.values()) {
      for (const [token, wait] of desk.tables.wakes.rows) arm(desk.scope, token, leftOf(desk.scope, token, wait));
    }
    savedAt = clock.steady();
    isLoaded = true;
  }

  /** Newest fact of each scope that is already on the log beyond the checkpoint (H1); without a checkpoint nothing there was decided elsewhere. */
  async function knownSince(from: number, isFirst: boolean): Promise<Map<string, number>> {
    const newest = new Map<string, number>();
    const end = await log.end('facts', partition, Infinity); // another host of ours may append still
    for (let at = from; at < end;) {
      const records = await log.read('facts', partition, at, factsPerScan);
      const last = records.at(-1);
      if (last === undefined) break;
      for (const record of records) {
        const fact = factOf(record);
        if (isFirst && fact.type === 'AlertDecided' && fact.offset < 0)
          throw new Error('a move to this log broke off half-way: delete its topics or take a new topicPrefix, and move again');
        newest.set(record.scope, Math.max(newest.get(record.scope) ?? 0, fact.seq));
      }
      at = last.offset + 1;
    }
    return newest;
  }

  function arm(scope: string, token: string, afterMs: Millis): void {
    dues.set(waitKey(scope, token), clock.steady() + afterMs);
    timers?.arm(scope, token, afterMs);
  }

  /** What is left of a wait that was asked before: on the steady clock if this process heard it asked, else on the wall clock. */
  function leftOf(scope: string, token: string, wait: { readonly dueAt: Instant; readonly afterMs: Millis }): Millis {
    const due = dues.get(waitKey(scope, token));
    return due === undefined ? remaining(wait.dueAt, wait.afterMs, clock.now()) : Math.max(0, due - clock.steady());
  }

  async function answerWaits(due: readonly { readonly scope: string; readonly token: string }[]): Promise<void> {
    const at = clock.now();
    const answers = Map.groupBy(due, (wait) => wait.scope)
      .entries()
      .map(async ([scope, waits]) => {
        const values = waits.map((wait) => ({ type: 'Woke', scope, at, token: wait.token }));
        await log.append('inputs', { partition, scope, values }).catch((error: unknown) => {
          deps.onTrouble(error);
          for (const wait of waits) timers?.arm(scope, wait.token, 1_000);
        });
      });
    await Promise.all(answers);
  }

  function rulesNow(): DecisionContext {
    const world = worldOf(deskOf(desks, everyScope));
    return { policy: world.policy ?? noPolicy, frozen: world.frozen, expressions: deps.expressions };
  }

  /** Turns records until the batch's time is over; returns the facts, by scope, and where it stopped. */
  function turnSome(records: readonly LogRecord[]): Map<string, Fact[]> {
    const facts = new Map<string, Fact[]>();
    const until = clock.steady() + batchMs;
    let rules = rulesNow();
    for (const record of records) {
      // Inputs are written by intake, effects and timers only, as records.ts has them.
      const input = record.value as Input;
      const desk = deskOf(desks, input.scope);
      const told = input.scope === everyScope ? turnWorld(desk, input, rules, record.offset) : turn(desk, input, rules, record.offset);
      if (input.scope === everyScope) rules = rulesNow();
      offset = record.offset + 1;
      if (told.length > 0) {
        collect(facts, input.scope, told);
        unsaved.add(desk);
      }
      if (clock.steady() >= until) break;
    }
    return facts;
  }

  function collect(facts: Map<string, Fact[]>, scope: string, told: readonly Fact[]): void {
    const list = facts.get(scope);
    if (list === undefined) facts.set(scope, [...told]);
    else for (const fact of told) list.push(fact);
  }

  /** Ends when nothing of it is on its way any more, well or not: a reload reads what is on the log (H1). */
  async function append(facts: Map<string, Fact[]>): Promise<void> {
    const ends = await Promise.allSettled(
      facts.entries().map(async ([scope, told]) => {
        const seen = known.get(scope) ?? 0;
        const fresh = (told[0]?.seq ?? 0) > seen ? told : told.filter((fact) => fact.seq > seen); // H1
        if (fresh.length > 0) await log.append('facts', { partition, scope, values: fresh });
        armAll(scope, told, seen);
        for (const fact of fresh) deps.seen(fact);
      }),
    );
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  /** Waits that these facts ask for, now that they are durable; those up to `seen` were asked in an earlier turn of the same input. */
  function armAll(scope: string, told: readonly Fact[], seen: number): void {
    for (const fact of told) {
      if (fact.type === 'WakeSpent') dues.delete(waitKey(scope, fact.token));
      if (fact.type === 'WakeRequested') arm(scope, fact.token, fact.seq > seen ? fact.afterMs : leftOf(scope, fact.token, fact));
    }
  }

  function saveIsDue(): boolean {
    let changed = 0;
    for (const desk of unsaved) changed += changedCount(desk);
    if (changed === 0) return false;
    if (stopping || changed >= changedRowsMax) return true;
    return !isSaving && (changed >= changedRowsDue || clock.steady() - savedAt >= checkpointEveryMs);
  }

  /** Saves what changed; only called when the log has every fact of it (H2). One save at a time. */
  async function save(): Promise<void> {
    await saving;
    const mark = { inputs: offset, facts: await log.end('facts', partition) };
    const rows = [...unsaved].flatMap((desk) => changedRows(desk));
    unsaved.clear();
    isSaving = true;
    saving = store(mark, rows);
    saving.catch(() => {
      saveFailed = true;
      signal();
    });
    savedAt = clock.steady();
  }

  async function store(mark: CheckpointMark, rows: readonly DeskRow[]): Promise<void> {
    await deps.checkpoints.save(partition, mark, rows);
    saved = mark;
    isSaving = false;
    deps.onSaved(mark);
  }

  async function work(): Promise<void> {
    while (!stopping) {
      const arrived = new Promise<void>((resolve) => (signal = resolve));
      if (saveFailed) await saving; // rejects: what was not saved is loaded and turned again
      const records = await log.read('inputs', partition, offset, inputsPerBatch);
      if (records.length === 0 && (await log.end('inputs', partition, offset)) < offset)
        throw new GatewayError('log_unavailable', `inputs of partition ${partition} end before ${offset}, where we are`);
      if (records.length > 0) {
        const facts = turnSome(records);
        await appending;
        appending = append(facts);
        appending.catch(() => {});
      }
      if (saveIsDue() || records.length === 0) {
        await appending;
        if (saveIsDue()) await save();
      }
      if (records.length > 0) await deps.breathe();
      else {
        await arrivedOrDue(arrived);
      }
    }
    await appending;
    if (saveIsDue()) await save();
    await saving;
  }

  /** Waits for an input, or until unsaved rows are due for saving. */
  async function arrivedOrDue(arrived: Promise<void>): Promise<void> {
    const cancel = unsaved.size > 0 ? clock.after(checkpointEveryMs, () => signal()) : () => {};
    await arrived;
    cancel();
  }

  async function run(): Promise<void> {
    let isBroken = false;
    while (!stopping) {
      try {
        if (isBroken) await reload();
        if (isBroken && stopping) return; // what is here is not whole
        isBroken = false;
        await work();
      } catch (error) {
        deps.onTrouble(error);
        if (!(error instanceof GatewayError)) {
          bug = error instanceof Error ? error : new Error(String(error)); // H3
          return;
        }
        isBroken = true;
        await rest();
      }
    }
  }

  async function rest(): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = clock.after(retryAfterMs, resolve);
      endRest = () => {
        cancel();
        resolve();
      };
    });
  }

  async function reload(): Promise<void> {
    while (!stopping) {
      try {
        if (!deps.holds()) throw new GatewayError('store_unavailable', `partition ${partition} is not surely ours at the moment`);
        await Promise.allSettled([appending, saving]);
        appending = Promise.resolve();
        saving = Promise.resolve();
        isSaving = false;
        saveFailed = false;
        return await load();
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error; // H3
        deps.onTrouble(error);
        await rest();
      }
    }
  }

  return {
    async start() {
      await load();
      if (stopping) return timers?.stop();
      unwatch = log.watch('inputs', partition, () => signal());
      running = run();
    },
    async stop() {
      stopping = true;
      unwatch();
      signal();
      endRest();
      await running;
      timers?.stop();
    },
    async lag() {
      // While the desks are loaded it is not known yet where we stand.
      return isLoaded ? Math.max(0, (await log.end('inputs', partition)) - offset) : 0;
    },
    policy: () => worldOf(deskOf(desks, everyScope)).policy,
    frozen: () => worldOf(deskOf(desks, everyScope)).frozen,
    get bug() {
      return bug;
    },
    get saved() {
      return saved;
    },
    get waits() {
      return timers?.size ?? 0;
    },
  };
}

/** What is left of a wait after a restart: never more than it was asked, never negative (W1). */
function remaining(dueAt: Instant, afterMs: Millis, now: Instant): Millis {
  return Math.min(afterMs, Math.max(0, dueAt - now));
}

function waitKey(scope: string, token: string): string {
  return `${scope} ${token}`;
}

function factOf(record: LogRecord): Fact {
  // Facts are written by the host only, as records.ts has them.
  return record.value as Fact;
}
