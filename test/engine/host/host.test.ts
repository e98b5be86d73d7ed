// The host of one partition over a real log and real checkpoints in memory, which a test makes fail, wait, or hear late.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryDisk } from '../../../adapters/memory/disk.ts';
import { memoryStore } from '../../../adapters/memory/store.ts';
import type { AlertDecided } from '../../../src/core/decide/facts.ts';
import { GatewayError } from '../../../src/core/errors.ts';
import type { Fact, Input } from '../../../src/core/records.ts';
import { second } from '../../../src/core/time.ts';
import type { WakeSpent } from '../../../src/core/wakes.ts';
import { pause } from '../../../src/engine/async/pause.ts';
import { checkpointEveryMs } from '../../../src/engine/host/checkpointer.ts';
import type { Host } from '../../../src/engine/host/host.ts';
import type { Checkpoints } from '../../../src/ports/checkpoints.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import type { EventLog } from '../../../src/ports/event-log.ts';
import type { Store } from '../../../src/ports/store.ts';
import { someday, virtualClock, type VirtualClock } from '../../support/clock.ts';
import { loneHost } from './lone.ts';

/** By then what changed is saved. */
const savedMs = checkpointEveryMs + second;

interface World {
  readonly clock: VirtualClock;
  readonly store: Store;
  readonly troubles: unknown[];
  savesToFail: number;
  loads: number;
  isLoadBroken: boolean;
  /** An input that is turned into one fact, and changes one row. */
  append(scope?: string): Promise<void>;
  facts(): Promise<readonly Fact[]>;
  host(around?: { readonly log?: EventLog; readonly checkpoints?: Checkpoints }): Host;
}

function world(): World {
  const clock = virtualClock();
  const store = memoryStore({ disk: memoryDisk(), partitions: 1, clock });
  const made: World = {
    clock,
    store,
    troubles: [],
    savesToFail: 0,
    loads: 0,
    isLoadBroken: false,
    async append(scope = 's') {
      const values = [{ type: 'AlertsHidden', scope, at: clock.now(), endpoint: 'e', count: 1, group: 'g' }];
      await store.log.append('inputs', { partition: 0, scope, values });
      await clock.settle();
    },
    async facts() {
      return (await store.log.read('facts', 0, 0, 1_000)).map(({ value }) => value as Fact); // written by hosts, or by the test
    },
    host: ({ log = store.log, checkpoints = frail } = {}) =>
      loneHost(store, clock, { log, checkpoints, onTrouble: (error) => made.troubles.push(error) }),
  };
  const frail: Checkpoints = {
    async save(...saved) {
      if (made.savesToFail === 0) return store.checkpoints.save(...saved);
      made.savesToFail -= 1;
      await pause(clock, 50);
      throw new GatewayError('store_unavailable', 'the disk is full');
    },
    async load(...loaded) {
      made.loads += 1;
      if (made.isLoadBroken) throw new GatewayError('store_unavailable', 'the store is away');
      return store.checkpoints.load(...loaded);
    },
  };
  return made;
}

async function stopped({ clock }: World, host: Host): Promise<void> {
  const end = host.stop();
  await clock.forward(2 * second);
  await end;
}

/** Appends of the topic take so long. */
function slowAppends(log: EventLog, clock: Clock, spanMs: number): EventLog {
  return {
    ...log,
    async append(...batch) {
      await pause(clock, spanMs);
      return log.append(...batch);
    },
  };
}

/** Like a process of several: has heard of so many records of others in every topic, says the truth only to who has read further. */
function deaf(log: EventLog, heard: number): EventLog {
  const known = { inputs: heard, facts: heard };
  return {
    ...log,
    async append(topic, batch) {
      const offset = await log.append(topic, batch);
      known[topic] = Math.max(known[topic], offset + batch.values.length);
      return offset;
    },
    async end(topic, partition, atLeast = 0) {
      return known[topic] < atLeast ? log.end(topic, partition) : known[topic];
    },
  };
}

function spent(seq: number, scope = 's'): WakeSpent {
  return { type: 'WakeSpent', scope, seq, at: someday, token: 't' };
}

