import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { memoryDisk, type MemoryDisk } from '../../../adapters/memory/disk.ts';
import { memoryLimits, memoryStore } from '../../../adapters/memory/store.ts';
import type { Store } from '../../../src/ports/store.ts';
import { contractLimits, contractPartitions } from '../../contracts/store-fixture.ts';
import { expectShortPages } from '../../contracts/store-letters.ts';
import { storeContract } from '../../contracts/store.ts';

storeContract('memory', async (clock) => {
  const disk = memoryDisk();
  const open = (): Store => memoryStore({ disk, partitions: contractPartitions, clock, limits: contractLimits, bulk: true });
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
    for (const call of [dead.log.append('inputs', value), dead.log.end('inputs', 0), dead.views.get('alert', 'a', 'all')])
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

describe('memory: several stores on one disk', () => {
  const clock = { now: () => 0 };
  const value = { partition: 0, scope: 's', values: [{ n: 1 }] };
  const mark = { inputs: 0, facts: 0 };
  const row = (key: string) => ({ scope: 's', table: 't', key, doc: { key } });
  const open = (disk: MemoryDisk, sync?: () => Promise<void>): Store =>
    memoryStore({ disk: disk.seat(), partitions: 1, clock, ...(sync === undefined ? {} : { sync }) });

  test('each hears of what the other appends, and offsets go on', async () => {
    const disk = memoryDisk();
    const [one, other] = [open(disk), open(disk)];
    let heard = 0;
    other.log.watch('inputs', 0, () => (heard += 1));

    assert.deepEqual([await one.log.append('inputs', value), await other.log.append('inputs', value)], [0, 1]);
    assert.equal(await one.log.end('inputs', 0), 2);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(heard, 2);
  });

  test('one crashes alone', async () => {
    const disk = memoryDisk();
    const [seat, other] = [disk.seat(), open(disk)];
    const dead = memoryStore({ disk: seat, partitions: 1, clock });
    let signs = 0;
    dead.log.watch('inputs', 0, () => (signs += 1));
    seat.crash();

    assert.equal(await other.log.append('inputs', value), 0);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(signs, 0);
  });

  test('whoever loaded a checkpoint before somebody else did saves nothing more, not even what was on its way', async () => {
    const disk = memoryDisk();
    let release: () => void = () => {};
    const slow = open(disk, () => new Promise((resolve) => (release = resolve)));
    const next = open(disk);
    await slow.checkpoints.load(0, () => {});
    const onItsWay = slow.checkpoints.save(0, mark, [row('old')]);

    await next.checkpoints.load(0, () => {});
    release();
    await assert.rejects(onItsWay, { code: 'store_unavailable' });
    await next.checkpoints.save(0, mark, [row('new')]);
    const late = slow.checkpoints.save(0, mark, [row('late')]);
    await new Promise((resolve) => setImmediate(resolve));
    release();
    await assert.rejects(late, { code: 'store_unavailable' });

    const keys: string[] = [];
    await open(disk).checkpoints.load(0, (rows) => keys.push(...rows.map(({ key }) => key)));
    assert.deepEqual(keys, ['new']);
  });

  test('a partition that nobody else has loaded may be saved without loading it', async () => {
    const disk = memoryDisk();
    await open(disk).checkpoints.save(0, mark, [row('a')]);
    assert.deepEqual(await open(disk).checkpoints.load(0, () => {}), mark);
  });
});

test('F11: a page of large dead letters ends early', () =>
  expectShortPages(memoryStore({ disk: memoryDisk(), partitions: 1, clock: { now: () => 1 }, limits: memoryLimits })));
