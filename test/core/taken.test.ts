// Who has an incident: what an acknowledgement covers, what rings again all the same, and who hears of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AlertEvent } from '../../src/core/alert/event.ts';
import type { Ladder } from '../../src/core/page/ladder.ts';
import type { Policy } from '../../src/core/playbook/policy.ts';
import { hour, minute, second } from '../../src/core/time.ts';
import { eventOf } from '../support/event.ts';
import { incidentOf, paged } from '../support/play.ts';
import { ladder, playbookOf, policyOf } from '../support/policy.ts';
import { accepted, broke, tell, type Story } from '../support/story.ts';

const settle = 10 * second;
const calm: Ladder = { ...ladder, rungs: [{ notify: ['pd', 'slack'], waitMs: hour }], ackTimeoutMs: 0 };

function begun(change: Partial<Policy> = {}): Story {
  return tell(policyOf({ ladders: { default: calm }, ...change }));
}

/** Rings for one alert; everybody on the rung was told. */
function ringing(event: AlertEvent, change: Partial<Policy> = {}): Story {
  const story = begun(change);
  story.see(event);
  story.forward(settle);
  story.notified(accepted);
  assert.equal(paged(story), 1);
  return story;
}

function acks(story: Story, by = 'anna'): void {
  story.say({ type: 'Acked', incident: incidentOf(story), by, via: 'api' });
  story.notified(accepted);
}

const rings = (story: Story): number => story.all('PageRang').length;
const kindsTo = (story: Story, notifier: string): readonly string[] =>
  story.all('NotifyRequested').flatMap((fact) => (fact.notifier === notifier ? [fact.notification.kind] : []));
const disk = eventOf({ name: 'DiskFull', severity: 'error', entity: { host: 'k1', service: 'disk' } });
const down = eventOf({ name: 'HostDown', severity: 'critical', entity: { host: 'k1', service: 'host' } });

test('B1: what is worse and new after a person’s acknowledgement rings again, and says who had it and what came', () => {
  const story = ringing(disk);
  acks(story);
  story.forward(minute);
  assert.equal(rings(story), 1);

  story.see({ ...down, startedAt: story.now(), observedAt: story.now() });

  assert.equal(rings(story), 2);
  const rang = story.last('PageRang');
  assert.match(rang.reason ?? '', /^acknowledged by anna at \d\d:\d\d UTC; since then HostDown critical on k1$/);
  assert.equal(rang.kind, 'joined');
  assert.equal(story.desk().tables.incidents.rows.get(incidentOf(story))?.state, 'open');
  assert.equal(paged(story), 1, 'the same page rings');
});

test('B1: a member that rises above what was known rings again; back at what was known it rings nobody', () => {
  const story = ringing(disk);
  story.see(eventOf({ name: 'Latency', severity: 'warning', entity: { host: 'k1', service: 'disk' } }));
  acks(story);

  story.see(eventOf({ name: 'Latency', severity: 'info', entity: { host: 'k1', service: 'disk' }, observedAt: story.now() + 1 }));
  story.see(eventOf({ name: 'Latency', severity: 'warning', entity: { host: 'k1', service: 'disk' }, observedAt: story.now() + 2 }));
  assert.equal(rings(story), 1);
  story.see(eventOf({ name: 'Latency', severity: 'error', entity: { host: 'k1', service: 'disk' }, observedAt: story.now() + 3 }));

  assert.equal(rings(story), 2);
  assert.equal(story.last('PageRang').kind, 'risen');
});

test('B1: repeats, and further members of a rule that was known, at the severity that was known, ring nobody again', () => {
  const story = ringing(disk);
  acks(story);

  story.see({ ...disk, observedAt: story.now() + 1 });
  story.see(eventOf({ name: 'DiskFull', severity: 'error', entity: { host: 'k2', service: 'disk' }, startedAt: story.now() }));
  story.see(eventOf({ name: 'Chatty', severity: 'warning', entity: { host: 'k1', service: 'disk' }, startedAt: story.now() }));

  assert.equal(rings(story), 1);
  assert.equal(story.desk().tables.incidents.rows.get(incidentOf(story))?.state, 'acknowledged');
});

test('B1: an acknowledgement from a source covers that alert: what comes beside it pages', () => {
  const story = begun();
  story.see(eventOf({ ...disk, severity: 'warning' }));
  story.see(eventOf({ ...disk, severity: 'warning', claim: 'acknowledged', observedAt: story.now() + 1 }));
  story.forward(settle);
  assert.equal(paged(story), 0);

  story.see({ ...down, startedAt: story.now(), observedAt: story.now() });

  assert.equal(paged(story), 1);
  assert.match(story.last('PageOpened').reason, /acknowledged by prometheus at .*; since then HostDown critical on k1/);
});

