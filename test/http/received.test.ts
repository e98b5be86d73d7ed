// Who sees deliveries as they were received, and how far a caller of few scopes looks into the log at once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryDisk } from '../../adapters/memory/disk.ts';
import { memoryLimits, memoryStore } from '../../adapters/memory/store.ts';
import { logRoutes } from '../../src/http/api/log.ts';
import { endpointsSeen, rawOf, seesEndpoint } from '../../src/http/api/received.ts';
import type { LogPageAnswer } from '../../src/readmodel/answers.ts';
import { wallClock } from '../support/wallclock.ts';

const tenantScopes = new Map([
  ['hook', 'acme'],
  ['other', 'bolt'],
]);
const open = () => memoryStore({ disk: memoryDisk(), partitions: 1, clock: wallClock, limits: memoryLimits });

test('D1, D2: a delivery is its tenant’s; what came by an endpoint that is gone is for callers of every scope', () => {
  const seen = (endpoint: string): readonly boolean[] =>
    (['all', ['acme'], ['acme;team=db'], []] as const).map((scopes) => seesEndpoint({ tenantScopes }, endpoint, scopes));
  assert.deepEqual(seen('hook'), [true, true, false, false]);
  assert.deepEqual(seen('other'), [true, false, false, false]);
  assert.deepEqual(seen('gone'), [true, false, false, false]);
  assert.deepEqual(
    (['all', ['bolt', 'acme'], ['x']] as const).map((scopes) => endpointsSeen({ tenantScopes }, scopes).endpoints),
    [undefined, ['hook', 'other'], []],
  );
});

test('D1: the body behind an input is given for that very input, by what its endpoint is', async () => {
  const store = open();
  for (const endpoint of ['hook', 'other', 'gone'])
    await store.log.append('inputs', { partition: 0, scope: 's', values: [{ type: 'AlertSeen', at: 1, endpoint }], raw: `of ${endpoint}` });
  await store.log.append('inputs', { partition: 0, scope: 's', values: [{ type: 'Woke', at: 1 }], raw: 'of nobody' });
  const seen = (scopes: 'all' | readonly string[]): Promise<readonly (string | null)[]> =>
    Promise.all(
      ['0:0', '0:1', '0:2', '0:3', '0:9', '1:0', 'x'].map((input) => rawOf({ store, tenantScopes }, input, scopes).catch(() => null)),
    );
  assert.deepEqual(await seen('all'), ['of hook', 'of other', 'of gone', 'of nobody', null, null, null]);
  assert.deepEqual(await seen(['acme']), ['of hook', null, null, null, null, null, null]);
  await store.log.trim('inputs', 0, 2);
  assert.deepEqual(
    await seen(['acme']),
    [null, null, null, null, null, null, null],
    'another record does not stand in for one that is gone',
  );
  await store.close();
});

test('O1: a page looks at a bounded number of records, says where to go on, and leaves none of the caller’s out', async () => {
  const store = open();
  const add = (scope: string, count: number): Promise<number> =>
    store.log.append('inputs', { partition: 0, scope, values: Array.from({ length: count }, () => ({ type: 'Woke', at: 1 })) });
  for (const count of [3_000, 3_000]) await add('theirs', count);
  await add('mine', 3);
  await add('*', 1);
  const [, route] = logRoutes({ store, tenantScopes, logStatus: { instance: '', roles: [], kind: '', role: () => assert.fail() } });
  assert.ok(route?.kind === 'json');
  const offsets: number[] = [];
  let from = 0;
  let pages = 0;
  for (; pages < 20; pages += 1) {
    const call = {
      params: { topic: 'inputs', partition: '0' },
      query: { from, limit: 2, raw: false },
      body: null,
      actor: 'ann',
      isAdmitted: () => true,
      scopes: ['mine'],
    };
    const { body } = await route.handle(call);
    const { records, next, end } = body as LogPageAnswer; // the route's answer
    offsets.push(...records.map(({ offset }) => offset));
    if (next >= end) break;
    assert.ok(next > from && next - from <= 5_000, `${from} to ${next}`);
    from = next;
  }
  assert.deepEqual([offsets, pages], [[6_000, 6_001, 6_002], 2]);
  await store.close();
});
