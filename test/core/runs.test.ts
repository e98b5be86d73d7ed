// One run of a playbook: what it asks for, who may act, what an answer or silence does, and which ends call a person.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Diagnosis, Playbook } from '../../src/core/playbook/document.ts';
import { hour, minute, second } from '../../src/core/time.ts';
import { eventOf } from '../support/event.ts';
import { asked, began, callOf, claim, clears, end } from '../support/play.ts';
import { playbookOf, policyOf, stepOf } from '../support/policy.ts';
import { broke, done, silent, tell, type Story } from '../support/story.ts';

const retrying = { times: 3, waitMs: 5 * second, factor: 2, waitMaxMs: 12 * second };

// ---------------------------------------------------------------- start

test('a playbook that matches starts with its parameters and target, and asks for its first step', () => {
  const story = began();

  const { params, target, mode } = story.last('RunStarted');
  assert.deepEqual({ params: { ...params }, target, mode }, { params: { service: 'checkout' }, target: 'checkout', mode: 'auto' });
  const { call, uses, input, timeoutMs } = story.last('StepRequested');
  assert.deepEqual(
    { call, uses, input: { ...input }, timeoutMs },
    { call: 'steps/restart/1', uses: 'test/restart', input: { name: 'checkout' }, timeoutMs: 30 * second },
  );
  assert.equal(story.last('AlertDecided').decision, 'remediate');
});

test('a playbook that is off, or whose condition does not hold, does nothing', () => {
  for (const change of [{ mode: 'off' as const }, { triggers: [{ on: 'alert' as const, when: 'alert.name == "Other"', forMs: 0 }] }]) {
    assert.equal(began(change).all('RunStarted').length, 0);
  }
});

test('a run that puts the fire out ends the incident, and nobody is paged', () => {
  const story = began();
  story.answer(done);
  story.forward(20 * second);

  clears(story);
  story.forward(hour);

  assert.equal(end(story), 'succeeded');
  assert.equal(story.last('IncidentResolved').by, 'playbook');
  assert.equal(story.all('PageOpened').length, 0);
});

test('values reach an action with the type they have, and text from an alert is only ever text', () => {
  const hostile = '${params.service} $params.service $(reboot) `id`\n-rf';
  const story = tell(
    policyOf({
      playbooks: [
        playbookOf({
          diagnose: [look()],
          steps: [
            stepOf({
              with: {
                pid: '$steps.status.pid',
                up: '$steps.status.up',
                list: ['$steps.status.list', '$$5'],
                text: 'on ${alert.host}: ${steps.status.pid}',
                hostile: '$alert.labels.evil',
                inside: '<${alert.labels.evil}>',
              },
            }),
          ],
        }),
      ],
    }),
  );
  story.see(eventOf({ labels: { evil: hostile } }));

  story.answer({ outcome: 'ok', output: { pid: 42, up: false, list: [1, 'b'] } });

  assert.deepEqual(structuredClone(story.last('StepRequested').input), {
    pid: 42,
    up: false,
    list: [[1, 'b'], '$5'],
    text: 'on web1: 42',
    hostile,
    inside: `<${hostile}>`,
  });
});

test('a step whose input cannot be filled fails before anything is asked for', () => {
  const story = began({ steps: [stepOf({ with: { name: '$steps.nothing.pid' } })] });
  story.forward(minute);

  assert.deepEqual(asked(story), []);
  assert.equal(end(story), 'failed');
  assert.match(story.last('PageOpened').reason, /there is no nothing/);
});

// ---------------------------------------------------------------- diagnose

function look(change: Partial<Extract<Diagnosis, { kind: 'look' }>> = {}): Diagnosis {
  return { kind: 'look', id: 'status', continueOnError: false, uses: 'test/status', with: {}, timeoutMs: 10 * second, ...change };
}

