// Silences: what they match, when they begin and end, and that they hush people, never the state of things.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Matcher } from '../../src/core/alert/labels.ts';
import type { Silence } from '../../src/core/mute/facts.ts';
import { hour, minute, second } from '../../src/core/time.ts';
import { eventOf } from '../support/event.ts';
import { began, callOf, claim, clears, end, fires, incidentOf, paged } from '../support/play.ts';
import { playbookOf, policyOf } from '../support/policy.ts';
import { accepted, broke, done, tell, type Story } from '../support/story.ts';

const web1: Matcher = { name: 'instance', op: '=', value: 'web1' };

/** Sets a silence; `from` and `until` are spans from now. */
function hush(story: Story, change: Partial<Silence> & { readonly from?: number; readonly until?: number } = {}): void {
  const { from = 0, until = hour, ...rest } = change;
  const silence: Silence = {
    id: 's1',
    matchers: [web1],
    startsAt: story.now() + from,
    endsAt: story.now() + until,
    untilResolved: false,
    by: 'ann',
    comment: 'works',
    ...rest,
  };
  story.say({ type: 'SilenceSet', silence });
}

function fired(): Story {
  const story = tell(policyOf());
  story.see(eventOf());
  return story;
}

const rings = (story: Story): number => story.all('PageRang').length;

// ---------------------------------------------------------------- what matches

const matching: readonly { readonly says: string; readonly matchers: readonly Matcher[]; readonly mutes: boolean }[] = [
  { says: 'an equal label', matchers: [web1], mutes: true },
  { says: 'another value', matchers: [{ ...web1, value: 'web2' }], mutes: false },
  { says: 'a value that is not the one excluded', matchers: [{ ...web1, op: '!=', value: 'web2' }], mutes: true },
  { says: 'the value that is excluded', matchers: [{ ...web1, op: '!=' }], mutes: false },
  { says: 'a pattern for the whole value', matchers: [{ ...web1, op: '=~', value: 'web[0-9]' }], mutes: true },
  { says: 'a pattern for a part of the value only', matchers: [{ ...web1, op: '=~', value: 'web' }], mutes: false },
  { says: 'a pattern that is excluded', matchers: [{ ...web1, op: '!~', value: 'web.*' }], mutes: false },
  { says: 'two that both agree', matchers: [web1, { name: 'alertname', op: '=', value: 'ServiceDown' }], mutes: true },
  { says: 'two of which one disagrees', matchers: [web1, { name: 'alertname', op: '=', value: 'Other' }], mutes: false },
  { says: 'a label that is not there, as the empty text', matchers: [web1, { name: 'team', op: '=', value: '' }], mutes: true },
  { says: 'a label of every object, which is not there', matchers: [{ name: 'constructor', op: '!=', value: '' }], mutes: false },
  { says: 'no matcher: empty never means all', matchers: [], mutes: false },
  { says: 'a pattern that is none', matchers: [{ ...web1, op: '=~', value: '(' }], mutes: false },
];

for (const { says, matchers, mutes } of matching) {
  test(`a silence with ${says} ${mutes ? 'mutes' : 'does not mute'}`, () => {
    const story = tell(policyOf());
    hush(story, { matchers });

    story.see(eventOf());
    story.forward(minute);

    assert.equal(story.last('AlertDecided').decision, mutes ? 'suppress' : 'hold');
    assert.equal(paged(story), mutes ? 0 : 1);
  });
}

// ---------------------------------------------------------------- when

test('a silence ends by itself, and what it muted is paged then', () => {
  const story = tell(policyOf());
  hush(story, { until: 10 * minute });
  story.see(eventOf());
  story.forward(10 * minute - 1);
  assert.equal(paged(story), 0);

  story.forward(1);

  assert.equal(paged(story), 1);
  assert.equal(story.desk().tables.silences.rows.size, 0);
});

test('a silence that begins later mutes from then on only', () => {
  const story = tell(policyOf());
  hush(story, { from: 10 * minute });
  story.see(eventOf());
  story.forward(minute);
  assert.equal(paged(story), 1);

  story.forward(9 * minute);

  assert.equal(story.last('AlertMuted').reason?.kind, 'silence');
});

