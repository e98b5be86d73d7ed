// What a claim does to the alert it names when it comes late, out of order, or from a sender whose clock is wrong.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { merge } from '../../src/core/alert/merge.ts';
import { hour, minute, second } from '../../src/core/time.ts';
import { someday } from '../support/clock.ts';
import { eventOf } from '../support/event.ts';
import { policyOf } from '../support/policy.ts';
import { tell, type Story } from '../support/story.ts';

const firing = (episode: string, startedAt: number) => eventOf({ episode, startedAt, observedAt: startedAt });
const end = (episode: string, startedAt: number, observedAt: number) => eventOf({ claim: 'cleared', episode, startedAt, observedAt });
const held = merge(undefined, firing('18', someday), someday).alert ?? undefined;

test('A1: an end whose start is later than the held one clears', () => {
  assert.equal(merge(held, end('e', someday + minute, someday + minute), someday + minute).change, 'cleared');
});

test('A1: an end that ended before the held episode began does not clear', () => {
  assert.equal(merge(held, end('e', someday + minute, someday - 1), someday + minute).change, 'late');
});

test('A2: the end of a later numbered episode ends the earlier, and not the other way round', () => {
  const numbered = merge(undefined, { ...firing('18', someday), episodeOrder: '18' }, someday).alert ?? undefined;
  const over = (order: string, startedAt: number) => ({ ...end(order, startedAt, someday + 2 * minute), episodeOrder: order });

  assert.equal(merge(numbered, over('20', someday + minute), someday + 2 * minute).change, 'cleared');
  assert.equal(merge(numbered, over('16', someday - minute), someday + 2 * minute).change, 'late');
});

test('A1: an end that ended after the held episode began clears, whatever start it tells: each of two Alertmanagers keeps its own', () => {
  const cleared = merge(held, end('16', someday - 10 * minute, someday + minute), someday + minute);
  assert.equal(cleared.change, 'cleared');
  for (const ended of ['16', '18'])
    assert.equal(merge(cleared.alert ?? undefined, firing(ended, someday), someday + 2 * minute).change, 'late', 'neither reopens');

  const other = merge(held, firing('16', someday - 10 * minute), someday + minute).alert ?? undefined;
  const again = merge(other, firing('18', someday), someday + 2 * minute).alert ?? undefined;
  assert.equal(
    merge(again, end('16', someday - 10 * minute, someday + 3 * minute), someday + 3 * minute).change,
    'cleared',
    'nor when both were told',
  );
  assert.equal(merge(again, end('16', someday - 10 * minute, someday - minute), someday + 3 * minute).change, 'late', 'it ended before');
});

test('A2: the end of an episode that another replaced does not end the present one, even when the sender gives no times', () => {
  const next = merge(held, firing('20', someday + minute), someday + minute).alert ?? undefined;

  assert.equal(merge(next, end('18', someday + 2 * minute, someday + 2 * minute), someday + 2 * minute).change, 'late');
});

test('A3: an ended episode never reopens, whatever its clock says; a new one does', () => {
  const cleared = merge(held, end('18', someday, someday + minute), someday + minute).alert ?? undefined;

  assert.equal(merge(cleared, firing('18', someday + 5 * minute), someday + 5 * minute).change, 'late');
  const next = merge(cleared, firing('19', someday + 5 * minute), someday + 5 * minute);
  assert.equal(next.change, 'reopened');
  assert.equal(merge(next.alert ?? undefined, firing('18', someday), someday + 6 * minute).change, 'late');
  assert.equal(merge(next.alert ?? undefined, end('18', someday + 6 * minute, someday + 6 * minute), someday + 6 * minute).change, 'late');
});

test('A3: what is remembered of ended episodes is bounded', () => {
  let alert = held;
  for (let number = 18; number < 60; number += 1) {
    const at = someday + number * minute;
    alert = merge(alert, firing(`${number}`, at), at).alert ?? undefined;
    alert = merge(alert, end(`${number}`, at, at + 1), at + 1).alert ?? undefined;
  }
  assert.deepEqual(alert?.ended, ['52', '53', '54', '55', '56', '57', '58', '59']);
});

test('A4: the end of the same episode clears although its clock is before the start', () => {
  assert.equal(merge(held, end('18', someday, someday - 40 * minute), someday + minute).change, 'cleared');
});

test('A16: an alert whose acknowledgement is withdrawn is not acknowledged any more', () => {
  const taken = merge(held, eventOf({ claim: 'acknowledged' }), someday).alert ?? undefined;
  const { change, alert } = merge(taken, eventOf({ claim: 'unacknowledged' }), someday);

  assert.equal(change, 'unacknowledged');
  assert.equal(alert?.acknowledged, false);
});