test('B1: one acknowledged warning of a storm silences nobody', () => {
  const story = begun({ storm: { alerts: 20, withinMs: minute } });
  const pods = (n: number): AlertEvent =>
    eventOf({ name: 'PodDown', severity: 'critical', entity: { host: `p${n}`, service: `s${n}` }, startedAt: story.now() });
  for (let n = 0; n < 30; n += 1) story.see(pods(n));
  story.see(eventOf({ ...disk, severity: 'warning', startedAt: story.now() }));
  story.see(eventOf({ ...disk, severity: 'warning', claim: 'acknowledged', observedAt: story.now() + 1 }));
  story.forward(settle);

  assert.equal(story.all('IncidentAcknowledged').length, 0);
  assert.ok(paged(story) >= 1);
});

test('B1: a stranger that joins an acknowledged storm rings again', () => {
  const story = begun({ storm: { alerts: 20, withinMs: minute } });
  for (let n = 0; n < 30; n += 1)
    story.see(eventOf({ name: 'NodeNetworkDown', entity: { host: `n${n}`, service: `s${n}` }, startedAt: story.now() }));
  story.forward(settle);
  const storm = story.all('IncidentOpened').find((fact) => fact.storm)?.incident ?? '';
  story.say({ type: 'Acked', incident: storm, by: 'anna', via: 'api' });
  const before = rings(story);

  story.see(eventOf({ name: 'NodeNetworkDown', entity: { host: 'n99', service: 's99' }, startedAt: story.now() }));
  assert.equal(rings(story), before);
  story.see(eventOf({ name: 'PaymentsDBDown', entity: { host: 'db7', service: 'pay' }, startedAt: story.now() }));

  assert.equal(rings(story), before + 1);
  assert.match(story.last('PageRang').reason ?? '', /acknowledged by anna .* PaymentsDBDown critical on db7/);
});

test('B1: an alert that gets worse after its source’s acknowledgement rings again', () => {
  const story = ringing(eventOf({ ...disk }));
  story.see(eventOf({ ...disk, claim: 'acknowledged', observedAt: story.now() + 1 }));
  assert.equal(story.last('PageAcked').via, 'source');

  story.see(eventOf({ ...disk, severity: 'critical', observedAt: story.now() + 2 }));

  assert.equal(rings(story), 2);
  assert.equal(story.last('PageRang').kind, 'risen');
});

test('B1: sources take an incident when every alert that pages is acknowledged there, also when the last other one clears', () => {
  const story = ringing(disk);
  story.see({ ...down, startedAt: story.now() });
  story.see(eventOf({ ...disk, claim: 'acknowledged', observedAt: story.now() + 1 }));
  assert.equal(story.all('IncidentAcknowledged').length, 0);

  story.see(eventOf({ ...down, claim: 'cleared', observedAt: story.now() + 2 }));

  assert.equal(story.last('IncidentAcknowledged').via, 'source');
});

test('B1: a muted alert is no news; when its silence ends it is', () => {
  const story = ringing(disk);
  acks(story);
  const until = story.now() + hour;
  const silence = {
    id: 's1',
    matchers: [{ name: 'alertname', op: '=' as const, value: 'HostDown' }],
    startsAt: 0,
    endsAt: until,
    comment: 'planned',
    by: 'bob',
    untilResolved: false,
  };
  story.say({ type: 'SilenceSet', silence });
  story.see({ ...down, startedAt: story.now(), observedAt: story.now() });
  assert.equal(rings(story), 1);

  story.forward(hour + minute);

  assert.equal(rings(story), 2);
});

const silence = {
  id: 's1',
  matchers: [{ name: 'alertname', op: '=' as const, value: 'HostDown' }],
  startsAt: 0,
  comment: 'planned',
  by: 'bob',
  untilResolved: false,
};

/** Something critical of another rule is muted when anna takes the incident; `letGo` ends the mute. */
function overMuted(how: 'silence' | 'source'): { readonly story: Story; letGo(): void } {
  const story = ringing(disk);
  const at = story.now();
  const held = { ...down, startedAt: at, observedAt: at };
  if (how === 'silence') story.say({ type: 'SilenceSet', silence: { ...silence, endsAt: at + hour } });
  story.see(how === 'silence' ? held : { ...held, sourceMute: 'downtime' });
  story.forward(minute);
  acks(story);
  story.see({ ...disk, observedAt: story.now() });
  assert.equal(rings(story), 1);
  const letGo = (): void => {
    if (how === 'silence') story.forward(hour);
    else story.see({ ...held, claim: 'noted', observedAt: story.now(), sourceMute: null });
  };
  return { story, letGo };
}

