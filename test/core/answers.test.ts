// Who answers a run that asks for a yes has its incident: what rings again all the same, who hears of it, and what an answer does not stop.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Incident } from '../../src/core/incident/row.ts';
import type { Ladder } from '../../src/core/page/ladder.ts';
import { hour, minute, second } from '../../src/core/time.ts';
import { eventOf } from '../support/event.ts';
import { asked, began, callOf, claim, clears, incidentOf } from '../support/play.ts';
import { ladder, playbookOf, stepOf } from '../support/policy.ts';
import { accepted, broke, done, type Story } from '../support/story.ts';

const calm: Ladder = { ...ladder, rungs: [{ notify: ['pd', 'slack'], waitMs: hour }], ackTimeoutMs: 30 * minute };

/** A run asks for a yes, and everybody on the rung was told; beside its alert another of the service fires already. */
function asking(): Story {
  const story = began({ mode: 'approve', steps: [stepOf({ id: 'one' }), stepOf({ id: 'two' })] }, { ladders: { default: calm } });
  story.notified(accepted);
  story.forward(minute);
  assert.equal(rings(story), 1);
  return story;
}

const rings = (story: Story): number => story.all('PageRang').length;
const incident = (story: Story): Incident | undefined => story.desk().tables.incidents.rows.get(incidentOf(story));

function says(story: Story, word: 'Approved' | 'Denied', by = 'ann'): void {
  const { run } = story.last('RunStarted');
  story.say(word === 'Approved' ? { type: 'Approved', run, by, via: 'api' } : { type: 'Denied', run, by, via: 'link', note: '' });
}

/** Something critical of another rule comes to the incident. */
function worsens(story: Story): void {
  const at = story.now();
  story.see(
    eventOf({ name: 'DatabaseGone', severity: 'critical', entity: { host: 'web2', service: 'checkout' }, startedAt: at, observedAt: at }),
  );
}

for (const word of ['Approved', 'Denied'] as const) {
  test(`K7: ${word === 'Approved' ? 'a yes' : 'a no'} takes the incident: the list names who has it, and everybody who was told hears`, () => {
    const story = asking();

    says(story, word);
    story.notified(accepted);

    assert.deepEqual([incident(story)?.state, incident(story)?.acked?.by, incident(story)?.taken?.by], ['acknowledged', 'ann', 'ann']);
    const heard = story.all('NotifyGranted').filter(({ notification }) => notification.kind === 'acknowledged');
    assert.deepEqual(heard.map(({ notifier }) => notifier).sort(), ['pd', 'slack']);
    assert.match(heard[0]?.notification.text ?? '', /^ann has it since \d\d:\d\d UTC/);
  });

  test(`K7: what is critical and comes after ${word === 'Approved' ? 'a yes, while its run works,' : 'a no'} rings at once`, () => {
    const story = asking();
    says(story, word);
    story.forward(5 * second);
    assert.equal(rings(story), 1);

    worsens(story);

    assert.equal(rings(story), 2);
    assert.match(story.last('PageRang').reason ?? '', /^acknowledged by ann at \d\d:\d\d UTC; since then DatabaseGone critical on web2/);
    assert.equal(incident(story)?.state, 'open');
  });

  test(`K7: what was known at ${word === 'Approved' ? 'a yes' : 'a no'} rings nobody again, until it is given back or lasts too long`, () => {
    const story = asking();
    worsens(story);
    const rang = rings(story);
    says(story, word);
    if (word === 'Approved') story.answer(done);
    story.see(eventOf({ observedAt: story.now() + 1 }));
    story.forward(5 * second);
    assert.equal(rings(story), rang);

    const given = story.say({ type: 'Unacked', incident: incidentOf(story), by: 'ann', via: 'api', note: '' });

    assert.ok(
      given.some((fact) => fact.type === 'IncidentUnacknowledged'),
      'who answered can give it back',
    );
    assert.equal(rings(story), rang + 1);
  });
}

test('K7: who denied a run is asked after when the acknowledgement has had its time', () => {
  const story = asking();
  says(story, 'Denied');

  story.forward(29 * minute);
  assert.equal(rings(story), 1);
  story.forward(2 * minute);

  assert.equal(rings(story), 2);
});

test('K7: what comes while the approved run proves itself rings at once', () => {
  const story = asking();
  says(story, 'Approved');
  story.answer(done);
  story.answer(done);
  assert.equal(story.desk().tables.runs.rows.get(story.last('RunStarted').run)?.frames.at(-1)?.part, 'verify');

  worsens(story);

  assert.equal(rings(story), 2);
});

test('K7: the approved run goes on after something worse has rung', () => {
  const story = asking();
  says(story, 'Approved');
  worsens(story);
  story.answer(done);
  story.answer(done);

  assert.deepEqual(asked(story), ['steps/one/1', 'steps/two/1']);
});

test('K7: a failure of the run that was let act takes it from whoever let it, and rings', () => {
  const story = asking();
  says(story, 'Approved');

  story.answer(broke);

  assert.equal(rings(story), 2);
  assert.equal(incident(story)?.state, 'open', 'nobody has it');
  assert.match(story.last('IncidentUnacknowledged').reason, /^playbook restart-service ended failed/);
  story.forward(second);
  story.say({ type: 'Acked', incident: incidentOf(story), by: 'bob', via: 'api' });
  story.forward(5 * minute);
  assert.equal(rings(story), 2, 'what was known is not said again');
});

test('K7: an approved run of which nobody knows what it did rings although every alert has cleared', () => {
  const story = asking();
  says(story, 'Approved');
  claim(story, callOf(story), 'w1');
  clears(story);
  story.forward(5 * minute); // its worker never answers

  assert.equal(story.all('IncidentResolved').length, 0);
  assert.equal(rings(story), 2);
});

test('K7: a second playbook may still act for whoever let the first', () => {
  const other = playbookOf({ name: 'other' });
  const asks = playbookOf({ mode: 'approve' });
  const story = began({}, { playbooks: [asks, other], ladders: { default: calm } });
  says(story, 'Approved');

  story.answer(broke);
  story.answer(done);

  assert.deepEqual(asked(story), ['steps/restart/1', 'steps/restart/1']);
  assert.equal(story.last('RunStarted').playbook.name, 'other');
});

test('K7: who has the incident keeps it when another lets a run act', () => {
  const story = asking();
  story.say({ type: 'Acked', incident: incidentOf(story), by: 'bob', via: 'api' });
  story.forward(second);

  says(story, 'Approved');

  assert.equal(incident(story)?.taken?.by, 'bob');
  assert.deepEqual(asked(story), ['steps/one/1']);
});