test('A11: the newest words of a repeat count, with a whole row only when something moved', () => {
  const story = tell(policyOf());
  story.see(eventOf({ annotations: { runbook: 'old' }, labels: { a: '1' } }));
  story.forward(minute);
  const said = {
    summary: 'disk full on web1',
    annotations: { runbook: 'new' },
    labels: { a: '2' },
    links: [{ text: 'new', href: 'https://new/' }],
  };
  const newer = eventOf({ ...said, startedAt: someday, observedAt: story.now() });
  story.see({ ...newer, entity: { host: 'renamed', service: 'checkout' } });

  const { alert, change } = story.last('AlertMerged');
  assert.equal(change, 'repeated');
  assert.deepEqual(
    [alert?.summary, alert?.annotations, alert?.labels, alert?.links, alert?.entity.host],
    ['disk full on web1', said.annotations, said.labels, said.links, 'renamed'],
  );
  assert.equal([...story.desk().tables.incidents.rows.values()][0]?.title, 'renamed: disk full on web1');
  story.see({ ...newer, entity: { host: 'renamed', service: 'checkout' }, observedAt: story.now() + 1 });
  assert.equal(story.last('AlertMerged').alert, null, 'nothing moved but the counters');
  story.see(eventOf({ observedAt: someday + second }));
  assert.equal(story.last('AlertMerged').alert, null, 'what was seen before says nothing new');
});

test('A6: what ends because its source fell silent teaches nothing, and says so', () => {
  const story = tell(policyOf({ staleMs: hour }));
  story.see(eventOf({ severity: 'info' }));
  story.forward(2 * hour);

  const { by, note } = story.last('IncidentResolved');
  assert.deepEqual([by, note], ['timeout', 'no source has told of it for 1h: taken as ended']);
  assert.deepEqual([story.last('RuleLearned').passed, story.last('RuleLearned').unknown], [0, 1]);
});

const fires = (at: number) => eventOf({ episode: 's', startedAt: someday, observedAt: at });

/** An alert whose episode `s` has ended, as Alertmanager says after `resolve_timeout`. */
function endedStory(): Story {
  const story = tell(policyOf());
  story.see(fires(story.now()));
  story.forward(5 * minute);
  story.see(eventOf({ claim: 'cleared', episode: 's', observedAt: story.now() }));
  return story;
}

test('A3: an ended episode that keeps being told fires after all, with the reason, and somebody is called', () => {
  const story = endedStory();
  const pages = story.all('PageOpened').length;
  const changes: string[] = [];
  for (let told = 0; told < 3; told += 1) {
    story.forward(3 * minute);
    story.see(fires(story.now()));
    changes.push(story.last('AlertMerged').change);
  }
  story.forward(minute);

  assert.deepEqual(changes, ['late', 'late', 'reopened']);
  assert.match(story.all('AlertMerged').at(-1)?.note ?? '', /fires on with it, 3 times in 6m/);
  assert.equal(story.all('PageOpened').length, pages + 1);
  story.see(eventOf({ claim: 'cleared', episode: 's', observedAt: story.now() }));
  assert.equal(story.last('AlertMerged').change, 'cleared');
});

test('A3: an ended episode that is told a quarter of an hour after the last word of it fires at once, and somebody is called', () => {
  const story = endedStory();
  const pages = story.all('PageOpened').length;
  story.forward(14 * minute);
  story.see(fires(story.now()));
  assert.equal(story.last('AlertMerged').change, 'late', 'a word may be so long on its way');
  story.forward(16 * minute);
  story.see(fires(story.now()));
  assert.equal(story.last('AlertMerged').change, 'opened');
  assert.match(story.last('AlertMerged').note ?? '', /fires on with it, 20m later: taken as firing/);
  story.forward(minute);
  assert.equal(story.all('PageOpened').length, pages + 1);

  for (const proof of [{ episodeOrder: '7' }, { soft: true }, { observedAt: someday }]) {
    const numbered = endedStory();
    numbered.forward(hour);
    numbered.see({ ...fires(numbered.now()), ...proof });
    assert.equal(numbered.last('AlertMerged').change, 'late', JSON.stringify(proof));
  }
});

