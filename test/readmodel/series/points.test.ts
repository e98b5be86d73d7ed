// Facts as points: what the time series say of stories whose numbers a person can count, and of random worlds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Fact } from '../../../src/core/records.ts';
import { hour, minute, second } from '../../../src/core/time.ts';
import { createNotes, type NoteRow } from '../../../src/readmodel/series/notes.ts';
import { fieldsOf, tagsOf, wordsOf, type Field, type Measurement, type Point, type PointOf } from '../../../src/readmodel/series/point.ts';
import { pointsOf } from '../../../src/readmodel/series/points.ts';
import { cleaned, tagFor, wordsMax } from '../../../src/readmodel/series/tags.ts';
import { hourOfWeek } from '../../../src/readmodel/series/telling.ts';
import { unleash } from '../../support/chaos.ts';
import { someday } from '../../support/clock.ts';
import { anyDeed } from '../../support/deeds.ts';
import { eventOf } from '../../support/event.ts';
import { clears } from '../../support/play.ts';
import { playbookOf, policyOf, stepOf } from '../../support/policy.ts';
import { accepted, broke, done, tell, type Story } from '../../support/story.ts';

function toldOf(facts: readonly Fact[], notes = createNotes()): readonly Point[] {
  return facts.flatMap((fact) => pointsOf(notes, fact));
}

function only<M extends Measurement>(points: readonly Point[], measurement: M, having?: Field<M>): PointOf<M> {
  const found = points.filter(
    (point): point is Point & PointOf<M> => point.measurement === measurement && (having === undefined || having in point.fields),
  );
  assert.equal(found.length, 1, `one point of ${measurement}, seen ${JSON.stringify(found)}`);
  return found[0] ?? assert.fail();
}

const labelled = { labels: { team: 'shop' } };

/** Answers the proofs of a run until it has ended. */
function proves(story: Story): void {
  for (let look = 0; look < 20 && story.openCall() !== null; look += 1) {
    story.answer({ outcome: 'ok', output: { status: 200 } });
    story.forward(10 * second);
  }
}

test('an incident that a playbook healed: one point each of its alert, decision, run and life, and nobody was needed', () => {
  const story = tell(policyOf({ playbooks: [playbookOf({ name: 'restart' })] }));
  story.see(eventOf({ ...labelled, startedAt: someday - 5 * second }));
  story.forward(second);
  story.answer(done);
  proves(story);
  clears(story);
  story.forward(hour);
  assert.equal(story.last('IncidentResolved').by, 'playbook');

  const points = toldOf(story.facts);
  const alert = { scope: 'default', source: 'prometheus', rule: 'ServiceDown', severity: 'critical', team: 'shop' };
  assert.deepEqual(only(points, 'alert', 'fired').tags, alert);
  assert.deepEqual(only(points, 'decision').tags, { ...alert, decision: story.all('AlertDecided')[0]?.decision });
  const run = only(points, 'run');
  assert.deepEqual(run.tags, {
    scope: 'default',
    rule: 'ServiceDown',
    severity: 'critical',
    team: 'shop',
    playbook: 'restart',
    mode: 'auto',
    end: 'succeeded',
  });
  const took = (story.last('RunFinished').at - story.last('RunStarted').at) / second;
  assert.deepEqual(run.fields, { count: 1, duration_seconds: took, acted: 1, wrong: 0, approved: 0 });
  const life = only(points, 'incident');
  const openedAt = story.last('IncidentOpened').at;
  assert.deepEqual(life.tags, { ...alert, outcome: 'playbook', playbook: 'restart' });
  assert.deepEqual(life.fields, {
    count: 1,
    detect_seconds: 5,
    mitigate_seconds: (story.last('RunFinished').at - openedAt) / second,
    resolve_seconds: (story.last('IncidentResolved').at - openedAt) / second,
    pages: 0,
    members: 1,
    untouched: 1,
    storm: 0,
  });
  assert.equal(life.words.incident, story.last('IncidentOpened').incident);
  const cleared = only(points, 'alert', 'cleared');
  const { alert: last } = story.last('AlertMerged');
  assert.equal(cleared.fields.duration_seconds, ((last?.clearedAt ?? 0) - someday) / second + 5);
  assert.equal(cleared.words.incident, life.words.incident);
});

