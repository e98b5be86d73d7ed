import assert from 'node:assert/strict';
import { test } from 'node:test';
import { second } from '../../../src/core/time.ts';
import { pause } from '../../../src/engine/async/pause.ts';
import { virtualClock } from '../../support/clock.ts';

test('a pause lasts as long as it was asked for', async () => {
  const clock = virtualClock();
  let over = false;
  const paused = pause(clock, 2 * second).then(() => (over = true));
  await clock.forward(2 * second - 1);
  assert.equal(over, false);
  await clock.forward(1);
  await paused;
});

test('whoever stops cuts it short, and no timer stays behind', async () => {
  const clock = virtualClock();
  const stopping = new AbortController();
  let fired = 0;
  const counting = {
    after: (span: number, call: () => void) =>
      clock.after(span, () => {
        fired += 1;
        call();
      }),
  };
  const paused = pause(counting, 2 * second, stopping.signal);
  stopping.abort();
  await paused;
  await pause(counting, 2 * second, stopping.signal); // it is over before it begins
  await clock.forward(10 * second);
  assert.equal(fired, 0);
});

test('a pause that is over leaves no listener at the signal', async (t) => {
  const clock = virtualClock();
  const stopping = new AbortController();
  const removed = t.mock.method(stopping.signal, 'removeEventListener');
  const paused = pause(clock, second, stopping.signal);
  await clock.forward(second);
  await paused;
  assert.equal(removed.mock.callCount(), 1);
});
