// What people do to runs: cancel them, resolve their incident, freeze everything, approve or deny; and runs that only pretend.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fact } from '../../src/core/records.ts';
import type { Playbook } from '../../src/core/playbook/document.ts';
import { hour, minute, second } from '../../src/core/time.ts';
import { eventOf } from '../support/event.ts';
import { asked, began, callOf, claim, clears, ends, incidentOf, paged, probe, proving, well } from '../support/play.ts';
import { playbookOf, policyOf, stepOf } from '../support/policy.ts';
import { accepted, broke, done, tell } from '../support/story.ts';

// ---------------------------------------------------------------- people stop it

test('a cancelled run that waits ends at once, calls a person and asks for nothing more', () => {
  const story = proving({});
  const { run } = story.last('RunStarted');

  story.say({ type: 'CommandGiven', command: { name: 'cancel', run }, by: 'ann' });
  story.forward(hour);

  assert.deepEqual(ends(story), ['cancelled']);
  assert.match(story.last('PageOpened').reason, /ended cancelled: cancelled by ann/);
});

test('a cancelled run whose call nobody has taken ends at once, and the call is granted to nobody', () => {
  const story = began();
  const call = callOf(story);

  story.say({ type: 'CommandGiven', command: { name: 'cancel', run: call.run }, by: 'ann' });

  assert.deepEqual(ends(story), ['cancelled']);
  assert.deepEqual(claim(story, call, 'w1'), []);
  assert.equal(story.all('StepGranted').length, 0);
});

test('a cancelled run lets the call under way answer, then ends without the next step', () => {
  const story = began({ steps: [stepOf(), stepOf({ id: 'next' })] });
  const call = callOf(story);
  claim(story, call, 'w1');
  const cancel = () => story.say({ type: 'CommandGiven', command: { name: 'cancel', run: call.run }, by: 'ann' });
  cancel();
  assert.deepEqual([ends(story), cancel()], [[], []]);

  story.say({ type: 'StepAnswered', run: call.run, call: call.call, worker: 'w1', outcome: done, tookMs: 1 });

  assert.deepEqual(ends(story), ['cancelled']);
  assert.deepEqual(asked(story), ['steps/restart/1']);
});

test('C14: a call that was granted is called off, once, from its own worker; what it did midway is said', () => {
  const story = began({});
  const call = callOf(story);
  claim(story, call, 'w1');
  for (const by of ['ann', 'bob']) story.say({ type: 'CommandGiven', command: { name: 'cancel', run: call.run }, by });
  assert.deepEqual(
    story.all('StepCalledOff').map(({ run, call: id, worker, why }) => [run, id, worker, why]),
    [[call.run, call.call, 'w1', 'cancelled by ann']],
  );
  const outcome = { outcome: 'unknown', detail: 'it was called off' } as const;
  story.say({ type: 'StepAnswered', run: call.run, call: call.call, worker: 'w1', outcome, tookMs: 1 });
  assert.deepEqual(ends(story), ['cancelled']);
  assert.match(story.last('RunFinished').reason, /^cancelled by ann; restart was ended midway, what it did is not known/);
});

test('a run that is cancelled while it takes back stops taking back', () => {
  const undo = { uses: 'test/undo', with: {}, timeoutMs: 10 * second };
  const verify = { ...playbookOf().verify, otherwise: 'rollback' as const };
  const story = began({ steps: [stepOf({ id: 'a', undo }), stepOf({ id: 'b', undo }), stepOf({ id: 'c' })], verify });
  for (const outcome of [done, done, broke]) story.answer(outcome);
  const call = callOf(story);
  claim(story, call, 'w1');
  story.say({ type: 'CommandGiven', command: { name: 'cancel', run: call.run }, by: 'ann' });

  story.say({ type: 'StepAnswered', run: call.run, call: call.call, worker: 'w1', outcome: done, tookMs: 1 });

  assert.deepEqual(ends(story), ['cancelled']);
  assert.deepEqual(
    asked(story).filter((name) => name.startsWith('undo')),
    ['undo/b/1'],
  );
});

test('a person who resolves the incident ends its run: no effect follows', () => {
  const story = began();
  const call = callOf(story);

  story.say({ type: 'Resolved', incident: incidentOf(story), by: 'ann', via: 'api', note: '' });

  assert.deepEqual(claim(story, call, 'w1'), []);
  assert.deepEqual(ends(story), ['cancelled']);
  assert.equal(paged(story), 0);
});

