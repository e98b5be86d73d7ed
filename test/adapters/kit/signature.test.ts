import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { keyOf, signedHeaders, verifySigned } from '../../../adapters/kit/signature.ts';

// Vectors: the tests of standard-webhooks' JavaScript library ("sign function works", "multi sig payload is valid"), read 2026-11-20.
const vector = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  now: 1_614_265_330_000,
  body: '{"test": 2432232314}',
  signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
};
const strangers = ['v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=', 'v2,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc='];

function key(secret: string): Uint8Array {
  const read = keyOf(secret);
  assert.ok(read.ok, secret);
  return read.value;
}

const ours = key(vector.secret);
const good = signedHeaders(vector, [ours]);

test('R12: the official vector comes out to the letter, with and without the prefix of the secret', () => {
  assert.deepEqual(good, { 'webhook-id': vector.id, 'webhook-timestamp': '1614265330', 'webhook-signature': vector.signature });
  assert.deepEqual(signedHeaders(vector, [key(vector.secret.replace('whsec_', ''))]), good);
});

test('one good signature among strange ones is enough, and none is not', () => {
  const list = [...strangers, vector.signature, ...strangers].join(' ');
  const seen = (signatures: string) =>
    verifySigned({ headers: { ...good, 'webhook-signature': signatures }, body: vector.body, now: vector.now }, [ours]);

  assert.deepEqual(seen(list), { ok: true, value: { id: vector.id, signedAt: vector.now } });
  assert.deepEqual(seen(strangers.join(' ')), { ok: false, error: 'no_match' });
  assert.deepEqual(seen(vector.signature.replace('v1,', 'v2,')), { ok: false, error: 'no_match' });
  assert.deepEqual(seen(vector.signature.slice(0, 8)), { ok: false, error: 'no_match' });
  assert.deepEqual(seen('v1,'), { ok: false, error: 'no_match' });
});

test('during a rotation either secret verifies, and a retired one does not', () => {
  const next = key(`whsec_${Buffer.alloc(32, 7).toString('base64')}`);
  const retired = key(`whsec_${Buffer.alloc(64, 9).toString('base64')}`);
  const headers = signedHeaders(vector, [ours, next]);
  const believes = (keys: readonly Uint8Array[]) => verifySigned({ headers, body: Buffer.from(vector.body), now: vector.now }, keys).ok;

  assert.ok(believes([ours]));
  assert.ok(believes([next]));
  assert.ok(believes([retired, next]));
  assert.ok(!believes([retired]));
  assert.ok(!believes([]));
});

for (const [offsetMs, says] of [
  [0, 'ok'],
  [300_000, 'ok'],
  [300_999, 'ok'],
  [301_000, 'too_old'],
  [-300_000, 'ok'],
  [-300_001, 'too_new'],
  [86_400_000, 'too_old'],
] as const) {
  test(`a delivery read ${offsetMs} ms after its stamp is ${says}`, () => {
    const seen = verifySigned({ headers: good, body: vector.body, now: vector.now + offsetMs }, [ours]);
    assert.equal(seen.ok ? 'ok' : seen.error, says);
  });
}

for (const [change, says] of [
  [{ 'webhook-id': undefined }, 'missing_header'],
  [{ 'webhook-id': '' }, 'missing_header'],
  [{ 'webhook-timestamp': undefined }, 'missing_header'],
  [{ 'webhook-signature': undefined }, 'missing_header'],
  [{ 'webhook-timestamp': 'hello' }, 'bad_timestamp'],
  [{ 'webhook-timestamp': '1614265330.0' }, 'bad_timestamp'],
  [{ 'webhook-timestamp': ' 1614265330' }, 'bad_timestamp'],
  [{ 'webhook-timestamp': '9'.repeat(40) }, 'bad_timestamp'],
  [{ 'webhook-id': 'msg.1614265330' }, 'bad_id'],
  [{ 'webhook-id': 'm'.repeat(257) }, 'bad_id'],
] as const) {
  test(`headers with ${JSON.stringify(change).slice(0, 60)} are ${says}`, () => {
    assert.deepEqual(verifySigned({ headers: { ...good, ...change }, body: vector.body, now: vector.now }, [ours]), {
      ok: false,
      error: says,
    });
  });
}

test('a dot cannot be moved from the id into the stamp or the body', () => {
  const split = signedHeaders({ id: 'msg_1', body: '1614265330.x', now: vector.now }, [ours]);
  const moved = { ...split, 'webhook-id': 'msg_1.1614265330' };

  assert.deepEqual(verifySigned({ headers: moved, body: 'x', now: vector.now }, [ours]), { ok: false, error: 'bad_id' });
});

test('another base64 spelling of the right bytes is not the signature', () => {
  // The last character before `=` carries two bits that decoding drops.
  const twin = vector.signature.replace('OE=', 'OF=');
  assert.deepEqual(Buffer.from(twin.slice(3), 'base64'), Buffer.from(vector.signature.slice(3), 'base64'));
  const headers = { ...good, 'webhook-signature': twin };
  assert.deepEqual(verifySigned({ headers, body: vector.body, now: vector.now }, [ours]), { ok: false, error: 'no_match' });
});

test('R12: whatever one character is changed in id, stamp, body or signature, nothing is believed', () => {
  const parts = ['webhook-id', 'webhook-timestamp', 'webhook-signature', 'body'] as const;
  fc.assert(
    fc.property(fc.constantFrom(...parts), fc.nat(), fc.integer({ min: 0x21, max: 0x7e }), (part, at, code) => {
      const whole: Record<string, string> = { ...good, body: vector.body };
      const text = whole[part] ?? '';
      const place = at % text.length;
      const changed = text.slice(0, place) + String.fromCharCode(code) + text.slice(place + 1);
      fc.pre(changed !== text);
      const { body = '', ...headers } = { ...whole, [part]: changed };
      return !verifySigned({ headers, body, now: vector.now }, [ours]).ok;
    }),
    { numRuns: 5_000 },
  );
});

test('what we sign we believe, whatever the bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 0, max: 4e12 }), (body, now) => {
      return verifySigned({ headers: signedHeaders({ id: 'msg_1', body, now }, [ours]), body, now }, [ours]).ok;
    }),
  );
});

for (const secret of [
  '',
  'whsec_',
  'whsec_c2hvcnQ=',
  `whsec_${Buffer.alloc(65).toString('base64')}`,
  'whsec_not base64 at all!!',
  'whpk_AAAA',
]) {
  test(`the secret ${secret.slice(0, 24)} is refused, and not repeated`, () => {
    const read = keyOf(secret);
    assert.ok(!read.ok);
    assert.ok(secret.length < 8 || !read.error.includes(secret.slice(6)));
  });
}
