import assert from 'node:assert/strict';
import { test } from 'node:test';
import { day, hour, minute, second } from '../../src/core/time.ts';
import { believedClock, type ClockNews } from '../../src/engine/believed-clock.ts';
import { someday, virtualClock } from '../support/clock.ts';

function believing() {
  const clock = virtualClock();
  const news: ClockNews['what'][] = [];
  const believed = believedClock(clock, ({ what }) => news.push(what));
  const stop = believed.watch();
  return { clock, believed, news, stop };
}

test('F7: a day forward for two seconds leaves no trace', async () => {
  const { clock, believed, news } = believing();
  clock.jump(day);
  await clock.forward(2 * second);
  assert.equal(believed.now(), someday + 2 * second);
  assert.equal(believed.drift(), day);
  clock.jump(-day);
  assert.equal(believed.now(), someday + 2 * second);
  assert.equal(believed.drift(), 0);
  assert.deepEqual(news, ['jumped', 'returned']);
});

test('F7: a jump forward that lasts a minute by the steady clock is believed', async () => {
  const { clock, believed, news } = believing();
  clock.jump(hour);
  await clock.forward(59 * second);
  assert.equal(believed.now(), someday + 59 * second);
  await clock.forward(2 * second);
  assert.equal(believed.now(), someday + hour + 61 * second);
  assert.deepEqual(news, ['jumped', 'believed']);
});

test('B21: a clock set back is told at once, and one that was back for two seconds is no jump forward', async () => {
  const { clock, believed, news } = believing();
  clock.jump(-2 * hour);
  assert.equal(believed.now(), someday - 2 * hour);
  await clock.forward(2 * second);
  clock.jump(2 * hour);
  assert.equal(believed.now(), someday + 2 * second);
  assert.deepEqual(news, ['jumped', 'returned']);
  clock.jump(-2 * hour);
  await clock.forward(10 * second);
  assert.equal(believed.drift(), 0);
  assert.equal(news.at(-1), 'believed');
});

test('C3: small steps are followed at once, and nobody is told', async () => {
  const { clock, believed, news, stop } = believing();
  clock.jump(minute);
  assert.equal(believed.now(), someday + minute);
  clock.jump(-minute);
  await clock.forward(second);
  assert.equal(believed.now(), someday + second);
  assert.deepEqual(news, []);
  stop();
});
