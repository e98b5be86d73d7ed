// A gateway that is killed between the raw page of an alert and the decision about it: its next life ends the page at the vendor.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../support/living.ts';
import { startReceiver } from '../support/receiver.ts';
import { realGateway } from './gateway.ts';

interface Event {
  readonly event_action: 'trigger' | 'acknowledge' | 'resolve';
  readonly dedup_key: string;
  readonly payload: { readonly summary: string };
}

test(
  'O4: the page of an alert that nobody decided is resolved by the life after a SIGKILL, which decides before it would page again',
  { timeout: 120_000 },
  async (t) => {
    const receiver = await startReceiver();
    t.after(() => receiver.close());
    receiver.answer = (response) => void response.writeHead(202).end('{"status":"success"}');
    const events = (): readonly Event[] => receiver.heard.map(({ body }) => JSON.parse(body) as Event); // written by our notifier
    const told = (action: Event['event_action'], key: RegExp): readonly Event[] =>
      events().filter((event) => event.event_action === action && key.test(event.dedup_key));
    const config = `
data: { dir: data }
endpoints: { am: { source: prometheus, allowUnauthenticated: true } }
notifiers: { pd: { type: pagerduty, url: '${receiver.origin}', routingKey: { file: pd.key } } }
ladders: { default: { rungs: [{ notify: pd }] } }
settle: 0s
failOpen: { after: 10s, notify: pd }
`;
    const gateway = await realGateway({ config: `roles: [intake]\n${config}`, playbooks: {} });
    t.after(async () => {
      await gateway.kill();
      gateway.remove();
    });
    writeFileSync(join(gateway.dir, 'pd.key'), 'k'.repeat(32), { mode: 0o600 });
    await gateway.start();
    const labels = { alertname: 'Stuck', severity: 'critical', instance: 'stuck:9100' };
    const alerts = [{ status: 'firing', labels, annotations: {}, startsAt: '2026-11-29T03:00:00Z' }];
    const body = JSON.stringify({
      version: '4',
      status: 'firing',
      receiver: 'q',
      groupLabels: {},
      commonLabels: {},
      commonAnnotations: {},
      alerts,
    });
    const headers = { 'content-type': 'application/json', connection: 'close' };
    assert.equal((await fetch(`${gateway.url}/webhooks/am`, { method: 'POST', headers, body })).status, 200);
    await until('the raw page', () => told('trigger', /undecided/).length === 1, 40_000);
    await gateway.kill();
    const file = join(gateway.dir, 'data/raw-pages.jsonl');
    assert.ok(existsSync(file) && readFileSync(file, 'utf8').includes('undecided'), 'kept beside the data');

    const yaml = join(gateway.dir, 'quench.yaml');
    writeFileSync(yaml, readFileSync(yaml, 'utf8').replace('roles: [intake]\n', ''));
    await gateway.start();
    await until('its end', () => told('resolve', /undecided/).length === 1, 20_000);
    assert.equal(told('trigger', /undecided/).length, 1, 'it was not paged again');
    assert.equal(told('resolve', /undecided/)[0]?.dedup_key, told('trigger', /undecided/)[0]?.dedup_key);
    assert.match(told('resolve', /undecided/)[0]?.payload.summary ?? '', /decided: .*Stuck/);
    await until('the page of the ladder', () => told('trigger', /^(?!.*undecided)/).length === 1, 20_000);
    await gateway.kill();
    await gateway.start();
    assert.equal(told('resolve', /undecided/).length, 1, 'an end that was taken is not told again');
  },
);
