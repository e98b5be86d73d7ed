// A raw page ends at its vendor once nothing that it is about is undecided any more, in words that do not say that the alert is over.
// Over time, all parts together; what one notifier hears, and in which order: raw-pager.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headline } from '../../../adapters/kit/text.ts';
import { minute, second } from '../../../src/core/time.ts';
import { createOpenPages } from '../../../src/engine/failopen/open-pages.ts';
import { recallUndecided } from '../../../src/engine/failopen/recall.ts';
import { eventOf } from '../../support/event.ts';
import { decisionAt, fire, fireAll, nth, rig } from './rig.ts';

test('O4: a raw page ends when somebody decides again, under its own key and in words that do not end the alert', async () => {
  const made = await rig(['project']);
  await fire(made, [eventOf()]);
  await made.clock.forward(3 * minute);
  assert.equal(made.open.size, 1);
  await made.decide();
  await made.clock.forward(second);
  assert.deepEqual([made.pages.length, made.ends.length, made.open.size], [1, 1, 0]);
  const [end] = made.ends;
  assert.ok(end !== undefined);
  assert.deepEqual([end.kind, end.dedupKey], ['resolve', made.pages[0]?.dedupKey]);
  assert.notEqual(end.id, made.pages[0]?.id, 'a receiver that drops repeats by the id does not drop the end');
  assert.equal(headline(end, 240), '[critical] decided: ServiceDown on web1');
  assert.match(
    end.text,
    /^Quench decides again: the usual ladder speaks for this alert from here, and this page .* ends\.\nThis does not say /,
  );
  await made.clock.forward(10 * minute);
  assert.equal(made.attempts.length, 2, 'and that is all');
  assert.deepEqual([made.counted, made.troubles], [['alert'], []], 'an end is no page');
});

test('O4: a raw page ends when its alert clears while nobody decides, and says so', async () => {
  const made = await rig(['project']);
  await fire(made, [eventOf()]);
  await made.clock.forward(3 * minute);
  await fire(made, [eventOf({ claim: 'cleared' })]);
  await made.clock.forward(second);
  assert.deepEqual([made.ends.length, made.open.size], [1, 0]);
  const [end] = made.ends;
  assert.ok(end !== undefined);
  assert.equal(headline(end, 240), '[critical] cleared: ServiceDown on web1');
  assert.match(end.text, /^The alert cleared, as its source says, /);
});

test('O4: what is decided or clears in time, and was never paged, has no end', async () => {
  const made = await rig(['project']);
  await fire(made, [nth(1), nth(2)]);
  await made.clock.forward(minute);
  await fire(made, [{ ...nth(1), claim: 'cleared' }]);
  made.failOpen.shown(decisionAt(made.clock.now(), nth(2)));
  await made.clock.forward(10 * minute);
  assert.equal(made.attempts.length, 0);
});

test('O4: an alert that is undecided once more after its page ended is paged anew, and that page ends, too', async () => {
  const made = await rig(['project']);
  for (let round = 1; round <= 3; round += 1) {
    await fire(made, [eventOf({ observedAt: made.clock.now() })]);
    await made.clock.forward(3 * minute);
    assert.deepEqual([made.pages.length, made.open.size], [round, 1]);
    made.failOpen.shown(decisionAt(made.clock.now()));
    await made.clock.forward(minute);
    assert.deepEqual([made.ends.length, made.open.size], [round, 0]);
  }
  assert.equal(new Set(made.pages.map(({ dedupKey }) => dedupKey)).size, 1);
  assert.equal(new Set(made.attempts.map(({ id }) => id)).size, 6, 'no receiver takes the second for a repeat of the first');
});

test('O4: the end of an old page that the vendor does not take never closes a newer page', async () => {
  for (const refusal of [
    { outcome: 'deferred', retryAfterMs: minute, detail: 'slow down' },
    { outcome: 'unknown', detail: 'no answer' },
    { outcome: 'refused', detail: 'bad request' },
  ] as const) {
    const made = await rig(['project']);
    await fire(made, [eventOf()]);
    await made.clock.forward(3 * minute);
    made.says = ({ kind }) => (kind === 'resolve' ? refusal : { outcome: 'accepted', detail: '' });
    made.failOpen.shown(decisionAt(made.clock.now()));
    await made.clock.forward(minute);
    await fire(made, [eventOf({ observedAt: made.clock.now() })]);
    await made.clock.forward(3 * minute);
    assert.ok(made.pages.length >= 2, 'the newer page is out');
    const { length } = made.attempts;
    made.says = () => ({ outcome: 'accepted', detail: '' });
    await made.clock.forward(15 * minute);
    assert.deepEqual([made.ends.length, made.open.size], [0, 1], refusal.outcome);
    assert.equal(made.attempts.length, length, 'and nothing more is said of the old one');
    made.failOpen.shown(decisionAt(made.clock.now()));
    await made.clock.forward(second);
    assert.deepEqual([made.ends.length, made.open.size], [1, 0]);
  }
});

