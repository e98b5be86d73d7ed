// The real Alertmanager asked what is open: what began and ended while nothing was sent is found.
// No webhook leads to the gateway here: all that it knows it has asked for.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createGateway, type Doc, type Gateway } from './gateway.ts';
import { folder, freePort, presenceOf, ready, startDaemon, type Daemon } from './support.ts';

const asking = presenceOf({ 'prometheus-alertmanager': 'prometheus-alertmanager' });
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
    let alertmanager: Daemon | null = null;
    const start = async (): Promise<void> => {
      const args = [`--config.file=${dir}/alertmanager.yml`, `--storage.path=${dir}/am`, `--web.listen-address=127.0.0.1:${port}`];
      alertmanager = startDaemon('prometheus-alertmanager', [...args, '--cluster.listen-address='], { log: join(dir, 'am.log') });
      await ready(alertmanager, `${url}/-/ready`);
    };
    await start();
    stops.push(async () => alertmanager?.stop());
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

    await alertmanager?.kill();
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    assert.ok((await gateway.alertsOf('lost-1')).every(isFiring), 'who does not answer clears nothing');
    await start();
    await post('stays-1', Date.now() + 600_000);

    await gateway.incidentIs('resolved', lost['incident'], 30_000);
    assert.match((await gateway.timeline(lost['incident'])).join('\n'), /not open at the source any more/);
    assert.ok((await gateway.alertsOf('stays-1')).every(isFiring));
  });
});