function check(change: Partial<Extract<Diagnosis, { kind: 'check' }>> = {}): Diagnosis {
  return { kind: 'check', check: 'steps.status.up == false', otherwise: 'end', say: 'it is up', ...change };
}

test('what a look saw decides a check, and the run goes on to its steps', () => {
  const story = began({ diagnose: [look(), check()] });

  story.answer({ outcome: 'ok', output: { up: false } });

  assert.deepEqual(asked(story), ['diagnose/status/1', 'steps/restart/1']);
});

test('a check that finds nothing to do ends the run as noop, and calls a person only if the alerts stay', () => {
  const story = began({ diagnose: [look(), check()] });
  story.answer({ outcome: 'ok', output: { up: true } });
  story.forward(4 * minute);
  assert.deepEqual([end(story), story.last('RunFinished').reason, story.all('PageOpened').length], ['noop', 'it is up', 0]);

  story.forward(2 * minute);

  assert.match(story.last('PageOpened').reason, /restart-service is done, yet 1 of 1 alerts still fire/);
});

for (const { says, diagnose, outcome, reason } of [
  {
    says: 'a check that must escalate',
    diagnose: [look(), check({ otherwise: 'escalate' })],
    outcome: { outcome: 'ok' as const, output: { up: true } },
    reason: /it is up/,
  },
  {
    says: 'a check that cannot be evaluated, even one that would end',
    diagnose: [look(), check()],
    outcome: done,
    reason: /check steps\.status\.up == false/,
  },
  { says: 'a look that failed', diagnose: [look()], outcome: broke, reason: /exit code 1/ },
  { says: 'a look without an answer', diagnose: [look()], outcome: silent, reason: /no answer/ },
  {
    says: 'a look that cannot be asked for',
    diagnose: [look(), look({ id: 'next', with: { pid: '$steps.status.pid' } })],
    outcome: done,
    reason: /there is no pid/,
  },
]) {
  test(`${says} fails the run without an effect, and pages`, () => {
    const story = began({ diagnose });
    story.answer(outcome);
    story.forward(20 * second);

    assert.equal(end(story), 'failed');
    assert.equal(asked(story).filter((call) => call.startsWith('steps')).length, 0);
    assert.match(story.last('PageOpened').reason, reason);
  });
}

test('a look that may fail does not stop the run', () => {
  const story = began({ diagnose: [look({ continueOnError: true })] });

  story.answer(broke);

  assert.deepEqual(asked(story), ['diagnose/status/1', 'steps/restart/1']);
});

// ---------------------------------------------------------------- calls

test('R1: the second worker to claim a call gets no grant, nor does the first again', () => {
  const story = began();
  const call = callOf(story);

  claim(story, call, 'w1');
  assert.deepEqual([...claim(story, call, 'w2'), ...claim(story, call, 'w1')], []);

  assert.deepEqual(
    story.all('StepGranted').map((fact) => fact.worker),
    ['w1'],
  );
});

test('R1: an answer of a worker that was not granted the call is noted and moves nothing', () => {
  const story = began();
  const call = callOf(story);
  const answer = (worker: string) => story.say({ type: 'StepAnswered', run: call.run, call: call.call, worker, outcome: done, tookMs: 1 });

  const early = answer('w1');
  claim(story, call, 'w1');
  const strange = answer('w2');

  for (const facts of [early, strange])
    assert.deepEqual(
      facts.map((fact) => fact.type),
      ['IncidentNoted'],
    );
  assert.equal(answer('w1')[0]?.type, 'StepFinished');
});

test('R1: a late answer to an earlier attempt is noted and does not move the run', () => {
  const story = began({ steps: [stepOf({ onUnknown: 'retry', retry: retrying })] });
  const first = callOf(story);
  claim(story, first, 'w1');
  story.forward(45 * second);
  story.forward(5 * second);
  assert.equal(callOf(story).call, 'steps/restart/2');

  const told = story.say({ type: 'StepAnswered', run: first.run, call: first.call, worker: 'w1', outcome: done, tookMs: 1 });

  assert.deepEqual(
    told.map((fact) => fact.type),
    ['IncidentNoted'],
  );
  assert.match(story.last('IncidentNoted').text, /late answer of steps\/restart\/1 .* ok; it no longer counts/);
});

