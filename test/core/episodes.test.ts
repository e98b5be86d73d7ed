// What a claim does to the alert it names when it comes late, out of order, or from a sender whose clock is wrong.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { merge } from '../../src/core/alert/merge.ts';
import { minute, second } from '../../src/core/time.ts';
import { someday } from '../support/clock.ts';
import { eventOf } from '../support/event.ts';
import { policyOf } from '../support/policy.ts';
import { tell, type Story } from '../support/story.ts';

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

const fires = (at: number) => eventOf({ episode: 's', startedAt: someday, observedAt: at });

/** An alert whose episode `s` has ended, as Alertmanager says after `resolve_timeout`. */
function endedStory(): Story {
  const story = tell(policyOf());
  story.see(fires(story.now()));
  story.forward(5 * minute);
  story.see(eventOf({ claim: 'cleared', episode: 's', observedAt: story.now() }));
  return story;
}

test('A3: an ended episode that keeps being told fires after all, with the reason, and somebody is called', () => {
  const story = endedStory();
  const pages = story.all('PageOpened').length;
  const changes: string[] = [];
  for (let told = 0; told < 3; told += 1) {
    story.forward(3 * minute);
    story.see(fires(story.now()));
    changes.push(story.last('AlertMerged').change);
  }
  story.forward(minute);

  assert.deepEqual(changes, ['late', 'late', 'reopened']);
  assert.match(story.all('AlertMerged').at(-1)?.note ?? '', /fires on with it, 3 times in 6m/);
  assert.equal(story.all('PageOpened').length, pages + 1);
  story.see(eventOf({ claim: 'cleared', episode: 's', observedAt: story.now() }));
  assert.equal(story.last('AlertMerged').change, 'cleared');
});

test('A3: a retry of an ended episode never reopens: sent often at once, dated before the end, or ended in between', () => {
  const often = endedStory();
  for (let told = 0; told < 40; told += 1) {
    often.forward(5 * second);
    often.see(fires(often.now()));
  }
  assert.equal(often.all('IncidentReopened').length, 0);

  const twice = endedStory();
  for (const at of [minute, 6 * minute, second, second]) {
    twice.forward(at);
    twice.see(fires(twice.now()));
  }
  assert.equal(twice.all('IncidentReopened').length, 0);

  const dated = endedStory();
  const before = dated.now() - minute;
  for (let told = 0; told < 10; told += 1) {
    dated.forward(3 * minute);
    dated.see(fires(before));
  }
  assert.equal(dated.all('IncidentReopened').length, 0);

  const ended = endedStory();
  for (let told = 0; told < 3; told += 1) {
    ended.forward(2 * minute);
    ended.see(fires(ended.now()));
    ended.see(fires(ended.now()));
    ended.forward(minute);
    ended.see(eventOf({ claim: 'cleared', episode: 's', observedAt: ended.now() }));
  }
  assert.equal(ended.all('AlertMerged').filter(({ change }) => change === 'reopened').length, 0);
});
