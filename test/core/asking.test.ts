// B15: a yes that is asked for calls somebody (src/core/run/approval.ts): at once, once more before it expires, and when it has expired unseen.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { NotifyKind } from '../../src/core/page/notification.ts';
import { minute, second } from '../../src/core/time.ts';
import { eventOf } from '../support/event.ts';
import { began, clears, incidentOf, paged } from '../support/play.ts';
import { ladder, playbookOf, policyOf } from '../support/policy.ts';
import { accepted, type Story } from '../support/story.ts';

/** A playbook that asks after the incident was paged: its condition has to hold for four minutes. */
const late = { mode: 'approve', triggers: [{ on: 'alert', when: 'true', forMs: 4 * minute }] } as const;
/** One rung that waits for an hour: whatever else rings, rings of its own. */
const slow = { ladders: { default: { ...ladder, rungs: [{ notify: ['first'], waitMs: 60 * minute }], ackTimeoutMs: 0 } } };

/** Time passes, and every notifier takes what it is given. */
function passing(story: Story, span: number): void {
  for (let left = span; left > 0; left -= 10 * second) {
    story.forward(10 * second);
    story.notified(accepted);
  }
}

function rings(story: Story): readonly (NotifyKind | undefined)[] {
  return story.all('PageRang').map(({ kind }) => kind);
}

/** Paged, then asked. */
function askedLate(change: Parameters<typeof began>[0] = {}): Story {
  const story = began({ ...late, ...change }, slow);
  passing(story, 4 * minute + 10 * second);
  assert.deepEqual([paged(story), story.all('ApprovalRequested').length], [1, 1]);
  return story;
}

describe('B15: a yes that is asked for', () => {
  test('on an incident that is paged already rings of its own, in a new era, with the command in its words', () => {
    const story = askedLate();
    assert.deepEqual(rings(story), ['page', 'approval']);
    assert.equal(story.last('PageRang').era, 1, 'vendors call nobody for a key that is open');
    const { notification } = story.last('NotifyGranted');
    assert.equal(notification.kind, 'approval');
    assert.match(notification.text, /asks to act on checkout until .*\n- restart: test\/restart \{"name":"checkout"\}\n/);
    assert.equal(notification.asks?.run, story.last('ApprovalRequested').run);
  });

  test('on an incident that somebody has rings, too: the acknowledgement did not cover it', () => {
    const look = { kind: 'look', id: 'disk', uses: 'test/get', with: {}, timeoutMs: second * 20, continueOnError: true } as const;
    const story = began({ mode: 'approve', diagnose: [look] }, { ...slow, holdOffMs: 0 });
    passing(story, 10 * second);
    story.say({ type: 'Acked', incident: incidentOf(story), by: 'ann', via: 'api' });
    const before = rings(story).length;
    story.answer({ outcome: 'ok', output: {} });
    assert.deepEqual(rings(story).slice(before), ['approval']);
    story.say({ type: 'Approved', run: story.last('RunStarted').run, by: 'ben', via: 'api' });
    assert.equal(story.last('PageAcked').by, 'ben');
  });

  test('is called for once more before it expires, and not when somebody has answered', () => {
    const story = askedLate();
    passing(story, 7 * minute + 10 * second);
    assert.deepEqual(rings(story), ['page', 'approval']);
    passing(story, 20 * second);
    assert.deepEqual(rings(story), ['page', 'approval', 'approval']);
    assert.match(
      story.last('PageRang').reason ?? '',
      /^playbook restart-service still waits for a yes on checkout: run r\d+\.default expires in 2m30s$/,
    );

    const answered = askedLate();
    answered.say({ type: 'Denied', run: answered.last('RunStarted').run, by: 'ann', via: 'api', note: '' });
    passing(answered, 12 * minute);
    assert.deepEqual(rings(answered), ['page', 'approval']);
  });

  test('is called for once more when somebody took the page and did not answer', () => {
    const story = askedLate();
    story.say({ type: 'Acked', incident: incidentOf(story), by: 'ann', via: 'api' });
    passing(story, 8 * minute);
    assert.deepEqual(rings(story), ['page', 'approval', 'approval']);
  });

  test('that expired unseen rings as a page that says so and asks for nothing any more', () => {
    const story = askedLate();
    passing(story, 10 * minute);
    assert.equal(story.last('RunFinished').end, 'expired');
    assert.deepEqual(rings(story), ['page', 'approval', 'approval', 'page']);
    passing(story, 10 * second);
    const { notification } = story.last('NotifyGranted');
    assert.equal(notification.kind, 'page');
    assert.match(
      notification.text,
      /Why you: playbook restart-service wanted to act on checkout, and nobody approved it in time: a person is needed/,
    );
    assert.doesNotMatch(notification.text, /asks to act|quench run approve/);
    assert.equal(notification.asks, undefined);
  });

  test('that expired after somebody took the incident, knowing the question, calls nobody: a person has it', () => {
    const story = askedLate();
    passing(story, 8 * minute);
    story.say({ type: 'Acked', incident: incidentOf(story), by: 'ann', via: 'api' });
    passing(story, 2 * minute);
    assert.equal(story.last('RunFinished').end, 'expired');
    assert.deepEqual(rings(story), ['page', 'approval', 'approval']);
  });

  test('that is over before anybody answered calls nobody', () => {
    const story = askedLate();
    clears(story);
    passing(story, 15 * minute);
    assert.deepEqual(rings(story), ['page', 'approval']);
  });

  test('that is no longer needed, while something else of the incident burns, is not asked for in the rings that follow', () => {
    const story = began({ mode: 'approve', triggers: [{ on: 'alert', when: 'alert.name == "ServiceDown"', forMs: 0 }] });
    story.notified(accepted);
    story.see(eventOf({ name: 'DiskFull', severity: 'error', startedAt: story.now() }));
    clears(story);
    assert.equal(story.last('RunFinished').end, 'noop');
    passing(story, 5 * minute);
    const { text } = story.last('NotifyGranted').notification;
    assert.match(
      text,
      /Why you: playbook restart-service asked for a yes and waits no longer \(noop: every alert cleared.*\); it still burns/,
    );
    assert.doesNotMatch(text, /approve or deny|quench run approve/);
  });

  for (const [waits, reminded] of [
    [30 * second, null],
    [2 * minute, 90 * second],
    [60 * minute, 45 * minute],
    [24 * 60 * minute, (24 * 60 - 15) * minute],
  ] as const) {
    test(`that waits ${waits / second} s is ${reminded === null ? 'over before a reminder helps' : `called for again after ${reminded / second} s`}`, () => {
      const story = began(
        { mode: 'approve', guards: { ...playbookOf().guards, approveWithinMs: waits } },
        { ...slow, staleMs: policyOf().staleMs },
      );
      const from = story.now();
      story.notified(accepted);
      passing(story, Math.min(waits - 10 * second, 100 * minute));
      if (waits > 100 * minute) story.forward(waits - 101 * minute);
      const again = story.all('PageRang').filter(({ kind, ring }) => kind === 'approval' && ring > 1);
      assert.deepEqual(
        again.map(({ at }) => at - from),
        reminded === null ? [] : [reminded],
      );
    });
  }
});
