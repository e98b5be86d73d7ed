// Rings that are told together: what calls at once, what waits and how long, and that each page keeps a life of its own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AlertEvent } from '../../src/core/alert/event.ts';
import type { Ladder } from '../../src/core/page/ladder.ts';
import type { NotifyOutcome } from '../../src/core/page/notification.ts';
import { hour, minute, second } from '../../src/core/time.ts';
import { eventOf } from '../support/event.ts';
import { ladder, policyOf } from '../support/policy.ts';
import { accepted, tell, type Story } from '../support/story.ts';

const calm: Ladder = { ...ladder, rungs: [{ notify: ['pd'], waitMs: 5 * minute }], repeat: 0, ackTimeoutMs: 0 };
const delivery = { keepTryingMs: hour, lastResort: [], bundleMs: 30 * second };
const policy = policyOf({ ladders: { default: calm }, delivery, settleMs: 10 * second });
const refused: NotifyOutcome = { outcome: 'refused', detail: 'no' };

function down(story: Story, n: number, change: Partial<AlertEvent> = {}): AlertEvent {
  const entity = { host: `h${n}`, service: `s${n}`, cluster: 'eu-1' };
  const name = 'HostDown';
  return eventOf({
    name,
    summary: `${name} on h${n}`,
    severity: 'error',
    entity,
    startedAt: story.now(),
    observedAt: story.now(),
    ...change,
  });
}

/** One alert a second from so many hosts; a worker delivers what leaves. */
function hosts(count: number, outcome: NotifyOutcome = accepted): Story {
  const story = tell(policy);
  for (let n = 0; n < count; n += 1) {
    story.see(down(story, n));
    story.forward(second);
    story.notified(outcome);
  }
  return story;
}

function pass(story: Story, seconds: number, outcome: NotifyOutcome = accepted): void {
  for (let n = 0; n < seconds; n += 1) {
    story.forward(second);
    story.notified(outcome);
  }
}

const sent = (story: Story) => story.all('NotifyGranted').map(({ notification }) => notification);
const titles = (story: Story): readonly string[] => sent(story).map(({ title }) => title);
const pages = (story: Story) => [...story.desk().tables.pages.rows.values()];
const incidentOfPage = (story: Story, page: string) => pages(story).find(({ id }) => id === page)?.incident;
const clear = (story: Story, n: number): void => void story.see(down(story, n, { claim: 'cleared', observedAt: story.now() + 1 }));

test('B19: 70 hosts at one alert a second call with the first at once, and then with one message for each half minute', () => {
  const story = hosts(70);
  pass(story, 60);

  assert.equal(story.all('PageOpened').length, 70);
  const calls = titles(story);
  assert.ok(calls.length <= 5, calls.join('\n'));
  assert.equal(calls[0], 'HostDown on h0');
  assert.match(calls[1] ?? '', /^\d+ more: HostDown on h\d+, h\d+/);
  assert.ok(
    pages(story).every((page) => page.told.includes('pd') && page.state === 'ringing'),
    'every page was told of',
  );
  const waits = story.all('NotifyFinished').filter((fact) => fact.with !== undefined);
  assert.ok(waits.length > 60);
});

test('U1: nothing waits longer than the span, and what is alone at its end leaves as if it had not waited', () => {
  const story = hosts(2);
  pass(story, 50);

  assert.deepEqual(titles(story), ['HostDown on h0', 'HostDown on h1']);
  const [first, other] = story.all('NotifyGranted').map(({ at }) => at);
  assert.ok((other ?? 0) - (first ?? 0) <= 30 * second);
});

test('U1: what is more severe than what the notifier was called for is not held back', () => {
  const story = hosts(1);
  pass(story, 10);
  story.see(down(story, 7));
  story.see(down(story, 8, { severity: 'critical' }));
  pass(story, 11);

  assert.deepEqual(titles(story), ['HostDown on h0', 'HostDown on h8']);
});

