import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { stateLanes, type StateQueues } from '../../../adapters/sqlite/lanes.ts';
import { stateFileOf } from '../../../adapters/sqlite/paths.ts';
import { createPriorityQueues } from '../../../adapters/sqlite/priority-queues.ts';
import { identityOf, openLog, openState } from '../../../adapters/sqlite/schema.ts';
import { sqliteLimits, sqliteStore, type SqliteLimits } from '../../../adapters/sqlite/store.ts';
import { stow, unstow } from '../../../adapters/sqlite/text.ts';
import type { Store } from '../../../src/ports/store.ts';
import { contractLimits, contractPartitions, hostileTexts } from '../../contracts/store-fixture.ts';
import { expectShortPages } from '../../contracts/store-letters.ts';
import { storeContract } from '../../contracts/store.ts';

// A small tail, so that the contract reads from memory and from disk.
const limits: SqliteLimits = { ...sqliteLimits, ...contractLimits, tailRecordsMax: 80 };

storeContract('sqlite', async (clock) => {
  const folder = mkdtempSync(join(tmpdir(), 'quench-store-'));
  const open = (more: Partial<SqliteLimits> = {}): Promise<Store> =>
    sqliteStore({ path: join(folder, 'store.db'), partitions: contractPartitions, limits: { ...limits, ...more }, clock });
  let store = await open();
  return {
    store,
    async reopen() {
      await store.close();
      store = await open();
      return store;
    },
    async reopenShort() {
      await store.close();
      store = await open({ freeBytesMin: Number.MAX_SAFE_INTEGER });
      return store;
    },
    async destroy() {
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
});

async function inFolder(run: (path: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'quench-store-'));
  try {
    await run(join(folder, 'store.db'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const openAt = (path: string, more: Partial<SqliteLimits> = {}): Promise<Store> =>
  sqliteStore({ path, partitions: 1, limits: { ...sqliteLimits, ...more } });
const batch = (n: number, raw?: string) => ({ partition: 0, scope: 's', values: [{ n }], ...(raw === undefined ? {} : { raw }) });

describe('sqlite: the file', () => {
  test('a file of a newer schema, or of another partition count, is refused in words', () =>
    inFolder(async (path) => {
      await (await openAt(path)).close();
      await assert.rejects(sqliteStore({ path, partitions: 2, limits }), {
        code: 'invalid_config',
        message: /has 1 partitions, configured are 2/,
      });

      const db = new DatabaseSync(path);
      db.exec('PRAGMA user_version = 99');
      db.close();
      await assert.rejects(openAt(path), { code: 'invalid_config', message: /newer quench \(schema 99, this one knows 4\)/ });
    }));

  test('something that is no store is refused, and the path is free again', () =>
    inFolder(async (path) => {
      await (await openAt(path)).close();
      writeFileSync(path, 'this is a letter, not a database. '.repeat(200));
      await assert.rejects(openAt(path), { code: 'store_unavailable', message: /cannot be opened.*not a database/ });
      rmSync(path);
      const other = new DatabaseSync(path);
      other.exec('CREATE TABLE music (title TEXT)');
      other.close();
      await assert.rejects(openAt(path), { code: 'invalid_config', message: /another program/ });
      await assert.rejects(openAt(join(path, 'below-a-file.db')), {
        code: 'store_unavailable',
        message: /expected a directory at .*, seen a file/,
      });
      rmSync(path);
      await (await openAt(path)).close();
    }));

  test('commits are synced, space can be given back, nobody else may read the file', () =>
    inFolder(async (path) => {
      await (await openAt(path)).close();
      const common = { partitions: 1, fileBytesMax: null } as const;
      const log = openLog({ ...common, holds: 'log', path, lettersMax: 1, letterBytesMax: 1, freeBytesMin: 0, reserveBytesMin: 0 });
      const identity = identityOf(log);
      const state = openState({ ...common, holds: 'state', path: stateFileOf(path), identity, ends: [0, 0], lows: [0, 0] });
      for (const db of [log, state]) {
        const pragma = (name: string): unknown => db.prepare(`PRAGMA ${name}`).get()?.[name];
        const full = 2;
        const incremental = 2;
        assert.deepEqual(['journal_mode', 'synchronous', 'auto_vacuum'].map(pragma), ['wal', full, incremental]);
        db.close();
      }
      for (const file of [path, stateFileOf(path), `${path}.owner`]) assert.equal(statSync(file).mode & 0o077, 0, file);
    }));

  test('a second opener is told who has the file, within two seconds', () =>
    inFolder(async (path) => {
      const store = await openAt(path);
      const start = performance.now();
      await assert.rejects(openAt(path), { code: 'store_unavailable', message: new RegExp(`in use by process ${process.pid}`) });
      assert.ok(performance.now() - start < 2_000);

      assert.equal(await store.log.append('inputs', batch(1)), 0);
      await store.close();
      await (await openAt(path)).close();
    }));

  test('another process is told so too, and a killed owner blocks nobody', () =>
    inFolder(async (path) => {
      const appender = new URL('./appender.ts', import.meta.url).pathname;
      const child = spawn(process.execPath, [appender, path, `${path}.acks`], { stdio: ['ignore', 'pipe', 'inherit'] });
      const exited = once(child, 'exit');
      await Promise.race([once(child.stdout, 'data'), exited]);
      await assert.rejects(openAt(path), { code: 'store_unavailable', message: new RegExp(`in use by process ${child.pid}`) });
      child.kill('SIGKILL');
      await exited;

      await (await openAt(path)).close();
    }));
});

describe('sqlite: a full file', () => {
  const raw = 'x'.repeat(10_000);

  test('appends are refused, reads go on, no offset is burnt, and room heals it', () =>
    inFolder(async (path) => {
      const store = await openAt(path, { fileBytesMax: 1_048_576, tailRecordsMax: 2 });
      let calls = 0;
      store.log.watch('inputs', 0, () => (calls += 1));
      const outcomes = [];
      for (let n = 0; n < 300; n += 20) {
        const group = Array.from({ length: 20 }, (_, index) => store.log.append('inputs', batch(n + index, raw)));
        outcomes.push(...(await Promise.allSettled(group)));
      }
      const taken = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
      const codes = new Set(outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : [])));
      assert.deepEqual(codes, new Set(['log_unavailable']));
      assert.ok(taken.length > 20);
      assert.deepEqual(
        taken,
        taken.map((_, index) => index),
      );
      const callsBefore = calls;
      await assert.rejects(store.deadLetters.add(letter('x'.repeat(200_000))), { code: 'store_unavailable' });
      assert.equal((await store.log.read('inputs', 0, 0, 999)).length, taken.length);
      assert.equal(await store.log.end('inputs', 0), taken.length);
      assert.equal(calls, callsBefore);

      await store.log.trim('inputs', 0, taken.length - 5);
      assert.equal(await store.log.append('inputs', batch(1, raw)), taken.length);
      assert.equal(await store.deadLetters.count(), 0);
      await store.close();
      const again = await openAt(path);
      assert.equal(await again.log.end('inputs', 0), taken.length + 1);
      await again.close();
    }));

  test('records are refused before the disk is full to the last byte, and retention goes on', () =>
    inFolder(async (path) => {
      const roomy = await openAt(path);
      for (let n = 0; n < 10; n += 1) await roomy.log.append('inputs', batch(n));
      await roomy.probe();
      await roomy.close();
      const store = await openAt(path, { freeBytesMin: Number.MAX_SAFE_INTEGER });
      await assert.rejects(store.log.append('inputs', batch(1)), { code: 'log_unavailable', message: /bytes are free/ });
      await assert.rejects(store.probe(), { code: 'log_unavailable', message: /bytes are free/ }); // F6: also of a log that nobody writes to
      await store.log.trim('inputs', 0, 5);
      await store.cursors.save('c', 0, 5);

      assert.equal((await store.log.read('inputs', 0, 0, 99)).length, 5);
      assert.deepEqual([await store.log.end('inputs', 0), await store.cursors.load('c', 0)], [10, 5]);
      await store.close();
    }));

  test('F6: the reserve ends before the disk is full to the last byte, too', () =>
    inFolder(async (path) => {
      const store = await openAt(path, { freeBytesMin: Number.MAX_SAFE_INTEGER, reserveBytesMin: Number.MAX_SAFE_INTEGER });
      const reserved = { ...batch(1), mayUseReserve: true } as const;
      await assert.rejects(store.log.append('facts', reserved), { code: 'log_unavailable', message: /bytes are free/ });
      await store.cursors.save('c', 0, 5);
      await store.close();
    }));

  test('retention gives room back to the disk', () =>
    inFolder(async (path) => {
      const store = await openAt(path);
      const heavy = 'x'.repeat(40_000);
      for (let n = 0; n < 300; n += 20) await Promise.all(Array.from({ length: 20 }, () => store.log.append('inputs', batch(n, heavy))));
      await store.log.trim('inputs', 0, 295);
      await store.cursors.save('c', 0, 1);
      assert.ok(statSync(path).size < 1_000_000, `file is ${statSync(path).size}`);
      await store.close();
    }));
});

describe('sqlite: groups', () => {
  test('a request that fails by itself is undone alone; the rest of its group is kept', () =>
    inFolder(async (path) => {
      const store = await openAt(path);
      const patch = (id: string, at: number) => ({ kind: 'alert' as const, id, scope: 's', at: 1, begins: true as const, set: { at } });
      const apply = (cursor: string, patches: ReturnType<typeof patch>[]) =>
        store.views.apply({ cursor, partition: 0, offset: 1, patches, entries: [] });
      // NaN cannot be stored: the second patch fails when the first is already written.
      const outcomes = await Promise.allSettled([
        store.log.append('inputs', batch(1)),
        apply('bad', [patch('half', 1), patch('broken', Number.NaN)]),
        apply('good', [patch('whole', 1)]),
        store.cursors.save('c', 0, 7),
      ]);

      assert.deepEqual(
        outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'done')),
        ['done', 'internal', 'done', 'done'],
      );
      assert.equal(await store.views.get('alert', 'half', 'all'), null);
      assert.equal((await store.views.get('alert', 'whole', 'all'))?.id, 'whole');
      assert.deepEqual(
        [await store.cursors.load('bad', 0), await store.cursors.load('good', 0), await store.cursors.load('c', 0)],
        [0, 1, 7],
      );
      await store.close();
    }));

  test('acceptances overtake a backlog of views, and the views are done in the end', () =>
    inFolder(async (path) => {
      const store = await openAt(path);
      const patches = Array.from({ length: 200 }, (_, n) => {
        const named = { kind: 'alert' as const, id: `n${n}`, scope: 's', at: 1 };
        return { ...named, begins: true as const, set: { count: n } };
      });
      const order: string[] = [];
      const views = Array.from({ length: 20 }, (_, n) =>
        store.views.apply({ cursor: 'c', partition: 0, offset: n + 1, patches, entries: [] }).then(() => order.push(`views ${n}`)),
      );
      await new Promise((resolve) => setImmediate(resolve));
      await store.log.append('inputs', batch(1)).then(() => order.push('input'));
      await Promise.all(views);
      assert.ok(order.indexOf('input') <= 3, order.join());
      assert.deepEqual(
        order.filter((name) => name !== 'input'),
        views.map((_, n) => `views ${n}`),
      );
      await store.close();
    }));

  test('what is committed but not yet acknowledged is not read: reads agree with the end', () =>
    inFolder(async (path) => {
      const store = await openAt(path);
      const appended = store.log.append('inputs', batch(1));
      await new Promise((resolve) => setImmediate(resolve));
      // The writer commits while this thread cannot hear of it.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
      assert.deepEqual(await Promise.all([store.log.end('inputs', 0), store.log.read('inputs', 0, 0, 9)]), [0, []]);

      assert.equal(await appended, 0);
      assert.equal((await store.log.read('inputs', 0, 0, 9)).length, 1);
      await store.close();
    }));

  test('the same objects are read back while they are new, and equal ones later', () =>
    inFolder(async (path) => {
      const store = await openAt(path, { tailRecordsMax: 8 });
      const values = Array.from({ length: 12 }, (_, n) => ({ n }));
      for (const value of values) await store.log.append('facts', { partition: 0, scope: 's', values: [value] });
      const records = [...(await store.log.read('facts', 0, 0, 10)), ...(await store.log.read('facts', 0, 10, 10))];
      assert.deepEqual(
        records.map(({ value }) => value),
        values,
      );
      assert.deepEqual(
        records.map(({ value }, n) => value === values[n]),
        values.map((_, n) => n >= 10),
      );
      await store.close();
    }));
});

test('when the writer thread dies, what waits is refused, and so is what comes later', async () => {
  const worker = new Worker("require('node:worker_threads').parentPort.on('message', () => { throw new Error('out of memory'); })", {
    eval: true,
  });
  const queues: StateQueues = createPriorityQueues(worker, stateLanes(0), limits);
  const ask = (): Promise<unknown> => {
    const request = { type: 'cursor', name: 'c', partition: 0, offset: 1 } as const;
    return new Promise((settle) => queues.send({ priority: 'state', request, records: 1, bytes: 1, settle }));
  };
  const first = ask();
  await new Promise((resolve) => setImmediate(resolve));
  const answers = await Promise.all([first, ask()]);
  const refusal = { why: 'unavailable', message: 'the writer thread failed: Error: out of memory' };
  assert.deepEqual([...answers, await ask()], [refusal, refusal, refusal]);
  await queues.drain();
  await queues.close();
});

test('stowed text is well formed, different for different text, and comes back', () => {
  const stowed = hostileTexts.map(stow);
  assert.ok(stowed.every((text) => text.isWellFormed()));
  assert.equal(new Set(stowed).size, hostileTexts.length);
  assert.deepEqual(stowed.map(unstow), hostileTexts);
});

function letter(body: string) {
  const about = { at: 0, endpoint: 'e', source: 's', reason: 'r', message: 'm', headers: {}, path: '/' };
  return { id: 'l', ...about, body, state: 'waiting' as const };
}

test('F11: a page of large dead letters ends early', async () => {
  await inFolder(async (path) => {
    const store = await openAt(path);
    try {
      await expectShortPages(store);
    } finally {
      await store.close();
    }
  });
});
