// One page: who is rung when, what answers of notifiers and people do, and who is told of the end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NotifyRequested } from '../../src/core/page/facts.ts';
import type { Ladder } from '../../src/core/page/ladder.ts';
import { rings as isRing, type NotifyOutcome } from '../../src/core/page/notification.ts';
import type { Policy } from '../../src/core/playbook/policy.ts';
import { hour, minute, second } from '../../src/core/time.ts';
import { eventOf } from '../support/event.ts';
import { clears, fires, incidentOf, paged } from '../support/play.ts';
import type { Fact } from '../../src/core/records.ts';
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

const rings = (story: Story): readonly number[] => story.all('PageRang').map((fact) => fact.rung);

function claims(story: Story, { page, attempt, notification }: NotifyRequested): readonly Fact[] {
  return story.say({ type: 'NotifyClaimed', page, notification: notification.id, attempt, worker: 'w1' });
}

/** What became of a request that a worker claims and is granted. */
function answers(story: Story, request: NotifyRequested, outcome: NotifyOutcome): void {
  const { page, attempt, notification } = request;
  claims(story, request);
  story.say({ type: 'NotifyAnswered', page, notification: notification.id, attempt, outcome });
}

/** Lets time pass in steps; whatever is asked for meanwhile is claimed, and answered so. */
function passing(story: Story, span: number, outcome: NotifyOutcome, step = 10 * second): void {
  for (let passed = 0; passed < span; passed += step) {
    story.notified(outcome);
    story.forward(step);
  }
  story.notified(outcome);
}

function acks(story: Story): void {
  story.say({ type: 'Acked', incident: incidentOf(story), by: 'ann', via: 'api' });
}

// ---------------------------------------------------------------- ladder

test('B9 P1 P7: rungs ring one at a time, each when the wait of the one before is over, through every round, then the last one on and on', () => {
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
    ['second', 'repeat', 20 * minute],
    ['second', 'repeat', 25 * minute],
    ['second', 'repeat', 30 * minute],
  ]);
  assert.deepEqual(
    story.all('PageRang').map((fact) => fact.round),
    [0, 0, 1, 1, 2, 3, 4],
  );
});

test('the next rung does not ring a moment too early', () => {
  const story = ringing();
  story.notified(accepted);

  story.forward(5 * minute - 1);
  assert.deepEqual(rings(story), [0]);
  story.forward(1);

  assert.deepEqual(rings(story), [0, 1]);
});

test('B9: a ladder that ends without an acknowledgement says so, once, and an acknowledgement ends its rings', () => {
  const story = ringing();
  for (let step = 0; step < 30; step += 1) {
    story.notified(accepted);
    story.forward(minute);
  }
  assert.deepEqual(
    story.all('PageReachChanged').map(({ reach, why }) => [reach, why]),
    [['exhausted', 'ladder default ended after 2 rounds and nobody acknowledged; its last rung rings again every 5m']],
  );
  const rang = rings(story).length;

  acks(story);
  story.forward(29 * minute);

  assert.equal(story.last('PageAcked').by, 'ann');
  assert.equal(rings(story).length, rang);
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

  assert.deepEqual(rings(story), [0, 1]);
});

test('B9: with one rung, no repeat and a wait of seconds a page rings on until somebody has it, once a minute at most', () => {
  const story = ringing(laddered({ rungs: [{ notify: ['only'], waitMs: 10 * second }], repeat: 0 }));
  passing(story, hour, accepted);

  const times = story.all('PageRang').map(({ at }) => at);
  assert.ok(times.length >= 59, `rang ${times.length} times within the hour`);
  assert.ok(times.slice(2).every((at, index) => at - (times[index + 1] ?? 0) >= minute));
});

