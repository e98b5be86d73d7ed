// Critical alerts that nobody decides reach people all the same, once. When their pages end: ends.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NotifyOutcome } from '../../../src/core/page/notification.ts';
import { hour, minute, second } from '../../../src/core/time.ts';
import { eventOf } from '../../support/event.ts';
import { decisionAt, fire, fireAll, nth, rig } from './rig.ts';

test('O1: a critical alert that nobody decides is paged once, in words that say why', async () => {
  const made = await rig(['project']);
  assert.equal(await fire(made, [eventOf()]), 'accepted');
  await made.clock.forward(2 * minute - second);
  assert.equal(made.pages.length, 0);
  await made.clock.forward(10 * minute);
  assert.equal(made.pages.length, 1);
  const [page] = made.pages;
  assert.equal(page?.title, '[undecided] ServiceDown on web1');
  assert.equal(page?.severity, 'critical');
  assert.equal(page?.dedupKey, `quench:here:undecided:acme:${eventOf().fingerprint}`);
  assert.match(page?.text ?? '', /^Nobody decided about partition [01] for 2m: /);
  assert.match(page?.text ?? '', /Alert: ServiceDown on web1 \(ServiceDown, from prometheus\)\nWhat to do: /);
  assert.deepEqual(made.counted, ['alert']);
});

test('O1: repeats of it are no second page', async () => {
  const made = await rig(['project']);
  for (let round = 0; round < 10; round += 1) {
    await fire(made, [eventOf({ observedAt: made.clock.now() })]);
    await made.clock.forward(minute);
  }
  assert.equal(made.pages.length, 1);
});

test('O1: what is decided in time is not paged here', async () => {
  const made = await rig(['host', 'project']);
  for (let number = 0; number < 50; number += 1) await fire(made, [nth(number)]);
  await made.clock.forward(10 * minute);
  assert.equal(made.pages.length, 0);
  assert.equal(made.failOpen.waiting(), 0);
});

test('a decision that comes late ends it: no further try, no second page', async () => {
  const made = await rig(['project']);
  made.says = () => ({ outcome: 'unknown', detail: 'no answer' });
  await fire(made, [eventOf()]);
  await made.clock.forward(2 * minute + second);
  assert.equal(made.attempts.length, 1);
  await made.clock.forward(2 * minute);
  assert.equal(made.attempts.length, 2);
  made.failOpen.shown(decisionAt(made.clock.now()));
  await made.clock.forward(10 * minute);
  assert.equal(made.attempts.filter(({ kind }) => kind === 'page').length, 2);
});

test('B16: a notifier that never answers is tried in growing waits until the budget is spent, and gets few copies', async () => {
  const made = await rig(['project']);
  made.says = () => ({ outcome: 'unknown', detail: 'no answer' });
  await fire(made, [eventOf()]);
  await made.clock.forward(20 * minute);
  assert.ok(made.attempts.length >= 4 && made.attempts.length <= 8, `${made.attempts.length} attempts in twenty minutes`);
  await made.clock.forward(50 * minute);
  assert.ok(made.attempts.length > 8, 'it is not given up after eight');
  assert.deepEqual(made.troubles, []);
  await made.clock.forward(2 * hour);
  const { length } = made.attempts;
  await made.clock.forward(2 * hour);
  assert.equal(made.attempts.length, length, 'the budget of two hours is spent');
  assert.match(made.troubles.at(-1) ?? '', /notifier oncall did not take the page: no answer/);
});

test('B16: a notifier that was down for an hour, or refused its key, has the page once it is mended', async () => {
  for (const down of [
    { outcome: 'deferred', retryAfterMs: 0, detail: 'closed port' },
    { outcome: 'refused', detail: '401' },
  ] as const) {
    const made = await rig(['project']);
    made.says = () => down;
    await fire(made, [eventOf()]);
    await made.clock.forward(hour);
    made.says = () => ({ outcome: 'accepted', detail: '' });
    await made.clock.forward(6 * minute);
    const { length } = made.attempts;
    assert.ok(length > 1);
    await made.clock.forward(hour);
    assert.equal(made.attempts.length, length, 'and once it is taken, nothing more');
    assert.equal(new Set(made.attempts.map(({ id }) => id)).size, 1);
  }
});

