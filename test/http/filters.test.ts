// What lists may be asked for over HTTP; that the read model finds it rightly is its contract's business.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createExpressions } from '../../adapters/cel/expressions.ts';
import type { PatternTest } from '../../src/core/alert/labels.ts';
import { minute } from '../../src/core/time.ts';
import { alertsAsked } from '../../src/http/api/filters.ts';
import type { DocumentPatch } from '../../src/readmodel/patch.ts';
import { front, noon, showing, tokens } from './support.ts';

const scope = 'default';
const begins = true;

const documents: readonly DocumentPatch[] = [
  {
    kind: 'alert',
    id: 'a1',
    scope,
    at: noon,
    begins,
    set: {
      name: 'Down',
      source: 'one',
      severity: 'critical',
      labels: { team: 'db', env: 'prod' },
      entity: { host: 'db1' },
      incident: 'i1',
    },
  },
  {
    kind: 'alert',
    id: 'a2',
    scope,
    at: noon - minute,
    begins,
    set: {
      name: 'Slow',
      source: 'two',
      severity: 'warning',
      labels: { team: 'web' },
      entity: { host: 'web1', service: 'shop' },
      incident: 'i2',
    },
  },
  {
    kind: 'alert',
    id: 'a3',
    scope,
    at: noon - 2 * minute,
    begins,
    set: { name: 'Down', source: 'one', state: 'cleared', entity: { host: 'db2' } },
  },
  { kind: 'incident', id: 'i1', scope, at: noon, begins, set: { severity: 'warning', title: 'db is down' } },
  { kind: 'incident', id: 'i2', scope, at: noon - minute, begins, set: { severity: 'critical', parent: 'i4' } },
  { kind: 'incident', id: 'i3', scope, at: noon - 2 * minute, begins, set: { severity: 'critical', state: 'resolved' } },
  { kind: 'incident', id: 'i4', scope, at: noon - 3 * minute, begins, set: { severity: 'error', storm: true } },
  {
    kind: 'run',
    id: 'r1',
    scope,
    at: noon,
    begins,
    set: { incident: 'i1', playbook: 'restart', target: 'host/db1', state: 'ended', end: 'failed' },
  },
  {
    kind: 'run',
    id: 'r2',
    scope,
    at: noon - minute,
    begins,
    set: { incident: 'i2', playbook: 'scale', target: 'host/web1', state: 'waiting' },
  },
  { kind: 'page', id: 'p1', scope, at: noon, begins, set: { incident: 'i1' } },
  { kind: 'page', id: 'p2', scope, at: noon - minute, begins, set: { incident: 'i2', state: 'acked' } },
  { kind: 'approval', id: 'r2', scope, at: noon, begins, set: { incident: 'i2', run: 'r2' } },
];

