// The spool between intake and a log that comes and goes. Real intake, real stores in memory, real desks; only time and the way to the
// shared log are in the test's hand.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createExpressions } from '../../../adapters/cel/expressions.ts';
import { memoryDisk, type MemoryDisk } from '../../../adapters/memory/disk.ts';
import { memoryLimits, memoryStore } from '../../../adapters/memory/store.ts';
import { prometheus } from '../../../adapters/prometheus/source.ts';
import type { AlertSeen } from '../../../src/core/alert/facts.ts';
import { newDesk } from '../../../src/core/desk.ts';
import { GatewayError } from '../../../src/core/errors.ts';
import type { Input } from '../../../src/core/records.ts';
import { hour, minute, second, type Millis } from '../../../src/core/time.ts';
import { turn } from '../../../src/core/turn.ts';
import { createIntake, type Acceptance, type Intake } from '../../../src/engine/intake/intake.ts';
import { describeSpool, openSpool, type Spool } from '../../../src/engine/spool/spool.ts';
import { createMetrics } from '../../../src/http/metrics.ts';
import type { Cursors } from '../../../src/ports/cursors.ts';
import type { EventLog, LogBatch } from '../../../src/ports/event-log.ts';
import type { Delivery } from '../../../src/ports/source.ts';
import type { Store } from '../../../src/ports/store.ts';
import { front } from '../../http/support.ts';
import { virtualClock, type VirtualClock } from '../../support/clock.ts';
import { policyOf } from '../../support/policy.ts';

const answerMs: Millis = 3 * second;
const mebibyte = 1_048_576;

/** `lost`: written, and the answer never comes; `flaky`: every third batch fails. */
type Way = 'up' | 'down' | 'lost' | 'flaky';

/** The way from one process to the shared log. */
interface Link {
  readonly log: EventLog;
  way: Way;
  /** Of a process that died: nothing it sends arrives any more. */
  dead: boolean;
  tooLarge: (batch: LogBatch) => boolean;
  /** The number of a delivery that fails once. */
  stumblesAt: number | null;
  tries: number;
}

function linkTo(log: EventLog, clock: VirtualClock, now: Way): Link {
  const late = (): Promise<void> => new Promise((resolve) => void clock.after(answerMs, resolve));
  const fails = async (): Promise<never> => {
    await late();
    throw new GatewayError('log_unavailable', 'no broker answers');
  };
  const link: Link = {
    way: now,
    dead: false,
    tooLarge: () => false,
    stumblesAt: null,
    tries: 0,
    log: {
      ...log,
      async append(topic, batch) {
        link.tries += 1;
        const { way, tries } = link;
        if (link.dead) return new Promise<never>(() => {});
        const [first] = batch.values as readonly AlertSeen[];
        if (first?.type === 'AlertSeen' && numberOf(first) === link.stumblesAt) {
          link.stumblesAt = null;
          return fails();
        }
        if (link.tooLarge(batch)) throw new GatewayError('payload_too_large', 'a batch may have 1 MiB');
        if (way === 'down' || (way === 'flaky' && tries % 3 === 0)) return fails();
        if (way === 'lost') {
          await log.append(topic, batch);
          return fails();
        }
        return log.append(topic, batch);
      },
    },
  };
  return link;
}

interface Rig {
  readonly clock: VirtualClock;
  readonly shared: Store;
  readonly troubles: string[];
  readonly letters: string[];
  link: Link;
  spool: Spool;
  intake: Intake;
  /** Kills the process and starts it again on the same disk. */
  crash(): Promise<void>;
}

interface Options {
  readonly bytesMax?: number;
  readonly ageMaxMs?: Millis;
  readonly disk?: MemoryDisk;
  readonly sync?: () => Promise<void>;
  /** Before the spool saves how far it has sent. */
  readonly saving?: () => Promise<void>;
}

