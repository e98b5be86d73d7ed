// The log over the API: its figures for whoever may read, its records for admins, in pages with two bounds.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import supertest from 'supertest';
import type { LogStatus } from '../../src/http/deps.ts';
import type { SharedRole } from '../../src/ports/shares.ts';
import { front, group, tokens, type Front, type FrontOptions } from './support.ts';

interface Page {
  readonly records: readonly { readonly topic: string; readonly partition: number; readonly offset: number; readonly raw?: string }[];
  readonly next: number;
  readonly end: number;
}

async function serving(
  t: TestContext,
  options: FrontOptions = {},
): Promise<Front & { ask(path: string, role?: keyof typeof tokens): supertest.Test; page(path: string): Promise<Page> }> {
  const made = await front(options);
  const port = await made.http.start(0, '127.0.0.1');
  t.after(() => made.http.stop());
  const to = supertest(`http://127.0.0.1:${port}`);
  const ask = (path: string, role: keyof typeof tokens = 'admin'): supertest.Test =>
    to.get(`/api/v1/log${path}`).set({ authorization: `Bearer ${tokens[role]}` });
  return { ...made, ask, page: async (path) => (await ask(path).expect(200)).body as Page };
}

const inputsOf = (count: number, text = ''): object[] => Array.from({ length: count }, (_, number) => ({ type: 'Woke', at: number, text }));

test('the figures tell where each partition begins and ends, who works on it, and how far each role is behind', async (t) => {
  const logStatus: LogStatus = {
    instance: 'seven',
    roles: ['host', 'effects'],
    kind: 'shared',
    role: async (role: SharedRole) => ({
      here: new Set([0]),
      reached: new Map(
        role === 'host'
          ? [
              [0, 7],
              [1, 4],
            ]
          : [[1, 9]],
      ),
      lags: new Map(role === 'host' ? [[0, 2]] : []),
    }),
    spool: () => ({ records: 3, bytes: 400, oldestMs: 5_000 }),
  };
  const { store, ask } = await serving(t, { logStatus });
  await store.log.append('inputs', { partition: 0, scope: 's', values: inputsOf(10) });
  await store.log.append('inputs', { partition: 1, scope: 's', values: inputsOf(5) });
  await store.log.trim('inputs', 0, 4);

  const { body } = await ask('', 'read').expect(200);
  assert.deepEqual(body, {
    instance: 'seven',
    roles: ['host', 'effects'],
    log: 'shared',
    partitions: [
      {
        partition: 0,
        inputs: { first: 4, end: 10, records: 6 },
        facts: { first: 0, end: 0, records: 0 },
        host: { here: true, at: 7, lag: 2 },
        effects: { here: true, at: null, lag: null },
      },
      {
        partition: 1,
        inputs: { first: 0, end: 5, records: 5 },
        facts: { first: 0, end: 0, records: 0 },
        host: { here: false, at: 4, lag: 1 },
        effects: { here: false, at: 9, lag: 0 },
      },
    ],
    spool: { records: 3, bytes: 400, oldestMs: 5_000 },
  });
});

test('records are for admins only, of a topic and partition that are there', async (t) => {
  const { ask } = await serving(t);
  await ask('/inputs/0', 'operate').expect(403);
  await ask('/inputs/0').expect(200);
  for (const wrong of ['/desks/0', '/inputs/2', '/inputs/-1', '/inputs/x', '/__proto__/0']) await ask(wrong).expect(404);
  for (const wrong of ['/inputs/0?limit=1001', '/inputs/0?limit=0', '/inputs/0?from=-1', '/inputs/0?from=x', '/inputs/0?to=3'])
    await ask(wrong).expect(400);
});

test('O1: following `next` gives every record once, in order, from whatever offset on', async (t) => {
  const { store, page } = await serving(t);
  await store.log.append('facts', { partition: 1, scope: 's', values: inputsOf(2_345) });
  const seen: number[] = [];
  for (let from = 7; ;) {
    const { records, next, end } = await page(`/facts/1?from=${from}&limit=1000`);
    if (records.length === 0) break;
    assert.ok(records.length <= 1_000);
    assert.equal(end, 2_345);
    seen.push(...records.map(({ offset }) => offset));
    from = next;
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 2_338 }, (_, place) => place + 7),
  );
});

test('O1: large records fill a page by their size, and one that is larger than a page still comes', async (t) => {
  const { store, page } = await serving(t);
  for (let number = 0; number < 9; number += 1)
    await store.log.append('inputs', { partition: 0, scope: 's', values: inputsOf(1, 'x'.repeat(number === 8 ? 5_000_000 : 900_000)) });
  const first = await page('/inputs/0?limit=1000');
  assert.deepEqual([first.records.length, first.next, first.end], [4, 4, 9]);
  const huge = await page('/inputs/0?from=8&limit=1000');
  assert.deepEqual([huge.records.length, huge.next], [1, 9]);
});

test('the delivery behind inputs is told on request, once for all of its records', async (t) => {
  const { intake, inputs, page } = await serving(t, { partitions: 1 });
  const bodies = [JSON.stringify(group('One', 'Two')), JSON.stringify(group('Three'))];
  for (const body of bodies) await intake.accept('open', { headers: {}, body, path: '', receivedAt: 0 }, '');
  assert.equal((await inputs()).length, 3);
  const raws = async (query: string): Promise<unknown[]> => (await page(`/inputs/0?${query}`)).records.map(({ raw }) => raw ?? null);
  assert.deepEqual(await raws('raw=true'), [bodies[0], null, bodies[1]]);
  assert.deepEqual(await raws('raw=true&from=1'), [bodies[0], bodies[1]]);
  assert.deepEqual(await raws('limit=10'), [null, null, null]);
});
