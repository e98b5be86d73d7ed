// A running engine on a store in memory, with projectors beside those that every gateway has.
import { memoryDisk } from '../../../adapters/memory/disk.ts';
import { memoryStore } from '../../../adapters/memory/store.ts';
import { everyScope } from '../../../src/core/stamp.ts';
import type { Projector } from '../../../src/engine/project/projector.ts';
import type { Service } from '../../../src/engine/service.ts';
import type { Store } from '../../../src/ports/store.ts';
import { virtualClock, type VirtualClock } from '../../support/clock.ts';
import { eventOf } from '../../support/event.ts';
import { policyOf } from '../../support/policy.ts';
import { loneService } from '../lone-service.ts';

export interface Rig {
  readonly clock: VirtualClock;
  readonly store: Store;
  readonly service: Service;
  readonly troubles: unknown[];
  see(fingerprint: string): Promise<void>;
}

export async function rig(projectors: (store: Store, clock: VirtualClock) => readonly Projector[]): Promise<Rig> {
  const clock = virtualClock();
  const store = memoryStore({ disk: memoryDisk(), partitions: 1, clock });
  const troubles: unknown[] = [];
  const service = loneService(store, {
    roles: new Set(['host', 'effects', 'project']),
    projectors: projectors(store, clock),
    clock,
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
