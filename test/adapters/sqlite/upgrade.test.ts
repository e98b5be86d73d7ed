// A store of version 0.1.0 under this version: nothing of it is lost, and what it had left out is there.
import { Ajv2020 } from 'ajv/dist/2020.js';
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
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

async function onOldStore(run: (open: () => Promise<Store>, old: readonly Old[], path: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'quench-upgrade-'));
  const path = join(folder, 'store.db');
  const opened: Store[] = [];
  try {
    const db = new DatabaseSync(path);
    db.exec(readFileSync(new URL('store-0.1.0.sql', import.meta.url), 'utf8'));
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
