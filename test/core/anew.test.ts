// A page that rings and has more to say: what rings anew at once, what is told together, and in which words.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AlertEvent } from '../../src/core/alert/event.ts';
import type { Ladder } from '../../src/core/page/ladder.ts';
import { hour, minute, second } from '../../src/core/time.ts';
import { eventOf } from '../support/event.ts';
import { ladder, policyOf } from '../support/policy.ts';
import { accepted, tell, type Story } from '../support/story.ts';

const calm: Ladder = { ...ladder, rungs: [{ notify: ['pd'], waitMs: hour }], repeat: 0, ackTimeoutMs: 0 };

function critical(story: Story, name: string, change: Partial<AlertEvent> = {}): AlertEvent {
  const entity = { host: 'k1', service: name.toLowerCase() };
  return eventOf({
    name,
    summary: `${name} on k1`,
    severity: 'critical',
    entity,
    startedAt: story.now(),
    observedAt: story.now(),
    ...change,
  });
}

/** A page rings at critical, and somebody was told. */
function ringing(): Story {
  const story = tell(policyOf({ ladders: { default: calm } }));
  story.see(critical(story, 'HostDown'));
  story.forward(10 * second);
  story.notified(accepted);
  assert.equal(rings(story), 1);
  return story;
}

const rings = (story: Story): number => story.all('PageRang').length;

test('N2: a critical of another rule that joins a page that rings at critical rings at once, in its own words, under a key of its own', () => {
  const story = ringing();

  story.see(critical(story, 'PaymentsDown'));
  story.notified(accepted);

  assert.equal(rings(story), 2);
  const { notification } = story.last('NotifyGranted');
  assert.equal(notification.kind, 'joined');
  assert.equal(notification.title, 'PaymentsDown on k1 (and 1 more)');
  assert.match(notification.text, /it rings already; now PaymentsDown critical on k1/);
  assert.equal(notification.era, 1);
});

test('N2: what was rung for is not rung for anew: repeats, further alerts of a known rule, one that comes back, one that is less than critical', () => {
  const story = ringing();
  story.see(critical(story, 'PaymentsDown'));
  story.forward(minute);
  assert.equal(rings(story), 2);

  story.see(critical(story, 'HostDown', { observedAt: story.now() }));
  story.see(critical(story, 'PaymentsDown', { entity: { host: 'k1', service: 'other' } }));
  story.see(critical(story, 'PaymentsDown', { claim: 'cleared' }));
  story.forward(second);
  story.see(critical(story, 'PaymentsDown'));
  story.see(critical(story, 'DiskFull', { severity: 'error' }));
  story.forward(minute);

  assert.equal(rings(story), 2);
});

test('N2: strangers that come within moments of such a ring are told together, within half a minute', () => {
  const story = ringing();
  story.see(critical(story, 'PaymentsDown'));
  for (const name of ['QueueFull', 'MailDown', 'CacheDown']) {
    story.forward(second);
    story.see(critical(story, name));
  }
  assert.equal(rings(story), 2);

  story.forward(27 * second);

  assert.equal(rings(story), 3);
  assert.match(story.last('PageRang').reason ?? '', /now QueueFull critical on k1 and 2 more/);
  story.forward(10 * minute);
  assert.equal(rings(story), 3);
});

test('N2: a stranger that is silenced rings when its silence ends', () => {
  const story = ringing();
  const matchers = [{ name: 'alertname', op: '=' as const, value: 'PaymentsDown' }];
  const silence = { id: 's1', matchers, startsAt: 0, endsAt: story.now() + 10 * minute, comment: '', by: 'bob', untilResolved: false };
  story.say({ type: 'SilenceSet', silence });
  story.see(critical(story, 'PaymentsDown'));
  assert.equal(rings(story), 1);

  story.forward(11 * minute);

  assert.equal(rings(story), 2);
});

test('N2: a critical stranger that joins a storm rings at once; more of what makes the storm does not', () => {
  const story = tell(policyOf({ ladders: { default: calm }, storm: { alerts: 20, withinMs: minute } }));
  const node = (n: number): AlertEvent => critical(story, 'NodeDown', { entity: { host: `n${n}`, service: `s${n}` } });
  for (let n = 0; n < 40; n += 1) story.see(node(n));
  story.forward(10 * second);
  story.notified(accepted);
  const before = rings(story);
  story.see(node(41));
  assert.equal(rings(story), before);

  story.see(critical(story, 'PaymentsDown', { entity: { host: 'db7', service: 'pay' } }));
  story.notified(accepted);

  assert.equal(rings(story), before + 1);
  assert.match(story.last('NotifyGranted').notification.title, /^db7: PaymentsDown on k1 \(and/);
});

test('N2: a storm that is a mix of many rules rings for all of them, not anew for each', () => {
  const story = tell(policyOf({ ladders: { default: calm }, storm: { alerts: 20, withinMs: minute } }));
  const mixed = (n: number): AlertEvent => critical(story, `Rule${n % 15}`, { entity: { host: `n${n}`, service: `s${n}` } });
  for (let n = 0; n < 40; n += 1) story.see(mixed(n));
  story.forward(10 * second);
  const before = rings(story);

  story.see(critical(story, 'Rule99', { entity: { host: 'n99', service: 's99' } }));
  story.forward(minute);

  assert.equal(rings(story), before);
});

test('B21, N2: who was told of a stranger before the clock was set right hears of the next one at once, not when the old time is reached', () => {
  const story = ringing();
  story.see(critical(story, 'PaymentsDown'));
  assert.equal(rings(story), 2);
  const from = story.now();
  story.back(24 * hour);
  story.say({ type: 'ClockCorrected', from, stoodFrom: from + 1, to: story.now() });

  story.see(critical(story, 'QueueFull'));
  story.forward(31 * second);

  assert.equal(rings(story), 3);
});
