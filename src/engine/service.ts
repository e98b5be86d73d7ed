// The engine of one process, by its roles: hosts decide and effects act for the partitions that are its share, projectors show all of them.
// Starts from the inside out and stops from the outside in, so that nothing is asked of a part that is gone.
import type { Frozen } from '../core/playbook/freeze.ts';
import { invariant } from '../core/errors.ts';
import type { Notification } from '../core/page/notification.ts';
import type { Expressions } from '../core/playbook/expressions.ts';
import type { Policy } from '../core/playbook/policy.ts';
import type { Fact } from '../core/records.ts';
import { second, type Millis } from '../core/time.ts';
import type { Executor } from '../executor/executor.ts';
import type { CheckpointMark } from '../ports/checkpoints.ts';
import type { Clock } from '../ports/clock.ts';
import type { Notifier } from '../ports/notifier.ts';
import type { Role, SharedRole, Shares } from '../ports/shares.ts';
import type { Store } from '../ports/store.ts';
import { createAssignments, type Assignments } from './assignments.ts';
import { pause } from './async/pause.ts';
import type { StepUnderWay } from './effects/actions.ts';
import { createEffects, effectsCursor, type Effects } from './effects/effects.ts';
import type { StuckPartition } from './failopen/stuck.ts';
import { createHost, type Host } from './host/host.ts';
import type { Turn } from './host/turner.ts';
import { createMeter } from './meter.ts';
import { documentsName } from './project/documents.ts';
import { createProjection, type Projection, type Projector } from './project/projector.ts';
import { projectorsOf } from './project/projectors.ts';

const lagEveryMs: Millis = 100;
/** A figure for people; of a log that is away it is a question to each partition. */
const behindEveryMs: Millis = second;
/** While more inputs than this wait to be decided, which no even load comes to, projectors take their time. */
const busyFrom = 4_000;
const yieldMs: Millis = 50;
const loadingMs: Millis = 2_000;
/** What is under way for a partition that goes elsewhere is given so long to end. */
const handoverMs: Millis = 3_000;

export interface ServiceDeps {
  readonly roles: ReadonlySet<Role>;
  /** What all processes of the gateway have in common. */
  readonly shared: Pick<Store, 'log' | 'checkpoints' | 'cursors'>;
  /** The read model of this process, and where it stands. */
  readonly local: Pick<Store, 'views' | 'cursors'>;
  /** Beside those that every gateway has (projectorsOf); each keeps its cursor in `local`. */
  readonly projectors?: readonly Projector[];
  readonly shares: (role: SharedRole) => Shares;
  readonly clock: Clock;
  readonly expressions: Expressions;
  readonly executor: Executor;
  readonly notifiers: ReadonlyMap<string, Notifier>;
  /** Adds what core cannot know: links to the gateway, signed. */
  readonly withLinks: (notification: Notification) => Notification;
  /** Unlike any other process, living or dead. */
  readonly worker: string;
  /** Lets intake go first between two batches of decisions. */
  readonly yieldToIntake: () => Promise<void>;
  /** Every fact decided here, once it is durable. */
  readonly decided: (fact: Fact) => void;
  readonly onTrouble: (error: unknown) => void;
  /** How far what may wait is let on to the log ahead of what is turned (host.ts). */
  readonly room?: number;
  /** Decides in place of core's own turn: simulations break a guard this way. */
  readonly turn?: Turn;
}