test('a target is free again after its run, even when the incident was resolved and forgotten meanwhile', () => {
  const story = began({ steps: [stepOf({ timeoutMs: hour })] });
  const call = callOf(story);
  claim(story, call, 'w1');
  story.say({ type: 'Resolved', incident: incidentOf(story), by: 'ann', via: 'api', note: '' });
  clears(story);
  story.forward(2 * hour);

  assert.deepEqual(ends(story), ['cancelled']);
  assert.equal(story.desk().tables.targets.rows.get('checkout')?.holder, null);
  story.forward(hour);
  assert.deepEqual([story.desk().tables.incidents.rows.size, story.desk().tables.runs.rows.size], [0, 0]);
});

// ---------------------------------------------------------------- freeze

const frozen = { by: 'ann', reason: 'audit' };

test('R4: a call asked for before the freeze is not granted after it', () => {
  const story = began();
  const call = callOf(story);
  story.freeze(frozen);

  claim(story, call, 'w1');

  assert.equal(story.all('StepGranted').length, 0);
  assert.deepEqual(ends(story), ['cancelled']);
  assert.match(story.last('RunFinished').reason, /frozen by ann/);
});

test('R4: a freeze in mid-run lets the call under way answer and asks for no further effect', () => {
  const story = began({ steps: [stepOf(), stepOf({ id: 'next' })] });
  const call = callOf(story);
  claim(story, call, 'w1');
  story.freeze(frozen);

  story.say({ type: 'StepAnswered', run: call.run, call: call.call, worker: 'w1', outcome: done, tookMs: 1 });
  story.forward(20 * second);

  assert.deepEqual(asked(story), ['steps/restart/1']);
  assert.deepEqual(ends(story), ['cancelled']);
  assert.equal(paged(story), 1);
});

test('R4: a freeze during the wait for a retry stops the retry', () => {
  const story = began({ steps: [stepOf({ retry: { ...stepOf().retry, times: 3 } })] });
  story.answer(broke);
  story.freeze(frozen);
  story.forward(minute);

  assert.deepEqual(asked(story), ['steps/restart/1']);
  assert.deepEqual(ends(story), ['cancelled']);
});

test('R4: a freeze before taking back leaves the run stuck, and pages', () => {
  const verify = { ...playbookOf().verify, otherwise: 'rollback' as const };
  const story = began({
    steps: [stepOf({ id: 'a', undo: { uses: 'test/undo', with: {}, timeoutMs: second } }), stepOf({ id: 'b' })],
    verify,
  });
  story.answer(done);
  const call = callOf(story);
  claim(story, call, 'w1');
  story.freeze(frozen);
  story.say({ type: 'StepAnswered', run: call.run, call: call.call, worker: 'w1', outcome: broke, tookMs: 1 });
  story.forward(20 * second);

  assert.equal(asked(story).filter((name) => name.startsWith('undo')).length, 0);
  assert.deepEqual([ends(story), paged(story)], [['stuck'], 1]);
});

test('R4: looks and probes touch nothing and go on while frozen', () => {
  const story = proving({ proofs: [probe] });
  story.freeze(frozen);

  story.answer(well);

  assert.deepEqual(ends(story), ['succeeded']);
});

test('R4: an approval given while frozen starts no effect', () => {
  const story = began({ mode: 'approve' });
  story.freeze(frozen);

  story.say({ type: 'Approved', run: story.last('RunStarted').run, by: 'ann', via: 'api' });

  assert.deepEqual([asked(story), ends(story)], [[], ['cancelled']]);
});

// ---------------------------------------------------------------- shadow

test('C17: a shadow run says which guard would refuse it, and stops nobody by it', () => {
  const guards = { ...playbookOf().guards, confidence: 0.99 };
  const story = began({ mode: 'shadow', guards });

  assert.deepEqual([asked(story), ends(story)], [[], ['shadowed']]);
  assert.match(story.last('RunFinished').reason, /nothing was done; it would be refused: confidence: score [\d.]+ is below 0.99$/);
  assert.equal(story.all('RunRefused').length, 0);
});

