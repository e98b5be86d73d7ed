import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import supertest from 'supertest';
import type { ApiToken } from '../../src/access/tokens.ts';
import type { HttpEndpoint } from '../../src/http/deps.ts';
import { wallClock } from '../support/wallclock.ts';
import { endpoints, front, group, heldSync, holders, noon, showing, tokens, type Front, type FrontOptions } from './support.ts';

async function serving(
  t: TestContext,
  options: FrontOptions = {},
): Promise<Front & { readonly to: ReturnType<typeof supertest>; readonly port: number }> {
  const made = await front(options);
  const port = await made.http.start(0, '127.0.0.1');
  t.after(() => made.http.stop());
  return { ...made, port, to: supertest(`http://127.0.0.1:${port}`) };
}

const body = JSON.stringify(group('DiskFull'));

function post(port: number, agent?: Agent): Promise<{ readonly status: number; readonly connection: string | undefined }> {
  return new Promise((resolve, reject) => {
    const options = {
      port,
      path: '/webhooks/open',
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      ...(agent === undefined ? {} : { agent }),
    };
    const req = request(options, (res) => {
      res.resume().on('end', () => resolve({ status: res.statusCode ?? 0, connection: res.headers.connection }));
    });
    req.on('error', reject);
    req.end(body);
  });
}

test('stopping waits for the delivery under way and lets it end well', async () => {
  const medium = heldSync();
  const made = await front({ sync: medium.sync });
  const port = await made.http.start(0, '127.0.0.1');
  const agent = new Agent({ keepAlive: true });
  const posting = post(port, agent);
  await medium.reached;
  let stopped = false;
  const stopping = made.http.stop().then(() => (stopped = true));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(stopped, false);
  await assert.rejects(post(port), /ECONNREFUSED/);
  const began = performance.now();
  medium.open();
  assert.equal((await posting).status, 202);
  await stopping;
  assert.ok(performance.now() - began < 2_000, 'an idle connection does not hold up the stop');
  agent.destroy();
});

test('stopping does not wait for a connection that never asked for anything', async () => {
  const made = await front();
  const port = await made.http.start(0, '127.0.0.1');
  const socket = connect(port, '127.0.0.1');
  const closed = new Promise((resolve) => socket.on('error', () => {}).once('close', resolve));
  await new Promise((resolve) => socket.once('connect', resolve));
  const began = performance.now();
  await made.http.stop();
  await closed;
  assert.ok(performance.now() - began < 2_000);
});

test('stopping does not wait for ever', async () => {
  const medium = heldSync();
  const made = await front({ sync: medium.sync, limits: { drainMs: 100 } });
  const port = await made.http.start(0, '127.0.0.1');
  const posting = assert.rejects(post(port));
  await medium.reached;
  const began = performance.now();
  await made.http.stop();
  await posting;
  assert.ok(performance.now() - began < 1_000);
});

test('a taken port is told', async (t) => {
  const { port } = await serving(t);
  const other = await front();
  await assert.rejects(other.http.start(port, '127.0.0.1'), { code: 'EADDRINUSE' });
});

/** An open connection, and what was heard on it; `closed` resolves when it has ended. */
function knock(port: number, text = ''): { readonly socket: Socket; readonly closed: Promise<string> } {
  const socket = connect(port, '127.0.0.1', () => text !== '' && socket.write(text));
  let heard = '';
  const closed = new Promise<string>((resolve) => {
    socket.on('data', (chunk) => (heard += String(chunk))).on('error', () => {});
    socket.once('close', () => resolve(heard));
  });
  return { socket, closed };
}

const knownGet = `GET /api/v1/incidents HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${tokens.read}\r\n\r\n`;

test('F9, N3: at the bound a connection without credentials makes room, one that brought them does not', async (t) => {
  const { port } = await serving(t, { limits: { connectionsMax: 2 } });
  const known = knock(port, knownGet);
  await new Promise((resolve) => known.socket.once('data', resolve));
  const stranger = knock(port);
  await new Promise((resolve) => stranger.socket.once('connect', resolve));
  assert.equal((await post(port, new Agent({ keepAlive: true }))).status, 202, 'the stranger made room');
  await stranger.closed;
  await assert.rejects(post(port), 'both that are left brought credentials'); // N1
  assert.equal(known.socket.destroyed, false);
  known.socket.destroy();
});

