// What claims do to alerts and incidents: dedupe, severity, pairing, grouping, storms, flapping, silences, reopening.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createExpressions } from '../../adapters/cel/expressions.ts';
import { hour, minute, second } from '../../src/core/time.ts';
import { turn } from '../../src/core/turn.ts';
import { someday } from '../support/clock.ts';
import { eventOf } from '../support/event.ts';
import { policyOf } from '../support/policy.ts';
import { accepted, tell } from '../support/story.ts';

const down = eventOf();
const up = eventOf({ claim: 'cleared', observedAt: someday + minute });

test('an alert that is repeated is counted, and decided once', () => {
  const story = tell(policyOf());

  story.see(down);
  story.see(down);
  story.see(down);

  assert.equal(story.all('IncidentOpened').length, 1);
  assert.equal(story.last('AlertMerged').count, 3);
  assert.deepEqual(
    story.all('AlertDecided').map((fact) => fact.change),
    ['opened', 'repeated', 'repeated'],
  );
});

test('every alert seen is decided exactly once, with a reason', () => {
  const story = tell(policyOf());

  for (const event of [down, down, up, up, eventOf({ claim: 'noted', note: 'looking' }), eventOf({ name: 'Other', claim: 'cleared' })])
    story.see(event);

  assert.equal(story.all('AlertDecided').length, 6);
  for (const fact of story.all('AlertDecided')) assert.notEqual(fact.reason, '');
});

test('a redelivered event changes nothing', () => {
  const story = tell(policyOf());
  story.see(down, { id: 'd1', index: 0 });
  story.see(eventOf({ name: 'Second' }), { id: 'd1', index: 1 });

  const again = [...story.see(down, { id: 'd1', index: 0 }), ...story.see(eventOf({ name: 'Second' }), { id: 'd1', index: 1 })];

  assert.deepEqual(again, []);
});

test('two sources reporting one outage make one incident, and the evidence says why', () => {
  const story = tell(policyOf());

  story.see(down);
  story.forward(30 * second);
  story.see(eventOf({ source: 'nagios', name: 'check_http', startedAt: someday + 30 * second }));

  assert.equal(story.all('IncidentOpened').length, 1);
  assert.deepEqual(story.last('AlertJoined').evidence, { kind: 'entity', shared: 'host:web1', lagSeconds: 30 });
});

test('the same host half an hour apart is another incident', () => {
  const story = tell(policyOf());

  story.see(down);
  story.forward(30 * minute);
  story.see(eventOf({ name: 'DiskFull', startedAt: someday + 30 * minute }));

  assert.equal(story.all('IncidentOpened').length, 2);
});

test('alerts that share nothing stay apart', () => {
  const story = tell(policyOf());

  story.see(eventOf({ entity: { host: 'a' } }));
  story.see(eventOf({ entity: { host: 'b' } }));

  assert.equal(story.all('IncidentOpened').length, 2);
});

test('configured labels join what no entity joins', () => {
  const story = tell(policyOf({ grouping: { ...policyOf().grouping, labels: [['cluster', 'team']] } }));
  const labels = { cluster: 'eu', team: 'pay' };

  story.see(eventOf({ entity: { host: 'a' }, labels }));
  story.see(eventOf({ entity: { host: 'b' }, labels }));

  assert.equal(story.all('IncidentOpened').length, 1);
  assert.equal(story.last('AlertJoined').evidence.shared, 'cluster=eu, team=pay');
});

test('an incident resolves when its last alert clears, and not before', () => {
  const story = tell(policyOf());
  story.see(down);
  story.see(eventOf({ name: 'Latency' }));

  story.see(up);
  assert.equal(story.all('IncidentResolved').length, 0);
  story.see(eventOf({ name: 'Latency', claim: 'cleared', observedAt: someday + minute }));

  assert.equal(story.last('IncidentResolved').by, 'source');
});

test('a clear of an earlier episode does not end the present one', () => {
  const story = tell(policyOf());
  story.see(eventOf({ episode: 'e2', startedAt: someday + minute, observedAt: someday + minute }));

  story.see(eventOf({ episode: 'e1', claim: 'cleared', observedAt: someday + 30 * second }));

  assert.equal(story.last('AlertDecided').change, 'late');
  assert.equal(story.all('IncidentResolved').length, 0);
});

