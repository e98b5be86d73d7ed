import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { memoryDisk } from '../../../adapters/memory/disk.ts';
import { memoryLimits, memoryStore } from '../../../adapters/memory/store.ts';
import { createExpressions } from '../../../adapters/cel/expressions.ts';
import { mapped } from '../../../adapters/kit/mapping.ts';
import { newrelic } from '../../../adapters/newrelic/source.ts';
import { prometheus } from '../../../adapters/prometheus/source.ts';
import type { AlertSeen, AlertsHidden } from '../../../src/core/alert/facts.ts';
import { GatewayError } from '../../../src/core/errors.ts';
import type { IntakeEndpoint } from '../../../src/engine/intake/endpoint.ts';
import { createIntake, type Intake, type IntakeParts } from '../../../src/engine/intake/intake.ts';
import { partitionOf, scopeOf } from '../../../src/engine/intake/scope.ts';
import type { LogRecord } from '../../../src/ports/event-log.ts';
import type { Delivery, Source } from '../../../src/ports/source.ts';
import type { Store } from '../../../src/ports/store.ts';
import { wallClock } from '../../support/wallclock.ts';

const noon = Date.UTC(2026, 10, 21, 12);

interface Rig {
  readonly store: Store;
  readonly intake: Intake;
  readonly seen: string[];
  now: number;
  lag: number;
  source: Source;
}

async function rig(
  options: { sync?: () => Promise<void>; disk?: ReturnType<typeof memoryDisk>; limits?: object; now?: number } = {},
): Promise<Rig> {
  const disk = options.disk ?? memoryDisk();
  const made: { now: number; lag: number; source: Source } = { now: options.now ?? noon, lag: 0, source: prometheus({}) };
  const clock = { ...wallClock, now: () => made.now };
  const sync = options.sync === undefined ? {} : { sync: options.sync };
  const store = memoryStore({ disk, partitions: 4, clock, limits: { ...memoryLimits, ...options.limits }, ...sync });
  const source: Source = { name: 'prometheus', parse: (received) => made.source.parse(received) };
  const endpoint: IntakeEndpoint = { name: 'prom', source, tenant: 'acme', scopeLabels: ['team'] };
  const seen: string[] = [];
  const parts: IntakeParts = {
    log: store.log,
    deadLetters: store.deadLetters,
    endpoints: [endpoint, { ...endpoint, name: 'flat', scopeLabels: [] }],
    clock,
    lagOf: () => made.lag,
    lagMax: 10,
    onAccepted: (name, claim) => seen.push(`${name} ${claim}`),
  };
  return Object.assign(made, { store, intake: await createIntake(parts), seen });
}

function delivery(body: string, more: Partial<Delivery> = {}): Delivery {
  return { headers: { 'content-type': 'application/json' }, body, path: '', receivedAt: noon, ...more };
}

function group(...alerts: readonly { readonly name: string; readonly team?: string }[]): string {
  const each = alerts.map(({ name, team }) => ({
    status: 'firing',
    labels: { alertname: name, ...(team === undefined ? {} : { team }) },
    annotations: {},
    startsAt: '2026-11-21T11:59:00Z',
  }));
  return JSON.stringify({ version: '4', groupKey: 'g', status: 'firing', alerts: each });
}

async function inputs({ store }: Rig, scope?: string): Promise<readonly LogRecord[]> {
  const all: LogRecord[] = [];
  for (let partition = 0; partition < store.log.partitions; partition++) all.push(...(await store.log.read('inputs', partition, 0, 1_000)));
  return scope === undefined ? all : all.filter((record) => record.scope === scope);
}

/** Holds every sync of the medium until the test opens it. */
function gate(): { readonly sync: () => Promise<void>; open(): void; break(cause: Error): void } {
  let held = Promise.withResolvers<void>();
  return {
    sync: () => held.promise,
    open: () => held.resolve(),
    break: (cause) => {
      held.reject(cause);
      held = Promise.withResolvers<void>();
    },
  };
}

test('I1: nothing is accepted before it is durable', async () => {
  const door = gate();
  const { intake } = await rig({ sync: door.sync });
  let answered = false;
  const accepting = intake.accept('prom', delivery(group({ name: 'A', team: 'x' }, { name: 'B', team: 'y' })), '').then((result) => {
    answered = true;
    return result;
  });
  await new Promise(setImmediate);
  assert.equal(answered, false);
  door.open();
  assert.deepEqual(await accepting, { status: 'accepted', alerts: 2, warnings: [] });
});

