// R5: a run keeps the playbook it began with. The document lies on the desk once for all runs of its digest, and leaves with the last.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createExpressions } from '../../adapters/cel/expressions.ts';
import { newDesk, type Desk } from '../../src/core/desk.ts';
import type { Playbook } from '../../src/core/playbook/document.ts';
import type { Policy } from '../../src/core/playbook/policy.ts';
import type { Input } from '../../src/core/records.ts';
import { minute, second } from '../../src/core/time.ts';
import { turn } from '../../src/core/turn.ts';
import { changedRows, finishLoading, takeRows } from '../../src/engine/host/desks.ts';
import { someday } from '../support/clock.ts';
import { eventOf } from '../support/event.ts';
import { began, callOf, claim, ends } from '../support/play.ts';
import { playbookOf, policyOf, stepOf } from '../support/policy.ts';
import { accepted, done, type FactOf } from '../support/story.ts';

const twoSteps = { steps: [stepOf({ uses: 'test/old' }), stepOf({ id: 'next', uses: 'test/old' })] };
const asking = playbookOf({ ...twoSteps, mode: 'approve' });
const changed = playbookOf({ mode: 'auto', steps: [stepOf({ uses: 'test/new' })] });

test('R5: a policy that is published while a run waits for an answer or a proof changes nothing for what has left, and it is proven', () => {
  const steps = [stepOf({ uses: 'test/old' })];
  const story = began({ mode: 'approve', steps, verify: { ...playbookOf().verify, withinMs: 3 * minute } });
  const publish = (): void => story.policy(policyOf({ playbooks: [playbookOf({ summary: `change ${story.now()}`, steps: [] })] }));
  story.say({ type: 'Approved', run: story.last('RunStarted').run, by: 'ann', via: 'api' });
  claim(story, callOf(story), 'w1');
  publish();
  story.answer(done);
  publish();

  story.forward(3 * minute);

  assert.match(story.last('RunFinished').reason, /not verified within 3m/);
});

// ---------------------------------------------------------------- over a restart

const expressions = createExpressions();

/** A desk as a gateway that was killed finds it again: from its saved rows alone, as text. */
function reloaded(desk: Desk): Desk {
  for (const table of Object.values(desk.tables)) for (const key of table.rows.keys()) table.changed.add(key);
  const desks = new Map<string, Desk>();
  takeRows(desks, JSON.parse(JSON.stringify(changedRows(desk))));
  finishLoading(desks);
  return desks.get(desk.scope) ?? newDesk(desk.scope);
}

function digests(desk: Desk): readonly string[] {
  return [...desk.tables.playbooks.rows.keys()];
}

/** Turns one input under a policy; `given` is the input without scope and time. */
function turned(desk: Desk, policy: Policy, given: object): ReturnType<typeof turn> {
  const input = { scope: 'default', at: someday, ...given } as Input;
  return turn(desk, input, { policy, frozen: null, installation: null, expressions }, 1);
}

const seen = (host: string): object => ({
  type: 'AlertSeen',
  endpoint: 'test',
  delivery: '',
  index: 0,
  event: eventOf({ entity: { host, service: host } }),
});

/** The run that an alert starts once its resource is granted. */
function started(desk: Desk, policy: Policy, host: string): FactOf<'RunStarted'> | undefined {
  const asked = turned(desk, policy, seen(host)).find((fact) => fact.type === 'ResourceRequested');
  assert.ok(asked !== undefined);
  const { resource, incident, want } = asked;
  const answer = { verdict: 'granted' } as const;
  const told = turned(desk, policy, { type: 'ResourceTold', run: want.run, incident, resource, answer });
  return told.find((fact) => fact.type === 'RunStarted');
}

test('R5: a desk that is loaded from its rows, under a changed policy, knows the playbook that each run began with, and that it is no longer in force', () => {
  const old = policyOf({ playbooks: [asking] });
  const fresh = policyOf({ playbooks: [changed] });
  const desk = newDesk('default');
  const first = started(desk, old, 'web');
  const loaded = reloaded(desk);
  const next = started(loaded, fresh, 'mail');
  assert.deepEqual(digests(loaded), [old.playbooks[0]?.digest, fresh.playbooks[0]?.digest]);
  assert.equal(next?.playbook.steps[0]?.uses, 'test/new');

  const again = reloaded(loaded);
  const facts = turned(again, fresh, { type: 'Approved', run: first?.run, by: 'ann', via: 'api' });

  const end = facts.find((fact) => fact.type === 'RunFinished');
  assert.deepEqual([end?.run, end?.end, end?.because], [first?.run, 'cancelled', 'changed']);
});

// ---------------------------------------------------------------- as long as it is needed

const grouping = { ...policyOf().grouping, reopenMs: minute };

function withTwo(change: Partial<Playbook> = {}): ReturnType<typeof began> {
  const story = began(change, { grouping });
  story.see(eventOf({ entity: { host: 'web2', service: 'mail' } }));
  assert.equal(story.all('RunStarted').length, 2);
  return story;
}

test('a playbook lies on the desk once, however many runs began with it, and leaves with the last of them', () => {
  const story = withTwo();
  const [digest] = digests(story.desk());
  assert.deepEqual([digests(story.desk()).length, story.desk().indexes.runsByPlaybook.get(digest ?? '')], [1, 2]);
  const [web, mail] = story.all('IncidentOpened').map(({ incident }) => incident);
  const leaves = (incident: string | undefined): void => {
    const row = story
      .desk()
      .tables.alerts.rows.values()
      .find(({ alert }) => alert.incident === incident);
    story.say({ type: 'Resolved', incident: incident ?? '', by: 'ann', via: 'api', note: '' });
    if (row !== undefined) story.see({ ...eventOf(), fingerprint: row.alert.fingerprint, claim: 'cleared', observedAt: story.now() });
    story.notified(accepted);
    story.forward(2 * minute);
  };
  leaves(web);
  const incidents = [...story.desk().tables.runs.rows.values()].map(({ incident }) => incident);
  assert.deepEqual([[...new Set(incidents)], digests(story.desk()).length], [[mail], 1]);

  leaves(mail);

  assert.deepEqual([story.desk().tables.runs.rows.size, digests(story.desk())], [0, []]);
});

test('a playbook whose runs have ended stays for the story that a page tells of them', () => {
  const story = withTwo();
  story.answer({ outcome: 'failed', error: 'exit', detail: 'exit code 1', output: {} });
  story.policy(policyOf({ grouping }));
  story.forward(20 * second);

  assert.equal(ends(story)[0], 'failed');
  story.notified({ outcome: 'accepted', detail: '' });
  assert.match(story.last('NotifyGranted').notification.text, /playbook restart-service 1\.0\.0 on \w+ at \d\d:\d\d UTC: failed: /);
});
