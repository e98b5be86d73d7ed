// Which remedies are asked, and in what order, before a person is called: those that do not fit, those that are held, those that fail,
// each target and each member; and that nothing that was learned keeps a page away.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Severity } from '../../src/core/alert/severity.ts';
import type { Param, Playbook } from '../../src/core/playbook/document.ts';
import { hour, minute, second } from '../../src/core/time.ts';
import { eventOf } from '../support/event.ts';
import { asked, claim, callOf, clears, fires, incidentOf, paged, probe, well } from '../support/play.ts';
import { playbookOf, policyOf, stepOf } from '../support/policy.ts';
import { broke, done, silent, tell, type Story } from '../support/story.ts';

const host = (pattern: string): Param => ({ type: 'string', from: 'alert.host', fallback: null, pattern, maxLength: 64, oneOf: null });

function book(name: string, change: Partial<Playbook> = {}): Playbook {
  const steps = [stepOf({ uses: `test/${name}`, with: { host: '$params.host' } })];
  return playbookOf({ name, params: { host: host('[a-z]+[0-9]+') }, target: '$params.host', steps, ...change });
}

const started = (story: Story): readonly string[] => story.all('RunStarted').map(({ playbook, target }) => `${playbook.name} ${target}`);
const on = (name: string, change = {}) => eventOf({ entity: { host: name, service: 'checkout' }, ...change });
const trigger = (when: string) => [{ on: 'alert' as const, when, forMs: 0 }];

// ---------------------------------------------------------------- C4, C5

test('C4: a playbook whose parameters or target do not fit makes way for the next that does', () => {
  for (const misfit of [
    book('a', { params: { host: host('web[0-9]+') } }),
    book('a', { target: '*' }),
    book('a', { target: '$params.no' }),
  ]) {
    const story = tell(policyOf({ playbooks: [misfit, book('b', { params: { host: host('db[0-9]+') } })] }));
    story.see(on('db1'));
    story.forward(20 * second);

    assert.deepEqual([started(story), paged(story)], [['b db1'], 0]);
  }
});

test('C4: when none fits, a person is called, and reads of each', () => {
  const books = ['a', 'b'].map((name) => book(name, { params: { host: host('web[0-9]+') } }));
  const story = tell(policyOf({ playbooks: books }));
  story.see(on('db1'));
  story.forward(minute);

  assert.match(story.last('PageOpened').reason, /playbook a was refused: parameter host: .*; playbook b was refused: parameter host/);
});

test('C4: what does not fit pages nobody about a trifle', () => {
  const story = tell(policyOf({ playbooks: [book('a', { params: { host: host('web[0-9]+') } })] }));
  story.see(on('db1', { severity: 'warning' }));
  story.forward(hour);

  assert.deepEqual([paged(story), story.last('IncidentDecided').decision], [0, 'record']);
});

test('C5: a remedy that failed makes way for the next; when the last has failed, one page tells of all', () => {
  const story = tell(policyOf({ playbooks: [book('a'), book('b')] }));
  story.see(on('web1'));
  story.answer(broke);
  assert.deepEqual([started(story), paged(story)], [['a web1', 'b web1'], 0]);
  story.answer(broke);
  story.forward(20 * second);

  assert.equal(paged(story), 1);
  assert.match(story.last('PageOpened').reason, /playbook a ended failed: .*; playbook b ended failed: /);
});

test('C5: after an unknown outcome no other remedy is tried', () => {
  const story = tell(policyOf({ playbooks: [book('a'), book('b')] }));
  story.see(on('web1'));
  story.answer(silent);
  story.forward(minute);

  assert.deepEqual([started(story), paged(story)], [['a web1'], 1]);
});

// ---------------------------------------------------------------- C6

test('C6: a cooldown that ends within the hold-off lets the playbook act, at that moment', () => {
  const story = tell(policyOf({ playbooks: [book('a', { guards: { ...book('a').guards, cooldownMs: 3 * minute } })] }));
  story.see(on('web1'));
  story.answer(done);
  story.see(on('web1', { claim: 'cleared', observedAt: story.now() + 1 }));
  story.forward(2 * minute);
  story.see(on('web1', { startedAt: story.now(), observedAt: story.now() }));
  story.forward(minute - 1);
  assert.deepEqual([started(story).length, paged(story)], [1, 0]);

  story.forward(1);

  assert.deepEqual([started(story).length, paged(story)], [2, 0]);
});

