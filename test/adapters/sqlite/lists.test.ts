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

async function withStore(run: (store: Store) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'quench-lists-'));
  const store = await sqliteStore({ path: join(folder, 'store.db'), partitions: 1, limits: sqliteLimits });
  try {
    await run(store);
  } finally {
    await store.close();
    rmSync(folder, { recursive: true });
  }
}

async function withMany(run: (store: Store) => Promise<void>): Promise<void> {
  await withStore(async (store) => {
    const patches = Array.from({ length: many }, (_, n): DocumentPatch => {
      const labels = { half: `${n % 2}`, each: `${n}` };
      const set = { state: n === 0 ? 'cleared' : 'firing', summary: n === 0 ? 'the needle' : 'hay', source: 'x', labels } as const;
      return { kind: 'alert', id: `n${n}`, scope: `s${n % 20}`, at: n, begins: true, set };
    });
    await store.views.apply({ cursor: 'c', partition: 0, offset: 1, patches, entries: [] });
    await run(store);
  });
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

// ---------------------------------------------------------------- W4

const nowhere = { items: [], next: null };

test('W4: an incident of another scope has no page to go on from, however much it holds', () =>
  withTwo(async (store) => {
    const asked = { kind: 'alert', scopes: ['ours'], incident: 'i.theirs', limit: 10 } as const;
    assert.deepEqual(await store.views.list(asked), nowhere);
    assert.deepEqual(await store.views.list({ ...asked, text: 'nothing' }), nowhere);
    assert.deepEqual(await store.views.list({ kind: 'incident', scopes: ['ours'], parent: 'i.theirs', limit: 10 }), nowhere);
    assert.notEqual((await store.views.list({ ...asked, scopes: 'all' })).next, null);
  }));

test('W4: with many scopes, too, a page ends at a document of one of them or at the end', () =>
  withTwo(async (store) => {
    const scopes = ['ours', ...Array.from({ length: 20 }, (_, n) => `empty${n}`)];
    const { items, next } = await store.views.list({ kind: 'alert', scopes, states: ['cleared'], limit: 10 });
    assert.deepEqual([items.map(({ id }) => id), next], [['only'], null]);
  }));

test('W4: how often a word stands in other scopes does not show in a page', () =>
  withTwo(async (store) => {
    const asked = { kind: 'alert', scopes: ['ours'], limit: 10 } as const;
    assert.deepEqual(await store.views.list({ ...asked, sources: ['frequent there'] }), nowhere);
    assert.deepEqual(await store.views.list({ ...asked, sources: ['nowhere'] }), nowhere);
  }));

/** Scope `ours` of 2,500 alerts; scope `theirs` of as many, all of one source and in one incident, which is a storm of as many children. */
async function withTwo(run: (store: Store) => Promise<void>): Promise<void> {
  await withStore(async (store) => {
    const patches = Array.from({ length: 2_500 }, (_, n): readonly DocumentPatch[] => [
      { kind: 'alert', id: `o${n}`, scope: 'ours', at: n, begins: true, set: { source: 'x' } },
      { kind: 'alert', id: `t${n}`, scope: 'theirs', at: n, begins: true, set: { source: 'frequent there', incident: 'i.theirs' } },
      { kind: 'alert', id: `c${n}`, scope: 'theirs', at: n, begins: true, set: { state: 'cleared' } },
      { kind: 'incident', id: `c${n}.theirs`, scope: 'theirs', at: n, begins: true, set: { parent: 'i.theirs' } },
    ]).flat();
    const only: DocumentPatch = { kind: 'alert', id: 'only', scope: 'ours', at: -1, begins: true, set: { state: 'cleared' } };
    await store.views.apply({ cursor: 'c', partition: 0, offset: 1, patches: [...patches, only], entries: [] });
    await run(store);
  });
}

test('W2: what costs much ends the page soon, with the candidate that it was spent on', () =>
  withMany(async (store) => {
    let asked = 0;
    const pattern = (): boolean => {
      asked += 1;
      for (const until = performance.now() + 20; performance.now() < until;);
      return true;
    };
    const labels = { matchers: [{ name: 'each', op: '=~', value: '.*' } as const], pattern };
    const { items, next } = await store.views.list({ kind: 'alert', scopes: 'all', labels, limit: 200 });
    assert.equal(items.length, asked);
    assert.ok(asked >= 1 && asked <= 4, `${asked} of 5,000 were tested, 20 ms each`);
    assert.notEqual(next, null);
  }));
