import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { request as rawRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import supertest from 'supertest';
import { nagios } from '../../adapters/nagios/source.ts';
import { newrelic } from '../../adapters/newrelic/source.ts';
import { sqliteLimits, sqliteStore } from '../../adapters/sqlite/store.ts';
import { zabbix } from '../../adapters/zabbix/source.ts';
import type { AlertSeen } from '../../src/core/alert/facts.ts';
import { textOfBinary } from '../../src/core/bytes.ts';
import { textOfBody } from '../../src/http/door/text.ts';
import type { HttpEndpoint } from '../../src/http/deps.ts';
import type { Store } from '../../src/ports/store.ts';
import { nastyJson } from '../support/mutate.ts';
import { endpoints, eventually, front, group, heldSync, inputsOf, noon, signed, tokens, type Front, type FrontOptions } from './support.ts';

const body = JSON.stringify(group('DiskFull'));

async function serving(
  t: TestContext,
  options: FrontOptions = {},
): Promise<Front & { readonly to: ReturnType<typeof supertest>; readonly port: number }> {
  const made = await front(options);
  const port = await made.http.start(0, '127.0.0.1');
  t.after(() => made.http.stop());
  return { ...made, port, to: supertest(`http://127.0.0.1:${port}`) };
}

function post(to: ReturnType<typeof supertest>, path: string, sent: string, headers: Record<string, string> = {}) {
  return to.post(path).set('content-type', 'application/json').set(headers).serialize(String).send(sent);
}

async function counted(made: Front, line: string): Promise<boolean> {
  return (await made.deps.metrics.scrape()).text.split('\n').includes(line);
}

const basic = (password: string): string => `Basic ${Buffer.from(`anyone:${password}`).toString('base64')}`;
const other = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;
const door: readonly { readonly says: string; readonly at: string; readonly headers: Record<string, string>; readonly status: number }[] = [
  { says: 'an open endpoint asks nothing', at: 'open', headers: {}, status: 202 },
  { says: 'no check at all is no open door', at: 'shut', headers: { authorization: 'Bearer new-secret' }, status: 401 },
  { says: 'bearer: missing', at: 'bearer', headers: {}, status: 401 },
  { says: 'bearer: wrong', at: 'bearer', headers: { authorization: 'Bearer nope' }, status: 401 },
  { says: 'bearer: empty', at: 'bearer', headers: { authorization: 'Bearer ' }, status: 401 },
  { says: 'bearer: a prefix of the secret', at: 'bearer', headers: { authorization: 'Bearer new-secre' }, status: 401 },
  { says: 'bearer: the new secret', at: 'bearer', headers: { authorization: 'Bearer new-secret' }, status: 202 },
  {
    says: 'bearer: the old secret, while it is being rotated out',
    at: 'bearer',
    headers: { authorization: 'bearer old-secret' },
    status: 202,
  },
  { says: 'bearer: the right word in the wrong scheme', at: 'bearer', headers: { authorization: basic('new-secret') }, status: 401 },
  { says: 'basic: missing', at: 'basic', headers: {}, status: 401 },
  { says: 'basic: wrong password', at: 'basic', headers: { authorization: basic('nope') }, status: 401 },
  { says: 'basic: no colon', at: 'basic', headers: { authorization: `Basic ${btoa('new-secret')}` }, status: 401 },
  { says: 'basic: not base64', at: 'basic', headers: { authorization: 'Basic %%%' }, status: 401 },
  { says: 'basic: whatever user, the new secret', at: 'basic', headers: { authorization: basic('new-secret') }, status: 202 },
  { says: 'basic: the old secret', at: 'basic', headers: { authorization: basic('old-secret') }, status: 202 },
  { says: 'signature: missing', at: 'signed', headers: {}, status: 401 },
  { says: 'signature: right', at: 'signed', headers: signed(body), status: 202 },
  { says: 'signature: of another key', at: 'signed', headers: signed(body, { key: other }), status: 401 },
  { says: 'signature: of another body', at: 'signed', headers: signed(`${body} `), status: 401 },
  { says: 'signature: 300 s old', at: 'signed', headers: signed(body, { at: noon - 300_000 }), status: 202 },
  { says: 'signature: 301 s old', at: 'signed', headers: signed(body, { at: noon - 301_000 }), status: 401 },
  { says: 'signature: 301 s ahead', at: 'signed', headers: signed(body, { at: noon + 301_000 }), status: 401 },
  { says: 'two checks: only the token', at: 'both', headers: { authorization: 'Bearer new-secret' }, status: 401 },
  { says: 'two checks: only the signature', at: 'both', headers: signed(body), status: 401 },
  { says: 'two checks: both', at: 'both', headers: { authorization: 'Bearer new-secret', ...signed(body) }, status: 202 },
];

const asked: { readonly [endpoint: string]: string } = {
  bearer: 'its token as Authorization: Bearer',
  basic: 'its token as the password of Authorization: Basic',
  signed: 'a signature (Standard Webhooks) by its secret',
  both: 'its token as Authorization: Bearer and a signature (Standard Webhooks) by its secret',
};

test('who may deliver', async (t) => {
  const made = await serving(t);
  for (const { says, at, headers, status } of door) {
    const before = (await made.inputs()).length;
    const answer = await post(made.to, `/webhooks/${at}`, body, headers);
    assert.equal(answer.status, status, says);
    assert.equal((await made.inputs()).length - before, status === 202 ? 1 : 0, says);
    if (status === 401) {
      assert.match(answer.headers['www-authenticate'] ?? '', /realm="quench"/, says);
      const asks = asked[at] ?? '';
      assert.equal(answer.body.detail, `credentials are missing or wrong${asks === '' ? '' : `: this endpoint asks for ${asks}`}`, says);
    }
  }
  const refusals = door.filter(({ at, status }) => at === 'bearer' && status === 401).length;
  assert.ok(await counted(made, `quench_deliveries_total{endpoint="bearer",outcome="unauthenticated"} ${refusals}`));
});

test('a wrong token is told before the body is read', async (t) => {
  const made = await serving(t);
  const status = await new Promise((resolve, reject) => {
    const req = rawRequest({ port: made.port, path: '/webhooks/bearer', method: 'POST', headers: { 'content-length': 900_000 } });
    req.on('response', (res) => {
      resolve(res.statusCode);
      req.destroy();
    });
    req.on('error', reject);
    req.flushHeaders();
  });
  assert.equal(status, 401);
});

test('W1: 202 comes after the write is durable, not before', async (t) => {
  const medium = heldSync();
  const { to } = await serving(t, { sync: medium.sync });
  let answered = false;
  const posting = post(to, '/webhooks/open', body).then((answer) => {
    answered = true;
    return answer;
  });
  await medium.reached;
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(answered, false);
  medium.open();
  const answer = await posting;
  assert.equal(answer.status, 202);
  assert.deepEqual(answer.body, { status: 'accepted', alerts: 1 });
});

test('W1: what was answered 202 is in the file when the store is opened again', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'quench-door-'));
  t.after(() => rm(folder, { recursive: true }));
  const opened = (): Promise<Store> => sqliteStore({ path: join(folder, 'quench.db'), partitions: 2, limits: sqliteLimits });
  const store = await opened();
  const { to } = await serving(t, { store });
  const answers = await Promise.all(Array.from({ length: 20 }, () => post(to, '/webhooks/open', body)));
  const bad = await post(to, '/webhooks/open', '{');
  await store.close();
  const again = await opened();
  assert.equal((await inputsOf(again)).length, answers.filter(({ status }) => status === 202).length);
  assert.equal((await again.deadLetters.get(bad.body.letter))?.body, '{');
  await again.close();
});

