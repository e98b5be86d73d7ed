// The store contract over real brokers: the shared log, checkpoints, cursors and dead letters, with the read model of the embedded store.
import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openKafka } from '../../adapters/kafka/backbone.ts';
import { sqliteLimits, sqliteStore } from '../../adapters/sqlite/store.ts';
import { systemClock } from '../../src/gateway/clock.ts';
import type { Store } from '../../src/ports/store.ts';
import {
  contractLimits,
  contractPartitions,
  withStore,
  type OpenedStore,
  type Promised,
  type SetClock,
} from '../contracts/store-fixture.ts';
import { logContract, stateContract } from '../contracts/store-log.ts';
import { viewsContract } from '../contracts/store-views.ts';
import { until } from '../senders/support.ts';
import { newAlerts } from '../support/storm-of-new.ts';
import { foreignBrokers } from './broker/jars.ts';
import { kafkaPresence, kafkaVersions, startKafka, type KafkaCluster } from './broker/kafka.ts';

const presence = kafkaPresence({ own: false });

function suite(version: string): void {
  let cluster: KafkaCluster;
  let count = 0;
  before(async () => {
    presence.demand();
    cluster = await startKafka({ brokers: 1, version });
  });
  after(() => cluster.stop());

  describe('log', () => logContract(promised('shared')));
  describe('checkpoints and cursors', () => stateContract(promised('shared')));
  // The read model of a process moves its own cursors, which are in its own store.
  describe('dead letters beside the read model', () => viewsContract(promised('local')));

  test('a partition that was watched once, and is no more, is read to the end that others gave it', async () => {
    const dirs = [await mkdtemp(join(tmpdir(), 'quench-kafka-')), await mkdtemp(join(tmpdir(), 'quench-kafka-'))];
    const clock: SetClock = { at: 1_000, now: () => 1_000 };
    const [here, there] = await Promise.all(dirs.map((dir) => open(`w${process.pid}.`, dir, clock, 'shared')));
    assert.ok(here !== undefined && there !== undefined);
    const batch = { partition: 0, scope: 's', values: [{ n: 1 }] };
    const unwatch = here.log.watch('facts', 0, () => {});
    await here.log.append('facts', batch);
    unwatch();
    await there.log.append('facts', batch);

    assert.equal((await here.log.read('facts', 0, 0, 10)).length, 2);
    assert.equal((await here.log.read('facts', 0, 1, 10)).length, 1);

    for (const store of [here, there]) await store.close();
    for (const dir of dirs) await rm(dir, { recursive: true, force: true });
  });

  test('L4: facts of one append are read from any of their offsets, by this process and by another, also when what was before is trimmed', async () => {
    const dirs = await Promise.all([1, 2, 3].map(() => mkdtemp(join(tmpdir(), 'quench-kafka-'))));
    const clock: SetClock = { at: 1_000, now: () => 1_000 };
    const [here, there, fresh] = await Promise.all(dirs.map((dir) => open(`g${process.pid}.`, dir, clock, 'shared')));
    assert.ok(here !== undefined && there !== undefined && fresh !== undefined);
    const facts = newAlerts(40).flatMap((turned) => turned.facts);
    let followed: readonly unknown[] = [];
    const follow = async (): Promise<void> => {
      followed = (await there.log.read('facts', 0, 0, facts.length)).map(({ value }) => value);
    };
    there.log.watch('facts', 0, () => void follow().catch(() => {}));
    await there.log.end('facts', 0, Number.POSITIVE_INFINITY);
    assert.equal(await here.log.append('facts', { partition: 0, scope: 'default', values: facts.slice(0, 3) }), 0);
    assert.equal(await here.log.append('facts', { partition: 0, scope: 'default', values: facts.slice(3) }), 3);
    await until('the other process follows them', {
      withinMs: 30_000,
      look: async () => (followed.length === facts.length ? true : null),
      seen: async () => String(followed.length),
    });
    assert.deepEqual(followed, facts);

    for (const { log } of [here, there])
      for (const offset of [0, 1, 2, 3, 4, 64, 129, 131, facts.length - 1]) {
        const records = await log.read('facts', 0, offset, 2);
        assert.deepEqual(
          records.map((record) => [record.offset, record.scope, record.value]),
          facts.slice(offset, offset + 2).map((fact, place) => [offset + place, 'default', fact]),
        );
      }
    await here.log.trim('facts', 0, 5);
    const [first] = await fresh.log.read('facts', 0, 0, 1);
    assert.deepEqual([first?.offset, first?.value], [5, facts[5]]);

    for (const store of [here, there, fresh]) await store.close();
    for (const dir of dirs) await rm(dir, { recursive: true, force: true });
  });

  test('Q1: connections that wait for nothing set no timers', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'quench-kafka-'));
    const clock: SetClock = { at: 1_000, now: () => 1_000 };
    const store = await open(`idle${process.pid}.`, dir, clock, 'shared');
    await store.log.append('facts', { partition: 0, scope: 's', values: [{ n: 1 }] });
    assert.equal((await store.log.read('facts', 0, 0, 10)).length, 1);
    let timers = 0;
    const hook = createHook({ init: (_id, type) => void (type === 'Timeout' ? (timers += 1) : undefined) }).enable();
    await sleep(1_000);
    hook.disable();
    await store.close();
    await rm(dir, { recursive: true, force: true });

    assert.ok(timers < 100, `${timers} timers in a second: some 700 for each connection that looks all the time`);
  });

  test('a partition that is watched again, after nobody watched it for a while, tells of what others append', async () => {
    const dirs = [await mkdtemp(join(tmpdir(), 'quench-kafka-')), await mkdtemp(join(tmpdir(), 'quench-kafka-'))];
    const clock: SetClock = { at: 1_000, now: () => 1_000 };
    const [here, there] = await Promise.all(dirs.map((dir) => open(`a${process.pid}.`, dir, clock, 'shared')));
    assert.ok(here !== undefined && there !== undefined);
    const { log } = here;
    const batch = { partition: 0, scope: 's', values: [{ n: 1 }] };
    const unwatch = log.watch('facts', 0, () => {});
    await log.append('facts', batch);
    unwatch();
    await sleep(1_000); // for the follower to let it go
    let read = 0;
    let failed: unknown = null;
    log.watch('facts', 0, () => {
      log.read('facts', 0, 0, 10).then(
        (records) => (read = records.length),
        (error: unknown) => (failed = error),
      );
    });

    for (const many of [2, 3]) {
      await there.log.append('facts', batch);
      await until(`woken to read ${many} records`, {
        withinMs: 30_000,
        look: async () => (read === many ? true : null),
        seen: async () => `${read}, failed: ${String(failed)}`,
      });
    }

    for (const store of [here, there]) await store.close();
    for (const dir of dirs) await rm(dir, { recursive: true, force: true });
  });

  function promised(cursors: 'shared' | 'local'): Promised {
    return (says, run) => {
      test(says, () => withStore((clock) => opened(cursors, clock), run));
    };
  }

  async function opened(cursors: 'shared' | 'local', clock: SetClock): Promise<OpenedStore> {
    count += 1;
    const prefix = `c${process.pid}-${count}.`;
    const dir = await mkdtemp(join(tmpdir(), 'quench-kafka-'));
    let store = await open(prefix, dir, clock, cursors);
    return {
      store,
      remote: true,
      async reopen() {
        await store.close();
        store = await open(prefix, dir, clock, cursors);
        return store;
      },
      async destroy() {
        await store.close();
        await rm(dir, { recursive: true, force: true });
      },
    };
  }

  async function open(topicPrefix: string, dir: string, clock: SetClock, whose: 'shared' | 'local'): Promise<Store> {
    const limits = { ...sqliteLimits, ...contractLimits };
    const local = await sqliteStore({
      path: join(dir, 'quench.db'),
      partitions: contractPartitions,
      limits,
      clock: { ...systemClock, now: clock.now },
    });
    const backbone = await openKafka(
      { brokers: cluster.bootstrap, topicPrefix, partitions: contractPartitions, replication: 1 },
      {
        clock: systemClock,
        logger: { info: () => {}, warn: console.warn, error: console.error },
        watch: { appended: () => {}, rebalanced: () => {} },
        local,
        instance: `test-${count}`,
        retentionMs: 86_400_000,
        limits: { recordsMax: contractLimits.queueRecordsMax, bytesMax: contractLimits.queueBytesMax },
      },
    );
    const { log, checkpoints, cursors, deadLetters } = backbone;
    return {
      log,
      checkpoints,
      cursors: whose === 'shared' ? cursors : local.cursors,
      deadLetters,
      views: local.views,
      probe: local.probe,
      async close() {
        await backbone.close();
        await local.close();
      },
    };
  }
}

// Somebody else's brokers have the version that they have.
const versions = foreignBrokers().length > 0 ? [kafkaVersions.newest] : Object.values(kafkaVersions);
for (const version of versions) describe(`kafka ${version}`, { skip: presence.skip }, () => suite(version));
