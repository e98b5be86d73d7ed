// Flapping: what changes weigh, what is said of them, and whom an alert that comes and goes calls.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AlertEvent } from '../../src/core/alert/event.ts';
import { flapPercent, flapText, noHistory, observe, type FlapHistory } from '../../src/core/alert/flapping.ts';
import { minute, second } from '../../src/core/time.ts';
import { someday } from '../support/clock.ts';
import { eventOf } from '../support/event.ts';
import type { Ladder } from '../../src/core/page/ladder.ts';
import { ladder, policyOf } from '../support/policy.ts';
import { accepted, tell, type Story } from '../support/story.ts';

function changed(times: readonly number[]): FlapHistory {
  let history = noHistory(false);
  for (const [place, at] of times.entries()) history = observe(history, place % 2 === 0, at);
  return history;
}

const atOnce = (count: number): readonly number[] => Array.from({ length: count }, (_, place) => someday + place);

test('A7: a change weighs less with time, and nothing after half an hour; repeats of a state weigh nothing', () => {
  const history = changed(atOnce(6));
  assert.equal(Math.floor(flapPercent(history, someday + 6)), 37);
  assert.equal(Math.round(flapPercent(history, someday + 15 * minute)), 30);
  assert.equal(flapPercent(history, someday + 31 * minute), 0);
  let repeated = history;
  for (let repeat = 0; repeat < 40; repeat += 1) repeated = observe(repeated, repeated.firing, someday + minute);
  assert.deepEqual(repeated, history);
});

test('A7: what is kept of changes is bounded', () => {
  assert.equal(changed(atOnce(500)).times?.length, 40);
  assert.deepEqual(changed([someday, someday + 31 * minute]).times, [someday + 31 * minute]);
});

test('A7: how often and how long it was down is said in words', () => {
  const times = Array.from({ length: 18 }, (_, place) => someday + place * 14 * second);
  assert.equal(flapText(changed(times), someday + 18 * 14 * second), '9 times in 4 min, down 50 % of the time');
});

type Teller = (story: Story, firing: boolean) => AlertEvent;

const claimOf = (firing: boolean): AlertEvent['claim'] => (firing ? 'firing' : 'cleared');

/** Sources that repeat, sources that number their episodes, sources that tell changes only. */
const tellers: { readonly [source: string]: Teller } = {
  prometheus: (story, firing) => eventOf({ claim: claimOf(firing), severity: 'error', observedAt: story.now(), startedAt: story.now() }),
  nagios: (story, firing) =>
    eventOf({ source: 'nagios', claim: claimOf(firing), severity: 'error', startedAt: story.now(), observedAt: story.now() }),
  zabbix: (story, firing) => {
    const episode = `${Math.floor((story.now() - someday) / 24_000)}`;
    return eventOf({
      source: 'zabbix',
      claim: claimOf(firing),
      severity: 'error',
      episode,
      startedAt: story.now(),
      observedAt: story.now(),
    });
  },
};

function comeAndGo(story: Story, teller: Teller, change: Partial<AlertEvent> = {}): void {
  for (let round = 0; round < 9; round += 1) {
    for (const firing of [true, false]) {
      story.see({ ...teller(story, firing), ...change });
      if (teller === tellers['prometheus']) story.see({ ...teller(story, firing), ...change });
      story.forward(12 * second);
    }
  }
}