test('the path below the endpoint reaches the source, a query does not', async (t) => {
  const { to, deps } = await serving(t);
  const paths: string[] = [];
  const { intake } = deps;
  t.mock.method(intake, 'accept', async (_name: string, delivery: { path: string }) => {
    paths.push(delivery.path);
    return { status: 'accepted', alerts: 0, warnings: [] };
  });
  for (const path of ['/webhooks/open', '/webhooks/open/api/v2/alerts?x=1', '/webhooks/open?token=1'])
    await post(to, path, body).expect(202);
  assert.deepEqual(paths, ['', '/api/v2/alerts', '']);
});

test('a redelivery carries the id of the delivery, and one id for different bodies is no redelivery', async (t) => {
  const made = await serving(t);
  await post(made.to, '/webhooks/signed', body, signed(body, { id: 'msg_7' })).expect(202);
  await post(made.to, '/webhooks/signed', body, signed(body, { id: 'msg_7', at: noon + 5_000 })).expect(202);
  await post(made.to, '/webhooks/open', body, { 'idempotency-key': 'key_7' }).expect(202);
  await post(made.to, '/webhooks/open', body).expect(202);
  await post(made.to, '/webhooks/open', body.replace('{', '{ '), { 'idempotency-key': 'key_7' }).expect(202);
  const [first, again, keyed, plain, unlike] = (await made.inputs()).map((record) => (record.value as AlertSeen).delivery);
  assert.match(first ?? '', /^signed:msg_7:[0-9a-f]{16}$/);
  assert.equal(again, first);
  assert.match(keyed ?? '', /^open:key_7:[0-9a-f]{16}$/);
  assert.equal(plain, '');
  assert.notEqual(unlike, keyed);
});

