// A clock that ran ahead and was set right (core/clock): what the desk counts is counted on, by the time that holds now.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metaOf } from '../../src/core/desk.ts';
import type { Silence } from '../../src/core/mute/facts.ts';
import { day, hour, minute, second, type Millis } from '../../src/core/time.ts';
import { eventOf } from '../support/event.ts';
import { policyOf } from '../support/policy.ts';
import { accepted, tell, type Story } from '../support/story.ts';

function silence(story: Story, span: Millis, id = 's1'): void {
  const startsAt = story.now();
  const one: Silence = {
    id,
    matchers: [{ name: 'instance', op: '=', value: 'web1' }],
    startsAt,
    endsAt: startsAt + span,
    untilResolved: false,
    by: 'ann',
    comment: '',
  };
  story.say({ type: 'SilenceSet', silence: one });
}

/** Its time stands still from the next millisecond on. */
function corrected(story: Story, by: Millis): void {
  const from = story.now();
  story.back(by);
  story.say({ type: 'ClockCorrected', from, stoodFrom: from + 1, to: story.now() });
  story.forward(0);
}

const silences = (story: Story): readonly Silence[] => [...story.desk().tables.silences.rows.values()].map((row) => row.silence);

test('B21: a silence set while the clock was ahead ends when its span is over, and is told so', () => {
  const story = tell(policyOf());
  story.see(eventOf());
  silence(story, hour);
  corrected(story, 2 * hour);
  assert.equal(silences(story)[0]?.endsAt, story.now() + hour);
  story.forward(hour - minute);
  assert.equal(silences(story).length, 1);
  story.forward(2 * minute);
  assert.equal(silences(story).length, 0);
});

test('B21: a silence of one hour exists on a clock that was two hours ahead and is right again, before and behind the correction', () => {
  const story = tell(policyOf());
  story.see(eventOf());
  const from = metaOf(story.desk()).now;
  story.back(2 * hour);
  silence(story, hour, 'before');
  story.say({ type: 'ClockCorrected', from, stoodFrom: from, to: story.now() });
  silence(story, hour, 'behind');
  story.forward(0);
  assert.deepEqual(
    silences(story).map(({ endsAt }) => endsAt),
    [story.now() + hour, story.now() + hour],
  );
  assert.notEqual([...story.desk().tables.alerts.rows.values()][0]?.muted, null);
  story.forward(hour + minute);
  assert.equal(silences(story).length, 0);
});

test('B21: the next rung comes in its time, and its page is told at the time that holds now', () => {
  const story = tell(policyOf());
  story.see(eventOf());
  story.notified(accepted);
  corrected(story, 2 * hour);
  const rungs = story.all('PageRang').length;
  story.forward(10 * minute);
  assert.ok(story.all('PageRang').length > rungs);
  assert.ok(story.last('PageRang').at <= story.now());
});

test('F7: after a clock was ahead for a day, no instant of the desk is later than now, and every wait keeps what is left of it', () => {
  const story = tell(policyOf());
  story.see(eventOf());
  story.forward(minute);
  const left = new Map([...story.desk().tables.wakes.rows].map(([token, { dueAt }]) => [token, dueAt - story.now()]));
  corrected(story, day);
  const { wakes, incidents, targets } = story.desk().tables;
  assert.equal(metaOf(story.desk()).now, story.now());
  for (const [token, { dueAt }] of wakes.rows) assert.equal(dueAt - story.now(), left.get(token), token);
  for (const row of incidents.rows.values()) assert.ok(row.lifeAt <= story.now());
  for (const row of targets.rows.values()) assert.ok((row.lastEndAt ?? 0) <= story.now());
});

test('F7: a correction that comes again, late, or of a few seconds changes nothing', () => {
  const story = tell(policyOf());
  story.see(eventOf());
  corrected(story, day);
  assert.equal(story.all('DeskSetBack').length, 1);
  story.say({ type: 'ClockCorrected', from: story.now() + day, stoodFrom: story.now() + day, to: story.now() });
  corrected(story, 20 * second);
  assert.equal(story.all('DeskSetBack').length, 1);
});

test('K1: what was asked while the time of the desk stood still is over neither before its span nor long after', () => {
  const story = tell(policyOf());
  story.see(eventOf());
  story.notified(accepted);
  const stoodFrom = metaOf(story.desk()).now;
  story.back(2 * hour);
  story.forward(20 * second); // the clock is right, and the desk still ahead of it
  const from = stoodFrom + 20 * second;
  silence(story, hour, 'standing');
  story.say({ type: 'ClockCorrected', from, stoodFrom, to: story.now() });
  for (const { dueAt, afterMs } of story.desk().tables.wakes.rows.values()) {
    assert.ok(dueAt <= story.now() + afterMs, 'not longer than it was asked');
    assert.ok(dueAt >= story.now() + afterMs - 20 * second, 'nothing that stood still counts as gone by');
  }
});
