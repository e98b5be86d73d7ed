// Many questions at once: src/http/lane.ts, alone and behind the door.
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { Counter, Gauge, Registry } from 'prom-client';
import { GatewayError } from '../../src/core/errors.ts';
import { createLargeBodies } from '../../src/http/door/large.ts';
import { expositionOf } from '../../src/http/exposition.ts';
import { createLane } from '../../src/http/lane.ts';
import { lineOf } from '../../src/http/route.ts';
import { front, noon, showing, tokens } from './support.ts';

const limits = { atOnceMax: 2, waitingMax: 50, unreadBytesMax: 1_000 };
/** Of a response the lane hears only that it has closed. */
const response = (): ServerResponse => new EventEmitter() as ServerResponse;
const turns = async (count: number): Promise<void> => {
  for (let left = count; left > 0; left -= 1) await new Promise<void>((resolve) => void setImmediate(resolve));
};
const overloaded = (error: unknown): boolean => error instanceof GatewayError && error.code === 'overloaded';

test('Q1: no more questions are at work than may be, and each begins in a turn of the event loop of its own', async () => {
  const lane = createLane(limits);
  let working = 0;
  let most = 0;
  const begunIn: number[] = [];
  let turn = 0;
  let isOver = false;
  const count = (): void => {
    turn += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const questions = Array.from({ length: 20 }, () =>
    lane.run('anna', response(), async () => {
      begunIn.push(turn);
      working += 1;
      most = Math.max(most, working);
      await turns(3);
      working -= 1;
    }),
  );
  assert.deepEqual(begunIn, []);
  await Promise.all(questions);
  isOver = true;
  assert.deepEqual([begunIn.length, new Set(begunIn).size, most, working], [20, 20, 2, 0]);
});

test('Q2: callers take turns, however many questions one of them asks', async () => {
  const lane = createLane({ ...limits, atOnceMax: 1 });
  const order: string[] = [];
  const ask = (caller: string): Promise<void> =>
    lane.run(caller, response(), async () => {
      order.push(caller);
      await turns(1);
    });
  await Promise.all([...Array.from({ length: 6 }, () => ask('many')), ask('anna'), ask('ben'), ask('anna')]);
  assert.deepEqual(order, ['many', 'anna', 'ben', 'many', 'anna', 'many', 'many', 'many', 'many']);
});

test('Q3: what waits is bounded, and so is what one caller was answered and does not read', async () => {
  const lane = createLane({ ...limits, waitingMax: 3 });
  const waiting = Array.from({ length: 3 }, () => lane.run('anna', response(), () => turns(1)));
  await assert.rejects(
    lane.run('ben', response(), () => turns(1)),
    overloaded,
  );
  await Promise.all(waiting);

  const slow = response();
  lane.answering('anna', slow)(1_001);
  await assert.rejects(
    lane.run('anna', response(), () => turns(1)),
    overloaded,
  );
  await lane.run('ben', response(), () => turns(1));
  slow.emit('close');
  await lane.run('anna', response(), () => turns(1));
});

test('Q4: a question whose asker has gone is not answered, and a failed one gives its place back', async () => {
  const lane = createLane({ ...limits, atOnceMax: 1 });
  const gone = response();
  let isAsked = false;
  const first = lane.run('anna', response(), () => turns(3));
  const second = lane.run('anna', gone, async () => {
    isAsked = true;
  });
  gone.emit('close');
  await assert.rejects(second, overloaded);
  await first;
  await turns(3);
  assert.equal(isAsked, false);
  await assert.rejects(
    lane.run('anna', response(), () => Promise.reject(new Error('broken'))),
    /broken/,
  );
  assert.equal(await lane.run('anna', response(), () => Promise.resolve('answered')), 'answered');
});

test('F1: beside forty large lists at once health is answered in between, and not after them', { timeout: 60_000 }, async (t) => {
  const made = await front();
  const labels = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`label${index}`, 'x'.repeat(60)]));
  const begins = true;
  await showing(
    made.store,
    Array.from({ length: 600 }, (_, index) => ({
      kind: 'alert',
      id: `f${index}`,
      scope: 'default',
      at: noon + index,
      begins,
      set: { fingerprint: `f${index}`, labels },
    })),
  );
  const url = `http://127.0.0.1:${await made.http.start(0, '127.0.0.1')}`;
  t.after(() => made.http.stop());
  let answered = 0;
  const headers = { authorization: `Bearer ${tokens.read}` };
  const lists = Array.from({ length: 40 }, async () => {
    const answer = await fetch(`${url}/api/v2/alerts`, { headers });
    assert.equal(answer.status, 200);
    assert.equal(((await answer.json()) as readonly object[]).length, 600);
    answered += 1;
  });
  // Work, not time: while the lists are written, health is answered again and again.
  const seen: number[] = [];
  while (answered < 40) {
    await (await fetch(`${url}/healthz`)).text();
    seen.push(answered);
  }
  await Promise.all(lists);
  const steps = seen.map((count, index) => count - (seen[index - 1] ?? 0));
  assert.ok(Math.max(...steps) <= 12, `at most 12 lists between two answers of health, seen ${Math.max(...steps)}`);
});