test('F9, N2: an address that opens many connections in silence loses its own oldest', async (t) => {
  const { port } = await serving(t, { limits: { connectionsPerAddressMax: 3 } });
  const silent = Array.from({ length: 6 }, () => knock(port));
  await Promise.all(silent.slice(0, 3).map(({ closed }) => closed));
  assert.equal((await post(port)).status, 202);
  for (const { socket } of silent) socket.destroy();
});

test('F9, N4: after a refusal the connection is closed, however slowly a body comes', async (t) => {
  const { port } = await serving(t);
  const head = 'POST /webhooks/bearer HTTP/1.1\r\nhost: x\r\nauthorization: Bearer wrong\r\ncontent-length: 1000\r\n\r\n{';
  assert.match(await knock(port, head).closed, /^HTTP\/1\.1 401 [^]*connection: close/i);
  const api = 'GET /api/v1/incidents HTTP/1.1\r\nhost: x\r\n\r\n';
  assert.match(await knock(port, api).closed, /^HTTP\/1\.1 401 [^]*connection: close/i);
});

test('F13: failed logins are counted, told in the log, and answered more slowly', async (t) => {
  const { port, to, logged } = await serving(t, { limits: { loginDelayMsMax: 1_000 } });
  const began = performance.now();
  for (let at = 0; at < 10; at += 1) await to.get('/api/v1/incidents').set('authorization', 'Bearer wrong').expect(401);
  assert.ok(performance.now() - began > 1_000, 'the last of them waited');
  const told = logged.filter(({ text }) => text.includes('failed logins'));
  assert.deepEqual(
    told.map(({ fields }) => fields),
    [1, 10].map((failures) => ({ door: 'api', address: '127.0.0.1', failures })),
  );
  const { text } = await to.get('/metrics');
  assert.match(text, /quench_failed_logins_total\{door="api"\} 10/);
  assert.match(text, /quench_failed_logins_total\{door="webhooks"\} 0/);
  assert.ok(port > 0);
});

test('F14: an absolute target is its path, a known path with another method says which it takes', async (t) => {
  const { to, port } = await serving(t);
  const text = JSON.stringify(group('DiskFull'));
  const head = `POST http://quench.example/webhooks/open HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n`;
  assert.match(await knock(port, `${head}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`).closed, /^HTTP\/1\.1 202/);
  const wrong = await to.delete('/api/v1/incidents').expect(405);
  assert.equal(wrong.headers['allow'], 'GET, HEAD');
  assert.equal(wrong.body.code, 'method_not_allowed');
  await to.put('/webhooks/open').expect(405).expect('allow', 'POST');
  await to.post('/Webhooks/Open').send(group('DiskFull')).expect(202);
  await to.delete('/api/v1/nothing').expect(404);
});

test('headers beyond 16 KiB are 431, broken HTTP is 400, and both leave the server well', async (t) => {
  const { to, port } = await serving(t);
  const speak = (text: string): Promise<string> =>
    new Promise((resolve) => {
      let heard = '';
      const socket = connect(port, '127.0.0.1', () => socket.end(text));
      socket.on('data', (chunk) => (heard += String(chunk))).on('close', () => resolve(heard));
    });
  assert.match(await speak(`GET /healthz HTTP/1.1\r\nhost: x\r\nx-long: ${'x'.repeat(20_000)}\r\n\r\n`), /^HTTP\/1\.1 431/);
  assert.match(await speak('NONSENSE\r\n\r\n'), /^HTTP\/1\.1 400/);
  await to.get('/healthz').expect(200, { status: 'alive' });
});

test('answers carry the headers that keep browsers from doing more than showing', async (t) => {
  const { to } = await serving(t);
  for (const path of ['/healthz', '/api/v1/incidents', '/nope']) {
    const { headers } = await to.get(path).set('origin', 'https://elsewhere.example');
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.match(headers['content-security-policy'] ?? '', /default-src 'none'/);
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(headers['access-control-allow-origin'], undefined);
    assert.equal(headers['x-powered-by'], undefined);
  }
});

test('an unknown path is a problem document too', async (t) => {
  const { to } = await serving(t);
  for (const path of ['/nope', '/api/v1/nope', '/api/v1/__proto__', '/']) {
    const answer = await to.get(path).expect(404);
    assert.match(answer.headers['content-type'] ?? '', /problem\+json/);
  }
});

