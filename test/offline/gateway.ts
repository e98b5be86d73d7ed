// A gateway's engine over stores in memory, with its door and a pager that only remembers; for tests of what works on its data.
import assert from 'node:assert/strict';
import { createExpressions } from '../../adapters/cel/expressions.ts';
import type { MemoryDisk } from '../../adapters/memory/disk.ts';
import { memoryStore } from '../../adapters/memory/store.ts';
import type { AlertEvent } from '../../src/core/alert/event.ts';
import type { Notification } from '../../src/core/page/notification.ts';
import type { Policy } from '../../src/core/playbook/policy.ts';
import type { Fact } from '../../src/core/records.ts';
import { everyScope } from '../../src/core/stamp.ts';
import { everyPartition } from '../../src/engine/assignments.ts';
import { createIntake, type Intake } from '../../src/engine/intake/intake.ts';
import { createService, type Service } from '../../src/engine/service.ts';
import { localExecutor } from '../../src/executor/local.ts';
import type { Backbone } from '../../src/ports/backbone.ts';
import type { Notifier } from '../../src/ports/notifier.ts';
import { roles } from '../../src/ports/shares.ts';
import type { Store } from '../../src/ports/store.ts';
import type { VirtualClock } from '../support/clock.ts';

export const expressions = createExpressions();

/** A store as the backbone of a gateway, or of several. */
export function backboneOf(store: Store): Backbone {
  const { log, checkpoints, cursors, deadLetters } = store;
  const shares = { host: everyPartition(log.partitions), effects: everyPartition(log.partitions) };
  return {
    log,
    checkpoints,
    cursors,
    deadLetters,
    shares: (role) => shares[role],
    forgets: false,
    name: null,
    problem: () => null,
    close: async () => {},
  };
}

export interface Running {
  readonly store: Store;
  readonly service: Service;
  readonly intake: Intake;
  /** Everything the pager was given, in order. */
  readonly told: readonly Notification[];
  see(scope: string, event: AlertEvent, delivery?: string): Promise<void>;
  facts(): Promise<readonly Fact[]>;
  stop(): Promise<void>;
}

/** Starts a gateway on the disk; notifications of all notifiers go to one pager. */
export async function running(disk: MemoryDisk, partitions: number, clock: VirtualClock, policy: Policy): Promise<Running> {
  const store = memoryStore({ disk, partitions, clock });
  const shared = backboneOf(store);
  const told: Notification[] = [];
  const pager: Notifier = {
    async deliver(notification) {
      told.push(notification);
      return { outcome: 'accepted', detail: '' };
    },
  };
  const service = createService({
    roles: new Set(roles),
    shared,
    local: store,
    shares: shared.shares,
    clock,
    expressions,
    executor: localExecutor([]),
    notifiers: new Map([
      ['first', pager],
      ['second', pager],
    ]),
    withLinks: (notification) => notification,
    worker: `worker-${partitions}`,
    yieldToIntake: () => Promise.resolve(),
    decided: () => {},
    onTrouble: (error) => assert.fail(String(error)),
  });
  await service.start();
  const { log, deadLetters } = store;
  const intake = await createIntake({ log, deadLetters, endpoints: [], clock, lagOf: () => 0, lagMax: 1, onAccepted: () => {} });
  if (service.policy()?.digest !== policy.digest) await intake.submit({ type: 'PolicyPublished', scope: everyScope, policy });
  await clock.settle();
  return {
    store,
    service,
    intake,
    told,
    async see(scope, event, delivery = '') {
      await intake.submit({ type: 'AlertSeen', scope, endpoint: 'test', delivery, index: 0, event });
      await clock.settle();
    },
    facts: () => factsOn(store),
    async stop() {
      const stopping = service.stop(100);
      await clock.forward(300);
      await stopping;
      await store.close();
    },
  };
}

export async function factsOn(store: Store): Promise<readonly Fact[]> {
  const parts = Array.from({ length: store.log.partitions }, (_, partition) => store.log.read('facts', partition, 0, 100_000));
  return (await Promise.all(parts)).flat().map(({ value }) => value as Fact);
}
