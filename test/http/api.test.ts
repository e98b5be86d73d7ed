import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import * as fc from 'fast-check';
import supertest from 'supertest';
import { roles } from '../../src/access/tokens.ts';
import { GatewayError, type ErrorCode } from '../../src/core/errors.ts';
import type { Frozen } from '../../src/core/playbook/freeze.ts';
import type { Input } from '../../src/core/records.ts';
import { everyScope } from '../../src/core/stamp.ts';
import { blank } from '../../src/readmodel/blank.ts';
import type { DocumentPatch, PatchOf } from '../../src/readmodel/patch.ts';
import { patchesOf } from '../../src/readmodel/patches.ts';
import { problemOf } from '../../src/http/problem.ts';
import { front, group, noon, showing, tokens, type Front, type FrontOptions } from './support.ts';

type To = ReturnType<typeof supertest>;

async function serving(
  t: TestContext,
  options: FrontOptions = {},
): Promise<Front & { readonly to: To; readonly as: (role?: keyof typeof tokens) => Caller }> {
  const made = await front(options);
  const port = await made.http.start(0, '127.0.0.1');
  t.after(() => made.http.stop());
  const to = supertest(`http://127.0.0.1:${port}`);
  return { ...made, to, as: (role = 'operate') => callerOf(to, tokens[role]) };
}

interface Caller {
  get(path: string): supertest.Test;
  post(path: string, body?: object): supertest.Test;
  delete(path: string): supertest.Test;
}

function callerOf(to: To, token: string): Caller {
  const authorization = `Bearer ${token}`;
  return {
    get: (path) => to.get(path).set({ authorization }),
    post: (path, body = {}) => to.post(path).set({ authorization }).send(body),
    delete: (path) => to.delete(path).set({ authorization }),
  };
}

/** One of everything, as the projector leaves it. */
async function furnished(t: TestContext): Promise<Awaited<ReturnType<typeof serving>>> {
  const made = await serving(t);
  const scope = 'default';
  await made.intake.accept('open', { headers: {}, body: JSON.stringify(group('Down')), path: '', receivedAt: noon }, '');
  const at = noon;
  const labels = { alertname: 'Down', team: 'db' };
  const begins = true;
  const incident = 'i1.default';
  const alert = { labels, fingerprint: 'f1', incident, input: await place(made) };
  await showing(
    made.store,
    [
      { kind: 'incident', id: 'i1.default', scope, at, begins, set: { title: 'db1 is down' } },
      { kind: 'incident', id: 'i2.default', scope, at: at - 1, begins, set: { state: 'resolved', title: 'old' } },
      { kind: 'alert', id: 'f1', scope, at, begins, set: alert },
      { kind: 'alert', id: 'f2', scope: 'other', at, begins, set: { fingerprint: 'f2', labels } },
      { kind: 'run', id: 'r1.default', scope, at, begins, set: { incident, playbook: 'restart-web', state: 'waiting' } },
      { kind: 'run', id: 'r2.default', scope, at, begins, set: { state: 'ended', incident } },
      { kind: 'page', id: 'p1.default', scope, at, begins, set: { incident } },
      { kind: 'approval', id: 'r1.default', scope, at, begins, set: { incident } },
      { kind: 'silence', id: 's1', scope: 'other', at, begins, set: silence },
    ],
    [1, 2, 3].map((seq) => ({ incident: 'i1.default', scope, seq, at, type: 'IncidentNoted', text: `line ${seq}`, detail: {} })),
  );
  return made;
}
const matchers = [{ name: 'team', op: '=', value: 'db' }] as const;
const silence = { matchers, startsAt: noon - 1_000, endsAt: noon + 1_000, untilResolved: false, by: 'rita', comment: 'work' };

async function place(made: Front): Promise<string> {
  const [record] = await made.inputs();
  return `${record?.partition}:${record?.offset}`;
}

/** Inputs that came by commands. */
async function commands(made: Front): Promise<readonly unknown[]> {
  const inputs = (await made.inputs()).map((record) => record.value as Input);
  return inputs.filter(({ type }) => type !== 'AlertSeen');
}

const takenBy = (by: string): PatchOf<'incident'> => ({
  kind: 'incident',
  id: 'i1.default',
  scope: 'default',
  at: noon,
  set: { state: 'acknowledged', acknowledgedBy: by, acknowledgedAt: noon },
});

/** After a look or two of whoever waits for it. */
async function soon<Done>(act: () => Promise<Done>): Promise<Done> {
  await new Promise<void>((resolve) => void setTimeout(resolve, 40));
  return act();
}

