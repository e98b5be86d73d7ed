// F11: large deliveries are parsed on a real thread; what it says is what would have been said here.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { createExpressions } from '../../adapters/cel/expressions.ts';
import { mapped } from '../../adapters/kit/mapping.ts';
import { memoryDisk } from '../../adapters/memory/disk.ts';
import { memoryLimits, memoryStore } from '../../adapters/memory/store.ts';
import { sourceKinds } from '../../adapters/source-registry.ts';
import type { AlertSeen } from '../../src/core/alert/facts.ts';
import { GatewayError } from '../../src/core/errors.ts';
import { createBell } from '../../src/engine/async/bell.ts';
import { createIntake, type Intake } from '../../src/engine/intake/intake.ts';
import { createParser, type Parser, type ParserOptions } from '../../src/gateway/parser.ts';
import type { Delivery } from '../../src/ports/source.ts';
import type { Store } from '../../src/ports/store.ts';
import { front } from '../http/support.ts';
import { handClock, wallClock } from '../support/wallclock.ts';

const noon = Date.UTC(2026, 10, 21, 12);
const mapping = { title: 'body.labels.alertname' };
const endpoints = [
  ...sourceKinds.map(({ name }) => ({ name, source: name, options: {}, mapping: {} })),
  { name: 'mapped', source: 'newrelic', options: {}, mapping },
  // The thread knows no such source, and dies of it.
  { name: 'deadly', source: 'unheard-of', options: {}, mapping: {} },
];
const started: Parser[] = [];
after(() => Promise.all(started.map((parser) => parser.stop())));

function parserFor(options: Partial<ParserOptions> = {}): Parser {
  const parser = createParser({ endpoints, clock: wallClock, logger: { error() {} }, fromChars: 0, bytesMax: 16_777_216, ...options });
  started.push(parser);
  return parser;
}

interface Rig {
  readonly store: Store;
  readonly intake: Intake;
  inputs(): Promise<readonly AlertSeen[]>;
}

async function rig(large: Parser | null, { sync = async () => {} }: { readonly sync?: () => Promise<void> } = {}): Promise<Rig> {
  const store = memoryStore({ disk: memoryDisk(), partitions: 1, clock: wallClock, limits: memoryLimits, sync });
  const doors = endpoints.map(({ name, source, options, mapping: members }) => {
    const kind = sourceKinds.find((each) => each.name === source) ?? sourceKinds[0];
    assert.ok(kind);
    return { name, source: mapped(kind.create(options), members, createExpressions()), tenant: 'default', scopeLabels: [] };
  });
  const intake = await createIntake({
    log: store.log,
    deadLetters: store.deadLetters,
    endpoints: doors,
    clock: { ...wallClock, now: () => noon },
    lagOf: () => 0,
    lagMax: 1,
    onAccepted: () => {},
    ...(large === null ? {} : { large }),
  });
  const inputs = async () => (await store.log.read('inputs', 0, 0, 100_000)).map(({ value }) => value as AlertSeen);
  return { store, intake, inputs };
}

function delivery(body: string, more: Partial<Delivery> = {}): Delivery {
  return { headers: { 'content-type': 'application/json' }, body, path: '', receivedAt: noon, ...more };
}

function alerts(count: number): string {
  const each = Array.from({ length: count }, (_, index) => ({
    status: 'firing',
    labels: { alertname: 'DiskFull', instance: `h${index}`, text: 'ä😀'.repeat(10) },
    startsAt: '2026-11-21T11:59:00Z',
  }));
  return JSON.stringify({ version: '4', groupKey: 'g', status: 'firing', truncatedAlerts: 3, alerts: each });
}

/** Every body that the adapters' folders hold. */
const fixtures = sourceKinds.flatMap(({ name }) => {
  const folder = new URL(`../../adapters/${name}/fixtures/`, import.meta.url);
  return readdirSync(folder).map((file) => {
    const {
      headers = {},
      path = '',
      body,
    } = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as {
      readonly headers?: Delivery['headers'];
      readonly path?: string;
      readonly body: unknown;
    };
    return { name, file, delivery: delivery(typeof body === 'string' ? body : JSON.stringify(body), { headers, path }) };
  });
});