async function rig(options: Options = {}): Promise<Rig> {
  const clock = virtualClock();
  const shared = memoryStore({ disk: memoryDisk(), partitions: 4, clock });
  const disk = options.disk ?? memoryDisk();
  const troubles: string[] = [];
  const letters: string[] = [];
  let lives = 0;

  async function live(way: Way): Promise<Pick<Rig, 'link' | 'spool' | 'intake'>> {
    const life = (lives += 1);
    let ids = 0;
    const link = linkTo(shared.log, clock, way);
    const sync = options.sync === undefined ? {} : { sync: options.sync };
    const own = memoryStore({ disk, partitions: 1, clock, limits: memoryLimits, ...sync });
    const save: Cursors['save'] = async (...place) => {
      await options.saving?.();
      return own.cursors.save(...place);
    };
    const spool = await openSpool({
      shared: link.log,
      store: { log: own.log, cursors: { ...own.cursors, save } },
      deadLetters: shared.deadLetters,
      clock,
      bytesMax: options.bytesMax ?? 64 * mebibyte,
      ageMaxMs: options.ageMaxMs ?? hour,
      watch: { spooled() {}, sent() {}, buried: ({ id }) => void letters.push(id) },
      onTrouble: (error) => void troubles.push(error instanceof Error ? error.message : String(error)),
    });
    const intake = await createIntake({
      log: spool.log,
      deadLetters: shared.deadLetters,
      endpoints: [{ name: 'prom', source: prometheus({}), tenant: 'acme', scopeLabels: ['team'] }],
      clock,
      lagOf: () => 0,
      lagMax: 10,
      onAccepted() {},
      newId: () => `life${life}.${(ids += 1)}`,
    });
    return { link, spool, intake };
  }

  const made = { clock, shared, troubles, letters, ...(await live('up')) };
  return Object.assign(made, {
    async crash() {
      made.link.dead = true;
      disk.crash();
      Object.assign(made, await live(made.link.way));
    },
  });
}

function bodyOf(name: string, number: number, more: { readonly team?: string; readonly pad?: number } = {}): string {
  const { team = 'x', pad = 0 } = more;
  const startsAt = new Date(virtualClock().now() + number * 1_000).toISOString();
  const annotations = { summary: `number ${number}`, pad: 'p'.repeat(pad) };
  return JSON.stringify({
    version: '4',
    groupKey: 'g',
    status: 'firing',
    alerts: [{ status: 'firing', labels: { alertname: name, severity: 'critical', team }, annotations, startsAt }],
  });
}

function post({ intake, clock }: Rig, body: string, id = ''): Promise<Acceptance> {
  const delivery: Delivery = { headers: {}, body, path: '', receivedAt: clock.now() };
  return intake.accept('prom', delivery, id);
}

function fire(made: Rig, number: number, name = 'A', team = 'x'): Promise<Acceptance> {
  return post(made, bodyOf(name, number, { team }));
}

/** Lets the log answer, however it does. */
async function answered<T>({ clock }: Rig, promise: Promise<T>): Promise<T> {
  await clock.forward(answerMs);
  return promise;
}

async function inputs({ shared }: Rig): Promise<readonly Input[]> {
  const parts = Array.from({ length: 4 }, (_, partition) => shared.log.read('inputs', partition, 0, 100_000));
  return (await Promise.all(parts)).flat().map(({ value }) => value as Input);
}

async function seen(made: Rig): Promise<readonly AlertSeen[]> {
  return (await inputs(made)).filter((input) => input.type === 'AlertSeen');
}

function numberOf({ event }: AlertSeen): number {
  return Number(/number (\d+)/.exec(event.summary)?.[1]);
}

async function numbers(made: Rig): Promise<readonly number[]> {
  return (await seen(made)).map(numberOf);
}

/** Goes away with one delivery, which waits for the log's answer and is spooled then. */
async function goesAway(made: Rig, number: number): Promise<void> {
  made.link.way = 'down';
  assert.equal((await answered(made, fire(made, number))).status, 'accepted');
}

test('S1: what was accepted while the log was away is on it later', async () => {
  const made = await rig();
  await goesAway(made, 1);
  assert.equal((await fire(made, 2)).status, 'accepted');
  assert.deepEqual(await numbers(made), []);
  made.link.way = 'up';
  await made.clock.forward(10 * second);
  assert.deepEqual(await numbers(made), [1, 2]);
  assert.equal(made.spool.status().records, 0);
});

