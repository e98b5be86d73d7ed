// An alert storm: what it speaks for, what speaks for itself beside it, and what is said of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AlertEvent } from '../../src/core/alert/event.ts';
import type { Ladder } from '../../src/core/page/ladder.ts';
import { hour, minute, second } from '../../src/core/time.ts';
import { eventOf } from '../support/event.ts';
import { ladder, policyOf } from '../support/policy.ts';
import { accepted, tell, type Story } from '../support/story.ts';

const calm: Ladder = { ...ladder, rungs: [{ notify: ['pd'], waitMs: 5 * minute }], repeat: 0, ackTimeoutMs: 0 };
const policy = policyOf({ ladders: { default: calm }, settleMs: 5 * second });

function nodeDown(story: Story, n: number, change: Partial<AlertEvent> = {}): AlertEvent {
  const labels = { alertname: 'NodeNetworkDown', instance: `n${n}`, rack: `r${n % 8}` };
  return eventOf({ name: 'NodeNetworkDown', entity: { host: `n${n}`, service: `s${n}` }, labels, startedAt: story.now(), ...change });
}

/** 130 alerts in 16 s; the first of them have rung, everybody on their rung was told, and the storm rings, too. */
function raged(before: (story: Story) => void = () => {}): Story {
  const story = tell(policy);
  before(story);
  for (let n = 0; n < 130; n += 1) {
    story.see(nodeDown(story, n));
    story.forward(123);
    if (n % 10 === 0) story.notified(accepted);
  }
  story.forward(5 * second);
  story.notified(accepted);
  return story;
}

const stormOf = (story: Story): string => story.all('IncidentOpened').find((fact) => fact.storm)?.incident ?? '';
const row = (story: Story, id: string) => story.desk().tables.incidents.rows.get(id);
const childrenOf = (story: Story): readonly string[] =>
  [...story.desk().tables.incidents.rows.values()].flatMap(({ id, parent }) => (parent === stormOf(story) ? [id] : []));
const pagesIn = (story: Story, state: string): readonly string[] =>
  [...story.desk().tables.pages.rows.values()].flatMap((page) => (page.state === state ? [page.incident] : []));
const opened = (story: Story, name: string): string =>
  story.all('AlertJoined').find(({ summary }) => summary.startsWith(name))?.incident ?? '';
const rangFor = (story: Story, incident: string): number => story.all('PageRang').filter((fact) => fact.incident === incident).length;
const clear = (story: Story, event: AlertEvent) => story.see({ ...event, claim: 'cleared', observedAt: story.now() + 1 });

test('B20: a storm adopts what rang in its window: those pages stop ringing by themselves, and one page speaks for all', () => {
  const story = raged();
  assert.ok(story.all('PageOpened').length > 30, 'many rang before it was known to be a storm');
  assert.deepEqual(pagesIn(story, 'ringing'), [stormOf(story)]);
  const before = story.all('PageRang').length;

  story.forward(16 * minute);

  const rang = story.all('PageRang').slice(before);
  assert.equal(rang.length, 3);
  assert.ok(rang.every(({ incident }) => incident === stormOf(story)));
  const told = story.all('NotifyRequested').filter(({ notification }) => notification.kind === 'acknowledged');
  const heard = [...story.desk().tables.pages.rows.values()].filter((page) => page.told.length > 0 && page.incident !== stormOf(story));
  assert.ok(heard.length > 30);
  assert.equal(told.length, heard.length, 'vendors that ring for an open page hear that another speaks for it');
});

test('B20: the title says what is common, and keeps counting in later rings', () => {
  const story = raged();
  assert.equal(
    story.all('PageOpened').find(({ incident }) => incident === stormOf(story))?.title,
    'alert storm: NodeNetworkDown on 130 hosts, 8 racks',
  );

  for (let n = 130; n < 141; n += 1) story.see(nodeDown(story, n));
  story.forward(5 * minute);
  story.notified(accepted);

  assert.equal(story.last('NotifyGranted').notification.title, 'alert storm: NodeNetworkDown on 141 hosts, 8 racks');
  assert.equal(row(story, stormOf(story))?.title, 'alert storm: NodeNetworkDown on 141 hosts, 8 racks');
});

test('B20: who takes the storm has what it adopted, a hand-over hands that over, and giving it back gives all of it back to the storm', () => {
  const story = raged();
  const storm = stormOf(story);
  story.say({ type: 'Acked', incident: storm, by: 'anna', via: 'api' });
  const owners = (): readonly string[] => [...new Set([storm, ...childrenOf(story)].map((id) => row(story, id)?.taken?.by ?? ''))];
  assert.ok(childrenOf(story).length > 30);
  assert.deepEqual(owners(), ['anna']);
  assert.deepEqual(pagesIn(story, 'ringing'), []);

  story.say({ type: 'Acked', incident: storm, by: 'ben', via: 'api', over: true });
  assert.deepEqual(owners(), ['ben']);
  story.say({ type: 'Unacked', incident: storm, by: 'ben', via: 'api', note: '' });

  assert.deepEqual(owners(), ['']);
  assert.deepEqual(pagesIn(story, 'ringing'), [storm]);
});