test('ready means that every check is well; one that is not, throws or never answers is named, its words stay in the log', async (t) => {
  const good = { name: 'store', check: async () => null };
  const well = await serving(t, { checks: [good] });
  await well.to.get('/readyz').expect(200, { status: 'ready', checks: [{ name: 'store', ok: true }] });

  const cases = [async () => 'planted', () => Promise.reject(new Error('planted'))];
  for (const check of cases) {
    const made = await serving(t, { checks: [good, { name: 'executor', check }] });
    const answer = await made.to.get('/readyz').expect(503);
    assert.deepEqual(answer.body.checks, [
      { name: 'store', ok: true },
      { name: 'executor', ok: false },
    ]);
    assert.doesNotMatch(answer.text, /planted/);
    assert.deepEqual(made.logged, [{ fields: { check: 'executor', wrong: 'planted' }, text: 'not ready' }]);
  }
});

test('a check that hangs is not ready after two seconds', async (t) => {
  const clock = { ...wallClock, after: (span: number, call: () => void) => wallClock.after(span === 2_000 ? 20 : 60_000, call) };
  const made = await serving(t, { clock, checks: [{ name: 'executor', check: () => new Promise(() => {}) }] });
  const answer = await made.to.get('/readyz').expect(503);
  assert.deepEqual(answer.body.checks, [{ name: 'executor', ok: false }]);
});

test('readiness is asked at most once a second, however often it is looked at', async (t) => {
  let asked = 0;
  let steady = 0;
  const clock = { ...wallClock, steady: () => steady };
  const made = await serving(t, { clock, checks: [{ name: 'store', check: async () => ((asked += 1), null) }] });
  await Promise.all(Array.from({ length: 20 }, () => made.to.get('/readyz')));
  assert.equal(asked, 1);
  steady = 1_001;
  await made.to.get('/readyz').expect(200);
  assert.equal(asked, 2);
});

test('what happens at the door shows in the metrics, under names that are never an alert’s', async (t) => {
  const { to, deps, port } = await serving(t);
  await post(port);
  await to.post('/webhooks/open').set('content-type', 'application/json').send('{').expect(400);
  await to.get('/api/v1/incidents').set('authorization', `Bearer ${tokens.read}`).expect(200);
  await to.get('/api/v1/incidents/i42.x').set('authorization', `Bearer ${tokens.read}`).expect(404);
  for (let index = 0; index < 300; index++) deps.metrics.run(`playbook-${index}`, 'succeeded');
  const { text, headers } = await to.get('/metrics').expect(200);
  assert.match(headers['content-type'] ?? '', /^text\/plain; version=0\.0\.4/);
  for (const line of [
    'quench_deliveries_total{endpoint="open",outcome="accepted"} 1',
    'quench_deliveries_total{endpoint="open",outcome="refused"} 1',
    'quench_alerts_total{endpoint="open",claim="firing"} 1',
    'quench_accept_seconds_count 1',
    'quench_dead_letters 1',
    'quench_inputs_lag 0',
    'quench_http_requests_total{method="get",route="/api/v1/incidents",status="200"} 1',
    'quench_http_requests_total{method="get",route="/api/v1/incidents/:id",status="404"} 1',
    'quench_runs_total{playbook="other",end="succeeded"} 100',
  ]) {
    assert.ok(text.includes(`${line}\n`), line);
  }
  assert.doesNotMatch(text, /i42/);
});

test('a store that is away does not cost the scrape', async (t) => {
  const made = await serving(t);
  t.mock.method(made.store.deadLetters, 'count', () => Promise.reject(new Error('away')));
  const { text } = await made.to.get('/metrics').expect(200);
  assert.match(text, /quench_inputs_lag 0/);
});

