// Alertmanager asked: the shapes of its API 0.25, against an HTTP server of this process. The real one is asked in test/senders.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alertmanagerAlerts } from '../../../adapters/prometheus/reconcile.ts';
import { prometheus } from '../../../adapters/prometheus/source.ts';
import { someday } from '../../support/clock.ts';
import { openAsked } from '../kit/asked-server.ts';

const labels = { alertname: 'InstanceDown', instance: 'web-1:9100', severity: 'critical' };
const alertOf = (change: object = {}): object => ({
  annotations: { summary: 'down' },
  endsAt: '2026-11-21T04:04:00.000Z',
  fingerprint: 'b2f7e4d1a2c3b4d5',
  receivers: [{ name: 'quench' }],
  startsAt: '2026-11-21T03:50:00.100Z',
  status: { inhibitedBy: [], silencedBy: [], state: 'active' },
  updatedAt: '2026-11-21T04:00:00.000Z',
  generatorURL: 'http://prom.example/graph',
  labels,
  ...change,
});

async function asked(alerts: unknown, status: unknown = { uptime: '2026-11-21T00:00:00.000Z', cluster: { status: 'ready' } }) {
  const seen: string[] = [];
  const server = await openAsked((request) => {
    seen.push(`${request.url} ${request.headers.authorization ?? ''}`);
    return request.url === '/am/api/v2/status' ? status : alerts;
  });
  try {
    const source = alertmanagerAlerts({ url: `${server.url}/am/`, receiver: 'quench', token: 'sesame-token' }, server.deps);
    return { answer: await source.ask(someday, new AbortController().signal), seen };
  } finally {
    await server.close();
  }
}

test('A6: an open alert has the fingerprint and the episode of its webhook, and no end that Alertmanager guesses', async () => {
  const { answer, seen } = await asked([alertOf()]);
  assert.ok(answer.ok);
  assert.deepEqual(seen, [
    '/am/api/v2/status Bearer sesame-token',
    '/am/api/v2/alerts?active=true&silenced=true&inhibited=true&unprocessed=true Bearer sesame-token',
  ]);
  const source = prometheus({});
  const [open] = answer.value.alerts;
  assert.ok(open !== undefined && open.ours);
  const byAnswer = source.parse(open.delivery);
  const webhook = {
    version: '4',
    alerts: [{ status: 'firing', labels, annotations: {}, startsAt: '2026-11-21T03:50:00.1Z', endsAt: '0001-01-01T00:00:00Z' }],
  };
  const byWebhook = source.parse({ ...open.delivery, body: JSON.stringify(webhook) });
  assert.ok(byAnswer.ok && byWebhook.ok);
  const identities = [byAnswer, byWebhook].map(({ value }) =>
    value.events.map(({ fingerprint, episode, claim }) => [fingerprint, episode, claim]),
  );
  assert.deepEqual(identities[0], identities[1]);
  assert.deepEqual([answer.value.partial, answer.value.since], [null, Date.parse('2026-11-21T00:00:00Z')]);
});

test('A6: what is silenced, or goes to other receivers, is open and not ours', async () => {
  const silenced = alertOf({ status: { state: 'suppressed', silencedBy: ['x'], inhibitedBy: [] } });
  const { answer } = await asked([alertOf(), silenced, alertOf({ receivers: [{ name: 'mail' }] })]);
  assert.ok(answer.ok);
  assert.deepEqual(
    answer.value.alerts.map(({ ours }) => ours),
    [true, false, false],
  );
});

test('A6: a wrong receiver, a settling cluster and an alert without labels make the answer partial', async () => {
  for (const [alerts, status, says] of [
    [[alertOf({ receivers: [{ name: 'mail' }] })], undefined, /none of its 1 alerts goes to the receiver "quench"/],
    [[], { uptime: '2026-11-21T00:00:00.000Z', cluster: { status: 'settling' } }, /settling/],
    [[{}], undefined, /no labels/],
  ] as const) {
    const { answer } = await asked(alerts, status);
    assert.ok(answer.ok);
    assert.match(answer.value.partial ?? '', says);
  }
});

test('A6: an error page, another JSON and a refusal are failures in words without the token', async () => {
  for (const [alerts, status] of [
    [503, undefined],
    ['<html>sesame-token</html>', undefined],
    [{ data: [] }, undefined],
    [[], { ok: true }],
  ] as const) {
    const { answer } = await asked(alerts, status);
    assert.ok(!answer.ok);
    assert.doesNotMatch(answer.error, /sesame/);
  }
});