test('A3: a retry of an ended episode never reopens: sent often at once, dated before the end, or ended in between', () => {
  const often = endedStory();
  for (let told = 0; told < 40; told += 1) {
    often.forward(5 * second);
    often.see(fires(often.now()));
  }
  assert.equal(often.all('IncidentReopened').length, 0);

  const twice = endedStory();
  for (const at of [minute, 6 * minute, second, second]) {
    twice.forward(at);
    twice.see(fires(twice.now()));
  }
  assert.equal(twice.all('IncidentReopened').length, 0);

  const dated = endedStory();
  const before = dated.now() - minute;
  for (let told = 0; told < 10; told += 1) {
    dated.forward(3 * minute);
    dated.see(fires(before));
  }
  assert.equal(dated.all('IncidentReopened').length, 0);

  const ended = endedStory();
  for (let told = 0; told < 3; told += 1) {
    ended.forward(2 * minute);
    ended.see(fires(ended.now()));
    ended.see(fires(ended.now()));
    ended.forward(minute);
    ended.see(eventOf({ claim: 'cleared', episode: 's', observedAt: ended.now() }));
  }
  assert.equal(ended.all('AlertMerged').filter(({ change }) => change === 'reopened').length, 0);
});

/** A check that numbers its problems and not its recoveries, by its own clock. */
const problem = (number: number, at: number) => ({ ...firing(`${number}@1`, at), sentAt: at });
const recovery = (at: number) => ({ ...end('', at, at), sentAt: at });

test('A3: a problem that comes behind a recovery without its number opens nothing', () => {
  const unseen = merge(undefined, recovery(someday + minute), someday + 2 * minute);
  assert.equal(unseen.change, 'late');
  const late = merge(undefined, problem(1, someday), someday + 3 * minute, unseen.remembered);
  assert.deepEqual([late.change, late.alert], ['late', null]);
  assert.equal(merge(undefined, problem(2, someday + 2 * minute), someday + 3 * minute, unseen.remembered).change, 'opened');

  const over = merge(merge(undefined, problem(1, someday), someday).alert ?? undefined, recovery(someday + minute), someday + minute);
  const again = merge(over.alert ?? undefined, recovery(someday + 3 * minute), someday + 3 * minute).alert ?? undefined;
  assert.equal(merge(again, problem(2, someday + 2 * minute), someday + 4 * minute).change, 'late', 'of the problem between the two');
});

test('A3: a source whose clock was set back is believed a quarter of an hour after its recovery at the latest', () => {
  const unseen = merge(undefined, recovery(someday + hour), someday).remembered;
  assert.equal(merge(undefined, problem(2, someday + 10 * minute), someday + 10 * minute, unseen).change, 'late');
  assert.equal(merge(undefined, problem(2, someday + 16 * minute), someday + 16 * minute, unseen).change, 'opened');
});

test('A2: a late recovery without a number does not end the problem that began since', () => {
  const first = merge(undefined, problem(1, someday), someday).alert ?? undefined;
  const next = merge(first, problem(2, someday + 2 * minute), someday + 2 * minute).alert ?? undefined;

  assert.equal(merge(next, recovery(someday + minute), someday + 3 * minute).change, 'late');
  const again = merge(next, problem(1, someday), someday + 3 * minute);
  assert.deepEqual([again.change, again.alert?.episode], ['late', '2@1'], 'nor does a late word of that problem take its place');
  assert.equal(merge(next, recovery(someday + 3 * minute), someday + 3 * minute).change, 'cleared');
});

test('A5: a start and its end pair by the clock of their source, also when we think otherwise of it, or of ours, in between', () => {
  const behind = 7 * minute;
  const told = problem(1, someday);
  const opened = merge(
    undefined,
    { ...told, startedAt: someday + behind, observedAt: someday + behind },
    someday + behind,
    undefined,
    told,
  );
  const cleared = merge(opened.alert ?? undefined, recovery(someday + minute), someday + behind + minute);
  assert.equal(cleared.change, 'cleared', 'the skew was taken out of the start and not of the end');

  const dayBefore = someday - 24 * hour;
  const plain = merge(undefined, told, someday).alert ?? undefined;
  const over = recovery(someday + minute);
  assert.equal(merge(plain, { ...over, startedAt: dayBefore, observedAt: dayBefore }, dayBefore, undefined, over).change, 'cleared');
});

test('A2, A5: a recovery without a number that is told again ends nothing, also when its sender’s clock has become known meanwhile', () => {
  const first = merge(undefined, problem(1, someday), someday).alert ?? undefined;
  const over = merge(first, recovery(someday + minute), someday + minute).alert ?? undefined;
  const next = merge(over, problem(2, someday + 2 * minute), someday + 2 * minute).alert ?? undefined;
  const again = recovery(someday + minute);
  const byOurs = { ...again, startedAt: someday + 9 * minute, observedAt: someday + 9 * minute };

  assert.equal(next?.state, 'firing');
  assert.equal(merge(next, byOurs, someday + 10 * minute, undefined, again).change, 'late');
  assert.equal(
    merge(next, { ...recovery(someday + 3 * minute), observedAt: someday + 11 * minute }, someday + 11 * minute).change,
    'cleared',
  );
});
