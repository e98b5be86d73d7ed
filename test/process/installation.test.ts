// Two installations that share their receivers and their service: what each sends and does bears keys that no other installation uses, and a
// restart keeps them.
import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startReceiver, type Heard } from '../support/receiver.ts';
import { ledgerPlaybook, realGateway, type RealGateway } from './gateway.ts';
import { ledgerConfig, ledgerIn } from './ledger.ts';

interface Installation {
  readonly gateway: RealGateway;
  readonly acts: () => readonly { readonly key: string }[];
  fire(alert: string, host: string): Promise<void>;
}

async function installation(port: number): Promise<Installation> {
  const gateway = await realGateway({ config: '', playbooks: {} });
  const { script, acts } = ledgerIn(gateway.dir);
  writeFileSync(join(gateway.dir, 'admin.whsec'), `whsec_${Buffer.from('a secret for the test, 32 bytes.').toString('base64')}`);
  appendFileSync(join(gateway.dir, 'quench.yaml'), ledgerConfig(port, script));
  writeFileSync(join(gateway.dir, 'playbooks', 'fix.yaml'), ledgerPlaybook(script));
  await gateway.start();
  return {
    gateway,
    acts,
    async fire(alert, host) {
      const headers = { authorization: `Bearer ${gateway.token}`, 'content-type': 'application/json' };
      const body = JSON.stringify([{ labels: { alertname: alert, instance: host, severity: 'critical' } }]);
      const answer = await fetch(`${gateway.url}/api/v2/alerts`, { method: 'POST', headers, body });
      assert.equal(answer.status, 200, await answer.text());
    },
  };
}

interface Keys {
  readonly dedupKey: string;
  readonly id: string;
  readonly header: string;
}

function keysOf({ headers, body }: Heard): Keys {
  // Ours, signed: the shape is known.
  const { data } = JSON.parse(body) as { readonly data: { readonly id: string; readonly dedupKey: string } };
  return { dedupKey: data.dedupKey, id: data.id, header: String(headers['webhook-id']) };
}

/** `quench:<installation>:<page>` */
const nameIn = ({ dedupKey }: Keys): string => dedupKey.split(':')[1] ?? '';

async function until(holds: () => boolean): Promise<void> {
  for (const end = performance.now() + 30_000; !holds();) {
    assert.ok(performance.now() < end, 'it does not come to be in thirty seconds');
    await sleep(50);
  }
}

test('F4: two fresh data directories send and act under different keys, and a restart keeps them', { timeout: 120_000 }, async () => {
  const sink = await startReceiver();
  sink.answer = (response) => void response.writeHead(204).end();
  const homes: Installation[] = [];
  try {
    const heard: Keys[][] = [];
    for (let nth = 0; nth < 2; nth += 1) {
      const home = await installation(sink.port);
      homes.push(home);
      const before = sink.heard.length;
      await home.fire('Page', 'h1');
      await home.fire('Fix', 'h2');
      await until(() => sink.heard.length > before && home.acts().length > 0);
      heard.push(sink.heard.slice(before).map(keysOf));
      await home.gateway.stop();
    }
    const [first, second] = homes;
    const [ofFirst = [], ofSecond = []] = heard;
    assert.ok(first !== undefined && second !== undefined && ofFirst[0] !== undefined && ofSecond[0] !== undefined);
    for (const key of ['dedupKey', 'id', 'header'] as const) {
      const others = new Set(ofSecond.map((each) => each[key]));
      assert.deepEqual(
        ofFirst.filter((each) => others.has(each[key])),
        [],
        `no ${key} is sent by both`,
      );
    }
    const [act, otherAct] = [first.acts()[0]?.key ?? '', second.acts()[0]?.key ?? ''];
    assert.notEqual(act, otherAct);
    assert.equal(act.split('/')[0], nameIn(ofFirst[0]), 'an action bears the name that its pages bear');

    const before = sink.heard.length;
    await first.gateway.start();
    await first.fire('Page', 'h3');
    await until(() => sink.heard.length > before);
    for (const keys of sink.heard.slice(before).map(keysOf)) assert.equal(nameIn(keys), nameIn(ofFirst[0]), 'the name is kept');
  } finally {
    for (const { gateway } of homes) {
      await gateway.kill();
      gateway.remove();
    }
    await sink.close();
  }
});
