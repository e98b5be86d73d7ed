// What is known of episodes that are over, when the alert itself is not on the desk, and what the source's own numbers prove.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createExpressions } from '../../adapters/cel/expressions.ts';
import { merge } from '../../src/core/alert/merge.ts';
import { rememberedMax, rememberedMs } from '../../src/core/alert/remembered.ts';
import type { AlertEvent } from '../../src/core/alert/event.ts';
import { newDesk } from '../../src/core/desk.ts';
import { put } from '../../src/core/table.ts';
import { hour, minute } from '../../src/core/time.ts';
import { turn } from '../../src/core/turn.ts';
import { someday } from '../support/clock.ts';
import { eventOf } from '../support/event.ts';
import { policyOf } from '../support/policy.ts';
import { tell, type Story } from '../support/story.ts';

/** As a sender without timestamps tells it: the receipt is all that is known of when. */
function undated(story: Story, episode: string, claim: AlertEvent['claim'], change: Partial<AlertEvent> = {}): AlertEvent {
  return eventOf({ claim, episode, episodeOrder: episode, startedAt: story.now(), observedAt: story.now(), ...change });
}

const firing = (story: Story): number =>
  [...story.desk().tables.alerts.rows.values()].filter(({ alert }) => alert.state === 'firing').length;

test('A2: without times, the end of an earlier episode that we never saw does not end the later one; that of a later one does', () => {
  const story = tell(policyOf());
  story.see(undated(story, '99', 'firing'));
  story.forward(minute);
  story.see(undated(story, '98', 'cleared'));
  assert.deepEqual([story.last('AlertMerged').change, firing(story)], ['late', 1]);
  story.see(undated(story, '100', 'cleared'));
  assert.deepEqual([story.last('AlertMerged').change, firing(story)], ['cleared', 0]);
});

test('A2: numbers of two series say nothing, and times decide', () => {
  const held = merge(undefined, eventOf({ episode: '85@1', episodeOrder: '85@1' }), someday).alert ?? undefined;
  const later = { startedAt: someday + minute, observedAt: someday + minute };
  const end = eventOf({ claim: 'cleared', episode: '3@2', episodeOrder: '3@2', ...later });

  assert.equal(merge(held, end, someday + minute).change, 'cleared');
  assert.equal(merge(held, { ...end, episode: '3@1', episodeOrder: '3@1' }, someday + minute).change, 'late');
});

test('A3: a problem, or an acknowledgement, of an earlier episode than the newest changes nothing, firing or over', () => {
  const story = tell(policyOf());
  story.see(undated(story, '20', 'firing'));
  for (const claim of ['firing', 'acknowledged', 'unacknowledged'] as const) {
    story.see(undated(story, '18', claim));
    assert.equal(story.last('AlertMerged').change, 'late', claim);
  }
  assert.equal([...story.desk().tables.alerts.rows.values()][0]?.alert.episode, '20');
  story.see(undated(story, '20', 'cleared'));
  story.see(undated(story, '19', 'firing'));
  assert.deepEqual([story.last('AlertMerged').change, firing(story)], ['late', 0]);
  story.see(undated(story, '21', 'firing'));
  assert.equal(story.last('AlertMerged').change, 'reopened');
});

test('A3: a recovery that comes first, of an alert never seen: its late problem opens nothing, the next episode does', () => {
  const story = tell(policyOf());
  story.see(undated(story, '900', 'cleared'));
  story.forward(minute);
  story.see(undated(story, '900', 'firing'));

  assert.deepEqual([story.last('AlertMerged').change, story.all('IncidentOpened').length], ['late', 0]);
  story.see(undated(story, '901', 'firing'));
  assert.deepEqual([story.last('AlertMerged').change, story.all('IncidentOpened').length], ['opened', 1]);
  story.see(undated(story, '900', 'firing'));
  assert.equal(story.last('AlertMerged').change, 'late', 'what was remembered came along');
});

test('A3: an unconfirmed alert that cleared: its late problem opens nothing', () => {
  const story = tell(policyOf());
  story.see(undated(story, '7', 'firing', { soft: true }));
  story.see(undated(story, '7', 'cleared'));
  story.forward(minute);
  story.see(undated(story, '7', 'firing'));

  assert.deepEqual([story.last('AlertMerged').change, story.all('IncidentOpened').length], ['late', 0]);
});