test('a firing that was overtaken by its own clear does not fire again', () => {
  const story = tell(policyOf());
  story.see(eventOf({ episode: 'e1' }));
  story.see(eventOf({ episode: 'e1', claim: 'cleared', observedAt: someday + minute }));

  story.see(eventOf({ episode: 'e1', observedAt: someday + 30 * second }));

  assert.equal(story.last('AlertDecided').change, 'late');
});

test('an alert that comes back soon reopens its incident instead of opening another', () => {
  const story = tell(policyOf());
  story.see(down);
  story.see(up);
  story.forward(5 * minute);

  story.see(eventOf({ startedAt: story.now(), observedAt: story.now() }));

  assert.equal(story.all('IncidentOpened').length, 1);
  assert.equal(story.all('IncidentReopened').length, 1);
});

test('after the time for reopening everything about the incident has left the desk', () => {
  const story = tell(policyOf());
  story.see(down);
  story.see(up);

  story.forward(hour);

  const { alerts, incidents, pages, runs } = story.desk().tables;
  assert.deepEqual(
    [alerts, incidents, pages, runs].map((table) => table.rows.size),
    [0, 0, 0, 0],
  );
  assert.equal(story.desk().indexes.incidentsByKey.size, 0);
});

test('a worse severity is the same alert, and raises its incident', () => {
  const story = tell(policyOf());
  story.see(eventOf({ severity: 'warning' }));

  story.see(eventOf({ severity: 'critical' }));

  assert.equal(story.last('AlertDecided').change, 'severity');
  assert.equal(story.last('IncidentChanged').severity, 'critical');
  assert.equal(story.all('IncidentOpened').length, 1);
});

test('a warning is recorded, and pages when it becomes critical', () => {
  const story = tell(policyOf());
  story.see(eventOf({ severity: 'warning' }));
  story.forward(minute);
  assert.equal(story.all('PageOpened').length, 0);

  story.see(eventOf({ severity: 'critical' }));

  assert.equal(story.all('PageOpened').length, 1);
});

test('an unconfirmed alert is held, joins nothing and pages nobody', () => {
  const story = tell(policyOf());

  story.see(eventOf({ soft: true }));
  story.forward(hour);

  assert.equal(story.all('IncidentOpened').length, 0);
  assert.equal(story.last('AlertDecided').decision, 'hold');
});

test('an unconfirmed alert that is confirmed opens its incident then', () => {
  const story = tell(policyOf());
  story.see(eventOf({ soft: true }));

  story.see(eventOf());

  assert.equal(story.all('IncidentOpened').length, 1);
});

test('a blip that clears while unconfirmed leaves nothing behind', () => {
  const story = tell(policyOf());
  story.see(eventOf({ soft: true }));

  story.see(up);

  assert.equal(story.desk().tables.alerts.rows.size, 0);
});

test('a storm of 2,000 alerts becomes one page', () => {
  const story = tell(policyOf());

  for (let number = 0; number < 2_000; number += 1) {
    story.see(eventOf({ entity: { host: `h${number}`, service: `s${number}` }, startedAt: someday + number }));
    if (number % 100 === 99) story.forward(100);
  }
  story.forward(minute);
  story.notified(accepted);

  assert.equal(story.all('PageOpened').length, 1);
  assert.equal(story.last('AlertJoined').members, 2_000 - 100 + 1);
  const storm = story.all('IncidentOpened').find((fact) => fact.storm);
  assert.equal(story.last('PageOpened').incident, storm?.incident);
});

const stormy = policyOf({ storm: { alerts: 3, withinMs: minute } });
const expressions = createExpressions();

/** Rows of alerts that are read while the last quarter of a storm of so many clears, for each clear. */
function readsPerClear(members: number): number {
  const story = tell(stormy);
  const events = Array.from({ length: members }, (_, at) => eventOf({ entity: { host: `h${at}` }, startedAt: someday + at }));
  for (const event of events) story.see(event);
  story.forward(minute);
  const before = Math.floor(members * 0.75);
  for (const event of events.slice(0, before)) story.see({ ...event, claim: 'cleared', observedAt: story.now() });
  const desk = story.desk();
  const { rows } = desk.tables.alerts;
  let reads = 0;
  const get = rows.get.bind(rows);
  rows.get = (key) => {
    reads += 1;
    return get(key);
  };
  const rest = events.slice(before, -1);
  for (const [at, event] of rest.entries()) {
    const cleared = { ...event, claim: 'cleared' as const, observedAt: story.now() };
    const rules = { policy: stormy, frozen: null, installation: null, expressions };
    turn(
      desk,
      { type: 'AlertSeen', scope: 'default', at: story.now(), endpoint: 'test', delivery: '', index: 0, event: cleared },
      rules,
      1_000_000 + at,
    );
  }
  return reads / rest.length;
}

