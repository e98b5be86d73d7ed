// Facts into documents: coalescing patches must never change what they come to.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { memoryDisk } from '../../../adapters/memory/disk.ts';
import { memoryStore } from '../../../adapters/memory/store.ts';
import { coalesced } from '../../../src/engine/project/documents.ts';
import type { Views } from '../../../src/ports/views.ts';
import type { DocumentPatch } from '../../../src/readmodel/patch.ts';
import { virtualClock } from '../../support/clock.ts';

function newViews(): Views {
  return memoryStore({ disk: memoryDisk(), partitions: 1, clock: virtualClock() }).views;
}

const base = {
  id: fc.constantFrom('1', '2'),
  scope: fc.constant('default'),
  at: fc.integer({ min: 1, max: 9 }),
  begins: fc.constantFrom(true as const, undefined),
};
const word = fc.constantFrom('a', 'b', 'c');
const optional = { requiredKeys: [] };
const told = fc.record({ summary: word, incident: fc.constantFrom('1', '2', null) }, optional);
/** Name and host are of an alert's identity. */
const identity = { name: 'a', entity: { host: 'b' } };
const patch: fc.Arbitrary<DocumentPatch> = fc
  .oneof(
    fc.record({ kind: fc.constant('alert'), ...base, set: told.map((set) => Object.assign({}, identity, set)) }),
    fc.record({
      kind: fc.constant('incident'),
      ...base,
      set: fc.record({ title: word }, optional),
      add: fc.record({ sources: fc.array(word) }),
    }),
    fc.record({
      kind: fc.constant('run'),
      ...base,
      set: fc.record({ call: fc.option(word) }, optional),
      put: fc.record({ steps: fc.dictionary(word, fc.record({ outcome: fc.constantFrom('ok', 'failed'), tookMs: fc.nat({ max: 3 }) })) }),
    }),
  )
  .map((made) => JSON.parse(JSON.stringify(made)) as DocumentPatch); // without what is undefined

/** An incident is opened before an alert is said to join it. */
const opened: readonly DocumentPatch[] = ['1', '2'].map((id) => ({ kind: 'incident', id, scope: 'default', at: 1, begins: true, set: {} }));

test('patches applied together come to the same documents as patches applied one by one', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(patch, { maxLength: 8 }), fc.array(patch, { maxLength: 12 }), async (held, patches) => {
      const together = newViews();
      const apart = newViews();
      const batch = { cursor: 'project', partition: 0, entries: [] };
      for (const views of [together, apart]) await views.apply({ ...batch, offset: 1, patches: [...opened, ...held] });

      await together.apply({ ...batch, offset: 100, patches: coalesced(patches) });
      for (const [place, one] of patches.entries()) await apart.apply({ ...batch, offset: place + 2, patches: [one] });

      for (const kind of ['alert', 'incident', 'run'] as const) {
        for (const id of ['1', '2']) assert.deepEqual(await together.get(kind, id, 'all'), await apart.get(kind, id, 'all'));
      }
      const found = async (views: Views, name: string): Promise<readonly string[]> => {
        const { items } = await views.list({ kind: 'incident', scopes: 'all', hosts: [name], limit: 9 });
        return items.map(({ id }) => id).sort();
      };
      for (const name of ['a', 'b', 'c']) assert.deepEqual(await found(together, name), await found(apart, name));
    }),
    { numRuns: 500 },
  );
});
