// Silences: what they match, when they begin and end, and that they hush people, never the state of things.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boundEvent } from '../../adapters/kit/event.ts';
import type { Matcher } from '../../src/core/alert/labels.ts';
import type { Silence } from '../../src/core/mute/facts.ts';
import { indexSilence, newSilenceIndex, silencesFor, unindexSilence } from '../../src/core/mute/silences.ts';
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
  const story = tell(policyOf({ staleMs: 30 * minute }));
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

// ---------------------------------------------------------------- what it costs, and how far it reaches

test('F2: a pattern that takes too much work for a value mutes nothing, whether it asks or excludes', () => {
  const value = 'ab'.repeat(500);
  for (const op of ['=~', '!~'] as const) {
    const story = tell(policyOf());
    hush(story, { matchers: [{ name: 'v', op, value: op === '=~' ? '.*a.{300}(?:n)?.*' : 'x.{300}' }] });
    story.see(eventOf({ labels: { ...eventOf().labels, v: value } }));
    assert.equal(story.last('AlertDecided').decision, 'hold', op);
  }
});

test('F2: a scope takes a thousand silences; one more ends in the turn that would begin it', () => {
  const story = tell(policyOf());
  for (let at = 0; at < 1_000; at += 1) hush(story, { id: `n${at}`, matchers: [{ ...web1, value: `none${at}` }] });
  hush(story, { id: 'more' });

  const { silence, state } = story.last('SilenceChanged');
  assert.deepEqual([silence.id, state], ['more', 'expired']);
  story.see(eventOf());
  assert.equal(story.last('AlertDecided').decision, 'hold');
});

test('F3: an alert is asked of the silences that name a value of it and of those that name none, longest first', () => {
  const index = newSilenceIndex();
  const silence = (id: string, endsAt: number, matchers: readonly Matcher[]): Silence => {
    return { id, matchers, startsAt: 0, endsAt, untilResolved: false, by: 'ann', comment: '' };
  };
  for (let at = 0; at < 1_000; at += 1) indexSilence(index, silence(`n${at}`, 9, [{ ...web1, value: `none${at}` }]));
  indexSilence(index, silence('a', 5, [web1]));
  indexSilence(index, silence('b', 7, [{ ...web1, op: '=~', value: 'web.*' }]));
  const ids = (): readonly string[] => [...silencesFor(index, { labels: { instance: 'web1' } })].map(({ id }) => id);
  assert.deepEqual(ids(), ['b', 'a']);

  unindexSilence(index, silence('b', 7, [{ ...web1, op: '=~', value: 'web.*' }]));
  assert.deepEqual(ids(), ['a']);
});

test('A13: a silence mutes all that it matches, however many there are, some in each turn', () => {
  const story = tell(policyOf());
  const labels = eventOf().labels;
  for (let at = 0; at < 1_300; at += 1) {
    story.see(eventOf({ fingerprint: at.toString(16).padStart(16, '0'), labels: { ...labels, at: String(at), team: 'db' } }));
  }
  const muted = (): number => [...story.desk().tables.alerts.rows.values()].filter((row) => row.muted !== null).length;
  hush(story, { matchers: [{ name: 'team', op: '=', value: 'db' }] });
  assert.equal(muted(), 100);
  story.forward(1);
  assert.equal(muted(), 1_300);

  story.forward(hour);
  assert.equal(muted(), 0);
});

const entity: readonly { readonly matcher: Matcher; readonly mutes: boolean }[] = [
  { matcher: { name: 'host', op: '=', value: 'web9' }, mutes: true },
  { matcher: { name: 'host', op: '=~', value: 'web[0-9]' }, mutes: true },
  { matcher: { name: 'host', op: '!=', value: 'web9' }, mutes: false },
  { matcher: { name: 'instance', op: '=', value: 'web9:9100' }, mutes: true },
  { matcher: { name: 'cluster', op: '=', value: 'eu1' }, mutes: true },
  { matcher: { name: 'alertname', op: '=', value: 'Disk full' }, mutes: true },
  { matcher: { name: 'severity', op: '=', value: 'critical' }, mutes: true },
  { matcher: { name: 'pod', op: '=', value: 'web9' }, mutes: false },
];

for (const { matcher, mutes } of entity) {
  test(`A13: ${matcher.name}${matcher.op}${matcher.value} ${mutes ? 'mutes' : 'does not mute'} an alert of instance web9:9100`, () => {
    const story = tell(policyOf());
    hush(story, { matchers: [matcher] });
    const labels = { instance: 'web9:9100' };
    story.see(eventOf({ name: 'Disk full', severity: 'critical', labels, entity: { host: 'web9', cluster: 'eu1' } }));
    assert.equal(story.last('AlertDecided').decision, mutes ? 'suppress' : 'hold');
  });
}

test('A13: a value that was cut when it was received is matched by the whole one', () => {
  const whole = 'x'.repeat(1_100);
  const story = tell(policyOf());
  hush(story, { matchers: [{ name: 'path', op: '=', value: whole }] });
  story.see(boundEvent(eventOf({ labels: { path: whole } })));
  assert.equal(story.last('AlertDecided').decision, 'suppress');
});

test('A13: the 65th label of an alert is kept, and matched', () => {
  const labels = Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`l${at + 1}`, `v${at + 1}`]));
  const story = tell(policyOf());
  hush(story, { matchers: [{ name: 'l65', op: '=', value: 'v65' }] });
  story.see(boundEvent(eventOf({ labels })));
  assert.equal(story.last('AlertDecided').decision, 'suppress');
});
