// How much is let on to the log ahead of what is turned: as much as is turned in a moment, and never so little that it slows the turning.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPace } from '../../../src/engine/host/pace.ts';

test('F8: the room is what is turned in 150 ms, within bounds', () => {
  const pace = createPace();
  for (let round = 0; round < 20; round += 1) pace.turned(50, 10);
  assert.equal(pace.room, 750);
  for (let round = 0; round < 20; round += 1) pace.turned(256, 5);
  assert.equal(pace.room, 2_048);
  for (let round = 0; round < 20; round += 1) pace.turned(1, 100);
  assert.equal(pace.room, 512);
});

test('F8, P1: a host that was slow and is fast again is let more, although it turned only what it was let', () => {
  const pace = createPace();
  for (let round = 0; round < 20; round += 1) pace.turned(10, 200);
  // Each round costs 20 ms, whatever it turns, and a hundredth of a millisecond an input.
  for (let round = 0; round < 40; round += 1) {
    const inputs = Math.min(256, pace.room);
    pace.turned(inputs, 20 + inputs / 100);
  }
  assert.ok(pace.room > 1_500, `${pace.room}`);
  pace.turned(0, 60_000);
  assert.ok(pace.room > 1_500, 'waiting for something to turn is no slowness');
});
