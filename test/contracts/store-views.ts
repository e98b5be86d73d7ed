// The part of the store contract about the read model's documents and lines. Lists are store-lists.ts.
import assert from 'node:assert/strict';
import type { Store } from '../../src/ports/store.ts';
import { blank } from '../../src/readmodel/blank.ts';
import type { DocumentPatch, PatchOf } from '../../src/readmodel/patch.ts';
import type { TimelineEntry } from '../../src/readmodel/timeline.ts';
import { hostileTexts, type Promised } from './store-fixture.ts';
import { lettersContract } from './store-letters.ts';
import { listsContract } from './store-lists.ts';

type AlertSet = PatchOf<'alert'>['set'];

function alertPatch(id: string, set: AlertSet = {}, at = 5): PatchOf<'alert'> {
  return { kind: 'alert', id, scope: 's', at, begins: true, set };
}

function incidentPatch(id: string, set: PatchOf<'incident'>['set'] = {}): PatchOf<'incident'> {
  return { kind: 'incident', id, scope: 's', at: 5, begins: true, set };
}

/** Applies patches as the next facts of one cursor. */
function applier(store: Store): (patches: readonly DocumentPatch[], entries?: readonly TimelineEntry[]) => Promise<void> {
  let offset = 0;
  return (patches, entries = []) => {
    offset += 1;
    return store.views.apply({ cursor: 'views', partition: 0, offset, patches, entries });
  };
}

