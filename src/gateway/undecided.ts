// What keeps accepted alerts from being forgotten: the page for what nobody decides, and the spool for while the shared log is away.
import type { Config } from '../config/quench/types.ts';
import type { Instant } from '../core/time.ts';
import { createFailOpen, type FailOpen } from '../engine/failopen/failopen.ts';
import { partitionOf } from '../engine/intake/scope.ts';
import { alertId } from '../readmodel/documents.ts';
import { openSpool, type Spool } from '../engine/spool/spool.ts';
import type { Metrics } from '../http/metrics.ts';
import type { Backbone } from '../ports/backbone.ts';
import type { Notifier } from '../ports/notifier.ts';
import type { Store } from '../ports/store.ts';
import { openSpoolStore } from './stores.ts';
import type { Surroundings } from './surroundings.ts';

interface Parts {
  readonly store: Store;
  readonly backbone: Backbone;
  readonly notifiers: ReadonlyMap<string, Notifier>;
  readonly instance: string;
  readonly metrics: Metrics;
  /** Since when the log cannot be reached; null while it can. */
  readonly awaySince: () => Instant | null;
}

/** Of an embedded log that nobody decides about for a while, every decision there is. */
export function seesDecisions(config: Pick<Config, 'roles' | 'log'>): boolean {
  return config.roles.includes('project') || config.log === null;
}

export function openFailOpen(config: Config, { clock, logger }: Surroundings, parts: Parts): FailOpen {
  const { store, backbone, notifiers, instance, metrics, awaySince } = parts;
  return createFailOpen({
    ...config.failOpen,
    clock,
    notifiers,
    instance,
    awaySince,
    partitionOf: (scope) => partitionOf(scope, backbone.log.partitions),
    seesDecisions: seesDecisions(config),
    async known(scope, fingerprint, observedAt) {
      const alert = await store.views.get('alert', alertId(scope, fingerprint), [scope]);
      if (alert?.state === 'cleared') return (alert.clearedAt ?? 0) >= observedAt;
      return alert?.state === 'firing' && alert.severity === 'critical';
    },
    paged: (about) => metrics.rawPage(about),
    attempted: (notifier, outcome) => metrics.notification(notifier, outcome),
    onTrouble: (error) => logger.error({ error }, 'an undecided alert was not paged in order'),
  });
}

/** Null for a gateway whose log is its own: that is not away while the gateway lives. */
export async function openSharedLogSpool(
  config: Config,
  around: Surroundings,
  parts: Pick<Parts, 'backbone' | 'metrics'> & { readonly failOpen: FailOpen },
): Promise<Spool | null> {
  if (config.log === null) return null;
  const { backbone, failOpen, metrics } = parts;
  const { clock, logger } = around;
  const store = await openSpoolStore(config, around);
  try {
    const spool = await openSpool({
      ...config.spool,
      shared: backbone.log,
      store,
      deadLetters: backbone.deadLetters,
      clock,
      watch: {
        spooled: failOpen.spooled,
        sent(batch) {
          metrics.drained();
          failOpen.sent(batch);
        },
        buried: ({ id, message }) => logger.error({ letter: id, message }, 'a spooled delivery became a dead letter'),
      },
      onTrouble: (error) => logger.error({ error }, 'the shared log does not take deliveries'),
    });
    return {
      ...spool,
      async stop() {
        try {
          await spool.stop();
        } finally {
          await store.close();
        }
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}
