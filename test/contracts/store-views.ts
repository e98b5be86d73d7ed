// The part of the store contract about the read model and the dead letters; run by store.ts.
import assert from 'node:assert/strict';
import type { DeadLetter } from '../../src/ports/dead-letters.ts';
import type { Store } from '../../src/ports/store.ts';
import type { TimelineEntry, ViewPatch, ViewQuery } from '../../src/ports/views.ts';
import { hostileTexts, type Promised } from './store-fixture.ts';

const patchOf = (id: string, more: Partial<ViewPatch> = {}): ViewPatch => ({ kind: 'alert', id, scope: 's', patch: {}, ...more });

/** Applies patches as the next facts of one cursor. */
function applier(store: Store): (patches: readonly ViewPatch[], entries?: readonly TimelineEntry[]) => Promise<void> {
  let offset = 0;
  return (patches, entries = []) => {
    offset += 1;
    return store.views.apply({ cursor: 'views', partition: 0, offset, patches, entries });
  };
}

/** All ids of a list, page by page. */
async function idsOf(store: Store, query: Omit<ViewQuery, 'limit' | 'after'>, limit: number): Promise<string[]> {
  const ids: string[] = [];
  for (let after: string | undefined; ;) {
    const page = await store.views.list({ ...query, limit, ...(after === undefined ? {} : { after }) });
    ids.push(...page.docs.map(({ id }) => id));
    if (page.next === null) return ids;
    assert.equal(page.docs.length, limit);
    after = page.next;
  }
}

