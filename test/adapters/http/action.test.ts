// http/request and http/probe against a real server that answers well, badly, late or not at all.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { guarded } from '../../../adapters/kit/action-guard.ts';
import { createHttpActions } from '../../../adapters/http/action.ts';
import type { HttpConfig } from '../../../adapters/http/config.ts';
import { createReach } from '../../../adapters/http/reach.ts';
import { GatewayError } from '../../../src/core/errors.ts';
import type { Json } from '../../../src/core/json.ts';
import type { ActionOutcome } from '../../../src/core/run/outcome.ts';
import type { Action } from '../../../src/ports/action.ts';
import { actionContract, type ActionSubject } from '../../contracts/action.ts';
import { hostileTexts } from '../../support/hostile.ts';
import { deadPort, startReceiver, type Receiver } from '../../support/receiver.ts';
import { wallClock } from '../../support/wallclock.ts';

const idle = new AbortController().signal;
type Input = { readonly [name: string]: Json };

/** Compiling the schemas anew for each call would take longer than the calls. */
const made = new Map<string, readonly Action[]>();

async function act(name: string, input: Input, config: HttpConfig, timeoutMs = 2_000): Promise<ActionOutcome> {
  const key = JSON.stringify(config);
  const actions = made.get(key) ?? guarded(createHttpActions(config, wallClock));
  made.set(key, actions);
  const action = actions.find((one) => one.name === name);
  assert.ok(action);
  return action.act({ input, key: 'run1/call/1', timeoutMs }, idle);
}

function errorOf(outcome: ActionOutcome): string {
  return outcome.outcome === 'failed' ? outcome.error : outcome.outcome;
}

function outputOf(outcome: ActionOutcome): { readonly [name: string]: Json } {
  assert.ok(outcome.outcome !== 'unknown', JSON.stringify(outcome));
  return outcome.output;
}

for (const [index, name] of ['http/request', 'http/probe'].entries()) {
  actionContract(name, async (): Promise<ActionSubject> => {
    const receiver = await startReceiver();
    receiver.answer = (response, { url }) => {
      if (url === '/endless') return;
      response.statusCode = url === '/no' ? 400 : 200;
      response.end('{}');
    };
    const action = createHttpActions({ allow: [receiver.origin] }, wallClock)[index];
    assert.ok(action);
    const good = { url: `${receiver.origin}/good` };
    return {
      action,
      good,
      refused: { url: `${receiver.origin}/no` },
      endless: { url: `${receiver.origin}/endless` },
      wrong: [
        { url: 7 },
        { url: '' },
        { url: 'ftp://127.0.0.1/' },
        { url: 'javascript:alert(1)' },
        { url: receiver.origin.replace('//', '//user:pass@') },
        { ...good, method: 'TRACE' },
        { ...good, method: 'get' },
        { ...good, headers: { 'x-a': 'a\r\nx-b: c' } },
        { ...good, headers: { 'x-a\r\n': 'b' } },
        { ...good, headers: { Host: 'elsewhere' } },
        { ...good, headers: { 'Idempotency-Key': 'mine' } },
        { ...good, headers: { 'Transfer-Encoding': 'chunked' } },
        { ...good, expectStatus: [] },
        { ...good, query: { nested: { a: 1 } } },
        name === 'http/probe' ? { ...good, successes: 0 } : { ...good, body: 'x', json: {} },
        name === 'http/probe' ? { ...good, method: 'POST' } : { ...good, bodyContains: 'x' },
      ],
      timeoutMs: 2_000,
      effects: () => receiver.heard.length,
      stop: () => receiver.close(),
    };
  });
}

