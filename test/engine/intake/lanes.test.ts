// Which alerts pass others: what is urgent, never what was said before of the same alert, and of one endpoint only so many.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { memoryDisk } from '../../../adapters/memory/disk.ts';
import { memoryStore } from '../../../adapters/memory/store.ts';
import type { AlertEvent } from '../../../src/core/alert/event.ts';
import type { AlertSeen } from '../../../src/core/alert/facts.ts';
import { ok } from '../../../src/core/errors.ts';
import { second } from '../../../src/core/time.ts';
import { createIntake, type Intake } from '../../../src/engine/intake/intake.ts';
import type { BulkLane } from '../../../src/ports/event-log.ts';
import type { Store } from '../../../src/ports/store.ts';
import { virtualClock, type VirtualClock } from '../../support/clock.ts';
import { eventOf } from '../../support/event.ts';

type Said = readonly [name: string, what: 'critical' | 'warning' | 'cleared'];

interface World {
  readonly store: Store;
  readonly bulk: BulkLane;
  readonly clock: VirtualClock;
  readonly intake: Intake;
  say(said: readonly Said[], endpoint?: string, id?: string): Promise<void>;
  /** What stands on the log, as it was said. */
  placed(): Promise<readonly string[]>;
}

/** A host that has stood still since a moment ago: what may wait must. */
async function behind(): Promise<World> {
  const clock = virtualClock();
  const store = memoryStore({ disk: memoryDisk(), partitions: 1, clock, bulk: true });
  const bulk = store.log.bulk ?? assert.fail('the memory store was asked for a bulk lane');
  bulk.limit(0, 0);
  const event = ([name, what]: Said): AlertEvent =>
    eventOf({
      name,
      severity: what === 'critical' ? 'critical' : 'warning',
      claim: what === 'cleared' ? 'cleared' : 'firing',
      summary: `${name} ${what}`,
    });
  const endpoint = (name: string) => ({
    name,
    tenant: 'default',
    scopeLabels: [],
    source: {
      name: 'prometheus',
      parse: ({ body }: { readonly body: string }) => ok({ events: (JSON.parse(body) as Said[]).map(event), warnings: [] }),
    },
  });
  const { log, deadLetters } = store;
  const endpoints = [endpoint('am'), endpoint('other')];
  const intake = await createIntake({ log, deadLetters, endpoints, clock, lagOf: () => 0, lagMax: 1_000_000, onAccepted() {} });
  return {
    store,
    bulk,
    clock,
    intake,
    async say(said, name = 'am', id = '') {
      const answer = await intake.accept(name, { headers: {}, body: JSON.stringify(said), path: '', receivedAt: clock.now() }, id);
      assert.equal(answer.status, 'accepted');
    },
    placed: async () => (await log.read('inputs', 0, 0, 100_000)).map(({ value }) => (value as AlertSeen).event.summary),
  };
}

test('F8: a new critical passes what waits, and nothing else does', async () => {
  const { say, placed, bulk } = await behind();
  await say([
    ['a', 'cleared'],
    ['b', 'warning'],
  ]);
  await say([['c', 'critical']]);
  await say([['d', 'cleared']]);
  assert.deepEqual(await placed(), ['c critical']);
  bulk.limit(0, 100);
  assert.deepEqual(await placed(), ['c critical', 'a cleared', 'b warning', 'd cleared']);
});

test('F8: of a delivery of many the critical alerts pass the others; of one that its sender names none do (L4)', async () => {
  const free = await behind();
  await free.say([
    ['a', 'cleared'],
    ['b', 'critical'],
    ['c', 'warning'],
  ]);
  assert.deepEqual(await free.placed(), ['b critical']);
  const named = await behind();
  await named.say(
    [
      ['a', 'cleared'],
      ['b', 'critical'],
      ['c', 'warning'],
    ],
    'am',
    'delivery-1',
  );
  await named.say([['e', 'critical']], 'am', 'delivery-2');
  assert.deepEqual(await named.placed(), ['e critical']);
});

test('F8, L1: whatever is sent, nothing passes what was said before of the same alert, and nothing is lost', async () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd');
  const said = fc.tuple(name, fc.constantFrom('critical', 'warning', 'cleared')) as fc.Arbitrary<Said>;
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.array(said, { minLength: 1, maxLength: 4 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 6 }) },
  );
  let passed = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const world = await behind();
      const sent: string[] = [];
      for (const one of steps) {
        if (typeof one === 'number') {
          world.bulk.limit(0, (await world.store.log.end('inputs', 0)) + one);
          continue;
        }
        sent.push(...one.map(([alert, what]) => `${alert} ${what}`));
        await world.say(one);
      }
      world.bulk.limit(0, 1_000);
      const placed = await world.placed();
      if (placed.join() !== sent.join()) passed += 1;
      for (const alert of ['a', 'b', 'c', 'd']) {
        const of = (all: readonly string[]): readonly string[] => all.filter((text) => text.startsWith(`${alert} `));
        assert.deepEqual(of(placed), of(sent));
      }
    }),
    { numRuns: 150, seed: 20_261_130 },
  );
  assert.ok(passed > 30, `others were passed in ${passed} worlds`);
});

test('F8, L2: a flood of critical alerts of one endpoint does not fill the way of another', async () => {
  const { say, placed, clock } = await behind();
  await say([['x', 'cleared']]);
  for (let n = 0; n < 2_000; n += 1) await say([[`flood${n}`, 'critical']]);
  const flooded = (await placed()).length;
  assert.ok(flooded >= 256 && flooded <= 768, `${flooded} of the flood passed`);
  await say([['mine', 'critical']], 'other');
  assert.equal((await placed()).at(-1), 'mine critical');
  await clock.forward(second);
  await say([['later', 'critical']]);
  assert.equal((await placed()).at(-1), 'later critical');
});

test('F8: while nothing has to wait everything is appended in the order in which it comes', async () => {
  const { say, placed, bulk } = await behind();
  bulk.limit(0, 100);
  await say([
    ['a', 'warning'],
    ['b', 'critical'],
  ]);
  await say([['a', 'cleared']]);
  assert.deepEqual(await placed(), ['a warning', 'b critical', 'a cleared']);
});
