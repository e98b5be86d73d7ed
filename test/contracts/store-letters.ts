// The part of the store contract about dead letters.
import assert from 'node:assert/strict';
import type { DeadLetter } from '../../src/ports/dead-letters.ts';
import type { Store } from '../../src/ports/store.ts';
import type { Promised } from './store-fixture.ts';

export function lettersContract(promise: Promised): void {
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
    for (const [place, endpoint] of ['e1', 'e2', 'e1', 'e3', 'e1'].entries())
      await store.deadLetters.add(letter(`n${place}`, { endpoint }));
    const { deadLetters } = store;
    const first = await deadLetters.list({ limit: 2, endpoints: ['e1', 'e2'] });
    const second = await deadLetters.list({ limit: 2, endpoints: ['e1', 'e2'], after: first.next ?? '' });
    const ids = [first, second].map(({ letters }) => letters.map(({ id }) => id));
    assert.deepEqual(
      [ids, second.next],
      [
        [
          ['n4', 'n2'],
          ['n1', 'n0'],
        ],
        null,
      ],
    );
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

/** F11, on a store with room: a page of large letters ends early, and all of them are found over the pages. */
export async function expectShortPages({ deadLetters }: Pick<Store, 'deadLetters'>): Promise<void> {
  const more = { at: 5, endpoint: 'e', source: 'v', reason: 'not_json', message: '', headers: {}, path: '/', state: 'waiting' } as const;
  for (const place of [0, 1, 2, 3, 4]) await deadLetters.add({ ...more, id: `large${place}`, body: 'x'.repeat(900_000) });
  await deadLetters.add({ ...more, id: 'huge', body: 'x'.repeat(2_500_000) });
  const found: (readonly string[])[] = [];
  let after: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof deadLetters.list>> = await deadLetters.list({ limit: 50, ...(after === null ? {} : { after }) });
    found.push(page.letters.map(({ id }) => id));
    after = page.next;
  } while (after !== null);
  assert.deepEqual(found, [['huge'], ['large4', 'large3'], ['large2', 'large1'], ['large0']]);
}
