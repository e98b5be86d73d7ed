// Follows the facts of a running cluster from outside: when a partition is decided again, and what is still under way.
import { openKafka } from '../../../adapters/kafka/backbone.ts';
import type { KafkaOptions } from '../../../adapters/kafka/options.ts';
import { memoryDisk } from '../../../adapters/memory/disk.ts';
import { memoryStore } from '../../../adapters/memory/store.ts';
import type { Fact } from '../../../src/core/records.ts';
import { day } from '../../../src/core/time.ts';
import { createTail, type Tail } from '../../../src/engine/tail.ts';
import { systemClock } from '../../../src/gateway/clock.ts';
import type { Backbone } from '../../../src/ports/backbone.ts';

const factsPerRead = 500;

/** The shared log as a gateway opens it, without taking a share. */
export async function openShared(options: KafkaOptions, partitions: number, instance: string): Promise<Backbone> {
  const quiet = (): void => {};
  return openKafka(options, {
    clock: systemClock,
    logger: { info: quiet, warn: quiet, error: console.error },
    watch: { appended: quiet, rebalanced: quiet },
    local: memoryStore({ disk: memoryDisk(), partitions, clock: systemClock }),
    instance,
    retentionMs: day,
  });
}

export interface Watch {
  /** How long after the instant every one of the partitions had decided an alert that came in after it; null when that took longer than the span. */
  decidedAgain(partitions: readonly number[], since: number, withinMs: number): Promise<number | null>;
  /** Runs that have not ended, and notifications that were not answered or wait to be told together with others. */
  open(): { readonly runs: readonly string[]; readonly notifications: readonly string[] };
  stop(): Promise<void>;
}

interface Waiter {
  readonly since: number;
  readonly partitions: Set<number>;
  readonly resolve: (tookMs: number | null) => void;
}

export async function watchFacts(options: KafkaOptions, partitions: number): Promise<Watch> {
  const backbone = await openShared(options, partitions, 'watch');
  const waiters = new Set<Waiter>();
  const runs = new Set<string>();
  const notifications = new Set<string>();
  /** First rings that wait to be told together, and their pages. Repeats go on as long as nobody answers. */
  const held = new Map<string, string>();

  function see(fact: Fact, partition: number): void {
    if (fact.type === 'RunStarted') runs.add(fact.run);
    if (fact.type === 'RunFinished') runs.delete(fact.run);
    if (fact.type === 'NotifyHeld' && fact.notification.kind !== 'repeat') held.set(fact.notification.id, fact.page);
    if (fact.type === 'NotifyDropped') held.delete(fact.notification);
    if (fact.type === 'NotifyRequested')
      for (const id of [fact.notification.id, ...(fact.with ?? []).map((one) => one.notification)]) held.delete(id);
    if (fact.type === 'PageClosed' || fact.type === 'PageAcked') for (const [id, page] of held) if (page === fact.page) held.delete(id);
    if (fact.type === 'NotifyRequested') notifications.add(`${fact.notification.id}#${fact.attempt}`);
    if (fact.type === 'NotifyFinished' || fact.type === 'NotifyDropped') notifications.delete(`${fact.notification}#${fact.attempt}`);
    if (fact.type !== 'AlertDecided') return;
    for (const waiter of waiters) {
      if (fact.at <= waiter.since) continue; // whoever died may have decided it
      waiter.partitions.delete(partition);
      if (waiter.partitions.size === 0) end(waiter, Date.now() - waiter.since);
    }
  }

  function end(waiter: Waiter, tookMs: number | null): void {
    waiters.delete(waiter);
    waiter.resolve(tookMs);
  }

  const tails = Array.from({ length: partitions }, (_, partition): Tail => {
    const parts = { partition, log: backbone.log, clock: systemClock, batch: factsPerRead, onTrouble: () => {} };
    return createTail(parts, async (facts) => {
      for (const fact of facts) see(fact, partition);
    });
  });
  for (const tail of tails) tail.start(0);

  return {
    decidedAgain(wanted, since, withinMs) {
      return new Promise((resolve) => {
        const waiter: Waiter = { since, partitions: new Set(wanted), resolve };
        if (wanted.length === 0) return resolve(0);
        waiters.add(waiter);
        systemClock.after(withinMs, () => end(waiter, null));
      });
    },
    open: () => ({ runs: [...runs], notifications: [...held.keys(), ...notifications] }),
    async stop() {
      await Promise.all(tails.map((tail) => tail.stop()));
      await backbone.close();
    },
  };
}