test('R1: claims and answers for runs and calls that do not exist do nothing', () => {
  const story = began();
  const run = story.last('RunStarted').run;

  assert.deepEqual(story.say({ type: 'StepClaimed', run: 'r999.default', call: 'steps/restart/1', worker: 'w1' }), []);
  assert.deepEqual(story.say({ type: 'StepClaimed', run, call: 'steps/restart/2', worker: 'w1' }), []);
  assert.deepEqual(
    story.say({ type: 'StepAnswered', run: '__proto__', call: 'steps/restart/1', worker: 'w1', outcome: done, tookMs: 1 }),
    [],
  );
});

test('a call that nobody claims fails with the word that nothing was done, and a claim after that gets no grant', () => {
  const story = began();
  const call = callOf(story);

  story.forward(30 * second);

  const { outcome } = story.last('StepFinished');
  assert.equal(outcome.outcome === 'failed' ? outcome.error : '', 'unclaimed');
  assert.deepEqual(claim(story, call, 'w1'), []);
  assert.deepEqual([end(story), story.last('RunFinished').because], ['cancelled', 'slots']);
});

test('R2: silence after a grant is unknown, is not repeated however many retries there are, and pages', () => {
  const story = began({ steps: [stepOf({ retry: retrying })] });
  claim(story, callOf(story), 'w1');
  story.forward(34 * second);
  assert.equal(story.all('StepFinished').length, 0);

  story.forward(second);
  story.forward(hour);

  assert.equal(story.last('StepFinished').outcome.outcome, 'unknown');
  assert.deepEqual(asked(story), ['steps/restart/1']);
  assert.equal(end(story), 'unknown');
  assert.match(story.last('PageOpened').reason, /it may have happened, so it is not repeated/);
});

test('R2: unknown is repeated when the step says so, as often as it says, and still ends unknown', () => {
  const story = began({ steps: [stepOf({ onUnknown: 'retry', retry: { ...retrying, times: 1 } })] });

  story.answer(silent);
  story.forward(5 * second);
  story.answer(silent);
  story.forward(hour);

  assert.deepEqual(asked(story), ['steps/restart/1', 'steps/restart/2']);
  assert.equal(end(story), 'unknown');
});

test('a step that failed is asked for again after growing waits, up to the longest', () => {
  const story = began({ steps: [stepOf({ retry: retrying })] });
  for (let attempt = 0; attempt < 4; attempt += 1) {
    if (attempt > 0) story.forward(12 * second);
    story.answer(broke);
  }

  const asks = story.all('StepRequested');
  assert.deepEqual(
    story.all('WakeRequested').flatMap((fact) => (fact.wake.kind === 'pause' ? [fact.afterMs] : [])),
    [5 * second, 10 * second, 12 * second],
  );
  assert.deepEqual(
    asks.map((fact) => fact.attempt),
    [1, 2, 3, 4],
  );
  assert.equal(end(story), 'failed');
});

test('the attempts of one step are not charged to the next', () => {
  const story = began({ steps: [stepOf({ retry: retrying }), stepOf({ id: 'warm', retry: retrying })] });
  story.answer(broke);
  story.forward(5 * second);
  story.answer(done);

  assert.equal(callOf(story).call, 'steps/warm/1');
});

test('a wake of an earlier pause does not ask twice', () => {
  const story = began({ steps: [stepOf({ retry: retrying })] });
  story.answer(broke);
  story.forward(5 * second);
  const before = asked(story).length;

  story.say({ type: 'Woke', token: `pause|${story.last('RunStarted').run}|1` });

  assert.equal(asked(story).length, before);
});

// ---------------------------------------------------------------- steps