test('U1: a page that waits and gets worse does not wait any more', () => {
  const story = hosts(1);
  pass(story, 10);
  story.see(down(story, 7));
  pass(story, 11);
  assert.deepEqual(titles(story), ['HostDown on h0']);

  story.see(down(story, 7, { severity: 'critical' }));
  story.notified(accepted);

  assert.deepEqual(titles(story), ['HostDown on h0', 'HostDown on h7']);
  assert.equal(sent(story)[1]?.kind, 'page', 'to whoever was not told of it before it is no worse');
  pass(story, 60);
  assert.equal(sent(story).length, 2, 'the ring that waited is not told besides');
});

test('U1 P9: a page that gets worse while another’s message tells it rings by itself at once, asked for or on its way', () => {
  for (const isOnItsWay of [false, true]) {
    const story = hosts(4);
    const asked = () => story.all('NotifyRequested').find((fact) => fact.with !== undefined);
    for (let n = 0; n < 60 && asked() === undefined; n += 1) story.forward(second);
    const lead = asked();
    const [told, ...rest] = lead?.with ?? [];
    assert.ok(lead !== undefined && told !== undefined && rest.length > 0);
    const claims = (): void =>
      void story.say({ type: 'NotifyClaimed', page: lead.page, notification: lead.notification.id, attempt: 1, worker: 'w1' });
    if (isOnItsWay) claims();
    const { host = '' } =
      story
        .desk()
        .tables.alerts.rows.values()
        .find(({ alert }) => alert.incident === incidentOfPage(story, told.page))?.alert.entity ?? {};
    story.see(down(story, Number(host.slice(1)), { name: 'DbDown', severity: 'critical' }));
    if (!isOnItsWay) claims();
    assert.equal(story.last('NotifyGranted').notification.also?.length, isOnItsWay ? rest.length + 1 : rest.length);
    story.notified(accepted);

    const own = story.all('NotifyGranted').filter(({ page }) => page === told.page);
    assert.deepEqual(
      own.map(({ notification: { severity, era } }) => [severity, era]),
      [['critical', 1]],
    );
  }
});

test('G1: what was acknowledged, or ended, while it waited is not told', () => {
  const story = hosts(5);
  pass(story, 12);
  const of = (n: number): string => story.all('AlertJoined')[n]?.incident ?? '';
  story.say({ type: 'Acked', incident: of(2), by: 'anna', via: 'api' });
  clear(story, 3);
  pass(story, 30);

  const [, bundle] = sent(story);
  assert.equal(bundle?.title, '2 more: HostDown on h1, h4');
  assert.deepEqual(
    bundle?.also?.map(({ incident, title }) => [incident, title]),
    [[of(4), 'HostDown on h4']],
  );
  assert.equal(story.all('NotifyDropped').length, 2);
});

test('U3: who answers a bundle answers for every page that it told; the first page is another message', () => {
  const story = hosts(6);
  pass(story, 40);
  const lead = story.all('NotifyGranted')[1];
  assert.match(lead?.notification.text ?? '', /who answers this answers for all of them/);

  story.say({ type: 'Acked', incident: lead?.incident ?? '', page: lead?.page ?? '', by: 'anna', via: 'link' });

  const open = pages(story).filter(({ state }) => state === 'ringing');
  assert.deepEqual(
    open.map(({ title }) => title),
    ['HostDown on h0'],
  );
});

test('U5: an answer to an older message leaves what has become worse since to whoever hears of that', () => {
  const story = hosts(4);
  pass(story, 60);
  const lead = sent(story).find(({ also }) => also !== undefined);
  assert.ok(lead?.also?.length === 2);
  story.see(down(story, 3, { name: 'DbDown', severity: 'critical' }));
  pass(story, 2);
  const stateOf = (page: string | undefined): string | undefined => pages(story).find(({ id }) => id === page)?.state;
  const risen = story.last('PageRang');
  assert.equal(risen.kind, 'risen');
  assert.ok(lead.also.some(({ page }) => page === risen.page));

  story.say({ type: 'Acked', incident: lead.incident, page: lead.page, by: 'carl', via: 'link' });

  const unchanged = lead.also.find(({ page }) => page !== risen.page);
  assert.deepEqual([stateOf(lead.page), stateOf(unchanged?.page), stateOf(risen.page)], ['acked', 'acked', 'ringing']);
  assert.equal(story.desk().tables.incidents.rows.get(risen.incident)?.state, 'open');
});

