// Waiting on a clock that a test moves: what ends a wait, and that nothing of it stays behind.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBell, pause, pauseOr, within } from '../../../adapters/kafka/waits.ts';
import { virtualClock, type VirtualClock } from '../../support/clock.ts';

/** A virtual clock that knows how many of its timers are neither over nor cancelled. */
function countingClock(): VirtualClock & { readonly timers: () => number } {
  const clock = virtualClock();
  let timers = 0;
  return {
    ...clock,
    after(span, call) {
      let runs = true;
      timers += 1;
      const end = (): void => {
        if (runs) timers -= 1;
        runs = false;
      };
      const cancel = clock.after(span, () => {
        end();
        call();
      });
      return () => {
        end();
        cancel();
      };
    },
    timers: () => timers,
  };
}

/** What has become of the promise so far. */
function followed(promise: Promise<unknown>): { state: string } {
  const seen = { state: 'pending' };
  promise.then(
    () => (seen.state = 'resolved'),
    () => (seen.state = 'rejected'),
  );
  return seen;
}

test('within gives the answer that comes in time, and leaves no timer', async () => {
  const clock = countingClock();

  assert.equal(await within(clock, 100, 'ask', Promise.resolve(7)), 7);
  await assert.rejects(within(clock, 100, 'ask', Promise.reject(new Error('no'))), /^Error: no$/);
  assert.equal(clock.timers(), 0);
});

test("within says what was not answered, and a failure after that is nobody's unhandled rejection", async () => {
  const clock = countingClock();
  const answer = Promise.withResolvers<void>();
  const late = within(clock, 100, 'ask', answer.promise);
  const refused = assert.rejects(late, { code: 'deadline_exceeded', message: 'ask: no answer within 100 ms' });
  await clock.forward(100);
  await refused;

  answer.reject(new Error('too late'));
  await clock.settle();
  assert.equal(clock.timers(), 0);
});

test('pauseOr ends with its span or with what it waits for, whichever is first, and leaves no timer', async () => {
  const clock = countingClock();
  const span = followed(pauseOr(clock, 100, new Promise(() => {})));
  const woken = followed(pauseOr(clock, 100, Promise.resolve()));
  await clock.forward(99);
  assert.deepEqual([span.state, woken.state], ['pending', 'resolved']);
  assert.equal(clock.timers(), 1, 'the one whose span is not over');

  await clock.forward(1);
  assert.equal(span.state, 'resolved');
  assert.equal(clock.timers(), 0);
});

test('pause ends with its span', async () => {
  const clock = countingClock();
  const paused = followed(pause(clock, 100));
  await clock.forward(99);
  assert.equal(paused.state, 'pending');
  await clock.forward(1);
  assert.equal(paused.state, 'resolved');
});

test('a bell wakes whoever asked last, once; rung before anybody asked it wakes nobody', async () => {
  const bell = createBell();
  bell.ring();
  const earlier = followed(bell.next());
  const newest = followed(bell.next());
  bell.ring();
  const next = followed(bell.next());
  await new Promise<void>((resolve) => setImmediate(resolve));

  assert.deepEqual([earlier.state, newest.state, next.state], ['pending', 'resolved', 'pending']);
});
