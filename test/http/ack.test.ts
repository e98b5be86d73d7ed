import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import * as fc from 'fast-check';
import supertest from 'supertest';
import { readAck, signAck, type AckClaim } from '../../src/http/door/ack.ts';
import { front, noon, showing, type Front } from './support.ts';

const claim: AckClaim = { scope: 'default', incident: 'i1.default', page: 'p1.default', to: 'ops-mail', expiresAt: noon + 3_600_000 };
const token = signAck('new-ack-secret', claim);

async function serving(t: TestContext): Promise<Front & { readonly to: ReturnType<typeof supertest> }> {
  const made = await front();
  const port = await made.http.start(0, '127.0.0.1');
  t.after(() => made.http.stop());
  return { ...made, to: supertest(`http://127.0.0.1:${port}`) };
}

test('looking at the link asks; only the button acts', async (t) => {
  const made = await serving(t);
  const title = '<img src=x onerror=alert(1)>';
  await showing(made.store, [{ kind: 'incident', id: 'i1.default', scope: 'default', at: noon, begins: true, set: { title } }]);
  const page = await made.to.get(`/ack/${token}`).expect(200);
  await made.to.head(`/ack/${token}`).expect(200);
  assert.deepEqual(await made.inputs(), []);
  assert.match(page.text, /<form method="post">/);
  assert.match(page.text, /&lt;img src=x onerror=alert\(1\)&gt; \(open\)/);
  assert.doesNotMatch(page.text, /<img/);
  assert.match(page.headers['content-security-policy'] ?? '', /^default-src 'none';/);
  assert.equal(page.headers['referrer-policy'], 'no-referrer');

  const done = await made.to.post(`/ack/${token}`).type('form').send('').expect(200);
  assert.match(done.text, /Acknowledged/);
  assert.deepEqual(
    (await made.inputs()).map((record) => record.value),
    [{ type: 'Acked', scope: 'default', incident: 'i1.default', page: 'p1.default', by: 'ops-mail', via: 'link', at: noon }],
  );
});

test('the link works while the read model does not', async (t) => {
  const made = await serving(t);
  t.mock.method(made.store.views, 'get', () => Promise.reject(new Error('away')));
  await made.to.get(`/ack/${token}`).expect(200);
  await made.to.post(`/ack/${token}`).expect(200);
});

test('an expired link says so and does nothing', async (t) => {
  const made = await serving(t);
  made.setNow(claim.expiresAt);
  for (const method of ['get', 'post'] as const) await made.to[method](`/ack/${token}`).expect(410);
  assert.deepEqual(await made.inputs(), []);
});

test('a tampered link is no link', async (t) => {
  const made = await serving(t);
  const [text = '', mac = ''] = token.split('.');
  const forged = Buffer.from(JSON.stringify(['default', 'i2.default', 'p1.default', 'ops-mail', claim.expiresAt])).toString('base64url');
  for (const bad of [
    `${forged}.${mac}`,
    `${text}.${mac.slice(0, -2)}`,
    text,
    `${text}.`,
    `.${mac}`,
    `${token}.x`,
    'x'.repeat(5_000),
    signAck('other', claim),
    signAck('', claim),
  ]) {
    assert.equal((await made.to.post(`/ack/${bad}`)).status, 404, bad.slice(0, 40));
  }
  assert.deepEqual(await made.inputs(), []);
});

test('K1: a token reads back as what was signed, with the old secret too while it is kept, and not with any bit turned', () => {
  const texts = fc.string({ unit: 'grapheme', maxLength: 60 });
  const claims = fc.record({ scope: texts, incident: texts, page: texts, to: texts, expiresAt: fc.nat() }, { noNullPrototype: true });
  fc.assert(
    fc.property(claims, fc.nat(), fc.nat({ max: 5 }), (each, place, bit) => {
      const made = signAck('old', each);
      assert.deepEqual(readAck(['new', 'old'], made, each.expiresAt - 1), { ok: true, value: each });
      assert.deepEqual(readAck(['new', 'old'], made, each.expiresAt), { ok: false, error: 'expired' });
      const at = place % made.length;
      const turned = made.slice(0, at) + String.fromCharCode(made.charCodeAt(at) ^ (1 << bit)) + made.slice(at + 1);
      // The last character of base64 carries spare bits; whatever decodes to the same bytes is the same token.
      const same = Buffer.from(turned.split('.')[1] ?? '', 'base64url').equals(Buffer.from(made.split('.')[1] ?? '', 'base64url'));
      if (!(same && turned.split('.')[0] === made.split('.')[0]))
        assert.deepEqual(readAck(['old'], turned, 0), { ok: false, error: 'invalid' });
    }),
  );
});

test('without a secret there are no links', () => {
  assert.deepEqual(readAck([], token, noon), { ok: false, error: 'invalid' });
  assert.deepEqual(readAck([''], signAck('', claim), noon), { ok: false, error: 'invalid' });
});
