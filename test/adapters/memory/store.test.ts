import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { memoryDisk, type MemoryDisk } from '../../../adapters/memory/disk.ts';
import { memoryStore } from '../../../adapters/memory/store.ts';
import type { Store } from '../../../src/core/ports.ts';
import { storeContract } from '../../contracts/store.ts';
import { contractLimits, contractPartitions } from '../../contracts/store-fixture.ts';

storeContract('memory', async (clock) => {
  const disk = memoryDisk();
  const open = (): Store => memoryStore({ disk, partitions: contractPartitions, clock, limits: contractLimits });
  return {
    store: open(),
    // Every other contract call runs on what a crash leaves: what was acknowledged must be there without a close.
    async reopen() {
      disk.crash();
      return open();
    },
    async destroy() {
      disk.crash();
    },
  };
});

describe('memory: crashes', () => {
  const clock = { now: () => 0 };
  const value = { partition: 0, scope: 's', values: [{ n: 1 }] };

  /** A store whose syncs wait until `release` or `fail`. */
  function held(disk: MemoryDisk): { store: Store; release(): void; fail(): void } {
    const syncs: { resolve: () => void; reject: (error: Error) => void }[] = [];
    const sync = (): Promise<void> => new Promise((resolve, reject) => syncs.push({ resolve, reject }));
    const store = memoryStore({ disk, partitions: 1, clock, sync });
    return { store, release: () => syncs.shift()?.resolve(), fail: () => syncs.shift()?.reject(new Error('no space')) };
  }

  test('an append that was never synced is gone after a crash, and its caller never hears of it', async () => {
    const disk = memoryDisk();
    const { store, release } = held(disk);
    let settled = false;
    const first = store.log.append('inputs', value);
    void store.log.append('inputs', value).finally(() => (settled = true));
    release();
    assert.equal(await first, 0);

    disk.crash();
    release();
    const next = memoryStore({ disk, partitions: 1, clock });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(await next.log.end('inputs', 0), 1);
    assert.equal(settled, false);
  });

  test('a crash may keep what it did not acknowledge: the torn tail has any length', async () => {
    for (const kept of [0, 1, 2, 3]) {
      const disk = memoryDisk();
      const { store } = held(disk);
      for (let n = 0; n < 3; n += 1) void store.log.append('inputs', value);

      disk.crash(kept);
      assert.equal(await memoryStore({ disk, partitions: 1, clock }).log.end('inputs', 0), kept);
    }
  });

  test('a dead store neither writes nor reads nor calls, whoever still holds it', async () => {
    const disk = memoryDisk();
    const dead = memoryStore({ disk, partitions: 1, clock });
    let signs = 0;
    dead.log.watch('inputs', 0, () => (signs += 1));
    disk.crash();
    const sign = (): number => (signs += 1);
    for (const call of [dead.log.append('inputs', value), dead.log.end('inputs', 0), dead.views.get('alert', 'a')])
      void call.then(sign, sign);

    const next = memoryStore({ disk, partitions: 1, clock });
    assert.equal(await next.log.append('inputs', value), 0);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(signs, 0);
  });

  test('a failed sync refuses its whole group and burns no offset', async () => {
    const { store, release, fail } = held(memoryDisk());
    const lost = Promise.allSettled([store.log.append('inputs', value), store.cursors.save('c', 0, 1)]);
    fail();
    await new Promise((resolve) => setImmediate(resolve));
    fail();
    const codes = (await lost).map((answer) => (answer.status === 'rejected' ? answer.reason.code : answer.value));
    assert.deepEqual(codes, ['log_unavailable', 'store_unavailable']);
    assert.deepEqual(await store.log.read('inputs', 0, 0, 9), []);

    const kept = store.log.append('inputs', value);
    release();
    assert.equal(await kept, 0);
  });

  test('a disk has one store at a time', async () => {
    const disk = memoryDisk();
    const store = memoryStore({ disk, partitions: 1, clock });
    assert.throws(() => memoryStore({ disk, partitions: 1, clock }), { code: 'store_unavailable' });

    await store.close();
    await memoryStore({ disk, partitions: 1, clock }).close();
  });
});