test('I1: nothing is refused before its dead letter is durable', async () => {
  const door = gate();
  const { intake, store } = await rig({ sync: door.sync });
  let answered = false;
  const refusing = intake.accept('prom', delivery('{'), '').finally(() => (answered = true));
  await new Promise(setImmediate);
  assert.equal(answered, false);
  door.open();
  const result = await refusing;
  assert.equal(result.status, 'refused');
  const letter = result.status === 'refused' ? await store.deadLetters.get(result.letter) : null;
  assert.equal(letter?.body, '{');
  assert.equal(letter?.reason, 'not_json');
});

test('events go to the desk of their scope, in the order of the delivery, with their place in it', async () => {
  const made = await rig();
  await made.intake.accept('prom', delivery(group({ name: 'A', team: 'x' }, { name: 'B', team: 'y' }, { name: 'C', team: 'x' })), 'id-1');
  const records = await inputs(made, 'acme;team=x');
  const seen = records.map((record) => record.value as AlertSeen);
  assert.deepEqual(
    seen.map(({ event, index, delivery: id, endpoint, at }) => [event.name, index, id, endpoint, at]),
    [
      ['A', 0, 'prom:id-1', 'prom', noon],
      ['C', 2, 'prom:id-1', 'prom', noon],
    ],
  );
  assert.equal((await inputs(made, 'acme;team=y')).length, 1);
  assert.deepEqual(made.seen, ['prom firing', 'prom firing', 'prom firing']);
  for (const record of await inputs(made)) assert.equal(record.partition, partitionOf(record.scope, 4));
});

test('an alert without the label has a scope of its own, not that of a neighbour', async () => {
  const made = await rig();
  await made.intake.accept('prom', delivery(group({ name: 'A' })), '');
  assert.equal((await inputs(made))[0]?.scope, 'acme;team=');
});

test('the raw body is kept with each scope while the copies are small, else with the first alone', async () => {
  const made = await rig();
  const alerts = Array.from({ length: 40 }, (_, index) => ({ name: 'x'.repeat(100), team: `t${index}` }));
  const small = group(...alerts.slice(0, 2));
  const large = group(...alerts.map(({ team }) => ({ team, name: 'y'.repeat(1_000) })));
  await made.intake.accept('prom', delivery(small), '');
  await made.intake.accept('prom', delivery(large), '');
  const kept = await Promise.all((await inputs(made)).map(({ partition, offset }) => made.store.log.raw('inputs', partition, offset)));
  assert.equal(kept.filter((raw) => raw === small).length, 2);
  assert.equal(kept.filter((raw) => raw === large).length, 1);
});

test('left-out alerts are told once, to the scope of the first that was not left out', async () => {
  const made = await rig();
  const body = JSON.parse(group({ name: 'A', team: 'x' })) as object;
  await made.intake.accept('prom', delivery(JSON.stringify({ ...body, truncatedAlerts: 7 })), '');
  const hidden = (await inputs(made, 'acme;team=x'))
    .map((record) => record.value as AlertsHidden)
    .filter(({ type }) => type === 'AlertsHidden');
  assert.deepEqual(
    hidden.map(({ count, group: key }) => [count, key]),
    [[7, 'g']],
  );
});

test('a delivery without alerts is accepted and writes nothing', async () => {
  const made = await rig();
  made.source = { name: 'quiet', parse: () => ({ ok: true, value: { events: [], warnings: ['a test'] } }) };
  assert.deepEqual(await made.intake.accept('prom', delivery('{}'), ''), { status: 'accepted', alerts: 0, warnings: ['a test'] });
  assert.equal((await inputs(made)).length, 0);
});

test('I2: a clock set back a little does not take the log back with it', async () => {
  const made = await rig();
  await made.intake.accept('flat', delivery(group({ name: 'A' })), '');
  made.now = noon - 20_000;
  await made.intake.accept('flat', delivery(group({ name: 'B' })), '');
  made.now = noon + 1_000;
  await made.intake.accept('flat', delivery(group({ name: 'C' })), '');
  const stamps = (await inputs(made)).map((record) => (record.value as AlertSeen).at);
  assert.deepEqual(stamps, [noon, noon, noon + 1_000]);
});

test('I2, B21: nor does it over a restart; one that was set back far ran ahead before, and its stamps are the true ones', async () => {
  const disk = memoryDisk();
  const before = await rig({ disk });
  await before.intake.accept('flat', delivery(group({ name: 'A' })), '');
  await before.store.close();
  const after = await rig({ disk, now: noon - 20_000 });
  await after.intake.accept('flat', delivery(group({ name: 'B' })), '');
  after.now = noon - 7_200_000;
  await after.intake.accept('flat', delivery(group({ name: 'C' })), '');
  assert.deepEqual(
    (await inputs(after)).map((record) => (record.value as AlertSeen).at),
    [noon, noon, noon - 7_200_000],
  );
});

