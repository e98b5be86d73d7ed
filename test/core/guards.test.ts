// Which playbook acts, on what, and which guard says no: with its numbers, and with a page in the end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createExpressions } from '../../adapters/cel/expressions.ts';
import { newBudget } from '../../src/core/alert/labels.ts';
import { refusalOf } from '../../src/core/decide/guards.ts';
import type { Json } from '../../src/core/json.ts';
import type { Param, Playbook } from '../../src/core/playbook/document.ts';
import type { Policy } from '../../src/core/playbook/policy.ts';
import type { Guard } from '../../src/core/run/facts.ts';
import { hour, minute, second } from '../../src/core/time.ts';
import { eventOf } from '../support/event.ts';
import { asked, began, callOf, claim, clears, end, fires, paged } from '../support/play.ts';
import { playbookOf, policyOf, stepOf } from '../support/policy.ts';
import { broke, done, tell, type Story } from '../support/story.ts';

const guarded = (change: Partial<Playbook['guards']>, also: Partial<Playbook> = {}): Playbook =>
  playbookOf({ guards: { ...playbookOf().guards, ...change }, ...also });

const playing = (playbooks: readonly Playbook[], also: Partial<Policy> = {}): Story => tell(policyOf({ playbooks, ...also }));

/** An alert that shares nothing with others but its rule. */
const apart = (host: string, story?: Story) =>
  eventOf({ entity: { host, service: host }, ...(story === undefined ? {} : { startedAt: story.now(), observedAt: story.now() }) });

/** One run that works, and a recurrence an instant later. */
function again(story: Story): void {
  story.see(eventOf());
  story.answer(done);
  clears(story);
  story.forward(minute);
  fires(story);
}

const freeze = { by: 'ann', reason: 'audit' };
const shared = playbookOf({ params: {}, target: 'db1', steps: [stepOf({ with: {} })] });

interface Refusing {
  readonly guard: Guard;
  readonly reason: RegExp;
  readonly playbooks: readonly Playbook[];
  readonly play: (story: Story) => void;
  /** Refused at once, or held until the hold-off is over. */
  readonly passing?: true;
}

const refusing: readonly Refusing[] = [
  {
    guard: 'lists',
    reason: /^step restart: program \/opt\/x is not on the list$/,
    playbooks: [playbookOf({ unlisted: 'step restart: program /opt/x is not on the list' })],
    play: (story) => story.see(eventOf()),
  },
  {
    guard: 'freeze',
    reason: /^frozen by ann: audit; thaw lifts it$/,
    playbooks: [playbookOf()],
    play: (story) => [story.freeze(freeze), story.see(eventOf())],
    passing: true,
  },
  {
    guard: 'confidence',
    reason: /^score 0\.802 is below 0\.9$/,
    playbooks: [guarded({ confidence: 0.9 })],
    play: (story) => story.see(eventOf()),
    passing: true,
  },
  {
    guard: 'cooldown',
    reason: /^checkout was acted on 3m ago, cooldown 30m$/,
    playbooks: [guarded({ cooldownMs: 30 * minute })],
    play: again,
    passing: true,
  },
  {
    guard: 'attempts',
    reason: /^1 runs on checkout within 1h, at most 1$/,
    playbooks: [guarded({ attempts: { max: 1, perMs: hour } })],
    play: again,
  },
  {
    guard: 'lock',
    reason: /^run r[0-9]+\.default holds db1$/,
    playbooks: [shared],
    play: (story) => [story.see(apart('a')), story.answer(done), story.see(apart('b'))],
    passing: true,
  },
  {
    guard: 'concurrency',
    reason: /^1 runs of restart-service at work, at most 1$/,
    playbooks: [guarded({ concurrency: 1 })],
    play: (story) => [story.see(apart('a')), story.answer(done), story.see(apart('b'))],
    passing: true,
  },
  {
    guard: 'params',
    reason: /^parameter service: does not match \[a-z-\]\+$/,
    playbooks: [playbookOf()],
    play: (story) => story.see(eventOf({ entity: { host: 'web1', service: 'CHECKOUT' } })),
  },
  {
    guard: 'target',
    reason: /^the target names everything, seen "\*"$/,
    playbooks: [playbookOf({ target: '*' })],
    play: (story) => story.see(eventOf()),
  },
];

for (const { guard, reason, playbooks, play, passing } of refusing) {
  test(`G3: the guard ${guard} refuses with its numbers, nothing is done, and a person is called`, () => {
    const story = playing(playbooks);
    play(story);
    assert.equal(story.all('RunRefused').length, passing === true ? 0 : 1);
    const before = asked(story).length;
    story.forward(passing === true ? 2 * minute : 10 * second);

    const refusal = story.last('RunRefused');
    assert.equal(refusal.guard, guard);
    assert.match(refusal.reason, reason);
    assert.equal(story.all('RunRefused').length, 1);
    assert.equal(asked(story).length, before);
    assert.equal(story.last('PageOpened').reason, `playbook restart-service was refused: ${refusal.reason}`);
  });
}

