// A restart at night on a configuration that does not load: what has no part in what is wrong works, and the rest is said.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createExpressions } from '../../adapters/cel/expressions.ts';
import { diskFiles } from '../../src/config/files.ts';
import { loadConfig } from '../../src/config/quench/config.ts';
import { systemClock } from '../../src/gateway/clock.ts';
import { configDeps } from '../../src/gateway/config-deps.ts';
import { deliver, folder, house, open, ready, until, type Folder } from './house.ts';

const playbook = (name: string): string => `apiVersion: playbook/v1
name: ${name}
version: 1.0.0
summary: Does nothing of note.
owner: team/test
mode: "off"
on: [{ alert: alert.name == "Nothing" }]
params: { host: { type: string, from: alert.host } }
target: { resource: "host/\${params.host}" }
steps: [{ id: act, uses: shell/run, with: { argv: [/usr/bin/true] }, timeout: 10s }]
verify: { within: 5s, every: 1s, all: [resolved] }
escalate: { say: It did not help. }
`;

function strictly({ dir }: Folder): boolean {
  return loadConfig(join(dir, 'quench.yaml'), configDeps({}, diskFiles, createExpressions(), systemClock)).ok;
}

async function figure(url: string, name: string): Promise<string> {
  const text = await (await fetch(`${url}/metrics`, { headers: { connection: 'close' } })).text();
  return text.split('\n').find((line) => line.startsWith(`${name} `)) ?? '';
}

// Each waits for a page that is due in ten seconds: side by side.
describe('a start on a configuration that does not load', { concurrency: true }, () => {
  it('B22: with a bad playbook the others load, and readyz, metric, log and a page say so', { timeout: 60_000 }, async (t) => {
    const place = folder(t, { 'quench.yaml': house, 'playbooks/a.yaml': playbook('good'), 'playbooks/b.yaml': 'name: [half' });
    assert.equal(strictly(place), false);
    const { url, gateway, rang, said } = await open(t, place);
    await until('the policy', () => gateway.service.policy() !== null);
    assert.deepEqual(
      gateway.service.policy()?.playbooks.map(({ name }) => name),
      ['good'],
    );
    const told = await ready(url);
    assert.equal(told.status, 200);
    assert.match(told.text, /the configuration does not load whole \(\d+ problems?\): what has none is in use/);
    assert.match(await figure(url, 'quench_config_problems'), / [1-9]/);
    assert.match(said(), /error the configuration has a problem problem=".*b\.yaml/);
    await until('the page', () => /started with a broken configuration/.test(rang()));
  });

  it(
    'B22: a notifier without its secret refuses, a broken endpoint takes nothing in, a broken token is none; the rest works',
    { timeout: 60_000 },
    async (t) => {
      const place = folder(t, {
        'quench.yaml': `listen: { host: 127.0.0.1, port: 0 }
data: { dir: data }
api: { tokens: { gone: { role: admin, secret: { env: NOT_SET } } } }
endpoints:
  am: { source: prometheus, allowUnauthenticated: true }
  typo: { source: promtheus, auth: { bearer: { env: NOT_SET } } }
  unset: { source: zabbix, auth: { bearer: { env: NOT_SET } } }
notifiers:
  pd: { type: pagerduty, routingKey: { env: NOT_SET } }
  none: { typ: console }
  console: { type: console }
ladders: { default: { rungs: [{ notify: [pd, none], wait: 10s }, { notify: console }] } }
failOpen: { after: 10s, notify: [pd] }
settle: 0s
holdOff: 0s
`,
      });
      assert.equal(strictly(place), false);
      const { url, rang } = await open(t, place);
      for (const name of ['typo', 'unset']) {
        const answer = await fetch(`${url}/webhooks/${name}`, {
          method: 'POST',
          body: '{}',
          headers: { authorization: 'Bearer ', connection: 'close' },
        });
        assert.deepEqual([name, answer.status], [name, 503]);
      }
      assert.equal((await fetch(`${url}/api/v1/alerts`, { headers: { authorization: 'Bearer ', connection: 'close' } })).status, 401);
      assert.match((await ready(url)).text, /2 notifiers refuse, 2 endpoints take nothing in/);
      await until('the page about the configuration, by a notifier that works', () => /started with a broken configuration/.test(rang()));
      assert.equal(await deliver(url, 'Down'), 200);
      await until('the page of the next rung', () => /\[critical\](?!.*undecided| decided:).*Down/.test(rang()));
    },
  );

  it('B22: with broken ladders the policy of the log stays in force, and without one everybody is rung', { timeout: 60_000 }, async (t) => {
    const place = folder(t, { 'quench.yaml': house });
    const before = await open(t, place);
    await until('the policy', () => before.gateway.service.policy() !== null);
    const inForce = before.gateway.service.policy()?.digest;
    await before.stop();
    const broken = house.replace('[{ notify: console }]', '[{ notify: consle, wait: forever }]').replace('holdOff: 0s', 'holdOff: 1s');
    place.write('quench.yaml', broken);
    assert.equal(strictly(place), false);
    const { gateway, url, rang, stop } = await open(t, place);
    assert.equal(await deliver(url, 'Afterwards'), 200);
    await until('the page', () => /\[critical\](?!.*undecided| decided:).*Afterwards/.test(rang()));
    assert.equal(gateway.service.policy()?.digest, inForce);
    assert.match((await ready(url)).text, /the policy in force stays in force/);
    await stop();

    const fresh = folder(t, { 'quench.yaml': broken });
    const other = await open(t, fresh);
    assert.equal(await deliver(other.url, 'Down'), 200);
    await until('the page', () => /\[critical\](?!.*undecided| decided:).*Down/.test(other.rang()));
  });

  it('B22: a quench.yaml that cannot be read at all gives way to the last that loaded', { timeout: 60_000 }, async (t) => {
    const place = folder(t, { 'quench.yaml': house.replace('dir: data', 'dir: kept') });
    await (await open(t, place)).stop();
    place.write('quench.yaml', 'data: { dir: kept }\nnotifiers: { console: { ty');
    assert.equal(strictly(place), false);
    const { url, rang } = await open(t, place);
    assert.match((await ready(url)).text, /the last copy that loaded is used/);
    assert.equal(await deliver(url, 'Down'), 200);
    await until('the page', () => /\[critical\](?!.*undecided| decided:).*Down/.test(rang()));

    const stranger = folder(t, { 'quench.yaml': 'data: { dir: kept }\nnotifiers: { console: { ty' });
    await assert.rejects(open(t, stranger), /invalid_config|does not load/);
  });
});
