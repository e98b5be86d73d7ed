// The hands of one partition over a real log in memory: when they claim, when they act, and when they keep still.
// The host is the test: it requests, and it grants.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryDisk, type MemoryDisk } from '../../../adapters/memory/disk.ts';
import { memoryStore } from '../../../adapters/memory/store.ts';
import type { Fact, Input } from '../../../src/core/records.ts';
import type { StepAnswered } from '../../../src/core/run/facts.ts';
import type { ActionOutcome } from '../../../src/core/run/outcome.ts';
import { second, type Millis } from '../../../src/core/time.ts';
import { createAssignments, type Assignments } from '../../../src/engine/assignments.ts';
import { pause } from '../../../src/engine/async/pause.ts';
import { createEffects, type Effects } from '../../../src/engine/effects/effects.ts';
import { Slots } from '../../../src/executor/slots.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import type { EventLog } from '../../../src/ports/event-log.ts';
import type { Notifier } from '../../../src/ports/notifier.ts';
import type { Shares } from '../../../src/ports/shares.ts';
import type { Store } from '../../../src/ports/store.ts';
import { someday, virtualClock, type VirtualClock } from '../../support/clock.ts';
import type { Told } from '../../../src/core/page/notification.ts';
import { plainNotification } from '../../support/notification.ts';

const beginWithinMs: Millis = 10 * second;

/** A slow one answers only when it is called off, and then does not know whether it arrived; or when its words are withdrawn. */
function notifierOf(delivered: string[], slow: boolean): Notifier {
  return {
    async deliver({ id }, signal, withdrawn) {
      delivered.push(id);
      if (!slow) return { outcome: 'accepted', detail: '' };
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve);
        withdrawn?.addEventListener('abort', resolve);
      });
      if (withdrawn?.aborted === true) return { outcome: 'deferred', retryAfterMs: 0, detail: 'withdrawn' };
      return { outcome: 'unknown', detail: 'called off' };
    },
  };
}

interface Rig {
  readonly clock: VirtualClock;
  readonly disk: MemoryDisk;
  readonly store: Store;
  readonly acted: string[];
  readonly delivered: string[];
  /** Answers of the executor that wait for the test; empty unless `slow`. */
  readonly answers: ((outcome: ActionOutcome) => void)[];
  readonly hands: Assignments<Effects>;
  /** What the partition's holder would be told. */
  held: boolean;
  gain(): Promise<void>;
  lose(): Promise<void>;
  request(call: string): Promise<void>;
  callOff(call: string, worker: string): Promise<void>;
  finished(call: string): Promise<void>;
  grant(call: string, worker: string): Promise<void>;
  page(id: string, attempt?: number): Promise<void>;
  over(type: 'PageAcked' | 'PageClosed', page: string): Promise<void>;
  answered(id: string): Promise<void>;
  inputs<T extends Input['type']>(type: T): Promise<readonly Extract<Input, { type: T }>[]>;
}

const fine: ActionOutcome = { outcome: 'ok', output: {} };

interface Options {
  readonly slow?: boolean;
  readonly graceMs?: Millis;
  /** Steps at once, 16 if not given. */
  readonly slots?: number;
  /** What the hands see of the log. */
  readonly logOf?: (log: EventLog, clock: Clock) => EventLog;
  readonly onTrouble?: (error: unknown) => void;
  /** What every message tells besides. */
  readonly also?: readonly Told[];
}

/** Every claim of a notification is granted at once. */
function granting(log: EventLog, say: (fact: object) => Promise<void>, also: readonly Told[] = []): EventLog {
  return {
    ...log,
    async append(topic, batch) {
      const end = await log.append(topic, batch);
      for (const value of batch.values as readonly Input[]) {
        if (value.type !== 'NotifyClaimed') continue;
        const { page, attempt, worker, notification: outgoing } = value;
        const notification = { ...plainNotification, id: outgoing, ...(also.length === 0 ? {} : { also }) };
        await say({ type: 'NotifyGranted', page, incident: 'i1.s', notifier: 'terminal', attempt, worker, outgoing, notification });
      }
      return end;
    },
  };
}