test('O4: a counting page ends when the last of those it counted is decided or cleared, and not before', async () => {
  const made = await rig(['project']);
  await fireAll(made, 0, 20);
  await made.clock.forward(3 * minute);
  assert.deepEqual([made.pages.length, made.open.size], [11, 11]);
  for (let number = 0; number < 19; number += 1) made.failOpen.shown(decisionAt(made.clock.now(), nth(number)));
  await made.clock.forward(second);
  assert.deepEqual([made.ends.length, made.open.size], [10, 1], 'one that it counted is undecided');
  await fire(made, [{ ...nth(19), claim: 'cleared' }]);
  await made.clock.forward(second);
  assert.deepEqual([made.ends.length, made.open.size], [11, 0]);
  const end = made.ends.at(-1);
  assert.equal(end?.title, 'decided: the 10 more critical alerts that nobody had decided');
  assert.match(end?.text ?? '', /^None of the 10 critical alerts that this page counted is undecided any more: /);
});

test('O4: what was counted beyond the book keeps its page until the book is empty', async () => {
  const made = await rig(['project']);
  await fireAll(made, 0, 10_050);
  await made.clock.forward(3 * minute);
  assert.deepEqual([made.pages.length, made.open.size], [11, 11]);
  for (let number = 1; number < 10_000; number += 1) made.failOpen.shown(decisionAt(made.clock.now(), nth(number)));
  await made.clock.forward(second);
  assert.equal(made.open.size, 2, 'the page of the first, and the one that counts what is in no book');
  made.away = 'hung';
  const offering = fire(made, [nth(20_000)]);
  await made.clock.forward(second);
  made.failOpen.shown(decisionAt(made.clock.now(), nth(0)));
  await made.clock.forward(minute);
  assert.equal(made.open.size, 1, 'one that is on its way to the log is in the book');
  await made.clock.forward(5 * minute);
  assert.deepEqual([await offering, made.open.size], ['busy', 0], 'and when it was not accepted, it never was');
  assert.equal(made.ends.at(-1)?.title, 'decided: the 10040 more critical alerts that nobody had decided');
});

test('O4: a process that sees no decisions leaves a page open when the log has its alert', async () => {
  const made = await rig(['intake'], { spooled: true });
  made.away = true;
  await fire(made, [eventOf()]);
  await made.clock.forward(3 * minute);
  assert.equal(made.open.size, 1);
  made.away = false;
  await made.clock.forward(minute);
  assert.deepEqual([made.open.size, made.ends.length], [1, 0], 'nobody may have decided yet');
});

test('O4: while the log is away pages are sent, and end when it is back and they are decided', async () => {
  const made = await rig(['host', 'project'], { spooled: true });
  made.away = true;
  await fire(made, [nth(1), nth(2), nth(3)]);
  await made.clock.forward(3 * minute);
  assert.equal(made.open.size, 3);
  made.away = false;
  await made.clock.forward(minute);
  assert.deepEqual([made.open.size, made.pages.length, made.ends.length], [0, 3, 3]);
});

for (const kept of ['log', 'spool'] as const)
  test(`O4: after a restart what is still undecided is paged again under the same key, and then ends; it stands in the ${kept}`, async () => {
    const made = await rig(['project'], { spooled: kept === 'spool' });
    made.away = kept === 'spool';
    assert.equal(await fire(made, [eventOf()]), 'accepted');
    await made.clock.forward(3 * minute);
    assert.equal(made.open.size, 1);
    await made.failOpen.stop();
    await made.spool?.stop();
    await made.service.stop(0);

    await made.live(['project']);
    const { log } = made.shared;
    const stopping = new AbortController().signal;
    if (kept === 'log') await recallUndecided({ log, mark: async () => null, left: made.failOpen.left, stopping });
    await made.clock.forward(3 * minute);
    assert.deepEqual([made.pages.length, made.open.size, made.ends.length], [2, 1, 0]);
    made.away = false;
    await made.decide();
    await made.clock.forward(minute);
    assert.deepEqual([made.open.size, made.ends.length], [0, 1]);
  });

test('O4: a stop waits for no end that its notifier does not take', async () => {
  const made = await rig(['project']);
  await fire(made, [eventOf()]);
  await made.clock.forward(3 * minute);
  made.says = () => ({ outcome: 'deferred', retryAfterMs: minute, detail: 'slow down' });
  made.failOpen.shown(decisionAt(made.clock.now()));
  await made.clock.forward(second);
  assert.equal(made.attempts.length, 2);
  await made.failOpen.stop(); // without time passing
  await made.clock.forward(10 * minute);
  assert.equal(made.attempts.length, 2);
});

test('E3: of pages that count alerts beyond the book the newest two thousand end', () => {
  const open = createOpenPages();
  for (let number = 0; number < 2_100; number += 1) open.sentMany([], 1, { dedupKey: `k${number}`, id: `k${number}` });
  const ends = open.endsOf('s|a', { why: 'decided', now: 0, isBookEmpty: true });
  assert.deepEqual([ends.length, ends[0]?.dedupKey, ends.at(-1)?.dedupKey], [2_000, 'k100', 'k2099']);
});