test('a log that is full or away means come again, for good deliveries and bad ones alike', async () => {
  const full = await rig({ sync: gate().sync, limits: { queueRecordsMax: 1 } });
  void full.intake.accept('flat', delivery(group({ name: 'A' })), '');
  const late = await full.intake.accept('flat', delivery(group({ name: 'B' })), '');
  assert.equal(late.status, 'busy');
  assert.equal((await full.intake.accept('flat', delivery('{'), '')).status, 'busy');

  const away = await rig({ sync: () => Promise.reject(new Error('no space left')) });
  const lost = await away.intake.accept('flat', delivery(group({ name: 'A' })), '');
  assert.equal(lost.status, 'busy');
  assert.equal((await inputs(away)).length, 0);
  assert.equal((await away.intake.accept('flat', delivery('{'), '')).status, 'busy');
});

test('when one scope of a delivery could not be written, the delivery is not accepted', async () => {
  const made = await rig();
  const { log } = made.store;
  const flaky: Store['log'] = {
    ...log,
    append: (topic, batch) =>
      batch.scope.endsWith('y') ? Promise.reject(new GatewayError('log_unavailable', 'disk full')) : log.append(topic, batch),
  };
  const endpoint: IntakeEndpoint = { name: 'prom', source: prometheus({}), tenant: 'acme', scopeLabels: ['team'] };
  const parts = {
    log: flaky,
    deadLetters: made.store.deadLetters,
    endpoints: [endpoint],
    clock: wallClock,
    lagOf: () => 0,
    lagMax: 1,
    onAccepted() {},
  };
  const intake = await createIntake(parts);
  const body = group({ name: 'A', team: 'x' }, { name: 'B', team: 'y' });
  assert.equal((await intake.accept('prom', delivery(body), '')).status, 'busy');
});

test('a host that is too far behind holds deliveries back, never the commands of people', async () => {
  const made = await rig();
  made.lag = 11;
  assert.equal((await made.intake.accept('flat', delivery(group({ name: 'A' })), '')).status, 'busy');
  await made.intake.submit({ type: 'Acked', scope: 'acme', incident: 'i1.acme', by: 'ann', via: 'api' });
  assert.deepEqual(
    (await inputs(made)).map((record) => record.value),
    [{ type: 'Acked', scope: 'acme', incident: 'i1.acme', by: 'ann', via: 'api', at: noon }],
  );
});

test('a command for every scope reaches every partition', async () => {
  const made = await rig();
  await made.intake.submit({ type: 'CommandGiven', scope: '*', by: 'ann', command: { name: 'freeze', reason: 'fire drill' } });
  assert.deepEqual(
    (await inputs(made)).map((record) => [record.partition, record.scope]),
    [0, 1, 2, 3].map((partition) => [partition, '*']),
  );
});

test('a command that could not be written says so', async () => {
  const made = await rig({ sync: () => Promise.reject(new Error('no space left')) });
  const acking = made.intake.submit({ type: 'Acked', scope: 'acme', incident: 'i1.acme', by: 'ann', via: 'api' });
  await assert.rejects(acking, { code: 'log_unavailable' });
});

test('the same bad body again and again is one letter; another body is another', async () => {
  const made = await rig();
  const first = await made.intake.accept('prom', delivery('{'), '');
  assert.deepEqual(await made.intake.accept('prom', delivery('{', { receivedAt: noon + 300_000 }), ''), first);
  await made.intake.accept('prom', delivery('{ '), '');
  assert.equal(await made.store.deadLetters.count(), 2);
});

test('a letter keeps no credentials', async () => {
  const made = await rig();
  const headers = {
    authorization: 'Bearer planted',
    cookie: 'planted',
    'x-api-key': 'planted',
    'content-type': 'text/plain',
    'user-agent': 'x'.repeat(999),
  };
  await made.intake.accept('prom', delivery('{', { headers }), '');
  const { letters } = await made.store.deadLetters.list({ limit: 1 });
  assert.deepEqual(letters[0]?.headers, { 'content-type': 'text/plain', 'user-agent': 'x'.repeat(256) });
});

test('a source with a bug does not cost the body', async () => {
  const made = await rig();
  made.source = {
    name: 'buggy',
    parse() {
      throw new TypeError('x is undefined');
    },
  };
  const result = await made.intake.accept('prom', delivery('{"a":1}'), '');
  assert.equal(result.status, 'refused');
  assert.equal((await made.store.deadLetters.list({ limit: 1 })).letters[0]?.body, '{"a":1}');
});