async function rig(options: Options = {}): Promise<Rig> {
  const clock = virtualClock();
  const disk = memoryDisk();
  const store = memoryStore({ disk, partitions: 1, clock });
  const acted: string[] = [];
  const delivered: string[] = [];
  const answers: ((outcome: ActionOutcome) => void)[] = [];
  const slots = new Slots(options.slots ?? 16, 512);
  slots.open();
  let told: Parameters<Shares['start']>[0] | null = null;
  let terms = 0;
  let seq = 0;
  const shares: Shares = {
    start: async (handlers) => void (told = handlers),
    holds: () => made.held,
    done: () => {},
    progress: async () => new Map(),
    stop: async () => {},
  };
  const hands: Assignments<Effects> = createAssignments({
    shares,
    clock,
    onTrouble: assert.ifError,
    make: (partition) =>
      createEffects({
        partition,
        log: granting(options.logOf?.(store.log, clock) ?? store.log, put, options.also),
        cursors: store.cursors,
        clock,
        worker: `w.${(terms += 1)}`,
        holds: () => shares.holds(partition),
        onPassed: (offset) => shares.done(partition, offset),
        executor: {
          slot: (lane, how) => slots.take(lane, how.calledOff, how.onWaits),
          act(uses, { key }, { slot, calledOff }) {
            acted.push(`${uses} ${key}`);
            calledOff?.addEventListener('abort', () => acted.push(`${key} called off`));
            const answer = options.slow === true ? new Promise<ActionOutcome>((resolve) => answers.push(resolve)) : Promise.resolve(fine);
            return answer.finally(slot.free);
          },
          close: async () => {},
        },
        notifiers: new Map([['terminal', notifierOf(delivered, options.slow === true)]]),
        withLinks: (notification) => notification,
        onTrouble: options.onTrouble ?? assert.ifError,
      }),
    end: (part) => part.stop(options.graceMs ?? 0),
  });
  async function put(fact: object): Promise<void> {
    seq += 1;
    // Facts are given whole but for scope, number and time.
    const whole = { scope: 's', seq, at: someday, ...fact } as Fact;
    await store.log.append('facts', { partition: 0, scope: 's', values: [whole] });
  }
  async function say(fact: object): Promise<void> {
    await put(fact);
    await clock.settle();
  }
  const handlers = (): NonNullable<typeof told> => told ?? assert.fail('not started');
  const made: Rig = {
    clock,
    disk,
    store,
    acted,
    delivered,
    answers,
    hands,
    held: true,
    gain: () => handlers().gained(0),
    lose: () => handlers().lost(0),
    request: (call) => {
      const rest = { incident: 'i1.s', phase: 'steps', step: 'a', attempt: 1, input: {}, timeoutMs: 30 * second, target: 't' };
      return say({ type: 'StepRequested', run: 'r1.s', call, uses: 'test/restart', ...rest });
    },
    grant: (call, worker) => say({ type: 'StepGranted', run: 'r1.s', call, worker }),
    finished: (call) => {
      const rest = { incident: 'i1.s', phase: 'steps', step: 'a', attempt: 1, tookMs: 0, undo: null };
      return say({ type: 'StepFinished', run: 'r1.s', call, ...rest, outcome: fine });
    },
    callOff: (call, worker) => say({ type: 'StepCalledOff', run: 'r1.s', incident: 'i1.s', call, worker, why: 'cancelled' }),
    page: (id, attempt = 1) =>
      say({
        type: 'NotifyRequested',
        page: 'p1.s',
        incident: 'i1.s',
        notifier: 'terminal',
        attempt,
        notification: { ...plainNotification, id },
      }),
    over: (type, page) => say({ type, page, incident: 'i1.s', by: 'ann', via: 'console', why: 'it is over' }),
    answered: (id) =>
      say({
        type: 'NotifyFinished',
        page: 'p1.s',
        incident: 'i1.s',
        notifier: 'terminal',
        attempt: 1,
        notification: id,
        outcome: { outcome: 'accepted', detail: '' },
        retry: false,
      }),
    async inputs(type) {
      await clock.settle();
      const records = await store.log.read('inputs', 0, 0, 1_000);
      return records
        .map(({ value }) => value as Input)
        .filter((input): input is Extract<Input, { type: typeof type }> => input.type === type);
    },
  };
  await hands.start();
  return made;
}

