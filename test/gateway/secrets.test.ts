// A gateway with a real executor whose programs and addresses echo what is secret: nothing that can be read afterwards holds any of it.
import assert from 'node:assert/strict';
import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startReceiver } from '../support/receiver.ts';
import { deliver, folder, house, open, until } from './house.ts';

const secrets = {
  variable: 'v4riable-secret/of "shell"',
  header: 'hdr-5f2a77c0c0ffee',
  notifier: 'https://hooks.example.test/T0/B0/n0tifier-path',
  admin: 'adm1n-token-of-the-gateway',
  marked: 'm4rked-token-93f1',
};

const program = `#!/bin/sh
printf '%s\\n' "$DEPLOY_TOKEN"
printf '%s' "$DEPLOY_TOKEN" | base64
printf 'deploy:%s' "$DEPLOY_TOKEN" | base64 >&2
head -c 65530 /dev/zero | tr '\\0' x
printf '%s' "$DEPLOY_TOKEN"
exit 3
`;

const playbook = (origin: string, dir: string): string => `apiVersion: playbook/v1
name: leaky
version: 1.0.0
summary: Lets everything that it touches say what it must not.
owner: team/test
mode: auto
on: [{ alert: alert.name == "Leak" }]
params: { host: { type: string, from: alert.host } }
target: { resource: "host/\${params.host}" }
diagnose:
  - { id: login, uses: http/probe, with: { url: ${origin}/login }, secret: [json.access_token] }
  - { id: echo, uses: http/probe, with: { url: ${origin}/echo, headers: { x-token: $steps.login.json.access_token } } }
steps:
  - { id: leak, uses: shell/run, with: { argv: [${dir}/leak.sh] }, timeout: 10s, continueOnError: true }
  - { id: again, uses: shell/run, with: { argv: [${dir}/leak.sh] }, timeout: 10s }
verify: { within: 5s, every: 1s, all: [resolved] }
escalate: { say: "It said: \${steps.login.json.access_token}" }
`;

/** Bytes of all files below. */
function everything(dir: string): string {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .map((name) => join(dir, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path).toString('latin1'))
    .join('\n');
}

test('C16: secrets that programs and addresses echo reach no log, database, API answer or page', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver();
  t.after(() => receiver.close());
  const heard: string[] = [];
  receiver.answer = (response, { url, headers }) => {
    response.setHeader('content-type', 'application/json');
    if (url === '/login') return void response.end(JSON.stringify({ access_token: secrets.marked }));
    heard.push(String(headers['x-token']));
    response.end(JSON.stringify({ ...headers, again: encodeURIComponent(String(headers['authorization'])), url: secrets.notifier }));
  };
  const place = folder(t, {
    'leak.sh': program,
    'variable.secret': secrets.variable,
    'slack.secret': secrets.notifier,
    'header.secret': `Bearer ${secrets.header}`,
  });
  chmodSync(join(place.dir, 'leak.sh'), 0o755);
  place.write('playbooks/leaky.yaml', playbook(receiver.origin, place.dir));
  place.write('admin.token', `${secrets.admin}\n`);
  const config = `api: { tokens: { admin: { role: admin, secret: { file: admin.token } } } }
${house.replace('holdOff: 0s', 'holdOff: 30s').replace('{ console: { type: console } }', '{ console: { type: console }, chat: { type: slack, url: { file: slack.secret } } }')}
actions:
  shell: { allow: [${place.dir}], env: { DEPLOY_TOKEN: { file: variable.secret } } }
  http: { allow: [${receiver.origin}/], credentials: [{ url: ${receiver.origin}/, headers: { authorization: { file: header.secret } } }] }
`;
  place.write('quench.yaml', config);
  const { url, rang, said, stop } = await open(t, place);
  assert.equal(await deliver(url, 'Leak'), 200);
  await until('the page', () => /leaky/.test(rang()), 15_000);
  assert.deepEqual(heard, [secrets.marked], 'a later step gives on what nobody has seen');

  const incident = 'i2.default';
  const paths = [
    `/api/v1/incidents/${incident}`,
    `/api/v1/incidents/${incident}/timeline`,
    '/api/v1/runs',
    '/api/v1/log/facts/0?limit=1000',
    '/api/v1/log/inputs/0?limit=1000',
    '/metrics',
  ];
  const headers = { connection: 'close', authorization: `Bearer ${secrets.admin}` };
  const answers = await Promise.all(
    paths.map(async (path) => {
      const answer = await fetch(`${url}${path}`, { headers });
      assert.equal(answer.status, 200, path);
      return answer.text();
    }),
  );
  await stop();
  const readable = { api: answers.join('\n'), page: rang(), log: said(), database: everything(join(place.dir, 'data')) };
  assert.match(readable.database, /\[redacted\]/, 'what was echoed is there, without the secret');
  for (const [where, text] of Object.entries(readable)) {
    for (const [name, secret] of Object.entries(secrets)) {
      const forms = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret), Buffer.from(secret).toString('base64')];
      for (const form of forms) assert.ok(!text.includes(form), `${name} is in ${where}`);
    }
    assert.ok(!text.includes('v4riab'), `the beginning of a cut secret is in ${where}`);
  }
});
