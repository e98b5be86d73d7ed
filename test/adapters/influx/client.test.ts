// The InfluxDB client against servers that are none: answers without an end, which a broken proxy in front of one writes, too.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { influxClient, type InfluxClient } from '../../../adapters/influx/client.ts';
import { settingsOf } from '../../../adapters/influx/options.ts';
import { GatewayError } from '../../../src/core/errors.ts';
import { systemClock } from '../../../src/gateway/clock.ts';

interface Served {
  readonly client: InfluxClient;
  /** Connections that are open now. */
  connections(): Promise<number>;
}

async function serve(t: TestContext, answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<Served> {
  const server = createServer(answer);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo; // of a TCP server
  const client = influxClient(settingsOf({ url: `http://127.0.0.1:${port}`, timeoutMs: 1_000 }), systemClock);
  t.after(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });
  const connections = (): Promise<number> =>
    new Promise((resolve, reject) => server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))));
  return { client, connections };
}

const piece = Buffer.alloc(1_048_576, 'x');

/** Writes as fast as it is read, for ever. */
function writeOn(response: ServerResponse): void {
  const write = (): void => {
    while (!response.destroyed && response.write(piece));
  };
  response.on('drain', write);
  write();
}

for (const status of [200, 400, 401, 500]) {
  test(`C1, A1: an answer ${status} without an end is cut off, is no more than bytes that were read, and leaves no connection`, async (t) => {
    const { client, connections } = await serve(t, (request, response) => {
      request.resume();
      response.writeHead(status);
      writeOn(response);
    });
    const error: unknown = await client.query('SHOW DATABASES').catch((failure: unknown) => failure);
    assert.ok(error instanceof GatewayError, String(error).slice(0, 200));
    assert.equal(error.code, 'store_unavailable');
    assert.match(error.message, /an answer of more than \d+ bytes/);
    assert.ok(error.message.length < 400);
    await fewConnections(connections, 0);
  });
}

async function fewConnections(connections: Served['connections'], most: number): Promise<void> {
  for (let look = 0; look < 100 && (await connections()) > most; look += 1) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok((await connections()) <= most, `${await connections()} connections`);
}

test('C1: answers that drip for ever end at the deadline with their connections, and the next calls are heard', async (t) => {
  let drips = true;
  const open = new Set<ServerResponse>();
  const { client } = await serve(t, (request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'application/json' });
    if (!drips) return void response.end('{"results":[]}');
    open.add(response);
    const timer = setInterval(() => response.write(' '), 100);
    response.on('close', () => {
      open.delete(response);
      clearInterval(timer);
    });
  });
  const all = await Promise.allSettled([1, 2, 3, 4, 5].map(() => client.query('SHOW DATABASES')));
  await fewConnections(async () => open.size, 0); // a connection of a call that ended before it was made may be kept for the next
  for (const each of all) assert.ok(each.status === 'rejected' && /no answer within|hang up|aborted|reset/.test(String(each.reason)));
  drips = false;
  assert.deepEqual(await client.query('SHOW DATABASES'), []);
});

test('C1: a write whose answer drips ends at its deadline with its connection', async (t) => {
  const { client, connections } = await serve(t, (request, response) => {
    request.resume();
    response.writeHead(500);
    const timer = setInterval(() => response.write(' '), 100);
    response.on('close', () => clearInterval(timer));
  });
  await assert.rejects(client.write([{ measurement: 'alert', fields: { fired: 1 } }], 'points'), /no answer within/);
  await fewConnections(connections, 0);
});

test('A1: it counts each answer for itself, however many come over one connection', async (t) => {
  const { client, connections } = await serve(t, (request, response) => {
    request.resume();
    request.on('end', () => response.end(JSON.stringify({ results: [], padding: 'x'.repeat(20_000_000) })));
  });
  for (let ask = 0; ask < 5; ask += 1) assert.deepEqual(await client.query('SHOW DATABASES'), []);
  assert.equal(await connections(), 1);
});