test('S1: nothing is accepted before it is durable in the spool', async () => {
  const held = Promise.withResolvers<void>();
  const made = await rig({ sync: () => held.promise });
  made.link.way = 'down';
  let status = '';
  void fire(made, 1).then((result) => (status = result.status));
  await made.clock.forward(minute);
  assert.equal(status, '');
  held.resolve();
  await made.clock.settle();
  assert.equal(status, 'accepted');
});

test('S1: a crash while the log is away loses nothing that was accepted', async () => {
  const made = await rig();
  await goesAway(made, 1);
  for (const number of [2, 3, 4]) assert.equal((await fire(made, number)).status, 'accepted');
  await made.crash();
  assert.equal(made.spool.status().records, 4);
  assert.equal((await fire(made, 5)).status, 'accepted', 'at once: what is left from before goes first anyway');
  await made.crash();
  made.link.way = 'up';
  await made.clock.forward(10 * second);
  assert.deepEqual(await numbers(made), [1, 2, 3, 4, 5]);
});

test('S2: from direct to spooled and back to direct, the order of a scope is the order of the calls', async () => {
  const made = await rig();
  await fire(made, 1);
  made.link.way = 'down';
  const early = [fire(made, 2, 'A'), fire(made, 3, 'B')];
  await made.clock.forward(answerMs);
  const late = [fire(made, 4, 'C'), fire(made, 5, 'D')];
  for (const result of await Promise.all([...early, ...late])) assert.equal(result.status, 'accepted');
  made.link.way = 'up';
  await made.clock.forward(10 * second);
  await Promise.all([fire(made, 6, 'E'), fire(made, 7, 'F')]);
  assert.deepEqual(await numbers(made), [1, 2, 3, 4, 5, 6, 7]);
  assert.equal(made.spool.status().records, 0);
  assert.equal(made.link.tries, 9, 'the last two went straight there: two failed, nothing was sent twice');
});

test('S2: while a call before it has no answer, a later one waits with it', async () => {
  const made = await rig();
  made.link.way = 'down';
  const first = fire(made, 1, 'A');
  await made.clock.forward(2 * second);
  const later = fire(made, 2, 'B');
  await made.clock.forward(second);
  assert.equal((await first).status, 'accepted');
  made.link.way = 'up';
  const third = fire(made, 3, 'C');
  await made.clock.forward(second);
  assert.deepEqual(await numbers(made), [1], 'the third is not before the second, whose answer is still open');
  await made.clock.forward(10 * second);
  await Promise.all([later, third]);
  assert.deepEqual(await numbers(made), [1, 2, 3]);
});

test('S2: where the log fails in the midst, what tells of one alert keeps its order', async () => {
  const made = await rig();
  await goesAway(made, 1);
  for (let number = 2; number <= 40; number += 1) await fire(made, number, `alert ${number % 7}`);
  made.link.way = 'flaky';
  await made.clock.forward(5 * minute);
  assert.equal(made.spool.status().records, 0);
  assert.equal(new Set(await numbers(made)).size, 40);
  const byAlert = Map.groupBy(await seen(made), ({ event }) => event.name);
  for (const [name, all] of byAlert) {
    const first = [...new Set(all.map(numberOf))];
    assert.deepEqual(
      first,
      first.toSorted((a, b) => a - b),
      name,
    );
  }
});

test('S2: a command keeps its place among the alerts', async () => {
  const made = await rig();
  await goesAway(made, 1);
  await fire(made, 2, 'B');
  await made.intake.submit({ type: 'Acked', scope: 'acme;team=x', incident: 'i1.acme', by: 'ann', via: 'api' });
  await fire(made, 3, 'C');
  made.link.way = 'up';
  made.link.stumblesAt = 2;
  await made.clock.forward(20 * second);
  assert.deepEqual(
    (await inputs(made)).map((input) => (input.type === 'AlertSeen' ? numberOf(input) : input.type)),
    [1, 2, 'Acked', 3],
  );
});