test('I3: a replay goes through today’s parser, under an id of its own, once', async () => {
  const made = await rig();
  const good = made.source;
  made.source = { name: 'old', parse: () => ({ ok: false, error: { reason: 'unsupported', message: 'not yet' } }) };
  const refused = await made.intake.accept('prom', delivery(group({ name: 'A', team: 'x' })), 'sender-id');
  assert.equal(refused.status, 'refused');
  const id = refused.status === 'refused' ? refused.letter : '';

  assert.equal((await made.intake.replay(id)).status, 'refused');
  made.source = good;
  assert.deepEqual(await made.intake.replay(id), { status: 'accepted', alerts: 1, warnings: [] });
  assert.equal((await made.intake.replay(id)).status, 'accepted');
  const seen = (await inputs(made)).map((record) => record.value as AlertSeen);
  assert.deepEqual(
    seen.map((input) => [input.delivery, input.event.name]),
    [[`replay:${id}`, 'A']],
  );
  assert.equal((await made.store.deadLetters.get(id))?.state, 'replayed');
});

test('A15: a body in a template of one’s own becomes a letter, and is taken once a mapping names its fields', async () => {
  const made = await rig();
  made.source = newrelic({});
  const refused = await made.intake.accept('prom', delivery('{"key":"a-1","kind":"begin","what":"Disk"}'), '');
  assert.equal(refused.status, 'refused');
  const id = refused.status === 'refused' ? refused.letter : '';
  made.source = mapped(
    newrelic({}),
    { issueId: 'body.key', state: "body.kind == 'begin' ? 'CREATED' : 'CLOSED'", title: 'body.what' },
    createExpressions(),
  );
  assert.deepEqual(await made.intake.replay(id), { status: 'accepted', alerts: 1, warnings: [] });
  assert.deepEqual(
    (await inputs(made)).map((record) => (record.value as AlertSeen).event.summary),
    ['Disk'],
  );
});

test('a letter that was let go, or never was, cannot be replayed', async () => {
  const made = await rig();
  await assert.rejects(made.intake.replay('d0'), { code: 'not_found' });
  const refused = await made.intake.accept('prom', delivery('{'), '');
  const id = refused.status === 'refused' ? refused.letter : '';
  await made.store.deadLetters.mark(id, 'discarded');
  await assert.rejects(made.intake.replay(id), { code: 'state_conflict' });
});

test('the same id from two endpoints is two deliveries, and no id is none', async () => {
  const made = await rig();
  for (const [name, id] of [
    ['flat', '7'],
    ['prom', '7'],
    ['flat', ''],
  ] as const)
    await made.intake.accept(name, delivery(group({ name: 'A' })), id);
  const ids = (await inputs(made)).map((record) => (record.value as AlertSeen).delivery);
  assert.deepEqual(ids.sort(), ['', 'flat:7', 'prom:7']);
});

test('a delivery id of any length stays an id', async () => {
  const made = await rig();
  await made.intake.accept('flat', delivery(group({ name: 'A' })), 'i'.repeat(5_000));
  const [id = ''] = (await inputs(made)).map((record) => (record.value as AlertSeen).delivery);
  assert.match(id, /^flat:[0-9a-f]{64}$/);
});

const anyText = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('*', '', ';', '=', '#', 'a;b', 'a=b', '|', '%', '%2A', 'x'.repeat(300)),
);

test('S1: two scopes are equal only if tenant and values are; none is `*`, too long, or holds what ids rely on', () => {
  const parts = fc.tuple(anyText, anyText, anyText);
  fc.assert(
    fc.property(parts, parts, (a, b) => {
      const [one, other] = [a, b].map(([tenant, team, region]) => scopeOf(tenant, ['team', 'region'], { team, region }));
      assert.equal(one === other, JSON.stringify(a) === JSON.stringify(b));
      assert.ok(one !== undefined && one !== '*' && one.length <= 200 && !/[|\s*]/.test(one));
    }),
  );
  assert.notEqual(scopeOf('*', [], {}), '*');
  assert.notEqual(scopeOf('a', ['t'], { t: 'x'.repeat(300) }), scopeOf('a', ['t'], { t: 'x'.repeat(301) }));
  assert.equal(scopeOf('a', ['constructor', '__proto__'], {}), 'a;constructor=;__proto__=');
});

test('S2: partitions of known scopes never move', () => {
  const placed = ['default', 'acme', 'acme;team=db', 'acme;team=', 'zürich'].map((scope) => partitionOf(scope, 12));
  assert.deepEqual(placed, [6, 2, 2, 8, 5]);
});

test('partitions are used evenly', () => {
  const counts = Array.from({ length: 8 }, () => 0);
  for (let index = 0; index < 8_000; index++)
    counts[partitionOf(`acme;team=t${index}`, 8)] = (counts[partitionOf(`acme;team=t${index}`, 8)] ?? 0) + 1;
  for (const count of counts) assert.ok(count > 850 && count < 1_150, String(counts));
});
