// Raw pages over a restart: what one life paged, the next one knows, and ends where it was told when its alert is decided or clears.
// Lives end here as a process that is killed does: nothing is told by them any more.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../../../src/core/errors.ts';
import { day, minute, second } from '../../../src/core/time.ts';
import { eventOf } from '../../support/event.ts';
import { decisionAt, fire, fireAll, nth, rig, type Rig } from './rig.ts';

/** A gateway that sees decisions, in which nobody decides; it has paged one alert raw. */
async function paged(): Promise<Rig> {
  const made = await rig(['project']);
  await fire(made, [eventOf()]);
  await made.clock.forward(3 * minute);
  assert.deepEqual([made.pages.length, made.open.size, made.kept.size], [1, 1, 1]);
  return made;
}

async function killed(made: Rig): Promise<void> {
  await made.failOpen.stop();
  await made.service.stop(0);
}

test('O4: a raw page of a life that was killed ends when the next life decides its alert before it would page it again', async () => {
  const made = await paged();
  await killed(made);
  await made.live(['host', 'project']);
  await made.clock.forward(3 * second);
  assert.deepEqual([made.pages.length, made.ends.length, made.open.size], [1, 1, 0]);
  assert.deepEqual([made.ends[0]?.kind, made.ends[0]?.dedupKey], ['resolve', made.pages[0]?.dedupKey]);
  assert.match(made.ends[0]?.text ?? '', /^Quench decides again: /);
  assert.equal(made.kept.size, 0, 'the life after knows of nothing');
  await killed(made);
  await made.live(['host', 'project']);
  await made.clock.forward(5 * minute);
  assert.deepEqual([made.ends.length, made.troubles], [1, []], 'an end that was taken is not told again');
});

test('O4: what others decided while no gateway of ours lived ends its raw page at the next start', async () => {
  const made = await paged();
  await killed(made);
  await made.decide();
  await made.clock.forward(minute);
  assert.equal(made.open.size, 1);
  await made.service.stop(0);
  await made.live(['project']);
  await made.clock.forward(5 * second);
  assert.deepEqual([made.ends.length, made.open.size, made.kept.size], [1, 0, 0]);
});

test('O4: a raw page of an earlier life ends when its alert clears while nobody decides, and says so', async () => {
  const made = await paged();
  await killed(made);
  await made.live(['project']);
  await made.clock.forward(5 * minute);
  assert.deepEqual([made.ends.length, made.open.size], [0, 1], 'nothing is known of it');
  await fire(made, [eventOf({ claim: 'cleared' })]);
  await made.clock.forward(second);
  assert.deepEqual([made.ends.length, made.open.size], [1, 0]);
  assert.match(made.ends[0]?.text ?? '', /^The alert cleared, as its source says, /);
});

test('O4: what was decided about an alert before it was paged raw ends no page of an earlier life', async () => {
  const made = await rig(['host', 'project']);
  await fire(made, [eventOf()]);
  await made.clock.forward(minute);
  await made.service.stop(0);
  await made.live(['project']);
  const before = made.clock.now();
  await made.clock.forward(second);
  await fire(made, [eventOf({ observedAt: made.clock.now() })]);
  await made.clock.forward(3 * minute);
  assert.equal(made.open.size, 1);
  await killed(made);
  await made.live(['project']);
  made.failOpen.shown(decisionAt(before));
  await made.clock.forward(10 * minute);
  assert.deepEqual([made.ends.length, made.open.size], [0, 1]);
  await made.decide();
  await made.clock.forward(second);
  assert.equal(made.open.size, 0);
});

test('O4: a clearing of before the page, read again at the start, ends nothing', async () => {
  const made = await paged();
  const [held] = made.kept.values();
  const { about } = JSON.parse(held ?? '') as { about: { one: { at: number } } };
  await killed(made);
  await made.live(['project']);
  const told = (claim: 'cleared' | 'firing', at: number) => ({
    partition: 0,
    scope: 'acme',
    values: [{ ...decisionAt(at), type: 'AlertSeen', endpoint: 'in', event: eventOf({ claim }) }],
  });
  made.failOpen.left(told('cleared', about.one.at));
  made.failOpen.left(told('firing', about.one.at));
  made.failOpen.leftAll();
  await made.clock.forward(second);
  assert.deepEqual([made.ends.length, made.open.size], [0, 1]);
  await made.clock.forward(minute);
  assert.equal(made.pages.length, 2, 'what is undecided still is paged again');
  assert.equal(made.open.size, 1, 'under the same key');
  made.failOpen.shown(decisionAt(made.clock.now()));
  await made.clock.forward(10 * second);
  assert.deepEqual([made.open.size, made.kept.size], [0, 0]);
});

