// When a person is called at all: after settling, after a run, once in a life; and what a storm hushes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hour, minute, second } from '../../src/core/time.ts';
import { eventOf } from '../support/event.ts';
import { began, clears, ends, fires, paged, probe, proving, well } from '../support/play.ts';
import { playbookOf, policyOf } from '../support/policy.ts';
import { accepted, broke, silent, tell, type Story } from '../support/story.ts';

const settle = 10 * second;

const grave = eventOf({ name: 'HostDown' });

function silenceGrave(story: Story): void {
  const matchers = [{ name: 'alertname', op: '=' as const, value: grave.name }];
  const [startsAt, endsAt] = [story.now(), story.now() + 24 * hour];
  story.say({ type: 'SilenceSet', silence: { id: 's1', matchers, startsAt, endsAt, untilResolved: false, by: 'anna', comment: '' } });
}

const rings = (story: Story): readonly number[] => story.all('PageRang').map((fact) => fact.rung);

// ---------------------------------------------------------------- when a page comes at all

test('an incident is watched for its settling time before it is paged', () => {
  const story = tell(policyOf());
  story.see(eventOf());
  story.forward(settle - 1);
  assert.deepEqual([paged(story), story.last('IncidentDecided').decision], [0, 'hold']);

  story.forward(1);

  assert.equal(paged(story), 1);
});

test('a blip that is over before it has settled pages nobody', () => {
  const story = tell(policyOf());
  story.see(eventOf());
  story.forward(settle - 1);
  clears(story);
  story.forward(hour);

  assert.equal(paged(story), 0);
});

test('B1: what was critical while it was watched and is a warning when it has settled calls nobody; worse again, it does', () => {
  const story = tell(policyOf());
  story.see(eventOf());
  story.forward(settle / 2);
  story.see(eventOf({ severity: 'warning', observedAt: story.now() }));
  story.forward(hour);
  assert.deepEqual([paged(story), story.last('IncidentDecided').decision], [0, 'record']);

  story.see(eventOf({ severity: 'critical', observedAt: story.now() }));
  story.forward(settle);
  assert.equal(paged(story), 1);
});

for (const [how, quieten] of [
  ['has cleared', (story: Story) => void story.see(eventOf({ ...grave, claim: 'cleared', observedAt: story.now() }))],
  ['is silenced', silenceGrave],
] as const) {
  test(`B1: nobody is called for the warning that is left when the critical alert beside it ${how}`, () => {
    const story = tell(policyOf());
    story.see(eventOf({ name: 'Latency', severity: 'warning' }));
    story.see(grave);
    story.forward(settle / 2);
    quieten(story);
    story.forward(hour);

    assert.equal(paged(story), 0);
  });
}

test('B17: a page says how bad it is when it leaves, and what was known already rings nobody anew', () => {
  const story = tell(policyOf());
  story.see(eventOf());
  story.forward(settle);
  story.notified(accepted);
  assert.equal(story.last('NotifyGranted').notification.severity, 'critical');

  story.see(eventOf({ severity: 'warning', observedAt: story.now() }));
  story.forward(5 * minute);
  story.notified(accepted);
  assert.equal(story.last('NotifyGranted').notification.severity, 'warning');

  const before = rings(story).length;
  story.see(eventOf({ severity: 'critical', observedAt: story.now() }));
  assert.equal(rings(story).length, before);
});

test('a wake of an earlier life does not settle the next one early', () => {
  const story = tell(policyOf());
  story.see(eventOf());
  story.forward(5 * second);
  clears(story);
  fires(story);

  story.forward(6 * second);
  assert.equal(paged(story), 0);
  story.forward(4 * second);

  assert.equal(paged(story), 1);
});

test('a run that failed before the incident settled is paged when it has settled, with what became of the run', () => {
  const story = tell(policyOf({ playbooks: [playbookOf()] }));
  story.see(eventOf());
  story.answer(broke);
  assert.deepEqual([paged(story), story.last('IncidentDecided').decision], [0, 'hold']);

  story.forward(settle);

  assert.match(story.last('PageOpened').reason, /restart-service ended failed: step restart: exit code 1/);
});

