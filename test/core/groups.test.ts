// The desk of a group: so many runs at once over all scopes, so many members that stay healthy, and who waits hears when there is room.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Playbook } from '../../src/core/playbook/document.ts';
import { hour, minute, second } from '../../src/core/time.ts';
import { eventOf } from '../support/event.ts';
import { playbookOf, policyOf } from '../support/policy.ts';
import { broke, done, tell, type FactOf, type Story } from '../support/story.ts';

const teams = ['acme;team=a', 'acme;team=b', 'acme;team=c'] as const;
const word = (number: number): string => String.fromCharCode(97 + Math.floor(number / 26), 97 + (number % 26));

interface Fleet {
  readonly story: Story;
  breaks(host: number, claim?: 'firing' | 'cleared'): void;
  /** Carries out the step of the host, and clears its alert when it helped. */
  acts(host: number, helps: boolean): void;
  /** Hosts whose runs are at work. */
  working(): readonly number[];
}

/** Hosts of three scopes, each with a service of its own. */
function fleet(change: Partial<Playbook['guards']>, also: Partial<Playbook> = {}): Fleet {
  const { guards } = playbookOf();
  const book = playbookOf({ guards: { ...guards, blastRadius: null, ...change }, ...also });
  const story = tell(policyOf({ playbooks: [book], storm: { alerts: 1_000, withinMs: minute }, holdOffMs: 8 * minute }));
  const team = (host: number): string => teams[host % 3] ?? teams[0];
  const runs = (): readonly FactOf<'RunStarted'>[] => story.everywhere.filter((fact) => fact.type === 'RunStarted');
  const breaks: Fleet['breaks'] = (host, claim = 'firing') => {
    const [at, entity] = [story.now(), { host: word(host), service: word(host) }];
    const event = eventOf({ fingerprint: `f${host}`, entity, claim, startedAt: at, observedAt: at });
    story.say({ type: 'AlertSeen', endpoint: 'test', delivery: '', index: 0, event }, team(host));
  };
  return {
    story,
    breaks,
    acts(host, helps) {
      const call = story.everywhere.findLast(
        (fact) => fact.type === 'StepRequested' && fact.target === word(host),
      ) as FactOf<'StepRequested'>;
      const { run } = call;
      story.say({ type: 'StepClaimed', run, call: call.call, worker: 'w1' }, team(host));
      story.say({ type: 'StepAnswered', run, call: call.call, worker: 'w1', outcome: helps ? done : broke, tookMs: 5 }, team(host));
      if (helps) breaks(host, 'cleared');
    },
    working() {
      const ended = new Set(story.everywhere.flatMap((fact) => (fact.type === 'RunFinished' ? [fact.run] : [])));
      const open = runs().filter(({ run }) => !ended.has(run));
      return open.map(({ target }) => (target.charCodeAt(0) - 97) * 26 + target.charCodeAt(1) - 97);
    },
  };
}

const refusalsOf = ({ story }: Fleet): ReadonlySet<string> =>
  new Set(
    story.everywhere.flatMap((fact) => (fact.type === 'GroupDecided' && fact.answer.verdict === 'refused' ? [fact.answer.reason] : [])),
  );

// ---------------------------------------------------------------- Q7: concurrency

test('C9: so many runs at once over all scopes; who waits goes on in the turn that ends one, and nobody is paged', () => {
  const made = fleet({ concurrency: 2 });
  for (let host = 0; host < 14; host += 1) made.breaks(host);
  assert.deepEqual(made.working(), [0, 1]);

  const healed = new Set<number>();
  for (let round = 0; round < 14; round += 1) {
    const [host] = made.working();
    assert.ok(host !== undefined, `round ${round}: somebody works`);
    made.acts(host, true);
    healed.add(host);
    assert.equal(made.working().length, Math.min(2, 14 - healed.size), `round ${round}: the place is taken in this very turn`);
    made.story.forward(second / 10);
  }
  assert.equal(healed.size, 14);
  assert.equal(made.story.everywhere.filter(({ type }) => type === 'PageOpened').length, 0);
  made.story.forward(2 * hour);
  assert.equal(made.story.deskOf('group:acme/restart-service').tables.groups.rows.size, 0);
});

test('C9: a place whose run nobody gives back is free after the longest time of the run, for every scope', () => {
  const made = fleet({ concurrency: 1 });
  made.breaks(0);
  const lost = made.story.everywhere.find((fact) => fact.type === 'RunStarted');
  assert.ok(lost !== undefined);
  // The scope of the first run is never heard of again.
  const row = () => made.story.deskOf('group:acme/restart-service').tables.groups.rows.get('acme/restart-service');
  const until = row()?.running?.[0]?.until ?? 0;
  assert.ok(until > made.story.now() + 10 * minute && until < made.story.now() + hour);
});

test('C9: a message that is carried twice takes no second place, also after the run has ended', () => {
  const made = fleet({ concurrency: 1 });
  made.breaks(0);
  const asked = made.story.everywhere.find((fact) => fact.type === 'ResourceDecided');
  assert.ok(asked !== undefined);
  const { resource, want } = asked;
  const group = want.through?.group ?? '';
  const again = (): void => void made.story.say({ type: 'ResourceWanted', resource, want, group }, `group:${group}`);
  again();
  made.acts(0, true);
  again();
  made.breaks(1);
  assert.deepEqual(made.working(), [1]);
});

// ---------------------------------------------------------------- Q8: the floor

const floor = { name: 'web', members: 10, healthy: 6 } as const;

