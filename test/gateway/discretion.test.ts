// Secrets of the configuration that a sender quotes: src/gateway/discretion.ts, alone and through a whole gateway.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDiscretion } from '../../src/gateway/discretion.ts';
import { eventOf } from '../support/event.ts';
import { plainNotification } from '../support/notification.ts';
import { folder, house, open, until } from './house.ts';

const plainEvent = eventOf();
const token = 'adm1n-token-of-the-gateway';

test('B2: a token that stands in the words of an alert reaches no page and no answer; the delivery is kept as it came', async (t) => {
  const place = folder(t, { 'admin.token': token });
  place.write('quench.yaml', `api: { tokens: { admin: { role: admin, secret: { file: admin.token } } } }\n${house}`);
  const { url, rang, stop } = await open(t, place);
  const alert = {
    status: 'firing',
    labels: { alertname: 'Leak', instance: 'db1:9100', severity: 'critical' },
    annotations: { summary: `login with ${token} failed`, description: `curl -H 'authorization: Bearer ${token}'` },
    startsAt: new Date().toISOString(),
    generatorURL: `http://prom.example/graph?token=${token}`,
  };
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}`, connection: 'close' };
  const taken = await fetch(`${url}/webhooks/am`, { method: 'POST', headers, body: JSON.stringify({ version: '4', alerts: [alert] }) });
  assert.ok(taken.ok);
  await until('the page', () => /login with \[redacted\] failed/.test(rang()), 15_000);
  const shown = async (): Promise<boolean> => (await fetch(`${url}/api/v1/incidents/i2.default`, { headers })).status === 200;
  await until('the incident is shown', shown);
  const asked = ['/api/v1/incidents/i2.default', '/api/v1/incidents/i2.default/timeline', '/api/v1/alerts', '/api/v2/alerts'];
  for (const path of [...asked, '/api/v1/incidents', '/api/v1/log/facts/0?limit=1000']) {
    const answer = await fetch(`${url}${path}`, { headers });
    const text = await answer.text();
    assert.equal(answer.status, 200, path);
    assert.doesNotMatch(text, new RegExp(token), path);
  }
  const raw = await fetch(`${url}/api/v1/log/inputs/0?limit=1000&raw=true`, { headers });
  assert.match(await raw.text(), new RegExp(token), 'as it was received');
  assert.doesNotMatch(rang(), new RegExp(token));
  await stop();
});

test('B2: what leaves as words loses secrets in every part of it, also those of a configuration that came later', () => {
  const discretion = createDiscretion([token]);
  discretion.learn(['another-secret-of-a-reload']);
  const said = discretion.notification({
    ...plainNotification,
    title: token,
    text: `x ${token} y ${Buffer.from(token).toString('base64')}`,
    facts: [{ name: 'output', value: 'another-secret-of-a-reload' }],
    also: [{ id: 'n', incident: 'i', page: 'p', title: token, severity: 'error' }],
  });
  const text = JSON.stringify(said);
  assert.doesNotMatch(text, /adm1n|another-secret|YWRtMW4/);
  assert.equal(text.split('[redacted]').length, 6);
  assert.deepEqual(said.links, plainNotification.links);
});

test('D2: names of hosts, paths and short values are no secrets of their own: a page says where', () => {
  const discretion = createDiscretion(['db1.example.org', 'db1.example.org:5432', '10.20.30.40:9100', '/var/lib/postgresql', 'production']);
  const said = {
    ...plainNotification,
    title: 'db1.example.org down',
    text: '10.20.30.40:9100 /var/lib/postgresql db1.example.org:5432 production',
  };
  assert.deepEqual(discretion.notification(said), said);
});

test('D1: a secret is found wherever in a text it stands, the shortest too', () => {
  const [short, long] = ['s3cret-of-12', token];
  const discretion = createDiscretion([short, long]);
  for (const secret of [short, long]) {
    for (let before = 0; before < 40; before += 1) {
      const summary = `${'a'.repeat(before)}${secret}${'b'.repeat(40 - before)}`;
      const { summary: said } = discretion.event({ ...plainEvent, summary });
      assert.equal(said, summary.replace(secret, '[redacted]'));
    }
  }
  assert.equal(discretion.event(plainEvent), plainEvent, 'what holds none is not written anew');
});
