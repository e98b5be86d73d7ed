// Stores of older schemas under this version: nothing of them is lost, what 0.1.0 had left out is there, and of what was one file two are made.
import { Ajv2020 } from 'ajv/dist/2020.js';
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { stateFileOf } from '../../../adapters/sqlite/paths.ts';
import { schemaVersion } from '../../../adapters/sqlite/schema.ts';
import { sqliteLimits, sqliteStore } from '../../../adapters/sqlite/store.ts';
import type { Store } from '../../../src/ports/store.ts';
import { documentKinds, type DocumentKind } from '../../../src/readmodel/documents.ts';
import { documentSchemas } from '../../../src/readmodel/schemas.ts';

interface Old {
  readonly kind: DocumentKind;
  readonly id: string;
  readonly scope: string;
  readonly state: string;
  readonly parent: string | null;
  readonly doc: string;
}

async function onOldStore(
  run: (open: () => Promise<Store>, old: readonly Old[], path: string) => Promise<void>,
  dump = 'store-0.1.0.sql',
  vacuum: 'INCREMENTAL' | 'NONE' = 'INCREMENTAL',
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'quench-upgrade-'));
  const path = join(folder, 'store.db');
  const opened: Store[] = [];
  try {
    const db = new DatabaseSync(path);
    db.exec(`PRAGMA auto_vacuum = ${vacuum}`);
    db.exec(readFileSync(new URL(dump, import.meta.url), 'utf8'));
    const old = db.prepare('SELECT * FROM views').all() as object[] as Old[];
    db.close();
    const open = async (): Promise<Store> => {
      const store = await sqliteStore({ path, partitions: 1, limits: sqliteLimits });
      opened.push(store);
      return store;
    };
    await run(open, old, path);
  } finally {
    for (const store of opened) await store.close();
    rmSync(folder, { recursive: true });
  }
}

test('every document, line and cursor is there after the upgrade, whole, and after the next start', () =>
  onOldStore(async (open, old) => {
    const ajv = new Ajv2020({ strict: true });
    for (let life = 0; life < 2; life++) {
      const store = await open();
      for (const { kind, id, scope, state, parent, doc } of old) {
        const now: { readonly [member: string]: unknown } = { ...(await store.views.get(kind, id, 'all')) };
        const check = ajv.compile(documentSchemas[kind]);
        assert.ok(check(now), `${kind} ${id}: ${JSON.stringify(check.errors)}`);
        for (const [member, value] of Object.entries(JSON.parse(doc))) assert.deepEqual(now[member], value, `${kind} ${id}: ${member}`);
        assert.deepEqual([now['id'], now['scope']], [id, scope]);
        if (state !== '') assert.equal(now['state'], state);
        if (parent !== null) assert.equal(now['incident'], parent);
      }
      for (const kind of documentKinds) {
        const counts = Object.values(await store.views.count(kind, 'all')).reduce((sum, count) => sum + count, 0);
        assert.equal(counts, old.filter((one) => one.kind === kind).length, kind);
      }
      const { items } = await store.views.list({ kind: 'incident', scopes: 'all', hosts: ['web1'], sources: ['prometheus'], limit: 9 });
      assert.ok(items.length > 0, 'members and sources are known');
      const [first = assert.fail('an incident')] = items;
      const story = await store.views.timeline({ incident: first.id, scopes: [first.scope], after: -1, limit: 99 });
      assert.ok(story.length > 5);
      assert.ok((await store.cursors.load('project', 0)) > 0);
      await store.close();
    }
  }));

test('an upgrade that breaks off leaves the file as it was', () =>
  onOldStore(async (open, old, path) => {
    const broken = new DatabaseSync(path);
    const whole = String(broken.prepare("SELECT doc FROM views WHERE kind = 'page'").get()?.['doc']);
    broken.exec("UPDATE views SET doc = 'not JSON' WHERE kind = 'page'");
    broken.close();
    await assert.rejects(open(), { code: 'store_unavailable' });

    const db = new DatabaseSync(path);
    assert.equal(db.prepare('PRAGMA user_version').get()?.['user_version'], 1);
    assert.equal(db.prepare('SELECT count(*) AS count FROM views').get()?.['count'], old.length);
    db.prepare("UPDATE views SET doc = ? WHERE kind = 'page'").run(whole);
    db.close();
    await (await open()).close();
  }));

const table = (path: string, name: string): readonly unknown[] => {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return db.prepare(`SELECT * FROM ${name}`).all();
  } finally {
    db.close();
  }
};
const moved = ['marks', 'desks', 'cursors', 'views', 'facets', 'places', 'tallies', 'timeline'] as const;
const kept = ['log', 'lows', 'letters', 'bulk'] as const;
const versionOf = (path: string): unknown => {
  const db = new DatabaseSync(path, { readOnly: true });
  const version = db.prepare('PRAGMA user_version').get()?.['user_version'];
  db.close();
  return version;
};

