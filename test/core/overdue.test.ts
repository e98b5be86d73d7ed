// How long an acknowledgement lasts, and what a mute may put off: whatever a person or a silence keeps quiet for a while calls somebody in the end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AlertEvent } from '../../src/core/alert/event.ts';
import type { Ladder } from '../../src/core/page/ladder.ts';
import type { Policy } from '../../src/core/playbook/policy.ts';
import { hour, minute, second, type Millis } from '../../src/core/time.ts';
import { eventOf } from '../support/event.ts';
import { clears, incidentOf, paged } from '../support/play.ts';
import { ladder, playbookOf, policyOf } from '../support/policy.ts';
import { accepted, tell, type Story } from '../support/story.ts';

const settle = 10 * second;
const slow: Ladder = { ...ladder, rungs: [{ notify: ['pd'], waitMs: hour }], ackTimeoutMs: 4 * hour };
const begun = (change: Partial<Policy> = {}): Story => tell(policyOf({ ladders: { default: slow }, ...change }));

function acks(story: Story, by = 'anna', over = false): void {
  story.say({ type: 'Acked', incident: incidentOf(story), by, via: 'api', ...(over ? { over: true } : {}) });
  story.notified(accepted);
}

function silences(story: Story, spanMs: Millis): void {
  const matchers = [{ name: 'alertname', op: '=' as const, value: 'ServiceDown' }];
  const [startsAt, endsAt] = [story.now(), story.now() + spanMs];
  story.say({ type: 'SilenceSet', silence: { id: 's1', matchers, startsAt, endsAt, untilResolved: false, by: 'anna', comment: '' } });
}

const state = (story: Story): string | undefined => story.desk().tables.incidents.rows.get(incidentOf(story))?.state;
const rings = (story: Story): number => story.all('PageRang').length;

// ---------------------------------------------------------------- taken before anybody was called

for (const [when, takes] of [
  ['while it is watched', (story: Story) => story.forward(settle / 2)],
  ['while a playbook works on it', (story: Story) => story.forward(minute)],
] as const) {
  test(`K4: taken ${when}, it calls people once the span of an acknowledgement is over, and says who had it`, () => {
    const story = begun({ playbooks: when.includes('playbook') ? [playbookOf()] : [] });
    story.see(eventOf());
    takes(story);
    assert.equal(paged(story), 0);
    acks(story);
    story.forward(slow.ackTimeoutMs - second);
    assert.deepEqual([paged(story), state(story)], [0, 'acknowledged']);

    story.forward(10 * minute);

    assert.deepEqual([paged(story), state(story)], [1, 'open']);
    assert.match(story.last('PageOpened').reason, /^acknowledged by anna at \d\d:\d\d UTC, still open after 4h/);
  });
}

test('K4: who takes it over has a span of their own', () => {
  const story = begun();
  story.see(eventOf());
  acks(story);
  story.forward(slow.ackTimeoutMs - hour);
  acks(story, 'ben', true);
  story.forward(2 * hour);
  assert.equal(paged(story), 0);

  story.forward(2 * hour);
  assert.match(story.last('PageOpened').reason, /^acknowledged by ben at /);
});

test('K4: nobody is called when it is over by then, is a warning by then, or acknowledgements last for good', () => {
  const [over, mild, forGood] = [begun(), begun(), begun({ ladders: { default: { ...slow, ackTimeoutMs: 0 } } })];
  for (const story of [over, mild, forGood]) {
    story.see(eventOf());
    acks(story);
  }
  over.forward(second);
  clears(over);
  mild.see(eventOf({ severity: 'warning', observedAt: mild.now() + 1 }));
  for (const story of [over, mild, forGood]) {
    story.forward(24 * hour);
    assert.equal(paged(story), 0);
    assert.equal(story.all('IncidentUnacknowledged').length, 0);
  }
});

const acksAtSource = (story: Story, change: Partial<AlertEvent> = {}): void =>
  void story.see(eventOf({ claim: 'acknowledged', observedAt: story.now() + 1, ...change }));

test('K6: a source’s word lasts as long as a person’s, whether it came before a page or after one', () => {
  const [before, after] = [begun(), begun()];
  before.see(eventOf());
  acksAtSource(before);
  after.see(eventOf());
  after.forward(settle);
  after.notified(accepted);
  acksAtSource(after);
  for (const [story, rung] of [
    [before, 0],
    [after, 1],
  ] as const) {
    story.notified(accepted);
    story.forward(slow.ackTimeoutMs - minute);
    assert.deepEqual([rings(story), state(story)], [rung, 'acknowledged']);
    story.forward(2 * minute);
    assert.equal(rings(story), rung + 1);
    assert.match(
      story.last('PageRang').reason ?? story.last('PageOpened').reason,
      /^acknowledged by prometheus at \d\d:\d\d UTC, still open after 4h/,
    );
  }
});

test('K6: a source that takes its word back calls people at once', () => {
  const story = begun();
  story.see(eventOf());
  acksAtSource(story);
  story.forward(hour);
  story.see(eventOf({ claim: 'unacknowledged', observedAt: story.now() }));
  story.forward(minute);
  assert.equal(paged(story), 1);
});