describe('F11: a large delivery is parsed on a thread of its own', () => {
  test('of every sender it says the same as here: answers, inputs and letters', { timeout: 60_000 }, async () => {
    const [here, there] = [await rig(null), await rig(parserFor())];
    assert.ok(fixtures.length > 60, `${fixtures.length} fixtures`);
    for (const each of [
      ...fixtures,
      ...fixtures.filter(({ name }) => name === 'newrelic').map(({ file, delivery: sent }) => ({ name: 'mapped', file, delivery: sent })),
    ]) {
      const answers = await Promise.all([here, there].map(({ intake }) => intake.accept(each.name, each.delivery, '')));
      assert.deepEqual(answers[1], answers[0], `${each.name} ${each.file}`);
    }
    assert.deepEqual(await there.inputs(), await here.inputs());
    const letters = await Promise.all([here, there].map(({ store }) => store.deadLetters.list({ limit: 200 })));
    assert.deepEqual(letters[1], letters[0]);
    assert.ok((letters[0]?.letters.length ?? 0) > 3);
  });

  test('its alerts come to the log in parts, in order, and others get their turn between them', { timeout: 60_000 }, async () => {
    const { store, intake, inputs } = await rig(parserFor({ fromChars: 10_000 }));
    const sizes: number[] = [];
    const { append } = store.log;
    Object.assign(store.log, {
      append: (topic: 'inputs', batch: Parameters<typeof append>[1]) => {
        sizes.push(batch.values.length);
        return append(topic, batch);
      },
    });
    let isOver = false;
    const large = intake.accept('prometheus', delivery(alerts(3_000)), 'd1').finally(() => (isOver = true));
    let beside = 0;
    while (!isOver) {
      await intake.accept('nagios', delivery(JSON.stringify({ hostname: 'web', servicedesc: 'disk', servicestate: 'CRITICAL' })), '');
      if (!isOver) beside += 1;
      await new Promise((resolve) => void setImmediate(resolve));
    }
    assert.deepEqual(await large, {
      status: 'accepted',
      alerts: 3_000,
      warnings: ['3 alerts held back by the sender (max_alerts) in group "g"'],
    });
    assert.ok(Math.max(...sizes) <= 128, `at most 128 at once, seen ${Math.max(...sizes)}`);
    assert.ok(beside >= 20, `${beside} others were taken in beside it`);
    const own = (await inputs()).filter(({ endpoint }) => endpoint === 'prometheus');
    const seen = own.filter(({ type }) => type === 'AlertSeen');
    assert.deepEqual(
      seen.map(({ event }) => event.labels['instance']),
      Array.from({ length: 3_000 }, (_, index) => `h${index}`),
    );
    assert.equal(own.length, 3_001, 'and once, how many the sender left out');
    const first = (await store.log.read('inputs', 0, 0, 100_000)).find(({ value }) => value === own[0]);
    assert.equal(await store.log.raw('inputs', 0, first?.offset ?? -1), alerts(3_000));
  });

  test('the same body again has the same parts under the same ids', async () => {
    const parser = parserFor({ fromChars: 10_000 });
    const ids = async (): Promise<readonly string[]> => {
      const { intake, inputs } = await rig(parser);
      await intake.accept('prometheus', delivery(alerts(400)), 'd1');
      return (await inputs()).map((input) => `${input.delivery} ${input.index}`);
    };
    const first = await ids();
    assert.deepEqual(await ids(), first);
    assert.equal(new Set(first.filter((id) => !id.startsWith('undefined'))).size, 400, 'no two under one');
  });

  test('a log that takes no record as large as the body takes its alerts all the same', async () => {
    const { store, intake, inputs } = await rig(parserFor());
    const { append } = store.log;
    Object.assign(store.log, {
      append: async (topic: 'inputs', batch: Parameters<typeof append>[1]) => {
        if ((batch.raw ?? '').length > 1_000) throw new GatewayError('payload_too_large', 'inputs takes no record of that size');
        return append(topic, batch);
      },
    });
    const answer = await intake.accept('prometheus', delivery(alerts(400)), '');
    assert.equal(answer.status, 'accepted');
    assert.equal((await inputs()).filter(({ type }) => type === 'AlertSeen').length, 400);
    assert.equal(await store.log.raw('inputs', 0, 0), null);
  });

  test('when a part is not durable the sender is told to come again, and no later part is sent', async () => {
    let syncs = 0;
    const { intake, inputs } = await rig(parserFor(), {
      sync: async () => {
        syncs += 1;
        if (syncs > 2) throw new Error('the disk is gone');
      },
    });
    const answer = await intake.accept('prometheus', delivery(alerts(5_000)), 'd1');
    assert.equal(answer.status, 'busy');
    assert.ok((await inputs()).length < 2_500);
    assert.equal(intake.underWay, 0);
  });

  test(
    'a thread that dies is never an acceptance: 503, said in the log, and the next delivery has a new one',
    { timeout: 60_000 },
    async (t) => {
      const said: string[] = [];
      const large = parserFor({ logger: { error: (_, text) => void said.push(text) } });
      const [door] = (await front()).deps.endpoints;
      assert.ok(door);
      const made = await front({
        endpoints: [
          { ...door, name: 'deadly' },
          { ...door, name: 'prometheus', alertsApi: false },
        ],
        large,
      });
      const url = `http://127.0.0.1:${await made.http.start(0, '127.0.0.1')}`;
      t.after(() => made.http.stop());
      const send = (name: string) =>
        fetch(`${url}/webhooks/${name}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: alerts(2) });
      const answers = await Promise.all([send('deadly'), send('prometheus'), send('deadly')]);
      assert.deepEqual(
        answers.map(({ status }) => status),
        [503, 202, 503],
      );
      assert.equal(answers[0]?.headers.get('retry-after'), '2');
      assert.equal((await made.inputs()).filter(({ value }) => (value as AlertSeen).type === 'AlertSeen').length, 2);
      assert.equal(said.length, 2);
    },
  );

  test('a thread that does not answer in time is ended', async () => {
    const clock = handClock(noon);
    const parser = parserFor({ clock });
    const asked = parser.parse('prometheus', delivery(alerts(20_000)), async () => assert.fail('nothing was parsed'));
    while (clock.waiting() === 0) await new Promise((resolve) => void setImmediate(resolve));
    clock.ring();
    await assert.rejects(asked, (error) => error instanceof GatewayError && error.code === 'overloaded');
  });

  test('P1: the thread ends when there was nothing large for a while, and the next delivery has a new one', async () => {
    const clock = handClock(noon);
    const parser = parserFor({ clock });
    let threads = 0;
    const ended = createBell();
    const hear = (worker: Worker): void => {
      threads += 1;
      worker.once('exit', ended.ring);
    };
    process.on('worker', hear);
    const count = () => parser.parse('prometheus', delivery(alerts(2)), async (parted) => parted.alerts);
    for (const round of [1, 2]) {
      assert.deepEqual(await count(), { ok: true, value: 2 });
      assert.deepEqual(await count(), { ok: true, value: 2 });
      assert.equal(threads, round);
      const next = ended.next();
      clock.ring();
      await next;
    }
    process.off('worker', hear);
  });

  test('what is small, or of an endpoint it does not know, is not for it', () => {
    const parser = parserFor({ fromChars: 10 });
    assert.deepEqual(
      [
        parser.takes('prometheus', delivery('x'.repeat(10))),
        parser.takes('prometheus', delivery('x'.repeat(9))),
        parser.takes('other', delivery('x'.repeat(10))),
      ],
      [true, false, false],
    );
  });

  test('nothing is parsed any more once the gateway stops', async () => {
    const parser = parserFor();
    const asked = parser.parse('prometheus', delivery(alerts(20_000)), async () => assert.fail('nothing was parsed'));
    await parser.stop();
    await assert.rejects(asked, (error) => error instanceof GatewayError && error.code === 'overloaded');
  });
});