test('what is not understood is 400 and kept, and comes in by replay once the parser knows it', async (t) => {
  const made = await serving(t);
  const answer = await post(made.to, '/webhooks/open', '{"alerts": [');
  assert.equal(answer.status, 400);
  assert.match(answer.headers['content-type'] ?? '', /^application\/problem\+json/);
  assert.equal(answer.body.reason, 'not_json');
  const letter = await made.store.deadLetters.get(answer.body.letter);
  assert.equal(letter?.body, '{"alerts": [');

  const { source } = endpoints[0] ?? assert.fail();
  t.mock.method(source, 'parse', () => source.parse({ ...delivery, body }), { times: 1 });
  const again = (): Promise<supertest.Response> =>
    Promise.resolve(post(made.to, `/api/v1/deadletters/${answer.body.letter}/replay`, '', { authorization: `Bearer ${tokens.operate}` }));
  assert.equal((await again()).status, 202);
  assert.equal((await again()).status, 202);
  assert.equal((await made.inputs()).length, 1);
});
const delivery = { headers: {}, path: '', receivedAt: noon };

test('W2: a full log, a log that is away and a host far behind are 503 with Retry-After', async (t) => {
  const medium = heldSync();
  const full = await serving(t, { sync: medium.sync, storeLimits: { queueRecordsMax: 1 } });
  // Never answered: its sync never ends.
  post(full.to, '/webhooks/open', body).end(() => {});
  await medium.reached;
  const away = await serving(t, { sync: () => Promise.reject(new Error('no space left on device')) });
  const behind = await serving(t);
  behind.setLag(1_001);
  for (const made of [full, away, behind]) {
    const answer = await post(made.to, '/webhooks/open', body);
    assert.equal(answer.status, 503);
    assert.match(answer.headers['retry-after'] ?? '', /^\d+$/);
    assert.doesNotMatch(answer.text, /no space left/);
    assert.ok(await counted(made, 'quench_deliveries_total{endpoint="open",outcome="busy"} 1'));
  }
  full.http.server.closeAllConnections();
});

test('a body above the cap is 413 and not kept, however it is announced', async (t) => {
  const made = await serving(t, { limits: { bodyBytesMax: 10_000, listBytesMax: 10_000 } });
  const announced = await post(made.to, '/webhooks/open', 'x'.repeat(10_001));
  assert.equal(announced.status, 413);
  const chunked = await new Promise((resolve, reject) => {
    const req = rawRequest({ port: made.port, path: '/webhooks/open', method: 'POST' }, (res) => resolve(res.statusCode));
    req.on('error', reject);
    for (let part = 0; part < 11; part++) req.write('x'.repeat(1_000));
    req.end();
  });
  assert.equal(chunked, 413);
  assert.equal((await post(made.to, '/webhooks/open', 'x'.repeat(10_000))).status, 400);
  assert.equal(await made.store.deadLetters.count(), 1);
});

