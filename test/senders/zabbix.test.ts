// The real Zabbix against the real gateway: our media type imported as the README says, a problem with its updates and its recovery, and what is
// found by asking after an outage. Seen through the gateway's API only.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createGateway, ingestToken, type Doc, type Gateway } from './gateway.ts';
import { folder, presenceOf, until } from './support.ts';
import { startZabbix, zabbixPrograms, type Zabbix } from './zabbix.ts';

const telling = presenceOf(zabbixPrograms);
const isFiring = ({ state }: Doc): boolean => state === 'firing';
const withinMs = 60_000;

describe('zabbix', { skip: telling.skip }, () => {
  const stops: (() => Promise<void>)[] = [];
  let dir: string;
  let gateway: Gateway;
  let zabbix: Zabbix;

  before(async () => {
    telling.demand();
    dir = folder();
    gateway = await createGateway(dir);
    stops.push(() => gateway.stop());
    await gateway.start();
    const endpoint = `${gateway.url}/webhooks/zabbix`;
    zabbix = await startZabbix(dir, { hosts: ['zbx-web-1', 'zbx-lost-1', 'zbx-off-1'], endpoint, token: ingestToken });
    stops.push(() => zabbix.stop());
  });

  after(async () => {
    for (const stop of stops.toReversed()) await stop();
  });

  async function update(host: string, action: number, more: object = {}): Promise<void> {
    await zabbix.call('event.acknowledge', { eventids: await zabbix.problems(host), action, ...more });
  }

  function told(incident: unknown, expected: RegExp): Promise<true> {
    return until(`the timeline says ${expected.source}`, {
      withinMs,
      look: async () => (expected.test((await gateway.timeline(incident)).join('\n')) ? true : null),
      seen: async () => `${(await gateway.timeline(incident)).join('\n')}\n${zabbix.log()}`,
    });
  }

  test('a problem, its updates and its recovery are one alert, by our media type as it is imported', async () => {
    await zabbix.set('zbx-web-1', 1);
    const fired = await gateway.alert('the problem', 'zbx-web-1', isFiring, withinMs);
    const [event] = await zabbix.problems('zbx-web-1');
    assert.deepEqual([fired['episode'], fired['severity'], fired['name']], [event, 'error', 'Web is down on {HOST.NAME}']);
    assert.match(String(fired['summary']), /^zbx-web-1: Web is down on zbx-web-1 of the test/);
    assert.deepEqual(fired['entity'], { host: 'zbx-web-1', service: 'shop-zbx-web-1' });

    await update('zbx-web-1', 2 + 4, { message: 'I look at it' });
    await told(fired['incident'], /acknowledged and commented by Zabbix Administrator.*: I look at it/);
    await update('zbx-web-1', 16);
    await told(fired['incident'], /unacknowledged by Zabbix Administrator/);
    assert.equal((await gateway.alertsOf('zbx-web-1'))[0]?.['acknowledged'], false);
    await update('zbx-web-1', 8, { severity: 5 });
    await gateway.alert('the worse severity', 'zbx-web-1', ({ severity }) => severity === 'critical', withinMs);

    await zabbix.set('zbx-web-1', 0);
    await gateway.incidentIs('resolved', fired['incident'], withinMs);
    const held = await gateway.alertsOf('zbx-web-1');
    assert.deepEqual(
      held.map(({ id, state }) => [id, state]),
      [[fired.id, 'cleared']],
    );
  });

  test('A6: what began and ended while nothing was sent is found by asking; a disabled host has nothing open', async () => {
    for (const host of ['zbx-lost-1', 'zbx-off-1'] as const) await zabbix.set(host, 1);
    const ends = await gateway.alert('told by the webhook', 'zbx-lost-1', isFiring, withinMs);
    const off = await gateway.alert('told by the webhook', 'zbx-off-1', isFiring, withinMs);
    await gateway.kill();
    await zabbix.tells(false);
    await zabbix.set('zbx-lost-1', 0);
    await zabbix.set('zbx-web-1', 1);
    await until('Zabbix has seen both', {
      withinMs,
      look: async () =>
        (await zabbix.problems('zbx-web-1')).length === 1 && (await zabbix.problems('zbx-lost-1')).length === 0 ? true : null,
      seen: async () => zabbix.log(),
    });
    const [hostid] = (await zabbix.call<{ hostid: string }[]>('host.get', { filter: { host: 'zbx-off-1' }, output: ['hostid'] })).map(
      (host) => host.hostid,
    );
    await zabbix.call('host.update', { hostid, status: 1 });

    const file = join(dir, 'quench.yaml');
    const asked = `reconcile: { every: 1s, unheard: 1s, grace: 2s, url: '${zabbix.url}', user: ${zabbix.user}, password: { file: zabbix.password } }`;
    writeFileSync(join(dir, 'zabbix.password'), `${zabbix.password}\n`, { mode: 0o600 });
    writeFileSync(file, readFileSync(file, 'utf8').replace('source: zabbix, ', `source: zabbix, ${asked}, `));
    await gateway.start();

    const found = await gateway.alert('found by asking', 'zbx-web-1', isFiring, withinMs);
    assert.equal(found['episode'], (await zabbix.problems('zbx-web-1'))[0]);
    await gateway.incidentIs('resolved', ends['incident'], withinMs);
    await gateway.incidentIs('resolved', off['incident'], withinMs);
    assert.match((await gateway.timeline(off['incident'])).join('\n'), /not open at the source any more/);

    await zabbix.call('host.update', { hostid, status: 0 });
    const again = await gateway.alert('enabled again, it is open at once', 'zbx-off-1', isFiring, withinMs);
    assert.deepEqual([again.id, again['episode']], [off.id, off['episode']]);
  });
});
