// What three brokers can do to the shared log: the leader of a partition dies, or stands still and goes on later.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../senders/support.ts';
import { kafkaPresence, startKafka, type KafkaBroker, type KafkaCluster } from '../broker/kafka.ts';
import { assertNothingLost, crowd, everythingIn, open, outsider, patienceMs, well, withAdmin, type Crowd, type Opened } from './support.ts';

const presence = kafkaPresence({ own: true });
const writers = 50;
/** An append ends within the writer's deadline, one that waited behind another within two; the rest is a busy machine. */
const appendWithinMs = 2 * 8_000 + 2_000;
/** Above the time after which the brokers take the leader for dead, and the deadline of a send. */
const stillMs = 12_000;
/** A broker that was killed mends its logs before it serves, and then catches up; the rest is a busy machine. */
const inStepWithinMs = 90_000;

describe('a cluster', { skip: presence.skip }, () => {
  let cluster: KafkaCluster;
  before(async () => {
    presence.demand();
    cluster = await startKafka({ brokers: 3 });
  });
  after(() => cluster?.stop());

  async function leaderOf(topic: string, partition: number): Promise<KafkaBroker> {
    const { topics } = await withAdmin(outsider(cluster), (admin) => admin.fetchTopicMetadata({ topics: [topic] }));
    const leader = topics[0]?.partitions.find(({ partitionId }) => partitionId === partition)?.leader;
    return cluster.broker(leader ?? assert.fail(`no leader of ${topic} ${partition}`));
  }

  async function inStep(topic: string): Promise<void> {
    const copies = async (): Promise<string> => {
      const known = await withAdmin(outsider(cluster), (admin) => admin.fetchTopicMetadata({ topics: [topic] }));
      return (known.topics[0]?.partitions ?? []).map(({ isr }) => isr.length).join(' ');
    };
    const seen = async (): Promise<string> => copies().catch(String);
    await until(`every copy of ${topic} is in step`, {
      withinMs: inStepWithinMs,
      look: async () => (/^3( 3)*$/.test(await seen()) ? true : null),
      seen,
    });
  }

  async function goesWell(all: Crowd, records: number): Promise<void> {
    const had = all.acked.length;
    await until(`${records} more appends`, {
      withinMs: patienceMs,
      look: async () => (all.acked.length > had + records ? true : null),
      seen: async () => `${all.acked.length - had} acknowledged, failed: ${JSON.stringify(all.failed.at(-1))}`,
    });
  }

  /** A process that writes nothing itself hears of the partition's newest records. */
  async function follows({ log }: Opened, above: number): Promise<void> {
    await until('the follower goes on', {
      withinMs: patienceMs,
      look: async () => ((await log.end('inputs', 0)) > above ? true : null),
      seen: async () => `an end of ${await log.end('inputs', 0)}, not above ${above}`,
    });
  }

  async function assertKept(opened: Opened, all: Crowd): Promise<void> {
    assert.ok(
      all.failed.every(({ code }) => code === 'log_unavailable'),
      JSON.stringify(all.failed[0]),
    );
    assert.ok(all.slowestMs < appendWithinMs, `an append took ${Math.round(all.slowestMs)} ms`);
    assertNothingLost(all.acked, await everythingIn(outsider(cluster), `${opened.prefix}inputs`));
  }

  test('whose leader is killed under appends: what was acknowledged is there once, in order, and appends go on', async (t) => {
    const opened = await open(cluster, { partitions: 3 });
    const elsewhere = await open(cluster, { partitions: 3, topicPrefix: opened.prefix });
    const unwatch = elsewhere.log.watch('inputs', 0, () => {});
    const all = crowd(opened.log, 'inputs', writers);
    try {
      await goesWell(all, 1_000);
      await follows(elsewhere, 0);
      const leader = await leaderOf(`${opened.prefix}inputs`, 0);
      await leader.kill();
      // What was under way when it died may still be heard of.
      const followed = (await elsewhere.log.end('inputs', 0)) + writers;
      await goesWell(all, 1_000);
      await follows(elsewhere, followed);
      t.diagnostic(
        `the partition took the next append ${all.pauseOf(0)} ms after its leader was killed; ${all.failed.length} of ${all.acked.length} not acknowledged`,
      );

      await leader.start();
      await inStep(`${opened.prefix}inputs`);
      await goesWell(all, 1_000);
      await well(opened);
      await all.stop();
      await assertKept(opened, all);
    } finally {
      unwatch();
      await all.stop();
      await Promise.all([opened.close(), elsewhere.close()]);
      for (const broker of cluster.brokers) if (broker.pid === null) await broker.start();
    }
  });

  test('whose leader stands still and goes on: the deadline holds, and nothing acknowledged is lost or doubled', async (t) => {
    const opened = await open(cluster, { partitions: 3 });
    const all = crowd(opened.log, 'inputs', writers);
    try {
      await goesWell(all, 1_000);
      const leader = await leaderOf(`${opened.prefix}inputs`, 0);
      await leader.kill('SIGSTOP');
      try {
        await sleep(stillMs);
      } finally {
        await leader.kill('SIGCONT');
      }
      await goesWell(all, 1_000);
      await inStep(`${opened.prefix}inputs`);
      await well(opened);
      t.diagnostic(
        `longest pause of the partition ${all.pauseOf(0)} ms, slowest append ${Math.round(all.slowestMs)} ms; ${all.failed.length} of ${all.acked.length} not acknowledged`,
      );

      await all.stop();
      await assertKept(opened, all);
      // Partitions are one part of the log: one may fail when another went well again. A quick change of leader fails none.
      opened.lines.assertInTurns(opened.log.partitions, all.failed.length > 0);
    } finally {
      await all.stop();
      await opened.close();
    }
  });
});
