// The set against the language's own, and that finding the first costs nothing however many were taken out before it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { OrderedSet } from '../../src/core/ordered-set.ts';

test('it holds what a Set holds, in its order', () => {
  const step = fc.record({ isIn: fc.boolean(), text: fc.constantFrom(...'abcdefgh') });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const [ours, model] = [new OrderedSet(), new Set<string>()];
      for (const { isIn, text } of steps) {
        if (isIn) ours.add(text);
        else ours.delete(text);
        if (isIn) model.add(text);
        else model.delete(text);
        assert.equal(ours.has(text), model.has(text));
      }
      assert.deepEqual([[...ours], ours.size], [[...model], model.size]);
    }),
  );
});

test('O2: a walk visits what is left, whoever is taken out and put back meanwhile', () => {
  const step = fc.record({ isIn: fc.boolean(), text: fc.constantFrom(...'abcdefgh') });
  fc.assert(
    fc.property(fc.array(fc.array(step, { maxLength: 3 }), { maxLength: 8 }), (bodies) => {
      const ours = new OrderedSet();
      const texts = [...'abcdefgh'];
      for (const text of texts) ours.add(text);
      const taken = new Set<string>();
      let round = 0;
      for (const text of ours) {
        assert.ok(ours.has(text));
        for (const { isIn, text: other } of bodies[round++] ?? []) {
          if (isIn) ours.add(other);
          else ours.delete(other);
          if (!isIn) taken.add(other);
        }
        if (round > 40) break;
      }
      for (const text of texts) if (!taken.has(text)) assert.ok(ours.has(text));
    }),
  );
});

test('F8, O1: the first of what is left is found at once, however many before it were taken out', () => {
  const clear = (count: number): number => {
    const set = new OrderedSet();
    const texts = Array.from({ length: count }, (_, at) => `fingerprint-${at}`);
    for (const text of texts) set.add(text);
    const began = process.cpuUsage();
    for (const text of texts) {
      set.delete(text);
      set.values().next();
    }
    const { user, system } = process.cpuUsage(began);
    return (user + system) / count;
  };
  // The least of several: what else the machine does only adds.
  const least = (count: number): number => Math.min(...Array.from({ length: 5 }, () => clear(count)));
  clear(10_000);
  const [few, many] = [least(5_000), least(80_000)];
  assert.ok(many < few * 10, `${few} µs for each of 5,000, ${many} of 80,000`);
});