test('A8: a list of 2,500 alerts is taken; beyond its cap the refusal is counted by its name', async (t) => {
  const made = await serving(t, { limits: { bodyBytesMax: 10_000, listBytesMax: 4_000_000 } });
  const alerts = Array.from({ length: 2_500 }, (_, number) => ({
    status: 'firing',
    labels: { alertname: 'A', severity: 'warning', instance: `web-${number}:9100` },
    annotations: { description: 'x'.repeat(400) },
  }));
  const large = JSON.stringify({ alerts });
  assert.ok(large.length > 1_048_576);
  assert.equal((await post(made.to, '/webhooks/open', large)).status, 202);
  const huge = 'x'.repeat(4_000_001);
  for (let round = 0; round < 2; round++) assert.equal((await post(made.to, '/webhooks/open', huge)).status, 413);
  assert.ok(await counted(made, 'quench_deliveries_total{endpoint="open",outcome="too_large"} 2'));
});

test('A8: what is refused as a whole is told to the watch with its kind; what is put off, or comes to no endpoint, is not', async (t) => {
  const made = await serving(t, { limits: { bodyBytesMax: 10_000, listBytesMax: 10_000 } });
  const right = { authorization: 'Bearer new-secret' };
  assert.equal((await post(made.to, '/webhooks/bearer', 'x'.repeat(10_001), right)).status, 413);
  assert.equal((await post(made.to, '/webhooks/bearer', body, { authorization: 'Bearer nope' })).status, 401);
  assert.equal((await post(made.to, '/webhooks/bearer', '{}', right)).status, 400);
  assert.equal((await post(made.to, '/webhooks/bearer', 'x', { ...right, 'content-type': 'image/png' })).status, 415);
  assert.equal((await post(made.to, '/webhooks/nobody', body)).status, 404);
  assert.equal((await post(made.to, '/webhooks/bearer', body, right)).status, 202);
  made.setLag(2_000);
  assert.equal((await post(made.to, '/webhooks/bearer', body, right)).status, 503);
  assert.deepEqual(made.refusals, [
    'bearer size 10001',
    `bearer credentials ${body.length}`,
    'bearer form 2',
    'bearer form 1',
    'bearer taken',
  ]);
});

test('bodies of all senders together stay below one bound, which is given back', async (t) => {
  const made = await serving(t, { limits: { bufferedBytesMax: 50_000 } });
  const slow = rawRequest({ port: made.port, path: '/webhooks/open', method: 'POST', headers: { 'content-length': 45_000 } });
  slow.on('error', () => {});
  slow.write('x'.repeat(40_000));
  const ask = async (): Promise<number> => (await post(made.to, '/webhooks/open', 'x'.repeat(20_000))).status;
  assert.equal(await eventually(ask, (status) => status === 503), 503);
  slow.destroy();
  assert.equal(await eventually(ask, (status) => status === 400), 400);
  for (let round = 0; round < 4; round++) assert.equal(await ask(), 400);
});

test('gzip is taken, up to the same cap; what only claims to be gzip is 400, other encodings are 415', async (t) => {
  const made = await serving(t, { limits: { bodyBytesMax: 100_000, listBytesMax: 100_000 } });
  const send = (bytes: Buffer, encoding: string, path = 'open', headers = {}) =>
    made.to
      .post(`/webhooks/${path}`)
      .set({ 'content-type': 'application/json', 'content-encoding': encoding, ...headers })
      .serialize((sent: unknown) => sent as string)
      .send(bytes);
  assert.equal((await send(gzipSync(body), 'gzip')).status, 202);
  assert.equal((await send(gzipSync(body), 'gzip', 'signed', signed(body))).status, 202, 'the signature is over what was compressed');
  const bomb = gzipSync(Buffer.alloc(50_000_000));
  assert.ok(bomb.length < 100_000);
  assert.equal((await send(bomb, 'gzip')).status, 413);
  assert.equal((await send(Buffer.from(body), 'gzip')).status, 400);
  assert.equal((await send(Buffer.from(body), 'compress')).status, 415);
});