for (const [source, teller] of Object.entries(tellers)) {
  test(`A7: what flapped and stays down calls somebody, and says that it flapped (${source})`, () => {
    const story = tell(policyOf({ settleMs: 15 * second }));
    comeAndGo(story, teller);
    assert.equal(story.all('AlertFlapping').length, 1, 'told once');
    assert.equal(story.all('PageOpened').length, 0, 'muted while it comes and goes');

    story.see(teller(story, true));
    story.forward(4 * minute);
    assert.equal(story.all('PageOpened').length, 0);
    story.forward(2 * minute);

    assert.match(story.last('PageOpened').reason, /^was flapping \(9 times in 3 min, down 4\d % of the time\), now down; /);
    assert.equal(story.last('AlertFlapping').flapping, false);
  });

  test(`A7: critical is never muted by flapping: one page for a crash loop, over when it is steady (${source})`, () => {
    const story = tell(policyOf({ settleMs: 15 * second }));
    comeAndGo(story, teller, { severity: 'critical' });
    story.notified(accepted);

    assert.equal(story.all('PageOpened').length, 1);
    assert.match(story.last('PageOpened').reason, /^flapping: \d+ times in \d+ s, down \d\d % of the time/);
    assert.equal(story.all('PageClosed').length, 0, 'it stays while it flaps');
    comeAndGo(story, teller, { severity: 'critical' });
    assert.equal(story.all('PageOpened').length, 1);
    story.forward(6 * minute);
    assert.equal(story.all('PageClosed').length, 1);
    assert.equal(story.last('IncidentResolved').by, 'source');
  });
}

for (const severity of ['critical', 'error'] as const) {
  test(`A7: who was rung is told once that it flaps, every ring says so, and the next after it is down for good says that (${severity})`, () => {
    const pd: Ladder = { ...ladder, rungs: [{ notify: ['pd'], waitMs: 10 * second }] };
    const story = tell(policyOf({ settleMs: second, ladders: { default: pd } }));
    const pass = (span: number): void => {
      for (let left = span; left > 0; left -= 100) {
        story.forward(Math.min(left, 100));
        story.notified(accepted);
      }
    };
    for (let round = 0; round < 6; round += 1) {
      for (const [claim, span] of [
        ['firing', 1_500],
        ['cleared', 1_200],
      ] as const) {
        story.see(eventOf({ source: 'nagios', severity, claim, startedAt: story.now(), observedAt: story.now() }));
        pass(span);
      }
    }
    story.see(eventOf({ source: 'nagios', severity, startedAt: story.now(), observedAt: story.now() }));
    pass(7 * minute);

    const sent = story.all('NotifyGranted').map(({ notification }) => notification);
    const told = sent.filter(({ kind }) => kind === 'flapping');
    assert.equal(told.length, 1, 'told once');
    assert.match(told[0]?.text ?? '', /^flapping: 3 times in 6 s, down \d+ % of the time\. This is told once/);
    const after = sent.slice(sent.findIndex(({ kind }) => kind === 'flapping') + 1);
    assert.ok(after.length > 1 && after.every(({ kind }) => kind === 'repeat'), 'no page and no end for each change');
    const why = after.map(({ text }) => /^Why you: (.*)$/m.exec(text)?.[1] ?? '');
    const steady = story.all('AlertFlapping').findLast(({ flapping }) => !flapping)?.at ?? 0;
    for (const [place, { at, text }] of after.entries()) {
      assert.doesNotMatch(text, /nothing of it fires now/);
      assert.match(
        why[place] ?? '',
        at < steady ? /^flapping: 6 times/ : /^was flapping \(6 times in 15 s, down 51 % of the time\), now down; no playbook/,
      );
    }
    assert.ok(severity === 'error' || after.some(({ at }) => at < steady), 'critical rings on while it flaps');
  });
}

test('A7: a ring that leaves while what flaps is well for a moment says that', () => {
  const story = tell(policyOf({ settleMs: second, ladders: { default: { ...ladder, rungs: [{ notify: ['pd'], waitMs: 30 * second }] } } }));
  for (let round = 0; round < 6; round += 1) {
    for (const claim of ['firing', 'cleared'] as const) {
      story.see(eventOf({ source: 'nagios', claim, startedAt: story.now(), observedAt: story.now() }));
      story.forward(1_500);
      story.notified(accepted);
    }
  }
  story.forward(minute);
  story.notified(accepted);
  const { notification } = story.last('NotifyGranted');
  assert.equal(notification.kind, 'repeat');
  assert.match(notification.text, /^flapping: 6 times in .*; clear at this moment$/m);
});

