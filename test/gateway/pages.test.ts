// One page from end to end: what it says, where its links lead, who acts by them, and what is told when it is over.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startReceiver } from '../support/receiver.ts';
import { folder, house, open, until } from './house.ts';

const playbook = `apiVersion: playbook/v1
name: restart-web
version: 1.2.0
summary: Restarts the web server.
owner: team/web
mode: approve
on: [{ alert: alert.name == "WebDown" }]
params: { host: { type: string, from: alert.host, pattern: "[a-z0-9-]+" } }
target: { resource: "host/\${params.host}" }
diagnose: [{ id: seen, uses: shell/check, with: { argv: [echo, "port 80 closed on", $params.host] } }]
steps: [{ id: restart, uses: shell/run, with: { argv: [echo, "restarted", $params.host] } }]
verify: { within: 30s, every: 5s, all: [{ uses: shell/check, with: { argv: ["true"] }, expect: result.ok }] }
escalate: { say: "It did not help." }
`;

interface Heard {
  readonly type: string;
  readonly data: {
    readonly title: string;
    readonly text: string;
    readonly links: readonly { readonly text: string; readonly href: string }[];
    readonly facts: readonly { readonly name: string; readonly value: string }[];
  };
}

test(
  'B18 B5 E1: a page says what is asked, its links show and act by name, and the end says what healed it',
  { timeout: 90_000 },
  async (t) => {
    const receiver = await startReceiver();
    t.after(() => receiver.close());
    receiver.answer = (response) => void response.end();
    const place = folder(t, {
      'quench.yaml': house
        .replace(
          'notifiers: {',
          'approvals: { byLink: true }\napi: { ackSecrets: { file: ack.secret } }\nnotifiers: { hook: { type: webhook, url: { file: hook.url }, secrets: [{ file: hook.secret }] },',
        )
        .replace('notify: console }] }', 'notify: hook }] }')
        .concat('actions: { shell: { allow: [/usr/bin/echo, /usr/bin/true], path: [/usr/bin] } }\n'),
      'ack.secret': 'a secret for the links of this test',
      'hook.url': `${receiver.origin}/page`,
      'hook.secret': `whsec_${Buffer.from('a secret for the test, 32 bytes.').toString('base64')}`,
      'playbooks/restart-web.yaml': playbook,
    });
    const { url } = await open(t, place);
    const said = (type: string): Heard | undefined =>
      receiver.heard.map(({ body }) => JSON.parse(body) as Heard).findLast((each) => each.type === type);
    const send = async (status: 'firing' | 'resolved'): Promise<void> => {
      const alert = {
        status,
        labels: { alertname: 'WebDown', severity: 'critical', instance: 'web-1:9100', team: 'shop' },
        annotations: { summary: 'web-1 does not answer' },
        startsAt: '2026-11-29T03:00:00Z',
        ...(status === 'resolved' ? { endsAt: new Date().toISOString() } : {}),
      };
      const common = { groupLabels: {}, commonLabels: {}, commonAnnotations: {}, version: '4', receiver: 'q' };
      const body = JSON.stringify({ ...common, status, alerts: [alert] });
      const answer = await fetch(`${url}/webhooks/am`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      assert.equal(answer.status, 200);
    };
    await send('firing');
    await until('the page', () => said('quench.approval') !== undefined);
    const page = said('quench.approval');
    assert.ok(page !== undefined);
    const { data } = page;
    assert.equal(data.title, 'web-1 does not answer');
    assert.match(data.text, /^since 2026-11-29 03:00 UTC \(.*\)\nrule WebDown, host web-1, team shop, from prometheus$/m);
    assert.match(
      data.text,
      /^Playbook restart-web 1\.2\.0 asks to act on host\/web-1 until \d\d:\d\d UTC\. It would run:\n- restart: shell\/run echo restarted web-1$/m,
    );
    assert.match(data.text, /^Seen:\nseen \(shell\/check\):\n> exitCode: 0\n?.*port 80 closed on web-1/m);
    assert.deepEqual(
      data.links.map(({ text }) => text),
      ['Incident', 'Approve or deny', 'Acknowledge'],
    );

    const path = (text: string): string => `${url}${new URL(data.links.find((link) => link.text === text)?.href ?? '').pathname}`;
    const look = async (text: string): Promise<string> => (await fetch(path(text))).text();
    const act = async (text: string, fields: { readonly [name: string]: string }): Promise<readonly [number, string]> => {
      const answer = await fetch(path(text), { method: 'POST', body: new URLSearchParams(fields) });
      return [answer.status, await answer.text()];
    };
    await until('the incident to be shown', async () => /web-1 does not answer.*Nobody has it\./s.test(await look('Incident')));
    const [taken, yours] = await act('Acknowledge', { name: 'anna' });
    assert.equal(taken, 200, yours);
    assert.match(yours, /anna, you have it/);
    const [second, hers] = await act('Acknowledge', { name: 'ben' });
    assert.equal(second, 409);
    assert.match(hers, /anna has it/);
    await until('the word that somebody has it', () => said('quench.acknowledged') !== undefined);
    assert.match(said('quench.acknowledged')?.data.text ?? '', /^anna has it since \d\d:\d\d UTC \(link to hook\)$/);

    await until('what is asked', async () => /shell\/run echo restarted web-1/.test(await look('Approve or deny')));
    const [decided, word] = await act('Approve or deny', { name: 'ben', answer: 'yes' });
    assert.equal(decided, 200, word);
    await until(
      'the step',
      async () => /restarted web-1/.test(await look('Incident')) && /run ended succeeded/.test(await look('Incident')),
    );
    await send('resolved');
    await until('the end', () => said('quench.resolve') !== undefined);
    const end = said('quench.resolve')?.data;
    assert.match(
      end?.text ?? '',
      /^healed by playbook restart-web (?:after .*|at once): every alert cleared\nanna had it since .*\nplaybook restart-web on host\/web-1 at .*: succeeded: verified\n/,
    );
    assert.match(end?.text ?? '', /restarted web-1/);
    assert.deepEqual(
      end?.links.map(({ text }) => text),
      ['Incident'],
    );
    await until('the read model', async () => /Over since/.test(await look('Incident')));
    const [late, over] = await act('Acknowledge', { name: 'carl' });
    assert.equal(late, 409);
    assert.match(over, /Over since .*, resolved by restart-web\./);
  },
);