test('H1: after a checkpoint that could not be saved the tail is turned again, saved, and no fact is on the log twice', async () => {
  const made = world();
  const { clock } = made;
  const host = made.host();
  await host.start();
  await made.append();
  await clock.forward(savedMs);
  assert.equal(host.saved.inputs, 1);

  made.savesToFail = 1;
  await made.append();
  await clock.forward(2 * savedMs);
  assert.equal(host.saved.inputs, 2, 'it is saved although nothing else comes');
  for (let nth = 0; nth < 3; nth += 1) await made.append();
  await clock.forward(savedMs);

  assert.deepEqual(host.saved, { inputs: 5, facts: 5 });
  assert.deepEqual(
    (await made.facts()).map(({ seq }) => seq),
    [1, 2, 3, 4, 5],
  );
  assert.equal(made.loads, 2);
  assert.deepEqual(made.troubles.map(String), ['GatewayError: the disk is full']);
  await stopped(made, host);
});

test('H1: a gateway that crashes again while it turns its tail again writes no fact twice', async () => {
  const made = world();
  const { clock, store } = made;
  const neverSaved: Checkpoints = { ...store.checkpoints, save: () => new Promise(() => {}) };
  const first = made.host({ checkpoints: neverSaved });
  await first.start();
  for (let nth = 0; nth < 5; nth += 1) await made.append();
  await clock.forward(savedMs); // it dies: all facts are on the log, no checkpoint is

  const read: EventLog['read'] = async (topic, partition, from, max) => {
    const records = await store.log.read(topic, partition, from, max);
    return topic === 'inputs' ? records.filter(({ offset }) => offset < 2) : records;
  };
  const again = made.host({ log: { ...store.log, read } });
  await again.start();
  await clock.forward(savedMs); // it dies when it has turned two of five again, and saved them
  assert.equal(again.saved.inputs, 2);

  const third = made.host();
  await third.start();
  await clock.forward(savedMs);
  assert.deepEqual(third.saved, { inputs: 5, facts: 5 });
  assert.deepEqual(
    (await made.facts()).map(({ seq }) => seq),
    [1, 2, 3, 4, 5],
  );
  await stopped(made, third);
});

test('checkpoints that cannot be loaded are asked for twice a second, however many inputs arrive', async () => {
  const made = world();
  const { clock } = made;
  const host = made.host();
  await host.start();
  made.isLoadBroken = true;
  made.savesToFail = 1;
  await made.append();
  await clock.forward(savedMs);

  const before = made.loads;
  for (let nth = 0; nth < 100; nth += 1) {
    await made.append();
    await clock.forward(10);
  }
  assert.ok(made.loads - before <= 2, `${made.loads - before} loads in a second`);

  made.isLoadBroken = false;
  await clock.forward(2 * savedMs);
  assert.deepEqual(host.saved, { inputs: 101, facts: 101 });
  await stopped(made, host);
});

test('nothing waits, as far as can be told, until the desks are loaded; then what came since the checkpoint does', async () => {
  const made = world();
  const { clock, store } = made;
  const before = made.host();
  await before.start();
  for (let nth = 0; nth < 30; nth += 1) await made.append();
  await clock.forward(second);
  await stopped(made, before);
  for (let nth = 0; nth < 3; nth += 1) await made.append();

  const loading = Promise.withResolvers<void>();
  const reading = Promise.withResolvers<void>();
  const host = made.host({
    checkpoints: { ...store.checkpoints, load: (...loaded) => loading.promise.then(() => store.checkpoints.load(...loaded)) },
    log: {
      ...store.log,
      read: (topic, ...place) => (topic === 'inputs' ? reading.promise : Promise.resolve()).then(() => store.log.read(topic, ...place)),
    },
  });
  const started = host.start();
  await clock.settle();
  assert.equal(await host.lag(), 0);
  loading.resolve();
  await started;
  assert.equal(await host.lag(), 3);
  reading.resolve();
  await clock.settle();

  assert.equal(await host.lag(), 0);
  await stopped(made, host);
});

test('waits of fifty scopes that are due at once are answered in the time of one append', async () => {
  const made = world();
  const { clock, store } = made;
  const scopes = Array.from({ length: 50 }, (_, nth) => `s${nth}`);
  const wake = { kind: 'silence', silence: 'x', endsAt: someday };
  const rows = scopes.map((scope) => ({ scope, table: 'wakes', key: 't', doc: { wake, dueAt: someday + second, afterMs: second } }));
  await store.checkpoints.save(0, { inputs: 0, facts: 0 }, rows);
  const host = made.host({ log: slowAppends(store.log, clock, 20) });
  await host.start();

  await clock.forward(second + 20);

  const woken = await store.log.read('inputs', 0, 0, 1_000);
  assert.deepEqual(
    woken.map(({ scope, value }) => `${(value as Input).type} ${scope}`).toSorted(),
    scopes.map((scope) => `Woke ${scope}`).toSorted(),
  );
  await stopped(made, host);
});