async function claims(made: Rig): Promise<readonly string[]> {
  return (await made.inputs('StepClaimed')).map(({ call, worker }) => `${call} ${worker}`);
}

async function onlyAnswer(made: Rig): Promise<StepAnswered> {
  const [answer, ...more] = await made.inputs('StepAnswered');
  assert.equal(more.length, 0, 'one answer');
  return answer ?? assert.fail('no answer');
}

function assertNothingDone({ outcome }: StepAnswered): void {
  assert.equal(outcome.outcome === 'failed' ? outcome.error : outcome.outcome, 'too_late');
}

test('X1: a request is claimed, a grant to this worker is acted on once, and the outcome is told', async () => {
  const made = await rig();
  await made.gain();
  await made.request('c1');
  assert.deepEqual(await claims(made), ['c1 w.1']);
  assert.deepEqual(made.acted, []);

  await made.grant('c1', 'w.1');
  await made.grant('c1', 'w.1');

  assert.deepEqual(made.acted, ['test/restart r1.s/c1']);
  assert.deepEqual((await onlyAnswer(made)).outcome, fine);
});

test('C10, X7: a call that waits for a slot is not claimed, says so once, and is claimed in the order of asking when there is one', async () => {
  const made = await rig({ slow: true, slots: 1 });
  await made.gain();
  for (const call of ['c1', 'c2', 'c3']) await made.request(call);
  await made.grant('c1', 'w.1');
  assert.deepEqual(await claims(made), ['c1 w.1']);
  const said = (await made.inputs('StepDelayed')).map(({ call, why }) => `${call}: ${why}`);
  assert.deepEqual(said, ['c2: 1 steps are under way, the most at once', 'c3: 1 steps are under way, the most at once']);

  await made.clock.forward(45 * second);
  assert.deepEqual(await claims(made), ['c1 w.1'], 'however long that takes');
  made.answers[0]?.(fine);
  assert.deepEqual(await claims(made), ['c1 w.1', 'c2 w.1']);
  await made.clock.forward(beginWithinMs + 1);
  assert.deepEqual(await claims(made), ['c1 w.1', 'c2 w.1', 'c3 w.1'], 'a claim that nobody grants keeps no slot');
  await made.grant('c2', 'w.1');
  assert.deepEqual(made.acted, ['test/restart r1.s/c1'], 'X4: it slept through its grant');
});

test('C10, X7: who ends while it waits is claimed by nobody; who stops leaves it to the next holder', async () => {
  const made = await rig({ slow: true, slots: 1 });
  await made.gain();
  for (const call of ['c1', 'c2', 'c3']) await made.request(call);
  await made.grant('c1', 'w.1');
  await made.finished('c2');
  const lost = made.lose();
  await made.clock.forward(1);
  await lost;
  made.answers[0]?.(fine);
  await made.gain();
  assert.deepEqual(await claims(made), ['c1 w.1', 'c3 w.2']);
});

test('C14: a call that is called off is ended where it is made, and nowhere else', async () => {
  const made = await rig({ slow: true });
  await made.gain();
  for (const call of ['c1', 'c2']) {
    await made.request(call);
    await made.grant(call, 'w.1');
  }
  await made.callOff('c1', 'somebody.1');
  assert.deepEqual(made.acted, ['test/restart r1.s/c1', 'test/restart r1.s/c2']);
  await made.callOff('c1', 'w.1');
  assert.deepEqual(made.acted.slice(2), ['r1.s/c1 called off']);
});