test('an alert that settles just inside a planned silence is paged when the silence ends', () => {
  const story = tell(policyOf());
  hush(story, { from: 5 * second, until: 10 * minute });
  story.see(eventOf());
  story.forward(10 * minute - 1);
  assert.equal(paged(story), 0);

  story.forward(1);

  assert.equal(paged(story), 1);
});

test('a silence that is expired by hand lifts at once', () => {
  const story = tell(policyOf());
  hush(story);
  story.see(eventOf());
  story.forward(minute);

  hush(story, { until: 0 });

  assert.equal(paged(story), 1);
});

test('a silence that is made longer does not end at its first end', () => {
  const story = tell(policyOf());
  hush(story, { until: 10 * minute });
  story.see(eventOf());
  hush(story, { until: 20 * minute });

  story.forward(20 * minute - 1);
  assert.equal(paged(story), 0);
  story.forward(1);

  assert.equal(paged(story), 1);
});

test('a silence that is replaced by one that matches something else lets go of what it muted', () => {
  const story = tell(policyOf());
  hush(story);
  story.see(eventOf());
  story.forward(minute);

  hush(story, { matchers: [{ ...web1, value: 'web2' }] });

  assert.equal(paged(story), 1);
});

test('a silence that is over when it comes is nothing', () => {
  const story = fired();

  hush(story, { until: 0 });

  assert.equal(story.all('SilenceChanged').length, 0);
});

test('of two silences the longer one is the reason, and its end the one that counts', () => {
  const story = tell(policyOf());
  hush(story, { id: 'short', until: 5 * minute });
  hush(story, { id: 'long', until: 10 * minute });
  story.see(eventOf());

  story.forward(6 * minute);
  assert.equal(paged(story), 0);
  story.forward(4 * minute);

  assert.equal(paged(story), 1);
});

// ---------------------------------------------------------------- until resolved

const untilResolved = { untilResolved: true, until: 10 * hour };

test('a silence until resolved ends when the last alert it muted clears, and not before', () => {
  const story = tell(policyOf());
  hush(story, untilResolved);
  story.see(eventOf());
  story.see(eventOf({ name: 'Latency' }));
  clears(story);
  assert.equal(story.last('SilenceChanged').state, 'active');

  story.see(eventOf({ name: 'Latency', claim: 'cleared', observedAt: story.now() + 1 }));

  assert.equal(story.last('SilenceChanged').state, 'expired');
});

test('a silence until resolved that muted nothing yet waits for its first alert', () => {
  const story = tell(policyOf());
  hush(story, untilResolved);
  story.see(eventOf({ entity: { host: 'web2' }, labels: { instance: 'web2' } }));
  story.see(eventOf({ entity: { host: 'web2' }, labels: { instance: 'web2' }, claim: 'cleared', observedAt: story.now() + 1 }));

  assert.equal(story.all('SilenceChanged').length, 1);
});

test('a silence until resolved ends, too, when what it muted is taken as ended', () => {
  const story = tell(policyOf({ staleMs: hour }));
  hush(story, untilResolved);
  story.see(eventOf());

  story.forward(hour);

  assert.equal(story.all('IncidentResolved').length, 1);
  assert.equal(story.last('SilenceChanged').state, 'expired');
});

test('a silence until resolved ends, too, when the incident was resolved by hand and its alerts have left', () => {
  const story = tell(policyOf());
  hush(story, untilResolved);
  story.see(eventOf());
  story.say({ type: 'Resolved', incident: incidentOf(story), by: 'ann', via: 'api', note: '' });
  story.forward(hour);

  assert.equal(story.desk().tables.alerts.rows.size, 0);
  assert.equal(story.desk().tables.silences.rows.get('s1')?.muting ?? 0, 0);
});

// ---------------------------------------------------------------- state goes on