test('H3: a log that holds what a move brought, and no checkpoint, stops the host, which names the half-way move', async () => {
  const moved: AlertDecided = {
    type: 'AlertDecided',
    scope: 's',
    seq: 1,
    at: someday,
    fingerprint: 'f',
    change: 'opened',
    incident: null,
    decision: 'record',
    reason: 'moved',
    score: null,
    delivery: '',
    index: 0,
    offset: -1,
  };
  const half = world();
  await half.store.log.append('facts', { partition: 0, scope: 's', values: [moved] });
  await assert.rejects(
    half.host().start(),
    (error) => error instanceof Error && !(error instanceof GatewayError) && /move to this log broke off half-way/.test(error.message),
  );

  const whole = world();
  await whole.store.log.append('facts', { partition: 0, scope: 's', values: [moved] });
  await whole.store.checkpoints.save(0, { inputs: 0, facts: 0 }, []);
  const host = whole.host();
  await host.start();
  await stopped(whole, host);

  const own = world();
  await own.store.log.append('facts', { partition: 0, scope: 's', values: [{ ...moved, offset: 0 }] });
  const restarted = own.host();
  await restarted.start();
  await stopped(own, restarted);
});

test('a host begins although another one goes on appending facts while it looks for the newest', async () => {
  const made = world();
  const { clock, store } = made;
  let seq = 0;
  const append = (): Promise<number> => store.log.append('facts', { partition: 0, scope: 's', values: [spent((seq += 1))] });
  for (let nth = 0; nth < 3; nth += 1) await append();
  const host = made.host({
    log: {
      ...store.log,
      async read(topic, ...place) {
        if (topic === 'facts') {
          await append();
          await pause(clock, 10);
        }
        return store.log.read(topic, ...place);
      },
    },
  });

  let begun = false;
  const started = host.start().then(() => (begun = true));
  await clock.forward(second);
  assert.ok(begun);
  await started;
  await stopped(made, host);
});

test('a log that has not heard yet how far the host has read is not taken for one that was cut back', async () => {
  const made = world();
  const { clock, store } = made;
  const host = made.host({ log: deaf(store.log, 2) });
  await host.start();
  for (let nth = 0; nth < 5; nth += 1) await made.append();
  await clock.forward(savedMs);
  assert.equal(host.saved.inputs, 5);
  assert.equal(await host.lag(), 0);
  assert.deepEqual(made.troubles, []);
  made.savesToFail = 1;
  await made.append();
  await stopped(made, host);
  made.troubles.length = 0;

  const next = made.host({ log: deaf(store.log, 2) });
  await next.start();
  await made.append();
  await clock.forward(savedMs);

  assert.deepEqual(made.troubles, []);
  assert.equal(next.saved.inputs, 7);
  assert.deepEqual(
    (await made.facts()).map(({ seq }) => seq),
    [1, 2, 3, 4, 5, 6, 7],
  );
  await stopped(made, next);
});

test('F8: what may wait is let on as far as it is turned soon, counts as waiting to be decided, and a critical that comes behind it is turned first', async () => {
  const clock = virtualClock();
  const store = memoryStore({ disk: memoryDisk(), partitions: 1, clock, bulk: true });
  const { bulk } = store.log;
  assert.ok(bulk !== undefined);
  const hidden = (group: string) => ({
    partition: 0,
    scope: 's',
    values: [{ type: 'AlertsHidden', scope: 's', at: clock.now(), endpoint: 'e', count: 1, group }],
  });
  bulk.limit(0, 0);
  for (let n = 0; n < 2_000; n += 1) await bulk.append(hidden(`bulk${n}`));
  const host = loneHost(store, clock, { yieldToIntake: () => pause(clock, 10), onTrouble: () => {} });
  await host.start();
  assert.ok((await host.lag()) > 1_500, `${await host.lag()} wait`);
  await store.log.append('inputs', hidden('urgent'));
  await clock.forward(second);
  const groups = (await store.log.read('facts', 0, 0, 10_000)).flatMap(({ value }) =>
    'group' in (value as object) ? [(value as { group: string }).group] : [],
  );
  assert.equal(await host.lag(), 0);
  assert.equal(groups.length, 2_001);
  const ahead = groups.indexOf('urgent');
  assert.ok(ahead >= 0 && ahead <= 1_100, `${ahead} were turned before it`);
  assert.deepEqual(
    groups.filter((group) => group !== 'urgent'),
    Array.from({ length: 2_000 }, (_, n) => `bulk${n}`),
  );
  const end = host.stop();
  await clock.forward(2 * second);
  await end;
});