test('C17: a shadow run says that the lists of the configuration would refuse it, and so does the end of the incident', () => {
  const story = began({ mode: 'shadow', unlisted: 'step restart: program /opt/x is not on the list' });
  assert.match(story.last('RunFinished').reason, /it would be refused: lists: step restart: program \/opt\/x is not on the list$/);
  clears(story);
  assert.match(story.last('IncidentNoted').text, /would have been refused \(lists: step restart: program/);
});

test('C19: a step that was refused says so, and that nothing was done; the author does not speak of a repair that failed', () => {
  const escalate = { ladder: null, say: 'Restarting did not help.' };
  const refused = { outcome: 'failed', error: 'refused', detail: 'shell: program "/opt/x" is a link', output: {} } as const;
  const story = began({ escalate });
  story.answer(refused);
  story.forward(hour);
  assert.equal(story.last('RunFinished').reason, 'step restart: refused, nothing was done: shell: program "/opt/x" is a link');
  assert.doesNotMatch(story.last('PageOpened').reason, /did not help/);
  const tried = began({ escalate });
  tried.answer(broke);
  assert.match(tried.last('RunFinished').reason, /^Restarting did not help \(step restart: /);
});

test('C17: at the end of the incident stands how it went without the shadow run', () => {
  const story = began({ mode: 'shadow' });
  story.forward(5 * minute);
  clears(story);
  const told = story.all('IncidentNoted').map(({ text }) => text);

  assert.deepEqual(told.length, 1);
  assert.match(
    told[0] ?? '',
    /^shadow: playbook restart-service would have acted on checkout at \d\d:\d\d UTC; without it: over after 5m, by prometheus; a person was paged$/,
  );
});

test('a shadow run looks and tells its plan, touches nothing, and the page comes as if it were not there', () => {
  const diagnose = [{ kind: 'look' as const, id: 'status', continueOnError: false, uses: 'test/status', with: {}, timeoutMs: second }];
  const story = began({ mode: 'shadow', diagnose, steps: [stepOf(), stepOf({ id: 'later', with: { pid: '$steps.restart.pid' } })] });
  story.answer(done);
  story.forward(minute);

  assert.deepEqual(asked(story), ['diagnose/status/1']);
  assert.deepEqual(ends(story), ['shadowed']);
  const plan = story.all('RunMoved').map((fact) => fact.why);
  assert.ok(plan.includes('would call test/restart {"name":"checkout"}'));
  assert.ok(plan.some((why) => why.startsWith('would call test/restart assumed')));
  assert.match(story.last('PageOpened').reason, /no playbook helps/);
  assert.equal(story.desk().tables.targets.rows.size, 0);
});

test('a shadow playbook stands in nobody’s way: the next one that matches acts', () => {
  for (const shadow of [{}, { params: {} }, { target: '' }]) {
    const playbooks = [playbookOf({ name: 'trial', mode: 'shadow', ...shadow }), playbookOf()];
    const story = tell(policyOf({ playbooks }));

    story.see(eventOf());

    assert.deepEqual(asked(story), ['steps/restart/1'], JSON.stringify(shadow));
  }
});

// ---------------------------------------------------------------- approval

const approving: Partial<Playbook> = { mode: 'approve' };

test('approve: the page comes at once with the question, and nothing acts before the answer', () => {
  const story = began(approving);
  const { run } = story.last('RunStarted');

  assert.equal(story.last('NotifyRequested').notification.kind, 'approval');
  assert.match(story.last('PageOpened').reason, new RegExp(`wants to act on checkout: approve or deny run ${run} within 10m`));
  assert.equal(story.last('ApprovalRequested').until, story.now() + 10 * minute);
  assert.deepEqual(asked(story), []);
  story.say({ type: 'Approved', run, by: 'ann', via: 'chat' });
  assert.deepEqual(asked(story), ['steps/restart/1']);
});

/** What a word that came too late left in the story: its only fact is a remark of whoever said it. */
function lateWord(facts: readonly Fact[]): string {
  const [fact, ...more] = facts;
  assert.deepEqual(more, []);
  assert.equal(fact?.type, 'IncidentNoted');
  return fact?.type === 'IncidentNoted' ? `${fact.by}: ${fact.text}` : '';
}

test('B7: approve: the first word counts, and the later ones stand on the timeline', () => {
  const story = began(approving);
  const { run } = story.last('RunStarted');
  story.say({ type: 'Approved', run, by: 'ann', via: 'chat' });

  const denied = lateWord(story.say({ type: 'Denied', run, by: 'bob', via: 'chat', note: 'in the sale' }));
  assert.match(
    denied,
    new RegExp(`^bob: run ${run} was denied \\(in the sale\\), but no longer waits: ann approved it at \\d\\d:\\d\\d UTC$`),
  );
  assert.match(
    lateWord(story.say({ type: 'Approved', run, by: 'bob', via: 'chat' })),
    /was approved, but no longer waits: ann approved it/,
  );
  assert.equal(story.all('ApprovalGiven').length, 1);
});

test('approve: a denial ends the run without an effect', () => {
  const story = began(approving);

  story.say({ type: 'Denied', run: story.last('RunStarted').run, by: 'ann', via: 'chat', note: 'not in the sale' });

  assert.deepEqual([asked(story), ends(story)], [[], ['denied']]);
  assert.equal(story.last('RunFinished').reason, 'denied by ann: not in the sale');
});

test('approve: nobody answers, the run expires, and a word after that starts nothing', () => {
  const story = began(approving);
  const { run } = story.last('RunStarted');
  story.forward(10 * minute);
  assert.deepEqual(ends(story), ['expired']);

  assert.match(lateWord(story.say({ type: 'Approved', run, by: 'ann', via: 'chat' })), /no longer waits: it has ended expired$/); // B7
  assert.deepEqual(asked(story), []);
  assert.equal(paged(story), 1);
});

test('approve: the alert clears by itself, so nobody is asked any longer and nothing acts', () => {
  const story = began(approving);
  const { run } = story.last('RunStarted');
  clears(story);

  assert.deepEqual(ends(story), ['noop']);
  assert.equal(story.all('IncidentResolved').length, 1);
  assert.match(lateWord(story.say({ type: 'Approved', run, by: 'ann', via: 'chat' })), /no longer waits: it has ended noop$/); // B7
});

test('approve: a run that was approved and failed rings again for whoever approved it', () => {
  const story = began(approving);
  story.say({ type: 'Approved', run: story.last('RunStarted').run, by: 'ann', via: 'chat' });
  story.forward(20 * second);
  const rang = story.all('PageRang').length;

  story.answer(broke);

  assert.equal(story.all('PageRang').length, rang + 1);
  assert.equal(paged(story), 1);
});

test('P3: the timeout of an approval does not ring over the acknowledgement that came after it', () => {
  const story = began(approving);
  story.say({ type: 'Approved', run: story.last('RunStarted').run, by: 'ann', via: 'chat' });
  story.forward(20 * second);
  story.answer(broke);
  story.forward(4 * minute);
  story.say({ type: 'Acked', incident: incidentOf(story), by: 'ann', via: 'api' });
  const rang = story.all('PageRang').length;
  story.forward(29 * minute);
  assert.equal(story.all('PageRang').length, rang);

  story.forward(minute);

  assert.equal(story.all('PageRang').length, rang + 1);
});

test('approve: approved and proven, yet the alerts fire on: the page rings again', () => {
  const story = began({ ...approving, verify: { ...playbookOf().verify, proofs: [probe] } });
  story.say({ type: 'Approved', run: story.last('RunStarted').run, by: 'ann', via: 'chat' });
  story.answer(done);
  story.answer(well);
  const rang = story.all('PageRang').length;

  story.forward(6 * minute);

  assert.equal(story.all('PageRang')[rang]?.reason, story.last('IncidentDecided').reason);
});

test('B8: resolved by hand over an alert that fires, the incident says so, and pages when that lasts', () => {
  const story = tell(
    policyOf({ settleMs: 0, holdOffMs: 0, grouping: { windowMs: minute, labels: [], reopenMs: 10 * minute, membersMax: 100 } }),
  );
  story.see(eventOf());
  story.forward(second);
  story.notified(accepted);
  const { incident } = story.last('IncidentOpened');
  story.say({ type: 'Resolved', incident, by: 'anna', via: 'api', note: '' });
  assert.equal(story.last('IncidentResolved').firing, 1);
  for (let passed = 0; passed < 9; passed += 1) {
    story.forward(minute);
    story.see(eventOf({ observedAt: story.now() }));
  }
  assert.equal(story.all('IncidentReopened').length, 0);
  story.forward(2 * minute);
  assert.match(story.last('IncidentReopened').by, /resolved by hand, and an alert of it still fires/);
  assert.equal(story.all('PageOpened').length, 2);
});

test('B8: resolved with force, it stays quiet while nothing changes, and comes back when it is worse', () => {
  const story = tell(policyOf({ settleMs: 0, holdOffMs: 0 }));
  story.see(eventOf({ severity: 'error' }));
  story.forward(second);
  const { incident } = story.last('IncidentOpened');
  story.say({ type: 'Resolved', incident, by: 'anna', via: 'api', note: 'known', force: true });
  for (let passed = 0; passed < 6; passed += 1) {
    story.forward(10 * minute);
    story.see(eventOf({ severity: 'error', observedAt: story.now() }));
  }
  assert.equal(story.all('IncidentReopened').length, 0);
  assert.equal(story.all('IncidentOpened').length, 1);
  story.see(eventOf({ severity: 'critical', observedAt: story.now() }));
  story.forward(second);
  assert.equal(story.last('IncidentReopened').incident, incident);
  assert.equal(story.all('PageOpened').length, 2);
});

test('B8: resolved with force, it leaves the desk when what fired has cleared', () => {
  const story = tell(policyOf());
  story.see(eventOf());
  const { incident } = story.last('IncidentOpened');
  story.say({ type: 'Resolved', incident, by: 'anna', via: 'api', note: '', force: true });
  story.forward(20 * minute);
  story.see(eventOf({ claim: 'cleared', observedAt: story.now() }));
  story.forward(20 * minute);
  assert.equal(story.desk().tables.incidents.rows.size, 0);
});