test('F8: a storm that clears costs no more for each member, however many it has', () => {
  const [few, many] = [readsPerClear(80), readsPerClear(800)];
  assert.ok(many < few * 2, `${few} rows read for each clear of 80 members, ${many} of 800`);
});

test('what a storm spoke for speaks for itself again when the storm is over', () => {
  const story = tell(policyOf({ storm: { alerts: 3, withinMs: minute } }));
  for (const host of ['a', 'b', 'c', 'd']) story.see(eventOf({ entity: { host, service: host } }));
  story.forward(20 * second);
  assert.equal(story.all('PageOpened').length, 1);

  for (const host of ['c', 'd']) story.see(eventOf({ entity: { host, service: host }, claim: 'cleared', observedAt: story.now() }));

  assert.equal(story.all('PageOpened').length, 3);
});

test('a flapping alert is muted until it is steady', () => {
  const story = tell(policyOf());
  for (let round = 0; round < 6; round += 1) {
    story.forward(20 * second);
    story.see(eventOf({ severity: 'error', startedAt: story.now(), observedAt: story.now() }));
    story.forward(second);
    story.see(eventOf({ severity: 'error', claim: 'cleared', observedAt: story.now(), startedAt: story.now() - second }));
  }

  story.see(eventOf({ severity: 'error', startedAt: story.now() + 1, observedAt: story.now() + 1 }));

  assert.equal(story.last('AlertFlapping').flapping, true);
  assert.equal(story.last('AlertDecided').decision, 'suppress');
  story.forward(6 * minute);
  assert.equal(story.last('AlertFlapping').flapping, false);
});

test('an alert that nobody repeats or clears is taken as ended', () => {
  const story = tell(policyOf({ staleMs: hour }));
  story.see(down);

  story.forward(2 * hour);

  assert.equal(story.last('IncidentResolved').by, 'timeout');
});

test('a source that acknowledges keeps the incident from being paged', () => {
  const story = tell(policyOf());
  story.see(down);

  story.see(eventOf({ claim: 'acknowledged' }));
  story.forward(20 * minute); // less than an acknowledgement lasts (overdue.test.ts)

  assert.equal(story.all('PageOpened').length, 0);
  assert.equal(story.last('IncidentAcknowledged').via, 'source');
});

test('truncated members are told, not lost', () => {
  const story = tell(policyOf());

  story.say({ type: 'AlertsHidden', endpoint: 'prometheus', count: 7, group: 'g' });

  assert.equal(story.last('AlertsMissing').count, 7);
});

test('rules learn what came of their alerts', () => {
  const story = tell(policyOf());
  story.see(down);
  story.see(up);
  assert.deepEqual({ acted: story.last('RuleLearned').acted, passed: story.last('RuleLearned').passed }, { acted: 0, passed: 1 });
  story.forward(hour);

  story.see(eventOf({ startedAt: story.now() }));
  story.say({ type: 'Acked', incident: story.last('IncidentOpened').incident, by: 'ann', via: 'api' });
  story.see(eventOf({ claim: 'cleared', observedAt: story.now() + 1 }));

  assert.deepEqual({ acted: story.last('RuleLearned').acted, passed: story.last('RuleLearned').passed }, { acted: 0, passed: 1 });
  assert.equal(story.last('RuleLearned').unknown, 1);
});

test('labels and annotations follow when the state moves: soft to hard, warning to critical', () => {
  const story = tell(policyOf());
  story.see(eventOf({ soft: true, severity: 'warning', labels: { state: 'WARNING', state_type: 'SOFT' } }));

  story.see(eventOf({ severity: 'warning', labels: { state: 'WARNING', state_type: 'HARD' } }));
  assert.deepEqual(story.last('AlertMerged').alert?.labels, { state: 'WARNING', state_type: 'HARD' });
  story.see(eventOf({ severity: 'critical', labels: { state: 'CRITICAL', state_type: 'HARD' } }));

  assert.deepEqual(story.last('AlertMerged').alert?.labels, { state: 'CRITICAL', state_type: 'HARD' });
});
