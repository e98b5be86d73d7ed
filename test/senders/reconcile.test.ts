// The real Alertmanager and the real Nagios asked what is open: what began and ended while nothing was sent is found.
// No webhook leads to the gateway here, or what it says is thrown away: all that it knows it has asked for.
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createGateway, ingestToken, type Doc, type Gateway } from './gateway.ts';
import { instance, startNagios, type Nagios } from './nagios.ts';
import { folder, freePort, presenceOf, ready, startDaemon, until, type Daemon } from './support.ts';

const asking = presenceOf({ 'prometheus-alertmanager': 'prometheus-alertmanager', nagios4: 'nagios4-core' });
const isFiring = ({ state }: Doc): boolean => state === 'firing';

/** A gateway whose endpoints are asked every second; `reconcile` by endpoint. */
async function askingGateway(dir: string, reconcile: { readonly [endpoint: string]: string }): Promise<Gateway> {
  const gateway = await createGateway(dir);
  const file = join(dir, 'quench.yaml');
  let text = readFileSync(file, 'utf8');
  for (const [endpoint, options] of Object.entries(reconcile)) {
    const source = `source: ${endpoint}, `;
    assert.ok(text.includes(source));
    text = text.replace(source, `${source}reconcile: { every: 1s, unheard: 1s, grace: 2s, ${options} }, `);
  }
  writeFileSync(file, text);
  return gateway;
}

describe('A6: what is open is asked for', { skip: asking.skip }, () => {
  const stops: (() => Promise<void>)[] = [];
  before(() => asking.demand());
  after(async () => {
    for (const stop of stops.toReversed()) await stop();
  });

  test('alertmanager: an alert that was never sent is found; killed, it clears nothing; its resolve is found, too', async () => {
    const dir = folder();
    const [port, nowhere] = [await freePort(), await freePort()];
    writeFileSync(
      join(dir, 'alertmanager.yml'),
      `route: { receiver: quench }\nreceivers: [{ name: quench, webhook_configs: [{ url: 'http://127.0.0.1:${nowhere}/' }] }]\n`,
    );
    const url = `http://127.0.0.1:${port}`;
    const running: { alertmanager?: Daemon } = {};
    const start = async (): Promise<void> => {
      const args = [`--config.file=${dir}/alertmanager.yml`, `--storage.path=${dir}/am`, `--web.listen-address=127.0.0.1:${port}`];
      running.alertmanager = startDaemon('prometheus-alertmanager', [...args, '--cluster.listen-address='], { log: join(dir, 'am.log') });
      await ready(running.alertmanager, `${url}/-/ready`);
    };
    await start();
    stops.push(async () => running.alertmanager?.stop());
    const post = async (name: string, endsAt: number): Promise<void> => {
      const alert = {
        labels: { alertname: 'Down', instance: `${name}:9100`, severity: 'critical' },
        endsAt: new Date(endsAt).toISOString(),
      };
      const body = JSON.stringify([{ ...alert, startsAt: new Date(Date.now() - 60_000).toISOString() }]);
      const answer = await fetch(`${url}/api/v2/alerts`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      assert.equal(answer.status, 200);
    };
    const gateway = await askingGateway(dir, { prometheus: `url: '${url}', receiver: quench` });
    stops.push(() => gateway.stop());
    await post('lost-1', Date.now() + 600_000);
    await post('stays-1', Date.now() + 600_000);
    await gateway.start();
    const lost = await gateway.alert('found by asking', 'lost-1', isFiring);
    await gateway.alert('found by asking', 'stays-1', isFiring);

    await running.alertmanager?.kill();
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    assert.ok((await gateway.alertsOf('lost-1')).every(isFiring), 'who does not answer clears nothing');
    await start();
    await post('stays-1', Date.now() + 600_000);

    await gateway.incidentIs('resolved', lost['incident'], 30_000);
    assert.match((await gateway.timeline(lost['incident'])).join('\n'), /not open at the source any more/);
    assert.ok((await gateway.alertsOf('stays-1')).every(isFiring));
  });

  test('nagios: by its status file, with the identity and the episode of its notifications', async () => {
    const dir = folder();
    const gateway = await askingGateway(dir, { nagios: `statusFile: '${dir}/nagios/status.dat', instance: ${instance}` });
    stops.push(() => gateway.stop());
    chmodSync(dir, 0o711);
    await gateway.start();
    const hosts = ['told-1', 'held-1'];
    const nagios: Nagios = await startNagios(dir, { hosts, hostsByEnvironment: [], gatewayPort: gateway.port, token: ingestToken });
    stops.push(() => nagios.stop());
    nagios.set('told-1', 2, 'CRITICAL - by notification');
    const told = await gateway.alert('HARD', 'told-1', (alert) => isFiring(alert) && alert['soft'] === false);
    await until('the status file has been written with it, and asked', {
      withinMs: 40_000,
      look: async () => (readFileSync(`${dir}/nagios/status.dat`, 'utf8').includes('by notification') ? true : null),
      seen: async () => readFileSync(`${dir}/nagios/status.dat`, 'utf8').slice(-2_000),
    });
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const [again, ...others] = await gateway.alertsOf('told-1');
    assert.deepEqual([again?.id, again?.['episode'], others.length], [told.id, told['episode'], 0], 'the same alert by either way');

    // The gateway is away for the end of one problem and for the whole beginning of another; the spool is emptied, so that nothing comes late.
    await gateway.kill();
    nagios.command('DISABLE_NOTIFICATIONS');
    nagios.command('DISABLE_EVENT_HANDLERS');
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    nagios.set('told-1', 0, 'fine again');
    nagios.set('held-1', 2, 'CRITICAL - nobody told');
    await until('the status file tells of both', {
      withinMs: 60_000,
      look: async () => {
        const text = readFileSync(`${dir}/nagios/status.dat`, 'utf8');
        return text.includes('fine again') && /nobody told[^}]*state_type=1|state_type=1[^}]*nobody told/.test(text) ? true : null;
      },
      seen: async () => readFileSync(`${dir}/nagios/status.dat`, 'utf8').slice(-2_000),
    });
    await gateway.start();
    const held = await gateway.alert('found by asking', 'held-1', isFiring, 30_000);
    assert.equal(held['severity'], 'critical');
    await gateway.incidentIs('resolved', told['incident'], 60_000);
  });
});