test('B20: one of them that somebody took by itself stays theirs, whatever becomes of the storm', () => {
  const story = raged();
  const [child = ''] = childrenOf(story);
  story.say({ type: 'Acked', incident: child, by: 'cleo', via: 'api' });
  story.say({ type: 'Acked', incident: stormOf(story), by: 'anna', via: 'api' });
  story.say({ type: 'Unacked', incident: stormOf(story), by: 'anna', via: 'api', note: '' });

  assert.equal(row(story, child)?.taken?.by, 'cleo');
});

test('B20: what is critical and of another rule rings beside the storm', () => {
  const story = raged(({ see, now }) =>
    see(eventOf({ name: 'PaymentsDBDown', summary: 'PaymentsDBDown', entity: { host: 'db7', service: 'pay' }, startedAt: now() })),
  );
  const payments = opened(story, 'PaymentsDBDown');

  assert.equal(row(story, payments)?.parent, null);
  assert.deepEqual(new Set(pagesIn(story, 'ringing')), new Set([payments, stormOf(story)]));
});

test('B20: what is worse than the storm rings beside it, also when it becomes so later', () => {
  const story = tell(policy);
  for (let n = 0; n < 130; n += 1) {
    story.see(nodeDown(story, n, { severity: 'error' }));
    story.forward(123);
  }
  story.forward(5 * second);
  story.notified(accepted);
  assert.equal(pagesIn(story, 'ringing').length, 1);

  story.see(nodeDown(story, 3, { severity: 'critical', observedAt: story.now() + 1 }));

  const child = story.all('AlertJoined')[3]?.incident ?? '';
  assert.deepEqual(new Set(pagesIn(story, 'ringing')), new Set([child, stormOf(story)]));
  assert.equal(story.last('PageRang').kind, 'risen');
});

test('B20: what is worse than the storm when it begins is not adopted', () => {
  const story = tell({ ...policy, paging: { severity: 'warning', score: 0.1 } });
  story.see(
    eventOf({ name: 'DiskFull', summary: 'DiskFull', severity: 'error', entity: { host: 'k1', service: 'disk' }, startedAt: story.now() }),
  );
  for (let n = 0; n < 130; n += 1) story.see(nodeDown(story, n, { severity: 'warning' }));
  story.forward(10 * second);

  assert.equal(row(story, stormOf(story))?.severity, 'warning');
  assert.deepEqual(new Set(pagesIn(story, 'ringing')), new Set([opened(story, 'DiskFull'), stormOf(story)]));
});

test('B20: a stranger that comes to what the storm adopted rings, before the storm was taken and after', () => {
  const story = raged();
  const stranger = (host: string): AlertEvent =>
    eventOf({ name: 'PaymentsDBDown', entity: { host, service: 'pay' }, startedAt: story.now(), observedAt: story.now() });
  story.see(stranger('n1'));
  assert.equal(pagesIn(story, 'ringing').length, 2);
  assert.match(story.last('PageRang').reason ?? '', /part of the alert storm .* until now; since then PaymentsDBDown critical on n1/);
  story.say({ type: 'Acked', incident: stormOf(story), by: 'anna', via: 'api' });

  story.see(stranger('n2'));

  assert.match(story.last('PageRang').reason ?? '', /acknowledged by anna .*; since then PaymentsDBDown critical on n2/);
});

test('B20: an acknowledgement of every alert of the storm by its source takes nothing that the storm adopted', () => {
  const story = raged();
  const members = story.all('AlertJoined').filter(({ incident }) => incident === stormOf(story));
  for (const { fingerprint } of members) {
    const n = Number(story.desk().tables.alerts.rows.get(fingerprint)?.alert.entity.host?.slice(1));
    story.see(nodeDown(story, n, { claim: 'acknowledged', observedAt: story.now() + 1 }));
  }

  assert.equal(row(story, stormOf(story))?.taken?.via, 'source');
  assert.ok(story.all('IncidentAcknowledged').every((fact) => fact.storm === undefined));
  assert.ok(pagesIn(story, 'ringing').length > 30, 'nobody has those');
});

test('B20: while the storm is silenced it speaks for nobody', () => {
  const story = raged(({ see, now }) =>
    see(eventOf({ name: 'DiskFull', severity: 'error', entity: { host: 'k1', service: 'disk' }, startedAt: now() })),
  );
  const disk = story.all('IncidentOpened')[0]?.incident ?? '';
  assert.equal(row(story, disk)?.parent, stormOf(story));
  const matchers = [{ name: 'alertname', op: '=' as const, value: 'NodeNetworkDown' }];
  const silence = { id: 's1', matchers, startsAt: 0, endsAt: story.now() + hour, comment: '', by: 'bob', untilResolved: false };

  story.say({ type: 'SilenceSet', silence });
  story.forward(minute);

  assert.ok(rangFor(story, disk) >= 2);
  assert.match(story.desk().tables.pages.rows.get(row(story, disk)?.page ?? '')?.reason ?? '', /which calls nobody/);
});

