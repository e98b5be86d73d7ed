// Slots of the executor: looks apart from steps, and a rest for other playbooks.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anyLane, hasRoom, looksMax, type Lane } from '../../src/executor/lanes.ts';

const lanes = (count: number, lane: Lane): readonly Lane[] => Array.from({ length: count }, () => lane);
const step = (playbook: string): Lane => ({ isLook: false, playbook });
const look = (playbook: string): Lane => ({ isLook: true, playbook });

test('C10, L1: sixteen steps hold up no look, eight looks no step', () => {
  assert.equal(hasRoom(lanes(16, step('a')), step('b'), 16), false);
  assert.equal(hasRoom(lanes(16, step('a')), look('b'), 16), true);
  assert.equal(hasRoom(lanes(looksMax(16), look('a')), look('b'), 16), false);
  assert.equal(hasRoom(lanes(looksMax(16), look('a')), step('b'), 16), true);
});

test('C10, L2: one playbook leaves a quarter to the others; what nobody named may take all', () => {
  assert.equal(hasRoom(lanes(11, step('a')), step('a'), 16), true);
  assert.equal(hasRoom(lanes(12, step('a')), step('a'), 16), false);
  assert.equal(hasRoom(lanes(12, step('a')), step('b'), 16), true);
  assert.equal(hasRoom(lanes(15, anyLane), anyLane, 16), true);
});

test('a single slot is everybody’s', () => {
  assert.equal(hasRoom([], step('a'), 1), true);
  assert.equal(hasRoom([], look('a'), 1), true);
  assert.equal(hasRoom(lanes(1, step('a')), step('b'), 1), false);
});