test('O4: a delivery that is not accepted says nothing of a page of an earlier life', async () => {
  const made = await paged();
  await killed(made);
  await made.live(['project']);
  made.away = true;
  assert.notEqual(await fire(made, [eventOf()]), 'accepted');
  await made.clock.forward(minute);
  assert.deepEqual([made.ends.length, made.open.size], [0, 1]);
});

test('O4: counting pages of an earlier life end when none of what they counted is undecided, also when the book was full', async () => {
  const made = await rig(['project']);
  await fireAll(made, 0, 10_050);
  await made.clock.forward(4 * minute);
  assert.deepEqual([made.open.size, made.kept.size], [11, 11]);
  await killed(made);
  await made.live(['project']);
  made.failOpen.leftAll();
  await made.clock.forward(minute);
  assert.equal(made.open.size, 11);
  for (let number = 0; number < 9_999; number += 1) made.failOpen.shown(decisionAt(made.clock.now(), nth(number)));
  await made.clock.forward(minute);
  assert.equal(made.open.size, 1, 'one that it counted is undecided');
  made.failOpen.shown(decisionAt(made.clock.now(), nth(9_999)));
  await made.clock.forward(minute);
  assert.deepEqual([made.open.size, made.kept.size], [0, 0]);
  assert.equal(made.ends.length, 11);
});

test('K1: an end that nobody has taken when the life is killed is told by the next one, under the same id', async () => {
  const made = await paged();
  made.says = ({ kind }) =>
    kind === 'resolve' ? { outcome: 'deferred', retryAfterMs: minute, detail: '503' } : { outcome: 'accepted', detail: '' };
  await made.decide();
  await made.clock.forward(10 * second);
  const tried = made.attempts.at(-1);
  assert.deepEqual([tried?.kind, made.open.size, made.kept.size], ['resolve', 1, 1]);
  await killed(made);
  made.says = () => ({ outcome: 'accepted', detail: '' });
  await made.live(['project']);
  await made.clock.forward(5 * second);
  assert.deepEqual([made.ends.map(({ id }) => id), made.open.size, made.kept.size], [[tried?.id], 0, 0]);
});

test('K1: a page is kept before it leaves, and one that never was is forgotten', async () => {
  const made = await rig(['project']);
  let keptAtDelivery = 0;
  made.says = () => {
    keptAtDelivery = made.kept.size;
    return { outcome: 'accepted', detail: '' };
  };
  await fire(made, [eventOf()]);
  await made.clock.forward(minute);
  assert.equal(made.kept.size, 0, 'it waits still');
  await made.clock.forward(2 * minute);
  assert.equal(keptAtDelivery, 1);

  const none = await rig(['project']);
  none.says = () => ({ outcome: 'deferred', retryAfterMs: 0, detail: 'closed port' });
  await fire(none, [eventOf()]);
  await none.clock.forward(3 * minute);
  assert.equal(none.kept.size, 1);
  none.failOpen.shown(decisionAt(none.clock.now()));
  await none.clock.forward(6 * minute);
  assert.deepEqual([none.kept.size, none.ends.length], [0, 0], 'nothing of it is open anywhere');
});

test('K2: a record that refuses, or hangs, holds no page back', async () => {
  for (const says of [
    async () => Promise.reject(new GatewayError('store_unavailable', 'no space left on device')),
    () => new Promise<void>(() => {}),
  ]) {
    const made = await rig(['project']);
    made.journalSays = says;
    await fire(made, [eventOf()]);
    await made.clock.forward(2 * minute + 5 * second);
    assert.equal(made.open.size, 1);
    assert.match(made.troubles[0] ?? '', /raw page quench:here:undecided:.* is not kept in order: a restart may leave it open/);
    made.failOpen.shown(decisionAt(made.clock.now()));
    await made.clock.forward(second);
    assert.equal(made.open.size, 0, 'this life ends it all the same');
  }
});

test('K3: what is a week old, or of another shape, is left out', async () => {
  const made = await paged();
  made.kept.set('other', JSON.stringify({ id: 'x', at: made.clock.now(), notify: ['oncall'], about: 'something else' }));
  await killed(made);
  await made.clock.forward(7 * day);
  await made.decide();
  await made.live(['project']);
  await made.clock.forward(5 * minute);
  assert.equal(made.ends.length, 0);
});
