// What the running gateway says of itself: whether work may be sent here, and how the log stands.
import type { Config } from '../config/quench/types.ts';
import { describeSpool, type Spool } from '../engine/spool/spool.ts';
import { effectsCursor } from '../engine/effects/effects.ts';
import { describeReconciling } from '../engine/reconcile/reconciler.ts';
import type { Service } from '../engine/service.ts';
import type { ForkedExecutor } from '../executor/client.ts';
import type { Check, LogStatus } from '../http/deps.ts';
import type { Backbone } from '../ports/backbone.ts';
import type { Clock } from '../ports/clock.ts';
import type { Store } from '../ports/store.ts';
import type { ConfigTrouble } from './config-trouble.ts';
import type { Millis } from '../core/time.ts';
import { clockCheck } from './believing.ts';
import type { Reconciling } from './reconcile.ts';

interface Running {
  readonly store: Pick<Store, 'probe' | 'trouble'>;
  readonly instance: string;
  readonly backbone: Backbone;
  readonly service: Service;
  /** Of a gateway that shares a log. */
  readonly spool: Spool | null;
  readonly executor: ForkedExecutor;
  readonly reconciling: Pick<Reconciling, 'statuses'>;
  /** Why the engine did not start, or null. */
  readonly notStarted: () => string | null;
  /** What a stop waits for, or null. */
  readonly stopping: () => string | null;
  /** What of the configuration is broken. */
  readonly trouble: ConfigTrouble;
  /** By how much the wall clock differs from the time that is gone by. */
  readonly drift: () => Millis;
}

/** Where nothing was told since this process began, what it knows of its own partitions stands in. */
export function logStatusOf(config: Config, { backbone, service, instance, spool }: Running): LogStatus {
  return {
    instance,
    roles: config.roles,
    kind: config.log?.type ?? 'embedded',
    async role(role) {
      const lags: ReadonlyMap<number, number> = role === 'host' ? service.lags() : new Map();
      const here = new Set(role === 'host' ? lags.keys() : service.acting());
      const reached = new Map(await backbone.shares(role).progress());
      for (const partition of here) {
        if (reached.has(partition)) continue;
        reached.set(partition, role === 'host' ? service.saved(partition).inputs : await backbone.cursors.load(effectsCursor, partition));
      }
      return { here, reached, lags };
    },
    ...(spool === null ? {} : { spool: () => spool.status() }),
  };
}

/** While the shared log is away senders shall keep coming, as long as the spool can take it. */
function spoolCheck(spool: Spool): Check {
  return { name: 'spool', check: async () => spool.status().full, note: () => describeSpool(spool.status()) };
}

/** No reason to send work elsewhere: who holds nothing takes in and shows all the same. */
function describeShares({ service, backbone }: Running): string {
  const list = (partitions: Iterable<number>): string => [...partitions].toSorted((a, b) => a - b).join(', ') || 'nothing';
  const behind = service.behind();
  const lag = service.lag() > 0 ? `, ${service.lag()} inputs wait` : '';
  const model = behind > 0 ? `; the read model is ${behind} facts behind` : '';
  const problem = backbone.problem();
  const away = problem === null ? '' : `${problem}; `;
  return `${away}decides partitions ${list(service.lags().keys())}${lag}; acts for ${list(service.acting())}${model}`;
}

/** No reason to send work elsewhere: what the webhooks tell is decided all the same. */
function reconcileCheck({ reconciling }: Running, clock: Pick<Clock, 'now'>): Check {
  return { name: 'sources', check: async () => null, note: () => describeReconciling(reconciling.statuses(), clock.now()) };
}

/** What was taken in is safe and what comes is taken in: no reason to send work elsewhere. */
function describeEngine(config: Config, { service }: Running): string | null {
  if (!config.roles.includes('host') && config.log === null)
    return 'intake only: nothing is decided, critical alerts are paged as they came in';
  const catchingUp = service.catchingUp();
  if (catchingUp === null) return null;
  const { done, of, loading } = catchingUp;
  return loading ? 'loading what was decided before' : `catching up: ${done} of ${of}`;
}

/** Asked by writing, for a log that can be read may be full. */
async function logProblem(config: Config, { backbone, store }: Running): Promise<string | null> {
  const problem = backbone.problem();
  if (problem !== null) return problem;
  if (config.log === null) await store.probe();
  return (await backbone.log.end('inputs', 0)) >= 0 ? null : 'no inputs log';
}

/** What must be well for work to be sent here. */
export function checksOf(config: Config, running: Running, clock: Pick<Clock, 'now'>): readonly Check[] {
  const { spool } = running;
  return [
    {
      name: 'engine',
      check: async () => running.service.bug()?.message ?? running.notStarted() ?? running.stopping(),
      note: () => running.stopping() ?? describeEngine(config, running),
    },
    spool !== null && config.roles.includes('intake')
      ? spoolCheck(spool)
      : {
          name: 'log',
          check: () => logProblem(config, running),
        },
    ...(config.log === null ? [] : [{ name: 'shares', check: async () => null, note: () => describeShares(running) }]),
    ...(running.reconciling.statuses().length === 0 ? [] : [reconcileCheck(running, clock)]),
    { name: 'config', check: async () => null, note: running.trouble.says },
    { name: 'executor', check: async () => (running.executor.pid === null ? 'no executor process' : null) },
    {
      name: 'backlog',
      check: async () => (running.service.lag() > config.limits.backlogMax ? `${running.service.lag()} inputs wait to be decided` : null),
    },
    clockCheck(running.drift),
    // A note for everybody holds no path; the log tells which file, and what to do.
    {
      name: 'data',
      check: async () => running.store.trouble?.() ?? null,
      note: () => ((running.store.trouble?.() ?? null) === null ? null : 'the data files are deleted or damaged: see the log'),
    },
  ];
}
