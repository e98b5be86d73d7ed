// Slots of the executor: looks apart from steps, and a rest for other playbooks.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anyLane, crowdOf, looksMax, Slots, type Lane, type Slot } from '../../src/executor/slots.ts';

const lanes = (count: number, lane: Lane): readonly Lane[] => Array.from({ length: count }, () => lane);
const roomIn = (...of: Parameters<typeof crowdOf>): boolean => crowdOf(...of) === null;
const step = (playbook: string): Lane => ({ isLook: false, playbook });
const look = (playbook: string): Lane => ({ isLook: true, playbook });

test('C10, L1: sixteen steps hold up no look, eight looks no step', () => {
  assert.equal(roomIn(lanes(16, step('a')), step('b'), 16), false);
  assert.equal(roomIn(lanes(16, step('a')), look('b'), 16), true);
  assert.equal(roomIn(lanes(looksMax(16), look('a')), look('b'), 16), false);
  assert.equal(roomIn(lanes(looksMax(16), look('a')), step('b'), 16), true);
});

test('C10, L2: one playbook leaves a quarter to the others; what nobody named may take all', () => {
  assert.equal(roomIn(lanes(11, step('a')), step('a'), 16), true);
  assert.equal(roomIn(lanes(12, step('a')), step('a'), 16), false);
  assert.equal(roomIn(lanes(12, step('a')), step('b'), 16), true);
  assert.equal(roomIn(lanes(15, anyLane), anyLane, 16), true);
});

test('a single slot is everybody’s', () => {
  assert.equal(roomIn([], step('a'), 1), true);
  assert.equal(roomIn([], look('a'), 1), true);
  assert.equal(roomIn(lanes(1, step('a')), step('b'), 1), false);
});

test('L3: who waits longest is given the next slot that it may have, and is told once why it waits', async () => {
  const slots = new Slots(4, 3);
  slots.open();
  const calledOff = new AbortController();
  const said: string[] = [];
  const given: string[] = [];
  const take = async (lane: Lane): Promise<Slot | null> => {
    const slot = await slots.take(lane, calledOff.signal, (why) => said.push(why));
    if (slot !== null) given.push(lane.playbook);
    return slot;
  };
  const first = await Promise.all([take(step('a')), take(step('a')), take(step('a'))]);
  const others = [take(step('a')), take(step('b')), take(step('b')), take(step('c'))];
  assert.deepEqual(said, [
    '3 steps of a are under way, the most of one playbook',
    '4 steps are under way, the most at once',
    '4 steps are under way, the most at once',
  ]);
  assert.equal(await take(step('d')), null);
  assert.equal(said.at(-1), '4 steps are under way, the most at once, and 3 calls wait, the most that may');

  first[0]?.free();
  first[0]?.free();
  assert.equal((await others[0])?.lane.playbook, 'a');
  calledOff.abort();
  assert.deepEqual(await Promise.all(others.slice(2)), [null, null]);
  assert.deepEqual(given, ['a', 'a', 'a', 'b', 'a']);
});

test('L3: while there is no process nobody is given a slot, and who waits has one when it is back', async () => {
  const slots = new Slots(1, 3);
  let why = '';
  const { signal } = new AbortController();
  const waits = slots.take(anyLane, signal, (text) => (why = text));
  assert.equal(why, 'the executor process starts');
  slots.open();
  const slot = await waits;
  slots.close('it is gone');
  slot?.free();
  const next = slots.take(anyLane, signal, (text) => (why = text));
  assert.equal(why, 'it is gone');
  slots.end();
  assert.equal(await next, null);
});
