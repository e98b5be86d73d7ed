// Facts into documents: coalescing patches must never change what they come to.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { memoryDisk } from '../../../adapters/memory/disk.ts';
import { memoryStore } from '../../../adapters/memory/store.ts';
import { coalesced } from '../../../src/engine/project/project.ts';
import type { ViewPatch, Views } from '../../../src/ports/views.ts';
import { virtualClock } from '../../support/clock.ts';

function newViews(): Views {
  return memoryStore({ disk: memoryDisk(), partitions: 1, clock: virtualClock() }).views;
}

const value = fc.oneof(
  fc.integer({ min: 0, max: 9 }),
  fc.constant(null),
  fc.constantFrom('a', 'b'),
  fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 2 }),
  fc.dictionary(fc.constantFrom('x', 'y'), fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constant(null)), { maxKeys: 2 }),
);
const patch: fc.Arbitrary<ViewPatch> = fc
  .record(
    {
      kind: fc.constantFrom('alert' as const, 'run' as const),
      id: fc.constantFrom('1', '2'),
      scope: fc.constant('default'),
      at: fc.integer({ min: 1, max: 9 }),
      state: fc.constantFrom('firing', 'cleared'),
      of: fc.constantFrom('i1', null),
      patch: fc.dictionary(fc.constantFrom('p', 'q', 'r'), value, { maxKeys: 3 }),
    },
    { requiredKeys: ['kind', 'id', 'scope', 'patch'] },
  )
  .map((made) => made as ViewPatch); // fast-check leaves optional keys out, as the port has them

test('patches applied together come to the same documents as patches applied one by one', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(patch, { maxLength: 8 }), fc.array(patch, { maxLength: 12 }), async (held, patches) => {
      const together = newViews();
      const apart = newViews();
      const batch = { cursor: 'project', partition: 0, entries: [] };
      for (const views of [together, apart]) await views.apply({ ...batch, offset: 1, patches: held });

      await together.apply({ ...batch, offset: 100, patches: coalesced(patches) });
      for (const [place, one] of patches.entries()) await apart.apply({ ...batch, offset: place + 2, patches: [one] });

      for (const kind of ['alert', 'run'] as const) {
        for (const id of ['1', '2']) assert.deepEqual(await together.get(kind, id), await apart.get(kind, id));
      }
    }),
    { numRuns: 500 },
  );
});