test('U5: an answer to a newer message takes what it told, also of a page that had rung for something worse', () => {
  const story = hosts(6);
  pass(story, 60);
  for (const n of [2, 3, 4, 5]) story.see(down(story, n, { name: 'DbDown', severity: 'critical' }));
  pass(story, 6 * 60);
  const lead = sent(story).findLast(({ also }) => also !== undefined);
  assert.ok(lead?.also !== undefined);
  assert.ok(pages(story).some(({ id, era = 0 }) => era > 0 && lead.also?.some(({ page }) => page === id)));

  story.say({ type: 'Acked', incident: lead.incident, page: lead.page, by: 'carl', via: 'link' });

  for (const { page } of lead.also) assert.equal(pages(story).find(({ id }) => id === page)?.state, 'acked');
});

test('U3: an answer by incident answers for that incident alone', () => {
  const story = hosts(6);
  pass(story, 40);

  story.say({ type: 'Acked', incident: story.all('NotifyGranted')[1]?.incident ?? '', by: 'anna', via: 'api' });

  assert.equal(pages(story).filter(({ state }) => state === 'ringing').length, 5);
});

test('U3: what nobody answers rings on, in a bundle, led by a page that the vendor has not heard of; every page tells its end', () => {
  const story = hosts(6);
  pass(story, 40);
  const [, first] = story.all('NotifyGranted');
  for (let n = 0; n < 6; n += 1) if (story.all('AlertJoined')[n]?.incident === first?.incident) clear(story, n);
  pass(story, 6 * 60);

  const repeats = story.all('NotifyGranted').filter(({ notification }) => notification.kind === 'repeat');
  // Those that the first led ring by themselves soon after its end, and all five at their rung.
  assert.ok(repeats.length >= 2 && repeats.length <= 5, `${repeats.length} messages for nine repeats`);
  assert.ok(repeats.every(({ page }) => page !== first?.page));
  for (let n = 0; n < 6; n += 1) clear(story, n);
  pass(story, 2);
  const ended = sent(story).flatMap(({ kind, page }) => (kind === 'resolve' ? [page] : []));
  assert.deepEqual(new Set(ended), new Set(story.all('PageOpened').map(({ page }) => page)));
});

test('U4: a page that the vendor heard of by another’s message leads the next one: a key that is open there calls nobody', () => {
  const story = hosts(6);
  pass(story, 40);
  const [first, lead] = story.all('NotifyGranted');
  pass(story, 6 * 60);

  const repeats = story.all('NotifyGranted').filter(({ notification }) => notification.kind === 'repeat');
  assert.ok(repeats.some(({ page }) => page !== first?.page && page !== lead?.page));
});

test('P1: a bundle that is refused is refused for all of its pages, and each climbs', () => {
  const rungs = [
    { notify: ['pd'], waitMs: 5 * minute },
    { notify: ['boss'], waitMs: 5 * minute },
  ];
  const story = tell({ ...policy, ladders: { default: { ...calm, rungs } } });
  for (let n = 0; n < 4; n += 1) story.see(down(story, n));
  story.forward(10 * second);
  story.notified(accepted);
  story.forward(30 * second);

  story.notified(refused);

  const climbed = story.all('PageRang').filter(({ rung }) => rung === 1);
  assert.equal(climbed.length, 3);
});

