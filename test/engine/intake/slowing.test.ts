// The door slows with the backlog: whoever sends much gets later answers the more waits, and never is anything but the answer late.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryDisk } from '../../../adapters/memory/disk.ts';
import { memoryStore } from '../../../adapters/memory/store.ts';
import { prometheus } from '../../../adapters/prometheus/source.ts';
import { second } from '../../../src/core/time.ts';
import { createIntake } from '../../../src/engine/intake/intake.ts';
import { createSlowing, slowMax } from '../../../src/engine/intake/slowing.ts';
import { virtualClock } from '../../support/clock.ts';

const steady = { steady: () => 0 };

test('B1: the more waits, the later the answer, up to a bound', () => {
  const slowing = createSlowing(steady, 100_000);
  const waits = [0, 16_384, 17_000, 20_000, 30_000, 60_000, 100_000, 10_000_000].map((backlog) => slowing('busy', 1_000, backlog));
  assert.deepEqual(waits.slice(0, 2), [0, 0]);
  for (const [place, wait] of waits.entries())
    if (place > 1 && place < 7) assert.ok(wait > (waits[place - 1] ?? 0) || wait === slowMax, `${wait}`);
  assert.ok((waits[3] ?? 0) < second, 'twenty thousand are decided in little more than a second');
  assert.equal(waits.at(-1), slowMax);
});

test('B1: with a smaller bound on the backlog it slows sooner, and before it refuses', () => {
  const slowing = createSlowing(steady, 1_000);
  assert.equal(slowing('busy', 1_000, 250), 0);
  assert.ok(slowing('busy', 1_000, 300) > 0);
  assert.equal(slowing('busy', 1_000, 1_000), slowMax);
});

test('B2: an endpoint that sends little is answered at once beside one that floods; what floods is not', () => {
  let now = 0;
  const slowing = createSlowing({ steady: () => now }, 100_000);
  for (let round = 0; round < 600; round += 1) {
    now += 100;
    assert.ok(slowing('flood', 640, 50_000) > 0, 'more than its allowance');
    assert.equal(slowing('zabbix', 5, 50_000), 0);
  }
});

test('I5: what is answered late is durable before, and decisions do not wait for the answer', async () => {
  const clock = virtualClock();
  const store = memoryStore({ disk: memoryDisk(), partitions: 1, clock });
  let backlog = 0;
  const endpoint = { name: 'prom', source: prometheus({}), tenant: 'acme', scopeLabels: [] };
  const intake = await createIntake({
    log: store.log,
    deadLetters: store.deadLetters,
    endpoints: [endpoint],
    clock,
    lagOf: () => backlog,
    lagMax: 100_000,
    onAccepted() {},
  });
  const alerts = Array.from({ length: 600 }, (_, number) => ({ labels: { alertname: `A${number}` }, startsAt: '2026-11-21T11:59:00Z' }));
  const delivery = { headers: {}, body: JSON.stringify(alerts), path: '/api/v2/alerts', receivedAt: clock.now() };

  assert.equal((await intake.accept('prom', delivery, '')).status, 'accepted', 'with nothing that waits, at once');
  backlog = 40_000;
  let answered = '';
  const answer = intake.accept('prom', delivery, '').then(({ status }) => (answered = status));
  await clock.settle();
  assert.equal(await store.log.end('inputs', 0), 1_200, 'durable');
  assert.equal(intake.underWay, 0, 'nothing that decisions would make way for');
  assert.equal(answered, '');
  await clock.forward(slowMax);
  await answer;
  assert.equal(answered, 'accepted');

  const critical = [{ labels: { alertname: 'Down', severity: 'critical' }, startsAt: '2026-11-21T11:59:00Z' }];
  const urgent = await intake.accept('prom', { ...delivery, body: JSON.stringify(critical) }, '');
  assert.equal(urgent.status, 'accepted', 'B3: at once, from the endpoint that floods');
  const held = intake.accept('prom', delivery, '');
  await clock.settle();
  intake.hurry();
  assert.equal((await held).status, 'accepted', 'a stop waits for no answer that is kept back');
});