test('guards are asked in one order: what stops everything comes before what stops this one', () => {
  const story = playing([playbookOf()]);
  story.see(eventOf());
  const desk = story.desk();
  const [incident] = desk.tables.incidents.rows.values();
  assert.ok(incident !== undefined);
  const rules = { policy: policyOf(), frozen: freeze, installation: null, expressions: createExpressions() };
  const ctx = { ...rules, desk, at: story.now(), offset: 1, facts: [], toDeliberate: new Set<string>(), matching: newBudget(1_000) };
  const thawed = { ...ctx, frozen: null };
  const storm = { ...incident, storm: true, score: { value: 0.1, terms: [] } };
  const strict = guarded({ confidence: 0.5, cooldownMs: hour, concurrency: 1 });
  const asking = { ...strict, mode: 'approve' as const };

  assert.equal(refusalOf(ctx, storm, strict, 'checkout')?.guard, 'freeze');
  assert.equal(refusalOf(thawed, storm, strict, 'checkout')?.guard, 'confidence');
  assert.equal(refusalOf(thawed, { ...storm, score: incident.score }, strict, 'checkout')?.guard, 'storm');
  assert.equal(refusalOf(thawed, incident, strict, 'checkout')?.guard, 'lock');
  assert.equal(refusalOf(thawed, incident, asking, 'elsewhere')?.guard, 'concurrency');
  assert.equal(refusalOf(thawed, incident, strict, 'elsewhere'), null, 'its group counts the runs of all scopes');
  assert.equal(refusalOf(thawed, incident, { ...strict, guards: playbookOf().guards }, 'elsewhere'), null);
});

// ---------------------------------------------------------------- counting

test('a cooldown that is over, and another target, are free to act on', () => {
  const story = playing([guarded({ cooldownMs: 30 * minute })]);
  again(story);
  clears(story);
  story.forward(29 * minute);

  fires(story);
  story.see(apart('other'));

  assert.deepEqual(
    story.all('RunStarted').map((fact) => fact.target),
    ['checkout', 'checkout', 'other'],
  );
});

test('a cooldown counts for the target, whatever playbook acted on it', () => {
  const other = guarded(
    { cooldownMs: 30 * minute },
    { name: 'reboot', triggers: [{ on: 'alert', when: 'alert.name == "Dead"', forMs: 0 }] },
  );
  const story = playing([playbookOf(), other]);
  story.see(eventOf());
  story.answer(done);
  clears(story);
  story.forward(20 * minute);

  story.see(eventOf({ name: 'Dead', startedAt: story.now(), observedAt: story.now() }));
  story.forward(3 * minute);

  assert.deepEqual([story.last('RunRefused').playbook, story.last('RunRefused').guard], ['reboot', 'cooldown']);
});

test('attempts are counted within their window only, and per target', () => {
  const story = playing([guarded({ attempts: { max: 1, perMs: hour } })]);
  again(story);
  assert.equal(story.last('RunRefused').guard, 'attempts');
  clears(story);
  story.see(apart('other'));
  assert.equal(story.last('RunStarted').target, 'other');
  story.forward(hour);

  fires(story);

  assert.equal(story.last('RunStarted').target, 'checkout');
});

test('G2: two playbooks never hold one target at a time; the second acts as soon as the first is done', () => {
  const vacuum = { ...shared, name: 'vacuum', triggers: [{ on: 'alert' as const, when: 'alert.name == "Bloat"', forMs: 0 }] };
  const story = playing([{ ...shared, steps: [stepOf({ with: {}, timeoutMs: hour })] }, vacuum]);
  story.see(apart('a'));
  claim(story, callOf(story), 'w1');
  story.see({ ...apart('b'), name: 'Bloat', fingerprint: 'bbbbbbbbbbbbbbbb' });
  story.forward(minute);
  assert.equal(story.all('RunStarted').length, 1);
  assert.match(story.last('IncidentDecided').reason, /playbook vacuum waits: run r[0-9]+\.default holds db1/);

  story.answer(broke);
  story.forward(15 * second);

  assert.deepEqual(
    story.all('RunStarted').map((fact) => fact.playbook.name),
    ['restart-service', 'vacuum'],
  );
});

test('a shadow run takes no lock, no attempt and no place', () => {
  const shadow = guarded({ concurrency: 1, attempts: { max: 1, perMs: hour }, cooldownMs: hour }, { mode: 'shadow' });
  const diagnose = [{ kind: 'look' as const, id: 'status', continueOnError: false, uses: 'test/status', with: {}, timeoutMs: second }];
  const story = playing([{ ...shadow, name: 'trial', diagnose, params: {}, target: 'db1' }, shared]);

  story.see(apart('a'));

  assert.deepEqual(
    story.all('RunStarted').map((fact) => fact.mode),
    ['shadow', 'auto'],
  );
});