test('a page that came while a run worked is not opened twice when the run fails', () => {
  const story = tell(policyOf({ playbooks: [playbookOf({ verify: { ...playbookOf().verify, withinMs: 5 * minute } })] }));
  story.see(eventOf());
  story.forward(3 * second);
  story.answer({ outcome: 'ok', output: {} });
  story.forward(10 * minute);

  assert.deepEqual([paged(story), story.last('RunFinished').end], [1, 'failed']);
});

test('B1: a page that came while a run worked is not opened twice when the run helped and the alerts stay', () => {
  const story = proving({ proofs: [probe] });
  story.forward(3 * minute);
  assert.match(story.last('PageOpened').reason, /has been at work for 2m/);
  story.answer(well);

  story.forward(10 * minute);

  assert.deepEqual([ends(story), paged(story)], [['succeeded'], 1]);
});

test('B1: a playbook that asks for approval when the page is out already opens no second one', () => {
  const later = [{ on: 'alert' as const, when: 'true', forMs: 4 * minute }];
  const story = began({ mode: 'approve', triggers: later });
  story.forward(10 * minute);

  assert.deepEqual([story.all('ApprovalRequested').length, paged(story)], [1, 1]);
});

test('an unknown outcome pages, however mild the alert', () => {
  const story = tell(policyOf({ playbooks: [playbookOf()] }));
  story.see(eventOf({ severity: 'warning' }));
  story.answer(silent);
  story.forward(settle);

  assert.equal(paged(story), 1);
});

// ---------------------------------------------------------------- storms

const apart = (host: string, change = {}) => eventOf({ entity: { host, service: host }, ...change });

test('a child of a storm is silent, and a page it has already is not doubled', () => {
  const story = tell(policyOf({ storm: { alerts: 4, withinMs: minute } }));
  story.see(apart('early'));
  story.forward(20 * second);
  for (const host of ['a', 'b', 'c', 'd']) story.see(apart(host));

  story.forward(hour);

  assert.equal(paged(story), 2);
  assert.deepEqual(story.all('IncidentNested').length, 3, 'also the one that rang in its window (B20)');
});

test('trouble that begins long after a storm rose is no part of it, though the storm lasts', () => {
  const story = tell(policyOf({ storm: { alerts: 4, withinMs: minute } }));
  for (const host of ['a', 'b', 'c', 'd', 'e']) story.see(apart(host));
  story.forward(3 * hour);
  const before = paged(story);

  story.see(apart('new', { startedAt: story.now() }));
  story.forward(minute);

  assert.equal(paged(story), before + 1);
});

test('I3: a storm whose listed members have cleared still rings for those beyond the list', () => {
  const story = tell(policyOf({ storm: { alerts: 3, withinMs: minute }, grouping: { ...policyOf().grouping, membersMax: 2 } }));
  for (const host of ['a', 'b', 'c', 'd', 'e', 'f']) story.see(apart(host));
  for (const host of ['c', 'd']) story.see(apart(host, { claim: 'cleared', observedAt: story.now() }));

  story.forward(settle);
  assert.equal(story.all('PageOpened').filter((fact) => fact.title.includes('storm')).length, 1);
  story.forward(5 * minute);

  assert.deepEqual(rings(story).slice(-1), [1]);
});

test('a link from the page of an earlier life does not acknowledge the present one', () => {
  const story = tell(policyOf());
  story.see(eventOf());
  story.forward(minute);
  const old = story.last('PageOpened');
  story.see(eventOf({ claim: 'cleared', observedAt: story.now() }));
  story.forward(minute);
  story.see(eventOf({ startedAt: story.now(), observedAt: story.now() }));
  story.forward(minute);
  assert.notEqual(story.last('PageOpened').page, old.page);

  story.say({ type: 'Acked', incident: old.incident, page: old.page, by: 'ann', via: 'link' });

  assert.equal(story.all('IncidentAcknowledged').length, 0);
});