test('X1: a grant to another worker, or to this one in an earlier term, is not acted on', async () => {
  const made = await rig();
  await made.gain();
  await made.request('c1');
  await made.request('c2');
  await made.grant('c1', 'somebody.1');
  await made.lose();
  await made.gain();
  await made.grant('c2', 'w.1');

  assert.deepEqual(made.acted, []);
  assert.deepEqual(await made.inputs('StepAnswered'), []);
});

test('X4: nothing is claimed while the partition is not held; it is as soon as it is held again', async () => {
  const made = await rig();
  await made.gain();
  made.held = false;
  await made.request('c1');
  await made.clock.forward(60 * second);
  assert.deepEqual(await claims(made), []);

  made.held = true;
  await made.clock.forward(100);

  assert.deepEqual(await claims(made), ['c1 w.1']);
});

test('X4: a claim that waited for the partition has its ten seconds from when it was sent', async () => {
  const made = await rig();
  await made.gain();
  made.held = false;
  await made.request('c1');
  await made.clock.forward(60 * second);
  made.held = true;
  await made.clock.forward(100);
  await made.clock.forward(beginWithinMs - 200);
  await made.grant('c1', 'w.1');

  assert.deepEqual(made.acted, ['test/restart r1.s/c1']);
});

test('X4: a grant is not acted on while the partition is not held; it is when it is held again in time', async () => {
  const made = await rig();
  await made.gain();
  await made.request('c1');
  made.held = false;
  await made.grant('c1', 'w.1');
  await made.clock.forward(9 * second);
  assert.deepEqual(made.acted, []);

  made.held = true;
  await made.clock.forward(100);

  assert.deepEqual(made.acted, ['test/restart r1.s/c1']);
  assert.deepEqual((await onlyAnswer(made)).outcome, fine);
});

test('X4: a partition that is held again later than ten seconds after the claim finds the grant too late, and nothing is done', async () => {
  const made = await rig();
  await made.gain();
  await made.request('c1');
  made.held = false;
  await made.grant('c1', 'w.1');
  await made.clock.forward(beginWithinMs + 200);
  assertNothingDone(await onlyAnswer(made));
  made.held = true;
  await made.clock.forward(second);

  assert.deepEqual(made.acted, []);
  await onlyAnswer(made);
});

test('X4: a grant that comes later than ten seconds after the claim is answered `too_late`, also by one that holds the partition', async () => {
  const inTime = await rig();
  await inTime.gain();
  await inTime.request('c1');
  await inTime.clock.forward(beginWithinMs);
  await inTime.grant('c1', 'w.1');
  assert.equal(inTime.acted.length, 1);

  const late = await rig();
  await late.gain();
  await late.request('c1');
  await late.clock.forward(beginWithinMs + 1);
  await late.grant('c1', 'w.1');
  assert.deepEqual(late.acted, []);
  assertNothingDone(await onlyAnswer(late));
});

test('X4: the wall clock being set back an hour makes no late grant early, nor forward an early one late', async () => {
  for (const [jump, waited, times] of [
    [-3_600_000, beginWithinMs + 1, 0],
    [3_600_000, beginWithinMs - 1, 1],
  ] as const) {
    const made = await rig();
    await made.gain();
    await made.request('c1');
    made.clock.jump(jump);
    await made.clock.forward(waited);
    await made.grant('c1', 'w.1');
    assert.equal(made.acted.length, times);
  }
});

test('X4: one that is told to go while it waits to act does nothing, and says so', async () => {
  const made = await rig({ graceMs: second });
  await made.gain();
  await made.request('c1');
  made.held = false;
  await made.grant('c1', 'w.1');
  const gone = made.lose();
  await made.clock.forward(second);
  await gone;
  made.held = true;
  await made.clock.forward(20 * second);

  assert.deepEqual(made.acted, []);
  assertNothingDone(await onlyAnswer(made));
});

