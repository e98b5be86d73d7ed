// Nothing stale acts: what must still be true when an effect leaves, each line of the table in src/core/present.ts taken away once, before
// the run asks for its step and between the asking and the grant.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Playbook } from '../../src/core/playbook/document.ts';
import { hour, minute, second } from '../../src/core/time.ts';
import { eventOf } from '../support/event.ts';
import { asked, began, callOf, claim, clears, end, fires, incidentOf, paged } from '../support/play.ts';
import { playbookOf, policyOf, stepOf } from '../support/policy.ts';
import { broke, done, tell, type Story } from '../support/story.ts';

const look = { kind: 'look' as const, id: 'see', continueOnError: false, uses: 'test/look', with: {}, timeoutMs: 10 * second };
const undo = { uses: 'test/undo', with: {}, timeoutMs: second };

function ack(story: Story, by = 'anna', over?: true): void {
  story.say({ type: 'Acked', incident: incidentOf(story), by, via: 'api', ...(over === undefined ? {} : { over }) });
}

function hush(story: Story): void {
  const matchers = [{ name: 'instance', op: '=' as const, value: 'web1' }];
  const at = story.now();
  const silence = { id: 's1', matchers, startsAt: at, endsAt: at + hour, untilResolved: false, by: 'ben', comment: 'new kernel' };
  story.say({ type: 'SilenceSet', silence });
}

interface Moving {
  readonly row: 'C1' | 'C11';
  readonly says: string;
  readonly moves: (story: Story, playbook: Playbook) => void;
  readonly end: string;
  readonly reason: RegExp;
}

const moving: readonly Moving[] = [
  { row: 'C1', says: 'its alert has cleared', moves: clears, end: 'noop', reason: /^over before it acted$/ },
  { row: 'C1', says: 'a person has taken it', moves: (story) => ack(story), end: 'noop', reason: /^taken by anna before it acted$/ },
  {
    row: 'C1',
    says: 'its source says that somebody has it',
    moves: (story) => story.see(eventOf({ claim: 'acknowledged', observedAt: story.now() + 1 })),
    end: 'noop',
    reason: /^taken (by|in) prometheus before it acted$/,
  },
  { row: 'C1', says: 'a silence covers it', moves: hush, end: 'noop', reason: /^silence s1: new kernel before it acted$/ },
  {
    row: 'C11',
    says: 'its playbook is off',
    moves: (story, playbook) => story.policy(policyOf({ playbooks: [{ ...playbook, mode: 'off', digest: '' }] })),
    end: 'cancelled',
    reason: /switched off before it acted$/,
  },
  {
    row: 'C11',
    says: 'its playbook is deleted',
    moves: (story) => story.policy(policyOf()),
    end: 'cancelled',
    reason: /deleted before it acted$/,
  },
  {
    row: 'C11',
    says: 'its playbook may only watch',
    moves: (story, playbook) => story.policy(policyOf({ playbooks: [{ ...playbook, mode: 'shadow', digest: '' }] })),
    end: 'cancelled',
    reason: /may only watch now before it acted$/,
  },
  {
    row: 'C11',
    says: 'its playbook is another one',
    moves: (story, playbook) => story.policy(policyOf({ playbooks: [{ ...playbook, summary: 'another', digest: '' }] })),
    end: 'cancelled',
    reason: /changed since the run began before it acted$/,
  },
];

for (const { row, says, moves, end: wanted, reason } of moving) {
  test(`${row}: a run whose looks outlast the moment does not act when ${says}`, () => {
    const playbook = playbookOf({ diagnose: [look] });
    const story = tell(policyOf({ playbooks: [playbook] }));
    story.see(eventOf());
    moves(story, playbook);
    story.answer(done);

    const first = story.all('RunStarted')[0]?.run;
    assert.deepEqual(
      story.all('StepRequested').filter(({ run, phase }) => run === first && phase === 'steps'),
      [],
    );
    const ended = story.all('RunFinished')[0];
    assert.deepEqual([ended?.end, reason.test(ended?.reason ?? '')], [wanted, true], ended?.reason);
  });

  test(`${row}: a step that was asked for is not granted when ${says}`, () => {
    const playbook = playbookOf();
    const story = tell(policyOf({ playbooks: [playbook] }));
    story.see(eventOf());
    const call = callOf(story);
    moves(story, playbook);
    claim(story, call, 'w1');

    assert.equal(story.all('StepGranted').length, 0);
    const ended = story.all('RunFinished')[0];
    assert.deepEqual([ended?.end, reason.test(ended?.reason ?? '')], [wanted, true], ended?.reason);
    const finished = story.last('StepFinished').outcome;
    assert.equal(finished.outcome === 'failed' ? finished.error : '', 'stale');
  });
}

