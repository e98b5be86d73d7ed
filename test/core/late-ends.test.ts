// The end of a page that leaves late, when its incident burns in another life already: it speaks of the life that ended.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Notification } from '../../src/core/page/notification.ts';
import { minute, second } from '../../src/core/time.ts';
import { eventOf } from '../support/event.ts';
import { incidentOf } from '../support/play.ts';
import { policyOf } from '../support/policy.ts';
import { accepted, tell, type Story } from '../support/story.ts';

const later = { outcome: 'deferred', retryAfterMs: 8 * second, detail: '429' } as const;
const life = (story: Story, summary: string, severity: 'error' | 'critical' = 'critical') =>
  eventOf({ episode: summary, summary, severity, startedAt: story.now(), observedAt: story.now() });

/** The first life has paged and is over, and its end is put off; the second has begun and paged. */
function putOff(over: 'cleared' | 'by hand' = 'cleared'): Story {
  const story = tell(policyOf({ settleMs: 0, holdOffMs: 0 }));
  const first = life(story, 'first life');
  story.see(first);
  story.forward(minute);
  story.notified(accepted);
  if (over === 'cleared') story.see({ ...first, claim: 'cleared', observedAt: story.now() });
  else story.say({ type: 'Resolved', incident: incidentOf(story), by: 'anna', via: 'api', note: 'restarted it' });
  story.forward(second);
  story.notified(later);
  assert.equal(ends(story).length, 1);
  return story;
}

const ends = (story: Story): readonly Notification[] =>
  story.all('NotifyGranted').flatMap(({ notification }) => (notification.kind === 'resolve' ? [notification] : []));

test('W4: an end that was put off speaks of the life that ended, and says that it came back', () => {
  const story = putOff();
  story.see(life(story, 'second life', 'error'));
  story.forward(8 * second);
  story.notified(accepted);

  const [, end] = ends(story);
  const [first, second_] = story.all('PageOpened');
  assert.equal(story.all('PageOpened').length, 2);
  assert.equal(end?.dedupKey, first?.dedupKey);
  assert.notEqual(end?.dedupKey, second_?.dedupKey);
  assert.deepEqual([end?.title, end?.severity], [ends(story)[0]?.title, 'critical']);
  assert.match(end?.title ?? '', /first life/);
  assert.match(end?.text ?? '', /^cleared by prometheus after 1m: every alert cleared; no playbook acted\nit came back at \d\d:\d\d UTC$/);
  assert.deepEqual([end?.startedAt, end?.asks], [undefined, undefined]);
});

test('W4: what a person said when they resolved it stands in an end that leaves late', () => {
  const story = putOff('by hand');
  story.see(life(story, 'second life'));
  story.forward(8 * second);
  story.notified(accepted);

  assert.match(ends(story)[1]?.text ?? '', /^resolved by anna after 1m: restarted it\n/);
});

test('W4: an end that leaves when the second life is over, too, says so', () => {
  const story = putOff();
  const again = life(story, 'second life');
  story.see(again);
  story.see({ ...again, claim: 'cleared', observedAt: story.now() + 1 });
  story.forward(8 * second);
  story.notified(accepted);

  const late = ends(story).find(({ text }) => text.includes('came back'));
  assert.match(late?.text ?? '', /\nit came back since, and is over again$/);
});

test('W4: an end that is put off and still true keeps its words', () => {
  const story = putOff();
  story.forward(8 * second);
  story.notified(accepted);

  const [early, late] = ends(story);
  assert.deepEqual([late?.title, late?.text], [early?.title, early?.text]);
});
