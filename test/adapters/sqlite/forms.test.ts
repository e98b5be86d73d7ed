// Facts of two forms in one file: what schema 2 wrote as JSON alone is read as it was, beside what this version writes short.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { schemaVersion } from '../../../adapters/sqlite/schema.ts';
import { sqliteLimits, sqliteStore } from '../../../adapters/sqlite/store.ts';
import type { Store } from '../../../src/ports/store.ts';
import { newAlerts } from '../../support/storm-of-new.ts';

const facts = newAlerts(120).flatMap((one) => one.facts);

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'quench-forms-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'store.db');
}

async function opened(t: TestContext, path: string): Promise<Store> {
  const store = await sqliteStore({ path, partitions: 1, limits: sqliteLimits });
  t.after(() => store.close());
  return store;
}

async function valuesOf({ log }: Store, from = 0, max = 10_000): Promise<readonly unknown[]> {
  return (await log.read('facts', 0, from, max)).map(({ value }) => value);
}

test('C2: a store of schema 2 is read as it is, goes on in the short form, and is then of a schema which readers of schema 2 refuse', async (t) => {
  const path = folderOf(t);
  const db = new DatabaseSync(path);
  db.exec(readFileSync(new URL('store-schema-2.sql', import.meta.url), 'utf8'));
  const before = db
    .prepare('SELECT body FROM log WHERE place > 1e13 ORDER BY place')
    .all()
    .flatMap((row) => JSON.parse(String(row['body'])) as readonly unknown[]);
  db.close();
  assert.equal(before.length, 28);

  const store = await opened(t, path);
  assert.deepEqual(await valuesOf(store), before);
  await store.log.append('facts', { partition: 0, scope: 'default', values: facts });
  assert.deepEqual(await valuesOf(store), [...before, ...facts]);
  await store.close();

  const again = await opened(t, path);
  assert.deepEqual(await valuesOf(again), [...before, ...facts]);
  await again.close();
  const raw = new DatabaseSync(path, { readOnly: true });
  assert.equal(raw.prepare('PRAGMA user_version').get()?.['user_version'], schemaVersion);
  const body = String(raw.prepare('SELECT body FROM log ORDER BY place DESC').get()?.['body']);
  raw.close();
  assert.ok(body.length * 2 < JSON.stringify(facts).length, `${body.length} characters are short`);
});

test('C1: facts are read from the disk from any offset on, also from within what was written in one go', async (t) => {
  const path = folderOf(t);
  const written = await opened(t, path);
  for (let at = 0; at < facts.length; at += 37) {
    await written.log.append('facts', { partition: 0, scope: 'default', values: facts.slice(at, at + 37) });
  }
  await written.close();
  const store = await opened(t, path);
  for (let from = 0; from < facts.length; from += 5) assert.deepEqual(await valuesOf(store, from, 11), facts.slice(from, from + 11));
  await store.close();
});

test('C3: a fact that is damaged on the disk is refused by name, and what stands before it is read', async (t) => {
  const path = folderOf(t);
  const written = await opened(t, path);
  const [first = assert.fail('a fact')] = facts;
  for (const fact of [first, first]) await written.log.append('facts', { partition: 0, scope: 'default', values: [fact] });
  await written.close();
  const db = new DatabaseSync(path);
  const { place, body } = db.prepare('SELECT place, body FROM log ORDER BY place DESC').get() ?? {};
  db.prepare('UPDATE log SET body = ? WHERE place = ?').run(String(body).replace(/^\[\[0,/, '[[77,'), Number(place));
  db.close();
  const store = await opened(t, path);
  assert.deepEqual(await valuesOf(store, 0, 1), [first]);
  await assert.rejects(valuesOf(store, 1), { code: 'log_unavailable', message: /a record was written by a newer quench \(type 77,/ });
  await store.close();
});
