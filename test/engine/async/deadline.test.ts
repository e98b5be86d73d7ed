import assert from 'node:assert/strict';
import { test } from 'node:test';
import { second } from '../../../src/core/time.ts';
import { endsWithin, underDeadline } from '../../../src/engine/async/deadline.ts';
import { virtualClock } from '../../support/clock.ts';

/** Ends with a word when it is told to, however it is told. */
const untilAborted = (signal: AbortSignal): Promise<string> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve('called off');
    signal.addEventListener('abort', () => resolve('called off'));
  });

/** The clock, and how many of its timers are armed. */
function countedClock() {
  const clock = virtualClock();
  let armed = 0;
  const after = (span: number, call: () => void): (() => void) => {
    armed += 1;
    const cancel = clock.after(span, call);
    return () => {
      armed -= 1;
      cancel();
    };
  };
  return { clock, counted: { after }, armed: () => armed };
}

test('work is told to end when its time is over', async () => {
  const clock = virtualClock();
  const word = underDeadline(clock, 2 * second, new AbortController().signal, untilAborted);
  await clock.forward(2 * second);
  assert.equal(await word, 'called off');
});

test('work is told to end when everything stops, also when that was before it began', async () => {
  const clock = virtualClock();
  const stopping = new AbortController();
  const word = underDeadline(clock, 2 * second, stopping.signal, untilAborted);
  stopping.abort();
  assert.equal(await word, 'called off');
  assert.equal(await underDeadline(clock, 2 * second, stopping.signal, untilAborted), 'called off');
});

test('D1: no timer stays behind, however the work ended', async () => {
  const { counted, armed } = countedClock();
  const { signal } = new AbortController();
  assert.equal(await underDeadline(counted, second, signal, async () => 'done'), 'done');
  await assert.rejects(
    underDeadline(counted, second, signal, () => Promise.reject(new Error('broke'))),
    /broke/,
  );
  assert.equal(await endsWithin(counted, second, Promise.resolve()), true);
  await assert.rejects(endsWithin(counted, second, Promise.reject(new Error('broke'))), /broke/);
  assert.equal(armed(), 0);
});

test('what does not end within the span is waited for no longer', async () => {
  const { clock, counted } = countedClock();
  const ended = endsWithin(counted, second, new Promise(() => {}));
  await clock.forward(second);
  assert.equal(await ended, false);
});