test('C6: a score that a second source lifts, and a thaw, let the playbook act within the hold-off', () => {
  const strict = book('a', { guards: { ...book('a').guards, confidence: 0.85 } });
  const scored = tell(policyOf({ playbooks: [strict] }));
  scored.see(on('web1'));
  assert.equal(started(scored).length, 0);
  scored.see(on('web1', { source: 'nagios' }));
  assert.deepEqual([started(scored), paged(scored)], [['a web1'], 0]);

  const frozen = tell(policyOf({ playbooks: [book('a')] }));
  frozen.freeze({ by: 'ann', reason: 'audit' });
  frozen.see(on('web1'));
  frozen.forward(50 * second);
  frozen.freeze(null);
  frozen.forward(15 * second);
  assert.deepEqual([started(frozen), paged(frozen)], [['a web1'], 0]);
});

test('C6: a guard that does not lift within the hold-off gives one page, with every reason', () => {
  const story = tell(policyOf({ playbooks: [book('a'), book('b')] }));
  story.freeze({ by: 'ann', reason: 'audit' });
  story.see(on('web1'));
  story.forward(2 * minute - 1);
  assert.equal(paged(story), 0);
  story.forward(hour);

  assert.equal(paged(story), 1);
  assert.match(story.last('PageOpened').reason, /playbook a was refused: frozen by ann.*; playbook b was refused: frozen by ann/);
});

test('C6 C9: whoever waits for a slot goes on in the turn that releases it, the longest waiting first', () => {
  const story = tell(
    policyOf({
      playbooks: [book('a', { guards: { ...book('a').guards, concurrency: 1 }, verify: { ...book('a').verify, proofs: [probe] } })],
    }),
  );
  const hosts = Array.from({ length: 14 }, (_, index) => `web${index}`);
  for (const name of hosts) {
    story.see(on(name, { entity: { host: name, service: name } }));
    story.forward(1);
  }
  for (let step = 0; step < hosts.length; step += 1) {
    story.answer(done);
    story.forward(100);
    story.answer(well);
  }

  assert.deepEqual([started(story), paged(story)], [hosts.map((name) => `a ${name}`), 0]);
});

test('C6: whoever waits for a target goes on in the turn that releases it, and one that recovered meanwhile lets the next', () => {
  const shared = { params: {}, target: 'db', verify: { ...book('a').verify, proofs: [probe] } };
  const story = tell(policyOf({ playbooks: [book('a', { ...shared, steps: [stepOf({ with: {} })] })] }));
  for (const name of ['web1', 'web2', 'web3']) story.see(on(name, { entity: { host: name, service: name } }));
  story.see(on('web2', { entity: { host: 'web2', service: 'web2' }, claim: 'cleared', observedAt: story.now() + 1 }));
  assert.equal(started(story).length, 1);
  const before = story.now();
  story.answer(done);
  story.answer(well);

  const incidents = story.all('RunStarted').map(({ alerts, at }) => [alerts?.length, at]);
  assert.deepEqual(incidents, [
    [1, before],
    [1, before],
  ]);
  assert.equal(story.last('RunStarted').incident, story.last('IncidentOpened').incident);
});

test('C1: no run begins for an alert that somebody has in its source', () => {
  const story = tell(policyOf({ playbooks: [book('a', { triggers: trigger('alert.name == "DiskFull" && incident.members > 1') })] }));
  story.see(on('web1', { name: 'DiskFull' }));
  story.see(on('web1', { name: 'DiskFull', claim: 'acknowledged' }));
  story.see(on('web1', { name: 'Latency' }));
  story.forward(hour);

  assert.deepEqual([started(story), paged(story)], [[], 1]);
});

// ---------------------------------------------------------------- C2, C7

test('C7: three hosts in one incident are three targets, and each is healed', () => {
  const story = tell(policyOf({ playbooks: [book('a')] }));
  for (const name of ['web1', 'web2', 'web3']) story.see(on(name));
  assert.equal(story.all('IncidentOpened').length, 1);
  for (const name of ['web1', 'web2', 'web3']) {
    assert.equal(callOf(story).target, name);
    story.answer(done);
    story.see(on(name, { claim: 'cleared', observedAt: story.now() + 1 }));
  }

  assert.deepEqual([started(story), paged(story)], [['a web1', 'a web2', 'a web3'], 0]);
  assert.equal(story.last('IncidentResolved').by, 'playbook');
});

