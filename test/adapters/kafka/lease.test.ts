// The lease on virtual time: what a heartbeat's answer is worth, and what it is not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLease } from '../../../adapters/kafka/lease.ts';
import { virtualClock } from '../../support/clock.ts';

const sessionMs = 1_000;

test('H1: nothing is leased before a heartbeat was answered, however the member was heard of', async () => {
  const clock = virtualClock();
  const lease = createLease(clock, sessionMs);
  await clock.forward(10_000);
  assert.equal(lease.isValid(), false);
  lease.touch();
  assert.equal(lease.isValid(), false);
});

test('H1: an answered heartbeat counts from the answer before, for less than the session', async () => {
  const clock = virtualClock();
  const lease = createLease(clock, sessionMs);
  lease.touch();
  await clock.forward(300);
  lease.renew(); // it may have been sent at once after 0
  await clock.forward(499);
  assert.equal(lease.isValid(), true);
  await clock.forward(1);
  assert.equal(lease.isValid(), false, 'at 800 of a session that may have begun at 0');

  lease.renew(); // sent after 300
  await clock.forward(299);
  assert.equal(lease.isValid(), true);
  await clock.forward(1);
  assert.equal(lease.isValid(), false);
});

test('H1: an answer that comes after a long sleep leases nothing; the next one does', async () => {
  const clock = virtualClock();
  const lease = createLease(clock, sessionMs);
  lease.touch();
  lease.renew();
  await clock.forward(5_000);
  assert.equal(lease.isValid(), false);
  lease.renew();
  assert.equal(lease.isValid(), false);
  await clock.forward(100);
  lease.renew();
  assert.equal(lease.isValid(), true);
});

test('silence counts from the last answer, and anew from a new member', async () => {
  const clock = virtualClock();
  const lease = createLease(clock, sessionMs);
  await clock.forward(500);
  assert.equal(lease.silentMs(), 500);
  lease.renew();
  await clock.forward(70);
  assert.equal(lease.silentMs(), 70);
  lease.touch();
  assert.equal(lease.silentMs(), 0);
});
