import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSaver, type Saver } from '../../../src/engine/async/saver.ts';
import { virtualClock, type VirtualClock } from '../../support/clock.ts';

interface Made {
  readonly clock: VirtualClock;
  readonly saver: Saver;
  readonly saved: number[];
  readonly troubles: unknown[];
  failures: number;
}

function made(): Made {
  const clock = virtualClock();
  const saved: number[] = [];
  const troubles: unknown[] = [];
  const save = async (value: number): Promise<void> => {
    if (all.failures > 0) {
      all.failures -= 1;
      throw new Error('the store is away');
    }
    saved.push(value);
  };
  const saver = createSaver({ clock, everyMs: 200, save, onTrouble: (error) => troubles.push(error) });
  const all: Made = { clock, saver, saved, troubles, failures: 0 };
  return all;
}

test('many moves of one span are one save, of the newest', async () => {
  const { clock, saver, saved } = made();
  for (const value of [1, 2, 3]) saver.moved(value);
  assert.deepEqual(saved, []);
  await clock.forward(200);
  assert.deepEqual(saved, [3]);
  saver.moved(4);
  await clock.forward(200);
  assert.deepEqual(saved, [3, 4]);
});

test('V1: what was saved is not saved again', async () => {
  const { clock, saver, saved } = made();
  saver.place(7);
  saver.moved(7);
  await clock.forward(1_000);
  await saver.flush();
  assert.deepEqual(saved, []);
});

test('V2: a save that failed is told of, and made up for by the next move', async () => {
  const all = made();
  all.failures = 1;
  all.saver.moved(1);
  await all.clock.forward(200);
  assert.equal(all.troubles.length, 1);
  await all.clock.forward(1_000);
  assert.deepEqual(all.saved, [], 'nothing has moved');
  all.saver.moved(2);
  await all.clock.forward(200);
  assert.deepEqual(all.saved, [2]);
});

test('V2: a save that failed is made up for by flush', async () => {
  const all = made();
  all.failures = 1;
  all.saver.moved(1);
  await all.clock.forward(200);
  await all.saver.flush();
  assert.deepEqual(all.saved, [1]);
});

test('flush saves at once, and what it saved is not saved again when the span is over', async () => {
  const { clock, saver, saved } = made();
  saver.moved(5);
  await saver.flush();
  assert.deepEqual(saved, [5]);
  await clock.forward(1_000);
  assert.deepEqual(saved, [5]);
});
