// One page: who is rung when, what answers of notifiers and people do, and who is told of the end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NotifyRequested } from '../../src/core/page/facts.ts';
import type { Ladder } from '../../src/core/page/ladder.ts';
import { rings, type NotifyOutcome } from '../../src/core/page/notification.ts';
import type { Policy } from '../../src/core/playbook/policy.ts';
import { hour, minute, second } from '../../src/core/time.ts';
import { eventOf } from '../support/event.ts';
import { clears, fires, incidentOf, paged } from '../support/play.ts';
import { ladder, playbookOf, policyOf } from '../support/policy.ts';
import { accepted, broke, tell, type Story } from '../support/story.ts';

const settle = 10 * second;
const refused: NotifyOutcome = { outcome: 'refused', detail: 'no such number' };
const unknown: NotifyOutcome = { outcome: 'unknown', detail: 'no answer' };
const deferred = (retryAfterMs: number): NotifyOutcome => ({ outcome: 'deferred', retryAfterMs, detail: 'busy' });

/** A story that has just paged: the first rung rings. */
function ringing(change: Partial<Policy> = {}): Story {
  const story = tell(policyOf(change));
  story.see(eventOf());
  story.forward(settle);
  assert.equal(paged(story), 1);
  return story;
}

const laddered = (change: Partial<Ladder>): Partial<Policy> => ({ ladders: { default: { ...ladder, ...change } } });

/** Who was sent what, and how long after the first ring. */
function sends(
  story: Story,
  kinds: readonly string[] = ['page', 'repeat', 'approval', 'resolve'],
): readonly (readonly [string, string, number])[] {
  const from = story.all('PageRang')[0]?.at ?? 0;
  return story
    .all('NotifyRequested')
    .flatMap((fact) => (kinds.includes(fact.notification.kind) ? [[fact.notifier, fact.notification.kind, fact.at - from]] : []));
}

const rungs = (story: Story): readonly number[] => story.all('PageRang').map((fact) => fact.rung);

function answers(story: Story, request: NotifyRequested, outcome: NotifyOutcome): void {
  story.say({ type: 'NotifyAnswered', page: request.page, notification: request.notification.id, outcome });
}

function acks(story: Story): void {
  story.say({ type: 'Acked', incident: incidentOf(story), by: 'ann', via: 'api' });
}

// ---------------------------------------------------------------- ladder

test('P1: rungs ring one at a time, each when the wait of the one before is over, through every round', () => {
  const story = ringing();
  for (let step = 0; step < 30; step += 1) {
    story.notified(accepted);
    story.forward(minute);
  }

  assert.deepEqual(sends(story), [
    ['first', 'page', 0],
    ['second', 'repeat', 5 * minute],
    ['first', 'repeat', 10 * minute],
    ['second', 'repeat', 15 * minute],
  ]);
  assert.deepEqual(
    story.all('PageRang').map((fact) => fact.round),
    [0, 0, 1, 1],
  );
});

test('the next rung does not ring a moment too early', () => {
  const story = ringing();
  story.notified(accepted);

  story.forward(5 * minute - 1);
  assert.deepEqual(rungs(story), [0]);
  story.forward(1);

  assert.deepEqual(rungs(story), [0, 1]);
});

test('a ladder that ends without an acknowledgement says so, once, and an acknowledgement still counts', () => {
  const story = ringing();
  for (let step = 0; step < 30; step += 1) {
    story.notified(accepted);
    story.forward(minute);
  }
  assert.deepEqual(
    story.all('IncidentNoted').map((fact) => fact.text),
    ['ladder default ended after 2 rounds and nobody acknowledged'],
  );

  acks(story);

  assert.equal(story.last('PageAcked').by, 'ann');
});

test('everybody on a rung is rung together, under ids of their own', () => {
  const story = ringing(laddered({ rungs: [{ notify: ['a', 'b'], waitMs: minute }] }));

  assert.deepEqual(
    sends(story).map(([notifier]) => notifier),
    ['a', 'b'],
  );
  assert.equal(new Set(story.all('NotifyRequested').map((fact) => fact.notification.id)).size, 2);
});

test('P3: wakes of an earlier ring do not climb, however late or often they come', () => {
  const story = ringing();
  story.forward(5 * minute);
  const { page } = story.last('PageOpened');

  for (let time = 0; time < 3; time += 1) story.say({ type: 'Woke', token: `rung|${page}|1` });
  acks(story);
  story.say({ type: 'Woke', token: `rung|${page}|2` });

  assert.deepEqual(rungs(story), [0, 1]);
});