const nginx = book('nginx', {
  triggers: trigger('alert.name == "NginxDown"'),
  steps: [stepOf({ with: {}, undo: { uses: 'test/undo', with: {}, timeoutMs: second } })],
  verify: { ...playbookOf().verify, withinMs: minute, otherwise: 'rollback' },
});
const disk = book('disk', { triggers: trigger('alert.name == "DiskFull"') });

test('C2: a cured alert is proven while a stranger fires: nothing is undone, and the stranger gets its own playbook', () => {
  const story = tell(policyOf({ playbooks: [nginx, disk] }));
  story.see(on('web1', { name: 'NginxDown' }));
  story.see(on('web1', { name: 'DiskFull' }));
  story.answer(done);
  story.see(on('web1', { name: 'NginxDown', claim: 'cleared', observedAt: story.now() + 1 }));

  assert.deepEqual([story.last('RunFinished').end, asked(story).includes('undo/restart/1')], ['succeeded', false]);
  assert.deepEqual(started(story), ['nginx web1', 'disk web1']);
});

test('C2: a stranger without a playbook is paged, though another alert of its incident was cured', () => {
  const story = tell(policyOf({ playbooks: [nginx] }));
  story.see(on('web1', { name: 'NginxDown' }));
  story.see(on('web1', { name: 'DiskFull' }));
  story.answer(done);
  story.see(on('web1', { name: 'NginxDown', claim: 'cleared', observedAt: story.now() + 1 }));
  story.forward(30 * second);

  assert.equal(paged(story), 1);
});

// ---------------------------------------------------------------- C12, C13

/** On hold for a playbook's `for`; then its root clears, and another member does not. */
function rootCleared(): Story {
  const lasting = book('a', { triggers: [{ on: 'alert', when: 'alert.name == "ServiceDown"', forMs: minute }] });
  const story = tell(policyOf({ playbooks: [lasting] }));
  story.see(on('web1'));
  story.see(on('web1', { name: 'Latency' }));
  story.forward(50 * second);
  story.see(on('web1', { claim: 'cleared', observedAt: story.now() + 1 }));
  return story;
}

test('C12: an incident on hold that recovers, its root first, pages nobody', () => {
  const story = rootCleared();
  story.forward(second);
  story.see(on('web1', { name: 'Latency', claim: 'cleared', observedAt: story.now() + 1 }));
  story.forward(hour);

  assert.deepEqual([paged(story), story.all('IncidentResolved').length], [0, 1]);
});

test('C12: what does not recover with its root is paged within the bound', () => {
  const story = rootCleared();
  story.forward(15 * second);

  assert.equal(paged(story), 1);
});

test('C13: a playbook with a hold-off of its own has its chance before a person is called, and its bound holds', () => {
  const patient = { ladder: null, say: '', afterMs: 20 * minute };
  const slow = book('a', { triggers: [{ on: 'alert', when: 'true', forMs: 10 * minute }], escalate: patient });
  const story = tell(policyOf({ playbooks: [slow] }));
  story.see(on('web1'));
  story.forward(10 * minute);
  assert.deepEqual([started(story), paged(story)], [['a web1'], 0]);
  claim(story, callOf(story), 'w1');
  story.answer(done);
  story.forward(10 * minute + 10 * second);

  assert.equal(paged(story), 1);
});

// ---------------------------------------------------------------- B3

/** One life of the rule, in one of the ways a life may go. */
const lives: { readonly [way: string]: (story: Story) => void } = {
  passes: (story) => clears(story),
  paged(story) {
    story.forward(5 * minute);
    clears(story);
  },
  acked(story) {
    story.say({ type: 'Acked', incident: incidentOf(story), by: 'ann', via: 'api' });
    clears(story);
  },
  resolved(story) {
    clears(story);
  },
  silenced(story) {
    const at = story.now();
    const matchers = [{ name: 'alertname', op: '=' as const, value: 'ServiceDown' }];
    const silence = { id: `s${at}`, matchers, startsAt: at, endsAt: at + minute, untilResolved: false, by: 'ann', comment: '' };
    story.say({ type: 'SilenceSet', silence });
    clears(story);
    story.forward(minute);
  },
};

function live(story: Story, way: string): void {
  fires(story);
  lives[way]?.(story);
  story.forward(3 * hour);
}