async function asking(
  t: TestContext,
): Promise<(path: string) => Promise<{ readonly status: number; readonly ids: string; readonly detail: string }>> {
  const { http, store } = await front();
  await showing(store, documents);
  const port = await http.start(0, '127.0.0.1');
  t.after(() => http.stop());
  return async (path) => {
    const headers = { authorization: `Bearer ${tokens.read}`, connection: 'close' };
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`, { headers });
    const body = (await response.json()) as { readonly items?: readonly { readonly id: string }[]; readonly detail?: string }; // a list or a problem
    return { status: response.status, ids: (body.items ?? []).map(({ id }) => id).join(' '), detail: body.detail ?? '' };
  };
}

const since = new Date(noon - minute).toISOString();
const lists: readonly (readonly [path: string, ids: string])[] = [
  ['alerts', 'a1 a2 a3'],
  ['alerts?state=cleared', 'a3'],
  ['alerts?state=cleared,%20firing', 'a1 a2 a3'],
  ['alerts?severity=critical,warning', 'a1 a2'],
  ['alerts?source=two', 'a2'],
  ['alerts?source=two&source=one', 'a1 a2 a3'],
  ['alerts?name=Down', 'a1 a3'],
  ['alerts?name=Down&state=firing', 'a1'],
  ['alerts?host=DB1', 'a1'],
  ['alerts?host=db1&host=db2', 'a1 a3'],
  ['alerts?service=shop', 'a2'],
  ['alerts?match=team%3D%22db%22', 'a1'],
  ['alerts?match=team%3D~%22db%7Cweb%22', 'a1 a2'],
  ['alerts?match=team%3D~%22db%7Cweb%22&match=env!%3Dprod', 'a2'],
  ['alerts?incident=i2', 'a2'],
  ['alerts?text=SHOP', 'a2'],
  [`alerts?since=${since}`, 'a1 a2'],
  [`alerts?since=${noon}`, 'a1'],
  [`alerts?until=${encodeURIComponent(since.replace('Z', '+00:00'))}`, 'a3'],
  ['alerts?sort=worst', 'a1 a2 a3'],
  ['alerts?limit=1', 'a1'],
  // The worst first, without the resolved, and without what a storm speaks for.
  ['incidents', 'i4 i1'],
  ['incidents?sort=newest', 'i1 i4'],
  ['incidents?children=show', 'i2 i4 i1'],
  ['incidents?parent=i4', 'i2'],
  ['incidents?storm=true', 'i4'],
  ['incidents?state=resolved', 'i3'],
  ['incidents?state=open,acknowledged,resolved&children=show&severity=critical', 'i2 i3'],
  ['incidents?text=db%20is', 'i1'],
  ['runs?playbook=scale', 'r2'],
  ['runs?target=host%2Fdb1', 'r1'],
  ['runs?end=failed,stuck', 'r1'],
  ['runs?incident=i2', 'r2'],
  ['runs?state=waiting', 'r2'],
  ['pages?incident=i1', 'p1'],
  ['pages?state=acked', 'p2'],
  ['approvals?run=r2', 'r2'],
  ['approvals?incident=i1', ''],
];

test('each list answers each of its filters, alone and together', async (t) => {
  const ask = await asking(t);
  for (const [path, ids] of lists) assert.deepEqual(await ask(path), { status: 200, ids, detail: '' }, path);
});

test('a word that there is not is refused with the words that there are, and what cannot be read with what is expected', async (t) => {
  const ask = await asking(t);
  const wrongs: readonly (readonly [path: string, detail: RegExp])[] = [
    ['alerts?state=open', /state: expected firing or cleared, seen open/],
    ['incidents?state=open,done', /state: expected open, acknowledged or resolved, seen done/],
    ['runs?state=', /state: expected working, waiting or ended, seen nothing/],
    ['silences?state=ended', /state: expected active or expired, seen ended/],
    ['alerts?severity=bad', /severity: expected info, warning, error or critical, seen bad/],
    ['runs?end=dead', /end: expected succeeded, .* or refused, seen dead/],
    ['incidents?sort=oldest', /query\/sort must be one of worst, newest/],
    ['incidents?children=maybe', /query\/children must be one of show, hide/],
    ['incidents?storm=maybe', /query\/storm must be boolean/],
    ['alerts?since=2h', /query\/since: expected an instant like 2026-11-21T04:00:00Z, or milliseconds since 1970, seen "2h"/],
    ['alerts?until=2026-11-21', /query\/until: expected an instant/],
    ['alerts?match=team', /query\/match: expected a matcher like/],
    ['alerts?match=team%3D~%22(%22', /query\/match: /],
    ['incidents?match=team%3Ddb', /must not have "match"/],
    ['alerts?text=a&text=b', /query\/text must be string/],
    [`alerts?${'host=a&'.repeat(21)}`, /query\/host must NOT have more than 20 items/],
  ];
  for (const [path, detail] of wrongs) {
    const answer = await ask(path);
    assert.equal(answer.status, 400, path);
    assert.match(answer.detail, detail, path);
  }
});

test('pages of one question follow each other; the place of another sort is refused', async (t) => {
  const { http, store } = await front();
  await showing(store, documents);
  const port = await http.start(0, '127.0.0.1');
  t.after(() => http.stop());
  const get = async (path: string): Promise<{ items?: readonly { id: string }[]; next?: string; status: number }> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`, {
      headers: { authorization: `Bearer ${tokens.read}`, connection: 'close' },
    });
    return { ...((await response.json()) as object), status: response.status };
  };
  const ids: string[] = [];
  let next = '';
  for (let pages = 0; pages < 9; pages += 1) {
    const page = await get(`incidents?children=show&limit=1${next === '' ? '' : `&after=${encodeURIComponent(next)}`}`);
    ids.push(...(page.items ?? []).map(({ id }) => id));
    if ((page.next ?? null) === null) break;
    next = page.next ?? '';
  }
  assert.deepEqual(ids, ['i2', 'i4', 'i1']);
  assert.equal((await get(`incidents?sort=newest&after=${encodeURIComponent(next)}`)).status, 400);
});