test('A14: encodings are known in any case, and none inflates beyond the cap', async (t) => {
  const made = await serving(t, { limits: { bodyBytesMax: 100_000, listBytesMax: 100_000 } });
  const send = (bytes: Buffer, encoding: string) =>
    made.to
      .post('/webhooks/open')
      .set({ 'content-type': 'application/json', 'content-encoding': encoding })
      .serialize((sent: unknown) => sent as string)
      .send(bytes);
  const packed: readonly (readonly [encoding: string, pack: (bytes: Buffer) => Buffer])[] = [
    ['GZIP', gzipSync],
    ['x-gzip', gzipSync],
    ['Deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['BR', brotliCompressSync],
  ];
  for (const [encoding, pack] of packed) {
    assert.equal((await send(pack(Buffer.from(body)), encoding)).status, 202, encoding);
    assert.equal((await send(pack(Buffer.alloc(50_000_000)), encoding)).status, 413, encoding);
    assert.equal((await send(Buffer.from(body), encoding)).status, 400, encoding);
  }
  assert.equal((await send(Buffer.from(body), 'Identity')).status, 202);
});

test('A14: a byte order mark, UTF-16 and Latin-1 are read, and no two names become one', () => {
  const json = '{"name":"Tür €"}';
  assert.equal(textOfBody(Buffer.from(`\ufeff${json}`)), json);
  assert.equal(textOfBody(Buffer.from(`\ufeff${json}`, 'utf16le')), json);
  assert.equal(textOfBody(Buffer.from(json, 'utf16le')), json);
  assert.equal(textOfBody(Buffer.from(`\ufeff${json}`, 'utf16le').swap16()), json);
  assert.equal(textOfBody(Buffer.from(json, 'utf16le').swap16()), json);
  assert.notEqual(textOfBody(Buffer.from('Tür', 'latin1')), textOfBody(Buffer.from('Tör', 'latin1')));
  assert.equal(textOfBody(Buffer.concat([Buffer.from('ü'), Buffer.from([0xff]), Buffer.from('😀')])), 'üÿ😀');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => textOfBinary(Buffer.from(text).toString('latin1')) === text.toWellFormed()),
  );
});

test('A10: an unknown severity is told in the log and counted', async (t) => {
  const made = await serving(t);
  const sent = JSON.stringify({ alerts: [{ status: 'firing', labels: { alertname: 'A', severity: 'schlimm' } }] });
  assert.equal((await post(made.to, '/webhooks/open', sent)).status, 202);
  assert.equal(await counted(made, 'quench_delivery_warnings_total{endpoint="open"} 1'), true);
});

test('JSON, forms, text and no type at all are read; other types are 415', async (t) => {
  const { to } = await serving(t);
  const types: readonly (readonly [string, number])[] = [
    ['application/json', 202],
    ['application/json; charset=utf-8', 202],
    ['Application/Vnd.Acme+JSON', 202],
    ['application/x-www-form-urlencoded', 202],
    ['text/plain', 202],
    ['multipart/form-data; boundary=x', 415],
    ['application/octet-stream', 415],
    ['image/png', 415],
  ];
  for (const [type, status] of types) assert.equal((await post(to, '/webhooks/open', body, { 'content-type': type })).status, status, type);
});

test('unknown endpoints, other methods and names out of the prototype', async (t) => {
  const made = await serving(t);
  for (const name of ['nope', '', '__proto__', 'constructor', 'open%2f', '../open']) {
    assert.equal((await post(made.to, `/webhooks/${name}`, body)).status, 404, name);
  }
  assert.equal((await made.to.get('/webhooks/open')).status, 405);
  assert.equal((await made.to.put('/webhooks/open').send('x')).headers['allow'], 'POST');
});

test('a source that is particular about its answer gets it', async (t) => {
  const [first] = endpoints;
  assert.ok(first !== undefined);
  const particular: HttpEndpoint = { ...first, source: { ...first.source, answer: { status: 200, body: 'OK' } } };
  const { to } = await serving(t, { endpoints: [particular] });
  const answer = await post(to, '/webhooks/open', body);
  assert.deepEqual([answer.status, answer.text], [200, 'OK']);
});