test('P3: the wait of a rung that was left early does not cut the next one short', () => {
  const story = ringing(laddered({ rungs: [...ladder.rungs, { notify: ['third'], waitMs: hour }] }));
  story.forward(50 * second);
  story.notified(refused);
  assert.deepEqual(rungs(story), [0, 1]);
  story.notified(accepted);

  story.forward(5 * minute - second);
  assert.deepEqual(rungs(story), [0, 1]);
  story.forward(second);

  assert.deepEqual(rungs(story), [0, 1, 2]);
});

test('the first route whose condition holds names the ladder; a playbook’s own ladder comes before it', () => {
  const other: Ladder = { ...ladder, name: 'other' };
  const own: Ladder = { ...ladder, name: 'own' };
  const change = {
    ladders: { default: ladder, other, own },
    routes: [
      { when: 'alert.nothing == 1', ladder: 'default' },
      { when: 'incident.severity == "critical"', ladder: 'other' },
      { when: null, ladder: 'default' },
    ],
  };
  assert.equal(ringing(change).last('PageOpened').ladder.name, 'other');

  const story = tell(policyOf({ ...change, playbooks: [playbookOf({ escalate: { ladder: 'own', say: '' } })] }));
  story.see(eventOf());
  story.answer(broke);
  story.forward(settle);

  assert.equal(story.last('PageOpened').ladder.name, 'own');
});

test('without any ladder it is written down, once, that nobody can be paged', () => {
  const story = tell(policyOf({ ladders: {} }));
  for (let time = 0; time < 5; time += 1) {
    story.see(eventOf());
    story.forward(minute);
  }

  assert.equal(paged(story), 0);
  assert.deepEqual(
    story.all('IncidentNoted').map((fact) => fact.text),
    ['no ladder is configured: nobody can be paged'],
  );
});

// ---------------------------------------------------------------- notifiers

test('P1: when everybody on a rung is refused the next rung rings at once', () => {
  const story = ringing(
    laddered({
      rungs: [
        { notify: ['a', 'b'], waitMs: hour },
        { notify: ['c'], waitMs: hour },
      ],
    }),
  );
  const [a, b] = story.all('NotifyRequested');
  assert.ok(a !== undefined && b !== undefined);

  answers(story, a, refused);
  assert.deepEqual(rungs(story), [0]);
  answers(story, b, refused);

  assert.deepEqual(rungs(story), [0, 1]);
});

test('P1: one on the rung who may have been reached is enough to wait', () => {
  const story = ringing(
    laddered({
      rungs: [
        { notify: ['a', 'b'], waitMs: hour },
        { notify: ['c'], waitMs: hour },
      ],
    }),
  );
  const [a, b] = story.all('NotifyRequested');
  assert.ok(a !== undefined && b !== undefined);

  answers(story, a, accepted);
  answers(story, b, refused);

  assert.deepEqual(rungs(story), [0]);
});

test('refused on the last rung: the next round waits its turn, so that a broken notifier is not hammered', () => {
  const story = ringing();
  story.forward(5 * minute);
  for (let time = 0; time < 4; time += 1) story.notified(refused);

  assert.deepEqual(rungs(story), [0, 1]);
});

test('a retry of an earlier rung does not hold up a rung whose own notifiers are refused', () => {
  const story = ringing(laddered({ rungs: [...ladder.rungs, { notify: ['third'], waitMs: hour }] }));
  const [first] = story.all('NotifyRequested');
  assert.ok(first !== undefined);
  answers(story, first, deferred(5 * minute + second));
  story.forward(5 * minute + 2 * second);
  assert.deepEqual(
    sends(story)
      .slice(1)
      .map(([notifier]) => notifier),
    ['second', 'first'],
  );
  const after = story.all('NotifyRequested').find((fact) => fact.notifier === 'second');
  assert.ok(after !== undefined);

  answers(story, after, refused);

  assert.deepEqual(rungs(story), [0, 1, 2]);
});

test('P4: a deferred notification is sent again under the same id, when the vendor said', () => {
  const story = ringing();
  story.notified(deferred(42 * second));
  story.forward(41 * second);
  assert.equal(story.all('NotifyRequested').length, 1);

  story.forward(second);

  const [one, two] = story.all('NotifyRequested');
  assert.equal(one?.notification.id, two?.notification.id);
  assert.deepEqual([one?.attempt, two?.attempt], [1, 2]);
});

