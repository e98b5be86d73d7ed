// Alerts that their source vouches for until an instant, and what becomes of them when it tells no more.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prometheus } from '../../adapters/prometheus/source.ts';
import type { AlertEvent } from '../../src/core/alert/event.ts';
import { hour, minute, second, type Millis } from '../../src/core/time.ts';
import { turn } from '../../src/core/turn.ts';
import { someday } from '../support/clock.ts';
import { eventOf } from '../support/event.ts';
import { policyOf } from '../support/policy.ts';
import { createExpressions } from '../../adapters/cel/expressions.ts';
import { tell, type Story } from '../support/story.ts';

const leased = (story: Story, forMs: Millis, change: Partial<AlertEvent> = {}): AlertEvent =>
  eventOf({ episode: 's', startedAt: someday, observedAt: story.now(), until: story.now() + forMs, ...change });
const firing = (story: Story): number =>
  [...story.desk().tables.alerts.rows.values()].filter(({ alert }) => alert.state === 'firing').length;
const leaseWakes = (story: Story): number =>
  [...story.desk().tables.wakes.rows.values()].filter(({ wake }) => wake.kind === 'lease').length;

test('A6: endsAt ahead is a lease: in silence the alert is over then, presumed, by timeout, and teaches nothing', () => {
  const story = tell(policyOf());
  story.see(leased(story, 2 * second));
  story.forward(second);
  assert.equal(firing(story), 1);
  story.forward(2 * second);
  assert.equal(firing(story), 0);
  assert.match(story.last('AlertMerged').note ?? '', /vouched for it until .* taken as ended/);
  assert.equal(story.last('IncidentResolved').by, 'timeout');
  story.see(leased(story, 4 * minute));
  assert.deepEqual([story.last('AlertMerged').change, firing(story)], ['reopened', 1], 'the next word of the source is stronger');
});

test('A6: repeats extend the lease, with one wake however many there are and no whole row each; a word without an end takes it away', () => {
  const story = tell(policyOf());
  for (let minutes = 0; minutes < 60; minutes += 1) {
    story.see(leased(story, 4 * minute));
    assert.equal(leaseWakes(story), 1);
    if (minutes > 0) assert.equal(story.last('AlertMerged').alert, null);
    story.forward(minute);
  }
  assert.equal(firing(story), 1);
  story.see(eventOf({ episode: 's', startedAt: someday, observedAt: story.now() }));
  story.forward(5 * hour);
  assert.deepEqual([firing(story), leaseWakes(story)], [1, 0]);
});

test('A6: one that cleared and came back has the lease of its return only', () => {
  const story = tell(policyOf());
  story.see(leased(story, 10 * minute));
  story.forward(second);
  story.see(eventOf({ claim: 'cleared', episode: 's', startedAt: someday, observedAt: story.now() }));
  story.forward(second);
  story.see(leased(story, hour, { episode: 't', startedAt: story.now() }));
  story.forward(30 * minute);
  assert.deepEqual([firing(story), leaseWakes(story)], [1, 1]);
  story.forward(31 * minute);
  assert.deepEqual([firing(story), leaseWakes(story)], [0, 0]);
});

test('A6: a gateway that was away gives the source time to speak before it takes the alert as ended', () => {
  const story = tell(policyOf());
  story.see(leased(story, minute));
  const desk = story.desk();
  const [token = ''] = [...desk.tables.wakes.rows].flatMap(([key, { wake }]) => (wake.kind === 'lease' ? [key] : []));
  const rules = { policy: policyOf(), frozen: null, installation: null, expressions: createExpressions() };
  const facts = turn(desk, { type: 'Woke', scope: 'default', at: story.now() + 20 * minute, token }, rules, 1_000);
  assert.deepEqual(
    facts.map(({ type }) => type),
    ['WakeSpent', 'WakeRequested'],
  );
  const asked = facts[1];
  assert.ok(asked?.type === 'WakeRequested' && asked.afterMs === 90 * second);
  const later = turn(desk, { type: 'Woke', scope: 'default', at: story.now() + 22 * minute, token: asked.token }, rules, 1_001);
  assert.ok(later.some((fact) => fact.type === 'AlertMerged' && fact.change === 'cleared'));
});

test('A6: an unconfirmed alert whose lease is over leaves nothing behind', () => {
  const story = tell(policyOf());
  story.see(leased(story, minute, { soft: true }));
  story.forward(2 * minute);
  assert.equal(story.desk().tables.alerts.rows.size, 0);
});

test('A6: the alerts API tells the lease, and the webhook of Alertmanager none', () => {
  const parse = (alert: object, path: string): AlertEvent => {
    const body = JSON.stringify(path === '' ? { version: '4', status: 'firing', alerts: [alert] } : [alert]);
    const result = prometheus({}).parse({ headers: {}, path, receivedAt: someday, body });
    return (result.ok ? result.value.events[0] : undefined) ?? assert.fail('no event');
  };
  const labels = { alertname: 'Down' };
  const startsAt = new Date(someday - minute).toISOString();
  const endsAt = new Date(someday + 2 * second).toISOString();
  assert.equal(parse({ labels, startsAt, endsAt }, '/api/v2/alerts').until, someday + 2 * second);
  assert.equal(parse({ labels, startsAt }, '/api/v2/alerts').until, undefined);
  assert.equal(parse({ status: 'firing', labels, startsAt, endsAt: '0001-01-01T00:00:00Z' }, '').until, undefined);
  assert.equal(parse({ labels, startsAt, endsAt: startsAt }, '/api/v2/alerts').claim, 'cleared');
});

test('A6: an older word that comes late, or one of a second sender, does not shorten the lease', () => {
  const story = tell(policyOf());
  story.see(leased(story, 2 * minute));
  story.forward(minute);
  story.see(leased(story, 5 * minute));
  story.see(leased(story, minute));
  story.forward(4 * minute);
  assert.equal(firing(story), 1);
  story.forward(minute + second);
  assert.equal(firing(story), 0);
});

test('A6: an alert that left the desk leaves no wait behind for a lease of years', () => {
  const story = tell(policyOf());
  story.see(leased(story, 3 * 365 * 24 * hour));
  story.forward(minute);
  story.see(eventOf({ claim: 'cleared', episode: 's', startedAt: someday, observedAt: story.now() }));
  story.forward(hour);
  assert.equal(leaseWakes(story), 0);
});

test('B21, A6: a lease told while the clock was a day ahead ends when its span is over, not a day later', () => {
  const story = tell(policyOf());
  story.forward(24 * hour);
  story.see(leased(story, 4 * minute));
  const from = story.now();
  story.back(24 * hour);
  story.say({ type: 'ClockCorrected', from, stoodFrom: from + 1, to: story.now() });

  story.forward(3 * minute);
  assert.equal(firing(story), 1);
  story.forward(2 * minute);
  assert.equal(firing(story), 0);
});
