// The log and the state of a store are two files: which state a log goes on with (schema.ts F4, opening.ts O1), and that the state is never ahead.
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { sqliteStores } from '../../../adapters/sqlite/kind.ts';
import { stateFileOf } from '../../../adapters/sqlite/paths.ts';
import { sqliteLimits, sqliteStore } from '../../../adapters/sqlite/store.ts';
import { systemClock } from '../../../src/gateway/clock.ts';
import type { Store } from '../../../src/ports/store.ts';

async function inFolder(run: (path: string, dir: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'quench-two-files-'));
  try {
    await run(join(dir, 'quench.db'), dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

const openAt = (path: string): Promise<Store> => sqliteStore({ path, partitions: 1, limits: sqliteLimits });
/** As a gateway opens it: what is damaged is set aside. */
const openIn = (dir: string): Promise<Store> => sqliteStores.open({ clock: systemClock, dir, use: 'gateway', limits: sqliteLimits });
const namesIn = (dir: string): readonly string[] => readdirSync(dir).filter((name) => !name.includes('.owner'));
const asideIn = (dir: string): readonly string[] => namesIn(dir).filter((name) => /\.(?:damaged|other)-2/.test(name));

async function fill(store: Store, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await store.log.append('inputs', { partition: 0, scope: 's', values: [{ n }] });
  await store.checkpoints.save(0, { inputs: count, facts: 0 }, [{ scope: 's', table: 't', key: 'k', doc: { count } }]);
  await store.cursors.save('project', 0, 7);
}

async function countsIn(store: Store): Promise<unknown> {
  return [await store.log.end('inputs', 0), await store.checkpoints.mark?.(0), await store.cursors.load('project', 0)];
}

/** What a store has whose state was made anew behind three inputs. */
const anew = [3, null, 0];

async function onFilled(run: (path: string, dir: string) => Promise<void>, trimmed = 0): Promise<void> {
  await inFolder(async (path, dir) => {
    const store = await openAt(path);
    assert.deepEqual(store.found, [], 'nothing is said of a store that is new');
    await fill(store, 3);
    await store.log.trim('inputs', 0, trimmed);
    await store.close();
    await run(path, dir);
  });
}

test('O1: a state that is missing is made anew from a log that has its beginning, and it is said', () =>
  onFilled(async (path, dir) => {
    rmSync(stateFileOf(path));
    const store = await openAt(path);
    assert.deepEqual(await countsIn(store), anew);
    assert.match(store.found?.join() ?? '', /^quench\.state\.db was missing: another is made anew from the log$/);
    await store.close();
    const again = await openAt(path);
    assert.deepEqual(again.found, []);
    await again.close();
    assert.deepEqual(namesIn(dir), ['quench.db', 'quench.state.db']);
  }));

test('O1: a state of another log, or one that is damaged, is set aside, and another is made anew', () =>
  onFilled(async (path, dir) => {
    const other = join(dir, 'other.db');
    const filled = await openAt(other);
    await fill(filled, 5);
    await filled.close();
    copyFileSync(stateFileOf(other), stateFileOf(path));
    const store = await openAt(path);
    assert.deepEqual(await countsIn(store), anew);
    assert.match(
      store.found?.join() ?? '',
      /quench\.state\.db: belongs to another log; it is now \S+\.other-2\S+, and another is made anew from/,
    );
    await store.close();
    writeFileSync(stateFileOf(path), 'this is no database. '.repeat(500));
    const again = await openAt(path);
    assert.deepEqual(await countsIn(again), anew);
    assert.match(again.found?.join() ?? '', /quench\.state\.db: cannot be opened: .*not a database.*; it is now /);
    await again.close();
    assert.equal(asideIn(dir).length, 2, 'nothing is thrown away');
  }));

test('F4: a state that is ahead of its log, as behind an old copy of the log, is not gone on with', () =>
  onFilled(async (path) => {
    const old = `${path}.old`;
    copyFileSync(path, old);
    const store = await openAt(path);
    await fill(store, 2);
    await store.checkpoints.save(0, { inputs: 5, facts: 0 }, []);
    await store.close();
    renameSync(old, path);
    const again = await openAt(path);
    assert.deepEqual(await countsIn(again), anew);
    assert.match(again.found?.join() ?? '', /is ahead of its log; it is now /);
    await again.close();
  }));

test('O1: where the log is missing, its state is set aside, both begin anew, and it is said', () =>
  onFilled(async (path, dir) => {
    rmSync(path);
    const store = await openAt(path);
    assert.deepEqual(await countsIn(store), [0, null, 0]);
    assert.match(store.found?.join() ?? '', /belongs to another log; it is now \S+, and the gateway begins with an empty one/);
    await store.close();
    assert.equal(asideIn(dir).length, 1);
  }));

test('O1: a log that has forgotten its beginning does not go on without its state: both are set aside, and the gateway begins anew', () =>
  onFilled(async (path, dir) => {
    rmSync(stateFileOf(path));
    await assert.rejects(openAt(path), { code: 'store_unavailable', message: /is missing, and the log has not its beginning any more/ });
    const store = await openIn(dir);
    assert.deepEqual(await countsIn(store), [0, null, 0]);
    assert.match(store.trouble?.() ?? '', /quench\.db was damaged \(.*quench\.state\.db: is missing.*and is now .*damaged-2.*began anew/);
    await store.close();
    assert.ok(asideIn(dir).some((name) => name.startsWith('quench.db.damaged-2')));
  }, 2));

test('W3: a checkpoint is saved behind the appends that were called before it, and refused past the end', () =>
  inFolder(async (path) => {
    const store = await openAt(path);
    const append = (topic: 'inputs' | 'facts') => store.log.append(topic, { partition: 0, scope: 's', values: [{}] });
    const saves = [append('inputs'), append('facts'), store.checkpoints.save(0, { inputs: 1, facts: 1 }, [])];
    await Promise.all(saves);
    const late = store.checkpoints.save(0, { inputs: 2, facts: 1 }, []);
    const appended = append('inputs'); // called after it
    await assert.rejects(late, { code: 'state_conflict', message: /inputs 2, facts 1 is past the end of the log/ });
    await appended;
    await store.close();
    // The files agree, too.
    const state = new DatabaseSync(stateFileOf(path), { readOnly: true });
    assert.deepEqual({ ...state.prepare('SELECT inputs, facts FROM marks').get() }, { inputs: 1, facts: 1 });
    state.close();
  }));

test('a checkpoint of thousands of rows and a long read model hold up no acceptance: they wait for a file of their own', () =>
  inFolder(async (path) => {
    const store = await openAt(path);
    const rows = Array.from({ length: 8_000 }, (_, n) => ({ scope: 's', table: 't', key: `k${n}`, doc: { text: 'x'.repeat(1_000) } }));
    let isSaved = false;
    const saved = store.checkpoints.save(0, { inputs: 0, facts: 0 }, rows).then(() => (isSaved = true));
    let accepted = 0;
    while (!isSaved) {
      await store.log.append('inputs', { partition: 0, scope: 's', values: [{}] });
      accepted += 1;
    }
    assert.ok(accepted > 3, `${accepted} were accepted meanwhile`);
    await saved;
    await store.close();
  }));

test('G4: the state rests between two commits, not before the first, not with much to write, and not at its end', () =>
  inFolder(async (path) => {
    const restMs = 2_000;
    const store = await sqliteStore({ path, partitions: 1, limits: { ...sqliteLimits, stateRestMs: restMs } });
    const took = async (work: Promise<unknown>): Promise<number> => {
      const began = performance.now();
      await work;
      return performance.now() - began;
    };
    await store.cursors.save('c', 0, 1);
    const rested = await took(Promise.all([store.cursors.save('c', 0, 2), store.cursors.save('c', 0, 3)]));
    assert.ok(rested > restMs * 0.7, `${rested} ms`);
    const rows = Array.from({ length: 1_100 }, (_, n) => ({ scope: 's', table: 't', key: `${n}`, doc: {} }));
    const little = store.cursors.save('c', 0, 4);
    const much = await took(store.checkpoints.save(0, { inputs: 0, facts: 0 }, rows));
    await little;
    assert.ok(much < restMs * 0.7, `${much} ms with much to write`);
    const last = store.cursors.save('c', 0, 5);
    const closing = await took(store.close());
    await last;
    assert.ok(closing < restMs * 0.7, `${closing} ms to close`);
  }));
