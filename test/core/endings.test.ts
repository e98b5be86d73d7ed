// How runs prove themselves and end: once, and with a person called when it matters.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hour, minute, second } from '../../src/core/time.ts';
import { cancels, endings } from '../support/endings.ts';
import { asked, began, callOf, claim, clears, end, ends, fires, incidentOf, paged, probe, proving, well } from '../support/play.ts';
import { playbookOf, policyOf, stepOf } from '../support/policy.ts';
import { accepted, broke, done, silent, type Story } from '../support/story.ts';

const ill = { outcome: 'ok', output: { status: 500 } } as const;

// ---------------------------------------------------------------- proof

test('require all: a good probe does not make up for alerts that still fire', () => {
  const story = proving({ proofs: [probe, { kind: 'resolved' }] });
  story.answer(well);
  assert.deepEqual(ends(story), []);

  clears(story);
  story.answer(well);

  assert.deepEqual(ends(story), ['succeeded']);
});

test('require all: a bad probe is not made up for by cleared alerts', () => {
  const story = proving({ proofs: [{ kind: 'resolved' }, probe] });
  clears(story);

  story.answer(ill);

  assert.deepEqual(ends(story), []);
  assert.equal(story.all('IncidentResolved').length, 0);
});

test('require any: one good probe suffices while the alert still fires', () => {
  const story = proving({ proofs: [{ kind: 'resolved' }, probe], require: 'any' });

  story.answer(well);

  assert.deepEqual(ends(story), ['succeeded']);
  assert.equal(story.all('IncidentResolved').length, 0);
});

test('require any: when no proof held in time the run fails', () => {
  const story = proving({ proofs: [{ kind: 'resolved' }, probe], require: 'any', withinMs: 15 * second });
  story.answer(ill);
  story.forward(10 * second);
  story.answer(ill);
  story.forward(5 * second);

  story.answer(ill);

  assert.equal(end(story), 'failed');
  assert.match(story.last('RunFinished').reason, /not verified within 15s: no proof held/);
});

for (const outcome of [broke, silent]) {
  test(`a probe that is ${outcome.outcome} proves nothing, and is looked at again`, () => {
    const story = proving({ proofs: [probe] });
    story.answer(outcome);
    assert.deepEqual(ends(story), []);

    story.forward(10 * second);
    story.answer(well);

    assert.deepEqual(ends(story), ['succeeded']);
  });
}

test('a probe whose input cannot be filled proves nothing', () => {
  const broken = { ...probe, with: { pid: '$steps.nothing.pid' } };
  const all = proving({ proofs: [broken] });
  const any = proving({ proofs: [broken, { kind: 'resolved' }], require: 'any' });
  all.forward(hour);
  clears(any);

  assert.equal(end(all), 'failed');
  assert.equal(end(any), 'succeeded');
});

test('the proof must hold for its span; a relapse begins the span anew', () => {
  const story = proving({ proofs: [probe], stableForMs: 25 * second });
  const seen = [well, well, ill, well, well, well];
  for (const outcome of seen) {
    story.answer(outcome);
    story.forward(10 * second);
  }
  assert.deepEqual(ends(story), []);

  story.answer(well);

  assert.deepEqual(ends(story), ['succeeded']);
});

test('alerts that clear are looked at at once, not at the next look', () => {
  const story = proving({ everyMs: 5 * minute });
  story.forward(second);

  clears(story);

  assert.deepEqual(ends(story), ['succeeded']);
});

test('an alert that comes back before the proof has held keeps the run at work', () => {
  const story = proving({ stableForMs: minute });
  clears(story);
  story.forward(30 * second);
  fires(story);
  story.forward(40 * second);
  assert.deepEqual(ends(story), []);

  clears(story);
  story.forward(minute);

  assert.deepEqual(ends(story), ['succeeded']);
});

test('a clear while a probe is under way does not ask for a second one', () => {
  const story = proving({ proofs: [probe] });
  clears(story);

  assert.deepEqual(asked(story).filter((call) => call.startsWith('verify')).length, 1);
});

test('after a proven run whose alerts keep firing a person is called, once', () => {
  const story = proving({ proofs: [probe] });
  story.answer(well);
  story.forward(4 * minute);
  assert.deepEqual([paged(story), story.last('IncidentDecided').decision], [0, 'hold']);

  story.forward(hour);

  assert.equal(paged(story), 1);
  assert.match(story.last('PageOpened').reason, /restart-service is done, yet 1 of 1 alerts still fire/);
});

test('the grace of a run is over when its incident resolved and came back: the next life has its own', () => {
  const story = proving({ proofs: [probe] }, { guards: { ...playbookOf().guards } });
  story.answer(well);
  story.forward(4 * minute);
  clears(story);
  fires(story);
  story.answer(done);
  story.answer(well);

  story.forward(2 * minute);

  assert.deepEqual([story.all('IncidentReopened').length, ends(story).length, paged(story)], [1, 2, 0]);
  story.forward(4 * minute);
  assert.equal(paged(story), 1);
});

