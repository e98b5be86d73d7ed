// Routes that a source brings: served, guarded and described as our own, with no more of the gateway than the port gives.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import supertest from 'supertest';
import { createHttp } from '../../src/http/server.ts';
import type { FiringAlert, RouteCall, SourceRoutes } from '../../src/ports/routes.ts';
import { front, noon, showing, tokens, type Front } from './support.ts';

const heard: RouteCall[] = [];

/** What fires in one scope, and a door of its own. */
const toy: SourceRoutes = {
  tag: 'toy',
  routes: (deps) => [
    {
      method: 'get',
      path: '/toy/firing',
      access: 'operate',
      summary: 'What fires in a scope',
      query: { scope: { type: 'string' }, team: { type: 'string', maxLength: 5 } },
      answer: { says: 'Fingerprints.', schema: { type: 'array', items: { type: 'string' } } },
      async handle(call) {
        heard.push(call);
        const { scope, team } = call.query;
        const matchers = team === undefined ? [] : [{ name: 'team', op: '=', value: String(team) } as const];
        const alerts = await deps.firing({
          scopes: scope === undefined ? call.scopes : [String(scope)],
          matchers,
          limit: 10,
          shown: () => true,
        });
        return alerts.map(({ fingerprint }: FiringAlert) => fingerprint).sort();
      },
    },
    // A path that the endpoint's source knows.
    { method: 'post', path: '/api/v2/alerts', summary: 'Deliver to the toy', answer: { status: 201, body: 'thanks' } },
  ],
};

async function serving(t: TestContext): Promise<Front & { readonly to: ReturnType<typeof supertest> }> {
  const made = await front();
  const http = createHttp({ ...made.deps, sourceRoutes: [toy] });
  const port = await http.start(0, '127.0.0.1');
  t.after(() => http.stop());
  const alert = (id: string, scope: string, team: string) =>
    ({ kind: 'alert', id, scope, at: noon, begins: true, set: { fingerprint: id, labels: { team } } }) as const;
  await showing(made.store, [alert('f1', 'a', 'db'), alert('f2', 'b', 'db'), alert('f3', 'b', 'web')]);
  return { ...made, to: supertest(`http://127.0.0.1:${port}`) };
}

const as = (role: keyof typeof tokens): { readonly authorization: string } => ({ authorization: `Bearer ${tokens[role]}` });

test('a query route needs the role it names, and sees the scopes and matchers that it asks for', async (t) => {
  const { to } = await serving(t);
  await to.get('/toy/firing').expect(401);
  await to.get('/toy/firing').set(as('read')).expect(403);
  const firing = async (query: object): Promise<unknown> => (await to.get('/toy/firing').set(as('operate')).query(query).expect(200)).body;

  assert.deepEqual(await firing({}), ['f1', 'f2', 'f3']);
  assert.deepEqual(await firing({ scope: 'b' }), ['f2', 'f3']);
  assert.deepEqual(await firing({ scope: 'none' }), []);
  assert.deepEqual(await firing({ scope: 'b', team: 'db' }), ['f2']);
  assert.equal(heard.at(-1)?.scopes, 'all');
});

test('its query is checked by its schema before it is asked', async (t) => {
  const { to } = await serving(t);
  const asked = heard.length;
  await to.get('/toy/firing').set(as('operate')).query({ team: 'too long' }).expect(400);
  await to.get('/toy/firing').set(as('operate')).query({ other: '1' }).expect(400);
  assert.equal(heard.length, asked);
});

test('a delivery route goes to the endpoint that is named for it, and answers in its own words', async (t) => {
  const made = await serving(t);
  const answer = await made.to
    .post('/api/v2/alerts')
    .send([{ labels: { alertname: 'Down' } }])
    .expect(201);
  assert.equal(answer.text, 'thanks');
  assert.equal((await made.inputs()).length, 1);
  await made.to.get('/api/v2/alerts').expect(404);
});

test('both are described', async (t) => {
  const { to } = await serving(t);
  const { paths } = (await to.get('/api/v1/openapi.json').expect(200)).body;
  assert.deepEqual([paths['/toy/firing'].get['x-quench-role'], paths['/toy/firing'].get.tags], ['operate', ['toy']]);
  const { post, get } = paths['/api/v2/alerts'];
  assert.deepEqual([post.operationId, Object.keys(post.responses)[0], get], ['deliverApiV2Alerts', '201', undefined]);
});