test('a storm is shown with the first page of what it speaks for, anything else without', async (t) => {
  const { http, store } = await front();
  const nested = Array.from({ length: 60 }, (_, place): DocumentPatch => ({
    kind: 'incident',
    id: `n${place}`,
    scope,
    at: noon + place,
    begins,
    set: { parent: 'i4' },
  }));
  await showing(store, [...documents, ...nested]);
  const port = await http.start(0, '127.0.0.1');
  t.after(() => http.stop());
  const get = async (
    path: string,
  ): Promise<{ children: number; nested: { items: readonly { id: string }[]; next: string | null }; items: readonly object[] }> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`, {
      headers: { authorization: `Bearer ${tokens.read}`, connection: 'close' },
    });
    return (await response.json()) as never; // an incident with its parts, or a page
  };
  const storm = await get('incidents/i4');
  assert.deepEqual([storm.children, storm.nested.items.length, storm.nested.items[0]?.id], [61, 50, 'i2']);
  const rest = await get(`incidents?parent=i4&state=open&after=${encodeURIComponent(storm.nested.next ?? '')}`);
  assert.equal(rest.items.length, 11);
  assert.deepEqual((await get('incidents/i1')).nested, { items: [], next: null });
});

test('E5: what resolved storms spoke for does not fill the list of what is resolved; what answers without its storm is shown', async (t) => {
  const { http, store } = await front();
  const over = (id: string, at: number, set: object): DocumentPatch => ({
    kind: 'incident',
    id,
    scope,
    at,
    begins,
    set: { state: 'resolved', ...set },
  });
  const children = Array.from({ length: 300 }, (_, place) =>
    over(`c${place}`, noon + 1_000 + place, { parent: 'storm', severity: 'critical' }),
  );
  await showing(store, [
    over('storm', noon, { storm: true, severity: 'error' }),
    ...children,
    over('alone1', noon - 1, { severity: 'error' }),
    over('alone2', noon - 2, { severity: 'error' }),
  ]);
  const port = await http.start(0, '127.0.0.1');
  t.after(() => http.stop());
  const get = async (query: string): Promise<{ readonly ids: readonly string[]; readonly next: string | null }> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/incidents?${query}`, {
      headers: { authorization: `Bearer ${tokens.read}`, connection: 'close' },
    });
    const page = (await response.json()) as { readonly items: readonly { readonly id: string }[]; readonly next: string | null };
    return { ids: page.items.map(({ id }) => id), next: page.next };
  };
  const first = await get('state=resolved&limit=2');
  assert.deepEqual(first.ids, ['storm', 'alone1']);
  assert.deepEqual(await get(`state=resolved&limit=2&after=${encodeURIComponent(first.next ?? '')}`), { ids: ['alone2'], next: null });
  assert.deepEqual((await get('state=resolved,open&sort=newest&limit=10')).ids, ['storm', 'alone1', 'alone2']);
  assert.equal((await get('state=resolved&children=show&limit=200')).ids.length, 200);
  assert.equal((await get('state=resolved&parent=storm&limit=200')).ids.length, 200);
  assert.equal(
    (await get('state=resolved&severity=critical&limit=200')).ids.length,
    200,
    'the storm is none of those, so it cannot speak for them',
  );
});

test('F1, L3: patterns that take much work together are refused by name; the next question begins anew', () => {
  const expressions = { patternProblem: () => null, pattern: () => true, patternSize: () => 900 };
  const asked = (): PatternTest | undefined =>
    alertsAsked({ query: { match: ['v=~"slow.*"'], limit: 1 }, scopes: 'all' }, { expressions }).labels?.pattern;
  const first = asked();
  const value = 'a'.repeat(99);
  for (let times = 0; times < 22; times += 1) assert.equal(first?.('slow.*', value), true);
  assert.throws(() => first?.('slow.*', value), {
    code: 'invalid_request',
    message: /query\/match: the pattern "slow\.\*" \(900 steps a character\) takes more work than a request may/,
  });
  assert.equal(asked()?.('slow.*', value), true);
});

test('E5: a span the wrong way round is refused, for nothing lies in it', () => {
  const query = { since: '2026-11-21T05:00:00Z', until: '2026-11-21T04:00:00Z', limit: 1 };
  const expressions = createExpressions();
  assert.throws(() => alertsAsked({ query, scopes: 'all' }, { expressions }), { code: 'invalid_request', message: /query\/until/ });
});

test('E5: blanks around a source, a name or a host make no difference', () => {
  const query = { source: [' nagios '], name: [' ping'], host: [' Web1 '], limit: 1 };
  const asked = alertsAsked({ query, scopes: 'all' }, { expressions: createExpressions() });
  assert.deepEqual([asked.sources, asked.names, asked.hosts], [['nagios'], ['ping'], ['web1']]);
});