test('S3: over its bytes the spool answers come again, and takes again once it has room', async () => {
  const made = await rig({ bytesMax: 20_000 });
  await goesAway(made, 0);
  let taken = 0;
  let last: Acceptance = { status: 'accepted', alerts: 0, warnings: [] };
  while (last.status === 'accepted' && taken < 100) {
    last = await post(made, bodyOf('A', (taken += 1), { pad: 2_000 }));
  }
  assert.equal(last.status, 'busy');
  assert.match(last.status === 'busy' ? last.why : '', /the shared log is away and the spool holds \d+ bytes, at most 20000 are allowed/);
  assert.match(made.spool.status().full ?? '', /bytes/);
  assert.ok(taken > 2 && taken < 12, `${taken} deliveries of more than 4,000 bytes`);
  made.link.way = 'up';
  await made.clock.forward(10 * second);
  assert.equal((await numbers(made)).length, taken, 'all that were accepted, the first included');
  assert.equal(made.spool.status().bytes, 0);
  await goesAway(made, 99);
  assert.equal((await fire(made, 100)).status, 'accepted');
});

test('S3: a spool whose oldest is too old takes nothing more, keeps what it has and sends it however old', async () => {
  const made = await rig({ ageMaxMs: 10 * minute });
  await goesAway(made, 1);
  await made.clock.forward(9 * minute);
  assert.equal((await fire(made, 2)).status, 'accepted');
  await made.clock.forward(2 * minute);
  assert.equal((await fire(made, 3)).status, 'busy');
  await made.crash();
  assert.equal((await fire(made, 4)).status, 'busy', 'nor after a restart');
  made.link.way = 'up';
  await made.clock.forward(10 * second);
  assert.deepEqual(await numbers(made), [1, 2]);
  assert.equal((await fire(made, 5)).status, 'accepted');
});

test('a clock that is set forward does not make the spool old', async () => {
  const made = await rig({ ageMaxMs: 10 * minute });
  await goesAway(made, 1);
  made.clock.jump(5 * hour);
  await made.clock.forward(minute);
  assert.equal((await fire(made, 2)).status, 'accepted');
});

test('a spool that cannot be written means come again', async () => {
  const made = await rig({ sync: () => Promise.reject(new Error('no space left')) });
  made.link.way = 'down';
  assert.equal((await answered(made, fire(made, 1))).status, 'busy');
  assert.equal(made.spool.status().records, 0);
});

test('a log that is away is asked now and then, with one batch', async () => {
  const made = await rig();
  await goesAway(made, 1);
  for (let number = 2; number <= 50; number += 1) await fire(made, number, `alert ${number}`);
  const before = made.link.tries;
  await made.clock.forward(minute);
  const tries = made.link.tries - before;
  assert.ok(tries >= 5 && tries <= 12, `${tries} tries in a minute`);
  assert.equal(made.troubles.length, 1, 'said once, not at every try');
});

test('a batch that was written and not answered has its effect once', async () => {
  const made = await rig();
  made.link.way = 'lost';
  const early = [fire(made, 1, 'A'), fire(made, 2, 'B')];
  await made.clock.forward(answerMs);
  await Promise.all(early);
  await made.clock.forward(30 * second);
  made.link.way = 'up';
  await made.clock.forward(10 * second);
  const all = await seen(made);
  assert.ok(all.length > 2, 'sent more than once');
  const desk = newDesk('acme;team=x');
  const law = { policy: policyOf(), frozen: null, installation: null, expressions: createExpressions() };
  const facts = all.flatMap((input, offset) => turn(desk, input, law, offset));
  assert.equal(facts.filter(({ type }) => type === 'AlertMerged').length, 2);
});

test('without a shared log a delivery without an id costs no id', async () => {
  const clock = virtualClock();
  const { log, deadLetters } = memoryStore({ disk: memoryDisk(), partitions: 1, clock });
  const endpoints = [{ name: 'prom', source: prometheus({}), tenant: 'acme', scopeLabels: [] }];
  const intake = await createIntake({ log, deadLetters, endpoints, clock, lagOf: () => 0, lagMax: 1, onAccepted() {} });
  await intake.accept('prom', { headers: {}, body: bodyOf('A', 1), path: '', receivedAt: 0 }, '');
  const records = await log.read('inputs', 0, 0, 10);
  assert.deepEqual(
    records.map(({ value }) => (value as AlertSeen).delivery),
    [''],
  );
});