test('K6: what a source said before people were called all the same stops no ring, when it repeats it or when another alert clears', () => {
  const story = begun();
  const other = eventOf({ severity: 'warning', name: 'ServiceSlow', startedAt: story.now() });
  story.see(eventOf());
  story.see(other);
  acksAtSource(story);
  story.forward(slow.ackTimeoutMs + minute);
  assert.deepEqual([paged(story), state(story)], [1, 'open']);
  acksAtSource(story);
  story.see({ ...other, claim: 'cleared', observedAt: story.now() });
  story.forward(minute);
  assert.equal(state(story), 'open');
  assert.equal(story.all('PageAcked').length, 0);

  story.see(eventOf({ claim: 'unacknowledged', observedAt: story.now() }));
  acksAtSource(story);
  assert.equal(state(story), 'acknowledged', 'what it says anew takes it');
});

test('K6: what a source says anew while people are called again takes the page', () => {
  const story = begun();
  const other = eventOf({ severity: 'warning', name: 'ServiceSlow', startedAt: story.now() });
  story.see(eventOf());
  story.see(other);
  story.forward(settle);
  story.notified(accepted);
  acksAtSource(story);
  story.notified(accepted);
  story.forward(slow.ackTimeoutMs + minute);
  assert.equal(rings(story), 2);
  acksAtSource(story);
  assert.equal(story.all('PageAcked').length, 1, 'a repeat is nothing new');
  story.see({ ...other, claim: 'acknowledged', observedAt: story.now() });
  assert.equal(story.all('PageAcked').length, 2);
});

test('K6: who gives back what a source has is not overruled by the source repeating itself', () => {
  const story = begun();
  story.see(eventOf());
  acksAtSource(story);
  story.say({ type: 'Unacked', incident: incidentOf(story), by: 'anna', via: 'api', note: '' });
  story.forward(minute);
  assert.equal(paged(story), 1);
  acksAtSource(story);
  assert.equal(state(story), 'open');
});

test('K4: the ladder in force counts: a span that became longer meanwhile is waited for', () => {
  const story = begun();
  story.see(eventOf());
  acks(story);
  story.forward(hour);
  story.policy(policyOf({ ladders: { default: { ...slow, ackTimeoutMs: 2 * slow.ackTimeoutMs } } }));
  story.forward(2 * slow.ackTimeoutMs - hour - second);
  assert.equal(paged(story), 0);

  story.forward(second);
  assert.equal(paged(story), 1);
});

test('K5: muted when the span is over, it calls people when the silence ends', () => {
  const story = begun();
  story.see(eventOf());
  acks(story);
  story.forward(slow.ackTimeoutMs - minute);
  silences(story, hour);
  story.forward(hour - second);
  assert.deepEqual([paged(story), state(story)], [0, 'acknowledged']);

  story.forward(second);
  assert.equal(paged(story), 1);
});

test('K5: what was taken with a storm and has no page calls people once the storm is over and its own span, too', () => {
  const story = begun({ storm: { alerts: 20, withinMs: minute } });
  for (let n = 0; n < 30; n += 1)
    story.see(eventOf({ name: 'NodeDown', entity: { host: `n${n}`, service: `s${n}` }, startedAt: story.now() }));
  story.forward(settle);
  const storm = story.all('IncidentOpened').find((fact) => fact.storm)?.incident ?? '';
  const child = story.all('IncidentNested')[0]?.incident ?? '';
  story.say({ type: 'Acked', incident: storm, by: 'anna', via: 'api' });
  const isOfChild = ({ alert }: { alert: { incident: string | null } }): boolean => alert.incident === child;
  for (const row of story.desk().tables.alerts.rows.values()) {
    if (isOfChild(row)) continue;
    story.see(
      eventOf({ name: 'NodeDown', entity: row.alert.entity, startedAt: row.alert.startedAt, claim: 'cleared', observedAt: story.now() }),
    );
  }
  assert.equal(story.desk().tables.incidents.rows.get(storm)?.state, 'resolved');
  story.forward(slow.ackTimeoutMs - second);
  const pagesOf = (): number => story.all('PageOpened').filter(({ incident }) => incident === child).length;
  assert.equal(pagesOf(), 0);

  story.forward(second);
  assert.equal(pagesOf(), 1);
});

// ---------------------------------------------------------------- a silence over a ring, or over the end of an acknowledgement

test('P2: a silence over the end of an acknowledgement puts it off by a quarter of itself at most, not by another span', () => {
  const story = begun();
  story.see(eventOf());
  story.forward(settle);
  story.notified(accepted);
  acks(story);
  story.forward(slow.ackTimeoutMs - minute);
  silences(story, 20 * minute);
  story.forward(20 * minute - second);
  assert.equal(rings(story), 1);

  story.forward(6 * minute);
  assert.equal(rings(story), 2);
});

test('G1: what a silence dropped before anybody heard of it rings when the silence ends, not at its next rung', () => {
  const story = begun();
  story.see(eventOf());
  story.forward(settle);
  story.notified({ outcome: 'deferred', retryAfterMs: 0, detail: '503' });
  silences(story, 5 * minute);
  story.forward(5 * minute - second);
  assert.equal(rings(story), 1);

  story.forward(second);
  story.notified(accepted);

  assert.equal(rings(story), 2);
  assert.equal(story.last('NotifyFinished').outcome.outcome, 'accepted');
  assert.doesNotMatch(story.last('IncidentDecided').reason, /silence/);
});

test('G1: what had been heard of before the silence does not ring when it ends', () => {
  const story = begun();
  story.see(eventOf());
  story.forward(settle);
  story.notified(accepted);
  silences(story, 5 * minute);
  story.forward(10 * minute);

  assert.equal(rings(story), 1);
  assert.equal(story.last('IncidentDecided').reason, 'no playbook helps with it');
});
