// What a source holds back itself: until when, whom that lets be called at its end, and which episode it is about.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AlertEvent } from '../../src/core/alert/event.ts';
import { day, hour, minute, type Millis } from '../../src/core/time.ts';
import { entryOf } from '../../src/readmodel/timeline.ts';
import { someday } from '../support/clock.ts';
import { eventOf } from '../support/event.ts';
import { policyOf } from '../support/policy.ts';
import { tell, type Story } from '../support/story.ts';

const rings = (story: Story): number => story.all('PageOpened').length;
const waits = (story: Story): number =>
  [...story.desk().tables.wakes.rows.values()].filter(({ wake }) => wake.kind === 'sourceMute').length;
const alert = (story: Story) => [...story.desk().tables.alerts.rows.values()][0]?.alert ?? assert.fail('no alert');

/** The source holds it back for so long from now. */
function holds(story: Story, forMs: Millis, change: Partial<AlertEvent> = {}): void {
  story.see(
    eventOf({
      claim: 'noted',
      sourceMute: 'suppressed',
      muteUntil: story.now() + forMs,
      observedAt: story.now(),
      startedAt: story.now(),
      ...change,
    }),
  );
}

/** Fires, and is held back before anybody could be called. */
function held(forMs: Millis): Story {
  const story = tell(policyOf());
  story.see(eventOf());
  holds(story, forMs);
  story.forward(minute);
  assert.equal(rings(story), 0);
  return story;
}

test('A16: what its source holds back until an instant calls a person then, though nobody says a word', () => {
  const story = held(2 * hour);
  assert.deepEqual(alert(story).muteEnd?.until, someday + 2 * hour);
  assert.match(story.last('IncidentDecided').reason, /the source holds it back: suppressed until \d{4}-\d\d-\d\d \d\d:\d\d UTC/);
  story.forward(2 * hour - 2 * minute);
  assert.equal(rings(story), 0);
  story.forward(2 * minute);
  assert.equal(rings(story), 1);
  const { reason, sourceMute } = story.last('AlertMuted');
  assert.deepEqual([reason, sourceMute], [null, null]);
  assert.equal(entryOf(story.last('AlertMuted'))?.text, 'no longer muted: the time for which its source held it back is over');
  assert.deepEqual([alert(story).sourceMute, alert(story).muteEnd, waits(story)], [null, undefined, 0]);
});

test('A16: one that clears before the end calls nobody, and leaves no wait behind', () => {
  const story = held(3 * hour);
  story.see(eventOf({ claim: 'cleared', observedAt: story.now() }));
  story.forward(day);
  assert.deepEqual([rings(story), waits(story)], [0, 0]);
});

test('A16: without an end it is held back for ever; an end that has passed holds nothing back', () => {
  const story = tell(policyOf());
  story.see(eventOf());
  story.see(eventOf({ claim: 'noted', sourceMute: 'suppressed' }));
  story.forward(2 * day);
  assert.deepEqual([rings(story), waits(story)], [0, 0]);
  holds(story, -minute);
  assert.deepEqual([alert(story).sourceMute, waits(story)], [null, 0]);
  story.forward(minute);
  assert.equal(rings(story), 1);
});

test('A16: a later end, an earlier one, one taken back: the newest word counts, and one wait', () => {
  const story = held(hour);
  holds(story, 3 * hour);
  assert.equal(waits(story), 1);
  story.forward(2 * hour);
  assert.deepEqual([rings(story), waits(story)], [0, 1], 'it was made longer');
  holds(story, 20 * minute);
  story.forward(19 * minute);
  assert.equal(rings(story), 0);
  story.forward(2 * minute);
  assert.equal(rings(story), 1, 'it was made shorter');

  const lifted = held(hour);
  lifted.see(eventOf({ claim: 'noted', sourceMute: null }));
  lifted.forward(minute);
  assert.equal(rings(lifted), 1);
  const forEver = held(hour);
  forEver.see(eventOf({ claim: 'noted', sourceMute: 'suppressed' }));
  forEver.forward(3 * hour);
  assert.deepEqual([rings(forEver), waits(forEver)], [0, 0]);
});

