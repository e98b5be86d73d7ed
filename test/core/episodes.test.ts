// What a claim does to the alert it names when it comes late, out of order, or from a sender whose clock is wrong.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { merge } from '../../src/core/alert/merge.ts';
import { minute } from '../../src/core/time.ts';
import { someday } from '../support/clock.ts';
import { eventOf } from '../support/event.ts';

const firing = (episode: string, startedAt: number) => eventOf({ episode, startedAt, observedAt: startedAt });
const end = (episode: string, startedAt: number, observedAt: number) => eventOf({ claim: 'cleared', episode, startedAt, observedAt });
const held = merge(undefined, firing('18', someday), someday).alert ?? undefined;

test('A1: an end whose start is later than the held one clears', () => {
  assert.equal(merge(held, end('e', someday + minute, someday + minute), someday + minute).change, 'cleared');
});

test('A1: an end that ended before the held episode began does not clear', () => {
  assert.equal(merge(held, end('e', someday + minute, someday - 1), someday + minute).change, 'late');
});

test('A2: the end of a later episode ends the earlier, and not the other way round', () => {
  assert.equal(merge(held, end('20', someday + minute, someday + 2 * minute), someday + 2 * minute).change, 'cleared');
  assert.equal(merge(held, end('16', someday - minute, someday + minute), someday + minute).change, 'late');
});

test('A2: the end of an episode that another replaced does not end the present one, even when the sender gives no times', () => {
  const next = merge(held, firing('20', someday + minute), someday + minute).alert ?? undefined;

  assert.equal(merge(next, end('18', someday + 2 * minute, someday + 2 * minute), someday + 2 * minute).change, 'late');
});

test('A3: an ended episode never reopens, whatever its clock says; a new one does', () => {
  const cleared = merge(held, end('18', someday, someday + minute), someday + minute).alert ?? undefined;

  assert.equal(merge(cleared, firing('18', someday + 5 * minute), someday + 5 * minute).change, 'late');
  const next = merge(cleared, firing('19', someday + 5 * minute), someday + 5 * minute);
  assert.equal(next.change, 'reopened');
  assert.equal(merge(next.alert ?? undefined, firing('18', someday), someday + 6 * minute).change, 'late');
  assert.equal(merge(next.alert ?? undefined, end('18', someday + 6 * minute, someday + 6 * minute), someday + 6 * minute).change, 'late');
});

test('A3: what is remembered of ended episodes is bounded', () => {
  let alert = held;
  for (let number = 18; number < 60; number += 1) {
    const at = someday + number * minute;
    alert = merge(alert, firing(`${number}`, at), at).alert ?? undefined;
    alert = merge(alert, end(`${number}`, at, at + 1), at + 1).alert ?? undefined;
  }
  assert.deepEqual(alert?.ended, ['52', '53', '54', '55', '56', '57', '58', '59']);
});

test('A4: the end of the same episode clears although its clock is before the start', () => {
  assert.equal(merge(held, end('18', someday, someday - 40 * minute), someday + minute).change, 'cleared');
});

test('A16: an alert whose acknowledgement is withdrawn is not acknowledged any more', () => {
  const taken = merge(held, eventOf({ claim: 'acknowledged' }), someday).alert ?? undefined;
  const { change, alert } = merge(taken, eventOf({ claim: 'unacknowledged' }), someday);

  assert.equal(change, 'unacknowledged');
  assert.equal(alert?.acknowledged, false);
});
