// One silence over several scopes, over HTTP: in which scopes it is made, who may, and what stays whole (G1, G2).
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import supertest from 'supertest';
import type { SilenceSet } from '../../src/core/mute/facts.ts';
import { createHttp } from '../../src/http/server.ts';
import type { HttpDeps } from '../../src/http/deps.ts';
import { wallClock } from '../support/wallclock.ts';
import { front, noon, showing, tokens, type Front } from './support.ts';

const hour = 3_600_000;
const bound = 'token-of-bea';
const body = {
  matchers: [{ name: 'alertname', value: 'Down', isRegex: false }],
  startsAt: new Date(noon).toISOString(),
  endsAt: new Date(noon + hour).toISOString(),
  createdBy: 'ann',
  comment: 'works',
};

interface Serving extends Front {
  call(method: 'get' | 'post' | 'delete', path: string, token: string, sent?: object): supertest.Test;
  sets(): Promise<readonly SilenceSet[]>;
}

/** `scopes` are those of a token that may operate; the clock runs so fast that nobody waits for a list. */
async function serving(t: TestContext, scopes: readonly string[], more: Partial<HttpDeps> = {}): Promise<Serving> {
  let steady = 0;
  const made = await front({ clock: { ...wallClock, now: () => noon, steady: () => (steady += 1_000) } });
  const deps: HttpDeps = {
    ...made.deps,
    ...more,
    tokens: () => [...made.deps.tokens(), { name: 'bea', role: 'operate', secret: bound, scopes }],
  };
  const http = createHttp(deps);
  const port = await http.start(0, '127.0.0.1');
  t.after(() => http.stop());
  return {
    ...made,
    call: (method, path, token, sent) => {
      const asked = supertest(`http://127.0.0.1:${port}`)[method](`/api/v2${path}`).set('authorization', `Bearer ${token}`);
      return sent === undefined ? asked : asked.send(sent);
    },
    sets: async () => (await made.inputs()).map(({ value }) => value as SilenceSet),
  };
}

const document = (id: string, scope: string, endsAt = noon + hour) =>
  ({
    kind: 'silence',
    id,
    scope,
    at: noon - 1,
    begins: true,
    set: {
      matchers: [{ name: 'alertname', op: '=', value: 'Down' }],
      startsAt: noon - 1,
      endsAt,
      by: 'ann',
      comment: 'x',
      updatedAt: noon - 1,
    },
  }) as const;

test('B18: a silence is not made in the name of the gateway', async (t) => {
  const { call, sets } = await serving(t, ['a']);
  const refused = await call('post', '/silences', bound, { ...body, createdBy: 'quench' }).expect(400);
  assert.match(
    refused.text,
    /body\/createdBy: expected a name of your own, .* by which the gateway signs what it does itself: write who makes it/,
  );
  assert.deepEqual(await sets(), []);
});

test('A12: a silence without scope labels is made in every scope of the token, under one id', async (t) => {
  const { call, sets, store } = await serving(t, ['a', 'b;team=db', 'b;team=web']);
  await call('post', '/silences', tokens.read, body).expect(403, '"this needs the role operate"');
  assert.deepEqual(await sets(), []);
  const { silenceID } = (await call('post', '/silences', bound, body).expect(200)).body;
  const made = (await sets()).toSorted((x, y) => (x.scope < y.scope ? -1 : 1));
  assert.deepEqual(
    made.map(({ scope, silence }) => [scope, silence.id.startsWith(`${silenceID}.`), silence.by, silence.endsAt]),
    ['a', 'b;team=db', 'b;team=web'].map((scope) => [scope, true, 'ann via bea', noon + hour]),
  );
  assert.equal(new Set(made.map(({ silence }) => silence.id)).size, 3, 'each is shown for itself under /api/v1');

  await showing(
    store,
    made.map(({ scope, silence }) => document(silence.id, scope)),
  );
  const listed = (await call('get', '/silences', bound).expect(200)).body;
  assert.deepEqual(
    listed.map(({ id }: { readonly id: string }) => id),
    [silenceID],
  );
  await call('delete', `/silence/${silenceID}`, bound).expect(200);
  const ended = (await sets()).filter(({ silence }) => silence.endsAt === noon);
  assert.deepEqual(ended.map(({ silence }) => silence.id).sort(), made.map(({ silence }) => silence.id).sort());
});