test('B20: what burns on after the storm rings anew, and what ends with it rings nobody', () => {
  const story = raged();
  const storm = stormOf(story);
  for (let n = 1; n < 130; n += 1)
    if (row(story, story.all('AlertJoined')[n]?.incident ?? '')?.id === storm) clear(story, nodeDown(story, n));
  assert.equal(row(story, storm)?.state, 'resolved');
  for (let n = 1; n < 130; n += 1) clear(story, nodeDown(story, n));
  const before = story.all('PageRang').length;

  story.forward(minute);

  assert.equal(story.all('PageRang').length, before + 1);
  const rang = story.last('PageRang');
  assert.equal(rang.incident, story.all('AlertJoined')[0]?.incident);
  assert.match(rang.reason ?? '', /the alert storm .* is over, and it still burns/);
  assert.equal(rang.era, 1, 'a vendor that was told to be quiet is called under a key of its own');
});

test('B20: who took the storm has what burns on after it for as long as an acknowledgement lasts', () => {
  const story = tell({ ...policy, ladders: { default: { ...calm, ackTimeoutMs: 30 * minute } } });
  for (let n = 0; n < 130; n += 1) {
    story.see(nodeDown(story, n));
    story.forward(123);
  }
  story.forward(5 * second);
  story.notified(accepted);
  story.say({ type: 'Acked', incident: stormOf(story), by: 'anna', via: 'api' });
  for (let n = 1; n < 130; n += 1) clear(story, nodeDown(story, n));
  const before = story.all('PageRang').length;

  story.forward(29 * minute);
  assert.equal(story.all('PageRang').length, before);
  story.forward(2 * minute);

  assert.equal(story.all('PageRang').length, before + 1);
  assert.match(story.last('PageRang').reason ?? '', /acknowledged by anna at .*, still open/);
});

test('B20: every page that was adopted tells whoever was told of it that it is over', () => {
  const story = raged();
  for (let n = 0; n < 130; n += 1) clear(story, nodeDown(story, n));
  story.notified(accepted);

  const told = [...story.desk().tables.pages.rows.values()].filter((page) => page.told.length > 0);
  const ended = story.all('NotifyGranted').flatMap(({ page, notification }) => (notification.kind === 'resolve' ? [page] : []));
  assert.deepEqual(new Set(ended), new Set(told.map(({ id }) => id)));
});

test('B20: a new life of what a storm adopted speaks for itself, though the storm lasts', () => {
  const story = raged();
  const child = story.all('AlertJoined')[0]?.incident ?? '';
  assert.equal(row(story, child)?.parent, stormOf(story));
  clear(story, nodeDown(story, 0));
  story.forward(5 * minute);
  story.see(nodeDown(story, 0, { observedAt: story.now() }));
  story.forward(minute);

  assert.equal(row(story, child)?.life, 2);
  assert.equal(rangFor(story, child), 2);
});

test('B20: a storm that comes back does not speak for what has called somebody since it ended', () => {
  const story = raged();
  const joined = story.all('AlertJoined').map(({ incident }) => incident);
  const child = childrenOf(story).find((id) => row(story, id)?.page === null) ?? '';
  const member = joined.indexOf(stormOf(story));
  for (let n = 0; n < 130; n += 1) if (joined[n] !== child) clear(story, nodeDown(story, n));
  story.forward(minute);
  assert.equal(rangFor(story, child), 1, 'the storm is over, and it rings for the first time');
  assert.equal(row(story, child)?.parent, stormOf(story));

  story.see(nodeDown(story, member, { observedAt: story.now() }));

  assert.equal(row(story, stormOf(story))?.state, 'open');
  assert.equal(row(story, child)?.parent, null);
});

for (const severity of ['error', 'critical'] as const)
  test(`N1, N2, F8: a critical alert that comes to a storm of thousands (${severity}) rings at once, and so does one of another rule after it`, () => {
    const story = tell(policy);
    for (let n = 0; n < 1_300; n += 1) {
      story.see(nodeDown(story, n, { severity }));
      if (n % 20 === 0) story.forward(100);
    }
    story.forward(6 * second);
    story.notified(accepted);
    const rings = rangFor(story, stormOf(story));
    const critical = (name: string): void => {
      const labels = { alertname: name, instance: 'n5000', rack: 'r1' };
      story.see(nodeDown(story, 5_000, { name, severity: 'critical', summary: `${name} on n5000`, labels }));
    };

    critical('DatabaseDown');
    assert.equal(story.last('AlertJoined').incident, stormOf(story));
    assert.equal(rangFor(story, stormOf(story)), rings + 1);
    for (let n = 1_300; n < 1_400; n += 1) story.see(nodeDown(story, n, { severity }));
    story.forward(31 * second);
    critical('MoneyLost');

    assert.equal(rangFor(story, stormOf(story)), rings + 2);
    assert.match(story.last('PageRang').reason ?? '', /MoneyLost critical on n5000/);
  });
