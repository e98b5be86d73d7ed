// Matchers that come with a request: every alert is asked, in slices, and the pattern that takes too much work is named.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import supertest from 'supertest';
import { alertmanagerApi } from '../../adapters/prometheus/api.ts';
import { createHttp } from '../../src/http/server.ts';
import { front, noon, showing, tokens } from './support.ts';

interface Given {
  readonly name: string;
  readonly labels: { readonly [name: string]: string };
  readonly host?: string;
}

async function firing(t: TestContext, alerts: readonly Given[]) {
  const made = await front();
  const http = createHttp({ ...made.deps, sourceRoutes: [alertmanagerApi] });
  const port = await http.start(0, '127.0.0.1');
  t.after(() => http.stop());
  await showing(
    made.store,
    alerts.map(({ name, labels, host }, at) => {
      const set = { fingerprint: `f${at}`, name, labels, entity: host === undefined ? {} : { host } };
      return { kind: 'alert', id: `f${at}`, scope: made.deps.defaultScope, at: noon + at, begins: true, set } as const;
    }),
  );
  const to = supertest(`http://127.0.0.1:${port}`);
  return {
    list: (...filter: readonly string[]) =>
      to
        .get('/api/v2/alerts')
        .set({ authorization: `Bearer ${tokens.read}` })
        .query({ filter: [...filter] }),
    alerts: (...match: readonly string[]) =>
      to
        .get('/api/v1/alerts')
        .set({ authorization: `Bearer ${tokens.read}` })
        .query({ match: [...match] }),
    post: (path: string, body: object) =>
      to
        .post(path)
        .set({ authorization: `Bearer ${tokens.operate}` })
        .send(body),
  };
}

const bait = Array.from({ length: 1_000 }, (_, at) => ((at * 7_919) % 13 < 6 ? 'a' : 'b')).join('');
const slow = (at: number): string => `(?:[ab]*a[ab]{${400 + at}}[ab]*)`;

test('A12: an alert is found behind thousands that are newer, by the name its source gave it', async (t) => {
  const others = Array.from({ length: 2_500 }, () => ({ name: 'Other', labels: {} }));
  const made = await firing(t, [{ name: 'Needle', labels: {} }, ...others]);
  const { body } = await made.list('alertname="Needle"').expect(200);
  assert.deepEqual(
    body.map(({ fingerprint, labels }: { fingerprint: string; labels: object }) => [fingerprint, labels]),
    [['f0', { alertname: 'Needle', severity: body[0].labels.severity }]],
  );
});

test('A13: the preview counts all that match, by host as the silence will, however many fire', async (t) => {
  const others = Array.from({ length: 5_500 }, () => ({ name: 'Down', labels: { instance: 'web9:9100' }, host: 'web9' }));
  const made = await firing(t, others);
  const matchers = [{ name: 'host', op: '=', value: 'web9' }];
  const { body } = await made.post('/api/v1/silences/preview', { matchers }).expect(200);
  assert.deepEqual([body.count, body.complete, body.items.length], [5_500, true, 100]);
});

test('F1: a filter, a preview and a silence whose pattern takes too much work are refused, and the pattern is named', async (t) => {
  const made = await firing(
    t,
    Array.from({ length: 200 }, () => ({ name: 'Down', labels: { v: bait } })),
  );
  const began = performance.now();
  const filters = Array.from({ length: 10 }, (_, at) => `v=~"${slow(at)}"`);
  const listed = await made.list(...filters).expect(400);
  assert.match(
    listed.body,
    /^query\/filter: the pattern "\(\?:\[ab\]\*a\[ab\]\{400\}\[ab\]\*\)" \(4\d\d steps a character\) takes more work/,
  );

  const matchers = [{ name: 'v', op: '=~', value: slow(0) }];
  const preview = await made.post('/api/v1/silences/preview', { matchers }).expect(400);
  assert.match(preview.body.detail, /^body\/matchers: the pattern/);
  const many = Array.from({ length: 20 }, (_, at) => ({ name: 'v', op: '=~', value: `.*a.{${300 + at}}(?:n)?.*` }));
  const body = { matchers: many, endsAt: noon + 3_600_000, comment: 'works' };
  const silence = await made.post('/api/v1/silences', body).expect(400);
  assert.match(silence.body.detail, /^body\/matchers: the patterns of one silence may take 1000 steps a character together, seen \d+/);
  assert.ok(performance.now() - began < 5_000, 'a guard against minutes, not a measure');
});

test('A13: a preview says what looks alike and is not matched', async (t) => {
  const made = await firing(t, [
    { name: 'Down', labels: { job: 'node', instance: 'web9:9100' } },
    { name: 'Down', labels: { job: 'node', instance: 'WEB9.example.net' } },
    { name: 'Down', labels: { job: 'other', instance: 'web9' } },
    { name: 'Down', labels: { job: 'node', instance: 'web90' } },
    { name: 'Down', labels: { job: 'node', instance: 'web9' } },
  ]);
  const matchers = [
    { name: 'instance', op: '=', value: 'web9' },
    { name: 'job', op: '=', value: 'node' },
  ];
  const { body } = await made.post('/api/v1/silences/preview', { matchers }).expect(200);
  const near: readonly { readonly name: string; readonly value: string }[] = body.near.items;
  assert.deepEqual([body.count, body.near.count], [1, 2]);
  assert.deepEqual(near.map(({ name, value }) => `${name}=${value}`).sort(), ['instance=WEB9.example.net', 'instance=web9:9100']);
  const other = await made.post('/api/v1/silences/preview', { matchers: [{ name: 'hostname', op: '=', value: 'web9' }] }).expect(200);
  assert.deepEqual([other.body.count, other.body.near.count], [0, 4], 'the value stands under another label');
});

test('A13: the list of alerts sees what every alert has beside its labels', async (t) => {
  const made = await firing(t, [
    { name: 'Down', labels: { instance: 'web9:9100' }, host: 'web9' },
    { name: 'Down', labels: { host: 'web9' } },
    { name: 'Full', labels: { instance: 'web8:9100', alertname: 'Disk' }, host: 'web8' },
  ]);
  const ids = async (...match: readonly string[]): Promise<readonly string[]> =>
    (await made.alerts(...match).expect(200)).body.items.map(({ id }: { readonly id: string }) => id).sort();
  assert.deepEqual(await ids('host=web9'), ['f0', 'f1']);
  assert.deepEqual(await ids('host=~"web.*"', 'alertname=Down'), ['f0', 'f1']);
  assert.deepEqual(await ids('alertname=Full'), ['f2']);
  assert.deepEqual(await ids('alertname=Disk'), ['f2']);
  assert.deepEqual(await ids('host!=web9'), ['f2']);
  assert.deepEqual((await ids('severity!=none')).length, 3);
});