describe('http/request', () => {
  let receiver: Receiver;
  let config: HttpConfig;
  before(async () => {
    receiver = await startReceiver();
    config = { allow: [`${receiver.origin}/hooks/`] };
  });
  beforeEach(() => {
    receiver.heard.length = 0;
    receiver.answer = (response) => response.end('{"done": true}');
  });
  after(() => receiver.close());

  test('W2: sends the key of the call, once, with what the step says', async () => {
    const input = {
      url: `${receiver.origin}/hooks/restart?dry=1`,
      method: 'PUT',
      query: { host: 'web 1' },
      headers: { 'X-Team': 'ops' },
      json: { n: 1 },
    };

    const outcome = await act('http/request', input, config);

    const { tookMs, ...output } = outputOf(outcome);
    assert.deepEqual(output, { status: 200, body: '{"done": true}', truncated: false, json: { done: true } });
    assert.ok(Number(tookMs) >= 0);
    const [heard] = receiver.heard;
    assert.equal(receiver.heard.length, 1);
    assert.equal(heard?.method, 'PUT');
    assert.equal(heard?.url, '/hooks/restart?dry=1&host=web+1');
    assert.equal(heard?.body, '{"n":1}');
    assert.equal(heard?.headers['idempotency-key'], 'run1/call/1');
    assert.equal(heard?.headers['x-team'], 'ops');
    assert.equal(heard?.headers['content-type'], 'application/json');
  });

  test('W1: hostile texts arrive as one value of the query and of the body, whatever they hold', async () => {
    const corpus = hostileTexts('/nowhere').filter((text) => text.length <= 4_096);
    for (let index = 0; index < corpus.length; index += 32) {
      const texts = corpus.slice(index, index + 32);
      const query = Object.fromEntries(texts.map((text, at) => [`q${at}`, text]));
      await act('http/request', { url: `${receiver.origin}/hooks/a`, query, json: query }, config);
      const heard = receiver.heard.at(-1);
      assert.ok(heard);
      assert.deepEqual(Object.fromEntries(new URL(heard.url, receiver.origin).searchParams), query);
      assert.deepEqual(JSON.parse(heard.body), query);
    }
  });

  test('answers: the expected status is ok, another has failed, a go-between without an answer is unknown', async () => {
    const table: readonly (readonly [number, readonly number[] | null, string])[] = [
      [200, null, 'ok'],
      [204, null, 'ok'],
      [302, null, 'status'],
      [400, null, 'status'],
      [409, null, 'status'],
      [409, [200, 409], 'ok'],
      [200, [202], 'status'],
      [500, null, 'status'],
      [503, null, 'status'],
      [502, null, 'unknown'],
      [504, null, 'unknown'],
      [504, [504], 'ok'],
    ];
    for (const [status, expectStatus, says] of table) {
      receiver.answer = (response) => response.writeHead(status, { location: `${receiver.origin}/hooks/elsewhere` }).end();
      const outcome = await act(
        'http/request',
        { url: `${receiver.origin}/hooks/a`, ...(expectStatus === null ? {} : { expectStatus }) },
        config,
      );
      assert.equal(errorOf(outcome), says, `${status} expecting ${expectStatus}`);
    }
    assert.ok(
      receiver.heard.every(({ url }) => url === '/hooks/a'),
      'a redirect was followed',
    );
  });

  test('W3: written and cut off is unknown; never written has failed', async () => {
    receiver.answer = (response) => response.destroy();
    assert.equal((await act('http/request', { url: `${receiver.origin}/hooks/a` }, config)).outcome, 'unknown');
    const dead = `http://127.0.0.1:${await deadPort()}/`;
    assert.equal(errorOf(await act('http/request', { url: dead }, { allow: [dead] })), 'network');
  });

  test('a body beyond 64 KiB is cut, and said to be', async () => {
    receiver.answer = (response) => response.end('x'.repeat(5_000_000));
    const output = outputOf(await act('http/request', { url: `${receiver.origin}/hooks/a` }, config));
    assert.equal(String(output['body']).length, 65_536);
    assert.equal(output['truncated'], true);
  });

  test('credentials go with calls below their prefix only, win over the step, and are not reported', async () => {
    const secret = {
      allow: [receiver.origin],
      credentials: [{ url: `${receiver.origin}/hooks/`, headers: { Authorization: 'Bearer s3cr3t-token' } }],
    };
    receiver.answer = (response, heard) => response.end(JSON.stringify({ echo: heard.headers.authorization ?? 'none' }));

    const below = await act('http/request', { url: `${receiver.origin}/hooks/a`, headers: { authorization: 'mine' } }, secret);
    const beside = await act('http/request', { url: `${receiver.origin}/other` }, secret);

    assert.equal(receiver.heard[0]?.headers.authorization, 'Bearer s3cr3t-token');
    assert.ok(!JSON.stringify(below).includes('s3cr3t'));
    assert.deepEqual(outputOf(beside)['json'], { echo: 'none' });
  });

  test('W1: what is not on the list is not called, and the address is not repeated', async () => {
    const { port } = receiver;
    const outside = [
      `${receiver.origin}/`,
      `${receiver.origin}/hooks`,
      `${receiver.origin}/hooks2/a`,
      `${receiver.origin}/hooks/../admin`,
      `${receiver.origin}/hooks/%2e%2e/admin`,
      `${receiver.origin}/hooks/..%2fadmin`,
      `${receiver.origin}/hooks/%2e%2e%2fadmin`,
      `${receiver.origin}/hooks/%252e%252e%252fadmin`,
      `${receiver.origin}/hooks/..%5cadmin`,
      `${receiver.origin}/hooks/..;/admin`,
      `${receiver.origin}/hooks/%zz`,
      `https://127.0.0.1:${port}/hooks/a`,
      `http://localhost:${port}/hooks/a`,
      `http://[::1]:${port}/hooks/a`,
      `http://[::ffff:127.0.0.1]:${port}/hooks/a`,
      `http://127.0.0.1.example.org:${port}/hooks/a`,
      'http://169.254.169.254/latest/meta-data',
    ];
    for (const url of outside) {
      const outcome = await act('http/request', { url }, config);
      assert.equal(errorOf(outcome), 'refused', url);
      assert.ok(outcome.outcome === 'failed' && !outcome.detail.includes('admin'));
    }
    assert.equal(errorOf(await act('http/request', { url: `${receiver.origin}/hooks/a` }, {})), 'refused');
    assert.equal(receiver.heard.length, 0);
    for (const spelled of [`http://127.1:${port}/hooks/a`, `http://2130706433:${port}/hooks/a`, `http://0x7f.1:${port}/hooks/./b/../a`]) {
      assert.equal((await act('http/request', { url: spelled }, config)).outcome, 'ok', `${spelled} is the same address`);
    }
  });
});

