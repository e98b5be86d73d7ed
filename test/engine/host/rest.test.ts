// Desks with nothing on them rest: they leave memory, and come back with the next input as if they had never left.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createExpressions } from '../../../adapters/cel/expressions.ts';
import { memoryDisk } from '../../../adapters/memory/disk.ts';
import { memoryStore } from '../../../adapters/memory/store.ts';
import type { Fact } from '../../../src/core/records.ts';
import { resourceScope } from '../../../src/core/resource/message.ts';
import { hour, minute, second } from '../../../src/core/time.ts';
import type { Host } from '../../../src/engine/host/host.ts';
import { changedRows } from '../../../src/engine/host/desks.ts';
import { createTurner, type Turner } from '../../../src/engine/host/turner.ts';
import type { Store } from '../../../src/ports/store.ts';
import { someday, virtualClock } from '../../support/clock.ts';
import { loneHost } from './lone.ts';

const count = 500;

const wanted = (number: number, run: string, at = someday): object => {
  const [resource, limits] = [`default/h${number}`, { cooldownMs: 0, attempts: null }];
  const want = { run, incident: 'i1.default', playbook: 'p', target: `h${number}`, limits, holdMs: minute };
  return { type: 'ResourceWanted', scope: resourceScope(resource), at, resource, want };
};
const returned = (number: number, run: string, at = someday): object => {
  const resource = `default/h${number}`;
  return { type: 'ResourceReturned', scope: resourceScope(resource), at, resource, run, acted: true };
};

/** Turns what is given, and saves what changed as a checkpointer does; `rests`: what has nothing on it may rest then. */
function turning(rests: boolean): { readonly turner: Turner; readonly say: (...inputs: readonly object[]) => readonly Fact[] } {
  const changed = new Set<Parameters<Turner['rest']>[0]>();
  const turner = createTurner({ clock: { steady: () => 0 }, expressions: createExpressions(), onChanged: (desk) => changed.add(desk) });
  let offset = 0;
  return {
    turner,
    say(...inputs) {
      const records = inputs.map((value) => ({ partition: 0, offset: (offset += 1), scope: '', value }));
      const facts = [...turner.turn(records).values()].flat();
      for (const desk of changed) {
        changedRows(desk);
        if (rests) turner.rest(desk);
      }
      changed.clear();
      return facts;
    },
  };
}

test('C8: the desk of a resource that nobody uses leaves memory, and comes back with its numbers and its time', () => {
  const [one, other] = [turning(true), turning(false)];
  const both = (...inputs: readonly object[]): readonly Fact[] => {
    const facts = one.say(...inputs);
    assert.deepEqual(facts, other.say(...inputs));
    return facts;
  };
  for (let number = 0; number < count; number += 1) both(wanted(number, `r1.${number}`), returned(number, `r1.${number}`));
  assert.equal(one.turner.desks.size, count + 1, 'what is remembered is in use');

  const tokens = [...one.turner.desks.values()].flatMap(({ scope, tables }) =>
    [...tables.wakes.rows.keys()].map((token) => ({ scope, token })),
  );
  for (const { scope, token } of tokens) both({ type: 'Woke', scope, at: someday + 2 * hour, token });
  assert.equal(other.turner.desks.size, count + 1);
  assert.equal(one.turner.desks.size, 1, 'all but that of the partition itself');

  one.turner.wakeLater(someday + 3 * hour);
  assert.equal(one.turner.desks.size, 1);
  one.turner.wakeLater(someday + hour);
  assert.equal(one.turner.desks.size, count + 1, 'one whose time is ahead of the clock is there to be set right');
  for (const desk of one.turner.desks.values()) one.turner.rest(desk);
  assert.equal(one.turner.desks.size, 1);

  const facts = both(wanted(7, 'r2.7', someday - minute));
  assert.deepEqual(facts[0]?.type === 'ResourceDecided' ? facts[0].answer : null, { verdict: 'granted' });
  assert.equal(facts[0]?.at, someday + 2 * hour, 'its time goes on');
  assert.ok((facts[0]?.seq ?? 0) > 5, 'its numbers go on');
  assert.equal(one.turner.desks.size, 2);
});

test('C8: facts of a desk that rested are numbered on, over restarts, too', async () => {
  const clock = virtualClock();
  const store: Store = memoryStore({ disk: memoryDisk(), partitions: 1, clock });
  const host = (): Host => loneHost(store, clock);
  const hidden = async (): Promise<void> => {
    const values = [{ type: 'AlertsHidden', scope: 's', at: clock.now(), endpoint: 'e', count: 1, group: 'g' }];
    await store.log.append('inputs', { partition: 0, scope: 's', values });
    await clock.forward(2 * second);
  };
  for (let life = 0; life < 3; life += 1) {
    const living = host();
    await living.start();
    await hidden();
    await hidden();
    const end = living.stop();
    await clock.forward(second);
    await end;
  }
  const facts = (await store.log.read('facts', 0, 0, 100)).map(({ value }) => (value as Fact).seq); // written by hosts
  assert.deepEqual(facts, [1, 2, 3, 4, 5, 6]);
});