test('X4: one that is told to go while it waits to claim claims nothing', async () => {
  const made = await rig({ graceMs: second });
  await made.gain();
  made.held = false;
  await made.request('c1');
  const gone = made.lose();
  await made.clock.forward(second);
  await gone;
  made.held = true;
  await made.clock.forward(20 * second);

  assert.deepEqual(await claims(made), []);
});

test('X3: calls that wait for the partition hold up no page', async () => {
  const made = await rig();
  await made.gain();
  made.held = false;
  for (let nth = 0; nth < 20; nth += 1) await made.request(`c${nth}`);
  await made.page('n1');
  await made.clock.forward(9 * second);
  assert.deepEqual(made.delivered, [], 'who is not sure of his partition asks around first');

  await made.clock.forward(2 * second);
  assert.deepEqual(made.delivered, ['n1'], 'but a page leaves all the same');
});

test('X2: a page that another told while this worker slept is not told again', async () => {
  const made = await rig();
  await made.gain();
  made.held = false;
  await made.page('n1');
  await made.clock.forward(2 * second);
  const gone = made.lose();
  await made.clock.forward(20 * second);
  await gone;

  assert.deepEqual(made.delivered, []);
});

test('F2: the cursor stays before what waits to be claimed, so that the next holder finds it', async () => {
  const made = await rig();
  await made.gain();
  await made.page('n1');
  made.held = false;
  await made.request('c1');
  await made.page('n2');
  await made.clock.forward(second);
  assert.equal(await made.store.cursors.load('effects', 0), 2, 'behind the page and its grant, before the call');

  const gone = made.lose();
  await made.clock.forward(second);
  await gone;
  made.held = true;
  await made.gain();
  await made.clock.forward(second);

  assert.deepEqual(await claims(made), ['c1 w.2']);
});

test('what was begun while the partition was held is answered although it was lost meanwhile', async () => {
  const made = await rig({ slow: true, graceMs: 5 * second });
  await made.gain();
  await made.request('c1');
  await made.grant('c1', 'w.1');
  assert.equal(made.acted.length, 1);
  made.held = false;
  const gone = made.lose();
  await made.clock.forward(second);
  made.answers[0]?.(fine);
  await made.clock.forward(5 * second);
  await gone;

  assert.deepEqual((await onlyAnswer(made)).outcome, fine);
});

test('X2: a page whose delivery was called off when the partition went is delivered by the next holder', async () => {
  const made = await rig({ slow: true, graceMs: second });
  await made.gain();
  await made.page('n1');
  const gone = made.lose();
  await made.clock.forward(second);
  await gone;
  await made.clock.forward(second);
  await made.gain();
  await made.clock.settle();

  assert.deepEqual(made.delivered, ['n1', 'n1']);
});

/** Claims and answers take 100 ms each until they are durable. */
function slowInputs(log: EventLog, clock: Clock): EventLog {
  return {
    ...log,
    async append(topic, batch) {
      if (topic === 'inputs') await pause(clock, 100);
      return log.append(topic, batch);
    },
  };
}

test('F2: one that is told to go in the midst of a batch claims nothing more; the next holder claims the rest', async () => {
  const made = await rig({ graceMs: 5 * second, logOf: slowInputs });
  for (let nth = 0; nth < 6; nth += 1) await made.request(`c${nth}`);
  await made.gain();
  await made.clock.forward(150);
  const gone = made.lose();
  await made.clock.forward(5 * second);
  await gone;
  assert.deepEqual(await claims(made), ['c0 w.1', 'c1 w.1']);
  assert.equal(await made.store.cursors.load('effects', 0), 0);

  await made.gain();
  await made.clock.forward(5 * second);

  const next = (await claims(made)).slice(2);
  assert.deepEqual(next.slice(-4), ['c2 w.2', 'c3 w.2', 'c4 w.2', 'c5 w.2']);
});