test('no playbook acts on a storm: it is paged', () => {
  const story = playing([playbookOf()], { storm: { alerts: 3, withinMs: minute } });
  for (const host of ['a', 'b', 'c', 'd', 'e']) story.see(apart(host));
  story.forward(minute);

  const storm = story.all('IncidentOpened').find((fact) => fact.storm)?.incident;
  assert.ok(storm !== undefined);
  assert.deepEqual(
    story.all('RunStarted').filter((fact) => fact.incident === storm),
    [],
  );
  assert.equal(story.all('PageOpened').filter((fact) => fact.incident === storm).length, 1);
});

test('a refusal is said once in a life, however often the alert is repeated', () => {
  const story = playing([guarded({ confidence: 0.99 })]);
  for (let time = 0; time < 10; time += 1) {
    story.see(eventOf());
    story.forward(minute);
  }

  assert.deepEqual([story.all('RunRefused').length, paged(story)], [1, 1]);
});

// ---------------------------------------------------------------- waiting for it to last

const lasting = playbookOf({ triggers: [{ on: 'alert', when: 'alert.name == "ServiceDown"', forMs: minute }] });

test('a playbook that waits acts when the alert has lasted, and the page waits for it', () => {
  const story = playing([lasting]);
  story.see(eventOf());
  story.forward(minute - 1);
  assert.deepEqual([story.all('RunStarted').length, paged(story)], [0, 0]);
  assert.match(story.last('IncidentDecided').reason, /acts if it lasts/);

  story.forward(1);

  assert.equal(asked(story).length, 1);
});

test('a blip shorter than the wait starts nothing, nor does the next blip of the same incident', () => {
  const story = playing([lasting]);
  for (let blip = 0; blip < 4; blip += 1) {
    fires(story);
    story.forward(43 * second);
    clears(story);
    story.forward(43 * second);
  }

  assert.equal(story.all('RunStarted').length, 0);
});

test('an alert that joins an older incident has to last like any other', () => {
  const story = playing([lasting]);
  story.see(eventOf({ name: 'Latency', severity: 'warning' }));
  story.forward(3 * minute);

  fires(story);
  assert.equal(story.all('RunStarted').length, 0);
  story.forward(minute);

  assert.equal(story.all('RunStarted').length, 1);
});

test('B1: an alert without a playbook that joins meanwhile does not page over the head of the one that waits', () => {
  const story = playing([lasting]);
  story.see(eventOf());
  story.forward(30 * second);

  story.see(eventOf({ name: 'Latency', startedAt: story.now() }));
  story.forward(29 * second);
  assert.equal(paged(story), 0);
  story.forward(second);

  assert.deepEqual([asked(story).length, paged(story)], [1, 0]);
});

test('a playbook that waits longer than people do is paged over, and acts all the same when its time has come', () => {
  const story = playing([{ ...lasting, triggers: [{ on: 'alert', when: 'alert.name == "ServiceDown"', forMs: 10 * minute }] }]);
  story.see(eventOf());
  story.forward(10 * second);
  assert.equal(paged(story), 1);

  story.forward(10 * minute);

  assert.equal(asked(story).length, 1);
});

test('a condition on the incident sees it grow', () => {
  const story = playing([playbookOf({ triggers: [{ on: 'incident', when: 'incident.members >= 2', forMs: 0 }] })]);
  story.see(eventOf());
  assert.equal(story.all('RunStarted').length, 0);

  story.see(eventOf({ name: 'Latency' }));

  assert.equal(story.all('RunStarted').length, 1);
});

test('a condition that cannot be evaluated matches nothing', () => {
  const story = playing([playbookOf({ triggers: [{ on: 'alert', when: 'alert.labels.nothing == "x"', forMs: 0 }] })]);
  story.see(eventOf());
  story.forward(minute);

  assert.deepEqual([story.all('RunStarted').length, story.all('RunRefused').length, paged(story)], [0, 0, 1]);
});

// ---------------------------------------------------------------- G1

const text: Param = { type: 'string', from: 'alert.labels.value', fallback: null, pattern: null, maxLength: 40, oneOf: null };

/** Plain text an alert may say, and what no action may be pointed at. */
const plain = fc.stringMatching(/^[a-z0-9][a-z0-9 ./:_-]{0,30}[a-z0-9]$/);
const control = fc
  .oneof(fc.integer({ min: 0, max: 31 }), fc.integer({ min: 127, max: 159 }), fc.constantFrom(0x2028, 0x2029))
  .map((code) => String.fromCharCode(code));