test('a step whose condition does not hold is left out; the condition sees what ran before', () => {
  const steps = [
    stepOf({ id: 'drain' }),
    stepOf({ id: 'kick', when: 'steps.drain.left > 0' }),
    stepOf({ id: 'ready', when: 'steps.drain.left == 0' }),
  ];
  const story = began({ steps });

  story.answer({ outcome: 'ok', output: { left: 0 } });

  assert.deepEqual(asked(story), ['steps/drain/1', 'steps/ready/1']);
});

test('a condition that cannot be evaluated fails the step instead of guessing', () => {
  const story = began({ steps: [stepOf({ when: 'steps.nothing.left > 0' })] });

  assert.equal(end(story), 'failed');
  assert.match(story.last('RunFinished').reason, /condition of step restart/);
});

test('a step that may fail lets the run go on, which then ends degraded and calls a person', () => {
  const story = began({ steps: [stepOf({ id: 'drain', continueOnError: true }), stepOf()] });
  story.answer(broke);
  story.answer(done);
  clears(story);
  story.forward(20 * second);

  assert.equal(end(story), 'degraded');
  assert.match(story.last('PageOpened').reason, /ended degraded/);
});

// ---------------------------------------------------------------- taking back

const undo = { uses: 'test/undo', with: { name: '$params.service', token: '$steps.drain.token' }, timeoutMs: 10 * second };
const undoing: Partial<Playbook> = {
  steps: [
    stepOf({ id: 'drain', undo }),
    stepOf({ id: 'skip', when: 'false', undo }),
    stepOf({ id: 'move', undo: { ...undo, with: {} } }),
    stepOf({ id: 'restart', undo }),
  ],
  verify: { ...playbookOf().verify, otherwise: 'rollback' },
};

function drained(change: Partial<Playbook> = {}): Story {
  const story = began({ ...undoing, ...change });
  story.answer({ outcome: 'ok', output: { token: 't1' } });
  story.answer(done);
  return story;
}

test('what was done is taken back in reverse order, with what was known then; what failed or was left out is not', () => {
  const story = drained();
  story.answer(broke);
  story.answer(done);
  story.answer(done);
  story.forward(20 * second);

  assert.deepEqual(asked(story).slice(3), ['undo/move/1', 'undo/drain/1']);
  assert.deepEqual(structuredClone(story.last('StepRequested').input), { name: 'checkout', token: 't1' });
  assert.equal(end(story), 'rolled-back');
  assert.match(story.last('PageOpened').reason, /ended rolled-back: step restart: exit code 1/);
});

test('a run that is not proven in time is taken back', () => {
  const story = drained();
  story.answer(done);
  story.forward(10 * minute);
  assert.equal(callOf(story).call, 'undo/restart/1');

  for (let step = 0; step < 3; step += 1) story.answer(done);

  assert.equal(end(story), 'rolled-back');
  assert.match(story.last('RunFinished').reason, /not verified within 10m: alerts still fire/);
});

for (const outcome of [broke, silent]) {
  test(`an undo that is ${outcome.outcome} leaves the run stuck: the rest is not tried, and a person is called`, () => {
    const story = drained();
    story.answer(broke);
    story.answer(outcome);
    story.forward(20 * second);

    assert.deepEqual(asked(story).slice(3), ['undo/move/1']);
    assert.equal(end(story), 'stuck');
    assert.match(story.last('PageOpened').reason, /ended stuck: undo of move/);
  });
}

test('a playbook that says escalate takes nothing back', () => {
  const story = drained({ verify: playbookOf().verify });
  story.answer(broke);

  assert.equal(end(story), 'failed');
  assert.equal(asked(story).length, 3);
});

test('a step of unknown outcome stops the run where it is: nothing is taken back over it', () => {
  const story = drained();
  story.answer(silent);

  assert.equal(end(story), 'unknown');
  assert.equal(asked(story).length, 3);
});