test('X4: a grant that is read while stopping is answered `too_late` at once, and nothing is done', async () => {
  const made = await rig({ graceMs: 5 * second, logOf: slowInputs });
  await made.gain();
  await made.request('c1');
  await made.request('c2');
  await made.grant('c1', 'w.1');
  await made.clock.forward(150);
  assert.deepEqual(await claims(made), ['c1 w.1']);
  const gone = made.lose();
  await made.clock.forward(second);
  await gone;

  assert.deepEqual(made.acted, []);
  const answer = await onlyAnswer(made);
  assert.equal(answer.call, 'c1');
  assertNothingDone(answer);
});

test('a worker begins although facts go on being appended while it looks for answers', async () => {
  let seq = 0;
  const made = await rig({
    logOf: (log, clock) => ({
      ...log,
      async read(topic, ...place) {
        seq += 1;
        await log.append('facts', {
          partition: 0,
          scope: 'other',
          values: [{ type: 'WakeSpent', scope: 'other', seq, at: someday, token: 't' }],
        });
        await pause(clock, 10);
        return log.read(topic, ...place);
      },
    }),
  });
  await made.request('c0');
  let begun = false;
  const gained = made.gain().then(() => (begun = true));
  await made.clock.forward(second);

  assert.ok(begun);
  await gained;
  assert.deepEqual(await claims(made), ['c0 w.1']);
  const gone = made.lose();
  await made.clock.forward(second);
  await gone;
});

test('F3: of a log that was made anew, what the old one said was answered is not believed, and what the new one says is', async () => {
  const troubles: unknown[] = [];
  const made = await rig({ onTrouble: (error) => troubles.push(error) });
  for (const id of ['n1', 'n2']) await made.page(id);
  await made.answered('n1');
  await made.gain();
  await made.clock.settle();
  assert.deepEqual(made.delivered, ['n2']);

  const slot = made.disk.content.slots.get('facts/0') ?? assert.fail('nothing was appended');
  slot.end = 0;
  slot.batches = [];
  await made.page('n1');
  await made.page('n3');
  await made.clock.forward(second);

  assert.deepEqual(made.delivered, ['n2', 'n1', 'n3']);
  assert.equal(troubles.length, 1);
});

for (const type of ['PageAcked', 'PageClosed'] as const) {
  test(`X8: a ring that is still on its way out is withdrawn at ${type} of its own page, and said to have not left`, async () => {
    const made = await rig({ slow: true });
    await made.gain();
    await made.page('n1');
    assert.deepEqual(made.delivered, ['n1']);
    await made.over(type, 'p2.s');
    assert.deepEqual(await made.inputs('NotifyAnswered'), [], 'another page says nothing about it');

    await made.over(type, 'p1.s');

    const [answer, ...more] = await made.inputs('NotifyAnswered');
    assert.deepEqual([answer?.outcome.outcome, more.length], ['deferred', 0]);
  });
}

for (const type of ['PageAcked', 'PageClosed'] as const) {
  test(`X8: a message that is still on its way out is withdrawn at ${type} of a page that it tells besides, and after three attempts no more`, async () => {
    const told: Told = { id: 'n9', incident: 'i2.s', page: 'p2.s', title: '', severity: 'critical' };
    const made = await rig({ slow: true, also: [told] });
    await made.gain();
    await made.page('n1');
    await made.over(type, 'p3.s');
    assert.deepEqual(await made.inputs('NotifyAnswered'), [], 'another page says nothing about it');
    await made.over(type, 'p2.s');
    const [answer, ...more] = await made.inputs('NotifyAnswered');
    assert.deepEqual([answer?.outcome.outcome, more.length], ['deferred', 0]);

    await made.page('n1', 4);
    assert.deepEqual(made.delivered, ['n1', 'n1']);
    await made.over(type, 'p2.s');
    assert.equal((await made.inputs('NotifyAnswered')).length, 1, 'no ring is put off for ever by what ends beside it');
    await made.over(type, 'p1.s');
    assert.equal((await made.inputs('NotifyAnswered')).length, 2);
  });
}
