// What keeps accepted alerts from being forgotten: the page for what nobody decides, and the spool for while the shared log is away.
import { join } from 'node:path';
import { configDefaults } from '../config/quench/defaults.ts';
import type { Config } from '../config/quench/types.ts';
import type { Instant } from '../core/time.ts';
import { createFailOpen, type FailOpen } from '../engine/failopen/failopen.ts';
import { createKeptPages } from '../engine/failopen/kept.ts';
import type { NotifyOutcome } from '../core/page/notification.ts';
import type { RawPageAbout } from '../engine/failopen/overdue.ts';
import { createRawPager } from '../engine/failopen/raw-pager.ts';
import { recallUndecided } from '../engine/failopen/recall.ts';
import { watchStuck, type StuckPartition } from '../engine/failopen/stuck.ts';
import { partitionOf } from '../engine/intake/scope.ts';
import { alertId } from '../readmodel/documents.ts';
import { openSpool, type Spool } from '../engine/spool/spool.ts';
import type { Metrics } from '../http/metrics.ts';
import type { Backbone } from '../ports/backbone.ts';
import type { Store } from '../ports/store.ts';
import { openSpoolStore } from './stores.ts';
import { installationName } from './installation-name.ts';
import { openJournalFile } from './journal-file.ts';
import type { Live } from './live.ts';
import type { Stops } from './stops.ts';
import type { Surroundings } from './surroundings.ts';

interface Parts {
  readonly store: Store;
  readonly backbone: Backbone;
  readonly live: Live;
  readonly instance: string;
  /** What the gateway's own log calls this installation. */
  readonly installation: () => string | null;
  readonly metrics: Metrics;
  /** Since when the log cannot be reached; null while it can. */
  readonly awaySince: () => Instant | null;
  /** Partitions decided here whose log takes nothing. */
  readonly stuck: () => readonly StuckPartition[];
  readonly stops: Stops;
}

/** Of an embedded log that nobody decides about for a while, every decision there is. */
export function seesDecisions(config: Pick<Config, 'roles' | 'log'>): boolean {
  return config.roles.includes('project') || config.log === null;
}

/** Its end is added to `stops`, after that of the record that it keeps for the next life. */
export async function openFailOpen(config: Config, { clock, logger }: Surroundings, parts: Parts): Promise<FailOpen> {
  const { store, backbone, live, instance, metrics, awaySince, stops } = parts;
  const onTrouble = (error: unknown): void => logger.error({ error }, 'an undecided alert was not paged in order');
  const journal = await openJournalFile(join(config.data.dir, 'raw-pages.jsonl')).catch(onTrouble); // without it they are paged all the same
  if (journal !== undefined) stops.add(journal.close);
  const fallback = await installationName(config, backbone.log);
  const around = {
    ...(journal === undefined ? {} : { kept: createKeptPages({ journal, clock, onTrouble }) }),
    afterMs: config.failOpen.afterMs,
    keepTryingMs: config.policy.delivery?.keepTryingMs ?? configDefaults.keepTryingMs,
    clock,
    notifiers: live.notifiers,
    instance,
    installation: () => backbone.name ?? parts.installation() ?? fallback,
    paged: (about: RawPageAbout) => metrics.rawPage(about),
    attempted: (notifier: string, outcome: NotifyOutcome['outcome']) => metrics.notification(notifier, outcome),
    onTrouble,
  };
  const failOpen = createFailOpen({
    ...around,
    get notify() {
      return live.config().failOpen.notify;
    },
    awaySince,
    partitionOf: (scope) => partitionOf(scope, backbone.log.partitions),
    seesDecisions: seesDecisions(config),
    async known(scope, fingerprint, observedAt) {
      const alert = await store.views.get('alert', alertId(scope, fingerprint), [scope]);
      if (alert?.state === 'cleared') return (alert.clearedAt ?? 0) >= observedAt;
      return alert?.state === 'firing' && alert.severity === 'critical';
    },
    async became(scope, fingerprint, since) {
      const alert = await store.views.get('alert', alertId(scope, fingerprint), [scope]);
      if (alert === null || alert.seenAt < since) return null;
      return alert.state === 'cleared' ? 'cleared' : 'decided';
    },
  });
  stops.add(() => failOpen.stop());
  const pager = createRawPager({
    ...around,
    get notify() {
      return live.config().failOpen.notify;
    },
  });
  const stopWatching = watchStuck({ ...around, pager, stuck: parts.stuck });
  stops.add(async () => {
    stopWatching();
    await pager.stop();
  });
  return failOpen;
}

/** Begins to read, beside all else, what an earlier life accepted and nobody decided; returns how to stop. Of a shared log others live who know of it. */
export function startRecall(
  config: Config,
  { logger }: Surroundings,
  parts: Pick<Parts, 'store'> & { readonly failOpen: FailOpen },
): () => Promise<void> {
  const { checkpoints, log } = parts.store;
  const stopping = new AbortController();
  const read = async (): Promise<void> => {
    const { failOpen } = parts;
    if (config.log !== null || checkpoints.mark === undefined) return failOpen.leftAll();
    const mark = checkpoints.mark.bind(checkpoints);
    const count = await recallUndecided({ log, mark, left: failOpen.left, stopping: stopping.signal });
    if (!stopping.signal.aborted) failOpen.leftAll();
    if (count > 0) logger.info({ alerts: count }, 'an earlier life left alerts that nobody decided');
  };
  const reading = read().catch((error: unknown) => logger.error({ error }, 'what an earlier life left undecided could not be read'));
  return async () => {
    stopping.abort();
    await reading;
  };
}

/** Null for a gateway whose log is its own: that is not away while the gateway lives. Its end is added to `stops`. */
export async function openSharedLogSpool(
  config: Config,
  around: Surroundings,
  parts: Pick<Parts, 'backbone' | 'metrics'> & { readonly failOpen: FailOpen; readonly stops: Stops },
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
    parts.stops.add(async () => {
      try {
        await spool.stop();
      } finally {
        await store.close();
      }
    });
    return spool;
  } catch (error) {
    await store.close();
    throw error;
  }
}
