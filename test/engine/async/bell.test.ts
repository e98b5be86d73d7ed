import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBell } from '../../../src/engine/async/bell.ts';

/** Whether the promise has resolved by now. */
async function isHeard(waiting: Promise<void>): Promise<boolean> {
  const { promise: now, resolve } = Promise.withResolvers<boolean>();
  setImmediate(() => resolve(false));
  return Promise.race([waiting.then(() => true), now]);
}

test('B1: a ring between asking and waiting is heard', async () => {
  const bell = createBell();
  const arrived = bell.next();
  bell.ring();
  assert.equal(await isHeard(arrived), true);
});

test('B1: a ring before asking is not: who asks looks for himself afterwards', async () => {
  const bell = createBell();
  bell.ring();
  const arrived = bell.next();
  assert.equal(await isHeard(arrived), false);
  bell.ring();
  assert.equal(await isHeard(arrived), true);
});

test('one ring wakes everybody who waits, and nobody who asks later', async () => {
  const bell = createBell();
  const waiting = [bell.next(), bell.next()];
  bell.ring();
  const later = bell.next();
  assert.deepEqual(await Promise.all(waiting.map(isHeard)), [true, true]);
  assert.equal(await isHeard(later), false);
});
