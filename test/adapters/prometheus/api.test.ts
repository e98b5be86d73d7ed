// The API that Prometheus and amtool ask for, over the narrow port: what it asks of the gateway, and that its answers are what it says they are.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { alertmanagerApi } from '../../../adapters/prometheus/api.ts';
import { GatewayError } from '../../../src/core/errors.ts';
import { slicesOf } from '../../../src/http/writing.ts';
import type { CommandRoute, FiringAlert, QueryRoute, RouteDeps, RouteCall } from '../../../src/ports/routes.ts';

const startedAt = Date.UTC(2026, 10, 21, 12);
const alert: FiringAlert = {
  fingerprint: 'f1',
  name: 'Down',
  severity: 'error',
  muted: null,
  labels: { alertname: 'Down', team: 'db' },
  annotations: { summary: 'down' },
  links: [{ text: 'Graph', href: 'http://prom.example/graph' }],
  startedAt,
  seenAt: startedAt + 60_000,
};

const silence = { updatedAt: startedAt + 5, matchers: [{ name: 'team', op: '!~', value: 'd.*' }], by: 'ann', comment: 'works' } as const;

const call = { params: {}, query: {}, body: null, actor: 'ann', scopes: 'all' } as const;

type Asked = Parameters<RouteDeps['firing']>[0];

function served(alerts: readonly FiringAlert[] = [alert]): {
  readonly asked: Asked[];
  readonly set: unknown[];
  readonly ended: unknown[];
  route(path: string, method?: 'get'): QueryRoute;
  route(path: string, method: 'post' | 'delete'): CommandRoute;
} {
  const asked: Asked[] = [];
  const set: unknown[] = [];
  const ended: unknown[] = [];
  const deps: RouteDeps = {
    version: '1.2.3',
    startedAt,
    patternProblem: (pattern) => (pattern === '(' ? 'it does not end' : null),
    now: () => startedAt,
    fits: (pattern, value) => new RegExp(`^(?:${pattern})$`).test(value),
    firing: async (query) => (asked.push(query), alerts.filter(query.shown)),
    silences: async () => [
      { ...silence, id: 's1', state: 'active', startsAt: startedAt - 1, endsAt: startedAt + 1 },
      { ...silence, id: 's2', state: 'active', startsAt: startedAt + 1, endsAt: startedAt + 2 },
      { ...silence, id: 's3', state: 'expired', startsAt: startedAt - 2, endsAt: startedAt + 1 },
    ],
    silence: async (id) => ({ ...silence, id, state: 'active', startsAt: startedAt - 1, endsAt: startedAt + 1 }),
    setSilence: async (wanted, caller) => (set.push([wanted, caller]), 's9'),
    endSilence: async (id, caller) => void ended.push([id, caller]),
  };
  const routes = alertmanagerApi.routes(deps);
  return {
    asked,
    set,
    ended,
    route(path: string, method = 'get') {
      const found = routes.find((route) => route.path === path && route.method === method);
      assert.ok(found !== undefined && 'handle' in found);
      // As it is written: a list may be made while it is.
      const written = async (asks: RouteCall): Promise<unknown> => JSON.parse([...slicesOf(await found.handle(asks))].join(''));
      return { ...found, handle: written } as never; // the overloads say which
    },
  };
}

