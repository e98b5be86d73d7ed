// Clocks of senders that are wrong: measured by what they send, and taken out of the times that they tell.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AlertEvent } from '../../src/core/alert/event.ts';
import { hour, minute, second, type Millis } from '../../src/core/time.ts';
import { eventOf } from '../support/event.ts';
import { policyOf } from '../support/policy.ts';
import { tell, type Story } from '../support/story.ts';

/** A sender whose clock is off by `off` tells of something that began ten seconds ago. */
function dated(story: Story, off: Millis, change: Partial<AlertEvent> = {}): AlertEvent {
  const sentAt = story.now() + off;
  return eventOf({ source: 'zabbix', startedAt: sentAt - 10 * second, observedAt: sentAt, sentAt, ...change });
}

function afterSix(off: (number: number) => Millis): Story {
  const story = tell(policyOf());
  for (let number = 0; number < 6; number += 1) {
    story.see(dated(story, off(number), { entity: { host: `other${number}` } }));
    story.forward(7 * minute);
  }
  return story;
}

const startOf = (story: Story): number => story.now() - (story.last('AlertMerged').alert?.startedAt ?? 0);

test('A5: a start, or a sight, in the future is taken as the receipt', () => {
  const story = tell(policyOf());
  story.see(dated(story, 10 * minute));
  const { alert } = story.last('AlertMerged');
  assert.deepEqual([alert?.startedAt, alert?.observedAt], [story.now(), story.now()]);
});

for (const off of [-hour, hour, 10 * minute, -3 * minute]) {
  test(`A5: a clock that is ${off / minute} min off is measured and taken out, and a second tool on the host joins`, () => {
    const story = afterSix(() => off);
    const opened = story.all('IncidentOpened').length;
    story.see(dated(story, off));
    assert.equal(startOf(story), 10 * second);
    assert.match(story.last('AlertMerged').note ?? '', off < 0 ? /clock is .* behind: taken out/ : /clock is .* ahead: taken out/);
    assert.equal(story.last('AlertDecided').skewMs, -off);
    story.forward(20 * second);
    story.see(eventOf({ name: 'check_http', startedAt: story.now(), observedAt: story.now() }));
    assert.equal(story.all('IncidentOpened').length, opened + 1);
  });
}

test('A5: deliveries that are late, each by another span, are no wrong clock; nor is one clock that of another endpoint', () => {
  const late = afterSix((number) => -(number + 1) * 11 * minute);
  late.see(dated(late, 0));
  assert.equal(startOf(late), 10 * second);

  const story = afterSix(() => -hour);
  story.say({ type: 'AlertSeen', endpoint: 'another', delivery: '', index: 0, event: dated(story, 0) });
  assert.equal(startOf(story), 10 * second);
});

test('A5: a clock that is set right is believed again, and a day is no skew', () => {
  const story = afterSix(() => -hour);
  for (let number = 0; number < 15; number += 1) {
    story.see(dated(story, 0, { entity: { host: `set${number}` } }));
    story.forward(minute);
  }
  story.see(dated(story, 0));
  assert.equal(startOf(story), 10 * second);
  const far = afterSix(() => -24 * hour);
  far.see(dated(far, -24 * hour));
  assert.equal(startOf(far), 24 * hour + 10 * second);
});

test('A5: a sender that tells no time is left alone, and what it was asked says nothing of its clock', () => {
  const story = afterSix(() => -hour);
  story.see(eventOf({ source: 'zabbix', startedAt: story.now(), observedAt: story.now() }));
  assert.equal(startOf(story), 0);
  const asked = tell(policyOf());
  for (let number = 0; number < 6; number += 1) {
    asked.see(dated(asked, -hour, { entity: { host: `other${number}` } }), { id: `test:reconcile:${number}`, index: 0 });
    assert.equal(asked.last('AlertDecided').lagMs, undefined);
    asked.forward(minute);
  }
  asked.see(dated(asked, -hour));
  assert.equal(asked.last('AlertDecided').skewMs, undefined);
});