const unfit = fc.oneof(
  fc.constantFrom('', ' ', '\t \n', '*', ' * '),
  fc.tuple(fc.constantFrom('-', '--', ' -'), plain).map(([dash, rest]) => dash + rest),
  fc.tuple(plain, control, plain).map((parts) => parts.join('')),
);
/** CEL that gives no plain value. */
const unfitCel = fc.constantFrom('[]', '["a"]', 'null', '{}', '{"a": "b"}', '""', 'alert.labels', 'alert.nothing', '1', 'true');

function refusedWhole(story: Story, says: string): void {
  story.forward(10 * second);
  assert.equal(story.all('RunRefused').length, 1, says);
  assert.deepEqual(asked(story), [], says);
  assert.equal(paged(story), 1, says);
}

test('G1: plain values act', () => {
  fc.assert(
    fc.property(plain, (value) => {
      const story = playing([playbookOf({ params: { service: text }, target: '$alert.labels.value' })]);
      story.see(eventOf({ labels: { value } }));
      assert.deepEqual([callOf(story).target, callOf(story).input['name']], [value, value]);
    }),
    { numRuns: 25 },
  );
});

test('G1: a parameter that an alert makes empty, unbounded, an option or unprintable refuses the run', () => {
  fc.assert(
    fc.property(unfit, (value) => {
      const story = playing([playbookOf({ params: { service: text }, target: 'db1' })]);
      story.see(eventOf({ labels: { value } }));
      refusedWhole(story, JSON.stringify(value));
    }),
    { numRuns: 60 },
  );
});

test('G1: a target that an alert makes empty, unbounded, an option or unprintable refuses the run', () => {
  fc.assert(
    fc.property(unfit, fc.constantFrom('$alert.labels.value', '${alert.labels.value}'), (value, target) => {
      const story = playing([playbookOf({ params: {}, target, steps: [stepOf({ with: {} })] })]);
      story.see(eventOf({ labels: { value } }));
      refusedWhole(story, JSON.stringify(value));
    }),
    { numRuns: 60 },
  );
});

test('G1: a parameter without a plain value of its type refuses the run', () => {
  fc.assert(
    fc.property(unfitCel, fc.constantFrom<Json>(null, '', [], ['a'], {}), (from, fallback) => {
      const story = playing([playbookOf({ params: { service: { ...text, from, fallback } }, target: 'db1' })]);
      story.see(eventOf());
      refusedWhole(story, `${from} or ${JSON.stringify(fallback)}`);
    }),
    { numRuns: 40 },
  );
});

test('G1: a target that is no text refuses the run', () => {
  for (const target of [null, '', ' ', '*', [], ['a'], {}, { a: 'b' }, 1, true, '$alert.labels', '$alert.nothing', '$params.other']) {
    const story = playing([playbookOf({ target })]);
    story.see(eventOf());
    refusedWhole(story, JSON.stringify(target));
  }
});

const fitting: readonly { readonly says: string; readonly param: Partial<Param>; readonly value: Json | null }[] = [
  { says: 'the fallback when the alert says nothing', param: { from: 'alert.labels.none', fallback: 'checkout' }, value: 'checkout' },
  { says: 'an integer', param: { type: 'integer', from: '6 * 7' }, value: 42 },
  { says: 'no fraction for an integer', param: { type: 'integer', from: '1.5' }, value: null },
  { says: 'no text for a number', param: { type: 'number', from: '"1"' }, value: null },
  { says: 'false, which is a value', param: { type: 'boolean', from: 'false' }, value: false },
  { says: 'zero, which is a value', param: { type: 'number', from: '0' }, value: 0 },
  { says: 'a value among those allowed', param: { from: '"b"', oneOf: ['a', 'b'] }, value: 'b' },
  { says: 'no value beside those allowed', param: { from: '"c"', oneOf: ['a', 'b'] }, value: null },
  { says: 'no value longer than allowed', param: { from: '"abcde"', maxLength: 4 }, value: null },
  { says: 'what its own pattern matches whole', param: { from: '"-9"', pattern: '-[0-9]' }, value: '-9' },
  { says: 'nothing its own pattern matches in part', param: { from: '"-9; x"', pattern: '-[0-9]' }, value: null },
];

for (const { says, param, value } of fitting) {
  test(`a parameter takes ${says}`, () => {
    const story = began({ params: { service: { ...text, ...param } }, target: 'db1' });

    if (value === null) refusedWhole(story, says);
    else assert.equal(story.last('RunStarted').params['service'], value);
  });
}

test('a playbook whose run was refused leaves the incident as it is: it still resolves by its alerts', () => {
  const story = playing([guarded({ confidence: 0.99 })]);
  story.see(eventOf());
  story.forward(minute);
  clears(story);

  assert.equal(story.last('IncidentResolved').by, 'source');
  assert.throws(() => end(story));
});