function sweptStory(): Story {
  const story = tell(policyOf());
  story.see(eventOf({ episode: 's', startedAt: someday, observedAt: someday }));
  story.forward(minute);
  story.see(eventOf({ claim: 'cleared', episode: 's', startedAt: someday, observedAt: story.now() }));
  story.forward(5 * hour);
  assert.equal(story.desk().tables.alerts.rows.size, 0);
  return story;
}

test('A3: an ended episode stays ended when its alert has left the desk, and after a week it counts no more', () => {
  const story = sweptStory();
  story.see(eventOf({ episode: 's', startedAt: someday, observedAt: someday }));
  assert.deepEqual([story.last('AlertMerged').change, firing(story)], ['late', 0]);
  story.forward(rememberedMs);
  story.see(eventOf({ episode: 's', startedAt: someday, observedAt: someday }));
  assert.equal(story.last('AlertMerged').change, 'opened');
});

test('A3: of an alert that has left the desk, an ended episode that keeps being told fires after all', () => {
  const story = sweptStory();
  const changes: string[] = [];
  for (let told = 0; told < 3; told += 1) {
    story.forward(3 * minute);
    story.see(eventOf({ episode: 's', episodeOrder: '7', startedAt: someday, observedAt: story.now() }));
    changes.push(story.last('AlertMerged').change);
  }
  assert.deepEqual(changes, ['late', 'late', 'opened']);
  assert.match(story.last('AlertMerged').note ?? '', /fires on with it, 3 times in 6m/);
  assert.equal(firing(story), 1);
});

test('A3: of an alert that has left the desk, an ended episode without a number that is told long afterwards fires at once', () => {
  const story = sweptStory();
  story.forward(16 * minute);
  story.see(eventOf({ episode: 's', startedAt: someday, observedAt: story.now() }));
  assert.deepEqual([story.last('AlertMerged').change, firing(story)], ['opened', 1]);
});

test('A3: what the gateway itself took as ended reopens at once when its source tells it as firing', () => {
  const presumed = tell(policyOf());
  presumed.see(undated(presumed, '18', 'firing'));
  presumed.forward(20 * minute);
  presumed.see(undated(presumed, '18', 'cleared', { proof: 'assumed', presumed: true, startedAt: someday }));
  assert.equal(firing(presumed), 0);
  presumed.forward(minute);
  presumed.see(undated(presumed, '18', 'firing', { startedAt: someday, observedAt: someday }));
  assert.deepEqual([presumed.last('AlertMerged').change, firing(presumed)], ['reopened', 1]);

  const silent = tell(policyOf({ staleMs: hour }));
  silent.see(undated(silent, '18', 'firing'));
  silent.forward(2 * hour);
  assert.equal(firing(silent), 0);
  silent.see(undated(silent, '18', 'firing', { startedAt: someday, observedAt: someday }));
  assert.equal(firing(silent), 1);
});

test('A3: a presumed end of an alert that is not there leaves nothing behind', () => {
  const story = tell(policyOf());
  story.see(undated(story, '18', 'cleared', { proof: 'assumed', presumed: true }));
  story.see(undated(story, '18', 'firing'));
  assert.equal(firing(story), 1);
});

test('A3: what is remembered of alerts that are not there is bounded, the oldest leave first', () => {
  const desk = newDesk('default');
  const nth = (number: number): string => number.toString(16).padStart(16, '0');
  for (let number = 1; number < rememberedMax; number += 1)
    put(desk.tables.remembered, nth(number), { at: someday + number, ended: ['1'], clearedAt: null });
  const event = eventOf({ claim: 'cleared', episode: '1', fingerprint: nth(0) });
  const rules = { policy: policyOf(), frozen: null, installation: null, expressions: createExpressions() };
  turn(desk, { type: 'AlertSeen', scope: 'default', at: someday + hour, endpoint: 'test', delivery: '', index: 0, event }, rules, 1);

  const { rows } = desk.tables.remembered;
  assert.ok(rows.size < rememberedMax);
  assert.deepEqual([rows.has(nth(1)), rows.has(nth(rememberedMax - 1)), rows.has(nth(0))], [false, true, true]);
});
