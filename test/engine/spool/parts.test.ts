// The pure parts of the spool: how full it is, and what is known of the shared log. All together over a log that goes away: spool.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hour, second } from '../../../src/core/time.ts';
import { createBacklog } from '../../../src/engine/spool/backlog.ts';
import { createOutage } from '../../../src/engine/spool/outage.ts';

const limits = { bytesMax: 100, ageMaxMs: hour };

test('S3: full by bytes', () => {
  const backlog = createBacklog(limits);
  backlog.headAt(0, 0, { now: 0, steady: 0 });
  backlog.add(99);
  assert.equal(backlog.fullness(0), null);
  backlog.add(1);
  assert.match(backlog.fullness(0) ?? '', /holds 100 bytes, at most 100/);
  backlog.remove(99);
  assert.deepEqual([backlog.fullness(0), backlog.records, backlog.bytes], [null, 1, 1]);
});

test('S3: full by age, which counts on the steady clock from the stamp, whatever the wall clock does meanwhile', () => {
  const backlog = createBacklog(limits);
  backlog.headAt(7, 0, { now: 10 * second, steady: 500 });
  backlog.add(1);
  backlog.headAt(7, 0, { now: 10 * hour, steady: 600 });
  assert.equal(backlog.oldestMs(500), 10 * second);
  assert.equal(backlog.fullness(500 + hour - 10 * second), null);
  assert.match(backlog.fullness(501 + hour - 10 * second) ?? '', /for 1h, at most 1h/);
});

test('an entry that could not be kept is not the oldest of those that come later', () => {
  const backlog = createBacklog(limits);
  backlog.headAt(3, 0, { now: 0, steady: 0 });
  backlog.add(1);
  backlog.remove(1);
  assert.equal(backlog.oldestMs(hour), 0);
  backlog.headAt(3, hour, { now: hour, steady: hour });
  backlog.add(1);
  assert.equal(backlog.oldestMs(hour), 0);
});

test('an outage is news once, and lasts until the log has taken something', () => {
  const outage = createOutage();
  assert.deepEqual([outage.began(5), outage.began(6), outage.awaySince], [true, false, 5]);
  outage.reached();
  assert.equal(outage.awaySince, null);
  outage.goesOn(9);
  outage.goesOn(10);
  assert.equal(outage.awaySince, 9);
  outage.over();
  assert.deepEqual([outage.awaySince, outage.isMissing], [null, false]);
});

test('attempts to send on come half a second after the first that failed, then at twice the wait, at most every five seconds', () => {
  const outage = createOutage();
  const waits: number[] = [outage.waitMs()];
  assert.equal(outage.missed(), true, 'the first is told of');
  for (let misses = 1; misses < 7; misses += 1) {
    waits.push(outage.waitMs());
    assert.equal(outage.missed(), false);
  }
  assert.deepEqual(waits, [0, 500, 1_000, 2_000, 4_000, 5_000, 5_000]);
  outage.through();
  assert.equal(outage.waitMs(), 0);
});

test('what came and did not get through counts as the first attempt that failed', () => {
  const outage = createOutage();
  outage.began(1);
  assert.deepEqual([outage.isMissing, outage.waitMs(), outage.missed()], [true, 500, false]);
});