test('a page: opened at once, closed with how long it rang, who took it and how often; the life is no more untouched', () => {
  const story = tell(policyOf());
  story.see(eventOf());
  story.forward(minute);
  story.notified(accepted);
  story.forward(6 * minute);
  const { incident } = story.last('IncidentOpened');
  story.say({ type: 'Acked', incident, by: 'anna', via: 'api' });
  clears(story);
  story.forward(hour);

  const points = toldOf(story.facts);
  const opening = story.last('PageOpened');
  const first = only(points, 'page', 'opened');
  assert.deepEqual(first.fields, { opened: 1, hour_of_week: hourOfWeek(opening.at) });
  assert.equal(first.at, opening.at);
  const end = only(points, 'page', 'closed');
  assert.deepEqual(end.fields, {
    closed: 1,
    rings: Math.max(...story.all('PageRang').map(({ ring }) => ring)),
    hour_of_week: hourOfWeek(opening.at),
    ack_seconds: (story.last('PageAcked').at - opening.at) / second,
  });
  assert.ok((end.fields.rings ?? 0) >= 2, 'it climbed');
  assert.deepEqual(end.words, { incident, page: opening.page, by: 'anna' });
  const life = only(points, 'incident');
  assert.deepEqual([life.fields.untouched, life.fields.pages, life.tags.outcome], [0, 1, 'source']);
  assert.equal(life.fields.acknowledge_seconds, (story.last('IncidentAcknowledged').at - story.last('IncidentOpened').at) / second);
});

test('a run that acted and did not help is wrong; one that was refused, or only watched, is not', () => {
  const failing = tell(policyOf({ playbooks: [playbookOf({ steps: [stepOf(), stepOf({ id: 'second' })] })] }));
  failing.see(eventOf());
  failing.forward(second);
  failing.answer(done);
  failing.answer(broke);
  const { fields, tags } = only(toldOf(failing.facts), 'run');
  assert.deepEqual([fields.acted, fields.wrong, tags.end], [1, 1, failing.last('RunFinished').end]);

  const shadow = tell(policyOf({ playbooks: [playbookOf({ mode: 'shadow' })] }));
  shadow.see(eventOf());
  shadow.forward(second);
  const watched = only(toldOf(shadow.facts), 'run');
  assert.deepEqual([watched.fields.acted, watched.fields.wrong, watched.tags.mode], [0, 0, 'shadow']);
});

test('each life of an incident that comes back is a point of its own, timed from its own beginning', () => {
  const story = tell(policyOf());
  story.see(eventOf());
  story.forward(minute);
  clears(story);
  story.forward(2 * minute);
  story.see(eventOf({ startedAt: story.now(), observedAt: story.now() }));
  story.forward(3 * minute);
  clears(story);
  story.forward(hour);
  assert.equal(story.all('IncidentReopened').length, 1);

  const lives = toldOf(story.facts).filter(({ measurement }) => measurement === 'incident') as readonly PointOf<'incident'>[];
  const begins = [story.last('IncidentOpened').at, story.last('IncidentReopened').at];
  assert.deepEqual(
    lives.map(({ fields }) => fields.resolve_seconds),
    story.all('IncidentResolved').map(({ at }, life) => (at - (begins[life] ?? 0)) / second),
  );
  assert.equal(lives[1]?.fields.detect_seconds, undefined, 'what was detected once is not detected again');
  assert.equal(lives[1]?.tags.rule, 'ServiceDown');
});

const asks = playbookOf({ name: 'asks', mode: 'approve', steps: [stepOf()] });
const policies = [policyOf({ playbooks: [playbookOf()] }), policyOf({ playbooks: [asks], storm: { alerts: 3, withinMs: minute } })];
const worlds = fc.tuple(fc.constantFrom(...policies), fc.array(anyDeed, { minLength: 5, maxLength: 60 }), fc.nat());

test('S1: read on from saved notes, at whatever fact, the points are the same; P1: no two are one', () => {
  fc.assert(
    fc.property(worlds, ([policy, deeds, at]) => {
      const world = unleash([policy], () => {});
      for (const deed of deeds) world.play(deed);
      const { facts } = world;
      const whole = toldOf(facts);
      const cut = at % (facts.length + 1);
      const before = createNotes();
      const first = toldOf(facts.slice(0, cut), before);
      const kept = new Map<string, string>();
      for (const { key, note } of before.changes()) if (note !== null) kept.set(key, note);
      const rows: NoteRow[] = [...kept].map(([key, note]) => ({ key, note }));
      assert.deepEqual([...first, ...toldOf(facts.slice(cut), createNotes(rows))], whole);
      const names = whole.map(({ measurement, tags, at: time, nth }) =>
        JSON.stringify([measurement, Object.entries(tags).sort(), time, nth]),
      );
      assert.equal(new Set(names).size, names.length);
      for (const point of whole) assertKnown(point);
    }),
    { numRuns: 80 },
  );
});

/** Nothing but what the table of measurements names, and no number that is none. */
function assertKnown({ measurement, tags, fields, words }: Point): void {
  const known: readonly (readonly [object, readonly string[]])[] = [
    [tags, tagsOf(measurement)],
    [fields, fieldsOf(measurement)],
    [words, wordsOf(measurement)],
  ];
  for (const [members, names] of known) for (const name of Object.keys(members)) assert.ok(names.includes(name), `${measurement}: ${name}`);
  for (const value of Object.values(fields)) assert.ok(Number.isFinite(value) && value >= 0, `${measurement}: ${JSON.stringify(fields)}`);
}

