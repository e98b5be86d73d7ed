// Reports: figures that a person can count, the same figures counted again from the facts, and shares of few.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Fact } from '../../../src/core/records.ts';
import { day, hour, minute, second } from '../../../src/core/time.ts';
import { csvOf, pointsByMeasurement, reportOf, type ReportName, type ReportRow } from '../../../src/readmodel/reports/report.ts';
import { isAtWork, upperOf } from '../../../src/readmodel/reports/share.ts';
import { createNotes } from '../../../src/readmodel/series/notes.ts';
import { pointsOf } from '../../../src/readmodel/series/points.ts';
import { unleash } from '../../support/chaos.ts';
import { anyDeed } from '../../support/deeds.ts';
import { eventOf } from '../../support/event.ts';
import { clears } from '../../support/play.ts';
import { playbookOf, policyOf, stepOf } from '../../support/policy.ts';
import { accepted, done, tell } from '../../support/story.ts';

const rules = { minutesSaved: { restart: 30 }, minutesSavedElse: 10, zone: 'UTC' } as const;
const span = { from: 0, to: 14 * day } as const;

function rowsOf(name: ReportName, facts: readonly Fact[]): readonly ReportRow[] {
  const notes = createNotes();
  return reportOf(name, pointsByMeasurement(facts.flatMap((fact) => pointsOf(notes, fact))), rules, span);
}

function rowOf(rows: readonly ReportRow[], figure: string, about = ''): ReportRow {
  return (
    rows.find((each) => each.figure === figure && each.about === about) ??
    assert.fail(`no ${figure} of "${about}" in ${JSON.stringify(rows)}`)
  );
}

/** One incident that a playbook heals, and one that anna is paged for. */
function twoIncidents(): { readonly facts: readonly Fact[]; readonly healed: string; readonly paged: string } {
  const story = tell(policyOf({ playbooks: [playbookOf({ name: 'restart' })] }));
  story.see(eventOf());
  story.forward(second);
  story.answer(done);
  for (let look = 0; look < 20 && story.openCall() !== null; look += 1) {
    story.answer({ outcome: 'ok', output: { status: 200 } });
    story.forward(10 * second);
  }
  clears(story);
  story.forward(hour);
  const healed = story.last('IncidentResolved').incident;
  const disk = { name: 'DiskFull', entity: { host: 'db9', service: 'store' } };
  story.see(eventOf({ ...disk, startedAt: story.now(), observedAt: story.now() }));
  story.forward(minute);
  story.notified(accepted);
  const paged = story.last('IncidentOpened').incident;
  story.say({ type: 'Acked', incident: paged, by: 'anna', via: 'api' });
  story.forward(9 * minute);
  story.see(eventOf({ ...disk, claim: 'cleared', observedAt: story.now() }));
  story.forward(hour);
  return { facts: story.facts, healed, paged };
}

test('the summary of two incidents: what was avoided, saved and answered, each with the incidents behind it', () => {
  const { facts, healed, paged } = twoIncidents();
  const rows = rowsOf('summary', facts);
  const seen = (figure: string): readonly unknown[] => {
    const { value, of, incidents } = rowOf(rows, figure);
    return [value, of, incidents];
  };
  assert.deepEqual(seen('incidents'), [2, null, [healed, paged]]);
  assert.deepEqual(seen('pages'), [1, null, [paged]]);
  assert.deepEqual(seen('pages avoided'), [1, 2, [healed]]);
  assert.deepEqual(seen('closed without a person'), [0.5, 2, [healed]]);
  assert.deepEqual(seen('hours saved'), [0.5, 1, [healed]]);
  assert.deepEqual(seen('wrong actions'), [0, 1, []]);
  assert.ok((rowOf(rows, 'wrong actions').upper ?? 0) > 0.5, 'one that went well proves little');
  assert.deepEqual(rowOf(rows, 'mean time to resolve, with a playbook').incidents, [healed]);
  assert.deepEqual(rowOf(rows, 'mean time to acknowledge, without').incidents, [paged]);
  assert.equal(rowOf(rows, 'mean time to acknowledge, with a playbook').value, null);
});

test('rules: the one that misses a playbook most is first; people and playbooks', () => {
  const { facts, healed, paged } = twoIncidents();
  const byRule = rowsOf('rules', facts);
  assert.equal(byRule[0]?.about, 'DiskFull');
  assert.deepEqual(rowOf(byRule, 'went on without a playbook', 'DiskFull').incidents, [paged]);
  assert.ok((rowOf(byRule, 'went on without a playbook', 'DiskFull').value ?? 0) >= 9);
  assert.equal(rowOf(byRule, 'went on without a playbook', 'ServiceDown').value, 0);
  assert.deepEqual(rowOf(byRule, 'healed by a playbook', 'ServiceDown').incidents, [healed]);
  assert.equal(rowOf(byRule, 'fired', 'ServiceDown').value, 1);

  const people = rowsOf('people', facts);
  assert.equal(rowOf(people, 'pages', 'anna').value, 1);
  assert.equal(rowOf(people, 'pages per week', 'anna').value, 0.5);
  const playbooks = rowsOf('playbooks', facts);
  assert.deepEqual([rowOf(playbooks, 'acted', 'restart').value, rowOf(playbooks, 'hours saved', 'restart').value], [1, 0.5]);
});

