// One suite for every store, embedded or not. Whoever opens one for it uses the limits, partitions and clock of store-fixture.ts.
import { describe, test } from 'node:test';
import { withStore, type OpenStore, type Promised } from './store-fixture.ts';
import { logContract, stateContract } from './store-log.ts';
import { viewsContract } from './store-views.ts';

export function storeContract(name: string, open: OpenStore): void {
  const promise: Promised = (says, run) => {
    test(says, () => withStore(open, run));
  };
  describe(`${name}: log`, () => logContract(promise));
  describe(`${name}: checkpoints and cursors`, () => stateContract(promise));
  describe(`${name}: views and dead letters`, () => viewsContract(promise));
}