test('N1: once all is over and swept, nothing is remembered but words; N2: the same facts again leave the same notes', () => {
  const story = tell(policyOf({ playbooks: [playbookOf()] }));
  for (const host of ['a', 'b', 'c']) story.see(eventOf({ entity: { host } }));
  story.forward(minute);
  for (const host of ['a', 'b', 'c']) story.see(eventOf({ entity: { host }, claim: 'cleared', observedAt: story.now() }));
  story.forward(5 * 24 * hour);
  const { incident } = story.last('IncidentOpened');
  const swept: Fact = { type: 'DeskSwept', table: 'incidents', keys: [incident], scope: 'default', seq: 1_000_000, at: story.now() };
  const notes = createNotes();
  toldOf([...story.facts, swept], notes);
  const kept = notes.changes().filter(({ note }) => note !== null);
  assert.ok(
    kept.every(({ key }) => key.startsWith('["word"')),
    JSON.stringify(kept),
  );

  const twice = createNotes();
  toldOf(
    story.facts.flatMap((fact) => [fact, fact]),
    twice,
  );
  const once = createNotes();
  toldOf(story.facts, once);
  const sorted = (rows: readonly NoteRow[]): readonly string[] => rows.map((row) => JSON.stringify(row)).sort();
  assert.deepEqual(sorted(twice.changes().filter(({ note }) => note !== null)), sorted(once.changes().filter(({ note }) => note !== null)));
});

test('T1, T2: words from outside become one short line, and beyond the bound all are other', () => {
  assert.equal(cleaned('  disk\nfull,\tnow \u{202e}\0 '), 'disk full, now');
  assert.equal(cleaned(''), 'none');
  assert.equal(cleaned('\n'), 'none');
  const [one, two] = [`${'x'.repeat(200)}1`, `${'x'.repeat(200)}2`].map(cleaned);
  assert.notEqual(one, two);
  assert.ok((one?.length ?? 99) <= 80);
  assert.ok(cleaned('\u{1f525}'.repeat(90)).isWellFormed());

  const notes = createNotes();
  const all = Array.from({ length: wordsMax.rule + 50 }, (_, n) => tagFor(notes, 'rule', `r${n}`));
  assert.equal(new Set(all).size, wordsMax.rule + 1);
  assert.equal(all.at(-1), 'other');
  assert.equal(tagFor(notes, 'rule', 'r0'), 'r0', 'what was let in stays');
  assert.equal(tagFor(notes, 'team', 'r9999'), 'r9999', 'each tag has its own words');
});

test('hosts are tags only where that is asked for', () => {
  const story = tell(policyOf());
  story.see(eventOf());
  for (const hosts of [false, true]) {
    const notes = createNotes();
    const points = story.facts.flatMap((fact) => pointsOf(notes, fact, { hosts }));
    const fired = only(points, 'alert');
    assert.equal(fired.tags.host, hosts ? 'web1' : undefined);
  }
});

test('the hour of the week begins on Monday', () => {
  assert.equal(hourOfWeek(Date.UTC(2026, 10, 30)), 0); // a Monday
  assert.equal(hourOfWeek(Date.UTC(2026, 10, 29, 23, 59)), 167);
  assert.equal(hourOfWeek(0), 3 * 24);
  assert.equal(hourOfWeek(-1), 3 * 24 - 1);
});

test('N3: a clock that was two hours ahead and is set right changes no span, and the points of another scope are its own', () => {
  const story = tell(policyOf());
  const atSource = story.now() - 2 * hour; // whose clock is right
  story.see(eventOf({ ...labelled, startedAt: atSource, observedAt: atSource }));
  story.forward(minute);
  story.notified(accepted);
  const opened = story.last('IncidentOpened');
  story.forward(10 * minute);
  const from = story.now();
  story.back(2 * hour);
  story.say({ type: 'ClockCorrected', from, stoodFrom: from + 1, to: story.now() });
  story.say({ type: 'Acked', incident: opened.incident, by: 'anna', via: 'api' });
  story.forward(9 * minute);
  story.see(eventOf({ ...labelled, claim: 'cleared', observedAt: story.now() }));
  story.forward(hour);

  const { lifeAt, seen } = { lifeAt: opened.at, seen: story.last('IncidentResolved').at };
  const incident = only(toldOf(story.facts), 'incident').fields;
  assert.equal(incident.acknowledge_seconds, (from - lifeAt) / second);
  assert.equal(incident.resolve_seconds, (from - lifeAt + (seen - (from - 2 * hour))) / second);
  const page = only(toldOf(story.facts), 'page', 'closed').fields;
  assert.equal(page.ack_seconds, (from - story.last('PageOpened').at) / second);

  const notes = createNotes();
  toldOf(story.facts.slice(0, story.facts.indexOf(opened) + 1), notes);
  const kept = notes.get('incident', opened.incident);
  for (const fact of story.all('DeskSetBack')) toldOf([{ ...fact, scope: 'another' }], notes);
  assert.deepEqual(notes.get('incident', opened.incident), kept);
});
