// Retention forgets what is old, and never what somebody has still to read: a projector that was added counts like all others.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { day } from '../../src/core/time.ts';
import type { Projector } from '../../src/engine/project/projector.ts';
import { sweepOld } from '../../src/engine/retention.ts';
import type { Store } from '../../src/ports/store.ts';
import { rig, type Rig } from './project/rig.ts';

/** An engine that has decided about one alert, and shown it by all projectors that go on. */
async function decided(projectors: (store: Store) => readonly Projector[]): Promise<Rig> {
  const made = await rig(projectors);
  await made.see('0000000000000001');
  await made.clock.forward(60_000);
  return made;
}

/** Sweeps long after everything that was decided, as if the checkpoint covered it; the offsets below which facts are gone. */
async function sweep({ store, service, clock }: Rig): Promise<readonly number[]> {
  const end = await store.log.end('facts', 0);
  const late = { ...clock, now: () => clock.now() + 2 * day };
  const { consumers } = service;
  const swept = await sweepOld({ ...store, clock: late, retentionMs: day, saved: () => ({ inputs: end, facts: end }), consumers });
  return swept.facts;
}

/** Shows all that it is offered, or hangs. */
function added(store: Store, hangs: boolean): Projector {
  return {
    name: 'added',
    cursor: 'added',
    async apply({ partition, offset }) {
      if (hangs) await new Promise(() => {});
      await store.cursors.save('added', partition, offset);
    },
  };
}

test('K1: facts that an added projector has not shown are kept, however old; what everybody has read goes', async () => {
  const hanging = await decided((store) => [added(store, true)]);
  assert.deepEqual(await sweep(hanging), [0]);
  await hanging.store.cursors.save('added', 0, 2);
  assert.deepEqual(await sweep(hanging), [2]);

  const reading = await decided((store) => [added(store, false)]);
  const [below = 0] = await sweep(reading);
  assert.ok(below > 2, `below ${below} of ${await reading.store.log.end('facts', 0)} all is forgotten`);
});