test('the alerts API takes a list, answers 200 and an object, and asks what its endpoint asks', async (t) => {
  const list = JSON.stringify([{ labels: { alertname: 'Down', host: 'web1' }, startsAt: '2026-11-21T11:59:00Z' }]);
  const made = await serving(t);
  const answer = await post(made.to, '/api/v2/alerts', list);
  assert.deepEqual([answer.status, answer.text], [200, '{}']);
  assert.deepEqual(
    (await made.inputs()).map((record) => (record.value as AlertSeen).event.name),
    ['Down'],
  );
  const guarded = await serving(t, { endpoints: endpoints.map((each) => ({ ...each, alertsApi: each.name === 'bearer' })) });
  assert.equal((await post(guarded.to, '/api/v2/alerts', list)).status, 401);
  const none = await serving(t, { endpoints: endpoints.map((each) => ({ ...each, alertsApi: false })) });
  assert.equal((await post(none.to, '/api/v2/alerts', list)).status, 404);
});

test('a sender that hangs up in the middle harms nobody', async (t) => {
  const medium = heldSync();
  const made = await serving(t, { sync: medium.sync });
  let arrived = 0;
  made.http.server.on('request', () => (arrived += 1));
  const half = rawRequest({ port: made.port, path: '/webhooks/open', method: 'POST', headers: { 'content-length': 900 } });
  const whole = rawRequest({ port: made.port, path: '/webhooks/open', method: 'POST' });
  for (const req of [half, whole]) req.on('error', () => {});
  half.write('x');
  whole.end(body);
  await medium.reached;
  await eventually(
    async () => arrived,
    (many) => many === 2,
  );
  half.destroy();
  whole.destroy();
  medium.open();
  assert.equal((await post(made.to, '/webhooks/open', body)).status, 202);
  assert.equal((await made.inputs()).length, 2);
  const cutOff = (): Promise<boolean> => counted(made, 'quench_deliveries_total{endpoint="open",outcome="invalid"} 1');
  assert.ok(await eventually(cutOff, Boolean));
});

test('a bug of ours is 500, without its text, and in the log with it', async (t) => {
  const made = await serving(t);
  t.mock.method(made.store.log, 'append', () => Promise.reject(new TypeError('planted detail')));
  const answer = await post(made.to, '/webhooks/open', body);
  assert.equal(answer.status, 500);
  assert.equal(answer.body.code, 'internal');
  assert.doesNotMatch(answer.text, /planted/);
  assert.match(made.logged.map(({ fields }) => String((fields as { error: unknown }).error)).join(), /planted detail/);
});

test('whatever the body, no endpoint answers 500 or stays silent', async (t) => {
  const [first] = endpoints;
  assert.ok(first !== undefined);
  const sources = [first.source, zabbix({}), nagios({}), newrelic({})];
  const common = { auth: first.auth, tenant: first.tenant, scopeLabels: [] };
  const doors = sources.map((source, place): HttpEndpoint => Object.assign({ name: source.name, source, alertsApi: place === 0 }, common));
  const { to } = await serving(t, { endpoints: doors });
  const paths = [...doors.map(({ name }) => `/webhooks/${name}`), '/api/v2/alerts'];
  const sent = fc.oneof(nastyJson, fc.string({ unit: 'binary' }), fc.constantFrom(body, '', 'a=b&a=c', 'payload=%7B%22a%22%3A1%7D'));
  const type = fc.constantFrom('application/json', 'application/x-www-form-urlencoded', 'text/plain');
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...paths), type, sent, async (path, contentType, text) => {
      const { status } = await post(to, path, text, { 'content-type': contentType });
      assert.ok([200, 202, 400].includes(status), `${path} answered ${status}`);
    }),
    { numRuns: 300 },
  );
});

test('a wrong name and a wrong method are told with what to write instead', async (t) => {
  const made = await serving(t);
  const lost = await post(made.to, '/webhooks/promethues', body, {});
  assert.deepEqual([lost.status, lost.body.code], [404, 'not_found']);
  assert.match(lost.body.detail, /the name behind \/webhooks\/ is one of those under endpoints in quench\.yaml/);
  const looked = await made.to.get('/webhooks/open');
  assert.deepEqual([looked.status, looked.headers['allow'], looked.body.code], [405, 'POST', 'method_not_allowed']);
  assert.match(looked.body.detail, /takes POST/);
});
