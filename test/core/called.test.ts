// B17: what an incident is called and how grave it is now (src/core/incident/called.ts): lists and pages say the same.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AlertEvent } from '../../src/core/alert/event.ts';
import type { Incident } from '../../src/core/incident/row.ts';
import type { Notification } from '../../src/core/page/notification.ts';
import { hour, minute, second } from '../../src/core/time.ts';
import { patchesOf } from '../../src/readmodel/patches.ts';
import { eventOf } from '../support/event.ts';
import { policyOf } from '../support/policy.ts';
import { accepted, tell, type Story } from '../support/story.ts';

const on = (name: string, change: Partial<AlertEvent> = {}): AlertEvent => eventOf({ entity: { host: 'n4' }, name, ...change });

function incidentIn(story: Story): Incident {
  const [incident] = story.desk().tables.incidents.rows.values();
  assert.ok(incident !== undefined);
  return incident;
}

/** Severity and title as a list shows them, which knows no more than the facts. */
function shown(story: Story): readonly [string | undefined, string | undefined] {
  const sets = story.facts.flatMap((fact) => patchesOf(fact, 0)).flatMap((patch) => (patch.kind === 'incident' ? [patch.set] : []));
  return [sets.findLast(({ severity }) => severity !== undefined)?.severity, sets.findLast(({ title }) => title !== undefined)?.title];
}

function ring(story: Story): Notification {
  story.notified(accepted);
  return story.last('NotifyGranted').notification;
}

test('B17: a list says what a page says: the worst that fires, how many besides, and no severity of what has cleared', () => {
  const story = tell(policyOf({ settleMs: second }));
  story.see(on('Disk', { severity: 'error' }));
  story.forward(2 * second);
  story.see(on('Down', { startedAt: story.now() + minute }));
  const worst = ring(story);
  assert.deepEqual(shown(story), ['critical', 'Down on n4 (and 1 more)']);
  assert.deepEqual([worst.severity, worst.title], shown(story));

  story.see(on('Down', { claim: 'cleared', startedAt: story.now() + minute, observedAt: story.now() + 2 * minute }));
  assert.deepEqual(shown(story), ['error', 'Disk on n4']);
  story.forward(5 * minute);
  const left = ring(story);
  assert.deepEqual([left.severity, left.title], shown(story));
  assert.equal(incidentIn(story).severity, 'critical', 'how grave it was is kept');

  story.see(on('Disk', { claim: 'cleared', severity: 'error', observedAt: story.now() }));
  assert.deepEqual(shown(story), ['critical', 'Down on n4 (and 1 more)'], 'what is over is called by the worst that it had');
});

test('B17: what is silenced names nothing while something else fires; a repeat is no fact', () => {
  const story = tell(policyOf({ settleMs: second }));
  story.see(on('Disk', { severity: 'error' }));
  story.see(on('Down'));
  const silence = { id: 's', startsAt: 0, endsAt: story.now() + hour, untilResolved: false, by: 'anna', comment: '' };
  story.say({ type: 'SilenceSet', silence: { ...silence, matchers: [{ name: 'alertname', op: '=', value: 'Down' }] } });
  assert.deepEqual(shown(story), ['error', 'Disk on n4 (and 1 more)']);
  const before = story.all('IncidentChanged').length;
  for (let repeat = 1; repeat < 20; repeat += 1) story.see(on('Down', { observedAt: story.now() + repeat }));
  assert.equal(story.all('IncidentChanged').length, before);
  story.forward(2 * hour);
  assert.deepEqual(shown(story), ['critical', 'Down on n4 (and 1 more)']);
});

test('B17: what comes back unconfirmed names nothing until it is confirmed', () => {
  const story = tell(policyOf({ settleMs: second }));
  story.see(on('Disk', { severity: 'error' }));
  story.see(on('Down'));
  const later = (change: Partial<AlertEvent>): void => {
    story.forward(second);
    story.see(on('Down', { startedAt: story.now(), observedAt: story.now(), ...change }));
  };
  later({ claim: 'cleared' });
  later({ soft: true });
  assert.deepEqual(shown(story), ['error', 'Disk on n4']);
  later({});
  assert.deepEqual(shown(story), ['critical', 'Down on n4 (and 1 more)']);
});

test('B17: of many alerts the count moves in steps, and is exact when it rings', () => {
  const story = tell(policyOf({ settleMs: second, storm: { alerts: 1_000, withinMs: minute } }));
  for (let at = 0; at < 100; at += 1) story.see(on(`Rule${at}`));
  const joined = story.all('IncidentChanged').length;
  assert.ok(joined < 70, `${joined} changes of 100 alerts`);
  story.forward(minute);
  assert.match(ring(story).title, /^Rule\d+ on n4 \(and 99 more\)$/);
  assert.equal(shown(story)[1], story.last('NotifyGranted').notification.title);
});

test('B17: an alert that is let go after an acknowledgement rings under its own title', () => {
  const story = tell(policyOf({ settleMs: second }));
  story.see(on('Disk'));
  story.forward(minute);
  story.notified(accepted);
  const incident = incidentIn(story).id;
  story.say({ type: 'Acked', incident, by: 'anna', via: 'api' });
  story.see(on('Raid', { sourceMute: 'downtime' }));
  story.forward(minute);
  story.see(on('Raid', { claim: 'noted', observedAt: story.now(), sourceMute: null }));
  story.notified(accepted);
  const rung = story.all('NotifyGranted').findLast(({ notification }) => notification.kind !== 'acknowledged')?.notification;
  assert.deepEqual([rung?.kind, rung?.title], ['joined', 'Raid on n4 (and 1 more)']);
});