export interface Service {
  start(): Promise<void>;
  /** Takes up no new step and goes on with all else; resolves when no step is under way. */
  drain(): Promise<void>;
  /** Decides nothing more: what comes waits on the log. */
  rest(): Promise<void>;
  stepsUnderWay(): readonly StepUnderWay[];
  /** Stops within the grace and a moment for saving. */
  stop(graceMs: Millis): Promise<void>;
  /** Inputs that wait to be turned, over the partitions decided here, as of a moment ago. */
  lag(): number;
  /** Partitions that are surely decided here and what waits in each, as of a moment ago. */
  lags(): ReadonlyMap<number, number>;
  /** How many of the inputs that a start found undecided are turned; `loading` while desks are read back. Null when all of them are. */
  catchingUp(): { readonly done: number; readonly of: number; readonly loading: boolean } | null;
  /** Partitions surely acted for here. */
  acting(): readonly number[];
  /** Facts that the read model of this process does not show yet, over all partitions, as of a moment ago. */
  behind(): number;
  /** The same for each projector of this process, by name. */
  projectorLags(): ReadonlyMap<string, number>;
  /** The policy in force; null when none is known here, or partitions differ: a publishing that a crash cut short is to be done again. */
  policy(): Policy | null;
  /** What the log calls this installation, and whether every partition decided here knows it; a partition keeps the first name it is given. */
  installation(): { readonly name: string | null; readonly everywhere: boolean };
  frozen(): Frozen | null;
  /** The bug that stopped a partition, or null. */
  bug(): Error | null;
  /** What the partition's last checkpoint covers; nothing for a partition that is not decided here. */
  saved(partition: number): CheckpointMark;
  /** The cursors of whoever reads facts here: what is at or above one of them is still needed. */
  readonly consumers: readonly string[];
  /** Partitions decided here whose log takes nothing. */
  stuck(): readonly StuckPartition[];
  /** Pages decided here that ring and could be told to nobody on their ladder. */
  unreached(): number;
  /** How far desks decided here are ahead of the clock; 0 when none is. */
  aheadMs(): Millis;
  /** Waits armed and effects under way. */
  load(): { readonly waits: number; readonly underWay: number };
}

export function createService(deps: ServiceDeps): Service {
  const { shared, local, clock, onTrouble } = deps;
  const base = { log: shared.log, clock, onTrouble };
  const hostShares = deps.shares('host');
  const effectsShares = deps.shares('effects');
  let graceMs: Millis = handoverMs;

  const hosts = hostsOf(deps, hostShares);
  const hands = handsOf(deps, effectsShares, () => graceMs);
  const projectors = deps.roles.has('project') ? [...projectorsOf(local), ...(deps.projectors ?? [])] : [];
  const consumers = [effectsCursor, ...projectors.map(({ cursor }) => cursor)];
  invariant(new Set(consumers).size === consumers.length, `J1: whoever reads facts has a cursor of his own, seen ${consumers.join(', ')}`);
  const projections = projectors.flatMap((projector) => projectionsOf(projector));
  const lags = createMeter({ clock, everyMs: lagEveryMs, first: new Map(), measure: () => lagsOf(hosts, hostShares), onTrouble });
  const behind = createMeter({ clock, everyMs: behindEveryMs, first: new Map(), measure: () => behindOf(projections), onTrouble });

  function projectionsOf(projector: Projector): readonly Projection[] {
    const common = { ...base, projector, cursors: local.cursors, yieldToHosts };
    return Array.from({ length: shared.log.partitions }, (_, partition) => createProjection({ ...common, partition }));
  }

  /** Decisions come first: while a host loads its desks projectors wait, at most for a while; while many inputs wait, a moment. */
  async function yieldToHosts(): Promise<void> {
    for (let waited = 0; hosts.beginning > 0 && waited < loadingMs; waited += yieldMs) await pause(clock, yieldMs);
    if (total() > busyFrom) await pause(clock, yieldMs);
  }

  let stopping = false;
  let starting: Promise<void> = Promise.resolve();

  /** A stop may come while desks are still loaded. */
  async function begin(): Promise<void> {
    if (deps.roles.has('host')) await hosts.start();
    if (deps.roles.has('effects') && !stopping) await hands.start();
    for (const projection of stopping ? [] : projections) await projection.start();
    if (stopping) return;
    // Of a log that is away they say nothing for a while.
    lags.start();
    behind.start();
  }

  const rest = once(() => hosts.stop());

  function total(): number {
    let sum = 0;
    for (const lag of lags.value().values()) sum += lag;
    return sum;
  }

  return {
    start: () => (starting = begin()),
    drain: async () => void (await Promise.all([...hands.parts.values()].map((part) => part.drain()))),
    rest,
    stepsUnderWay: () => [...hands.parts.values()].flatMap((part) => part.steps),
    async stop(grace) {
      graceMs = grace;
      stopping = true;
      lags.stop();
      behind.stop();
      await hands.stop();
      await rest();
      await starting.catch(() => {}); // told to whoever started
      await Promise.all(projections.map((projection) => projection.stop()));
    },
    lag: total,
    lags: () => lags.value(),
    catchingUp: () => catchingUpOf(deps.roles.has('host'), hosts),
    acting: () => [...hands.parts.keys()].filter((partition) => effectsShares.holds(partition)),
    behind: () => behind.value().get(documentsName) ?? 0,
    projectorLags: () => behind.value(),
    policy: () => policyOf([...hosts.parts.values()]),
    installation() {
      const names = [...hosts.parts.values()].map((host) => host.world().installation);
      const name = names.find((each) => each !== null) ?? null;
      return { name, everywhere: name !== null && !names.includes(null) };
    },
    frozen: () => [...hosts.parts.values()].map((host) => host.world().frozen).find((frozen) => frozen !== null) ?? null,
    bug: () => [...hosts.parts.values()].find((host) => host.bug !== null)?.bug ?? null,
    saved: (partition) => hosts.parts.get(partition)?.saved ?? { inputs: 0, facts: 0 },
    consumers,
    stuck: () => stuckOf(hosts),
    unreached: () => [...hosts.parts.values()].reduce((sum, host) => sum + host.unreached(), 0),
    aheadMs: () => [...hosts.parts.values()].reduce((most, host) => Math.max(most, host.aheadMs()), 0),
    load: () => ({
      waits: [...hosts.parts.values()].reduce((sum, host) => sum + host.waits, 0),
      underWay: [...hands.parts.values()].reduce((sum, hand) => sum + hand.underWay, 0),
    }),
  };
}