test('A16: repeats of what is held back neither move the end nor write the whole alert again', () => {
  const story = held(hour);
  for (let minutes = 1; minutes < 59; minutes += 1) {
    story.see(eventOf({ observedAt: story.now() }));
    assert.equal(story.last('AlertMerged').alert, null);
    story.forward(minute);
  }
  assert.deepEqual([rings(story), waits(story)], [0, 1]);
  story.forward(2 * minute);
  assert.equal(rings(story), 1);
});

test('A16: a silence of a person outlasts the end of the source', () => {
  const story = held(hour);
  const matchers = [{ name: 'instance', op: '=' as const, value: 'web1' }];
  const silence = {
    id: 's1',
    matchers,
    startsAt: story.now(),
    endsAt: story.now() + 2 * hour,
    untilResolved: false,
    by: 'ann',
    comment: '',
  };
  story.say({ type: 'SilenceSet', silence });
  story.forward(hour);
  assert.deepEqual([rings(story), story.last('AlertMuted').reason?.kind], [0, 'silence']);
  story.forward(hour + minute);
  assert.equal(rings(story), 1);
});

test('A16: the thing itself held back: over a new occurrence, too, and until the same instant', () => {
  const story = held(hour);
  story.see(eventOf({ claim: 'cleared', observedAt: story.now() }));
  story.see(eventOf({ startedAt: story.now() + 1, observedAt: story.now() + 1 }));
  story.forward(50 * minute);
  assert.deepEqual([rings(story), waits(story)], [0, 1]);
  story.forward(10 * minute);
  assert.equal(rings(story), 1);
});

test('A16: one problem held back: a word about an earlier one neither mutes the present one nor lifts its mute', () => {
  const story = tell(policyOf());
  const first = { episode: '1', muteOf: 'episode' as const };
  const second = { episode: '2', muteOf: 'episode' as const };
  story.see(eventOf(first));
  story.see(eventOf({ ...second, startedAt: story.now() + minute, observedAt: story.now() + minute }));
  holds(story, hour, first);
  story.forward(minute);
  assert.equal(rings(story), 1);

  holds(story, hour, second);
  story.see(eventOf({ ...first, claim: 'noted', sourceMute: null }));
  assert.equal(alert(story).sourceMute, 'suppressed');
});

test('A16, A5: the end is by the clock of the sender, of which we know how wrong it is', () => {
  const story = tell(policyOf());
  const dated = (change: Partial<AlertEvent>): AlertEvent => {
    const theirs = story.now() - 3 * hour;
    return eventOf({ startedAt: theirs, observedAt: theirs, sentAt: theirs, ...change });
  };
  for (let number = 0; number < 6; number += 1) {
    story.see(dated({ name: 'Other', entity: { host: `other${number}` }, severity: 'info' }));
    story.forward(minute);
  }
  story.see(dated({}));
  story.see(dated({ claim: 'noted', sourceMute: 'suppressed', muteUntil: story.now() - 3 * hour + hour }));
  story.forward(59 * minute);
  assert.equal(rings(story), 0);
  story.forward(2 * minute);
  assert.equal(rings(story), 1);
});

test('A16, B21: told while our clock was a day ahead: it lasts as long as it was to', () => {
  const story = tell(policyOf());
  story.forward(day);
  story.see(eventOf({ startedAt: story.now(), observedAt: story.now() }));
  holds(story, 2 * hour);
  story.forward(30 * minute);
  const from = story.now();
  story.back(day);
  story.say({ type: 'ClockCorrected', from, stoodFrom: from + 1, to: story.now() });
  story.forward(85 * minute);
  assert.equal(rings(story), 0);
  story.forward(10 * minute);
  assert.equal(rings(story), 1);
});
