// A call that waits for a slot: how long, what is said of it, and what becomes of its run when its turn does not come (R6 in run/calls.ts).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Diagnosis } from '../../src/core/playbook/document.ts';
import { minute, second } from '../../src/core/time.ts';
import { entryOf } from '../../src/readmodel/timeline.ts';
import { asked, began, callOf, claim, clears, end, paged, probe, proving } from '../support/play.ts';
import { stepOf } from '../support/policy.ts';
import { broke, done, type Story } from '../support/story.ts';

const why = '16 steps are under way, the most at once';

function waits(story: Story): void {
  const { run, call } = callOf(story);
  story.say({ type: 'StepDelayed', run, call, why });
}

test('C10: a call that waits for a slot is granted as late as its bound, and its own time counts from there', () => {
  const story = began({ steps: [stepOf({ timeoutMs: 30 * second })] });
  story.forward(20 * second);
  waits(story);
  story.forward(59 * second);
  const call = callOf(story);
  claim(story, call, 'w1');
  assert.equal(story.last('StepGranted').waitedMs, 59 * second);
  assert.match(entryOf(story.last('StepQueued'))?.text ?? '', /^steps\/restart\/1 waits for a slot: 16 steps are under way/);
  assert.match(entryOf(story.last('StepGranted'))?.text ?? '', /^steps\/restart\/1 begins, after 59s of waiting for a slot$/);

  story.forward(44 * second);
  assert.equal(story.all('StepFinished').length, 0, 'the whole of its time and what an answer may take');
  story.say({ type: 'StepAnswered', run: call.run, call: call.call, worker: 'w1', outcome: done, tookMs: 30 * second });
  assert.equal(story.last('StepFinished').outcome.outcome, 'ok');
});

test('C10: a run whose turn does not come says so, is no failed remedy, and its playbook is asked again', () => {
  const story = began();
  waits(story);
  waits(story);
  assert.equal(story.all('StepQueued').length, 1);
  story.forward(minute);

  const { outcome } = story.last('StepFinished');
  assert.deepEqual(outcome, {
    outcome: 'failed',
    error: 'no_slot',
    detail: `its turn did not come within 1m (${why}); nothing was done`,
    output: {},
  });
  const finished = story.last('RunFinished');
  assert.deepEqual([finished.end, finished.because], ['cancelled', 'slots']);
  assert.match(finished.reason, /^step restart: its turn did not come within 1m \(16 steps are under way/);
  assert.equal(story.last('ResourceReleased').acted, false);
  const held = story.last('IncidentDecided');
  assert.deepEqual(
    [held.decision, held.reason.startsWith('playbook restart-service waits: step restart: its turn did not come')],
    ['hold', true],
  );

  story.forward(14 * second);
  assert.equal(story.all('RunStarted').length, 1, 'not at once, or it would take turns with itself');
  story.forward(second);
  assert.equal(story.all('RunStarted').length, 2);
  story.answer(done);
  clears(story);
  assert.deepEqual([end(story), paged(story), story.last('IncidentResolved').by], ['succeeded', 0, 'playbook']);
});

test('C10: a person is called by the hold-off all the same, and reads why nothing was done', () => {
  const story = began();
  for (let at = 0; at < 10 * minute; at += 5 * second) {
    if (story.openCall() !== null) waits(story);
    story.forward(5 * second);
  }
  assert.equal(paged(story), 1);
  const said = story.all('RunRefused').map(({ guard }) => guard);
  assert.ok(story.last('PageOpened').reason.includes('at work') || said.includes('slots'), story.last('PageOpened').reason);
  assert.equal(
    story.all('RunFinished').every(({ because }) => because === 'slots'),
    true,
  );
  assert.ok(story.all('RunStarted').length <= 6, `${story.all('RunStarted').length} runs in ten minutes`);
});

test('C10: whoever could begin nothing counts alike: nobody took it, too late, the executor away', () => {
  for (const error of ['too_late', 'executor_unavailable', 'closed']) {
    const story = began();
    story.answer({ outcome: 'failed', error, detail: 'nothing was done', output: {} });
    assert.deepEqual([end(story), story.last('RunFinished').because], ['cancelled', 'slots'], error);
  }
  const story = began();
  story.forward(30 * second);
  assert.deepEqual([end(story), story.last('RunFinished').because], ['cancelled', 'slots']);
  const failed = began();
  failed.answer(broke);
  assert.deepEqual([end(failed), failed.last('RunFinished').because], ['failed', undefined]);
});

test('C10: a look that gets no turn ends the run likewise; a step after one that was done ends it failed, and takes back', () => {
  const look: Diagnosis = { kind: 'look', id: 'disk', uses: 'test/get', with: {}, timeoutMs: second, continueOnError: false };
  const looking = began({ diagnose: [look] });
  waits(looking);
  looking.forward(minute);
  assert.deepEqual([end(looking), looking.last('RunFinished').because], ['cancelled', 'slots']);

  const undo = { uses: 'test/undo', with: {}, timeoutMs: second };
  const base = began().last('RunStarted').playbook;
  const story = began({ steps: [stepOf({ undo }), stepOf({ id: 'second' })], verify: { ...base.verify, otherwise: 'rollback' } });
  story.answer(done);
  waits(story);
  story.forward(minute);
  assert.equal(asked(story).at(-1), 'undo/restart/1');
  story.answer(done);
  const finished = story.last('RunFinished');
  assert.deepEqual([finished.end, finished.because], ['failed', 'slots']);
});

test('C10: what could not be looked at afterwards is not known, and nothing is taken back for it', () => {
  const story = proving({ proofs: [probe], require: 'all', withinMs: minute, everyMs: 30 * second, otherwise: 'rollback' });
  for (let at = 0; at < 4 * minute && story.all('RunFinished').length === 0; at += 5 * second) {
    if (story.openCall() !== null) waits(story);
    story.forward(5 * second);
  }
  assert.equal(end(story), 'unknown');
  assert.match(story.last('RunFinished').reason, /^whether it helped is not known: test\/get: its turn did not come/);
});
