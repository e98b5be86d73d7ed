// What each notifier hears of raw pages and their ends, and in which order; the pager alone, on virtual time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Notification, NotifyOutcome } from '../../../src/core/page/notification.ts';
import { hour, minute, second, type Millis } from '../../../src/core/time.ts';
import { createRawPager, type RawPage } from '../../../src/engine/failopen/raw-pager.ts';
import type { Notifier } from '../../../src/ports/notifier.ts';
import { virtualClock } from '../../support/clock.ts';
import { plainNotification } from '../../support/notification.ts';

const accepted: NotifyOutcome = { outcome: 'accepted', detail: '' };
const deferred: NotifyOutcome = { outcome: 'deferred', retryAfterMs: 0, detail: 'closed port' };
const unknown: NotifyOutcome = { outcome: 'unknown', detail: 'no answer' };
const refused: NotifyOutcome = { outcome: 'refused', detail: '401' };

/** A way to people that takes a while to answer; what it is told arrives when it answers. */
interface Way {
  says: (words: Notification) => NotifyOutcome;
  takesMs: Millis;
  /** Whether what it is told leaves at once; if not, it leaves when it answers, unless it is withdrawn by then. */
  leavesAtOnce: boolean;
  /** `page` and `resolve` as they arrived. */
  readonly heard: {
    readonly kind: string;
    readonly key: string;
    readonly id: string;
    readonly at: Millis;
    readonly only: readonly string[];
  }[];
  readonly underWay: () => number;
}

function world(names: readonly string[], { max }: { readonly max?: number } = {}) {
  const clock = virtualClock();
  const troubles: string[] = [];
  const ways = new Map<string, Way>();
  const notifiers = new Map<string, Notifier>();
  const notify = [...names];
  for (const name of names) {
    let underWay = 0;
    const way: Way = { says: () => accepted, takesMs: 0, leavesAtOnce: true, heard: [], underWay: () => underWay };
    ways.set(name, way);
    notifiers.set(name, {
      async deliver(words, signal, withdrawn) {
        const { kind, dedupKey, id, only = [] } = words;
        const arrive = (): void => void way.heard.push({ kind, key: dedupKey, id, at: clock.steady(), only });
        underWay += 1;
        if (way.leavesAtOnce) arrive();
        if (way.takesMs > 0)
          await new Promise<void>((resolve) => {
            clock.after(way.takesMs, resolve);
            signal.addEventListener('abort', () => resolve());
          });
        underWay -= 1;
        if (!way.leavesAtOnce && withdrawn?.aborted === true) return { outcome: 'deferred', retryAfterMs: 0, detail: 'withdrawn' };
        if (!way.leavesAtOnce) arrive();
        return way.says(words);
      },
    });
  }
  const pager = createRawPager(
    {
      clock,
      notifiers,
      notify,
      keepTryingMs: 2 * hour,
      attempted: () => {},
      onTrouble: (error) => void troubles.push(error instanceof Error ? error.message : String(error)),
    },
    max,
  );
  const way = (name: string): Way => {
    const found = ways.get(name);
    assert.ok(found !== undefined);
    return found;
  };
  const kinds = (name: string): readonly string[] => way(name).heard.map(({ kind }) => kind);
  return { clock, pager, way, kinds, troubles, notify };
}

let pages = 0;

function pageOf(key = 'k'): RawPage {
  pages += 1;
  return { ...plainNotification, dedupKey: key, id: `${key}:${pages}`, kind: 'page' };
}

function endOf(page: RawPage): RawPage {
  return { ...page, kind: 'resolve', id: `${page.id}:end` };
}

const always = (): boolean => true;

test('P1: the end goes to every notifier that took the page, or may have, and to no other', async () => {
  const { clock, pager, way, kinds, notify, troubles } = world(['took', 'may', 'deferring', 'refusing', 'unused']);
  notify.pop();
  way('may').says = ({ kind }) => (kind === 'page' ? unknown : accepted);
  way('deferring').says = () => deferred;
  way('refusing').says = () => refused;
  const page = pageOf();
  pager.send(page, always);
  await clock.forward(second);
  notify.splice(0, notify.length, 'unused'); // a reload: others are told from now on
  pager.end(endOf(page));
  await clock.forward(30 * second);
  assert.deepEqual(
    [kinds('took'), kinds('may')],
    [
      ['page', 'resolve'],
      ['page', 'resolve'],
    ],
  );
  await clock.forward(3 * hour);
  assert.deepEqual([kinds('deferring'), kinds('refusing'), kinds('unused')], [['page'], ['page'], []], 'neither an end nor another try');
  assert.deepEqual(troubles, ['undecided alert: notifier refusing did not take the page: 401'], 'said once, and no budget runs out');
  assert.equal(way('took').heard.length, 2);
});

