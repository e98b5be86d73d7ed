// The gateway on a machine whose clock jumps: what people set stands, and it is said.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { day, hour } from '../../src/core/time.ts';
import { systemClock } from '../../src/gateway/clock.ts';
import { driftOf, clockCheck, openClock } from '../../src/gateway/believing.ts';

/** It looks by itself until the test is over. */
const until = (t: TestContext): { add(stop: () => Promise<void>): void } => ({ add: (stop) => t.after(stop) });

test('F7: a jump is said in the log, in the metric, and in a note of /readyz that sends no work elsewhere', async (t) => {
  let by = 0;
  const said: string[] = [];
  const clock = openClock({ ...systemClock, now: () => Date.now() + by }, { warn: (_, text) => said.push(text) }, until(t));
  const drift = (): number => driftOf(clock, { aheadMs: () => 0 });
  assert.equal(drift(), 0);
  by = day;
  assert.ok(Math.abs(drift() - day) < 1_000);
  assert.match(said[0] ?? '', /the wall clock jumped/);
  const check = clockCheck(drift);
  assert.equal(await check.check(), null);
  assert.match(check.note?.() ?? '', /ahead of the time that is gone by/);
  by = 0;
  assert.equal(drift(), 0);
  assert.match(said[1] ?? '', /is back where it was/);
});

test('B21: desks that are ahead of the clock are said until they are not', (t) => {
  const clock = openClock(systemClock, { warn: () => assert.fail('no jump') }, until(t));
  assert.equal(driftOf(clock, { aheadMs: () => hour }), -hour);
  assert.match(clockCheck(() => -hour).note?.() ?? '', /1h behind/);
});