test('a leader that is answered before a worker takes its message leaves the others to another leader', () => {
  const story = hosts(4);
  pass(story, 8);
  story.forward(31 * second);
  const lead = story.last('NotifyRequested');
  assert.equal(lead.with?.length, 2);
  story.say({ type: 'Acked', incident: lead.incident, by: 'anna', via: 'api' });
  story.notified(accepted);
  story.notified(accepted);

  assert.match(sent(story).at(-1)?.title ?? '', /^2 more: /);
  assert.ok(pages(story).every((page) => page.state === 'acked' || page.told.includes('pd')));
});

test('a leader that may have arrived, and ended before it was tried again, tells its end for all that it told', () => {
  const story = hosts(4);
  pass(story, 8);
  story.forward(31 * second);
  story.notified({ outcome: 'unknown', detail: 'silence' });
  for (let n = 0; n < 4; n += 1) clear(story, n);
  story.notified(accepted);

  const ended = sent(story).flatMap(({ kind, page }) => (kind === 'resolve' ? [page] : []));
  assert.deepEqual(new Set(ended), new Set(story.all('PageOpened').map(({ page }) => page)));
});

test('B10: what ended while a message that may have arrived was telling it, too, tells its end', () => {
  const story = hosts(4);
  pass(story, 8);
  story.forward(31 * second);
  const lead = story.last('NotifyRequested');
  const [told] = lead.with ?? [];
  const over = pages(story).find(({ id }) => id === told?.page);
  story.say({ type: 'NotifyClaimed', page: lead.page, notification: lead.notification.id, attempt: lead.attempt, worker: 'w1' });
  for (let n = 0; n < 4; n += 1) if (over?.title.includes(`h${n}`)) clear(story, n);
  assert.equal(pages(story).find(({ id }) => id === told?.page)?.state, 'closed');
  const outcome: NotifyOutcome = { outcome: 'unknown', detail: 'silence' };
  story.say({ type: 'NotifyAnswered', page: lead.page, notification: lead.notification.id, attempt: lead.attempt, outcome });
  pass(story, 2);

  assert.ok(sent(story).some(({ kind, page }) => kind === 'resolve' && page === told?.page));
});

test('P2: what a worker that is gone may have told tells its end, though the next worker was put off', () => {
  const story = hosts(4);
  pass(story, 8);
  story.forward(31 * second);
  const { page, notification, attempt } = story.last('NotifyRequested');
  const about = { page, notification: notification.id, attempt };
  for (const worker of ['w1', 'w2']) story.say({ type: 'NotifyClaimed', ...about, worker });
  story.say({ type: 'NotifyAnswered', ...about, outcome: { outcome: 'deferred', retryAfterMs: minute, detail: '503' } });
  for (let n = 0; n < 4; n += 1) clear(story, n);
  pass(story, 5);

  const ended = sent(story).flatMap((words) => (words.kind === 'resolve' ? [words.page] : []));
  assert.deepEqual(new Set(ended), new Set(story.all('PageOpened').map((opened) => opened.page)));
});

test('G1: what was to be told by a message that does not leave, and is over, is not asked for by itself', () => {
  const story = hosts(4);
  pass(story, 8);
  story.forward(31 * second);
  const [lead, over] = [story.last('NotifyRequested'), story.last('NotifyRequested').with?.[0]?.page];
  const closing = pages(story).find(({ id }) => id === over);
  const asked = story.all('NotifyRequested').length;
  for (let n = 0; n < 4; n += 1) if (closing?.title.includes(`h${n}`)) clear(story, n);
  story.say({ type: 'Acked', incident: lead.incident, by: 'anna', via: 'api' });
  story.notified(accepted);

  const requests = story.all('NotifyRequested').slice(asked);
  assert.ok(
    requests.some(({ notification }) => notification.kind === 'page'),
    'the other one is told',
  );
  assert.ok(requests.every(({ page, notification }) => page !== over || notification.kind === 'resolve'));
});