for (const how of ['silence', 'source'] as const) {
  test(`K8: what a ${how} muted when a person took the incident rings when it is let go`, () => {
    const { story, letGo } = overMuted(how);

    letGo();

    assert.equal(rings(story), 2);
    assert.match(story.last('PageRang').reason ?? '', /^acknowledged by anna at \d\d:\d\d UTC; since then HostDown critical on k1/);
    assert.equal(story.desk().tables.incidents.rows.get(incidentOf(story))?.state, 'open');
    acks(story, 'ben');
    story.forward(hour);
    assert.equal(rings(story), 2, 'whoever takes it now was told of it');
  });
}

test('K8: a warning that was muted when a person took the incident rings nobody when it is let go', () => {
  const story = ringing(disk);
  story.say({ type: 'SilenceSet', silence: { ...silence, endsAt: story.now() + hour } });
  story.see({ ...down, severity: 'warning', startedAt: story.now(), observedAt: story.now() });
  acks(story);

  story.forward(hour + minute);

  assert.equal(rings(story), 1);
});

test('K8: members of a storm that were silenced when a person took it ring when the silence ends', () => {
  const story = begun({ storm: { alerts: 20, withinMs: minute } });
  story.say({ type: 'SilenceSet', silence: { ...silence, endsAt: story.now() + hour } });
  for (let n = 0; n < 30; n += 1)
    story.see(eventOf({ name: 'NodeNetworkDown', entity: { host: `n${n}`, service: `s${n}` }, startedAt: story.now() }));
  story.see(eventOf({ ...down, entity: { host: 'db7', service: 'pay' }, startedAt: story.now() }));
  story.forward(settle);
  const storm = story.all('IncidentOpened').find((fact) => fact.storm)?.incident ?? '';
  story.say({ type: 'Acked', incident: storm, by: 'anna', via: 'api' });
  const before = rings(story);

  story.forward(hour + minute);

  assert.equal(rings(story), before + 1);
  assert.match(story.last('PageRang').reason ?? '', /since then HostDown critical on db7/);
});

test('K8: what was muted when a source took the incident rings when it is let go', () => {
  const story = ringing(disk);
  story.see({ ...down, startedAt: story.now(), observedAt: story.now(), sourceMute: 'downtime' });
  story.see(eventOf({ ...disk, claim: 'acknowledged', observedAt: story.now() + 1 }));
  assert.equal(story.last('IncidentAcknowledged').via, 'source');

  story.see({ ...down, claim: 'noted', observedAt: story.now() + 2, sourceMute: null });

  assert.equal(rings(story), 2);
});

test('B1: a playbook that fits what came may try before the acknowledged page rings again', () => {
  const playbook = playbookOf({ triggers: [{ on: 'alert', when: 'alert.name == "HostDown"', forMs: 0 }] });
  const story = ringing(disk, { playbooks: [playbook] });
  acks(story);
  story.see(eventOf({ ...down, entity: { host: 'k1', service: 'host' }, startedAt: story.now() }));
  assert.equal(story.all('RunStarted').length, 1);
  assert.equal(rings(story), 1);

  story.answer(broke);

  assert.equal(rings(story), 2);
  assert.match(story.last('PageRang').reason ?? '', /since then HostDown critical on k1; playbook restart-service ended failed/);
});

test('A16: a source that takes its acknowledgement back makes the page ring again', () => {
  const story = ringing(disk);
  story.see(eventOf({ ...disk, claim: 'acknowledged', observedAt: story.now() + 1 }));
  assert.equal(rings(story), 1);

  story.see(eventOf({ ...disk, claim: 'unacknowledged', observedAt: story.now() + 2 }));

  assert.equal(rings(story), 2);
});

test('B1: a person who gives it back makes it ring again at once, for everybody who was told', () => {
  const rungs = [
    { notify: ['pd', 'slack'], waitMs: minute },
    { notify: ['boss'], waitMs: hour },
  ];
  const story = ringing(disk, { ladders: { default: { ...calm, rungs } } });
  story.forward(minute);
  story.notified(accepted);
  acks(story);

  story.say({ type: 'Unacked', incident: incidentOf(story), by: 'anna', via: 'api', note: 'on a plane' });

  assert.equal(rings(story), 3);
  assert.match(story.last('PageRang').reason ?? '', /acknowledged by anna at .*, given back by anna at .*: on a plane/);
  assert.equal(kindsTo(story, 'pd').at(-1), 'unacknowledged');
  assert.equal(kindsTo(story, 'boss').at(-1), 'unacknowledged');
});

