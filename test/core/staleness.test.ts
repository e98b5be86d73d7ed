// After how long a silence an alert is taken as ended, learned from how its sender repeats.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { staleMin } from '../../src/core/alert/staleness.ts';
import { day, hour, minute, type Millis } from '../../src/core/time.ts';
import { someday } from '../support/clock.ts';
import { eventOf } from '../support/event.ts';
import { policyOf } from '../support/policy.ts';
import { tell, type Story } from '../support/story.ts';

const alertOn = (story: Story, host: string) => eventOf({ episode: host, entity: { host }, startedAt: someday, observedAt: story.now() });
const isFiring = (story: Story, host: string): boolean =>
  [...story.desk().tables.alerts.rows.values()].some(({ alert }) => alert.entity.host === host && alert.state === 'firing');

/** A sender that told one alert `times` more, `apart`; then it falls silent. */
function repeating(times: number, apart: Millis): Story {
  const story = tell(policyOf({ staleMs: 3 * day }));
  story.see(alertOn(story, 'a'));
  for (let told = 0; told < times; told += 1) {
    story.forward(apart);
    story.see(alertOn(story, 'a'));
  }
  return story;
}

test('A6: a sender that repeats every minute and falls silent: its alert is over after twelve hours, not after three days', () => {
  const story = repeating(30, minute);
  story.forward(staleMin - minute);
  assert.ok(isFiring(story, 'a'));
  story.forward(2 * minute);
  assert.ok(!isFiring(story, 'a'));
  assert.match(story.last('IncidentResolved').note, /no source has told of it for 12h: taken as ended/);
  story.see(alertOn(story, 'a'));
  assert.ok(isFiring(story, 'a'), 'the next word of the source opens it at once');
});

test('A6: four times its longest silence counts, and the policy’s span is the bound', () => {
  const slow = repeating(24, 5 * hour);
  slow.forward(19 * hour);
  assert.ok(isFiring(slow, 'a'));
  slow.forward(2 * hour);
  assert.ok(!isFiring(slow, 'a'));

  const daily = repeating(21, day);
  daily.forward(3 * day - minute);
  assert.ok(isFiring(daily, 'a'));
  daily.forward(2 * minute);
  assert.ok(!isFiring(daily, 'a'));
});

test('A6: a sender that repeats seldom, and an alert that was told once beside others that are repeated, have the policy’s span', () => {
  const seldom = repeating(10, minute);
  seldom.forward(2 * day);
  assert.ok(isFiring(seldom, 'a'));

  const story = repeating(30, minute);
  story.see(alertOn(story, 'once'));
  story.forward(2 * day);
  assert.deepEqual([isFiring(story, 'a'), isFiring(story, 'once')], [false, true]);
});

test('A6: what an endpoint is known for says nothing of another, nor do answers to what was asked', () => {
  const story = repeating(30, minute);
  for (let told = 0; told < 8; told += 1) {
    story.say({ type: 'AlertSeen', endpoint: 'another', delivery: '', index: 0, event: alertOn(story, 'b') });
    story.forward(minute);
  }
  for (let told = 0; told < 30; told += 1) {
    story.say({ type: 'AlertSeen', endpoint: 'asked', delivery: `asked:reconcile:${told}`, index: 0, event: alertOn(story, 'c') });
    story.forward(minute);
  }
  story.forward(2 * day);
  assert.deepEqual([isFiring(story, 'a'), isFiring(story, 'b'), isFiring(story, 'c')], [false, true, true]);
});