/** The one that all of them know, or null. */
function policyOf(hosts: readonly Host[]): Policy | null {
  const [first = null, ...others] = hosts.map((host) => host.world().policy);
  return others.every((other) => other?.digest === first?.digest) ? first : null;
}

function stuckOf({ parts }: Assignments<Host>): readonly StuckPartition[] {
  return [...parts].flatMap(([partition, host]) => {
    const stuck = host.stuck();
    return stuck === null ? [] : [{ ...stuck, partition, untolds: host.untolds }];
  });
}

function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  return () => (running ??= work());
}

function catchingUpOf(decides: boolean, hosts: Assignments<Host>): ReturnType<Service['catchingUp']> {
  if (!decides) return null;
  let [done, of] = [0, 0];
  let loading = hosts.beginning > 0;
  for (const host of hosts.parts.values()) {
    const recovery = host.recovery();
    loading ||= recovery === null;
    done += recovery?.done ?? 0;
    of += recovery?.of ?? 0;
  }
  return loading || done < of ? { done, of, loading } : null;
}

/** What waits in each partition that is surely decided here. */
async function lagsOf(hosts: Assignments<Host>, shares: Shares): Promise<ReadonlyMap<number, number>> {
  const ours = [...hosts.parts].filter(([partition]) => shares.holds(partition));
  return new Map(await Promise.all(ours.map(async ([partition, host]) => [partition, await host.lag()] as const)));
}

/** What each projector does not show yet, over all partitions. */
async function behindOf(projections: readonly Projection[]): Promise<ReadonlyMap<string, number>> {
  const read = await Promise.all(projections.map(async ({ name, behind }) => [name, await behind()] as const));
  const sums = new Map<string, number>();
  for (const [name, facts] of read) sums.set(name, (sums.get(name) ?? 0) + facts);
  return sums;
}

/** The hosts of the partitions that are this process's to decide. */
function hostsOf(deps: ServiceDeps, shares: Shares): Assignments<Host> {
  const { shared, clock, expressions, yieldToIntake, decided, onTrouble, turn, room } = deps;
  const { log, checkpoints } = shared;
  return createAssignments({
    shares,
    clock,
    onTrouble,
    make: (partition) =>
      createHost({
        partition,
        log,
        checkpoints,
        expressions,
        clock,
        holds: () => shares.holds(partition),
        yieldToIntake,
        onDecided: decided,
        onSaved: (mark) => shares.done(partition, mark.inputs),
        onTrouble,
        ...(turn === undefined ? {} : { turn }),
        ...(room === undefined ? {} : { room }),
      }),
    end: (host) => host.stop(),
  });
}

/** The effects of the partitions that are this process's to act for. */
function handsOf(deps: ServiceDeps, shares: Shares, graceMs: () => Millis): Assignments<Effects> {
  const { shared, clock, executor, notifiers, withLinks, onTrouble } = deps;
  let terms = 0;
  return createAssignments({
    shares,
    clock,
    onTrouble,
    make: (partition) =>
      createEffects({
        partition,
        log: shared.log,
        cursors: shared.cursors,
        clock,
        worker: `${deps.worker}.${(terms += 1)}`,
        holds: () => shares.holds(partition),
        onPassed: (offset) => shares.done(partition, offset),
        executor,
        notifiers,
        withLinks,
        onTrouble,
      }),
    end: (effects) => effects.stop(graceMs()),
  });
}