test('P4: a vendor that asks for patience without end is asked again within the hour', () => {
  const story = ringing(laddered({ rungs: [{ notify: ['first'], waitMs: 100 * hour }] }));
  story.notified(deferred(1_000 * hour));

  story.forward(hour);

  assert.equal(story.all('NotifyRequested').length, 2);
});

for (const [says, outcome] of [
  ['deferred without end', deferred(0)],
  ['never known', unknown],
] as const) {
  test(`P4: a notification that is ${says} is tried eight times, then given up, and the next rung rings`, () => {
    const story = ringing(laddered({ rungs: [{ notify: ['first'], waitMs: 100 * hour }, ladder.rungs[1] ?? { notify: [], waitMs: 0 }] }));
    for (let step = 0; step < 200 && rungs(story).length === 1; step += 1) {
      story.notified(outcome);
      story.forward(30 * second);
    }

    const tries = story.all('NotifyRequested').filter((fact) => fact.notifier === 'first');
    assert.deepEqual(
      tries.map((fact) => fact.attempt),
      [1, 2, 3, 4, 5, 6, 7, 8],
    );
    assert.equal(new Set(tries.map((fact) => fact.notification.id)).size, 1);
    assert.deepEqual(rungs(story), [0, 1]);
  });
}

test('a notifier that gives no answer within a minute is asked again', () => {
  const story = ringing();

  story.forward(minute);
  assert.equal(story.last('NotifyFinished').outcome.outcome, 'unknown');
  story.forward(5 * second);

  assert.equal(story.all('NotifyRequested').length, 2);
});

test('answers for notifications nobody waits for change nothing', () => {
  const story = ringing();
  const { page, notification } = story.last('NotifyRequested');
  story.notified(accepted);

  for (const outcome of [refused, accepted, unknown]) {
    for (const id of [notification.id, 'x', '__proto__']) {
      assert.deepEqual(story.say({ type: 'NotifyAnswered', page, notification: id, outcome }), []);
    }
    assert.deepEqual(story.say({ type: 'NotifyAnswered', page: 'p999.default', notification: notification.id, outcome }), []);
  }
});

test('an acceptance that comes late spares the retry; any other late answer is nothing', () => {
  const story = ringing();
  const request = story.last('NotifyRequested');
  story.forward(minute);
  answers(story, request, refused);
  assert.equal(story.all('NotifyFinished').length, 1);

  answers(story, request, accepted);
  story.forward(3 * minute);

  assert.equal(story.all('NotifyRequested').length, 1);
});

// ---------------------------------------------------------------- acknowledgement

test('P2: an acked page stays silent through every later timer, answer and retry', () => {
  const story = ringing(laddered({ ackTimeoutMs: 0, rungs: [{ notify: ['a', 'b', 'c'], waitMs: 5 * minute }, ...ladder.rungs] }));
  const [a, b, c] = story.all('NotifyRequested');
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  answers(story, a, deferred(minute));
  answers(story, b, unknown);
  acks(story);
  const calls = (): number => story.all('NotifyRequested').filter(({ notification }) => rings[notification.kind]).length;
  const sent = calls();

  answers(story, c, deferred(minute));
  story.forward(10 * hour);

  assert.equal(calls(), sent);
  assert.equal(story.all('PageRang').length, 1);
});

test('P2: an acknowledgement that times out rings from the first rung again, and can be acknowledged again', () => {
  const story = ringing();
  story.notified(accepted);
  story.forward(5 * minute);
  story.notified(accepted);
  acks(story);
  story.forward(30 * minute - 1);
  assert.deepEqual(rungs(story), [0, 1]);

  story.forward(1);
  assert.deepEqual(rungs(story), [0, 1, 0]);
  story.notified(accepted);
  acks(story);
  story.forward(29 * minute);

  assert.deepEqual(rungs(story), [0, 1, 0]);
  assert.equal(story.all('PageAcked').length, 2);
  story.forward(minute);
  assert.deepEqual(rungs(story), [0, 1, 0, 0]);
});

test('a source that repeats its acknowledgement does not hush a page that rings again', () => {
  const story = ringing();
  story.see(eventOf({ claim: 'acknowledged' }));
  story.forward(30 * minute);
  assert.equal(rungs(story).length, 2);

  story.see(eventOf());
  story.forward(5 * minute);

  assert.equal(rungs(story).length, 3);
});

test('acknowledging before anything was paged keeps the incident quiet', () => {
  const story = tell(policyOf());
  story.see(eventOf());
  acks(story);
  story.forward(hour);

  assert.equal(paged(story), 0);
});