export function viewsContract(promise: Promised): void {
  promise('a patch sets members, null included; a document begins with every member there is', async ({ store, reopen }) => {
    const apply = applier(store);
    await apply([alertPatch('a', { summary: 'one', entity: { host: 'db1' }, incident: 'i1' })]);
    await apply([
      alertPatch('a', { entity: { service: 'web' }, links: [{ text: 'x', href: 'http://x' }] }, 9),
      { kind: 'alert', id: 'a', scope: 's', at: 10, set: { incident: null, state: 'cleared' } },
    ]);

    const expected = {
      ...blank.alert({ id: 'a', scope: 's', at: 5 }),
      summary: 'one',
      entity: { service: 'web' },
      links: [{ text: 'x', href: 'http://x' }],
      state: 'cleared',
    };
    assert.deepEqual(await store.views.get('alert', 'a', 'all'), expected);
    assert.equal(await store.views.get('incident', 'a', 'all'), null);
    assert.deepEqual(await (await reopen()).views.get('alert', 'a', ['s']), expected);
  });

  promise('maps take entries by key, sets take words once', async ({ store }) => {
    const apply = applier(store);
    const done = { outcome: 'ok', tookMs: 5 } as const;
    const run = { kind: 'run', id: 'r', scope: 's', at: 1 } as const;
    await apply([{ ...run, begins: true, set: {}, put: { steps: { a: { ...done, tookMs: 1 }, ['__proto__']: done } } }]);
    await apply([{ ...run, set: { call: 'b' }, put: { steps: { a: done } } }]);
    const incident = incidentPatch('i');
    for (const sources of [['x'], ['y', 'x'], []]) await apply([{ ...incident, add: { sources } }]);

    assert.deepEqual(
      (await store.views.get('run', 'r', 'all'))?.steps,
      JSON.parse(`{"a":${JSON.stringify(done)},"__proto__":${JSON.stringify(done)}}`),
    );
    assert.deepEqual((await store.views.get('incident', 'i', 'all'))?.sources, ['x', 'y']);
  });

  promise('a patch that begins nothing is dropped where there is nothing', async ({ store }) => {
    const apply = applier(store);
    await apply([{ kind: 'alert', id: 'gone', scope: 's', at: 1, set: { count: 7 } }]);

    assert.equal(await store.views.get('alert', 'gone', 'all'), null);
    assert.deepEqual(await store.views.count('alert', 'all'), { firing: 0, cleared: 0 });
  });

  promise('hostile ids, scopes and words stay apart and come back as they were', async ({ store, reopen }) => {
    const apply = applier(store);
    for (const text of hostileTexts) {
      const labels = { [text]: text, also: text };
      await apply([{ ...alertPatch(text, { source: text, incident: text, labels, entity: { host: text } }), scope: text }]);
    }
    const held = await reopen();

    for (const text of hostileTexts) {
      const doc = await held.views.get('alert', text, [text]);
      assert.deepEqual([doc?.id, doc?.scope, doc?.source, doc?.incident], [text, text, text, text]);
      assert.deepEqual(
        Object.entries(doc?.labels ?? {}).sort(),
        [
          ['also', text],
          [text, text],
        ].sort(),
      );
      const labels = { matchers: [{ name: 'also', op: '=', value: text } as const], pattern: () => false };
      const question = { kind: 'alert', scopes: [text], sources: [text], incident: text, limit: 9 } as const;
      for (const asked of [question, { ...question, labels }]) {
        assert.deepEqual(await held.views.list(asked), { items: [doc], next: null });
      }
    }
    assert.deepEqual(await held.views.count('alert', 'all'), { firing: hostileTexts.length, cleared: 0 });
    assert.deepEqual(await held.views.count('alert', ['A', 'a']), { firing: 2, cleared: 0 });
  });

  promise('a repeat changes nothing; a cursor set back lets the facts be told again', async ({ store }) => {
    const tell = (offset: number, set: AlertSet): Promise<void> =>
      store.views.apply({ cursor: 'c', partition: 1, offset, patches: [alertPatch('a', set)], entries: [] });
    const shown = async (): Promise<unknown> => {
      const { name, summary } = (await store.views.get('alert', 'a', 'all')) ?? {};
      return [name, summary];
    };
    await tell(3, { name: 'n' });
    await tell(3, { summary: 's' });
    await tell(2, { summary: 's' });
    assert.deepEqual(await shown(), ['n', '']);
    assert.deepEqual([await store.cursors.load('c', 1), await store.cursors.load('c', 0)], [3, 0]);

    await store.cursors.save('c', 1, 0);
    await tell(2, { summary: 's' });
    assert.deepEqual(await shown(), ['n', 's']);
    assert.equal(await store.cursors.load('c', 1), 2);
  });

  promise('what lies outside the scopes is as if it were not there', async ({ store }) => {
    const apply = applier(store);
    const line = { incident: 'i', seq: 1, at: 1, type: 'T', text: 'x', detail: {} };
    await apply(
      [
        { ...incidentPatch('i'), scope: 'mine' },
        { ...incidentPatch('j'), scope: 'theirs' },
      ],
      [
        { ...line, scope: 'mine' },
        { ...line, seq: 2, scope: 'theirs' },
      ],
    );

    for (const [scopes, ids, seqs] of [
      ['all', ['j', 'i'], [1, 2]],
      [['mine'], ['i'], [1]],
      [
        ['mine', 'theirs'],
        ['j', 'i'],
        [1, 2],
      ],
      [['neither'], [], []],
      [[], [], []],
    ] as const) {
      const { items } = await store.views.list({ kind: 'incident', scopes, limit: 9 });
      assert.deepEqual(
        items.map(({ id }) => id),
        ids,
      );
      assert.deepEqual((await store.views.count('incident', scopes)).open, ids.length);
      assert.equal((await store.views.get('incident', 'j', scopes))?.id ?? null, (ids as readonly string[]).includes('j') ? 'j' : null);
      const story = await store.views.timeline({ incident: 'i', scopes, after: -1, limit: 9 });
      assert.deepEqual(
        story.map(({ seq }) => seq),
        seqs,
      );
    }
  });

  promise('children are counted whatever came first, and as they come and go', async ({ store }, clock) => {
    const apply = applier(store);
    const children = async (id: string): Promise<number | undefined> => (await store.views.get('incident', id, 'all'))?.children;
    await apply([incidentPatch('a', { parent: 'storm' })]);
    await apply([incidentPatch('storm', { storm: true }), incidentPatch('b', { parent: 'storm' }), incidentPatch('c')]);
    await apply([incidentPatch('c', { parent: 'storm' }), incidentPatch('c', { parent: 'storm' })]);
    assert.equal(await children('storm'), 3);

    await apply([incidentPatch('b', { parent: 'other' }), incidentPatch('other')]);
    assert.deepEqual([await children('storm'), await children('other')], [2, 1]);
    clock.at = 5_000;
    await apply([incidentPatch('a', { state: 'resolved' })]);
    assert.equal(await store.views.prune(6_000, 9), 1);
    assert.equal(await children('storm'), 1);
  });

  promise('an entry is told once, in order, page by page', async ({ store, reopen }) => {
    const entry = (seq: number, text: string, incident = 'i'): TimelineEntry => {
      return { incident, scope: 's', seq, at: 10 + seq, type: 'T\ud800', text, detail: { __proto__: null, n: [seq] } };
    };
    const apply = applier(store);
    await apply([], [entry(7, 'seven'), entry(2, 'two'), entry(2, 'other', 'j')]);
    await apply([], [entry(2, 'two again'), entry(3, 'three'), entry(11, 'eleven')]);
    const held = await reopen();

    const story = (after: number, limit: number, incident = 'i') => held.views.timeline({ incident, scopes: 'all', after, limit });
    const texts = async (after: number, limit: number): Promise<string[]> => (await story(after, limit)).map(({ text }) => text);
    assert.deepEqual(await texts(-1, 99), ['two', 'three', 'seven', 'eleven']);
    assert.deepEqual(await texts(-1, 2), ['two', 'three']);
    assert.deepEqual(await texts(3, 2), ['seven', 'eleven']);
    assert.deepEqual(await story(2, 1), [{ ...entry(3, 'three'), detail: { n: [3] } }]);
    assert.deepEqual(await story(-1, 9, 'nobody'), []);
  });

  promise('pruning forgets old documents in a final state, an incident with its story', async ({ store }, clock) => {
    const apply = applier(store);
    const entry = { incident: 'old', scope: 's', seq: 1, at: 1, type: 'T', text: 'x', detail: {} };
    const idsOf = async (kind: 'alert' | 'incident'): Promise<string[]> =>
      (await store.views.list({ kind, scopes: 'all', sort: 'newest', limit: 9 })).items.map(({ id }) => id);
    clock.at = 100;
    await apply(
      [incidentPatch('old', { state: 'resolved' }), incidentPatch('open'), incidentPatch('moved', { state: 'resolved' })],
      [entry],
    );
    await apply(Array.from({ length: 300 }, (_, n) => alertPatch(`n${n}`, { state: 'cleared', source: 'x', labels: { a: 'b' } })));
    clock.at = 200;
    await apply([incidentPatch('moved', { title: 't' }), alertPatch('late', { state: 'cleared', source: 'x' })]);

    assert.equal(await store.views.prune(200, 2), 2);
    assert.equal(await store.views.prune(200, 1_000), 299);
    assert.equal(await store.views.prune(200, 1_000), 0);
    assert.deepEqual(await idsOf('incident'), ['moved', 'open']);
    assert.deepEqual(await idsOf('alert'), ['late']);
    const found = await store.views.list({ kind: 'alert', scopes: 'all', sources: ['x'], limit: 9 });
    assert.deepEqual(
      found.items.map(({ id }) => id),
      ['late'],
    );
    assert.deepEqual(await store.views.count('alert', 'all'), { firing: 0, cleared: 1 });
    assert.deepEqual(await store.views.timeline({ incident: 'old', scopes: 'all', after: -1, limit: 9 }), []);
  });

  listsContract(promise);
  lettersContract(promise);
}