test('L1: an end is tried in growing waits until it is taken', async () => {
  const { clock, pager, way, kinds, troubles } = world(['a']);
  const page = pageOf();
  pager.send(page, always);
  await clock.forward(second);
  way('a').says = () => deferred;
  pager.end(endOf(page));
  await clock.forward(20 * minute);
  const ends = way('a').heard.filter(({ kind }) => kind === 'resolve');
  const waits = ends.slice(1).map(({ at }, place) => at - (ends[place]?.at ?? 0));
  assert.deepEqual(
    waits.slice(0, 7),
    [5, 10, 20, 40, 80, 160, 300].map((seconds) => seconds * second),
  );
  assert.equal(new Set(ends.map(({ id }) => id)).size, 1);
  way('a').says = () => accepted;
  await clock.forward(5 * minute);
  const { length } = kinds('a');
  assert.equal(length, ends.length + 2);
  await clock.forward(3 * hour);
  assert.equal(kinds('a').length, length);
  assert.deepEqual(troubles, []);
});

test('L1: an end that is refused, or not taken while the budget lasts, is given up, and that is said', async () => {
  for (const answer of [refused, unknown]) {
    const { clock, pager, way, kinds, troubles } = world(['a']);
    const page = pageOf();
    pager.send(page, always);
    await clock.forward(second);
    way('a').says = () => answer;
    pager.end(endOf(page));
    await clock.forward(10 * minute);
    if (answer === refused) assert.equal(kinds('a').length, 2);
    await clock.forward(3 * hour);
    const { length } = kinds('a');
    if (answer === unknown) assert.ok(length > 20 && length < 40, `${length}`);
    await clock.forward(3 * hour);
    assert.equal(kinds('a').length, length);
    assert.deepEqual(troubles, [`undecided alert: notifier a did not take the end of the page: ${answer.detail}`]);
  }
});

test('L2: an end does not overtake its page that is under way, and follows it at once', async () => {
  const { clock, pager, way, kinds } = world(['a']);
  way('a').takesMs = 40 * second;
  const page = pageOf();
  pager.send(page, always);
  await clock.forward(second);
  pager.end(endOf(page));
  await clock.forward(30 * second);
  assert.deepEqual([kinds('a'), way('a').underWay()], [['page'], 1]);
  await clock.forward(10 * second);
  assert.deepEqual([kinds('a'), way('a').underWay()], [['page', 'resolve'], 1]);
});

test('a page that has not left when its alert is decided does not leave, and has no end', async () => {
  const { clock, pager, way, kinds } = world(['a']);
  Object.assign(way('a'), { takesMs: 40 * second, leavesAtOnce: false });
  const page = pageOf();
  pager.send(page, always);
  await clock.forward(second);
  pager.end(endOf(page));
  await clock.forward(hour);
  assert.deepEqual(kinds('a'), []);
});

test('L2: a newer page waits for one try of the end before it, and leaves whatever came of that; the old end is not tried again', async () => {
  for (const answer of [accepted, deferred, refused]) {
    const { clock, pager, way, kinds } = world(['a']);
    const [old, newer] = [pageOf(), pageOf()];
    pager.send(old, always);
    await clock.forward(second);
    way('a').says = ({ kind }) => (kind === 'resolve' ? answer : accepted);
    way('a').takesMs = 20 * second;
    pager.end(endOf(old));
    pager.send(newer, always);
    await clock.forward(10 * second);
    assert.deepEqual(kinds('a'), ['page', 'resolve'], 'not while the end is under way');
    await clock.forward(hour);
    assert.deepEqual(kinds('a'), ['page', 'resolve', 'page'], answer.outcome);
    way('a').says = () => accepted;
    pager.end(endOf(newer));
    await clock.forward(hour);
    assert.deepEqual(kinds('a'), ['page', 'resolve', 'page', 'resolve']);
    assert.equal(way('a').heard.at(-1)?.id, `${newer.id}:end|a`);
  }
});

test('L2: what the end before it did not end is ended by the next end, though the newer page was never taken', async () => {
  const { clock, pager, way, kinds } = world(['a']);
  const [old, newer] = [pageOf(), pageOf()];
  pager.send(old, always);
  await clock.forward(second);
  way('a').says = () => deferred;
  pager.end(endOf(old));
  await clock.forward(2 * second);
  pager.send(newer, always);
  await clock.forward(second);
  assert.deepEqual(kinds('a'), ['page', 'resolve', 'resolve', 'page']);
  way('a').says = () => accepted;
  pager.end(endOf(newer));
  await clock.forward(hour);
  assert.deepEqual(kinds('a'), ['page', 'resolve', 'resolve', 'page', 'resolve']);
});