const asks = playbookOf({ name: 'asks', mode: 'approve', steps: [stepOf()] });
const policies = [policyOf({ playbooks: [playbookOf()] }), policyOf({ playbooks: [asks], storm: { alerts: 3, withinMs: minute } })];

test('R1: whatever happened, counting the facts gives the same figures, and each incident behind one is one of those facts', () => {
  fc.assert(
    fc.property(fc.constantFrom(...policies), fc.array(anyDeed, { minLength: 5, maxLength: 60 }), (policy, deeds) => {
      const world = unleash([policy], () => {});
      for (const deed of deeds) world.play(deed);
      const { facts } = world;
      const of = <T extends Fact['type']>(type: T) => facts.filter((fact): fact is Extract<Fact, { type: T }> => fact.type === type);
      const rows = rowsOf('summary', facts);
      const resolved = of('IncidentResolved');
      assert.equal(rowOf(rows, 'incidents').value, resolved.length);
      assert.equal(rowOf(rows, 'pages').value, of('PageOpened').length);
      const known = new Set(facts.flatMap((fact) => ('incident' in fact && fact.incident !== undefined ? [fact.incident] : [])));
      for (const { incidents } of rows) for (const each of incidents) assert.ok(known.has(each));
      // By playbook, and no page was opened between the beginning of that life and its end.
      const avoided = resolved.filter(({ by, incident, seq }) => {
        const begins = facts
          .filter(
            (fact) => (fact.type === 'IncidentOpened' || fact.type === 'IncidentReopened') && fact.incident === incident && fact.seq < seq,
          )
          .map((fact) => fact.seq);
        const began = Math.max(...begins);
        return by === 'playbook' && !of('PageOpened').some((page) => page.incident === incident && page.seq > began && page.seq < seq);
      });
      assert.equal(rowOf(rows, 'pages avoided').value, avoided.length);
      const ended = [...of('RunFinished'), ...of('RunRefused')];
      assert.equal(
        rowsOf('playbooks', facts)
          .filter(({ figure }) => figure === 'runs')
          .reduce((sum, { value }) => sum + (value ?? 0), 0),
        ended.length,
      );
      const opened = of('AlertDecided').filter(({ change }) => change === 'opened' || change === 'reopened');
      const fired = rowsOf('rules', facts).filter(({ figure }) => figure === 'fired');
      assert.equal(
        fired.reduce((sum, { value }) => sum + (value ?? 0), 0),
        opened.length,
      );
    }),
    { numRuns: 60 },
  );
});

test('the upper bound of a share is that of Wilson, and honest about few', () => {
  // Values of the interval for 0 of 10, 1 of 10, 50 of 100.
  for (const [part, whole, upper] of [
    [0, 10, 0.2775],
    [1, 10, 0.4042],
    [50, 100, 0.5962],
    [10, 10, 1],
  ] as const)
    assert.ok(Math.abs((upperOf(part, whole) ?? 0) - upper) < 1e-4, `${part} of ${whole}`);
  assert.equal(upperOf(0, 0), null);
});

test('after hours is by the clock of where people work', () => {
  const monday = Date.UTC(2026, 10, 30, 7, 30);
  assert.equal(isAtWork(monday, 'UTC'), false);
  assert.equal(isAtWork(monday, 'Europe/Berlin'), true);
  assert.equal(isAtWork(monday - day, 'Europe/Berlin'), false, 'a Sunday');
  assert.equal(isAtWork(Date.UTC(2026, 10, 30, 18), 'UTC'), false);
  assert.equal(isAtWork(Date.UTC(2026, 10, 30, 0), 'UTC'), false);
  assert.throws(() => isAtWork(monday, 'Nowhere/Land"'), /expected the name of a time zone/);
});

test('a file for spreadsheets: every field its own, whatever a rule is called', () => {
  const row = { figure: 'fired', value: 1.5, unit: 'times', of: null, upper: null, incidents: ['i1.a', 'i2.a'] } as const;
  assert.equal(
    csvOf([
      { ...row, about: '=HYPERLINK("http://x")' },
      { ...row, about: 'a "b", c' },
    ]),
    `"about","figure","value","unit","of","upper","incidents"\r\n"'=HYPERLINK(""http://x"")","fired",1.5,"times",,,"i1.a i2.a"\r\n"a ""b"", c","fired",1.5,"times",,,"i1.a i2.a"\r\n`,
  );
});

test('a report of as many points as one may have is no standstill, whoever they are of', () => {
  const pages = Array.from({ length: 100_000 }, (_, n) => ({
    measurement: 'page' as const,
    at: n * second,
    nth: 0,
    tags: { rule: 'Disk', team: 'ops', severity: 'critical', ladder: 'default', scope: 'default' },
    fields: { closed: 1, opened: 1, rings: 1, hour_of_week: 0 },
    words: { incident: `incident-${n}`, page: `page-${n}` },
  }));
  const points = { alert: [], incident: [], run: [], page: pages };
  for (const name of ['summary', 'rules', 'people', 'playbooks'] as const) {
    const before = process.cpuUsage();
    const rows = reportOf(name, points, rules, { from: 0, to: pages.length * second });
    const { user } = process.cpuUsage(before);
    assert.ok(user < 3_000_000, `${name} took ${user / 1e6} s of the processor`); // 47 s when each page copied those before it
    if (name === 'people') assert.equal(rowOf(rows, 'pages', 'nobody').value, pages.length);
  }
});
