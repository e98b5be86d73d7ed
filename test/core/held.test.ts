// `for`: how long the condition of a trigger itself has held, without a break, before its playbook acts (decide/held.ts).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Playbook, Trigger } from '../../src/core/playbook/document.ts';
import { hour, minute, second, type Millis } from '../../src/core/time.ts';
import { eventOf } from '../support/event.ts';
import { playbookOf, policyOf } from '../support/policy.ts';
import { tell, type Story } from '../support/story.ts';

const forMs = 2 * minute;
const lasting = (when: string, on: Trigger['on'] = 'alert', change: Partial<Playbook> = {}): Playbook =>
  playbookOf({ triggers: [{ on, when, forMs }], ...change });

function telling(...playbooks: readonly Playbook[]): Story {
  return tell(policyOf({ playbooks, holdOffMs: hour }));
}

const started = (story: Story): number => story.all('RunStarted').length;

/** Asserts that nothing acts within the span, and something at its end. */
function actsAfter(story: Story, span: Millis): void {
  story.forward(span - 1);
  assert.equal(started(story), 0, 'too early');
  story.forward(1);
  assert.equal(started(story), 1, 'in time');
}

test('C3: a condition about sources counts from the source that made it true, not from the start of the incident', () => {
  for (const on of ['alert', 'incident'] as const) {
    const story = telling(lasting('incident.sources.size() >= 2', on));
    story.see(eventOf());
    story.forward(119 * second);
    story.see(eventOf({ source: 'nagios', startedAt: story.now() - 100 * second }));
    actsAfter(story, forMs);
  }
});

test('C3: a condition about the severity counts from the rise, and begins anew when it has fallen in between', () => {
  const story = telling(lasting('alert.severity == "critical"'));
  const say = (severity: 'error' | 'critical') => story.see(eventOf({ severity, observedAt: story.now() }));
  say('error');
  story.forward(minute);
  say('critical');
  story.forward(90 * second);
  say('error');
  story.forward(10 * second);
  say('critical');

  actsAfter(story, forMs);
});

test('C3: a condition that only a repeat changes is asked at the repeat', () => {
  const story = telling(lasting('alert.summary.contains("full")'));
  const say = (summary: string) => story.see(eventOf({ summary, observedAt: story.now() }));
  say('disk 81 %');
  story.forward(minute);
  say('disk full');
  story.forward(90 * second);
  say('disk 90 %');
  story.forward(90 * second);
  assert.equal(started(story), 0);
  say('disk full');

  actsAfter(story, forMs);
});

test('C3: an alert that clears and fires again begins anew, also while its incident stays open', () => {
  const story = telling(lasting('alert.name == "ServiceDown"'));
  story.see(eventOf());
  story.see(eventOf({ name: 'Latency' }));
  story.forward(90 * second);
  story.see(eventOf({ claim: 'cleared', observedAt: story.now() + 1 }));
  story.forward(second);
  story.see(eventOf({ startedAt: story.now(), observedAt: story.now() }));

  actsAfter(story, forMs);
});

test('C3: an edited playbook begins anew, and one that was deleted is forgotten', () => {
  const before = lasting('alert.name == "ServiceDown"');
  const story = telling(before);
  story.see(eventOf());
  story.forward(90 * second);
  story.policy(policyOf({ playbooks: [{ ...before, digest: '', version: '2.0.0' }], holdOffMs: hour }));
  story.see(eventOf({ name: 'Latency' }));
  actsAfter(story, forMs);

  const gone = telling(before);
  gone.see(eventOf());
  gone.policy(policyOf({ playbooks: [], holdOffMs: hour }));
  gone.see(eventOf({ name: 'Latency' }));
  assert.deepEqual(
    [...gone.desk().tables.incidents.rows.values()].map(({ held }) => held),
    [undefined],
  );
});

