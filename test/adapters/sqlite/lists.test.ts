// What the file does that no small contract shows: bounded pages, rare words at once, many scopes.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { sqliteLimits, sqliteStore } from '../../../adapters/sqlite/store.ts';
import type { Store } from '../../../src/ports/store.ts';
import type { DocumentPatch } from '../../../src/readmodel/patch.ts';
import { listed } from '../../contracts/store-lists.ts';

const many = 5_000;

async function withMany(run: (store: Store) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'quench-lists-'));
  const store = await sqliteStore({ path: join(folder, 'store.db'), partitions: 1, limits: sqliteLimits });
  try {
    const patches = Array.from({ length: many }, (_, n): DocumentPatch => {
      const labels = { half: `${n % 2}`, each: `${n}` };
      const set = { state: n === 0 ? 'cleared' : 'firing', summary: n === 0 ? 'the needle' : 'hay', source: 'x', labels } as const;
      return { kind: 'alert', id: `n${n}`, scope: `s${n % 20}`, at: n, begins: true, set };
    });
    await store.views.apply({ cursor: 'c', partition: 0, offset: 1, patches, entries: [] });
    await run(store);
  } finally {
    await store.close();
    rmSync(folder, { recursive: true });
  }
}

test('Q2: a page that met its bound is short and says where to go on; all pages together are the list', () =>
  withMany(async (store) => {
    const asked = { kind: 'alert', scopes: 'all', text: 'THE NEEDLE', limit: 10 } as const;
    const first = await store.views.list(asked);
    assert.deepEqual(first.items, []);
    assert.notEqual(first.next, null);
    assert.deepEqual(
      (await listed(store, asked)).map(({ id }) => id),
      ['n0'],
    );
  }));

test('Q3: a rare word is found on the first page, however much there is of all else', () =>
  withMany(async (store) => {
    const labels = { matchers: [{ name: 'each', op: '=', value: '3' } as const], pattern: () => false };
    const { items, next } = await store.views.list({ kind: 'alert', scopes: 'all', sources: ['x'], labels, limit: 10 });
    assert.deepEqual([items.map(({ id }) => id), next], [['n3'], null]);
    const none = { ...labels, matchers: [...labels.matchers, { name: 'half', op: '=', value: '0' } as const] };
    assert.deepEqual(await store.views.list({ kind: 'alert', scopes: 'all', labels: none, limit: 10 }), { items: [], next: null });
  }));

test('frequent words, many scopes: pages together are what a look at every document finds', () =>
  withMany(async (store) => {
    const scopes = Array.from({ length: 12 }, (_, n) => `s${n}`);
    const labels = { matchers: [{ name: 'half', op: '=', value: '1' } as const], pattern: () => false };
    for (const [asked, fits] of [
      [{ scopes }, (n: number) => n % 20 < 12],
      [{ scopes: ['s3', 's4'] }, (n: number) => n % 20 === 3 || n % 20 === 4],
      [{ scopes, labels }, (n: number) => n % 20 < 12 && n % 2 === 1],
      [{ scopes: ['s3'], labels, states: ['firing'] as const }, (n: number) => n % 20 === 3],
    ] as const) {
      const found = await listed(store, { ...asked, kind: 'alert', limit: 200 });
      const expected = Array.from({ length: many }, (_, n) => many - 1 - n).filter(fits);
      assert.deepEqual(
        found.map(({ id }) => id),
        expected.map((n) => `n${n}`),
      );
    }
  }));
