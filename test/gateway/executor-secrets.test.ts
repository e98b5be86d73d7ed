// What a playbook marks as secret in an answer: it stays in the executor process, and is given on to later steps of the same run.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../../src/core/json.ts';
import type { ActionOutcome } from '../../src/core/run/outcome.ts';
import { createExecutorSecrets, type ExecutorSecrets } from '../../src/gateway/executor-secrets.ts';
import type { ActionRequest } from '../../src/ports/action.ts';

type Output = { readonly [name: string]: Json };
const token = 'tok-93f1c0ffee';

function ask(key: string, secret?: true | readonly string[], input: Output = {}): ActionRequest {
  return { input, key, timeoutMs: 1_000, ...(secret === undefined ? {} : { secret }) };
}

function kept(secrets: ExecutorSecrets, request: ActionRequest, output: Output): Output {
  const outcome = secrets.keep(request, { outcome: 'ok', output });
  assert.ok(outcome.outcome === 'ok');
  return outcome.output;
}

function handleIn(value: unknown): string {
  const found = /\[secret:[0-9a-f]{32}\]/.exec(JSON.stringify(value))?.[0];
  assert.ok(found, JSON.stringify(value));
  return found;
}

function answer(): Output {
  const json = { access_token: token, expires: 60 };
  return { status: 200, body: JSON.stringify(json), truncated: false, json };
}

test('C16: a marked member leaves as a handle, its text is taken out of the body, and its own run gets the value back', () => {
  const secrets = createExecutorSecrets();
  const left = kept(secrets, ask('inst/r1.default/steps/login/1', ['json.access_token']), answer());
  assert.doesNotMatch(JSON.stringify(left), /tok-93f1/);
  assert.equal(left['body'], '{"access_token":"[redacted]","expires":60}');
  const handle = handleIn((left['json'] as Output)['access_token']);
  const filled = secrets.fill(
    ask('inst/r1.default/steps/use/1', undefined, { headers: { authorization: `Bearer ${handle}` }, whole: handle }),
  );
  assert.ok('input' in filled);
  assert.deepEqual(filled.input, { headers: { authorization: `Bearer ${token}` }, whole: token });
});

test('C16: a handle is nothing in another run, nor one that nobody made: nothing is carried out', () => {
  const secrets = createExecutorSecrets();
  const handle = handleIn(kept(secrets, ask('r1.default/steps/login/1', ['json.access_token']), answer()));
  for (const [key, text] of [
    ['r2.default/steps/use/1', handle],
    ['r1.default/steps/use/1', `[secret:${'0'.repeat(32)}]`],
  ] as const) {
    const filled = secrets.fill(ask(key, undefined, { argv: ['/bin/echo', text] }));
    assert.ok('outcome' in filled && filled.outcome === 'failed' && filled.error === 'secret_lost', JSON.stringify(filled));
  }
});

test('C16: a later answer of any run that repeats a marked value does not show it', () => {
  const secrets = createExecutorSecrets();
  kept(secrets, ask('r1.default/steps/login/1', ['json.access_token']), answer());
  const later = kept(secrets, ask('r2.default/steps/x/1'), { stdout: `curl -H ${Buffer.from(token).toString('base64')} ${token}` });
  assert.equal(later['stdout'], 'curl -H [redacted] [redacted]');
  const broke: ActionOutcome = secrets.keep(ask('r2.default/steps/x/2'), { outcome: 'unknown', detail: `sent ${token}` });
  assert.deepEqual(broke, { outcome: 'unknown', detail: 'sent [redacted]' });
});

test('C16: `secret: true` keeps every text of an answer and leaves the figures', () => {
  const secrets = createExecutorSecrets();
  const left = kept(secrets, ask('r1.default/steps/login/1', true), { exitCode: 0, stdout: `${token}\n`, stderr: '', json: { a: token } });
  assert.equal(left['exitCode'], 0);
  assert.equal(left['stderr'], '');
  handleIn(left['stdout']);
  handleIn(left['json']);
  assert.doesNotMatch(JSON.stringify(left), /tok-/);
});

test('C16: what cannot be found, or is too short to be found elsewhere, leaves no text', () => {
  const secrets = createExecutorSecrets();
  const broken = { status: 200, body: `{"access_token":"${token}`, truncated: true };
  const left = kept(secrets, ask('r1.default/steps/login/1', ['json.access_token']), broken);
  assert.deepEqual(left, { status: 200, body: '[redacted]', truncated: true });
  const pin = kept(secrets, ask('r1.default/steps/pin/1', ['json.pin']), { status: 200, body: '{"pin":"42"}', json: { pin: '42' } });
  assert.deepEqual([pin['status'], pin['body']], [200, '[redacted]']);
  const failed = secrets.keep(ask('r1.default/steps/login/2', ['json.access_token']), {
    outcome: 'failed',
    error: 'status',
    detail: 'answered 401',
    output: { status: 401, body: '{"error":"bad password"}', json: { error: 'bad password' } },
  });
  assert.ok(failed.outcome === 'failed');
  assert.equal(failed.output['body'], '{"error":"bad password"}', 'an answer that was read and has no such member may be read');
});

test('C16: the newest values are held; what fell out is not carried out, and its value is no longer looked for', () => {
  const secrets = createExecutorSecrets();
  const first = handleIn(kept(secrets, ask('r1.default/steps/a/1', ['json.access_token']), answer()));
  for (let at = 0; at < 200; at += 1) {
    const json = { access_token: `another-token-${at}` };
    kept(secrets, ask('r1.default/steps/a/1', ['json.access_token']), { json });
  }
  const filled = secrets.fill(ask('r1.default/steps/b/1', undefined, { text: first }));
  assert.ok('outcome' in filled);
  const later = kept(secrets, ask('r1.default/steps/b/1'), { stdout: 'another-token-199 another-token-0' });
  assert.equal(later['stdout'], '[redacted] [redacted]');
});