test('I2: a muted alert opens, counts and resolves its incident like any other', () => {
  const story = tell(policyOf());
  hush(story);
  story.see(eventOf());
  story.see(eventOf({ name: 'Latency' }));
  assert.equal(story.last('AlertJoined').members, 2);

  clears(story);
  story.see(eventOf({ name: 'Latency', claim: 'cleared', observedAt: story.now() + 1 }));

  assert.equal(story.last('IncidentResolved').by, 'source');
  assert.equal(story.last('AlertMuted').reason, null);
});

test('an incident with one alert that is not muted is paged', () => {
  const story = tell(policyOf());
  hush(story);
  story.see(eventOf());
  story.see(eventOf({ name: 'Latency', labels: { alertname: 'Latency' } }));
  story.forward(minute);

  assert.equal(paged(story), 1);
});

test('no playbook acts on a muted alert, and one acts when the silence ends', () => {
  const story = tell(policyOf({ playbooks: [playbookOf()] }));
  hush(story, { until: 10 * minute });
  story.see(eventOf());
  assert.equal(story.all('RunStarted').length, 0);

  story.forward(10 * minute);

  assert.equal(callOf(story).call, 'steps/restart/1');
});

// ---------------------------------------------------------------- a page that rings

test('a silence on a ringing page stops further rungs, and its end lets the ladder go on', () => {
  const story = fired();
  story.forward(10 * second);
  story.notified(accepted);
  hush(story, { until: 32 * minute });
  story.forward(31 * minute);
  assert.equal(rings(story), 1);

  story.forward(4 * minute);

  assert.equal(rings(story), 2);
  assert.equal(story.last('PageRang').rung, 1);
});

test('a silence stops the climb of a page whose notifier is refused, too', () => {
  const story = fired();
  story.forward(10 * second);
  hush(story, { until: 30 * minute });

  story.notified({ outcome: 'refused', detail: 'no such number' });
  assert.equal(rings(story), 1);
  story.forward(36 * minute);

  assert.ok(rings(story) >= 2);
});

test('a silence holds back a page whose acknowledgement times out, until the silence ends', () => {
  const story = fired();
  story.forward(10 * second);
  story.notified(accepted);
  story.say({ type: 'Acked', incident: incidentOf(story), by: 'ann', via: 'api' });
  hush(story, { until: 45 * minute });
  story.forward(44 * minute);
  assert.equal(rings(story), 1);

  story.forward(30 * minute);

  assert.ok(rings(story) >= 2);
});

test('a silence holds back the page that follows a run which did not help, until the silence ends', () => {
  const verify = {
    ...playbookOf().verify,
    proofs: [{ kind: 'probe' as const, expect: 'true', uses: 'test/get', with: {}, timeoutMs: second }],
  };
  const story = began({ verify });
  story.answer(done);
  story.answer(done);
  hush(story, { until: 10 * minute });
  story.forward(10 * minute - 1);
  assert.equal(paged(story), 0);

  story.forward(5 * minute + 1);

  assert.equal(paged(story), 1);
});

test('a silence holds back the page of a run that failed, and the page comes when the silence ends', () => {
  const story = began();
  claim(story, callOf(story), 'w1');
  hush(story, { until: 10 * minute });
  story.answer(broke);
  story.forward(9 * minute);
  assert.deepEqual([end(story), paged(story)], ['failed', 0]);

  story.forward(minute);

  assert.match(story.last('PageOpened').reason, /ended failed/);
});

test('a run left in doubt calls a person when the silence ends, though its alert has cleared', () => {
  const story = began();
  claim(story, callOf(story), 'w1');
  hush(story, { until: 3 * minute });
  story.answer({ outcome: 'unknown', detail: 'no answer' });
  clears(story);
  assert.equal(rings(story), 0);

  story.forward(3 * minute + 30 * second);

  assert.equal(rings(story), 1);
});

test('silences never keep an incident open: it resolves, comes back and resolves under one', () => {
  const story = tell(policyOf());
  hush(story);
  story.see(eventOf());
  clears(story);
  story.forward(minute);
  fires(story);
  clears(story);
  story.forward(hour);

  assert.equal(story.all('IncidentResolved').length, 2);
  const { incidents, alerts, silences } = story.desk().tables;
  assert.deepEqual([incidents.rows.size, alerts.rows.size, silences.rows.size], [0, 0, 0]);
});