test('T5: who is let in and has the token taken away while the body arrives does nothing', async (t) => {
  let inForce: readonly ApiToken[] = holders;
  let secrets: readonly string[] = ['ingest-secret'];
  const [openDoor] = endpoints;
  assert.ok(openDoor !== undefined);
  const door: HttpEndpoint = {
    ...openDoor,
    get auth() {
      return [{ kind: 'bearer', secrets }] as const;
    },
  };
  const { port, inputs } = await serving(t, { tokens: () => inForce, endpoints: [door] });
  const silence = JSON.stringify({ matchers: [{ name: 'host', op: '=', value: 'x' }], minutes: 5, comment: 'x' });
  const delivery = JSON.stringify(group('DiskFull'));
  for (const [path, token, text] of [
    ['/api/v1/silences', tokens.operate, silence],
    ['/webhooks/open', 'ingest-secret', delivery],
  ] as const) {
    const length = Buffer.byteLength(text);
    const head = `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;
    const slow = knock(port, `${head}${text.slice(0, 9)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    inForce = holders.filter(({ name }) => name !== 'olga');
    secrets = ['another-secret'];
    slow.socket.write(text.slice(9));
    assert.match(await slow.closed, /^HTTP\/1\.1 401 /, path);
  }
  assert.equal((await inputs()).length, 0);
});

test('T5: an answer that takes long breaks off when the token of its caller is taken away', async (t) => {
  let inForce: readonly ApiToken[] = holders;
  const made = await serving(t, { tokens: () => inForce });
  const labels = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`label${index}`, 'x'.repeat(60)]));
  const patches = Array.from({ length: 600 }, (_, index) => ({
    kind: 'alert' as const,
    id: `f${index}`,
    scope: 'default',
    at: noon + index,
    begins: true as const,
    set: { fingerprint: `f${index}`, labels },
  }));
  await showing(made.store, patches);
  // The first slice is on its way when this is called.
  made.http.server.prependListener('request', (_req, res) => {
    const { write } = res;
    t.mock.method(res, 'write', (...args: Parameters<typeof write>) => {
      inForce = [];
      return write.apply(res, args);
    });
  });
  const answer = await fetch(`http://127.0.0.1:${made.port}/api/v2/alerts`, {
    headers: { authorization: `Bearer ${tokens.read}` },
  });
  assert.equal(answer.status, 200);
  await assert.rejects(answer.text());
});

const headOf = (path: string, token: string, ...more: readonly string[]): string =>
  `${[`POST ${path} HTTP/1.1`, 'host: x', `authorization: Bearer ${token}`, 'content-type: application/json', ...more].join('\r\n')}\r\n\r\n`;

test('B2: a body that is announced as too large is 413 at once, and the connection closes', async (t) => {
  const { port } = await serving(t, { limits: { bodyBytesMax: 1_000, listBytesMax: 1_000 } });
  for (const [path, token] of [
    ['/webhooks/bearer', 'new-secret'],
    ['/api/v1/silences', tokens.operate],
  ] as const) {
    const began = performance.now();
    const { socket, closed } = knock(port, headOf(path, token, 'content-length: 1001'));
    const first = await new Promise((resolve) => socket.once('data', (chunk) => resolve(String(chunk))));
    assert.ok(performance.now() - began < 1_000, 'nothing of the body was waited for');
    assert.match(String(first), /^HTTP\/1\.1 413 [^]*connection: close/i, path);
    socket.end();
    await closed;
  }
});

test('B2: who asks before sending a body is told to go on only where it is read', async (t) => {
  const { port } = await serving(t, { limits: { bodyBytesMax: 1_000, listBytesMax: 1_000 } });
  const text = JSON.stringify(group('DiskFull'));
  const length = Buffer.byteLength(text);
  const ask = (token: string, bytes: number): ReturnType<typeof knock> =>
    knock(port, headOf('/webhooks/bearer', token, 'expect: 100-continue', `content-length: ${bytes}`));
  const began = performance.now();
  assert.match(await ask('wrong', length).closed, /^HTTP\/1\.1 401 /);
  assert.match(await ask('new-secret', 1_001).closed, /^HTTP\/1\.1 413 /);
  assert.ok(performance.now() - began < 5_000);
  const taken = ask('new-secret', length);
  await new Promise((resolve) => taken.socket.once('data', resolve));
  taken.socket.write(text);
  await new Promise((resolve) => taken.socket.once('data', resolve));
  // The connection is kept for more.
  taken.socket.write(headOf('/webhooks/bearer', 'new-secret', 'connection: close', `content-length: ${length}`) + text);
  assert.match(await taken.closed, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 202 [^]*HTTP\/1\.1 202 /);
});

test('B2: a request with two Host headers is 400', async (t) => {
  const { port } = await serving(t);
  for (const path of ['/healthz', '/webhooks/open'])
    assert.match(await knock(port, `GET ${path} HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n`).closed, /^HTTP\/1\.1 400 [^]*one Host header/);
});