test('X8: a message that was called back because one that it tells is taken leaves within a second without that', () => {
  const story = hosts(4);
  pass(story, 8);
  story.forward(31 * second);
  const lead = story.last('NotifyRequested');
  const taken = lead.with?.[0]?.page ?? '';
  const about = { page: lead.page, notification: lead.notification.id, attempt: lead.attempt };
  story.say({ type: 'NotifyClaimed', ...about, worker: 'w1' });
  assert.equal(sent(story).at(-1)?.also?.length, 2);
  story.say({ type: 'Acked', incident: pages(story).find(({ id }) => id === taken)?.incident ?? '', by: 'anna', via: 'api' });
  story.say({ type: 'NotifyAnswered', ...about, outcome: { outcome: 'deferred', retryAfterMs: 0, detail: 'nothing sent' } });
  story.forward(second);
  story.notified(accepted);

  const last = sent(story).at(-1);
  assert.deepEqual([last?.page, last?.also?.length], [lead.page, 1]);
  assert.notEqual(last?.also?.[0]?.page, taken);
});

test('without a span every ring leaves by itself', () => {
  const story = tell({ ...policy, delivery: { ...delivery, bundleMs: 0 } });
  for (let n = 0; n < 10; n += 1) story.see(down(story, n));
  story.forward(10 * second);
  story.notified(accepted);

  assert.equal(sent(story).length, 10);
});

test('B20: what was told within another page’s message is no message of its own when a storm takes it over', () => {
  const story = tell(policyOf({ ladders: { default: calm }, delivery, settleMs: 0, storm: { alerts: 60, withinMs: minute } }));
  for (let n = 0; n < 50; n += 1) {
    story.see(down(story, n));
    story.notified(accepted);
  }
  pass(story, 31);
  const told = sent(story).length;
  assert.ok(told <= 3, 'the first, and the others together');

  for (let n = 50; n < 70; n += 1) story.see(down(story, n));
  story.notified(accepted);

  const heard = sent(story)
    .slice(told)
    .filter(({ kind }) => kind === 'acknowledged');
  assert.ok(heard.length >= 1 && heard.length <= told, `one for each message that rang, seen ${heard.length}`);
});

for (const [how, leaves] of [
  ['is over', (story: Story): void => clear(story, 1)],
  ['is taken by itself', takesLeader],
] as const) {
  test(`U3: what a message told besides rings by itself soon after what led it ${how}, not at its next rung; not what ended with it`, () => {
    const story = hosts(4);
    pass(story, 40);
    const before = sent(story).length;
    leaves(story);
    pass(story, 5);
    clear(story, 3);
    pass(story, 20);

    const calls = sent(story)
      .slice(before)
      .filter(({ kind }) => kind === 'repeat');
    assert.deepEqual(
      calls.map(({ source }) => source),
      ['h2'],
    );
  });
}

test('U3: what has rung by itself since its leader was taken does not ring once more when that is over', () => {
  const story = hosts(6);
  pass(story, 40);
  takesLeader(story);
  pass(story, 60);
  const before = story.all('PageRang').length;
  clear(story, 1);
  pass(story, 60);
  assert.equal(story.all('PageRang').length, before);
});

function takesLeader(story: Story): void {
  const incident = story.all('AlertJoined').find(({ summary }) => summary.endsWith('h1'))?.incident ?? '';
  story.say({ type: 'Acked', incident, by: 'anna', via: 'api' });
}

test('B17, B20: a storm that is told with others is called what it is now, not by its first member', () => {
  const story = tell(policyOf({ ladders: { default: calm }, delivery, settleMs: 10 * second, storm: { alerts: 8, withinMs: minute } }));
  for (const n of [98, 99]) story.see(down(story, n, { name: `Alone${n}`, summary: `Alone on h${n}` }));
  pass(story, 5 * 60 + 2);
  for (let n = 0; n < 15; n += 1) story.see(down(story, n));
  clear(story, 8);
  pass(story, 6 * 60);
  const repeat = sent(story).findLast(({ also }) => also !== undefined);
  assert.match(repeat?.title ?? '', /^2 more: .*alert storm: HostDown on 14 hosts/);
  assert.match(repeat?.title ?? '', /Alone on h99/);
});