test('acknowledging what is resolved, unknown or acknowledged does nothing', () => {
  const story = ringing();
  acks(story);
  assert.deepEqual(story.say({ type: 'Acked', incident: incidentOf(story), by: 'bob', via: 'api' }), []);
  assert.deepEqual(story.say({ type: 'Acked', incident: 'i999.default', by: 'bob', via: 'api' }), []);
  clears(story);

  assert.deepEqual(story.say({ type: 'Acked', incident: incidentOf(story), by: 'bob', via: 'api' }), []);
});

// ---------------------------------------------------------------- the end

test('when the incident ends, exactly those are told who may have been told of it', () => {
  const story = ringing(laddered({ rungs: [{ notify: ['took', 'never', 'perhaps', 'busy'], waitMs: hour }] }));
  const [took, never, perhaps, busy] = story.all('NotifyRequested');
  assert.ok(took !== undefined && never !== undefined && perhaps !== undefined && busy !== undefined);
  answers(story, took, accepted);
  answers(story, never, refused);
  answers(story, perhaps, unknown);
  answers(story, busy, deferred(minute));

  clears(story);
  story.forward(hour);

  assert.deepEqual([...new Set(sends(story, ['resolve']).map(([notifier]) => notifier))], ['took', 'perhaps']);
  assert.equal(story.all('PageRang').length, 1);
  assert.deepEqual(story.all('NotifyRequested').filter((fact) => fact.notifier === 'busy').length, 1);
});

for (const [outcome, told] of [
  [accepted, 1],
  [unknown, 1],
  [refused, 0],
  [deferred(minute), 0],
] as const) {
  test(`a notification still under way at the end that turns out ${outcome.outcome} is ${told === 1 ? 'followed by the news of the end, once' : 'let go'}`, () => {
    const story = ringing();
    const first = story.last('NotifyRequested');
    clears(story);
    assert.deepEqual(sends(story, ['resolve']), []);

    answers(story, first, outcome);
    answers(story, first, outcome);
    story.notified(accepted);
    story.forward(5 * minute);

    assert.deepEqual(
      sends(story).map(([notifier, kind]) => `${notifier} ${kind}`),
      told === 1 ? ['first page', 'first resolve'] : ['first page'],
    );
  });
}

test('P4: the news of the end is tried to its last attempt, though the incident could leave the desk by then', () => {
  const story = ringing({ grouping: { ...policyOf().grouping, reopenMs: second } });
  story.notified(accepted);
  clears(story);
  story.forward(hour);

  const tries = story.all('NotifyRequested').filter((fact) => fact.notification.kind === 'resolve');
  assert.deepEqual(
    tries.map((fact) => fact.attempt),
    [1, 2, 3, 4, 5, 6, 7, 8],
  );
  assert.deepEqual([story.desk().tables.pages.rows.size, story.desk().tables.incidents.rows.size], [0, 0]);
});

test('an incident that comes back is paged anew, and everything about both lives leaves the desk', () => {
  const story = ringing();
  story.notified(accepted);
  clears(story);
  story.notified(accepted);
  story.forward(minute);

  fires(story);
  story.forward(settle);

  assert.equal(paged(story), 2);
  assert.notEqual(story.all('PageOpened')[0]?.page, story.all('PageOpened')[1]?.page);
  clears(story);
  story.forward(hour);
  assert.equal(story.desk().tables.pages.rows.size, 0);
});

test('B1: one life, one page, whatever repeats, joins or grows worse', () => {
  const story = tell(policyOf({ playbooks: [playbookOf()] }));
  story.see(eventOf({ severity: 'error' }));
  story.answer(broke);
  for (let step = 0; step < 20; step += 1) {
    story.forward(minute);
    story.see(eventOf({ severity: step % 2 === 0 ? 'critical' : 'error' }));
    story.see(eventOf({ name: `Other${step % 4}`, startedAt: story.now() }));
  }

  assert.equal(paged(story), 1);
});

test('a person who resolves closes the page and it is told', () => {
  const story = ringing();
  story.notified(accepted);

  story.say({ type: 'Resolved', incident: incidentOf(story), by: 'ann', via: 'api', note: 'replaced the disk' });
  story.forward(5 * minute);

  assert.equal(story.last('IncidentResolved').by, 'human');
  assert.deepEqual(
    sends(story, ['resolve'])
      .map(([notifier]) => notifier)
      .at(0),
    'first',
  );
  assert.equal(rungs(story).length, 1);
});
