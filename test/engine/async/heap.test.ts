import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createHeap } from '../../../src/engine/async/heap.ts';

test('an empty heap has nothing due and nothing to take', () => {
  const heap = createHeap<string>();
  assert.deepEqual([heap.next(), heap.take(), heap.size], [null, undefined, 0]);
});

test('what was added comes out by time, and in the order of adding at one time, whatever is taken between', () => {
  const steps = fc.array(fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constant('take' as const)), { maxLength: 200 });
  fc.assert(
    fc.property(steps, (script) => {
      const heap = createHeap<number>();
      const model: { readonly due: number; readonly item: number }[] = [];
      for (const [item, step] of script.entries()) {
        if (step === 'take') assert.equal(heap.take(), model.shift()?.item);
        else {
          heap.add(step, item);
          const place = model.findIndex(({ due }) => due > step);
          model.splice(place < 0 ? model.length : place, 0, { due: step, item });
        }
        assert.deepEqual([heap.next(), heap.size], [model[0]?.due ?? null, model.length]);
      }
      while (model.length > 0) assert.equal(heap.take(), model.shift()?.item);
    }),
  );
});