test('C3: time in silence or in a person’s hands counts, since the condition held', () => {
  const story = telling(lasting('alert.name == "ServiceDown"'));
  const id = story.see(eventOf()).find(({ type }) => type === 'IncidentOpened');
  assert.ok(id?.type === 'IncidentOpened');
  story.say({ type: 'Acked', incident: id.incident, by: 'ann', via: 'api' });
  story.forward(5 * minute);
  assert.equal(started(story), 0);
  story.say({ type: 'Unacked', incident: id.incident, by: 'ann', via: 'api', note: '' });

  assert.equal(started(story), 1);
});

test('C3: what is remembered is bounded, goes with the life, and costs no fact where no playbook has a `for`', () => {
  const story = telling(...Array.from({ length: 8 }, (_, index) => lasting('true', 'alert', { name: `p${index}`, mode: 'shadow' })));
  for (let index = 0; index < 60; index += 1) story.see(eventOf({ name: `Alert${index}` }));
  const kept = () => [...story.desk().tables.incidents.rows.values()].map(({ held }) => Object.keys(held ?? {}).length);
  assert.deepEqual(kept(), [200]);
  story.say({ type: 'Resolved', incident: story.last('IncidentOpened').incident, by: 'ann', via: 'api', note: '' });
  assert.deepEqual(kept(), [0]);

  const plain = telling(playbookOf());
  plain.see(eventOf());
  assert.equal(plain.all('TriggerHeld').length, 0);
});

test('C3 (property): whatever comes, a playbook acts only when its condition has held for its span, and as soon as it has', () => {
  const deed = fc.record({ after: fc.integer({ min: 0, max: 150 }), severity: fc.constantFrom('critical' as const, 'error' as const) });
  fc.assert(
    fc.property(fc.array(deed, { minLength: 1, maxLength: 8 }), (deeds) => {
      const story = telling(lasting('alert.severity == "critical"'));
      let since: number | null = null;
      let due: number | null = null;
      for (const { after, severity } of deeds) {
        story.forward(after * second);
        if (due === null && since !== null && story.now() >= since + forMs) due = since + forMs;
        story.see(eventOf({ severity, observedAt: story.now() }));
        since = severity === 'critical' ? (since ?? story.now()) : null;
      }
      story.forward(forMs);
      due ??= since === null ? null : since + forMs;
      assert.deepEqual(
        // Nobody carries its step out, which is why it begins again later.
        story
          .all('RunStarted')
          .map(({ at }) => at)
          .slice(0, 1),
        due === null ? [] : [due],
      );
    }),
    { numRuns: 150 },
  );
});

test('C3: nobody waits for the `for` of a playbook that will do nothing; it says so when its time has come', () => {
  for (const idle of [{ mode: 'shadow' }, { unlisted: 'step restart: program /opt/x is not on the list' }] as const) {
    const story = telling(lasting('true', 'alert', idle));
    const { settleMs } = story.desk().tables.world.rows.get('world')?.policy ?? policyOf({});
    story.see(eventOf());
    story.forward(settleMs);
    assert.equal(story.all('PageOpened').length, 1, 'the page comes as if it were not there');
    const told = (): number => story.all('RunStarted').length + story.all('RunRefused').length;
    story.forward(forMs - settleMs - 1);
    assert.equal(told(), 0, 'too early');
    story.forward(1);
    assert.equal(told(), 1, 'in time');
  }
});

test('C3: a playbook in shadow says its word in time beside one that is waited for', () => {
  const trial = lasting('true', 'alert', { name: 'trial', mode: 'shadow', triggers: [{ on: 'alert', when: 'true', forMs: minute }] });
  const story = telling(trial, lasting('true', 'alert', { name: 'real' }));
  story.see(eventOf());
  story.forward(minute);
  assert.deepEqual(
    story.all('RunStarted').map(({ mode }) => mode),
    ['shadow'],
  );
  story.forward(forMs - minute);
  assert.deepEqual(
    story.all('RunStarted').map(({ mode }) => mode),
    ['shadow', 'auto'],
  );
  assert.equal(story.all('PageOpened').length, 0);
});