test('a batch that the log will never take becomes a dead letter, and what is behind it goes on', async () => {
  const made = await rig();
  await goesAway(made, 1);
  await fire(made, 2, 'B');
  await fire(made, 3, 'C');
  made.link.tooLarge = ({ values }) => (values as readonly AlertSeen[]).some((input) => numberOf(input) === 2);
  made.link.way = 'up';
  await made.clock.forward(10 * second);
  assert.deepEqual(await numbers(made), [1, 3]);
  const { letters } = await made.shared.deadLetters.list({ limit: 10 });
  assert.deepEqual(
    letters.map(({ id, reason, endpoint, source, body }) => [id, reason, endpoint, source, body]),
    [[made.letters[0], 'too_large', 'prom', 'prometheus', bodyOf('B', 2)]],
  );
});

test('a delivery that the log will never take is refused and kept as a letter', async () => {
  const made = await rig();
  made.link.tooLarge = () => true;
  const result = await fire(made, 1);
  assert.equal(result.status, 'refused');
  const letter = result.status === 'refused' ? await made.shared.deadLetters.get(result.letter) : null;
  assert.deepEqual([letter?.reason, letter?.body], ['too_large', bodyOf('A', 1)]);
  assert.equal((await made.intake.replay(letter?.id ?? '')).status, 'refused');
  made.link.tooLarge = () => false;
  assert.equal((await made.intake.replay(letter?.id ?? '')).status, 'accepted');
});

test('intake starts while the log is away', async () => {
  const clock = virtualClock();
  const { log, deadLetters } = memoryStore({ disk: memoryDisk(), partitions: 2, clock });
  const away: EventLog = { ...log, end: () => Promise.reject(new GatewayError('log_unavailable', 'no broker answers')) };
  await createIntake({ log: away, deadLetters, endpoints: [], clock, lagOf: () => 0, lagMax: 1, onAccepted() {} });
});

test('it says since when the log is away and what waits, and nothing when all is well', async () => {
  const made = await rig();
  assert.equal(describeSpool(made.spool.status()), null);
  await goesAway(made, 1);
  await made.clock.forward(40 * second);
  const says = describeSpool(made.spool.status()) ?? '';
  assert.match(says, /^the shared log is away since 2026-11-21T04:00:03\.000Z; batches spooled: 1 \(0\.0 MiB, oldest 40s\)$/);
  made.link.way = 'up';
  await made.clock.forward(10 * second);
  assert.equal(describeSpool(made.spool.status()), null);
});

test('readiness holds while the spool takes deliveries, with a note for everybody, and ends where it does not', async () => {
  const made = await rig({ bytesMax: 1_000 });
  const { http } = await front({
    clock: made.clock,
    checks: [{ name: 'spool', check: async () => made.spool.status().full, note: () => describeSpool(made.spool.status()) }],
  });
  const port = await http.start(0, '127.0.0.1');
  const ask = async (): Promise<unknown> => {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
    const { checks } = (await answer.json()) as { readonly checks: unknown };
    return [answer.status, checks];
  };
  try {
    await goesAway(made, 1);
    const note = describeSpool(made.spool.status());
    assert.deepEqual(await ask(), [200, [{ name: 'spool', ok: true, note }]]);
    while ((await fire(made, 2)).status === 'accepted');
    await made.clock.forward(2 * second);
    const full = describeSpool(made.spool.status());
    assert.deepEqual(await ask(), [503, [{ name: 'spool', ok: false, note: full }]]);
  } finally {
    await http.stop();
  }
});

test('figures of the spool are there for a gateway that has one', async () => {
  const base = { lag: () => 0, lags: () => new Map(), acting: () => [], deadLetters: async () => 0 };
  const made = await rig();
  await goesAway(made, 1);
  await made.clock.forward(40 * second);
  const metrics = createMetrics({ ...base, spool: () => made.spool.status() });
  metrics.drained();
  const { text } = await metrics.scrape();
  assert.match(text, /^quench_spool_records 1$/m);
  assert.match(text, /^quench_spool_bytes [1-9]\d+$/m);
  assert.match(text, /^quench_spool_oldest_seconds 40$/m);
  assert.match(text, /^quench_spool_drained_total 1$/m);
  assert.doesNotMatch((await createMetrics(base).scrape()).text, /quench_spool_records/);
});