// ---------------------------------------------------------------- policy and ends

test('R5: a playbook that is taken away when its effects are done is proven all the same', () => {
  const story = began({ verify: { ...playbookOf().verify, withinMs: minute } });
  story.answer(done);
  story.policy(policyOf());

  story.forward(minute);

  assert.match(story.last('RunFinished').reason, /not verified within 1m/);
});

test('a run that takes longer than the hold-off is paged while it works, once', () => {
  const story = proving({ withinMs: 8 * minute });
  story.forward(minute);
  assert.equal(paged(story), 0);

  story.forward(20 * minute);

  assert.deepEqual([paged(story), ends(story)], [1, ['failed']]);
  assert.match(story.last('PageOpened').reason, /has been at work for 2m/);
});

test('a hold-off of nothing pages and remediates side by side', () => {
  const story = began({}, { holdOffMs: 0 });
  story.forward(0);

  assert.deepEqual([paged(story), asked(story)], [1, ['steps/restart/1']]);
});

for (const { end: wanted, change, play, calls } of endings) {
  test(`R3: a run that ends ${wanted} ends once, emits nothing after, and ${calls ? 'a person is called' : 'nobody is called'}`, () => {
    const story = began(change);
    play(story);
    story.forward(20 * second);
    assert.equal(paged(story), calls ? 1 : 0);
    const call = story.all('StepRequested').at(-1);
    const { run } = story.last('RunStarted');
    const after = story.facts.length;

    story.forward(minute);
    for (const name of [call?.call ?? '', 'steps/restart/1', 'undo/a/1']) {
      for (const worker of ['w1', 'w2']) {
        story.say({ type: 'StepClaimed', run, call: name, worker });
        story.say({ type: 'StepAnswered', run, call: name, worker, outcome: done, tookMs: 1 });
      }
    }
    story.say({ type: 'Approved', run, by: 'ann', via: 'api' });
    cancels(story);
    story.notified(accepted);

    assert.deepEqual(ends(story), [wanted]);
    const moved = story.facts.slice(after).filter((fact) => 'run' in fact);
    assert.deepEqual(moved, []);
  });
}

/** The last effect is granted, the alert clears, and then the run ends in doubt. */
const doubts: { readonly [end: string]: (story: Story) => void } = {
  unknown(story) {
    claim(story, callOf(story), 'w1');
    clears(story);
    story.answer(silent);
  },
  degraded(story) {
    story.answer(broke);
    clears(story);
    story.answer(well);
  },
  stuck(story) {
    story.answer(done);
    claim(story, callOf(story), 'w1');
    clears(story);
    for (const outcome of [broke, broke]) story.answer(outcome);
  },
};

for (const { end: wanted, change } of endings.filter((ending) => Object.hasOwn(doubts, ending.end))) {
  test(`R3: a run that ends ${wanted} calls a person even when the alert has cleared by then, until one has looked`, () => {
    const story = began(change);
    story.forward(20 * second);
    doubts[wanted]?.(story);
    assert.deepEqual([ends(story), paged(story)], [[wanted], 1]);
    story.notified(accepted);
    story.forward(6 * minute);
    assert.equal(story.all('PageRang').length, 2);
    assert.equal(story.all('IncidentResolved').length, 0);

    story.say({ type: 'Acked', incident: incidentOf(story), by: 'ann', via: 'api' });

    assert.equal(story.all('IncidentResolved').length, 1);
    assert.equal(story.last('PageClosed').page, story.last('PageOpened').page);
  });
}

test('a run that failed while its alert cleared needs nobody: the incident resolves', () => {
  const story = began();
  story.forward(20 * second);
  claim(story, callOf(story), 'w1');
  clears(story);

  story.answer(broke);

  assert.deepEqual([ends(story), paged(story)], [['failed'], 0]);
  assert.equal(story.all('IncidentResolved').length, 1);
});

// ---------------------------------------------------------------- words

test("the page begins with the playbook's own sentence, filled in, and keeps the reason", () => {
  const say = 'Restarting ${params.service} did not help.';
  const story = began({ escalate: { ladder: null, say } });

  story.answer(broke);
  story.forward(minute);

  assert.equal(
    story.last('PageOpened').reason,
    'playbook restart-service ended failed: Restarting checkout did not help (step restart: exit code 1)',
  );
});

test('an undo whose input cannot be filled ends the run stuck, and a person is called', () => {
  const undo = { uses: 'test/undo', with: { was: '$steps.restart.previous' }, timeoutMs: second };
  const verify = { ...playbookOf().verify, withinMs: minute, otherwise: 'rollback' as const };
  const story = began({ steps: [stepOf({ undo })], verify });
  story.answer(done);
  story.forward(minute + second);

  assert.ok('$unfilled' in (story.openCall()?.input ?? {}));
  story.answer(broke);

  assert.equal(story.last('RunFinished').end, 'stuck');
});