describe('http/probe', () => {
  let receiver: Receiver;
  let config: HttpConfig;
  before(async () => {
    receiver = await startReceiver();
    config = { allow: ['127.0.0.0/8'] };
  });
  beforeEach(() => {
    receiver.heard.length = 0;
    receiver.answer = (response) => response.end('status: healthy');
  });
  after(() => receiver.close());

  test('wants so many good answers in a row, so far apart, and stops at the first bad one', async () => {
    const input = { url: receiver.origin, successes: 3, everyMs: 50, bodyContains: 'healthy' };
    const startedAt = performance.now();
    assert.equal((await act('http/probe', input, config)).outcome, 'ok');
    assert.ok(performance.now() - startedAt >= 95);
    assert.equal(receiver.heard.length, 3);
    assert.ok(receiver.heard.every(({ method, headers }) => method === 'GET' && headers['idempotency-key'] === undefined));

    receiver.answer = (response) => response.end(receiver.heard.length === 5 ? 'status: sick' : 'status: healthy');
    assert.equal(errorOf(await act('http/probe', input, config)), 'body');
    assert.equal(receiver.heard.length, 5);
  });

  test('too few answers within the time are a failure, in time', async () => {
    const startedAt = performance.now();
    assert.equal(errorOf(await act('http/probe', { url: receiver.origin, successes: 20, everyMs: 100 }, config, 250)), 'deadline');
    assert.ok(performance.now() - startedAt < 1_500);
  });

  test('HEAD looks without a body', async () => {
    assert.equal(outputOf(await act('http/probe', { url: receiver.origin, method: 'HEAD' }, config))['body'], '');
    assert.equal(receiver.heard[0]?.method, 'HEAD');
  });
});

describe('the list of addresses', () => {
  test('H2: each kind of entry admits what it names', () => {
    const admits = (entry: string, url: string): boolean => createReach([entry]).admits(new URL(url));
    assert.ok(admits('api.example.com', 'https://API.example.com:8443/x'));
    assert.ok(!admits('api.example.com', 'https://api.example.com.evil.org/'));
    assert.ok(!admits('example.com', 'https://api.example.com/'));
    assert.ok(admits('10.0.0.0/8', 'http://10.1.2.3/'));
    assert.ok(!admits('10.0.0.0/8', 'http://11.1.2.3/'));
    assert.ok(admits('::1', 'http://[::1]:80/'));
    assert.ok(!admits('10.0.0.0/8', 'http://ten.example.com/'));
    assert.ok(admits('https://h.example/a', 'https://h.example/a'));
    assert.ok(!admits('https://h.example/a', 'https://h.example/ab'));
    assert.ok(!admits('https://h.example/a', 'https://h.example:444/a'));
  });

  test('an entry that is none of them is refused at the start', () => {
    for (const entry of ['10.0.0.0/33', '10.0.0.0/x', 'a b', '*', 'http://', 'ftp://h/', 'http://u:p@h/', '']) {
      assert.throws(
        () => createReach([entry]),
        (error) => error instanceof GatewayError && error.code === 'invalid_config',
        entry,
      );
    }
  });
});