test('C1: a recovery that overtook the run is not booked as the work of its playbook, and it costs no attempt', () => {
  const guards = { ...playbookOf().guards, attempts: { max: 1, perMs: hour }, cooldownMs: hour };
  const story = began({ diagnose: [look], guards });
  clears(story);
  story.answer(done);
  assert.deepEqual([end(story), story.last('IncidentResolved').by, paged(story)], ['noop', 'source', 0]);
  story.forward(minute);

  fires(story);
  story.answer(done);

  assert.deepEqual(asked(story).at(-1), 'steps/restart/1');
});

test('C1: what was done before a person took it is taken back when the playbook says so, and nothing else is done', () => {
  const steps = [stepOf({ id: 'drain', undo }), stepOf({ id: 'restart' })];
  const story = began({ steps, verify: { ...playbookOf().verify, otherwise: 'rollback' } });
  claim(story, callOf(story), 'w1');
  ack(story);
  story.answer(done);
  assert.equal(asked(story).at(-1), 'undo/drain/1');
  story.answer(done);

  assert.deepEqual([end(story), story.last('RunFinished').reason], ['noop', 'taken by anna, before step restart']);
  assert.equal(asked(story).includes('steps/restart/1'), false);
});

test('C1: a retry is a new effect: it is not made once the alert is over', () => {
  const story = began({ steps: [stepOf({ retry: { times: 3, waitMs: 5 * second, factor: 1, waitMaxMs: minute } })] });
  story.answer(broke);
  clears(story);
  story.forward(minute);

  assert.deepEqual([asked(story), end(story)], [['steps/restart/1'], 'noop']);
});

test('C1: a run of three alerts goes on while one of them fires, and stops when the last is over', () => {
  const story = tell(policyOf({ playbooks: [playbookOf({ target: 'all', params: {}, steps: [stepOf({ with: {} })], diagnose: [look] })] }));
  const event = (host: string) => eventOf({ entity: { host, service: 'checkout' } });
  story.see(event('a'));
  story.see(eventOf({ ...event('b'), name: 'Latency' }));
  story.see({ ...event('a'), claim: 'cleared', observedAt: story.now() + 1 });
  story.answer(done);

  assert.equal(end(story), 'noop', 'a stranger that fires on does not keep it going');
});

test('C1: a person who took it and then approves the run lets it act', () => {
  const story = began({ mode: 'approve' });
  ack(story);
  story.forward(second);
  story.say({ type: 'Approved', run: story.last('RunStarted').run, by: 'anna', via: 'api' });
  claim(story, callOf(story), 'w1');

  assert.equal(story.all('StepGranted').length, 1);
});

test('C1: a person who takes it over after the approval stops what is left', () => {
  const story = began({ mode: 'approve' });
  story.say({ type: 'Approved', run: story.last('RunStarted').run, by: 'ben', via: 'api' });
  story.forward(second);
  ack(story, 'anna', true);
  claim(story, callOf(story), 'w1');

  assert.deepEqual([story.all('StepGranted').length, end(story)], [0, 'noop']);
});

for (const { says, change } of [
  { says: 'deleted', change: null },
  { says: 'switched off', change: { mode: 'off' as const } },
  { says: 'changed', change: { summary: 'another' } },
]) {
  test(`C11: an approval of a playbook that was ${says} while the run waited means nothing`, () => {
    const story = began({ mode: 'approve' });
    const playbooks = change === null ? [] : [playbookOf({ mode: 'approve', ...change })];
    const run = story.last('RunStarted').run;
    story.policy(policyOf({ playbooks }));

    story.say({ type: 'Approved', run, by: 'ann', via: 'api' });

    const ended = story.all('RunFinished')[0];
    assert.deepEqual([ended?.run, ended?.end, asked(story)], [run, 'cancelled', []]);
    assert.deepEqual(
      [story.last('ApprovalGiven').approved, story.last('ApprovalGiven').note.startsWith('ann approved it, but')],
      [false, true],
    );
  });
}

test('V2: what was done is taken back although the playbook was deleted meanwhile, but not while frozen', () => {
  for (const frozen of [null, { by: 'ann', reason: 'audit' }]) {
    const steps = [stepOf({ id: 'drain', undo }), stepOf({ id: 'restart' })];
    const story = began({ steps, verify: { ...playbookOf().verify, otherwise: 'rollback' } });
    story.answer(done);
    claim(story, callOf(story), 'w1');
    story.policy(policyOf());
    story.freeze(frozen);
    story.answer(broke);

    assert.equal(asked(story).includes('undo/drain/1'), frozen === null);
    if (frozen !== null) assert.equal(end(story), 'stuck');
  }
});
