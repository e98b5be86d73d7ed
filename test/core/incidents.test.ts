// What is in an incident and what is not: unconfirmed alerts, storms beyond the list, late events, redelivery, hand-made ends.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hour, minute, second } from '../../src/core/time.ts';
import { someday } from '../support/clock.ts';
import { eventOf } from '../support/event.ts';
import { clears, fires, incidentOf, paged } from '../support/play.ts';
import { policyOf } from '../support/policy.ts';
import { tell, type Story } from '../support/story.ts';

const soft = (story: Story, change = {}) => story.see(eventOf({ soft: true, startedAt: story.now(), observedAt: story.now(), ...change }));
const firing = (story: Story): number => story.desk().tables.incidents.rows.get(incidentOf(story))?.firing ?? -1;

test('I1: an alert that comes back unconfirmed and is confirmed then reopens its incident, and is paged', () => {
  const story = tell(policyOf());
  story.see(eventOf());
  clears(story);
  story.forward(minute);

  soft(story);
  assert.deepEqual([story.all('IncidentReopened').length, firing(story)], [0, 0]);
  fires(story);
  story.forward(minute);

  assert.deepEqual([story.all('IncidentReopened').length, firing(story), paged(story)], [1, 1, 1]);
});

test('I1: an unconfirmed alert does not keep its incident open', () => {
  const story = tell(policyOf());
  story.see(eventOf());
  story.see(eventOf({ name: 'Latency' }));
  clears(story);
  soft(story);

  story.see(eventOf({ name: 'Latency', claim: 'cleared', observedAt: story.now() + 1 }));

  assert.equal(story.all('IncidentResolved').length, 1);
});

test('I1: an unconfirmed alert that clears without being confirmed leaves the count as it was', () => {
  const story = tell(policyOf());
  story.see(eventOf());
  story.see(eventOf({ name: 'Latency' }));
  clears(story);
  soft(story);
  clears(story);

  assert.equal(firing(story), 1);
});

test('alerts that are confirmed make a storm like any others', () => {
  const story = tell(policyOf({ storm: { alerts: 4, withinMs: minute } }));
  const hosts = ['a', 'b', 'c', 'd', 'e'];
  for (const host of hosts) soft(story, { entity: { host, service: host } });
  assert.equal(story.all('IncidentOpened').length, 0);

  for (const host of hosts) story.see(eventOf({ entity: { host, service: host } }));

  assert.equal(story.all('IncidentOpened').filter((fact) => fact.storm).length, 1);
});

test('an alert that joins no storm any more opens an incident of its own', () => {
  const story = tell(policyOf({ storm: { alerts: 4, withinMs: minute } }));
  for (const host of ['a', 'b', 'c', 'd']) story.see(eventOf({ entity: { host, service: host } }));
  story.forward(5 * minute);

  story.see(eventOf({ entity: { host: 'e', service: 'e' }, startedAt: story.now() }));

  assert.equal(story.last('IncidentOpened').storm, false);
});

test('I2, I4: a person resolves while alerts fire: their repeats do not reopen it at once, and it comes back if they last', () => {
  const story = tell(policyOf());
  story.see(eventOf());
  story.say({ type: 'Resolved', incident: incidentOf(story), by: 'ann', via: 'api', note: 'known' });
  story.see(eventOf());
  assert.equal(story.all('IncidentReopened').length, 0);
  story.forward(hour);

  assert.equal(story.all('IncidentReopened').length, 1);
  assert.equal(story.all('IncidentOpened').length, 1);
});

test('resolving, cancelling and remarking what is not there does nothing', () => {
  const story = tell(policyOf());
  const before = story.facts.length;

  story.say({ type: 'Resolved', incident: 'i9.default', by: 'ann', via: 'api', note: '' });
  story.say({ type: 'CommandGiven', command: { name: 'cancel', run: '__proto__' }, by: 'ann' });
  story.say({ type: 'CommandGiven', command: { name: 'note', incident: 'constructor', text: 'x' }, by: 'ann' });
  story.say({ type: 'Approved', run: 'r9.default', by: 'ann', via: 'api' });
  story.say({ type: 'Woke', token: 'settle|i9.default|1' });

  assert.equal(story.facts.length, before);
});

test('T2: an input that is stamped earlier is taken to come now', () => {
  const story = tell(policyOf());
  story.see(eventOf());
  story.forward(minute);
  story.see(eventOf({ name: 'Latency', severity: 'info' }));
  story.see(eventOf({ name: 'Latency', severity: 'info', claim: 'cleared', observedAt: story.now() }));
  story.back(30 * second);

  clears(story);

  assert.equal(story.last('IncidentResolved').at, someday + minute);
  const times = story.facts.map((fact) => fact.at);
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  );
});

test('T3: a redelivered event is dropped by delivery and place, also after others; a new one of the delivery is not', () => {
  const story = tell(policyOf());
  const other = eventOf({ name: 'Other' });
  story.see(eventOf(), { id: 'd1', index: 0 });
  story.see(other, { id: 'd2', index: 0 });

  assert.deepEqual(story.see(eventOf(), { id: 'd1', index: 0 }), []);
  assert.ok(story.see(other, { id: 'd1', index: 1 }).length > 0);
  assert.deepEqual(story.see(other, { id: 'd1', index: 1 }), []);
});

test('T3: a wake works once', () => {
  const story = tell(policyOf());
  story.see(eventOf());
  const { token } = story.last('WakeRequested');
  story.forward(80 * hour);

  assert.deepEqual(story.say({ type: 'Woke', token }), []);
});

test('an event that comes late does not turn back when the alert was last seen by its source', () => {
  const story = tell(policyOf());
  story.forward(minute);
  story.see(eventOf({ episode: 'e2', observedAt: someday + minute }));

  story.see(eventOf({ episode: 'e1', claim: 'cleared', observedAt: someday }));

  const [held] = story.desk().tables.alerts.rows.values();
  assert.equal(held?.alert.observedAt, someday + minute);
});

test('keys of every object are names like any others', () => {
  const story = tell(policyOf());
  for (const name of ['__proto__', 'constructor', 'hasOwnProperty']) {
    story.see(eventOf({ fingerprint: name, name, entity: { host: name, service: name }, labels: { [name]: name } }), {
      id: name,
      index: 0,
    });
  }

  assert.equal(story.all('IncidentOpened').length, 3);
  assert.equal(story.all('AlertDecided').length, 3);
});