test('L3: a page after an end without an answer is told twice, so that the end, should it arrive late, does not close it', async () => {
  const { clock, pager, way, kinds } = world(['a']);
  const [old, newer] = [pageOf(), pageOf()];
  pager.send(old, always);
  await clock.forward(second);
  way('a').says = ({ kind }) => (kind === 'resolve' ? unknown : accepted);
  pager.end(endOf(old));
  await clock.forward(second);
  pager.send(newer, always);
  await clock.forward(30 * second);
  assert.deepEqual(kinds('a'), ['page', 'resolve', 'resolve', 'page']);
  await clock.forward(hour);
  const { heard } = way('a');
  assert.deepEqual(kinds('a'), ['page', 'resolve', 'resolve', 'page', 'page']);
  assert.equal(heard[4]?.id, heard[3]?.id);
  assert.equal((heard[4]?.at ?? 0) - (heard[3]?.at ?? 0), minute);
});

test('L4: an alert that comes and goes while its notifier hangs leaves one page and one end owed', async () => {
  const { clock, pager, way, kinds } = world(['a']);
  const first = pageOf();
  pager.send(first, always);
  await clock.forward(second);
  way('a').takesMs = 45 * second;
  pager.end(endOf(first));
  let last = first;
  for (let round = 0; round < 40; round += 1) {
    last = pageOf();
    pager.send(last, always);
    pager.end(endOf(last));
  }
  await clock.forward(hour);
  assert.deepEqual(kinds('a'), ['page', 'resolve'], 'what was never paged needs no end');
});

test('recipients that were put off are told alone, and the page is told until all of them have it', async () => {
  const { clock, pager, way } = world(['mail']);
  way('mail').says = ({ only }) => (only === undefined ? { ...accepted, left: ['anna'] } : accepted);
  const page = pageOf();
  pager.send(page, always);
  await clock.forward(hour);
  assert.deepEqual(
    way('mail').heard.map(({ only }) => only),
    [[], ['anna']],
  );
  pager.end(endOf(page));
  await clock.forward(hour);
  assert.deepEqual(
    way('mail')
      .heard.map(({ kind, only }) => `${kind} ${only}`)
      .slice(2),
    ['resolve ', 'resolve anna'],
  );
});

test('P2: ends leave eight at a time for each notifier, and a page waits for none of them', async () => {
  const { clock, pager, way } = world(['a']);
  const sent = Array.from({ length: 100 }, (_, number) => pageOf(`k${number}`));
  for (const page of sent) pager.send(page, always);
  await clock.forward(second);
  way('a').takesMs = 10 * second;
  for (const page of sent) pager.end(endOf(page));
  await clock.forward(5 * second);
  assert.equal(way('a').underWay(), 8);
  pager.send(pageOf('urgent'), always);
  const again = pageOf('k99'); // whose end waits
  pager.send(again, always);
  await clock.settle();
  const { heard } = way('a');
  assert.deepEqual(
    heard.slice(-2).map(({ kind, key }) => `${kind} ${key}`),
    ['page urgent', 'resolve k99'],
  );
  await clock.forward(3 * minute);
  assert.equal(heard.filter(({ kind }) => kind === 'resolve').length, 100);
  assert.equal(heard.filter(({ id }) => id === `${again.id}|a`).length, 1);
});

test('P2: of pages beyond the bound the oldest is forgotten, which is said; the others end', async () => {
  const { clock, pager, way, troubles } = world(['a'], { max: 3 });
  const sent = ['k1', 'k2', 'k3', 'k4'].map((key) => pageOf(key));
  for (const page of sent) pager.send(page, always);
  await clock.forward(second);
  assert.deepEqual(troubles, ['the end of raw page k1 will not be told: more than 3 are open']);
  for (const page of sent) pager.end(endOf(page));
  await clock.forward(second);
  assert.deepEqual(
    way('a').heard.flatMap(({ kind, key }) => (kind === 'resolve' ? [key] : [])),
    ['k2', 'k3', 'k4'],
  );
  for (const key of ['k5', 'k6', 'k7']) pager.send(pageOf(key), always);
  await clock.forward(second);
  assert.equal(troubles.length, 1, 'what has ended takes no place');
});

test('a stop calls off the end that is under way, and those that wait for a place', async () => {
  const { clock, pager, way } = world(['a']);
  const sent = Array.from({ length: 20 }, (_, number) => pageOf(`k${number}`));
  for (const page of sent) pager.send(page, always);
  await clock.forward(second);
  way('a').takesMs = 10 * minute;
  way('a').says = () => unknown;
  for (const page of sent) pager.end(endOf(page));
  await clock.forward(second);
  await pager.stop(); // without time passing
  assert.equal(way('a').underWay(), 0);
  await clock.forward(hour);
  assert.equal(way('a').heard.length, 28);
});