test('what was sent on is not sent again by the next life', async () => {
  const made = await rig();
  await goesAway(made, 1);
  await fire(made, 2);
  made.link.way = 'up';
  await made.clock.forward(10 * second);
  await made.crash();
  await made.clock.forward(10 * second);
  assert.equal(made.link.tries, 0);
  await goesAway(made, 3);
  made.link.way = 'up';
  await made.clock.forward(10 * second);
  assert.deepEqual(await numbers(made), [1, 2, 3]);
});

test('S2: where it could not be saved how far all was sent, it is saved before anything goes directly again', async () => {
  let isDiskFull = true;
  const made = await rig({ saving: async () => assert.ok(!isDiskFull, 'the disk is full') });
  await goesAway(made, 1);
  made.link.way = 'up';
  await made.clock.forward(20 * second);
  assert.deepEqual(await numbers(made), [1]);
  isDiskFull = false;
  await made.clock.forward(10 * second);
  await fire(made, 2);
  assert.equal(made.spool.status().records, 0, 'directly');
  await made.crash();
  await made.clock.forward(10 * second);
  assert.deepEqual(await numbers(made), [1, 2]);
});

test('a spool that cannot save how far it has sent stops all the same', async () => {
  const made = await rig({ saving: () => Promise.reject(new Error('the disk is full')) });
  await goesAway(made, 1);
  made.link.way = 'up';
  await made.clock.forward(20 * second);
  const stopping = made.spool.stop();
  await made.clock.settle();
  await stopping;
});

test('a crash in the midst of sending on sends the rest', async () => {
  const made = await rig();
  await goesAway(made, 1);
  await fire(made, 2);
  made.link.way = 'up';
  made.link.stumblesAt = 2;
  await made.clock.forward(2 * second);
  assert.deepEqual(await numbers(made), [1]);
  await made.crash();
  await made.clock.forward(10 * second);
  assert.deepEqual(await numbers(made), [1, 2]);
});

test('a stopped spool sends nothing more, and the next life sends it', async () => {
  const disk = memoryDisk();
  const made = await rig({ disk });
  await goesAway(made, 1);
  const stopping = made.spool.stop();
  await made.clock.forward(answerMs);
  await stopping;
  made.link.way = 'up';
  await made.clock.forward(minute);
  assert.deepEqual(await numbers(made), []);
  await made.crash();
  await made.clock.forward(minute);
  assert.deepEqual(await numbers(made), [1]);
});

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('fire' as const), name: fc.constantFrom('A', 'B', 'C'), team: fc.constantFrom('x', 'y') }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('way' as const), way: fc.constantFrom<Way>('up', 'down', 'lost', 'flaky') }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), span: fc.constantFrom(100, 700, 4_000, 20_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const) }) },
);

test('whatever the log does and whenever we die, what was accepted arrives, each alert in its order', async () => {
  const property = fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
    const made = await rig();
    const accepted: number[] = [];
    // A sender tells of one alert in order: it waits for the answer, or for the gateway to be up again.
    const open = new Set<string>();
    let number = 0;
    for (const one of steps) {
      if (one.do === 'fire' && !open.has(one.team + one.name)) {
        const mine = (number += 1);
        open.add(one.team + one.name);
        void (async () => {
          const { status } = await fire(made, mine, one.name, one.team);
          open.delete(one.team + one.name);
          if (status === 'accepted') accepted.push(mine);
        })();
        await made.clock.settle();
      } else if (one.do === 'way') made.link.way = one.way;
      else if (one.do === 'wait') await made.clock.forward(one.span);
      else if (one.do === 'crash') {
        await made.crash();
        open.clear();
      }
    }
    made.link.way = 'up';
    await made.clock.forward(2 * minute);
    const all = await seen(made);
    const arrived = new Set(all.map(numberOf));
    for (const mine of accepted) assert.ok(arrived.has(mine), `${mine} was accepted and is not on the log`);
    for (const [, same] of Map.groupBy(all, ({ scope, event }) => `${scope} ${event.name}`)) {
      const first = [...new Set(same.map(numberOf))];
      assert.deepEqual(
        first,
        first.toSorted((a, b) => a - b),
      );
    }
  });
  await fc.assert(property, { numRuns: 60, seed: 1121 });
});
