// The engine of one process: for each partition a host that decides, effects that act, a projection that shows.
// Starts from the inside out and stops from the outside in, so that nothing is asked of a part that is gone.
import type { Policy } from '../core/policy.ts';
import type { CheckpointMark, Clock, Expressions, Notification, Notifier, Store } from '../core/ports.ts';
import type { Fact } from '../core/records.ts';
import type { Millis } from '../core/time.ts';
import { createEffects } from './effects.ts';
import type { Executor } from './executor.ts';
import { createHost } from './host.ts';
import { createProject } from './project.ts';

const lagEveryMs: Millis = 100;
/** While more inputs than this wait to be decided, the read model takes its time. */
const busyFrom = 2_000;
const patienceMs: Millis = 50;

export interface ServiceDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly expressions: Expressions;
  readonly executor: Executor;
  readonly notifiers: ReadonlyMap<string, Notifier>;
  readonly dress: (notification: Notification) => Notification;
  /** Unlike any other process, living or dead. */
  readonly worker: string;
  readonly breathe: () => Promise<void>;
  readonly seen: (fact: Fact) => void;
  readonly onTrouble: (error: unknown) => void;
}

export interface Service {
  start(): Promise<void>;
  /** Stops within the grace and a moment for saving. */
  stop(graceMs: Millis): Promise<void>;
  /** Inputs that wait to be turned, over all partitions, as of a moment ago. */
  lag(): number;
  /** The policy in force; null when there is none, or partitions differ: a publishing that a crash cut short is to be done again. */
  policy(): Policy | null;
  frozen(): { readonly by: string; readonly reason: string } | null;
  /** The bug that stopped a partition, or null. */
  bug(): Error | null;
  /** What the partition's last checkpoint covers. */
  saved(partition: number): CheckpointMark;
  /** Waits armed and effects under way. */
  load(): { readonly waits: number; readonly underWay: number };
}

/** Names under which the engine reads facts; retention asks them what is still needed. */
export const consumers = ['effects', 'project'] as const;

export function createService(deps: ServiceDeps): Service {
  const { store, clock, onTrouble } = deps;
  const numbers = Array.from({ length: store.log.partitions }, (_, partition) => partition);
  const base = { log: store.log, clock, onTrouble };
  const hosts = numbers.map((partition) =>
    createHost({ ...base, partition, checkpoints: store.checkpoints, expressions: deps.expressions, breathe: deps.breathe }),
  );
  const hands = numbers.map((partition) =>
    createEffects({
      ...base,
      partition,
      cursors: store.cursors,
      worker: deps.worker,
      executor: deps.executor,
      notifiers: deps.notifiers,
      dress: deps.dress,
    }),
  );
  const views = numbers.map((partition) =>
    createProject({ ...base, partition, views: store.views, cursors: store.cursors, seen: deps.seen, patience }),
  );
  let lag = 0;
  let cancelLag: () => void = () => {};
  let stopped = false;

  async function patience(): Promise<void> {
    if (lag > busyFrom) await new Promise<void>((resolve) => void clock.after(patienceMs, resolve));
  }

  async function measureLag(): Promise<void> {
    try {
      const lags = await Promise.all(hosts.map((host) => host.lag()));
      lag = lags.reduce((sum, one) => sum + one, 0);
    } catch (error) {
      onTrouble(error); // the last figure stays
    }
    if (!stopped) cancelLag = clock.after(lagEveryMs, () => void measureLag());
  }

  return {
    async start() {
      for (const host of hosts) await host.start();
      for (const hand of hands) await hand.start();
      for (const view of views) await view.start();
      await measureLag();
    },
    async stop(graceMs) {
      stopped = true;
      cancelLag();
      await Promise.all(hands.map((hand) => hand.stop(graceMs)));
      await Promise.all(hosts.map((host) => host.stop()));
      await Promise.all(views.map((view) => view.stop()));
    },
    lag: () => lag,
    policy() {
      const [first = null, ...others] = hosts.map((host) => host.policy());
      return others.every((other) => other?.digest === first?.digest) ? first : null;
    },
    frozen: () => hosts[0]?.frozen() ?? null,
    bug: () => hosts.find((host) => host.bug !== null)?.bug ?? null,
    saved: (partition) => hosts[partition]?.saved ?? { inputs: 0, facts: 0 },
    load: () => ({
      waits: hosts.reduce((sum, host) => sum + host.waits, 0),
      underWay: hands.reduce((sum, hand) => sum + hand.underWay, 0),
    }),
  };
}