test('P3: the wait of a rung that was left early does not cut the next one short', () => {
  const story = ringing(laddered({ rungs: [...ladder.rungs, { notify: ['third'], waitMs: hour }] }));
  story.forward(50 * second);
  story.notified(refused);
  assert.deepEqual(rings(story), [0, 1]);
  story.notified(accepted);

  story.forward(5 * minute - second);
  assert.deepEqual(rings(story), [0, 1]);
  story.forward(second);

  assert.deepEqual(rings(story), [0, 1, 2]);
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
  assert.deepEqual(rings(story), [0]);
  answers(story, b, refused);

  assert.deepEqual(rings(story), [0, 1]);
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

  assert.deepEqual(rings(story), [0]);
});

test('refused on the last rung: the next round waits its turn, so that a broken notifier is not hammered', () => {
  const story = ringing();
  story.forward(5 * minute);
  for (let time = 0; time < 4; time += 1) story.notified(refused);

  assert.deepEqual(rings(story), [0, 1]);
});

test('a retry of an earlier rung does not hold up a rung whose own notifiers are refused', () => {
  const story = ringing(laddered({ rungs: [...ladder.rungs, { notify: ['third'], waitMs: hour }] }));
  const first = story.last('NotifyRequested');
  answers(story, first, deferred(50 * second));
  story.forward(minute);
  assert.deepEqual(
    sends(story)
      .slice(1)
      .map(([notifier]) => notifier),
    ['first', 'second'],
  );
  const after = story.all('NotifyRequested').find((fact) => fact.notifier === 'second');
  assert.ok(after !== undefined);

  answers(story, after, refused);

  assert.deepEqual(rings(story), [0, 1, 2]);
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

test('B10 P4: a notifier that is down is tried for hours, in waits that grow from a second to five minutes, under one id', () => {
  const story = ringing(laddered({ rungs: [{ notify: ['first'], waitMs: 100 * hour }] }));
  passing(story, 3 * hour, deferred(0), second);

  const tries = story.all('NotifyRequested');
  assert.equal(new Set(tries.map((fact) => fact.notification.id)).size, 1);
  const waits = tries.slice(1).map((fact, index) => fact.at - (tries[index]?.at ?? 0));
  assert.ok(Math.max(...waits.slice(0, 3)) <= 4 * second + second, `first waits ${waits.slice(0, 3).join(', ')}`);
  assert.ok(Math.max(...waits) <= 5 * minute + second, `longest wait ${Math.max(...waits)}`);
  assert.ok(tries.length >= 3 * 12, `tried ${tries.length} times`);
  assert.ok(new Set(waits.slice(-20)).size > 10, 'waits differ, so that many do not come back at one moment');
});

test('B10: the end is tried for a day, refused or not, and told as soon as the vendor takes it', () => {
  for (const outcome of [deferred(0), refused, unknown]) {
    const story = ringing();
    story.notified(accepted);
    clears(story);
    passing(story, 20 * hour, outcome, minute);
    const tried = story.all('NotifyRequested').filter((fact) => fact.notification.kind === 'resolve');
    assert.ok(tried.length > 100, `tried ${tried.length} times`);

    passing(story, 10 * minute, accepted);

    const end = story.all('NotifyFinished').filter((fact) => fact.notification === tried[0]?.notification.id);
    assert.equal(end.at(-1)?.outcome.outcome, 'accepted');
    assert.equal(end.filter(({ retry }) => !retry).length, 1);
  }
});

test('B10: how long the end is tried is the policy’s', () => {
  const story = ringing({ delivery: { keepTryingMs: hour, lastResort: [] } });
  story.notified(accepted);
  clears(story);
  passing(story, 2 * hour, deferred(0), minute);

  const last = story.last('NotifyFinished');
  assert.equal(last.retry, false);
  assert.ok(last.at - story.last('PageClosed').at <= hour + 10 * minute);
  assert.deepEqual(story.desk().tables.pages.rows.size, 0);
});

test('B16: an incident whose end still waits is not looked at every minute', () => {
  const story = ringing();
  story.notified(accepted);
  clears(story);
  passing(story, 20 * hour, deferred(0), minute);

  const looks = story.all('WakeRequested').filter(({ wake }) => wake.kind === 'close');
  assert.ok(looks.length <= 45, `looked ${looks.length} times`);
  passing(story, 6 * hour, deferred(0), minute);
  assert.equal(story.desk().tables.incidents.rows.size, 0, 'and it leaves all the same');
});

test('B12: a rung whose notifier hangs rings the next one after a minute', () => {
  const story = ringing();
  claims(story, story.last('NotifyRequested'));
  story.forward(minute - 1);
  assert.deepEqual(rings(story), [0]);
  story.forward(1);

  assert.deepEqual(rings(story), [0, 1]);
});

test('B12: a notifier that asks for an hour of patience is let be, and the next rung rings at once', () => {
  const story = ringing();
  answers(story, story.last('NotifyRequested'), deferred(hour));
  assert.deepEqual(rings(story), [0, 1]);

  story.notified(accepted);
  story.forward(2 * minute);
  assert.equal(story.all('NotifyRequested').filter(({ notifier }) => notifier === 'first').length, 1, 'the hour is honoured');
});

test('B12: a notifier that is down for the rung’s first minute leaves it to the next; one that comes back within it keeps it', () => {
  const down = ringing();
  passing(down, minute, deferred(0), second);
  assert.deepEqual(rings(down), [0, 1]);

  const back = ringing();
  passing(back, 30 * second, deferred(0), second);
  passing(back, 2 * minute, accepted, second);
  assert.deepEqual(rings(back), [0]);
});

test('B9: all refuse: nobody was told, so the page is unreached, the fail-open notifiers are told, and no ladder “ended and nobody acknowledged”', () => {
  const story = ringing({ delivery: { keepTryingMs: hour, lastResort: ['phone', 'first'] } });
  story.notified(refused);
  story.notified(refused);

  const change = story.last('PageReachChanged');
  assert.equal(change.reach, 'unreached');
  assert.match(change.why, /nobody on ladder default could be told; the fail-open notifiers are told: phone$/);
  assert.deepEqual(
    sends(story, ['unreached']).map(([notifier, , after]) => [notifier, after]),
    [['phone', 0]],
  );
  story.notified(accepted);
  passing(story, hour, refused);
  assert.equal(story.all('PageReachChanged').length, 1, 'said once, and it stays so while nobody on the ladder is told');

  passing(story, 10 * minute, accepted);
  assert.equal(story.all('PageReachChanged')[1]?.reach, null);
  clears(story);
  assert.deepEqual(
    sends(story, ['resolve'])
      .map(([notifier]) => notifier)
      .sort(),
    ['phone', 'second'],
  );
});

test('B9: a page that nobody takes still rings round after round, and who takes it last is told', () => {
  const story = ringing();
  passing(story, 3 * hour, refused);
  assert.equal(story.last('PageReachChanged').reach, 'unreached');
  const rang = rings(story).length;
  passing(story, 6 * minute, accepted);

  assert.ok(rings(story).length > rang);
  assert.equal(story.last('PageReachChanged').reach, null);
});

// ---------------------------------------------------------------- the grant

test('G1 P5: a ring that was acknowledged before a worker took it does not leave, and says why', () => {
  const story = ringing();
  const request = story.last('NotifyRequested');
  acks(story);

  claims(story, request);

  assert.equal(story.all('NotifyGranted').length, 0);
  assert.equal(story.last('NotifyDropped').why, 'ann has it');
});

test('G1: a ring whose incident ended before a worker took it does not leave', () => {
  const story = ringing();
  const request = story.last('NotifyRequested');
  clears(story);

  claims(story, request);

  assert.equal(story.all('NotifyGranted').length, 0);
  assert.equal(story.last('NotifyDropped').why, 'it is over');
});

test('G1: a ring that was silenced before a worker took it does not leave; the rung rings when the silence is over', () => {
  const story = ringing();
  const request = story.last('NotifyRequested');
  const matchers = [{ name: 'alertname', op: '=' as const, value: 'ServiceDown' }];
  const silence = {
    id: 's1',
    matchers,
    startsAt: story.now(),
    endsAt: story.now() + 2 * minute,
    untilResolved: false,
    by: 'ann',
    comment: '',
  };
  story.say({ type: 'SilenceSet', silence });

  claims(story, request);
  assert.equal(story.all('NotifyGranted').length, 0);
  assert.match(story.last('NotifyDropped').why, /silence/);

  story.forward(2 * minute - 1);
  assert.deepEqual(rings(story), [0]);
  story.forward(1);
  assert.deepEqual(rings(story), [0, 0]);
  story.notified(accepted);
  assert.equal(story.last('NotifyGranted').notification.kind, 'page');
});

test('G1: retries ask the present, too', () => {
  const story = ringing();
  answers(story, story.last('NotifyRequested'), deferred(30 * second));
  acks(story);
  story.forward(minute);

  assert.equal(story.all('NotifyRequested').length, 1);
  assert.equal(story.last('NotifyDropped').why, 'ann has it');
});

test('X8: a ring that had not left when somebody took the page is dropped by its answer, with no retry', () => {
  const story = ringing();
  const request = story.last('NotifyRequested');
  claims(story, request);
  acks(story);
  const { page, attempt, notification } = request;
  story.say({ type: 'NotifyAnswered', page, notification: notification.id, attempt, outcome: deferred(0) });

  assert.equal(story.last('NotifyDropped').why, 'ann has it');
  assert.equal(story.all('NotifyFinished').length, 0);
  story.forward(10 * minute);
  assert.equal(story.all('NotifyGranted').length, 1, 'nobody was told: there is nobody to tell who has it');
});

test('P5: the words are those of the moment of the grant', () => {
  const story = ringing();
  const request = story.last('NotifyRequested');
  story.see(eventOf({ name: 'DiskFull', summary: 'disk full on web1', severity: 'critical', startedAt: story.now() }));
  story.forward(20 * second);

  claims(story, request);

  const { notification, at } = story.last('NotifyGranted');
  assert.equal(notification.at, at);
  assert.match(notification.title, /disk full/);
});

test('P5: a grant whose worker is gone is given again under the same id, and only one answer counts', () => {
  const story = ringing();
  const request = story.last('NotifyRequested');
  claims(story, request);
  story.forward(10 * second);
  const { page, attempt, notification } = request;
  story.say({ type: 'NotifyClaimed', page, notification: notification.id, attempt, worker: 'w2' });

  const [one, two] = story.all('NotifyGranted');
  assert.deepEqual([one?.worker, two?.worker], ['w1', 'w2']);
  assert.equal(one?.notification.id, two?.notification.id);
  story.forward(50 * second);
  assert.equal(story.all('NotifyFinished').length, 0, 'the second worker has its own minute');
  story.forward(10 * second);
  assert.equal(story.last('NotifyFinished').outcome.outcome, 'unknown');
});

test('G1: a grant whose worker died is not given again once the page is over; it may have arrived, so the end is told', () => {
  const story = ringing();
  const request = story.last('NotifyRequested');
  claims(story, request);
  clears(story);
  const { page, attempt, notification } = request;
  story.say({ type: 'NotifyClaimed', page, notification: notification.id, attempt, worker: 'w2' });

  assert.equal(story.all('NotifyGranted').length, 1);
  assert.equal(story.last('NotifyFinished').outcome.outcome, 'unknown');
  assert.deepEqual(
    sends(story, ['resolve']).map(([notifier]) => notifier),
    ['first'],
  );
});

test('T3: a claim for what is not asked for any more, or never was, is given nothing', () => {
  const story = ringing();
  const request = story.last('NotifyRequested');
  story.notified(accepted);

  assert.deepEqual(claims(story, request), []);
  assert.deepEqual(claims(story, { ...request, attempt: 2 }), []);
  assert.deepEqual(claims(story, { ...request, page: 'p999.default' }), []);
  assert.deepEqual(claims(story, { ...request, notification: { id: '__proto__', kind: 'page' } }), []);
});

test('B16: a newer ring takes up what is still on its way to a notifier: one at a time, and one copy after an outage', () => {
  const story = ringing(laddered({ rungs: [{ notify: ['only'], waitMs: 2 * minute }] }));
  story.forward(20 * minute); // no worker takes anything
  assert.ok(rings(story).length > 5);
  const open = (): number =>
    [...story.desk().tables.pages.rows.values()].flatMap(({ outgoing }) => outgoing.filter(({ state }) => state !== 'accepted')).length;
  assert.equal(open(), 1);

  passing(story, minute, accepted);

  assert.equal(story.all('NotifyGranted').length, 1);
});

test('B16: a slow notifier is not sent a second copy while the first is under way', () => {
  const story = ringing(
    laddered({
      rungs: [
        { notify: ['slow'], waitMs: 10 * second },
        { notify: ['slow', 'other'], waitMs: hour },
      ],
    }),
  );
  const request = story.last('NotifyRequested');
  claims(story, request);
  story.forward(10 * second);
  assert.deepEqual(
    sends(story).map(([notifier]) => notifier),
    ['slow', 'other'],
  );

  story.forward(30 * second);
  story.say({ type: 'NotifyAnswered', page: request.page, notification: request.notification.id, attempt: 1, outcome: accepted });

  assert.equal(story.all('NotifyGranted').filter(({ notifier }) => notifier === 'slow').length, 1);
});

test('B14: the next ring uses the ladder of today: renamed, added and removed notifiers, and a ladder that is gone falls to the route', () => {
  const rungs = (...names: readonly string[]) => names.map((name) => ({ notify: [name], waitMs: 5 * minute }));
  const story = ringing(laddered({ rungs: rungs('old', 'second') }));
  story.notified(accepted);
  story.policy(policyOf(laddered({ rungs: rungs('new', 'renamed', 'added') })));
  passing(story, 11 * minute, accepted);
  assert.deepEqual(
    sends(story).map(([notifier]) => notifier),
    ['old', 'renamed', 'added'],
  );

  story.policy(
    policyOf({ ladders: { other: { ...ladder, name: 'other', rungs: rungs('night') } }, routes: [{ when: null, ladder: 'other' }] }),
  );
  passing(story, 6 * minute, accepted);

  assert.equal(sends(story).at(-1)?.[0], 'night');
  assert.equal(story.last('PageRang').ladder?.name, 'other');
});

test('B14: a ring on its way to a name that is gone is dropped, and the rung rings whom it names today, at once', () => {
  const story = ringing();
  const request = story.last('NotifyRequested');
  story.policy(policyOf(laddered({ rungs: [{ notify: ['renamed'], waitMs: 5 * minute }] })));

  claims(story, request);

  assert.match(story.last('NotifyDropped').why, /no longer names first/);
  assert.deepEqual(sends(story), [
    ['first', 'page', 0],
    ['renamed', 'page', 0],
  ]);
});

test('B11: each life has a key of its own, so that a late end of one never closes the other', () => {
  const story = ringing();
  story.notified(accepted);
  clears(story);
  answers(story, story.last('NotifyRequested'), deferred(8 * second));
  story.forward(second);
  fires(story);
  story.forward(settle);
  story.notified(accepted);

  const said = story.all('NotifyGranted').map(({ notification }) => [notification.kind, notification.dedupKey, notification.page]);
  const [first, second_] = story.all('PageOpened').map(({ page }) => page);
  assert.notEqual(first, second_);
  for (const [, key, page] of said) assert.equal(key, `quench:${page}`);
  assert.ok(said.some(([kind, , page]) => kind === 'resolve' && page === first));
  assert.ok(said.some(([kind, , page]) => kind === 'page' && page === second_));
});

test('F4: keys and ids carry the installation; two installations never share one', () => {
  const said = (installation: string | null): readonly (string | undefined)[] => {
    const story = ringing();
    story.installation(installation);
    story.notified(accepted);
    clears(story);
    story.forward(hour);
    fires(story);
    story.forward(settle);
    story.notified(accepted);
    const { id, dedupKey } = story.last('NotifyGranted').notification;
    return [id, dedupKey];
  };
  const [one, two] = [said('a1'), said('b2')];
  assert.match(String(one[0]), /^a1\|p\d+\.default\|1\|first$/);
  assert.match(String(one[1]), /^quench:a1:p\d+\.default$/);
  assert.notEqual(one[0], two[0]);
  assert.notEqual(one[1], two[1]);
});

test('B13: a mail that was taken for some is tried again for those who are left, and for them alone', () => {
  const story = ringing();
  const left = ['bob@example.org'];
  answers(story, story.last('NotifyRequested'), { outcome: 'accepted', detail: '1 of 2', left });
  assert.equal(story.last('NotifyFinished').retry, true);
  story.forward(2 * second);
  story.notified(accepted);

  assert.deepEqual(
    story.all('NotifyGranted').map(({ notification }) => notification.only),
    [undefined, left],
  );
  story.forward(4 * minute);
  assert.deepEqual(rings(story), [0], 'somebody was told: the rung has its wait');
});

test('a notifier that gives no answer is asked again, later than one that said no: it may have arrived', () => {
  const story = ringing(laddered({ rungs: [{ notify: ['first'], waitMs: hour }] }));
  claims(story, story.last('NotifyRequested'));
  story.forward(minute);
  assert.equal(story.last('NotifyFinished').outcome.outcome, 'unknown');
  story.forward(29 * second);
  assert.equal(story.all('NotifyRequested').length, 1);
  story.forward(31 * second);

  assert.equal(story.all('NotifyRequested').length, 2);
});

test('what no worker took in time was not sent: it is asked for again, and nobody counts as told', () => {
  const story = ringing(laddered({ rungs: [{ notify: ['first'], waitMs: hour }] }));
  story.forward(minute + second);

  assert.deepEqual(
    story.all('NotifyRequested').map(({ attempt }) => attempt),
    [1, 2],
  );
  clears(story);
  assert.deepEqual(sends(story, ['resolve']), []);
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
  const story = ringing(laddered({ rungs: [{ notify: ['first'], waitMs: hour }] }));
  const request = story.last('NotifyRequested');
  claims(story, request);
  story.forward(minute);
  const { page, attempt, notification } = request;
  const said = (outcome: NotifyOutcome): unknown =>
    story.say({ type: 'NotifyAnswered', page, notification: notification.id, attempt, outcome });
  said(refused);
  assert.equal(story.all('NotifyFinished').length, 1);

  said(accepted);
  story.forward(10 * minute);

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
  const calls = (): number => story.all('NotifyRequested').filter(({ notification }) => isRing[notification.kind]).length;
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
  assert.deepEqual(rings(story), [0, 1]);

  story.forward(1);
  assert.deepEqual(rings(story), [0, 1, 0]);
  story.notified(accepted);
  acks(story);
  story.forward(29 * minute);

  assert.deepEqual(rings(story), [0, 1, 0]);
  assert.equal(story.all('PageAcked').length, 2);
  story.forward(minute);
  assert.deepEqual(rings(story), [0, 1, 0, 0]);
});

test('a source that repeats its acknowledgement does not hush a page that rings again', () => {
  const story = ringing();
  story.see(eventOf({ claim: 'acknowledged' }));
  story.forward(30 * minute);
  assert.equal(rings(story).length, 2);

  story.see(eventOf());
  story.forward(5 * minute);

  assert.equal(rings(story).length, 3);
});

test('acknowledging before anything was paged keeps the incident quiet, for as long as an acknowledgement lasts', () => {
  const story = tell(policyOf());
  story.see(eventOf());
  acks(story);
  story.forward(ladder.ackTimeoutMs - 1);

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
    const { page, attempt, notification, ...first } = story.last('NotifyRequested');
    claims(story, { ...first, page, attempt, notification });
    clears(story);
    assert.deepEqual(sends(story, ['resolve']), []);

    for (let time = 0; time < 2; time += 1) story.say({ type: 'NotifyAnswered', page, notification: notification.id, attempt, outcome });
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
  story.forward(23 * hour);
  assert.equal(story.desk().tables.pages.rows.size, 1);
  story.forward(2 * hour);

  assert.equal(story.last('NotifyFinished').retry, false);
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
  assert.equal(rings(story).length, 1);
});