/** Shows what came of a command as soon as it is on the log. */
async function afterCommands(made: Front, count: number, patches: readonly DocumentPatch[]): Promise<void> {
  while ((await commands(made)).length < count) await soon(() => Promise.resolve());
  await showing(made.store, patches);
}

function pathOf(path: string): string {
  return path.replaceAll(/:\w+/g, 'x');
}

test('every route asks for its role, and tells nothing to whoever has less', async (t) => {
  const made = await serving(t);
  for (const { method, path, access } of made.http.routes) {
    const call = (token?: string): supertest.Test => {
      const asked = made.to[method](pathOf(path)).timeout({ response: 2_000 });
      return method === 'get'
        ? asked.set(token === undefined ? {} : { authorization: `Bearer ${token}` })
        : asked.set(token === undefined ? {} : { authorization: `Bearer ${token}` }).send({});
    };
    if (access === 'open') continue;
    for (const token of [undefined, 'wrong', '']) {
      const answer = await call(token);
      assert.equal(answer.status, 401, `${method} ${path}`);
      // A vendor's API says the same in its own shape.
      assert.deepEqual(path.startsWith('/api/v2/') ? answer.body : answer.body.detail, 'credentials are missing or wrong');
    }
    for (const role of roles) {
      if (path === '/api/v1/events') continue;
      const enough: boolean = roles.indexOf(role) >= roles.indexOf(access);
      const { status } = await call(tokens[role]);
      assert.equal(status === 403, !enough, `${method} ${path} as ${role}: ${status}`);
      assert.notEqual(status, 401);
      assert.ok(status < 500, `${method} ${path} as ${role}: ${status}`);
    }
  }
});

test('the table of roles and scopes is this one', async () => {
  const { http } = await front();
  const table = http.routes.map(({ method, path, access, scope }) => `${access} ${scope} ${method} ${path}`).sort();
  assert.deepEqual(table, [
    'admin all post /api/v1/reload',
    'admin all post /api/v1/thaw',
    'admin own get /api/v1/log/:topic/:partition',
    'open none get /ack/:token',
    'open none get /answer/:token',
    'open none get /api/v1/openapi.json',
    'open none get /healthz',
    'open none get /incident/:token',
    'open none get /metrics',
    'open none get /readyz',
    'open none post /ack/:token',
    'open none post /answer/:token',
    'operate all post /api/v1/freeze',
    'operate own delete /api/v1/silences/:id',
    'operate own delete /api/v2/silence/:id',
    'operate own get /api/v1/alerts/:id/raw',
    'operate own get /api/v1/deadletters',
    'operate own get /api/v1/deadletters/:id',
    'operate own post /api/v1/deadletters/:id/discard',
    'operate own post /api/v1/deadletters/:id/replay',
    'operate own post /api/v1/incidents/:id/ack',
    'operate own post /api/v1/incidents/:id/note',
    'operate own post /api/v1/incidents/:id/resolve',
    'operate own post /api/v1/incidents/:id/unack',
    'operate own post /api/v1/runs/:id/approve',
    'operate own post /api/v1/runs/:id/cancel',
    'operate own post /api/v1/runs/:id/deny',
    'operate own post /api/v1/silences',
    'operate own post /api/v1/silences/preview',
    'operate own post /api/v2/silences',
    'read all get /api/v1/log',
    'read all get /api/v1/playbooks',
    'read all get /api/v1/playbooks/:name',
    'read own get /api/v1/alerts',
    'read own get /api/v1/alerts/:id',
    'read own get /api/v1/approvals',
    'read own get /api/v1/approvals/:id',
    'read own get /api/v1/events',
    'read own get /api/v1/incidents',
    'read own get /api/v1/incidents/:id',
    'read own get /api/v1/incidents/:id/timeline',
    'read own get /api/v1/pages',
    'read own get /api/v1/pages/:id',
    'read own get /api/v1/reports/:name',
    'read own get /api/v1/runs',
    'read own get /api/v1/runs/:id',
    'read own get /api/v1/runs/:id/output',
    'read own get /api/v1/silences',
    'read own get /api/v1/silences/:id',
    'read own get /api/v1/summary',
    'read own get /api/v2/alerts',
    'read own get /api/v2/alerts/groups',
    'read own get /api/v2/receivers',
    'read own get /api/v2/silence/:id',
    'read own get /api/v2/silences',
    'read own get /api/v2/status',
  ]);
});

