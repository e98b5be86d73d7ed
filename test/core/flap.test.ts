// Nagios-exact flapping: the vectors were computed by the original algorithm.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flapPercent, isFlapping, noHistory, observe, type FlapHistory } from '../../src/core/alert/flapping.ts';

/** Twenty possible changes, oldest first, `1` for a change. */
function after(changes: string): FlapHistory {
  let firing = false;
  let history = noHistory(false);
  for (const change of changes) {
    if (change === '1') firing = !firing;
    history = observe(history, firing);
  }
  return history;
}

const newest = (count: number): string => '0'.repeat(20 - count) + '1'.repeat(count);
const oldest = (count: number): string => '1'.repeat(count) + '0'.repeat(20 - count);

const vectors = [
  { says: 'three newest changes', changes: newest(3), percent: 18.36 },
  { says: 'four newest changes', changes: newest(4), percent: 24.21 },
  { says: 'five newest changes', changes: newest(5), percent: 29.93 },
  { says: 'six newest changes', changes: newest(6), percent: 35.53 },
  { says: 'four oldest changes', changes: oldest(4), percent: 15.79 },
  { says: 'six oldest changes', changes: oldest(6), percent: 24.47 },
  { says: 'every state differs from the one before', changes: newest(20), percent: 100 },
  { says: 'a steady state', changes: newest(0), percent: 0 },
];

for (const { says, changes, percent } of vectors) {
  test(`flapping weighs ${says} as Nagios does: ${percent} %`, () => {
    assert.equal(Math.round(flapPercent(after(changes)) * 100) / 100, percent);
  });
}

test('a change older than twenty states no longer counts', () => {
  assert.equal(flapPercent(after(`1${'0'.repeat(20)}`)), 0);
});

test('between the thresholds flapping stays as it was', () => {
  const rule = { startPercent: 30, stopPercent: 20 };
  assert.equal(isFlapping(false, 25, rule), false);
  assert.equal(isFlapping(true, 25, rule), true);
  assert.equal(isFlapping(false, 30, rule), true);
  assert.equal(isFlapping(true, 20, rule), false);
});