export function viewsContract(promise: Promised): void {
  promise('a patch merges objects, replaces arrays, and null deletes', async ({ store, reopen }) => {
    const apply = applier(store);
    await apply([patchOf('a', { at: 5, state: 'firing', of: 'i1', patch: { n: 1, list: [1, 2], in: { x: 1, y: { z: 1 } }, gone: null } })]);
    await apply([
      patchOf('a', { at: 9, patch: { list: [3], in: { x: null, y: { w: [null] } }, new: { deep: { gone: null } } } }),
      patchOf('a', { state: 'cleared', of: null, patch: { n: { now: 'object' } } }),
    ]);

    const expected = {
      kind: 'alert',
      id: 'a',
      scope: 's',
      at: 5,
      state: 'cleared',
      of: null,
      doc: { n: { now: 'object' }, list: [3], in: { y: { z: 1, w: [null] } }, new: { deep: {} } },
    };
    assert.deepEqual(await store.views.get('alert', 'a'), expected);
    assert.equal(await store.views.get('incident', 'a'), null);
    assert.deepEqual(await (await reopen()).views.get('alert', 'a'), expected);
  });

  promise('hostile ids and keys stay apart and come back as they were', async ({ store, reopen }) => {
    const apply = applier(store);
    for (const text of hostileTexts) {
      await apply([patchOf(text, { scope: text, state: text, of: text, patch: { [text]: { [text]: text, gone: 1 } } })]);
      await apply([patchOf(text, { scope: text, patch: { [text]: { gone: null, more: text } } })]);
    }
    const held = await reopen();

    for (const text of hostileTexts) {
      const expected = { [text]: { [text]: text, more: text } };
      const doc = await held.views.get('alert', text);
      assert.deepEqual(doc, { kind: 'alert', id: text, scope: text, at: 0, state: text, of: text, doc: expected });
      assert.deepEqual(await held.views.list({ kind: 'alert', of: text, states: [text], limit: 9 }), { docs: [doc], next: null });
    }
    assert.deepEqual(await held.views.count('alert'), Object.fromEntries(hostileTexts.map((text) => [text, 1])));
  });

  promise('keys that differ only in an escape are different keys', async ({ store }) => {
    const apply = applier(store);
    await apply([patchOf('a', { patch: { '\0': 1, '': 2, '"': 3 } })]);
    await apply([patchOf('a', { patch: { '': { z: 1 }, '"': null } })]);

    assert.deepEqual((await store.views.get('alert', 'a'))?.doc, { '\0': 1, '': { z: 1 } });
  });

  promise('a repeat changes nothing; a cursor set back lets the facts be told again', async ({ store }) => {
    const tell = (offset: number, n: number): Promise<void> =>
      store.views.apply({ cursor: 'c', partition: 1, offset, patches: [patchOf('a', { patch: { [`n${n}`]: n } })], entries: [] });
    await tell(3, 1);
    await tell(3, 2);
    await tell(2, 3);
    assert.deepEqual((await store.views.get('alert', 'a'))?.doc, { n1: 1 });
    assert.deepEqual([await store.cursors.load('c', 1), await store.cursors.load('c', 0)], [3, 0]);

    await store.cursors.save('c', 1, 0);
    await tell(2, 4);
    assert.deepEqual((await store.views.get('alert', 'a'))?.doc, { n1: 1, n4: 4 });
    assert.equal(await store.cursors.load('c', 1), 2);
  });

  promise('a list is newest first, and pages neither double nor skip what has one time', async ({ store }) => {
    const apply = applier(store);
    for (let n = 0; n < 23; n += 1) {
      const state = ['firing', 'cleared', 'acknowledged'][n % 3] ?? '';
      await apply([patchOf(`n${n}`, { at: 100 + Math.floor(n / 6), state, of: n % 2 === 0 ? 'even' : null })]);
    }
    await apply([{ kind: 'run', id: 'other', scope: 's', at: 105, patch: {} }]);
    const all = Array.from({ length: 23 }, (_, index) => `n${22 - index}`);
    const numbered = (keep: (n: number) => boolean): string[] => all.filter((id) => keep(Number(id.slice(1))));

    for (const limit of [1, 2, 3, 5, 22, 23, 24]) {
      assert.deepEqual(await idsOf(store, { kind: 'alert' }, limit), all);
      assert.deepEqual(
        await idsOf(store, { kind: 'alert', states: ['firing', 'cleared', 'firing'] }, limit),
        numbered((n) => n % 3 < 2),
      );
      assert.deepEqual(
        await idsOf(store, { kind: 'alert', of: 'even' }, limit),
        numbered((n) => n % 2 === 0),
      );
      const both = numbered((n) => n % 2 === 0 && n % 3 === 0);
      assert.deepEqual(await idsOf(store, { kind: 'alert', of: 'even', states: ['firing'] }, limit), both);
    }
    assert.deepEqual(await idsOf(store, { kind: 'alert', states: [] }, 5), []);
    assert.deepEqual(await store.views.count('alert'), { firing: 8, cleared: 8, acknowledged: 7 });
    await assert.rejects(store.views.list({ kind: 'alert', limit: 1, after: 'x_y' }), { code: 'invalid_request' });
  });

  promise('text is found anywhere, in any case, and taken literally', async ({ store }) => {
    const apply = applier(store);
    const docs = ['Disk FULL on db1', '100%', '100 of 100', 'a_b', 'aXb', 'say "hi"', 'path\\to', "it's", 'Größe', 'line\nbreak'];
    for (const text of docs) await apply([patchOf(text, { patch: { nested: [{ text }] } })]);
    const find = (text: string): Promise<string[]> => idsOf(store, { kind: 'alert', text }, 2);

    assert.deepEqual(await find('full ON'), ['Disk FULL on db1']);
    assert.deepEqual(await find('100%'), ['100%']);
    assert.deepEqual(await find('A_B'), ['a_b']);
    assert.deepEqual(await find('"HI"'), ['say "hi"']);
    assert.deepEqual(await find('\\t'), ['path\\to']);
    assert.deepEqual(await find("it's"), ["it's"]);
    assert.deepEqual(await find('röße'), ['Größe']);
    assert.deepEqual(await find('line\nb'), ['line\nbreak']);
    assert.deepEqual(await find('nowhere'), []);
    assert.equal((await find('')).length, docs.length);
  });

  promise('an entry is told once, in order, page by page', async ({ store, reopen }) => {
    const entry = (seq: number, text: string, incident = 'i'): TimelineEntry => {
      return { incident, scope: 's', seq, at: 10 + seq, type: 'T\ud800', text, detail: { __proto__: null, n: [seq] } };
    };
    const apply = applier(store);
    await apply([], [entry(7, 'seven'), entry(2, 'two'), entry(2, 'other', 'j')]);
    await apply([], [entry(2, 'two again'), entry(3, 'three'), entry(11, 'eleven')]);
    const held = await reopen();

    const texts = async (after: number, limit: number): Promise<string[]> =>
      (await held.views.timeline('i', after, limit)).map(({ text }) => text);
    assert.deepEqual(await texts(-1, 99), ['two', 'three', 'seven', 'eleven']);
    assert.deepEqual(await texts(-1, 2), ['two', 'three']);
    assert.deepEqual(await texts(3, 2), ['seven', 'eleven']);
    assert.deepEqual(await held.views.timeline('i', 2, 1), [{ ...entry(3, 'three'), detail: { n: [3] } }]);
    assert.deepEqual(await held.views.timeline('nobody', -1, 9), []);
  });

  promise('pruning forgets old documents in a final state, an incident with its story', async ({ store }, clock) => {
    const apply = applier(store);
    const entry = { incident: 'old', scope: 's', seq: 1, at: 1, type: 'T', text: 'x', detail: {} };
    const incident = (id: string, state: string): ViewPatch => patchOf(id, { kind: 'incident', state });
    clock.at = 100;
    await apply([incident('old', 'resolved'), incident('open', 'open'), incident('moved', 'resolved')], [entry]);
    await apply(Array.from({ length: 300 }, (_, n) => patchOf(`n${n}`, { state: 'cleared' })));
    clock.at = 200;
    await apply([patchOf('moved', { kind: 'incident', patch: { n: 1 } }), patchOf('late', { state: 'cleared' })]);

    assert.equal(await store.views.prune(200, 2), 2);
    assert.equal(await store.views.prune(200, 1_000), 299);
    assert.equal(await store.views.prune(200, 1_000), 0);
    assert.deepEqual(await idsOf(store, { kind: 'incident' }, 9), ['moved', 'open']);
    assert.deepEqual(await idsOf(store, { kind: 'alert' }, 9), ['late']);
    assert.deepEqual(await store.views.timeline('old', -1, 9), []);
  });

  lettersContract(promise);
}