test('the document describes every route, and nothing but the routes and the deliveries', async (t) => {
  const { to, http } = await serving(t);
  const { body: document } = await to.get('/api/v1/openapi.json').expect(200);
  assert.equal(document.openapi, '3.1.0');
  const described = Object.entries(document.paths as Record<string, object>).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method} ${path}`),
  );
  const served = http.routes.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
  assert.deepEqual(described.sort(), [...served, 'post /webhooks/{endpoint}', 'post /api/v2/alerts'].sort());
  const ids = Object.values(document.paths as Record<string, Record<string, { operationId: string }>>).flatMap((item) =>
    Object.values(item).map(({ operationId }) => operationId),
  );
  assert.equal(new Set(ids).size, ids.length);
  for (const route of http.routes) {
    const operation = document.paths[route.path.replaceAll(/:(\w+)/g, '{$1}')][route.method];
    assert.equal(operation['x-quench-role'], route.access);
    const named = operation.parameters
      .filter((each: { in: string }) => each.in === 'path')
      .map((each: { name: string }) => `:${each.name}`);
    assert.deepEqual(named, route.path.match(/:\w+/g) ?? []);
  }
});

test('a mutation needs JSON: what a foreign page can send without asking is 415', async (t) => {
  const { to, http } = await serving(t);
  for (const { path } of http.routes.filter(({ method, path: each }) => method === 'post' && !each.endsWith('/:token'))) {
    for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data']) {
      const answer = await to
        .post(pathOf(path))
        .set({ authorization: `Bearer ${tokens.admin}`, 'content-type': type })
        .serialize(String)
        .send('{}');
      assert.equal(answer.status, 415, `${path} ${type}`);
    }
  }
});

test('lists come in pages, filtered by state and text', async (t) => {
  const { as } = await furnished(t);
  const every = '/api/v1/incidents?state=open,acknowledged,resolved';
  const all = await as('read').get(every).expect(200);
  const born = { id: 'i1.default', scope: 'default', at: noon };
  assert.deepEqual(all.body.items[0], { ...blank.incident(born), title: 'db1 is down' });
  assert.deepEqual([all.body.items.map(({ id }: { id: string }) => id), all.body.next], [['i1.default', 'i2.default'], null]);
  const first = await as('read').get(`${every}&limit=1`).expect(200);
  const second = await as('read')
    .get(`${every}&limit=1&after=${encodeURIComponent(first.body.next)}`)
    .expect(200);
  assert.deepEqual([first.body.items[0].id, second.body.items[0].id, second.body.next], ['i1.default', 'i2.default', null]);
  assert.equal((await as('read').get('/api/v1/incidents?state=resolved,acknowledged')).body.items.length, 1);
  assert.equal((await as('read').get('/api/v1/incidents?text=DB1')).body.items.length, 1);
  assert.deepEqual(
    (await as('read').get('/api/v1/incidents').expect(200)).body.items.map(({ id }: { id: string }) => id),
    ['i1.default'],
  );
  for (const noun of ['alerts', 'runs', 'approvals', 'pages', 'silences']) {
    const { items } = (await as('read').get(`/api/v1/${noun}`).expect(200)).body;
    assert.ok(items.length > 0, noun);
    await as('read').get(`/api/v1/${noun}/${items[0].id}`).expect(200);
    await as('read').get(`/api/v1/${noun}/nope`).expect(404);
  }
});

test('what is asked wrongly is 400 with where and what', async (t) => {
  const { as, to } = await furnished(t);
  const queries: readonly (readonly [string, RegExp])[] = [
    ['/api/v1/incidents?limit=0', /query\/limit must be >= 1/],
    ['/api/v1/incidents?limit=201', /query\/limit must be <= 200/],
    ['/api/v1/incidents?limit=many', /query\/limit must be integer/],
    ['/api/v1/incidents?stat=open', /must not have "stat"/],
    ['/api/v1/incidents?after=garbage', /after/],
    ['/api/v1/incidents?state=opn', /state: expected open, acknowledged or resolved, seen opn/],
    ['/api/v1/incidents?__proto__=1', /must not have "__proto__"/],
    ['/api/v1/incidents/%ff', /path/],
  ];
  for (const [path, detail] of queries) {
    const answer = await as('read').get(path);
    assert.equal(answer.status, 400, path);
    assert.match(answer.body.detail, detail, path);
  }
  const sent: readonly (readonly [string, object | string, RegExp])[] = [
    ['/api/v1/incidents/i1.default/note', {}, /must have required property 'text'/],
    ['/api/v1/incidents/i1.default/note', { text: 7 }, /body\/text must be string/],
    ['/api/v1/incidents/i1.default/note', { text: ' ' }, /blank/],
    ['/api/v1/incidents/i1.default/note', { text: 'x'.repeat(2_001) }, /2000 characters/],
    ['/api/v1/incidents/i1.default/ack', { by: 'somebody else' }, /must not have "by"/],
    ['/api/v1/incidents/i1.default/ack', '[', /must be JSON/],
    ['/api/v1/incidents/i1.default/ack', '[]', /must be object/],
    ['/api/v1/incidents/i1.default/ack', '{"__proto__":{"x":1}}', /must not have "__proto__"/],
  ];
  for (const [path, body, detail] of sent) {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const asked = to.post(path).set({ authorization: `Bearer ${tokens.operate}`, 'content-type': 'application/json' });
    const answer = await asked.serialize(String).send(text);
    assert.equal(answer.status, 400, path);
    assert.match(answer.body.detail, detail);
  }
});

test('an incident is shown with its alerts, runs and pages, and tells its story in order', async (t) => {
  const { as } = await furnished(t);
  const { body } = await as('read').get('/api/v1/incidents/i1.default').expect(200);
  const ids = (items: readonly { id: string }[]): string[] => items.map(({ id }) => id).sort();
  assert.deepEqual(
    [body.title, ids(body.alerts), body.alertsMore, ids(body.runs), ids(body.pages)],
    ['db1 is down', ['f1'], false, ['r1.default', 'r2.default'], ['p1.default']],
  );
  const first = await as('read').get('/api/v1/incidents/i1.default/timeline?limit=2').expect(200);
  assert.deepEqual(
    first.body.items.map((each: { seq: number }) => each.seq),
    [1, 2],
  );
  const rest = await as('read').get(`/api/v1/incidents/i1.default/timeline?limit=2&after=${first.body.next}`).expect(200);
  assert.deepEqual([rest.body.items.map((each: { seq: number }) => each.seq), rest.body.next], [[3], null]);
});

test('what people do becomes inputs of the right scope, signed with the name of their token', async (t) => {
  const made = await furnished(t);
  const incident = '/api/v1/incidents/i1.default';
  const run = '/api/v1/runs/r1.default';
  await made.as().post(`${incident}/ack`).expect(202, { status: 'accepted' });
  await made.as('admin').post(`${incident}/resolve`, { note: 'cable' }).expect(202);
  await made.as().post(`${incident}/note`, { text: 'on it' }).expect(202);
  await made.as().post(`${run}/approve`).expect(202);
  await made.as().post(`${run}/deny`, { note: 'not now' }).expect(202);
  await made.as().post(`${run}/cancel`).expect(202);
  const common = { scope: 'default', by: 'olga', at: noon };
  assert.deepEqual(
    new Set(await commands(made)),
    new Set([
      { ...common, type: 'Acked', incident: 'i1.default', via: 'api' },
      { ...common, type: 'Resolved', incident: 'i1.default', via: 'api', by: 'anna', note: 'cable' },
      { ...common, type: 'CommandGiven', command: { name: 'note', incident: 'i1.default', text: 'on it' } },
      { ...common, type: 'Approved', run: 'r1.default', via: 'api' },
      { ...common, type: 'Denied', run: 'r1.default', via: 'api', note: 'not now' },
      { ...common, type: 'CommandGiven', command: { name: 'cancel', run: 'r1.default' } },
    ]),
  );
});

test('B4: an incident is taken over and given back, by the name of the token', async (t) => {
  const made = await furnished(t);
  const incident = '/api/v1/incidents/i1.default';
  await made.as().post(`${incident}/ack`, { over: true }).expect(202);
  await showing(made.store, [takenBy('olga')]);
  await made.as().post(`${incident}/unack`, { note: 'on a plane' }).expect(202);
  await made.as('read').post(`${incident}/unack`).expect(403);
  const common = { scope: 'default', by: 'olga', at: noon, incident: 'i1.default', via: 'api' };
  assert.deepEqual(
    new Set(await commands(made)),
    new Set([
      { ...common, type: 'Acked', over: true },
      { ...common, type: 'Unacked', note: 'on a plane' },
    ]),
  );
});

test('B4: what nobody has cannot be given back, and what was taken a moment ago can', async (t) => {
  const made = await furnished(t);
  const unack = (): supertest.Test => made.as().post('/api/v1/incidents/i1.default/unack', { note: 'not mine' });
  const refused = await unack().expect(409);
  assert.equal(refused.body.detail, 'incident i1.default is open: nobody has it, so nobody can give it back');
  assert.deepEqual(await commands(made), []);

  const [answer] = await Promise.all([unack().expect(202), soon(() => showing(made.store, [takenBy('olga')]))]);
  assert.deepEqual(answer.body, { status: 'accepted' });
  assert.equal((await commands(made)).length, 1);
});

test('B6: of two who take an incident at once the second is told who has it', async (t) => {
  const made = await furnished(t);
  const ack = (): supertest.Test => made.as().post('/api/v1/incidents/i1.default/ack');
  await showing(made.store, [{ kind: 'page', id: 'p1.default', scope: 'default', at: noon, set: { state: 'acked' } }]);
  const [second] = await Promise.all([ack().expect(409), afterCommands(made, 1, [takenBy('anna')])]);
  assert.match(second.body.detail, /^incident i1\.default is taken by anna .*: send over \(--over\) to take it over$/);

  await showing(made.store, [{ ...takenBy('anna'), set: { state: 'open', acknowledgedBy: null } }]);
  await Promise.all([ack().expect(202), afterCommands(made, 2, [takenBy('olga')])]);
});

test('B7: of a yes and a no that come at once the second is told of the first', async (t) => {
  const run = 'r1.default';
  const common = { kind: 'approval', id: run, scope: 'default', at: noon } as const;
  const cases = [
    { word: 'deny', given: { approved: true, by: 'anna', note: '' }, says: 'run r1.default was approved by anna' },
    { word: 'deny', given: { approved: true, by: 'olga', note: '' }, says: 'run r1.default was approved by olga' },
    { word: 'approve', given: { approved: false, by: 'ben', note: 'not now' }, says: 'run r1.default was denied by ben: not now' },
    { word: 'approve', given: { approved: true, by: 'anna', note: '' }, says: 'run r1.default was approved by anna' },
    {
      word: 'approve',
      given: { approved: false, by: 'quench', note: 'olga approved it, but its playbook has changed' },
      says: 'run r1.default no longer waits: olga approved it, but its playbook has changed',
    },
    { word: 'approve', given: { approved: true, by: 'olga', note: '' }, says: null },
    { word: 'deny', given: { approved: false, by: 'olga', note: 'x' }, says: null },
  ] as const;
  for (const { word, given, says } of cases) {
    const made = await furnished(t);
    const asked = made
      .as()
      .post(`/api/v1/runs/${run}/${word}`)
      .expect(says === null ? 202 : 409);
    const [answer] = await Promise.all([asked, afterCommands(made, 1, [{ ...common, set: { state: 'ended', ...given } }])]);
    assert.equal(answer.body.detail ?? null, says);
  }
});

test('what is over or unknown takes no command', async (t) => {
  const made = await furnished(t);
  for (const verb of ['ack', 'unack', 'resolve']) {
    await made.as().post(`/api/v1/incidents/i2.default/${verb}`).expect(409);
    await made.as().post(`/api/v1/incidents/i9.default/${verb}`).expect(404);
  }
  for (const verb of ['approve', 'deny', 'cancel']) await made.as().post(`/api/v1/runs/r2.default/${verb}`).expect(409);
  assert.deepEqual(await commands(made), []);
});

test('B7: approve and deny of a run that no longer waits say who was first, and stand on the log while it works', async (t) => {
  const made = await furnished(t);
  const late = [
    { set: { state: 'working', approvedBy: 'anna' }, says: 'run r7.default was approved by anna, and is at work' },
    { set: { state: 'working', mode: 'approve' }, says: 'run r7.default does not wait for approval yet: it is still looking' },
    { set: { state: 'working', mode: 'auto' }, says: 'run r7.default does not wait for approval: its playbook is in mode auto' },
    {
      set: { state: 'ended', approvedBy: 'anna', end: 'succeeded', reason: 'verified' },
      says: 'run r7.default was approved by anna, and has ended succeeded: verified',
    },
    { set: { state: 'ended', end: 'denied', reason: 'denied by bob: no' }, says: 'run r7.default has ended denied: denied by bob: no' },
  ] as const;
  const common = { scope: 'default', run: 'r7.default', by: 'olga', via: 'api', at: noon };
  for (const { set, says } of late) {
    const before = (await commands(made)).length;
    await showing(made.store, [
      {
        kind: 'run',
        id: 'r7.default',
        scope: 'default',
        at: noon,
        begins: true,
        set: { approvedBy: null, end: null, reason: null, ...set },
      },
    ]);
    const approved = await made.as().post('/api/v1/runs/r7.default/approve').expect(409);
    const denied = await made.as().post('/api/v1/runs/r7.default/deny', { note: 'stop' }).expect(409);
    assert.deepEqual([approved.body.detail, denied.body.detail], [says, says]);
    assert.deepEqual(
      new Set((await commands(made)).slice(before)),
      new Set(
        set.state === 'ended'
          ? []
          : [
              { ...common, type: 'Approved' },
              { ...common, type: 'Denied', note: 'stop' },
            ],
      ),
      says,
    );
  }
});

test('a command that cannot be written is 503 with Retry-After, not a promise', async (t) => {
  const made = await furnished(t);
  t.mock.method(made.store.log, 'append', () => Promise.reject(new GatewayError('log_unavailable', 'disk full')));
  const answer = await made.as().post('/api/v1/incidents/i1.default/ack').expect(503);
  assert.deepEqual([answer.body.code, answer.headers['retry-after']], ['log_unavailable', '2']);
});

test('the emergency stop reaches every partition; lifting it takes an admin', async (t) => {
  const made = await serving(t, { partitions: 3 });
  await made.as().post('/api/v1/freeze', { reason: 'storm' }).expect(202);
  await made.as().post('/api/v1/freeze').expect(400);
  await made.as().post('/api/v1/freeze', { reason: 'over', until: noon }).expect(400);
  await made.as('admin').post('/api/v1/thaw').expect(202);
  const given = (await made.inputs()).map((record) => [record.partition, (record.value as { command: { name: string } }).command.name]);
  assert.deepEqual(
    given,
    [0, 1, 2].flatMap((partition) => [
      [partition, 'freeze'],
      [partition, 'thaw'],
    ]),
  );
});

test('a silence is made, replaced and ended in its scope', async (t) => {
  const made = await furnished(t);
  const wanted = { matchers, endsAt: noon + 60_000, comment: 'deploy' };
  const { body } = await made.as().post('/api/v1/silences', wanted).expect(202);
  await made
    .as()
    .post('/api/v1/silences', { ...wanted, id: 's1', untilResolved: true })
    .expect(202);
  await made.as().delete('/api/v1/silences/s1').expect(202);
  await made.as().delete('/api/v1/silences/s9').expect(404);
  await made
    .as()
    .post('/api/v1/silences', { ...wanted, id: 's9' })
    .expect(404);
  const made1 = { matchers, startsAt: noon, endsAt: noon + 60_000, untilResolved: false, by: 'olga', comment: 'deploy' };
  assert.deepEqual(
    new Set(await commands(made)),
    new Set([
      { type: 'SilenceSet', at: noon, scope: 'default', silence: { ...made1, id: body.id } },
      { type: 'SilenceSet', at: noon, scope: 'other', silence: { ...made1, id: 's1', untilResolved: true } },
      { type: 'SilenceSet', at: noon, scope: 'other', silence: { ...silence, id: 's1', endsAt: noon, by: 'olga' } },
    ]),
  );
});

test('a silence that mutes everything, ends in the past, or cannot be read is refused', async (t) => {
  const made = await serving(t);
  const wanted = { matchers, endsAt: noon + 60_000, comment: 'x' };
  const refused: readonly object[] = [
    { ...wanted, matchers: [] },
    { ...wanted, matchers: [{ name: 'team', op: '!=', value: 'db' }] },
    { ...wanted, matchers: [{ name: 'team', op: '=~', value: '.*' }] },
    { ...wanted, matchers: [{ name: 'team', op: '=', value: '' }] },
    { ...wanted, matchers: [...matchers, { name: 'team', op: '!~', value: '(' }] },
    { ...wanted, matchers: [{ name: 'team', op: '~', value: 'db' }] },
    { ...wanted, endsAt: noon },
    { ...wanted, startsAt: noon + 60_000 },
    { ...wanted, endsAt: noon + 400 * 86_400_000 },
    { ...wanted, endsAt: '2026-11-21T13:00:00Z' },
    { matchers, endsAt: noon + 60_000 },
    { ...wanted, scope: '' },
    { ...wanted, scope: '*' },
    { ...wanted, scope: 'a b' },
    { ...wanted, scope: 'a|b' },
  ];
  for (const body of refused) assert.equal((await made.as().post('/api/v1/silences', body)).status, 400, JSON.stringify(body));
  assert.deepEqual(await made.inputs(), []);
});

test('the preview names what the silence would mute now, in its scope, and makes none', async (t) => {
  const made = await furnished(t);
  const preview = async (body: object): Promise<readonly unknown[]> => {
    const answer = await made.as().post('/api/v1/silences/preview', body).expect(200);
    return [answer.body.count, answer.body.complete, answer.body.items.map((each: { id: string }) => each.id)];
  };
  assert.deepEqual(await preview({ matchers }), [1, true, ['f1']]);
  assert.deepEqual(await preview({ matchers, scope: 'other' }), [1, true, ['f2']]);
  assert.deepEqual(await preview({ matchers: [...matchers, { name: 'alertname', op: '=~', value: 'D.wn' }] }), [1, true, ['f1']]);
  assert.deepEqual(await preview({ matchers: [...matchers, { name: 'alertname', op: '!=', value: 'Down' }] }), [0, true, []]);
  assert.deepEqual(await commands(made), []);
});

test('the delivery behind an alert is shown byte for byte, while it is kept', async (t) => {
  const made = await furnished(t);
  const { body } = await made.as().get('/api/v1/alerts/f1/raw').expect(200);
  assert.deepEqual(body, { input: await place(made), body: JSON.stringify(group('Down')) });
  await made.as().get('/api/v1/alerts/f2/raw').expect(404);
});

test('dead letters are listed without their bodies, shown with them, replayed and let go', async (t) => {
  const made = await serving(t);
  const bad = await made.to.post('/webhooks/open').set('content-type', 'application/json').serialize(String).send('{').expect(400);
  const id = bad.body.letter as string;
  const { items } = (await made.as().get('/api/v1/deadletters').expect(200)).body;
  assert.deepEqual([items.length, items[0].id, items[0].bodyChars, items[0].body], [1, id, 1, undefined]);
  assert.equal((await made.as().get(`/api/v1/deadletters/${id}`).expect(200)).body.body, '{');
  const again = await made.as().post(`/api/v1/deadletters/${id}/replay`).expect(409);
  assert.match(again.body.detail, /still not understood/);
  await made.as().post(`/api/v1/deadletters/${id}/discard`).expect(200);
  await made.as().post(`/api/v1/deadletters/${id}/replay`).expect(409);
  await made.as().post('/api/v1/deadletters/d0/replay').expect(404);
  await made.as().post('/api/v1/deadletters/d0/discard').expect(404);
});

test('playbooks come from the policy in force; the summary counts', async (t) => {
  const { as } = await furnished(t);
  const { items } = (await as('read').get('/api/v1/playbooks').expect(200)).body;
  assert.deepEqual(items, [
    { name: 'restart-web', version: '1', summary: 'Restart the web server', owner: 'team-web', mode: 'shadow', digest: 'sha256:01' },
  ]);
  assert.equal((await as('read').get('/api/v1/playbooks/restart-web').expect(200)).body.verify.withinMs, 60_000);
  await as('read').get('/api/v1/playbooks/__proto__').expect(404);
  const { body } = await as('read').get('/api/v1/summary').expect(200);
  assert.deepEqual(
    [body.alerts, body.incidents, body.deadLetters],
    [{ firing: 2, cleared: 0 }, { open: 1, acknowledged: 0, resolved: 1 }, 0],
  );
  assert.equal(body.frozen, null);
});

test('the emergency stop shows as the partitions decided here know it, or else as the read model of all of them does', async (t) => {
  const here = { by: 'olga', reason: 'storm' };
  const there = { by: 'anna', reason: 'core switch change' };
  const frozenAt = async ({ as }: Pick<Awaited<ReturnType<typeof serving>>, 'as'>): Promise<unknown> =>
    (await as('read').get('/api/v1/summary').expect(200)).body.frozen;
  const stopped = (partition: number, frozen: Frozen | null): readonly DocumentPatch[] =>
    patchesOf({ type: 'FreezeChanged', scope: everyScope, at: noon, seq: 1, frozen }, partition);

  assert.deepEqual(await frozenAt(await serving(t, { frozen: here })), { ...here, freezes: [{ ...here, at: null, until: null }] });
  const far = await serving(t);
  await showing(far.store, [...stopped(0, null), ...stopped(1, there)]);
  assert.deepEqual(await frozenAt(far), { ...there, freezes: [{ ...there, at: null, until: null }] });
  const drill = { by: 'bob', reason: 'drill', at: noon, until: noon + 1 };
  await showing(far.store, stopped(1, { ...there, freezes: [drill, { ...drill, by: 'cleo', until: noon }] }));
  assert.deepEqual(await frozenAt(far), { by: 'bob', reason: 'drill', freezes: [drill] }, 'E8: what is over holds no more');
  await showing(far.store, stopped(1, null));
  assert.equal(await frozenAt(far), null);
});

test('the alerts API lists what fires, by matchers', async (t) => {
  const { as } = await furnished(t);
  const { body } = await as('read')
    .get('/api/v2/alerts')
    .query({ filter: ['team="db"', 'alertname=~"Do.*"'], active: 'true', silenced: 'false' })
    .expect(200);
  assert.deepEqual(body.map((each: { fingerprint: string }) => each.fingerprint).sort(), ['f1', 'f2']);
  assert.deepEqual(body[0].status, { state: 'active', silencedBy: [], inhibitedBy: [] });
  assert.deepEqual((await as('read').get('/api/v2/alerts').query({ filter: 'team="web"' }).expect(200)).body, []);
  assert.equal(
    (
      await as('read')
        .get('/api/v2/alerts')
        .query({ filter: String.raw`alertname=~"D\w+n"` })
        .expect(200)
    ).body.length,
    2,
  );
  await as('read').get('/api/v2/alerts').query({ filter: '{nonsense' }).expect(400);
  await as('read').get('/api/v2/alerts').query({ filter: 'team!~"("' }).expect(400);
  assert.equal((await as('read').get('/api/v2/status').expect(200)).body.versionInfo.version, '0.0.0-test');
});

test('every error code has its status, and only what is meant for callers is told', () => {
  const statuses: { readonly [code in ErrorCode]: number } = {
    invalid_request: 400,
    unauthenticated: 401,
    forbidden: 403,
    not_found: 404,
    method_not_allowed: 405,
    state_conflict: 409,
    payload_too_large: 413,
    unsupported_media: 415,
    invalid_config: 500,
    adapter_missing: 500,
    internal: 500,
    overloaded: 503,
    log_unavailable: 503,
    store_unavailable: 503,
    executor_unavailable: 503,
    deadline_exceeded: 504,
  };
  for (const [code, status] of Object.entries(statuses)) {
    const said = problemOf(new GatewayError(code as ErrorCode, 'planted', new Error('cause')));
    assert.equal(said.status, status);
    assert.equal(said.retryAfterSeconds !== undefined, status === 503);
    assert.equal(said.detail === 'planted', status !== 500);
  }
  assert.deepEqual([problemOf(new Error('planted')).code, problemOf('planted').detail], ['internal', 'see the log of the gateway']);
});

test('a bug behind the API is 500 without its text or stack', async (t) => {
  const made = await furnished(t);
  t.mock.method(made.store.views, 'list', () => Promise.reject(new TypeError('planted detail')));
  const answer = await made.as('read').get('/api/v1/incidents').expect(500);
  assert.doesNotMatch(answer.text, /planted|at /);
  assert.match(answer.headers['content-type'] ?? '', /problem\+json/);
  assert.equal(made.logged.length, 1);
});

test('whatever is sent to whichever route, the answer is never 500', async (t) => {
  const made = await furnished(t);
  const routes = made.http.routes.filter(({ path }) => path !== '/api/v1/events' && path !== '/metrics');
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom('i1.default', 'f1', 'r1.default', 's1', '__proto__', '..', '%', "'; --"),
  );
  const body = fc.oneof(
    fc.json(),
    fc.constantFrom('{}', '', '{"text":"x"}', JSON.stringify({ matchers, endsAt: noon + 1, comment: 'x' })),
    text,
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...routes), text, body, async ({ method, path }, id, sent) => {
      const url = path.replaceAll(/:\w+/g, encodeURIComponent(id.toWellFormed()));
      const asked = made.to[method](url).set({ authorization: `Bearer ${tokens.admin}` });
      const { status } =
        method === 'get'
          ? await asked.query({ text: id.toWellFormed() })
          : await asked.set('content-type', 'application/json').serialize(String).send(sent);
      assert.ok(status < 500, `${method} ${url} answered ${status}`);
    }),
    { numRuns: 300 },
  );
});

test('E7: an alert says what became of its incident, in lists, by itself and with the incident; what is muted or over says its own', async (t) => {
  const made = await serving(t);
  const scope = 'default';
  const held = { decision: 'hold', reason: 'watched for 1s before it is paged' } as const;
  const alertOf = (id: string, set: PatchOf<'alert'>['set']): PatchOf<'alert'> => {
    return {
      kind: 'alert',
      id,
      scope,
      at: noon,
      begins: true,
      set: { fingerprint: id, incident: 'i1.default', state: 'firing', ...held, ...set },
    };
  };
  await showing(made.store, [
    { kind: 'incident', id: 'i1.default', scope, at: noon, begins: true, set: { decision: 'page', reason: 'no playbook helps with it' } },
    alertOf('f1', {}),
    alertOf('f2', { state: 'cleared' }),
    alertOf('f3', { muted: { kind: 'source', says: 'downtime' } }),
    alertOf('f4', { incident: 'i9.default' }),
  ]);
  const to = made.as('read');
  const { body } = await to.get('/api/v1/alerts?state=firing,cleared').expect(200);
  const found = new Map(body.items.map(({ id, decision }: { id: string; decision: string }) => [id, decision]));
  assert.deepEqual([...found].toSorted(), [
    ['f1', 'page'],
    ['f2', 'hold'],
    ['f3', 'hold'],
    ['f4', 'hold'],
  ]);
  const one = await to.get('/api/v1/alerts/f1').expect(200);
  assert.deepEqual([one.body.decision, one.body.reason], ['page', 'no playbook helps with it']);
  const whole = await to.get('/api/v1/incidents/i1.default').expect(200);
  assert.equal(whole.body.alerts.find(({ id }: { id: string }) => id === 'f1').decision, 'page');
});