test('C18: of ten members of which six are to stay healthy four are acted on; for the others people are called', () => {
  const made = fleet({ concurrency: 100, floor }, { group: 'web' });
  for (let host = 0; host < 8; host += 1) made.breaks(host);
  assert.deepEqual(made.working(), [0, 1, 2, 3]);
  assert.ok(refusalsOf(made).has('4 others of web are acted on or ill, and 6 of its 10 are to stay healthy'));

  made.story.forward(10 * minute);
  const refused = made.story.everywhere.filter((fact) => fact.type === 'RunRefused' && fact.guard === 'keepHealthy');
  assert.ok(refused.length >= 4);
  assert.ok(made.story.everywhere.some((fact) => fact.type === 'PageOpened' && fact.reason.endsWith('are to stay healthy')));
});

test('C18: one that was healed makes room, in that very turn; one that was not makes none', () => {
  const made = fleet({ concurrency: 100, floor }, { group: 'web' });
  for (let host = 0; host < 4; host += 1) made.breaks(host);
  made.acts(0, true);
  made.breaks(4);
  assert.deepEqual(made.working(), [1, 2, 3, 4]);
  made.breaks(5); // ill from here on, though nobody acts on it
  made.acts(1, false);
  assert.deepEqual(made.working(), [2, 3, 4], '1 and 5 are ill');
  made.acts(2, true);
  assert.deepEqual(made.working(), [3, 4, 5], 'beside 1, which is ill still');
});

test('C18: the floor is the group’s, whichever playbook acts on it', () => {
  const { guards } = playbookOf();
  const tight = { name: 'web', members: 3, healthy: 2 };
  const books = ['one', 'two'].map((name) =>
    playbookOf({
      name,
      digest: name,
      group: 'web',
      guards: { ...guards, floor: tight },
      triggers: [{ on: 'alert', when: `alert.name == "${name}"`, forMs: 0 }],
    }),
  );
  const story = tell(policyOf({ playbooks: books }));
  for (const [index, name] of ['one', 'two'].entries()) {
    const event = eventOf({ fingerprint: name, name, entity: { host: word(index), service: word(index) } });
    story.say({ type: 'AlertSeen', endpoint: 'test', delivery: '', index: 0, event }, teams[index]);
  }
  assert.equal(story.everywhere.filter(({ type }) => type === 'RunStarted').length, 1);
});

test('C18 (property): whatever breaks, heals and fails, nothing is begun that leaves fewer healthy than the floor says', () => {
  const deed = fc.record({ host: fc.nat({ max: 11 }), acts: fc.boolean(), helps: fc.boolean(), after: fc.nat({ max: 60 }) });
  fc.assert(
    fc.property(fc.integer({ min: 7, max: 10 }), fc.array(deed, { minLength: 10, maxLength: 25 }), (healthy, deeds) => {
      const made = fleet({ concurrency: 100, floor: { name: 'web', members: 12, healthy } }, { group: 'web' });
      const ill = new Set<number>();
      for (const { host, acts, helps, after } of deeds) {
        const before = made.working();
        const worker = before[host % Math.max(1, before.length)];
        if (acts && worker !== undefined) {
          made.acts(worker, helps);
          if (helps) ill.delete(worker);
          else ill.add(worker);
        } else made.breaks(host);
        const now = made.working();
        const begun = now.some((one) => !before.includes(one));
        const down = new Set([...now, ...ill]);
        assert.ok(!begun || 12 - down.size >= healthy, `${[...down].join(', ')} are down, ${healthy} were to stay healthy`);
        made.story.forward(after * second);
        if (after > 0) ill.clear(); // for how long one is ill is asked above
      }
    }),
    { numRuns: 15 },
  );
});

// ---------------------------------------------------------------- shadow runs

test('C17: a run that only watches asks what others ask, over all scopes, and takes nothing from anybody', () => {
  const { guards } = playbookOf();
  const live = playbookOf({ guards: { ...guards, cooldownMs: hour } });
  const shadow = playbookOf({
    name: 'watch',
    mode: 'shadow',
    digest: 'sha256:watch',
    guards: { ...guards, cooldownMs: hour },
    triggers: [{ on: 'alert', when: 'alert.name == "Other"', forMs: 0 }],
  });
  const story = tell(policyOf({ playbooks: [live, shadow] }));
  const see = (team: string, name: string, claim: 'firing' | 'cleared' = 'firing'): void => {
    const event = eventOf({ fingerprint: name, name, claim, startedAt: story.now(), observedAt: story.now() });
    story.say({ type: 'AlertSeen', endpoint: 'test', delivery: '', index: 0, event }, team);
  };
  const wouldBe = (): readonly (string | undefined)[] =>
    story.everywhere.flatMap((fact) => (fact.type === 'RunStarted' && fact.mode === 'shadow' ? [fact.wouldBe] : []));
  see(teams[1], 'Other');
  assert.deepEqual(wouldBe(), [undefined], 'nobody has it');
  see(teams[0], 'ServiceDown');
  const [run] = story.everywhere.flatMap((fact) => (fact.type === 'RunStarted' && fact.mode === 'auto' ? [fact.run] : []));
  assert.ok(run !== undefined, 'what only watched holds nothing');
  see(teams[2], 'Other');
  assert.deepEqual(wouldBe(), [undefined, `lock: run ${run} holds checkout`]);
});

test('C17: what only watches counts what only watches: of 30 hosts it would have acted on 20', () => {
  const made = fleet({ concurrency: 100, blastRadius: { max: 20, perMs: 10 * minute } }, { mode: 'shadow' });
  for (let host = 0; host < 30; host += 1) made.breaks(host);
  const shadows = made.story.everywhere.filter((fact) => fact.type === 'RunStarted');
  assert.deepEqual([shadows.length, shadows.filter(({ wouldBe }) => wouldBe === undefined).length], [30, 20]);
  assert.equal(shadows.at(-1)?.wouldBe, 'blastRadius: restart-service was let act on 20 others within 10m, at most 20');
});