/** An alert that has been rung for and now begins to flap; `before` is called a moment before its change that makes it flap. */
function flapsOnce(before: (story: Story) => void): Story {
  const pd: Ladder = { ...ladder, rungs: [{ notify: ['pd'], waitMs: minute }], ackTimeoutMs: 2 * minute };
  const story = tell(policyOf({ settleMs: second, ladders: { default: pd } }));
  for (let round = 1; round <= 3; round += 1) {
    story.see(eventOf({ source: 'nagios', startedAt: story.now(), observedAt: story.now() }));
    story.forward(1_500);
    story.notified(accepted);
    if (round === 3) before(story);
    story.see(eventOf({ source: 'nagios', claim: 'cleared', startedAt: story.now(), observedAt: story.now() }));
    if (round < 3) story.forward(1_200);
  }
  assert.equal(story.all('AlertFlapping').length, 1);
  return story;
}

const ack = (story: Story): void =>
  void story.say({ type: 'Acked', incident: story.last('PageOpened').incident, by: 'anna', via: 'console' });
const kindsAsked = (story: Story): readonly string[] => story.all('NotifyRequested').map(({ notification }) => notification.kind);

test('A7: nobody is told that it flaps while somebody has it; who is rung once that has timed out is told with the ring', () => {
  const taken = flapsOnce(ack);
  assert.ok(
    flapsOnce(() => {})
      .all('NotifyRequested')
      .at(-1)?.notification.kind === 'flapping',
    'without it that is told',
  );
  assert.ok(!kindsAsked(taken).includes('flapping'));

  taken.forward(1_200);
  taken.see(eventOf({ source: 'nagios', startedAt: taken.now(), observedAt: taken.now() }));
  taken.forward(2 * minute + second);
  taken.notified(accepted);
  const { notification } = taken.last('NotifyGranted');
  assert.equal(notification.kind, 'repeat');
  assert.match(notification.text, /^Why you: flapping: 3 times in 2 min, down 97 % of the time; acknowledged by anna at /m);
});

test('A7: a word that it flaps does not leave once somebody has it', () => {
  const story = flapsOnce(() => {});
  const word = story.last('NotifyRequested').notification;
  assert.equal(word.kind, 'flapping');
  ack(story);
  story.notified(accepted);
  const { notification, why } = story.last('NotifyDropped');
  assert.deepEqual([notification, why], [word.id, 'anna has it']);
  assert.ok(story.all('NotifyGranted').every((each) => each.notification.kind !== 'flapping'));
});

test('A7: occurrences that have an identity each, but are about one thing, are one that flaps: one page says so', () => {
  const pd: Ladder = { ...ladder, rungs: [{ notify: ['pd'], waitMs: minute }] };
  const story = tell(policyOf({ settleMs: second, ladders: { default: pd } }));
  const pass = (span: number): void => {
    for (let left = span; left > 0; left -= 100) {
      story.forward(100);
      story.notified(accepted);
    }
  };
  const issue = (number: number, claim: AlertEvent['claim']): AlertEvent =>
    eventOf({
      source: 'newrelic',
      fingerprint: `issue${number}`,
      episode: `${number}`,
      subject: 'latency of checkout',
      claim,
      entity: {},
      startedAt: story.now(),
      observedAt: story.now(),
    });
  for (let number = 0; number < 8; number += 1) {
    story.see(issue(number, 'firing'));
    pass(1_500);
    story.see(issue(number, 'cleared'));
    pass(1_200);
  }
  const kinds = story.all('NotifyGranted').map(({ notification }) => notification.kind);
  assert.equal(story.all('IncidentOpened').length, 1);
  assert.equal(story.all('AlertFlapping').filter(({ flapping }) => flapping).length, 1, 'it begins to flap once, whichever issue it is');
  assert.deepEqual(kinds, ['page', 'resolve', 'page']);
  assert.match(story.last('PageOpened').reason, /^flapping: 3 times in 7 s/);
  assert.ok(
    story
      .all('AlertJoined')
      .slice(1)
      .every(({ evidence }) => evidence.kind === 'recurrence'),
  );

  pass(7 * minute);
  assert.equal(story.last('IncidentResolved').by, 'source');
  assert.equal(story.last('AlertFlapping').flapping, false);
  assert.ok([...story.desk().tables.incidents.rows.values()].every(({ flapping = 0 }) => flapping === 0));
});