test('B2: a page that rings for less than what burns now rings anew, once', () => {
  const story = ringing(disk);
  story.see({ ...down, startedAt: story.now(), observedAt: story.now() });
  story.see({ ...down, observedAt: story.now() + 1 });

  assert.equal(rings(story), 2);
  assert.equal(story.last('PageRang').kind, 'risen');
  assert.match(story.last('PageRang').reason ?? '', /it rang for error; now HostDown critical on k1/);
});

test('B4: everybody who was told hears who has it, and who takes it over', () => {
  const story = ringing(disk);
  acks(story);
  assert.deepEqual(kindsTo(story, 'pd'), ['page', 'acknowledged']);
  assert.deepEqual(kindsTo(story, 'slack'), ['page', 'acknowledged']);

  acks(story, 'ben');
  assert.equal(story.all('IncidentAcknowledged').length, 1, 'a second person changes nothing');
  story.say({ type: 'Acked', incident: incidentOf(story), by: 'ben', via: 'api', over: true });

  assert.equal(story.last('IncidentAcknowledged').from, 'anna');
  assert.deepEqual(kindsTo(story, 'slack'), ['page', 'acknowledged', 'acknowledged']);
});

test('B4: who turns out to have been told only after the acknowledgement hears of it, too', () => {
  const story = begun();
  story.see(disk);
  story.forward(settle);
  for (const { page, attempt, notification } of story.all('NotifyRequested'))
    story.say({ type: 'NotifyClaimed', page, notification: notification.id, attempt, worker: 'w1' });
  story.say({ type: 'Acked', incident: incidentOf(story), by: 'anna', via: 'api' });
  assert.deepEqual(kindsTo(story, 'pd'), ['page']);

  story.notified(accepted);

  assert.deepEqual(kindsTo(story, 'pd'), ['page', 'acknowledged']);
});

test('B4: a source’s acknowledgement is told as well', () => {
  const story = ringing(disk);
  story.see(eventOf({ ...disk, claim: 'acknowledged', observedAt: story.now() + 1 }));

  assert.deepEqual(kindsTo(story, 'pd'), ['page', 'acknowledged']);
});

test('B4: who takes over has the whole time of an acknowledgement, whatever was left of the one before', () => {
  const story = ringing(disk, { ladders: { default: { ...calm, ackTimeoutMs: 10 * minute } } });
  acks(story);
  story.forward(9 * minute);
  story.say({ type: 'Acked', incident: incidentOf(story), by: 'ben', via: 'api', over: true });
  story.forward(9 * minute);
  assert.equal(rings(story), 1);

  story.forward(minute);

  assert.equal(rings(story), 2);
  assert.match(story.last('PageRang').reason ?? '', /acknowledged by ben at \d\d:\d\d UTC, still open after 10m/);
});

/** `page#0 acknowledged#0 …`: what went to a notifier, with its era and the eras that it ends. */
function erasTo(story: Story, notifier: string): readonly string[] {
  return story.all('NotifyGranted').flatMap((fact) => {
    const { kind, era = 0, formerEras = [] } = fact.notification;
    return fact.notifier === notifier ? [`${kind}#${era}${formerEras.length === 0 ? '' : ` ends ${formerEras.join()}`}`] : [];
  });
}

test('B4: what rings after an acknowledgement is of a new era, and the end ends every era that was told', () => {
  const story = ringing(disk);
  acks(story);
  story.say({ type: 'Unacked', incident: incidentOf(story), by: 'anna', via: 'api', note: '' });
  story.notified(accepted);
  acks(story, 'ben');
  story.say({ type: 'Resolved', incident: incidentOf(story), by: 'ben', via: 'api', note: '' });
  story.notified(accepted);

  assert.deepEqual(erasTo(story, 'pd'), ['page#0', 'acknowledged#0', 'unacknowledged#1 ends 0', 'acknowledged#1', 'resolve#1 ends 0']);
});

test('B4: a ring ends every era before its own: the ring that was to end the one before may have been lost', () => {
  const story = ringing(disk);
  const unacks = (): void => void story.say({ type: 'Unacked', incident: incidentOf(story), by: 'anna', via: 'api', note: '' });
  acks(story);
  unacks();
  story.notified({ outcome: 'unknown', detail: 'no answer' }); // PagerDuty never had it: era 0 is open there still
  acks(story);
  unacks();
  story.forward(2 * minute);
  story.notified(accepted);

  assert.deepEqual(erasTo(story, 'pd').at(-1), 'unacknowledged#2 ends 0,1');
});

