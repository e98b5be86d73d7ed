// The judge of the cluster test, judged: on accounts in order it is silent, and it names each fault that is put into them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Account } from './account.ts';
import { verdictOn, type World } from './check.ts';
import type { Fact } from '../../../src/core/records.ts';
import { plainNotification } from '../../support/notification.ts';
import { followWords, type Words } from '../../process/words.ts';

const place = { scope: 's', seq: 1, page: 'p1', incident: 'i1' } as const;
const ladder = { name: 'default', rungs: [{ notify: ['sink'], waitMs: 60_000 }], repeat: 0, ackTimeoutMs: 0 };
const opened: Fact = { ...place, type: 'PageOpened', at: 400, ladder, title: 't', reason: 'r' };
const closed: Fact = { ...place, type: 'PageClosed', at: 500, why: 'over' };
const ring = grantAt(400);

function grantAt(at: number): Fact {
  const notification = { ...plainNotification, id: 'x|p1|sink', kind: 'page', page: 'p1', incident: 'i1' } as const;
  return { ...place, type: 'NotifyGranted', at, notifier: 'sink', attempt: 1, worker: 'w', outgoing: 'p1|sink', notification };
}

function wordsOf(...facts: readonly Fact[]): Words {
  const words = followWords();
  for (const fact of facts) words.take(fact);
  return words;
}

/** One critical alert, its run with one action that worked, its page. */
function fine(): { readonly account: Account; readonly world: World } {
  const account: Account = {
    inputs: 4,
    facts: 8,
    repeats: 1,
    disorder: [],
    seen: new Map([['s|e:d1:x|0', 'd1/0']]),
    decided: new Map([['s|e:d1:x|0', { times: 1, incident: 'i1' }]]),
    granted: new Map([['r1/steps/act/1', [{ worker: '7-a.1', at: 100 }]]]),
    finished: new Map([['r1/steps/act/1', { outcome: 'ok', error: '', at: 300 }]]),
    runs: new Map([['r1', { incident: 'i1', end: 'failed' }]]),
    pages: new Map([['p1', 'i1']]),
    notifications: new Set(['p1|sink']),
    openIncidents: new Set(['i1']),
    words: wordsOf(opened, ring),
  };
  const world: World = {
    accepted: new Map([['d1/0', { urgent: true }]]),
    acts: [{ key: 'r1/steps/act/1', at: 200 }],
    delivered: new Map([['p1|sink', 1]]),
    heard: [{ id: 'x|p1|sink', at: 401 }],
    zombies: [],
  };
  return { account, world };
}

function faultsOf(
  change: (account: Account) => Partial<Account>,
  around: (world: World) => Partial<World> = () => ({}),
): readonly string[] {
  const { account, world } = fine();
  return verdictOn({ ...account, ...change(account) }, { ...world, ...around(world) }).faults;
}

const same = (): Partial<Account> => ({});
const act = 'r1/steps/act/1';

test('accounts in order have no fault, and repeats and second notifications are none', () => {
  assert.deepEqual(faultsOf(same), []);
  assert.deepEqual(
    faultsOf(same, () => ({ delivered: new Map([['p1|sink', 2]]) })),
    [],
  );
});

const faulty: readonly (readonly [string, readonly string[], RegExp])[] = [
  [
    'a page that is over, and nobody was told of the end',
    faultsOf(() => ({ words: wordsOf(opened, ring, closed) })),
    /over, and whoever was called did not hear of it: p1/,
  ],
  [
    'a ring that was granted when its page was over',
    faultsOf(
      () => ({ words: wordsOf(opened, closed, grantAt(501)) }),
      () => ({ heard: [{ id: 'x|p1|sink', at: 502 }] }),
    ),
    /stale word: x\|p1\|sink \(page\) was granted while page p1 was closed/,
  ],
  [
    'a ring that arrived long after its page was over',
    faultsOf(
      () => ({ words: wordsOf(opened, ring, closed) }),
      () => ({ heard: [{ id: 'x|p1|sink', at: 60_500 }] }),
    ),
    /stale word: x\|p1\|sink \(page\) arrived 60000 ms after page p1 was closed/,
  ],
  [
    'a word that was never granted',
    faultsOf(same, () => ({ heard: [{ id: 'x|p9|sink', at: 9 }] })),
    /stale word: x\|p9\|sink arrived and was not granted/,
  ],
  [
    'an accepted alert that is on no log',
    faultsOf(same, () => ({ accepted: new Map([['d2/0', { urgent: false }]]) })),
    /^1 × accepted and not on the inputs: d2\/0$/,
  ],
  ['an alert that nobody decided', faultsOf(() => ({ decided: new Map() })), /not decided once: s\|e:d1:x\|0 0 times/],
  ['an alert decided twice', faultsOf(() => ({ decided: new Map([['s|e:d1:x|0', { times: 2, incident: 'i1' }]]) })), /not decided once/],
  [
    'a decision about nothing',
    faultsOf(({ decided }) => ({ decided: new Map([...decided, ['s|e:d9:x|0', { times: 1, incident: null }]]) })),
    /not on the inputs/,
  ],
  ['facts out of order', faultsOf(() => ({ disorder: ['seq 5 comes after 3'] })), /out of order: seq 5/],
  ['a critical alert without a page', faultsOf(() => ({ pages: new Map(), notifications: new Set() })), /nobody was paged for: d1\/0/],
  ['an action done twice', faultsOf(same, ({ acts }) => ({ acts: [...acts, ...acts] })), /action done twice: r1/],
  ['an action without a grant', faultsOf(() => ({ granted: new Map() })), /action without a grant: r1/],
  [
    'two grants of a call',
    faultsOf(({ granted }) => ({ granted: new Map([[act, [...(granted.get(act) ?? []), { worker: '8-b.1', at: 120 }]]]) })),
    /granted twice/,
  ],
  [
    'an action after it was given up',
    faultsOf(() => ({ finished: new Map([[act, { outcome: 'unknown', error: '', at: 150 }]]) })),
    /had given it up: r1/,
  ],
  [
    'an action of a worker that was too late',
    faultsOf(() => ({ finished: new Map([[act, { outcome: 'failed', error: 'too_late', at: 300 }]]) })),
    /too late: r1/,
  ],
  ['an answer without its action', faultsOf(same, () => ({ acts: [] })), /said to be done that was not: r1/],
  ['an action of a zombie', faultsOf(same, () => ({ zombies: [{ pid: 7, stoppedAt: 110, wokenAt: 190 }] })), /zombie.*: r1/],
  ['a run without an end', faultsOf(() => ({ runs: new Map([['r1', { incident: 'i1', end: null }]]) })), /did not end: r1/],
  [
    'an unknown outcome without a page',
    faultsOf(() => ({ runs: new Map([['r1', { incident: 'i2', end: 'unknown' }]]) })),
    /unknown outcome that nobody/,
  ],
  ['a page that reached nobody', faultsOf(same, () => ({ delivered: new Map() })), /page that reached nobody: p1/],
  [
    'a notification that did not arrive',
    faultsOf(() => ({ notifications: new Set(['p1|sink', 'p1|other']) })),
    /did not arrive: p1\|other/,
  ],
];

for (const [fear, faults, names] of faulty) {
  test(`finds ${fear}`, () => {
    assert.ok(
      faults.some((fault) => names.test(fault)),
      faults.join('\n'),
    );
  });
}