test('a decision of before, shown late, is about something else', async () => {
  const made = await rig(['project']);
  const before = made.clock.now();
  await made.clock.forward(minute);
  await fire(made, [eventOf()]);
  made.failOpen.shown(decisionAt(before));
  await made.clock.forward(3 * minute);
  assert.equal(made.pages.length, 1);
});

test('what cleared meanwhile is forgotten; what fires again after that is not', async () => {
  const made = await rig(['project']);
  await fire(made, [eventOf()]);
  await made.clock.forward(minute);
  await fire(made, [eventOf({ claim: 'cleared' })]);
  await made.clock.forward(10 * minute);
  assert.equal(made.pages.length, 0);
  await fire(made, [eventOf({ claim: 'cleared' }), eventOf()]);
  await made.clock.forward(10 * minute);
  assert.equal(made.pages.length, 1);
});

for (const before of ['nothing', 'the same alert'])
  test(`a clear does not end what fired after it while the log had answered neither; of before, ${before} waits`, async () => {
    const made = await rig(['project'], { spooled: true });
    if (before !== 'nothing') await fire(made, [eventOf()]);
    made.away = 'lost';
    const clearing = fire(made, [eventOf({ claim: 'cleared' })]);
    await made.clock.forward(second);
    const firing = fire(made, [eventOf()]);
    await made.clock.forward(5 * second);
    assert.deepEqual(await Promise.all([clearing, firing]), ['accepted', 'accepted']);
    await made.clock.forward(5 * minute);
    assert.equal(made.pages.length, 1);
  });

test('what is not critical, not confirmed, held back by its source, or not accepted, is not paged', async () => {
  const made = await rig(['project'], { spooled: false });
  await fire(made, [
    eventOf({ severity: 'error', fingerprint: 'a'.repeat(16) }),
    eventOf({ soft: true, fingerprint: 'b'.repeat(16) }),
    eventOf({ sourceMute: 'downtime', fingerprint: 'c'.repeat(16) }),
    eventOf({ claim: 'noted', fingerprint: 'd'.repeat(16) }),
  ]);
  made.away = true;
  assert.equal(await fire(made, [eventOf()]), 'busy');
  await made.clock.forward(10 * minute);
  assert.equal(made.pages.length, 0);
  assert.equal(made.failOpen.waiting(), 0);
});

test('what is not accepted yet is not paged', async () => {
  const made = await rig(['project']);
  made.away = 'hung';
  const accepting = fire(made, [eventOf()]);
  await made.clock.forward(4 * minute);
  assert.equal(made.failOpen.waiting(), 1);
  await made.clock.forward(10 * minute);
  assert.equal(await accepting, 'busy');
  assert.equal(made.pages.length, 0);
});

test('a delivery whose answer was lost and that comes again is dropped by the desk, and not paged', async () => {
  const made = await rig(['host', 'project']);
  await fire(made, [eventOf()], 'their-id');
  await made.clock.forward(5 * minute);
  await fire(made, [eventOf()], 'their-id');
  await made.clock.forward(5 * minute);
  assert.equal(made.pages.length, 0);
  assert.equal(made.failOpen.waiting(), 0);
});

for (const restarted of [false, true])
  test(`a delivery that comes again when its alert was decided and is over is not paged${restarted ? ', by the next life neither' : ''}`, async () => {
    const made = await rig(['host', 'project']);
    const firing = eventOf({ observedAt: made.clock.now() });
    await fire(made, [firing], 'D1');
    await made.clock.forward(minute);
    await fire(made, [eventOf({ claim: 'cleared', observedAt: made.clock.now() })], 'D2');
    await made.clock.forward(minute);
    if (restarted) {
      await made.failOpen.stop();
      await made.service.stop(0);
      await made.live(['host', 'project']);
    }
    await fire(made, [firing], 'D1');
    assert.equal(made.failOpen.waiting(), restarted ? 1 : 0, 'by its delivery, or by the read model');
    await made.clock.forward(10 * minute);
    assert.equal(made.pages.length, 0);
    assert.equal(made.failOpen.waiting(), 0);
  });

test('one that has an id of its sender and is not decided is paged', async () => {
  const made = await rig(['project']);
  await fire(made, [eventOf()], 'their-id');
  await made.clock.forward(5 * minute);
  assert.equal(made.pages.length, 1);
});