test('B4: a ring that was granted before the acknowledgement does not count for what rings after it: it is said anew', () => {
  const story = begun();
  story.see(disk);
  story.forward(settle);
  const page = story.last('PageOpened').page;
  const notification = `${page}|1|pd`;
  story.say({ type: 'NotifyClaimed', page, notification, attempt: 1, worker: 'w1' });
  story.say({ type: 'Acked', incident: incidentOf(story), by: 'anna', via: 'api' });
  story.say({ type: 'Unacked', incident: incidentOf(story), by: 'anna', via: 'api', note: '' });
  story.say({ type: 'NotifyAnswered', page, notification, attempt: 1, outcome: accepted });

  story.forward(2 * second);
  story.say({ type: 'NotifyClaimed', page, notification, attempt: 2, worker: 'w1' });

  assert.equal(story.last('NotifyGranted').notification.era, 1);
  assert.deepEqual(story.last('NotifyGranted').notification.formerEras, [0]);
});

test('P9: what another worker sent in the words of before does not count for those that were granted since: it is said anew', () => {
  const story = begun();
  story.see(disk);
  story.forward(settle);
  const page = story.last('PageOpened').page;
  const one = { page, notification: `${page}|1|pd`, attempt: 1 };
  const attempts = (): readonly (number | boolean)[] =>
    story.all('NotifyFinished').flatMap(({ attempt, notification, retry }) => (notification === one.notification ? [attempt, retry] : []));
  story.say({ type: 'NotifyClaimed', ...one, worker: 'w1' });
  story.say({ type: 'Acked', incident: incidentOf(story), by: 'anna', via: 'api' });
  story.say({ type: 'Unacked', incident: incidentOf(story), by: 'anna', via: 'api', note: '' });
  story.say({ type: 'NotifyClaimed', ...one, worker: 'w2' });
  assert.deepEqual(erasTo(story, 'pd'), ['page#0', 'page#1']);

  story.say({ type: 'NotifyAnswered', ...one, era: 0, outcome: accepted }); // by w1, and w2 may never send
  assert.deepEqual(attempts(), [1, true]);
  story.say({ type: 'NotifyAnswered', ...one, era: 1, outcome: accepted }); // w2 did

  assert.deepEqual(attempts(), [1, true, 1, false]);
});

test('B4: a notifier that hears of no ring of the newest era hears of the end under the era that it was told in', () => {
  const rungs = [
    { notify: ['pd'], waitMs: minute },
    { notify: ['boss'], waitMs: hour },
  ];
  const story = ringing(disk, { ladders: { default: { ...calm, rungs } } });
  acks(story);
  story.say({ type: 'Unacked', incident: incidentOf(story), by: 'anna', via: 'api', note: '' });
  story.say({ type: 'Resolved', incident: incidentOf(story), by: 'ben', via: 'api', note: '' });
  story.notified(accepted);

  assert.deepEqual(erasTo(story, 'pd'), ['page#0', 'acknowledged#0', 'resolve#0']);
});

test('B2: a rise while it rings is of a new era, so that a vendor that rings once for a key calls anew', () => {
  const story = ringing(disk);
  story.see({ ...down, startedAt: story.now(), observedAt: story.now() });
  story.notified(accepted);

  assert.deepEqual(erasTo(story, 'pd'), ['page#0', 'risen#1 ends 0']);
});

test('B4: the word to everybody who was told names the person, since when, and by which way', () => {
  const story = ringing(disk);
  acks(story, 'ben');

  const granted = story.last('NotifyGranted').notification;
  assert.equal(granted.kind, 'acknowledged');
  assert.match(granted.text, /^ben has it since \d\d:\d\d UTC \(api\)$/);
});

test('B17: the title is the worst firing member at the moment of sending, with since when and what it began with', () => {
  const story = begun();
  const began = story.now();
  story.see(eventOf({ ...disk, summary: 'disk 81 %' }));
  story.forward(second);
  story.see(eventOf({ ...down, summary: 'RabbitMQ is down', startedAt: began + second, observedAt: began + second }));
  story.forward(settle);
  story.notified(accepted);

  const { title, text, severity, startedAt, source } = story.last('NotifyGranted').notification;
  assert.equal(title, 'k1: RabbitMQ is down (and 1 more)');
  assert.equal(severity, 'critical');
  assert.equal(source, 'k1');
  assert.equal(startedAt, began + second);
  assert.match(text, /^since \d\d:\d\d UTC \(.*\); began with disk 81 % at \d\d:\d\d UTC$/m);
});