test('A12: one that names a scope label is made where it can match alone', async (t) => {
  const { call, sets } = await serving(t, ['b;team=db', 'b;team=web']);
  const team = { name: 'team', value: 'db', isRegex: false };
  await call('post', '/silences', bound, { ...body, matchers: [...body.matchers, team] }).expect(200);
  assert.deepEqual(
    (await sets()).map(({ scope }) => scope),
    ['b;team=db'],
  );
  const none = await call('post', '/silences', bound, { ...body, matchers: [{ ...team, value: 'dev' }] }).expect(400);
  assert.match(none.body, /in no scope of your token/);
});

test('A12: G2: a token that sees every scope must say which, where scopes come with alerts', async (t) => {
  const { call, sets } = await serving(t, ['a']);
  const refused = await call('post', '/silences', tokens.operate, body).expect(400);
  assert.match(refused.body, /endpoint teams keeps alerts apart by team: say which are meant with a matcher like team="…"/);
  const named = { ...body, matchers: [...body.matchers, { name: 'team', value: 'a b', isRegex: false }] };
  await call('post', '/silences', tokens.operate, named).expect(200);
  assert.deepEqual((await sets()).map(({ scope }) => scope).sort(), ['default', 'default;team=a%20b']);
});

test('A12: what belongs to other scopes is not there, and is left as it is', async (t) => {
  const { call, sets, store } = await serving(t, ['a']);
  await showing(store, [document('s1.11', 'a'), document('s1.22', 'b'), document('s2', 'b')]);
  await call('get', '/silence/s2', bound).expect(404, '"silence s2 not found"');
  await call('delete', '/silence/s2', bound).expect(404);
  await call('post', '/silences', bound, { ...body, id: 's2' }).expect(404);
  await call('delete', '/silence/s1', bound).expect(200);
  assert.deepEqual(
    (await sets()).map(({ scope, silence }) => [scope, silence.id]),
    [['a', 's1.11']],
  );
});

test('A12: G1: a silence that one scope refuses is made in none', async (t) => {
  const { call, sets, store } = await serving(t, ['a', 'b']);
  await showing(
    store,
    Array.from({ length: 1_000 }, (_, at) => document(`s${at}`, 'b')),
  );
  assert.match((await call('post', '/silences', bound, body).expect(409)).body, /scope b has 1000 silences/);
  assert.deepEqual(await sets(), []);
});

test('A12: one that has begun keeps its begin when it is changed; with other matchers it ends and another begins', async (t) => {
  const { call, sets, store } = await serving(t, ['a']);
  await showing(store, [document('s1', 'a')]);
  const startsAt = new Date(noon - 1).toISOString();
  const changed = await call('post', '/silences', bound, { ...body, id: 's1', startsAt, comment: 'longer' }).expect(200);
  assert.equal(changed.body.silenceID, 's1');
  const other = await call('post', '/silences', bound, {
    ...body,
    id: 's1',
    matchers: [{ name: 'host', value: 'x', isRegex: false }],
  }).expect(200);
  assert.notEqual(other.body.silenceID, 's1');
  assert.deepEqual(
    (await sets()).map(({ silence: { id, startsAt: from, endsAt, comment } }) => [id, from, endsAt, comment]),
    [
      ['s1', noon - 1, noon + hour, 'longer'],
      [other.body.silenceID, noon, noon + hour, 'works'],
      ['s1', noon - 1, noon, 'x'],
    ],
  );
});
