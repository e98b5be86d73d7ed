// What follows from each end of a run, in sentences, and every sentence against the real turn: the table in src/core/run/ends.ts says
// nothing that the gateway does not do. That a run ends once, and whom its end calls while nobody has answered, is endings.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ends, outcomes, type EndMeaning, type Outcome } from '../../src/core/run/ends.ts';
import { second } from '../../src/core/time.ts';
import { ways } from '../support/endings.ts';
import { began, clears, incidentOf, paged } from '../support/play.ts';
import { playbookOf, stepOf } from '../support/policy.ts';
import type { Story } from '../support/story.ts';

interface Following extends EndMeaning {
  readonly says: string;
}

const yes = true;
const no = false;

const following: { readonly [end in Outcome]: Following } = {
  succeeded: {
    says: 'the fire is out, and it is the playbook that gets the credit',
    helped: yes,
    inDoubt: no,
    callsPerson: no,
    stops: no,
    credited: yes,
  },
  noop: { says: 'there was nothing to do, so nobody gets the credit', helped: yes, inDoubt: no, callsPerson: no, stops: no, credited: no },
  degraded: {
    says: 'the fire is out, but a step failed: a person must look, and the playbook gets the credit',
    helped: no,
    inDoubt: yes,
    callsPerson: yes,
    stops: yes,
    credited: yes,
  },
  failed: {
    says: 'a person is called, unless the alert clears by itself',
    helped: no,
    inDoubt: no,
    callsPerson: yes,
    stops: no,
    credited: no,
  },
  'rolled-back': { says: 'all is as it was, and a person is called', helped: no, inDoubt: no, callsPerson: yes, stops: no, credited: no },
  stuck: { says: 'something is half taken back: a person must look', helped: no, inDoubt: yes, callsPerson: yes, stops: yes, credited: no },
  unknown: { says: 'it may have happened: a person must look', helped: no, inDoubt: yes, callsPerson: yes, stops: yes, credited: no },
  shadowed: { says: 'for the incident it is as if nothing had been', helped: no, inDoubt: no, callsPerson: no, stops: no, credited: no },
  denied: {
    says: 'a person said no, and need not be rung for it again',
    helped: no,
    inDoubt: no,
    callsPerson: no,
    stops: yes,
    credited: no,
  },
  expired: { says: 'nobody answered, so somebody must be called', helped: no, inDoubt: no, callsPerson: yes, stops: no, credited: no },
  cancelled: {
    says: 'a person stopped it, and need not be rung for it again',
    helped: no,
    inDoubt: no,
    callsPerson: no,
    stops: yes,
    credited: no,
  },
  refused: { says: 'a guard said no, and a person is called', helped: no, inDoubt: no, callsPerson: yes, stops: no, credited: no },
};

const other = playbookOf({ name: 'other', params: {}, target: 'elsewhere', steps: [stepOf({ with: {} })] });

/** A story that has come to this end while its alert fires on, with another playbook for the same alert if one is given. */
function endedAs(end: Outcome, also: readonly (typeof other)[] = []): Story {
  const { change, play } = ways[end];
  const story = began(change, { playbooks: [playbookOf(change), ...also] });
  play(story);
  assert.equal(end === 'refused' ? story.last('RunRefused').guard : story.last('RunFinished').end, end === 'refused' ? 'attempts' : end);
  return story;
}

for (const end of outcomes) {
  const { says, ...meaning } = following[end];

  test(`${end}: ${says}`, () => {
    assert.deepEqual(ends[end], meaning);
  });

  test(`${end} ${meaning.inDoubt ? 'keeps the incident open when its alert clears, and a person is called' : 'lets the incident resolve when its alert clears'}`, () => {
    const story = endedAs(end);
    clears(story);
    story.forward(20 * second);

    assert.equal(story.all('IncidentResolved').length, meaning.inDoubt ? 0 : 1);
    if (meaning.inDoubt) assert.equal(paged(story), 1);
  });

  test(`${end} ${meaning.credited ? 'gives the credit to the playbook' : 'gives no credit to the playbook'} when the incident resolves`, () => {
    const story = endedAs(end);
    story.forward(20 * second);
    clears(story);
    if (meaning.inDoubt) story.say({ type: 'Acked', incident: incidentOf(story), by: 'ann', via: 'api' });

    assert.equal(story.last('IncidentResolved').by, meaning.credited ? 'playbook' : 'source');
  });
}

for (const end of outcomes) {
  test(`after ${end} ${following[end].helped ? 'nobody is called at once' : 'a person is called'} while the alert fires on`, () => {
    const story = endedAs(end);
    story.forward(20 * second);

    assert.equal(paged(story), following[end].helped ? 0 : 1);
  });

  if (end === 'shadowed') continue; // an incident remembers no shadow run: the next playbook has its turn at once (guards.test.ts)
  test(`C5: after ${end} another playbook ${following[end].stops ? 'does not act: a person looks first' : 'may act on what burns on'}`, () => {
    const story = endedAs(end, [other]);

    const names = story.all('RunStarted').map(({ playbook }) => playbook.name);
    assert.equal(names.includes('other'), !following[end].stops);
  });
}

/** Ends that a run can come to after a person has let it act, or by that person's word. */
const afterAnswer = ['succeeded', 'degraded', 'failed', 'rolled-back', 'stuck', 'unknown', 'denied', 'cancelled'] as const;

for (const end of afterAnswer) {
  test(`${end} ${ringsAgain(end)} the page that a person had answered`, () => {
    const { change, play } = ways[end];
    const story = began({ ...change, mode: 'approve' });
    if (end !== 'denied') approves(story);
    play(story);
    assert.equal(story.last('RunFinished').end, end);

    story.forward(second);

    assert.equal(story.all('PageRang').length, following[end].callsPerson ? 2 : 1);
  });
}

for (const end of ['noop', 'expired', 'refused'] as const) {
  test(`${end} ${ringsAgain(end)} the page that a person had answered for an earlier playbook`, () => {
    const first = ways.succeeded;
    const { change, play } = ways[end];
    const asks = playbookOf({ ...first.change, mode: 'approve' });
    const story = began({}, { playbooks: [asks, { ...other, ...change }] });
    approves(story);
    assert.equal(story.all('PageRang').length, 1);

    first.play(story);
    play(story);

    if (end === 'refused') assert.equal(story.last('RunRefused').playbook, 'other');
    else assert.deepEqual([story.last('RunFinished').playbook, story.last('RunFinished').end], ['other', end]);
    assert.equal(story.last('PageRang').reason !== undefined, following[end].callsPerson);
  });
}

function approves(story: Story): void {
  story.say({ type: 'Approved', run: story.last('RunStarted').run, by: 'ann', via: 'api' });
}

function ringsAgain(end: Outcome): string {
  return following[end].callsPerson ? 'rings again' : 'does not ring again';
}
