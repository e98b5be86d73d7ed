// A service that has its store and every partition for itself, with nobody to tell and nothing that acts.
import { createExpressions } from '../../adapters/cel/expressions.ts';
import { everyPartition } from '../../src/engine/assignments.ts';
import { createService, type Service, type ServiceDeps } from '../../src/engine/service.ts';
import { localExecutor } from '../../src/executor/local.ts';
import type { Store } from '../../src/ports/store.ts';

/** Made, and not started; `around` says what is otherwise. */
export function loneService(store: Store, around: Pick<ServiceDeps, 'roles' | 'clock' | 'onTrouble'> & Partial<ServiceDeps>): Service {
  return createService({
    shared: store,
    local: store,
    shares: () => everyPartition(store.log.partitions),
    expressions: createExpressions(),
    executor: localExecutor([]),
    notifiers: new Map(),
    withLinks: (notification) => notification,
    worker: 'one',
    yieldToIntake: async () => {},
    decided: () => {},
    ...around,
  });
}