test('O2: of a flood ten are paged one by one and the rest in one page that counts them', async () => {
  const made = await rig(['project']);
  for (let number = 0; number < 250; number += 1) await fire(made, [nth(number)]);
  await made.clock.forward(4 * minute);
  assert.equal(made.pages.length, 11);
  const sum = made.pages.at(-1);
  assert.equal(sum?.title, '[undecided] and 240 more critical alerts that nobody decided');
  assert.match(sum?.text ?? '', /- ServiceDown on web10 \(prometheus\)\n/);
  assert.match(sum?.text ?? '', /- and 230 more\n/);
  await made.clock.forward(6 * minute);
  assert.equal(made.pages.length, 11);
  assert.deepEqual([made.counted.filter((about) => about === 'alert').length, made.counted.length], [10, 11]);
});

test('O2: a flood that goes on is one more counting page in five minutes, and ten more single ones', async () => {
  const made = await rig(['project']);
  const sent: number[] = [];
  for (let quarter = 0; quarter < 60; quarter += 1) {
    if (quarter < 40)
      await fire(
        made,
        [0, 1, 2, 3, 4].map((one) => nth(quarter * 5 + one)),
      );
    await made.clock.forward(15 * second);
    sent.push(made.pages.length);
  }
  assert.deepEqual([sent[26], sent[46], sent[59]], [11, 22, 23], 'the first are due at two minutes, the last at twelve');
  const more = made.pages.map(({ title }) => Number(/and (\d+) more/.exec(title)?.[1] ?? 1));
  assert.equal(
    more.reduce((sum, count) => sum + count, 0),
    200,
  );
});

test('O3: alerts beyond ten thousand are counted, not remembered', async () => {
  const made = await rig(['project']);
  await fireAll(made, 0, 10_250);
  assert.equal(made.failOpen.waiting(), 10_000);
  await made.clock.forward(3 * minute);
  assert.equal(made.pages.at(-1)?.title, '[undecided] and 10240 more critical alerts that nobody decided');
});

test('O2: alerts beyond ten thousand that nobody decides are told of too, once all others were', async () => {
  const made = await rig(['project']);
  await fireAll(made, 0, 10_000);
  await made.clock.forward(10 * minute);
  const before = made.pages.length;
  await fireAll(made, 10_000, 10_050);
  await made.clock.forward(2 * minute);
  assert.equal(made.pages.length, before, 'they have the same time to be decided');
  await made.clock.forward(minute);
  assert.deepEqual(
    made.pages.slice(before).map(({ title }) => title),
    ['[undecided] and 50 more critical alerts that nobody decided'],
  );
  assert.match(made.pages.at(-1)?.text ?? '', /^Nobody decided about partition [01] for 12m/);
});

test('O1: alerts beyond ten thousand are no page when all others are decided in time', async () => {
  const made = await rig(['project']);
  await fireAll(made, 0, 10_050);
  for (let number = 0; number < 10_000; number += 1) made.failOpen.shown(decisionAt(made.clock.now(), nth(number)));
  await made.clock.forward(10 * minute);
  assert.equal(made.pages.length, 0);
  await fireAll(made, 20_000, 20_012);
  await made.clock.forward(10 * minute);
  assert.match(made.pages.at(-1)?.title ?? '', /and 2 more critical alerts/, 'nor counted in a later page');
});

test('a notifier that is busy is tried again, one that refuses much later, which is told', async () => {
  const made = await rig(['project']);
  const answers: NotifyOutcome[] = [
    { outcome: 'deferred', retryAfterMs: minute, detail: 'slow down' },
    { outcome: 'unknown', detail: 'no answer' },
    { outcome: 'accepted', detail: '' },
  ];
  made.says = () => answers.shift() ?? { outcome: 'refused', detail: 'bad key' };
  await fire(made, [nth(1)]);
  await made.clock.forward(2 * minute + 59 * second);
  assert.equal(made.attempts.length, 1);
  await made.clock.forward(3 * minute);
  assert.equal(made.pages.length, 1);
  assert.equal(new Set(made.attempts.map(({ id }) => id)).size, 1);
  await fire(made, [nth(2)]);
  await made.clock.forward(5 * minute);
  assert.equal(made.attempts.length, 4);
  assert.match(made.troubles.at(-1) ?? '', /notifier oncall did not take the page: bad key/);
});