function lettersContract(promise: Promised): void {
  const letter = (id: string, more: Partial<DeadLetter> = {}): DeadLetter => {
    const headers = { 'content-type': 'text/plain', ['__proto__']: 'x' };
    const reason = { reason: 'not_json', message: 'expected an object, got "x"' };
    return { id, at: 5, endpoint: 'e', source: 'v', ...reason, headers, body: '\0\ud800"', path: '/', state: 'waiting', ...more };
  };
  const idsIn = async (store: Store): Promise<string[]> => (await store.deadLetters.list({ limit: 99 })).letters.map(({ id }) => id);

  promise('dead letters come back as they were, newest first, in pages', async ({ store, reopen }) => {
    for (const id of ['a', 'b', '\ud800', '\ud801']) await store.deadLetters.add(letter(id));
    await store.deadLetters.add(letter('a', { body: 'another' }));
    await store.deadLetters.mark('b', 'replayed');
    await store.deadLetters.mark('gone', 'discarded');
    const { deadLetters } = await reopen();

    assert.deepEqual(await deadLetters.get('\ud800'), letter('\ud800'));
    assert.deepEqual(await deadLetters.get('a'), letter('a'));
    assert.equal(await deadLetters.get('gone'), null);
    const first = await deadLetters.list({ limit: 2 });
    assert.deepEqual(first.letters, [letter('\ud801'), letter('\ud800')]);
    const second = await deadLetters.list({ limit: 2, after: first.next ?? '' });
    assert.deepEqual(second, { letters: [letter('b', { state: 'replayed' }), letter('a')], next: null });
    assert.equal(await deadLetters.count(), 4);
    await assert.rejects(deadLetters.list({ limit: 1, after: 'x' }), { code: 'invalid_request' });
  });

  promise('dead letters of some endpoints are listed in pages and counted without the others', async ({ store }) => {
    for (const [place, endpoint] of ['e1', 'e2', 'e1', 'e3', 'e1'].entries()) await store.deadLetters.add(letter(`n${place}`, { endpoint }));
    const { deadLetters } = store;
    const first = await deadLetters.list({ limit: 2, endpoints: ['e1', 'e2'] });
    const second = await deadLetters.list({ limit: 2, endpoints: ['e1', 'e2'], after: first.next ?? '' });
    const ids = [first, second].map(({ letters }) => letters.map(({ id }) => id));
    assert.deepEqual([ids, second.next], [[['n4', 'n2'], ['n1', 'n0']], null]);
    assert.deepEqual([await deadLetters.count(['e1']), await deadLetters.count(['e9']), await deadLetters.count([])], [3, 0, 0]);
    assert.deepEqual((await deadLetters.list({ limit: 9, endpoints: [] })).letters, []);
  });

  promise('dead letters are bounded in count and bytes: the oldest go, the newest stays', async ({ store, reopen }) => {
    for (let n = 0; n < 9; n += 1) await store.deadLetters.add(letter(`n${n}`));
    assert.deepEqual(await idsIn(store), ['n8', 'n7', 'n6', 'n5', 'n4']);

    const later = await reopen();
    await later.deadLetters.add(letter('big', { body: 'x'.repeat(3_000) }));
    const left = await idsIn(later);
    assert.equal(left[0], 'big');
    assert.ok(left.length >= 2 && left.length < 5, `left ${left.join()}`);
    await later.deadLetters.add(letter('huge', { body: 'x'.repeat(9_000) }));
    assert.deepEqual(await idsIn(later), ['huge']);
    await later.deadLetters.add(letter('after'));
    assert.deepEqual(await idsIn(later), ['after']);
  });
}
