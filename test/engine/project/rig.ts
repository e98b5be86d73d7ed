// A running engine on a store in memory, with projectors beside those that every gateway has.
import { createExpressions } from '../../../adapters/cel/expressions.ts';
import { memoryDisk } from '../../../adapters/memory/disk.ts';
import { memoryStore } from '../../../adapters/memory/store.ts';
import { everyScope } from '../../../src/core/stamp.ts';
import { everyPartition } from '../../../src/engine/assignments.ts';
import type { Projector } from '../../../src/engine/project/projector.ts';
import { createService, type Service } from '../../../src/engine/service.ts';
import { localExecutor } from '../../../src/executor/local.ts';
import type { Store } from '../../../src/ports/store.ts';
import { virtualClock, type VirtualClock } from '../../support/clock.ts';
import { eventOf } from '../../support/event.ts';
import { policyOf } from '../../support/policy.ts';

export interface Rig {
  readonly clock: VirtualClock;
  readonly store: Store;
  readonly service: Service;
  readonly troubles: unknown[];
  see(fingerprint: string): Promise<void>;
}

export async function rig(projectors: (store: Store) => readonly Projector[]): Promise<Rig> {
  const clock = virtualClock();
  const store = memoryStore({ disk: memoryDisk(), partitions: 1, clock });
  const troubles: unknown[] = [];
  const service = createService({
    roles: new Set(['host', 'effects', 'project']),
    shared: store,
    local: store,
    projectors: projectors(store),
    shares: () => everyPartition(1),
    clock,
    expressions: createExpressions(),
    executor: localExecutor([]),
    notifiers: new Map(),
    withLinks: (notification) => notification,
    worker: 'one',
    yieldToIntake: async () => {},
    decided: () => {},
    onTrouble: (error) => void troubles.push(error),
  });
  await service.start();
  const say = async (scope: string, value: object): Promise<void> => {
    await store.log.append('inputs', { partition: 0, scope, values: [{ scope, at: clock.now(), ...value }] });
    await clock.settle();
  };
  await say(everyScope, { type: 'PolicyPublished', policy: policyOf() });
  const see = (fingerprint: string): Promise<void> =>
    say('default', { type: 'AlertSeen', endpoint: 'in', delivery: '', index: 0, event: eventOf({ fingerprint }) });
  return { clock, store, service, troubles, see };
}
