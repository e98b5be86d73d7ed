import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHttp } from '../../../adapters/kit/http-client.ts';
import { keyOf, verifySigned } from '../../../adapters/kit/signature.ts';
import { createWebhook } from '../../../adapters/webhook/notifier.ts';
import { notifierContract } from '../../contracts/notifier.ts';
import { plainNotification } from '../../support/notification.ts';
import { startReceiver } from '../../support/receiver.ts';
import { handClock, wallClock } from '../../support/wallclock.ts';

const oldSecret = `whsec_${Buffer.from('planted-old-secret-0123456789').toString('base64')}`;
const newSecret = `whsec_${Buffer.from('planted-new-secret-0123456789').toString('base64')}`;
const token = 'planted+bearer/token&1';

notifierContract({
  name: 'webhook',
  create: (origin, deps) =>
    createWebhook(
      {
        url: `${origin}/hooks/planted-path-secret?key=planted-query-secret`,
        secrets: [newSecret, oldSecret],
        headers: { authorization: `Bearer ${token}` },
      },
      deps,
    ),
  secrets: [oldSecret, newSecret, token, 'planted-path-secret', 'planted-query-secret'],
  welcome: { status: 200, body: '' },
  accepts: (status) => status >= 200 && status <= 299,
  brokenWelcome: 'accepted',
  endlessWelcome: 'accepted',
  dedup: (heard) => String(heard.headers['webhook-id']),
});

test('a receiver verifies with the old or the new secret, and reads one documented shape', async () => {
  const receiver = await startReceiver();
  const http = createHttp({ clock: wallClock, policy: { allowPrivate: true, allow: [] } });
  const now = Date.UTC(2026, 10, 20, 12);
  const notifier = createWebhook({ url: receiver.origin, secrets: [newSecret, oldSecret] }, { http, clock: handClock(now) });
  await notifier.deliver(plainNotification, new AbortController().signal);

  const [heard] = receiver.heard;
  assert.ok(heard !== undefined);
  const headers = Object.fromEntries(Object.entries(heard.headers).map(([name, value]) => [name, String(value)]));
  for (const secret of [oldSecret, newSecret]) {
    const key = keyOf(secret);
    assert.ok(key.ok);
    assert.ok(verifySigned({ headers, body: heard.body, now }, [key.value]).ok);
    assert.ok(!verifySigned({ headers, body: `${heard.body} `, now }, [key.value]).ok);
  }
  const { dedupKey, id, incident, kind, page, severity, text, title, facts, links, source } = plainNotification;
  assert.deepEqual(JSON.parse(heard.body), {
    type: 'quench.page',
    timestamp: '2026-11-20T03:14:15.000Z',
    data: { id, kind, dedupKey, incident, page, title, severity, text, source, facts, links },
  });
  await notifier.deliver(
    { ...plainNotification, startedAt: now - 60_000, asks: { run: 'r5.default', until: now } },
    new AbortController().signal,
  );
  const { data } = JSON.parse(receiver.heard.at(-1)?.body ?? '');
  assert.equal(data.startedAt, '2026-11-20T11:59:00.000Z');
  assert.deepEqual(data.asks, { run: 'r5.default', until: '2026-11-20T12:00:00.000Z' });
  assert.match(String(heard.headers['webhook-id']), /^msg_[0-9a-f]{32}$/);
  http.close();
  await receiver.close();
});

test('the end of a page whose alert need not be over says so in a field of its own, and no other end has it', async () => {
  const receiver = await startReceiver();
  const http = createHttp({ clock: wallClock, policy: { allowPrivate: true, allow: [] } });
  const notifier = createWebhook({ url: receiver.origin, secrets: [newSecret] }, { http, clock: wallClock });
  await notifier.deliver({ ...plainNotification, kind: 'resolve', pageOnly: true }, new AbortController().signal);
  await notifier.deliver({ ...plainNotification, kind: 'resolve' }, new AbortController().signal);

  const [pageOnly, plain] = receiver.heard.map(({ body }) => JSON.parse(body));
  assert.deepEqual([pageOnly.type, pageOnly.data.pageOnly, 'pageOnly' in plain.data], ['quench.resolve', true, false]);
  http.close();
  await receiver.close();
});

test('B19: a message that tells several pages lists the others', async () => {
  const receiver = await startReceiver();
  const http = createHttp({ clock: wallClock, policy: { allowPrivate: true, allow: [] } });
  const notifier = createWebhook({ url: receiver.origin, secrets: [newSecret] }, { http, clock: wallClock });
  const also = [{ id: 'p2|1|hook', incident: 'i2', page: 'p2', title: 'HostDown on h2', severity: 'error' as const }];
  await notifier.deliver({ ...plainNotification, also }, new AbortController().signal);

  assert.deepEqual(JSON.parse(receiver.heard[0]?.body ?? '').data.also, also);
  http.close();
  await receiver.close();
});

for (const [says, change] of [
  ['no secret', { secrets: [] }],
  ['a secret that is too short', { secrets: ['whsec_c2hvcnQ='] }],
  ['a header that would forge a signature', { headers: { 'Webhook-Signature': 'v1,x' } }],
  ['a header that would change the framing', { headers: { 'Transfer-Encoding': 'chunked' } }],
  ['a line break in a header', { headers: { authorization: 'a\r\nx-evil: 1' } }],
  ['a password in the address', { url: 'https://user:planted@example.org/' }],
  ['another scheme', { url: 'file:///etc/planted' }],
] as const) {
  test(`${says} is refused when the notifier is made, without repeating it`, () => {
    const http = createHttp({ clock: wallClock, policy: { allowPrivate: true, allow: [] } });
    const config = { url: 'https://example.org/', secrets: [newSecret], ...change };

    assert.throws(
      () => createWebhook(config, { http, clock: wallClock }),
      (error: Error & { code?: string }) => error.code === 'invalid_config' && !/planted|c2hvcnQ|evil/.test(error.message),
    );
  });
}