test('schema 2: every row of every table is there after the upgrade, in the file where it belongs, and only there', () =>
  onOldStore(async (open, _old, path) => {
    const before = new Map([...moved, ...kept].map((name) => [name, table(path, name)]));
    for (const name of [...moved, 'log', 'lows', 'letters'] as const) assert.notEqual(before.get(name)?.length, 0, `${name} is tried`);
    const store = await open();
    assert.deepEqual(store.found, [], 'an upgrade is nothing to worry about');
    assert.deepEqual(await store.checkpoints.mark?.(0), { inputs: 20, facts: 150 });
    assert.deepEqual([await store.cursors.load('effects', 0), await store.cursors.load('project', 0)], [140, 150]);
    assert.deepEqual(
      (await store.log.read('facts', 0, 0, 999)).map(({ offset, value }) => [offset, value]),
      Array.from({ length: 120 }, (_, at) => [at + 40, { seq: at + 40 }]),
    );
    assert.equal(await store.log.raw('inputs', 0, 8), 'raw 4');
    assert.equal((await store.deadLetters.get('l2'))?.state, 'discarded');
    assert.equal(await store.log.append('inputs', { partition: 0, scope: 's', values: [{ n: 1 }] }), 24, 'it goes on');
    await store.log.trim('inputs', 0, 0); // gives back the pages that the state had
    await store.close();

    const state = stateFileOf(path);
    assert.deepEqual([versionOf(path), versionOf(state)], [schemaVersion, schemaVersion]);
    for (const name of moved) {
      assert.deepEqual(table(state, name), before.get(name), name);
      assert.throws(() => table(path, name), /no such table/, name);
    }
    for (const name of ['lows', 'letters'] as const) assert.deepEqual(table(path, name), before.get(name), name);
    const appended = { place: 24, count: 1, scope: 's', body: '[{"n":1}]', raw: null };
    assert.deepEqual(
      table(path, 'log').filter((row) => !isDeepStrictEqual({ ...(row as object) }, appended)),
      before.get('log'),
    );
    assert.equal(statSync(state).mode & 0o077, 0);

    const again = await open();
    assert.deepEqual(again.found, []);
    assert.equal((await again.checkpoints.mark?.(0))?.facts, 150);
  }, 'store-2.sql'));

test('schema 2: an upgrade that a crash breaks off, between the two files or within the first, is made again', () =>
  onOldStore(async (open, _old, path) => {
    const state = stateFileOf(path);
    const bytes = readFileSync(path);
    const desks = table(path, 'desks');
    await (await open()).close();
    // The state is whole and under its name, the log is as it was: what a crash between the two leaves behind.
    const left = new DatabaseSync(state);
    left.exec("INSERT INTO store VALUES ('upgrading', 1); DELETE FROM desks");
    left.close();
    for (const tail of ['-wal', '-shm']) rmSync(`${path}${tail}`, { force: true });
    writeFileSync(path, bytes);
    writeFileSync(`${state}.upgrade`, 'a half');
    const store = await open();
    assert.deepEqual(store.found, []);
    await store.close();
    assert.deepEqual(table(state, 'desks'), desks);
    assert.deepEqual(
      readdirSync(join(path, '..')).filter((name) => !/\.owner|-(?:wal|shm)$/.test(name)),
      ['store.db', 'store.state.db'],
    );
  }, 'store-2.sql'));

test('schema 2: an upgrade keeps the state of another log that lies there, under another name', () =>
  onOldStore(async (open, _old, path) => {
    const bytes = readFileSync(path);
    await (await open()).close();
    writeFileSync(path, bytes); // a copy from before the upgrade, put back by hand
    const store = await open();
    assert.deepEqual(await store.checkpoints.mark?.(0), { inputs: 20, facts: 150 });
    const others = readdirSync(join(path, '..')).filter((name) => /^store\.state\.db\.other-.*Z$/.test(name));
    assert.equal(others.length, 1);
  }, 'store-2.sql'));

test('schema 2: an upgrade that fails leaves the one file as it was', () =>
  onOldStore(async (open, _old, path) => {
    const spoiled = new DatabaseSync(path);
    spoiled.exec('ALTER TABLE desks ADD COLUMN more TEXT');
    spoiled.close();
    await assert.rejects(open(), { code: 'store_unavailable' });
    assert.equal(versionOf(path), 2);
    assert.equal(existsSync(stateFileOf(path)), false);
    assert.equal(table(path, 'desks').length, 3);
  }, 'store-2.sql'));

test('a file that gives no free pages back, as one that was made of a dump, is trimmed all the same', () =>
  onOldStore(
    async (open) => {
      const store = await open();
      await store.log.trim('facts', 0, 150);
      assert.equal((await store.log.read('facts', 0, 0, 1))[0]?.offset, 150);
    },
    'store-2.sql',
    'NONE',
  ));