test('B3: whatever was learned, what severity pages is paged within settle and hold-off', () => {
  const ways = fc.array(fc.constantFrom(...Object.keys(lives)), { minLength: 0, maxLength: 14 });
  fc.assert(
    fc.property(ways, fc.constantFrom('error' as const, 'critical' as const), fc.constantFrom(0.3, 0.5, 0.65), (past, severity, score) => {
      const policy = policyOf({ paging: { severity: 'error', score }, flap: { startPercent: 101, stopPercent: 100 } });
      const story = tell(policy);
      for (const way of past) live(story, way);
      const before = paged(story);
      story.see(eventOf({ severity, startedAt: story.now(), observedAt: story.now() }));
      story.forward(policy.settleMs + policy.holdOffMs);
      assert.equal(paged(story), before + 1, past.join(' '));
    }),
    { numRuns: 60 },
  );
});

test('B3: an alert that comes back worse than it was is judged by what it is now', () => {
  const story = tell(policyOf({ paging: { severity: 'error', score: 0.3 } }));
  story.see(eventOf({ severity: 'warning' }));
  clears(story);
  story.forward(minute);
  story.see(eventOf({ severity: 'critical', startedAt: story.now(), observedAt: story.now() }));
  story.forward(minute);

  assert.deepEqual([story.last('IncidentReopened').incident, paged(story)], [incidentOf(story), 1]);
});

const settle = 10 * second;

/** A story in which the emergency stop holds every playbook, with alerts at these severities, half a minute apart; how long it pages nobody. */
function heldFor(severities: readonly Severity[]): number {
  const books = severities.map((_, index) => book(`b${index}`, { triggers: trigger(`alert.name == "Rule${index}"`) }));
  const story = tell(policyOf({ playbooks: books, paging: { severity: 'warning', score: 0.2 } }));
  story.freeze({ by: 'ann', reason: 'audit' });
  const began = story.now();
  for (const [index, severity] of severities.entries()) {
    if (index > 0) story.forward(30 * second);
    const now = { startedAt: story.now(), observedAt: story.now() };
    story.see(on('web1', { ...now, fingerprint: `f${index}`, name: `Rule${index}`, severity }));
  }
  assert.equal(story.all('IncidentOpened').length, 1);
  story.forward(hour);
  return story.last('PageOpened').at - began;
}

test('B3 M2: what pages already and gets worse is paged as soon as it would have been; what comes to page then has its time', () => {
  assert.equal(heldFor(['warning', 'critical']), 2 * minute + settle);
  assert.equal(heldFor(['warning', 'error', 'critical']), 2 * minute + settle);
  assert.equal(heldFor(['info', 'warning', 'critical']), 30 * second + 2 * minute + settle);
  assert.equal(heldFor(['info', 'critical']), 30 * second + 2 * minute);
});

test('B3: silenced, paged-and-cleared and acknowledged lives teach nothing, and are counted apart', () => {
  const story = tell(policyOf());
  for (const way of ['silenced', 'paged', 'acked']) live(story, way);
  const { acted, passed, unknown } = story.last('RuleLearned');

  assert.deepEqual([acted, passed, unknown], [0, 0, 3]);
});

test('B3: a rule that always passed holds its page, says so, and is paged at the bound', () => {
  const story = tell(policyOf());
  for (let life = 0; life < 12; life += 1) live(story, 'passes');
  story.see(eventOf({ severity: 'error', startedAt: story.now(), observedAt: story.now() }));
  story.forward(minute);
  assert.equal(paged(story), 0);
  assert.match(story.last('IncidentDecided').reason, /ServiceDown: 0 of 12 needed action; paged if it lasts/);

  story.forward(minute + 10 * second);

  assert.equal(paged(story), 1);
});

test('B3: a playbook that proved its work is evidence that somebody was needed', () => {
  const story = tell(policyOf({ playbooks: [playbookOf({ verify: { ...playbookOf().verify, proofs: [probe] } })] }));
  story.see(eventOf());
  story.answer(done);
  story.answer(well);
  clears(story);

  assert.deepEqual([story.last('RuleLearned').acted, story.last('RuleLearned').passed], [1, 0]);
});

test('B3: a policy that puts the bound off while a run works does not lose the page', () => {
  const slow = book('a', {
    triggers: trigger('true'),
    steps: [stepOf({ uses: 'test/a', with: { host: '$params.host' }, timeoutMs: hour })],
  });
  const policy = (holdOffMs: number) => policyOf({ playbooks: [slow], settleMs: 0, holdOffMs });
  const story = tell(policy(minute));
  story.see(on('web1'));
  story.forward(second);
  claim(story, callOf(story), 'w1');
  story.policy(policy(3 * minute));
  story.forward(2 * minute);
  assert.equal(story.all('PageOpened').length, 0);
  story.forward(2 * minute);
  assert.match(story.last('PageOpened').reason, /playbook a has been at work/);
});