test('while the log is away, what is spooled is paged, and the page says since when', async () => {
  const made = await rig(['host', 'project'], { spooled: true });
  made.away = true;
  assert.equal(await fire(made, [eventOf()]), 'accepted');
  await made.clock.forward(3 * minute);
  assert.equal(made.pages.length, 1);
  assert.match(made.pages[0]?.text ?? '', /^The log is away since 2026-11-21T04:00:00\.000Z: /);
  made.away = false;
  await made.clock.forward(minute);
  assert.equal(made.failOpen.waiting(), 0);
  assert.equal((await made.shared.views.list({ kind: 'alert', scopes: 'all', limit: 10 })).items.length, 1, 'decided in the end');
  assert.equal(made.pages.length, 1);
});

test('one that was decided before the log had answered is not waited for', async () => {
  const made = await rig(['host', 'project'], { spooled: true });
  made.away = 'lost';
  const accepting = fire(made, [eventOf()]);
  await made.clock.forward(5 * second);
  assert.equal(await accepting, 'accepted');
  assert.equal(made.failOpen.waiting(), 0);
  made.away = false;
  await made.clock.forward(5 * minute);
  assert.equal(made.pages.length, 0);
});

test('what the log has and nobody decides is paged all the same', async () => {
  const made = await rig(['project'], { spooled: true });
  made.away = true;
  await fire(made, [eventOf()]);
  made.away = false;
  await made.clock.forward(3 * minute);
  assert.equal(made.spool?.status().records, 0);
  assert.match(made.pages[0]?.text ?? '', /^Nobody decided about partition /);
});

test('a log that is back in time is no page', async () => {
  const made = await rig(['host', 'project'], { spooled: true });
  made.away = true;
  await fire(made, [eventOf()]);
  await made.clock.forward(minute);
  made.away = false;
  await made.clock.forward(10 * minute);
  assert.equal(made.pages.length, 0);
});

for (const roles of [['project'], ['host', 'project'], ['intake']] as const)
  test(`after a crash what is in the spool is waited for again: ${roles.join(', ')}`, async () => {
    const made = await rig(roles, { spooled: true });
    made.away = true;
    await fire(made, [eventOf()]);
    await made.clock.forward(minute);
    await made.failOpen.stop();
    await made.spool?.stop();
    await made.service.stop(0);
    const { pages } = made;
    await made.live(roles);
    assert.equal(made.failOpen.waiting(), 1);
    await made.clock.forward(20 * second);
    assert.equal(pages.length, 0, 'a process that has just begun may yet reach the log');
    await made.clock.forward(2 * minute);
    assert.equal(pages.length, 1);
  });

test('a process that sees no decisions waits for the log alone', async () => {
  const made = await rig(['intake'], { spooled: true });
  await fire(made, [nth(1)]);
  assert.equal(made.failOpen.waiting(), 0);
  made.away = true;
  await fire(made, [nth(2)]);
  assert.equal(made.failOpen.waiting(), 1);
  made.away = false;
  await made.clock.forward(10 * second);
  assert.equal(made.failOpen.waiting(), 0);
  await made.clock.forward(5 * minute);
  assert.equal(made.pages.length, 0);
});

test('a process that sees no decisions goes on waiting for what fired after the clear that the log has taken', async () => {
  const made = await rig(['intake'], { spooled: true });
  made.away = true;
  await fire(made, [eventOf({ claim: 'cleared' })]);
  await fire(made, [eventOf()]);
  made.refusesFirings = true;
  made.away = false;
  await made.clock.forward(5 * minute);
  assert.equal(made.spool?.status().records, 1);
  assert.equal(made.pages.length, 1);
});

test('a decision about what an earlier life left ends it, though it bears the stamp of that life', async () => {
  const made = await rig(['project'], { spooled: true });
  made.away = 'hung';
  const before = made.clock.now();
  const accepting = fire(made, [eventOf()]);
  await made.clock.settle();
  made.away = true;
  await made.clock.forward(5 * minute);
  assert.equal(await accepting, 'accepted');
  await made.failOpen.stop();
  await made.spool?.stop();
  await made.live(['project']);
  assert.equal(made.failOpen.waiting(), 1);
  made.failOpen.shown(decisionAt(before));
  assert.equal(made.failOpen.waiting(), 0);
});