describe('the alerts API', () => {
  it('answers what its schema says, and amtool can read', async () => {
    const { route } = served([alert, { ...alert, links: [], annotations: {} }]);
    const ajv = new Ajv2020({ strict: true, validateFormats: false });
    for (const path of ['alerts', 'alerts/groups', 'receivers', 'silences', 'silence/:id', 'status'].map((name) => `/api/v2/${name}`)) {
      const { handle, answer } = route(path);
      const body = await handle(call);
      assert.ok(ajv.validate(answer.schema, body), ajv.errorsText());
    }
    assert.deepEqual(await route('/api/v2/alerts').handle(call), [
      { ...gettable, generatorURL: 'http://prom.example/graph' },
      { ...gettable, annotations: {}, generatorURL: '' },
    ]);
  });

  it('A12: what a silence mutes is told, with the silence, and left out where it is not asked for', async () => {
    const muted = { kind: 'silence', silence: 's1', until: startedAt, comment: '' } as const;
    const { route } = served([alert, { ...alert, fingerprint: 'f2', muted }]);
    const asked = async (query: object): Promise<readonly object[]> =>
      (await route('/api/v2/alerts').handle({ ...call, query: { ...query } })) as readonly object[];
    const states = (await asked({})).map((each) => (each as { readonly status: object }).status);
    assert.deepEqual(states, [
      { state: 'active', silencedBy: [], inhibitedBy: [] },
      { state: 'suppressed', silencedBy: ['s1'], inhibitedBy: [] },
    ]);
    assert.equal((await asked({ silenced: false })).length, 1);
    assert.equal((await asked({ active: false })).length, 1);
  });

  it('A12: silencedBy holds ids of silences alone; what is held back otherwise is inhibited', async () => {
    const { route } = served([{ ...alert, muted: { kind: 'flapping', percent: 60 } }]);
    for (const path of ['/api/v2/alerts', '/api/v2/alerts/groups']) {
      const found = async (query: object): Promise<number> =>
        ((await route(path).handle({ ...call, query: { ...query } })) as readonly object[]).length;
      const [told] = [(await route(path).handle(call)) as readonly object[]];
      assert.match(JSON.stringify(told), /"state":"suppressed","silencedBy":\[\],"inhibitedBy":\["flapping"\]/);
      assert.deepEqual([await found({ silenced: false }), await found({ inhibited: false }), await found({ active: false })], [1, 0, 1]);
      assert.deepEqual([await found({ receiver: 'que.*' }), await found({ receiver: 'other' })], [1, 0]);
    }
  });

  it('A12: a silence is made, changed and ended by what its tools send', async () => {
    const { route, set, ended } = served();
    const body = {
      id: '',
      matchers: [
        { name: 'team', value: 'd.*', isRegex: true, isEqual: false },
        { name: 'host', value: 'db1', isRegex: false },
      ],
      startsAt: '2026-11-21T12:00:00.123456789+01:00',
      endsAt: '2026-11-21T14:00:00Z',
      createdBy: 'bob',
      comment: 'works',
    };
    assert.deepEqual(await route('/api/v2/silences', 'post').handle({ ...call, body }), { silenceID: 's9' });
    assert.deepEqual(set, [
      [
        {
          id: '',
          matchers: [
            { name: 'team', op: '!~', value: 'd.*' },
            { name: 'host', op: '=', value: 'db1' },
          ],
          startsAt: Date.UTC(2026, 10, 21, 11, 0, 0, 123),
          endsAt: Date.UTC(2026, 10, 21, 14),
          by: 'bob',
          comment: 'works',
        },
        { actor: 'ann', scopes: 'all' },
      ],
    ]);
    await assert.rejects(
      async () => route('/api/v2/silences', 'post').handle({ ...call, body: { ...body, endsAt: 'tomorrow' } }),
      /body\/endsAt/,
    );
    await route('/api/v2/silence/:id', 'delete').handle({ ...call, params: { id: 's9' } });
    assert.deepEqual(ended, [['s9', { actor: 'ann', scopes: 'all' }]]);
  });

  it('A12: silences are told with their state and matchers, alerts in groups by name', async () => {
    const { route } = served();
    const told = (await route('/api/v2/silences').handle(call)) as readonly {
      readonly updatedAt: string;
      readonly status: object;
      readonly matchers: object;
    }[]; // as its schema says
    assert.deepEqual(
      told.map(({ status }) => status),
      [{ state: 'active' }, { state: 'pending' }, { state: 'expired' }],
    );
    assert.equal(told[0]?.updatedAt, '2026-11-21T12:00:00.005Z');
    assert.deepEqual(told[0]?.matchers, [{ name: 'team', value: 'd.*', isRegex: true, isEqual: false }]);
    const [group] = (await route('/api/v2/alerts/groups').handle(call)) as readonly { readonly labels: object }[];
    assert.deepEqual(group?.labels, { alertname: 'Down' });
  });

  it('hands on the caller’s scopes and the matchers, and no more than that', async () => {
    const { asked, route } = served();
    await route('/api/v2/alerts').handle({
      ...call,
      query: { filter: ['team="db"', 'alertname=~"Do.*"'], active: true },
      scopes: ['team-a'],
    });
    assert.deepEqual(
      asked.map(({ scopes, limit, matchers }) => ({ scopes, limit, matchers })),
      [
        {
          scopes: ['team-a'],
          limit: 20_000,
          matchers: [
            { name: 'team', op: '=', value: 'db' },
            { name: 'alertname', op: '=~', value: 'Do.*' },
          ],
        },
      ],
    );
  });

  for (const [filter, says] of [
    ['{nonsense', /^query\/filter: expected a matcher like host=db1/],
    ['team!~"("', /^query\/filter: it does not end$/],
  ] as const) {
    it(`refuses ${filter}, and asks for nothing`, async () => {
      const { asked, route } = served();
      await assert.rejects(
        async () => route('/api/v2/alerts').handle({ ...call, query: { filter: [filter] } }),
        (error) => error instanceof GatewayError && error.code === 'invalid_request' && says.test(error.message),
      );
      assert.deepEqual(asked, []);
    });
  }
});

const gettable = {
  labels: { alertname: 'Down', team: 'db', severity: 'error' },
  annotations: { summary: 'down' },
  startsAt: '2026-11-21T12:00:00.000Z',
  updatedAt: '2026-11-21T12:01:00.000Z',
  endsAt: '0001-01-01T00:00:00.000Z',
  fingerprint: 'f1',
  receivers: [{ name: 'quench' }],
  status: { state: 'active', silencedBy: [], inhibitedBy: [] },
};