test('F1: of two hundred links that are opened at once few are answered in a turn of the event loop', { timeout: 60_000 }, async (t) => {
  const { http } = await front();
  const port = await http.start(0, '127.0.0.1');
  t.after(() => http.stop());
  let turn = 0;
  let isOver = false;
  const count = (): void => {
    turn += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const answeredIn = new Map<number, number>();
  http.server.on('request', (_, res) => void res.once('finish', () => answeredIn.set(turn, (answeredIn.get(turn) ?? 0) + 1)));
  // Connected before any of them asks, so that all questions are there in one turn.
  let connected = 0;
  const isThere = Promise.withResolvers<void>();
  http.server.on('connection', () => {
    connected += 1;
    if (connected === 200) isThere.resolve();
  });
  const sockets = Array.from({ length: 200 }, () => connect(port, '127.0.0.1'));
  await isThere.promise;
  const answers = sockets.map(async (socket) => String((await once(socket, 'data'))[0]).slice(9, 12));
  for (const socket of sockets) socket.write('GET /ack/none HTTP/1.1\r\nhost: x\r\n\r\n');
  const statuses = await Promise.all(answers);
  for (const socket of sockets) socket.destroy();
  isOver = true;
  assert.deepEqual(new Set(statuses), new Set(['404']));
  const most = Math.max(...answeredIn.values());
  assert.ok(most >= 1 && most <= 3, `at most one in a turn (two, where a turn of ours meets two of its), seen ${most}`);
});

test('F1: what a scrape gets in slices is the text of the registry', async () => {
  const registry = new Registry();
  const counter = new Counter({ name: 'many_total', help: 'Many.', labelNames: ['label'], registers: [registry] });
  for (let value = 0; value < 2_000; value += 1) counter.inc({ label: `value${value}` });
  new Gauge({ name: 'one', help: 'One.', registers: [registry] }).set(1);
  let hasTurned = false;
  setImmediate(() => (hasTurned = true));
  const text = await expositionOf(registry);
  assert.equal(text, await registry.metrics());
  assert.equal(hasTurned, true, 'the event loop was given back');
});

test('F11: of large deliveries that arrive together one is read in a turn, endpoints in turn, and their bytes are bounded', async () => {
  const large = createLargeBodies(1_000_000);
  const order: string[] = [];
  let finish: () => void = () => {};
  const durable = new Promise<void>((resolve) => (finish = resolve));
  const deliver = (endpoint: string, bytes: number): Promise<void> =>
    large.inTurn({ endpoint, bytes }, response(), () => {
      order.push(`${endpoint} ${bytes}`);
      return durable;
    });
  const taken = [deliver('am', 400_000), deliver('am', 400_000), deliver('zabbix', 100_000), deliver('nagios', 65_535)];
  assert.deepEqual(order, ['nagios 65535'], 'a small one does not wait');
  await assert.rejects(deliver('am', 200_000), overloaded);
  const counts: number[] = [];
  for (let turn = 0; turn < 6; turn += 1) {
    await turns(1);
    counts.push(order.length);
  }
  assert.deepEqual(order, ['nagios 65535', 'am 400000', 'zabbix 100000', 'am 400000'], 'though none of them is durable yet');
  assert.ok(
    counts.every((count, index) => count - (counts[index - 1] ?? 1) <= 1),
    `no two in one turn: ${counts.join(' ')}`,
  );
  finish();
  await Promise.all(taken);
  await deliver('am', 5_000_000); // alone it is as large as the door lets it be
});

test('F11: of small deliveries that arrive together so many bytes are read in a turn, in their order, and one that comes alone at once', async () => {
  const bodies = createLargeBodies(20_000_000);
  let turn = 0;
  let isOver = false;
  const count = (): void => {
    turn += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const begunIn = new Map<number, number>();
  const order: number[] = [];
  const deliver = (number: number, bytes: number): Promise<void> =>
    bodies.inTurn({ endpoint: 'am', bytes }, response(), async () => {
      order.push(number);
      begunIn.set(turn, (begunIn.get(turn) ?? 0) + bytes);
    });
  await Promise.all(Array.from({ length: 200 }, (_, number) => deliver(number, 60_000)));
  assert.deepEqual(
    order,
    Array.from({ length: 200 }, (_, number) => number),
  );
  const most = Math.max(...begunIn.values());
  assert.ok(most <= 2 * 300_000, `at most so many bytes in a turn (two, where a turn of ours meets two of its), seen ${most}`);
  assert.ok(begunIn.size >= 20, `${begunIn.size} turns`);
  begunIn.clear();
  await Promise.all(Array.from({ length: 1_000 }, (_, number) => deliver(number, 500)));
  assert.ok(begunIn.size >= 8, `a thousand of one alert each take ${begunIn.size} turns`);
  await turns(2);
  const alone = deliver(200, 60_000);
  assert.equal(order.at(-1), 200, 'at once');
  await alone;
  isOver = true;
});

test('F1: what takes work stands in a line, and what people say, health and deliveries do not', async () => {
  const { http } = await front();
  const lines = new Map<string | null, string[]>();
  for (const route of http.routes) {
    const line = lineOf(route);
    lines.set(line, [...(lines.get(line) ?? []), `${route.method} ${route.path}`]);
  }
  assert.deepEqual(lines.get('silences')?.sort(), ['post /api/v1/silences', 'post /api/v2/silences']);
  assert.ok(lines.get('views')?.includes('post /api/v1/silences/preview'));
  assert.deepEqual([lines.get('pages'), lines.get('figures')], [['get /incident/:token'], ['get /metrics']]);
  assert.ok(lines.get('log')?.includes('get /api/v1/deadletters'));
  const free = lines.get(null) ?? [];
  assert.deepEqual(free.filter((route) => route.startsWith('get ')).sort(), [
    'get /ack/:token',
    'get /answer/:token',
    'get /api/v1/events',
    'get /healthz',
    'get /readyz',
  ]);
  for (const word of ['ack', 'unack', 'resolve', 'note']) assert.ok(free.includes(`post /api/v1/incidents/:id/${word}`), word);
  for (const word of ['approve', 'deny', 'cancel']) assert.ok(free.includes(`post /api/v1/runs/:id/${word}`), word);
});
