// Steps under way when somebody ends the gateway, or their run: a stop waits for them, a cancelled one is ended with all that it started.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { lives, pidsIn, until } from '../support/living.ts';
import { ledgerPlaybook, realGateway, type RealGateway } from './gateway.ts';

const config = (more: string): string => `
data: { dir: data }
api: { tokens: { admin: { role: admin, secret: { file: admin.token } } } }
endpoints: { am: { source: prometheus, allowUnauthenticated: true } }
notifiers: { console: { type: console } }
ladders: { default: { rungs: [{ notify: console }] } }
settle: 0s
holdOff: 2m
${more}`;

interface House extends RealGateway {
  readonly pids: () => readonly number[];
  /** What its steps came to, in the order of the log. */
  steps(): Promise<readonly string[]>;
}

/** A gateway whose playbook runs a script with this text; `$PIDS` is where it notes its processes. */
async function house(t: TestContext, script: string, more = ''): Promise<House> {
  const gateway = await realGateway({ config: '', playbooks: {} });
  t.after(async () => {
    await gateway.kill();
    gateway.remove();
  });
  const { dir } = gateway;
  const listen = readFileSync(join(dir, 'quench.yaml'), 'utf8').split('\n')[0] ?? '';
  const path = join(dir, 'script.sh');
  const pids = join(dir, 'pids');
  writeFileSync(path, `#!/bin/sh\nPIDS=${pids}\necho $$ >> $PIDS\n${script}\n`);
  chmodSync(path, 0o755);
  writeFileSync(join(dir, 'quench.yaml'), `${listen}${config(more)}\nactions: { shell: { allow: [${dir}] } }\n`);
  writeFileSync(join(dir, 'playbooks/fix.yaml'), ledgerPlaybook(path).replace('timeout: 10s', 'timeout: 60s'));
  await gateway.start();
  return {
    ...gateway,
    get pid() {
      return gateway.pid;
    },
    pids: () => pidsIn(pids),
    async steps() {
      const { records } = (await gateway.api('/api/v1/log/facts/0?limit=1000')) as {
        records: { value: { type: string; outcome?: { outcome: string } } }[];
      };
      return records.flatMap(({ value }) => (value.type === 'StepFinished' ? [value.outcome?.outcome ?? ''] : []));
    },
  };
}

async function alert({ url }: RealGateway, name = 'Fix'): Promise<number> {
  const labels = { alertname: name, severity: 'critical', instance: 'web1:9100' };
  const alerts = [{ status: 'firing', labels, annotations: {}, startsAt: '2026-11-29T03:00:00Z' }];
  const common = { groupLabels: {}, commonLabels: {}, commonAnnotations: {} };
  const body = JSON.stringify({ version: '4', status: 'firing', receiver: 'q', ...common, alerts });
  const headers = { 'content-type': 'application/json', connection: 'close' };
  return (await fetch(`${url}/webhooks/am`, { method: 'POST', headers, body })).status;
}

test(
  'C15: a stop with six seconds to go in a step waits for it, says so, and takes alerts in meanwhile',
  { timeout: 120_000 },
  async (t) => {
    const gateway = await house(t, 'sleep 6; echo done');
    assert.equal(await alert(gateway), 200);
    await until('the step runs', () => gateway.pids().length === 1, 20_000);
    const stopped = gateway.stop();
    await sleep(1_500);
    const [pid] = gateway.pids();
    assert.ok(pid !== undefined && lives(pid));
    assert.equal(await alert(gateway, 'Meanwhile'), 200);
    const ready = await fetch(`${gateway.url}/readyz`, { headers: { connection: 'close' } });
    assert.equal(ready.status, 503);
    assert.match(await ready.text(), /stopping: waits for steps under way/);
    await stopped;
    assert.match(
      gateway.log(),
      /info stopping: waits for steps under way [^\n]*steps=\["steps\/act\/1 of r\d+\.default \(shell\/run, \d+m?s of at most 1m\)"\]/,
    );
    await gateway.start();
    assert.deepEqual(await gateway.steps(), ['ok']);
    const { items } = (await gateway.api('/api/v1/alerts')) as { items: { name: string }[] };
    assert.ok(items.some(({ name }) => name === 'Meanwhile'));
  },
);

test('C15: what does not end within `drain` is ended with its group, and said', { timeout: 120_000 }, async (t) => {
  const gateway = await house(t, 'sleep 60 & echo $! >> $PIDS; wait', 'drain: 1s');
  await alert(gateway);
  await until('the step runs', () => gateway.pids().length === 2, 20_000);
  const startedAt = performance.now();
  await gateway.stop();
  assert.ok(performance.now() - startedAt < 12_000);
  await until('nothing is left', () => gateway.pids().every((pid) => !lives(pid)));
  assert.match(gateway.log(), /warn stopping: these steps did not end in time \(drain\) and are ended/);
});

test('C14: cancelling a run ends its script of 20 seconds, its group and what left the group', { timeout: 120_000 }, async (t) => {
  const escapes = `setsid sh -c 'echo $$ >> '"$PIDS"'; exec sleep 60' >/dev/null 2>&1 &\ntrap '' TERM\nsleep 20; touch "$PIDS.ended"`;
  const gateway = await house(t, escapes);
  await alert(gateway);
  await until('both run', () => gateway.pids().length === 2, 20_000);
  let run: { readonly id: string } | undefined;
  await until('the run is shown', async () => {
    [run] = ((await gateway.api('/api/v1/runs')) as { items: { id: string }[] }).items;
    return run !== undefined;
  });
  assert.ok(run);
  const headers = { authorization: 'Bearer admin-token-of-a-test', 'content-type': 'application/json', connection: 'close' };
  const answer = await fetch(`${gateway.url}/api/v1/runs/${run.id}/cancel`, { method: 'POST', headers, body: '{}' });
  assert.ok(answer.ok, String(answer.status));
  await until('nothing is left', () => gateway.pids().every((pid) => !lives(pid)), 4_000);
  assert.ok(!existsSync(join(gateway.dir, 'pids.ended')));
  for (let tries = 0; tries < 100; tries += 1) {
    const now = (await gateway.api(`/api/v1/runs/${run.id}`)) as { end: string | null; reason: string | null };
    if (now.end !== null) {
      assert.equal(now.end, 'cancelled');
      assert.match(now.reason ?? '', /^cancelled by admin.*; act was ended midway, what it did is not known/);
      return;
    }
    await sleep(50);
  }
  assert.fail('the run did not end');
});
