// What a single broker can do to the shared log: be away, come back, answer into the void, refuse a record, hold topics that are not as they must be.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayError } from '../../../src/core/errors.ts';
import { until } from '../../senders/support.ts';
import { kafkaPresence, startKafka, type KafkaCluster } from '../broker/kafka.ts';
import { startProxy, type Proxy } from './proxy.ts';
import { assertNothingLost, crowd, everythingIn, newPrefix, open, outsider, patienceMs, well, withAdmin } from './support.ts';

const presence = kafkaPresence({ own: true });
/** An append ends within the writer's deadline, one that waited behind another within two; the rest is a busy machine. */
const appendWithinMs = 2 * 8_000 + 2_000;

/** A client that was left alone would have tried again by then. */
const triesOnMs = 6_000;
/** Of the time after which a send is given up. */
const halfwayMs = 4_000;

describe('a broker', { skip: presence.skip }, () => {
  let cluster: KafkaCluster;
  before(async () => {
    presence.demand();
    cluster = await startKafka({ brokers: 1 });
  });
  after(() => cluster?.stop());

  test('that is killed and comes back: appends end in time, nothing acknowledged is lost, followers go on, and it is said once', async (t) => {
    const opened = await open(cluster);
    const { log, lines } = opened;
    const writers = crowd(log, 'inputs', 10);
    let heard = 0;
    const unwatch = log.watch('inputs', 0, () => (heard += 1));
    try {
      await until('appends go well', {
        withinMs: patienceMs,
        look: async () => (writers.acked.length > 100 ? true : null),
        seen: async () => '',
      });
      await cluster.broker(1).kill();
      await until('an append fails', {
        withinMs: patienceMs,
        look: async () => (writers.failed.length > 0 ? true : null),
        seen: async () => '',
      });
      const problem = opened.backbone.problem();
      const [ackedAway, heardAway] = [writers.acked.length, heard];

      const restarted = performance.now();
      await cluster.broker(1).start();
      const served = performance.now();
      await until('appends go well again', {
        withinMs: patienceMs,
        look: async () => (writers.acked.length > ackedAway + 100 && heard > heardAway ? true : null),
        seen: async () => `${writers.acked.length - ackedAway} acknowledged, ${heard - heardAway} heard`,
      });
      t.diagnostic(
        `appends again ${Math.round(performance.now() - served)} ms after the broker serves, which took ${Math.round(served - restarted)} ms`,
      );
      await well(opened);

      await writers.stop();
      assert.match(problem ?? '', /^\S.* fails since \d+ s: /);
      assert.ok(
        writers.failed.every(({ code }) => code === 'log_unavailable'),
        JSON.stringify(writers.failed[0]),
      );
      assert.ok(writers.slowestMs < appendWithinMs, `an append took ${writers.slowestMs} ms`);
      assertNothingLost(writers.acked, await everythingIn(outsider(cluster), `${opened.prefix}inputs`));
      lines.assertInTurns(log.partitions); // which are one part: one may fail when another went well again
      const away = lines.of('log is away').find(({ fields }) => fields['part'] === `append to ${opened.prefix}inputs`);
      assert.match(String(away?.fields['advice']), /log\.brokers/);
    } finally {
      unwatch();
      await writers.stop();
      await opened.close();
    }
  });

  test('that takes no record of this size: that batch is refused, others go on, and it is said what to raise', async () => {
    const opened = await open(cluster);
    const { log, lines, prefix } = opened;
    const topic = `${prefix}inputs`;
    try {
      const lowered = { type: 2, name: topic, configEntries: [{ name: 'max.message.bytes', value: '20000' }] };
      await withAdmin(outsider(cluster), (admin) => admin.alterConfigs({ validateOnly: false, resources: [lowered] }));
      const append = (name: string, bytes: number, partition = 0): Promise<number> =>
        log.append('inputs', { partition, scope: 's', values: [{ type: 'Test', name, pad: 'x'.repeat(bytes) }] });
      let probes = 0;
      await until('the broker takes no such record any more', {
        withinMs: patienceMs,
        look: async () =>
          append(`probe:${(probes += 1)}`, 30_000, 1).then(
            () => null,
            ({ code }: GatewayError) => (code === 'payload_too_large' ? true : null),
          ),
        seen: async () => JSON.stringify(lines.all),
      });
      const ends = await Promise.allSettled([append('a:0', 10), append('b:0', 30_000), append('c:0', 15_000), append('d:0', 15_000)]);

      assert.deepEqual(
        ends.map((end) =>
          end.status === 'fulfilled' ? 'acked' : end.reason instanceof GatewayError ? end.reason.code : String(end.reason),
        ),
        ['acked', 'payload_too_large', 'acked', 'acked'],
      );
      const acked = ['a:0', 'b:0', 'c:0', 'd:0'].flatMap((name, place) => {
        const end = ends[place];
        return end?.status === 'fulfilled' ? [{ name, partition: 0, offset: end.value }] : [];
      });
      assertNothingLost(acked, await everythingIn(outsider(cluster), topic));
      const told = lines.of('record is larger than the topic takes: raise its max.message.bytes');
      assert.deepEqual(
        told.map(({ fields }) => [fields['topic'], fields['partition']]),
        [
          [topic, 1],
          [topic, 0],
        ],
      );
      assert.equal(lines.of('log is away').length, 0);
    } finally {
      await opened.close();
    }
  });

  for (const { says, topics, options = {}, expected } of wrongTopics()) {
    test(`with ${says}: the gateway does not start, and the sentence names topic, what is there and what must be`, async () => {
      const topicPrefix = newPrefix();
      const made = topics(topicPrefix);
      if (made.length > 0) await withAdmin(outsider(cluster), (admin) => admin.createTopics({ topics: made, waitForLeaders: false }));
      const refused = open(cluster, { topicPrefix, ...options });

      await assert.rejects(refused, (error: unknown) => {
        assert.ok(error instanceof GatewayError);
        assert.equal(error.code, 'invalid_config');
        for (const part of expected(topicPrefix)) assert.ok(error.message.includes(part), `${error.message}\nnames ${part}`);
        return true;
      });
    });
  }

  test('with fewer copies than are asked for: the gateway works, and says once what is there and what was expected', async () => {
    const first = await open(cluster);
    await first.close();
    const second = await open(cluster, { topicPrefix: first.prefix, replication: 3 });
    try {
      await second.log.append('inputs', { partition: 0, scope: 's', values: [{ type: 'Test' }] });
      await well(second);

      const [line, ...more] = second.lines.of('topics hold fewer copies than log.replication asks for');
      assert.deepEqual([line?.level, line?.fields['expected'], more.length], ['warn', 'replicas 3, min.insync.replicas 2', 0]);
      assert.ok(String(line?.fields['seen']).includes(`${first.prefix}inputs: replicas 1, min.insync.replicas 1`), JSON.stringify(line));
    } finally {
      await second.close();
    }
  });

  test('whose topics are mended by somebody: the gateway that complained of them takes it back by itself', async () => {
    const opened = await open(cluster);
    const { lines, prefix } = opened;
    const set = (value: string): Promise<unknown> => {
      const resource = { type: 2, name: `${prefix}facts`, configEntries: [{ name: 'max.message.bytes', value }] };
      return withAdmin(outsider(cluster), (admin) => admin.alterConfigs({ validateOnly: false, resources: [resource] }));
    };
    const large = (): Promise<unknown> =>
      opened.log.append('facts', { partition: 0, scope: 's', values: [{ type: 'Test', pad: 'x'.repeat(30_000) }] }).catch(() => {});
    try {
      await set('20000');
      await until('the topic is complained of', {
        withinMs: patienceMs,
        async look() {
          await large(); // its refusal is a reason to look at the topics
          return opened.backbone.problem()?.includes('max.message.bytes=20000') === true ? true : null;
        },
        seen: async () => JSON.stringify(lines.all),
      });
      await set('8388608');
      await well(opened);
      assert.equal(lines.of('log cannot be used').length, 1);
      assert.equal(lines.of('log can be used again').length, 1);
    } finally {
      await opened.close();
    }
  });
});

interface WrongTopics {
  readonly says: string;
  readonly topics: (prefix: string) => { topic: string; numPartitions: number; configEntries?: { name: string; value: string }[] }[];
  readonly options?: { readonly replication?: number; readonly createTopics?: boolean };
  readonly expected: (prefix: string) => readonly string[];
}

function wrongTopics(): readonly WrongTopics[] {
  return [
    {
      says: 'a topic of another number of partitions',
      topics: (prefix) => [{ topic: `${prefix}facts`, numPartitions: 3 }],
      expected: (prefix) => [`topic ${prefix}facts has 3 partitions`, 'asks for 2', 'log.partitions'],
    },
    {
      says: 'desks that are deleted with age',
      topics: (prefix) => [
        {
          topic: `${prefix}desks`,
          numPartitions: 2,
          configEntries: [
            { name: 'cleanup.policy', value: 'delete' },
            { name: 'max.message.bytes', value: '8388608' },
          ],
        },
      ],
      expected: (prefix) => [`topic ${prefix}desks has cleanup.policy=delete`, 'expected compact'],
    },
    {
      says: 'inputs that are compacted, and take small records only',
      topics: (prefix) => [{ topic: `${prefix}inputs`, numPartitions: 2, configEntries: [{ name: 'cleanup.policy', value: 'compact' }] }],
      expected: (prefix) => [
        `topic ${prefix}inputs has cleanup.policy=compact`,
        'expected delete',
        'max.message.bytes=1048588, expected at least 2097152',
      ],
    },
    {
      says: 'fewer brokers than copies are asked for',
      topics: () => [],
      options: { replication: 3 },
      expected: () => ['log.replication is 3', 'not that many brokers'],
    },
    {
      says: 'no topics, and none may be made',
      topics: () => [],
      options: { createTopics: false },
      expected: (prefix) => [`${prefix}inputs`, `${prefix}deadletter`, 'log.createTopics is false'],
    },
  ];
}

describe('an answer that is lost on its way', { skip: presence.skip }, () => {
  let proxy: Proxy;
  let cluster: KafkaCluster;
  before(async () => {
    presence.demand();
    proxy = await startProxy();
    const advertised = { 'inter.broker.listener.name': 'CLIENT', 'advertised.listeners': `CLIENT://127.0.0.1:${proxy.port}` };
    cluster = await startKafka({ brokers: 1, properties: advertised });
    proxy.to(cluster.broker(1).port);
  });
  after(async () => {
    proxy?.close();
    await cluster?.stop();
  });

  test('W1: what is appended meanwhile waits, and nothing acknowledged is lost or doubled', async () => {
    const opened = await open(cluster);
    const append = (name: string): Promise<{ name: string; partition: number; offset: number }> =>
      opened.log
        .append('inputs', { partition: 0, scope: 's', values: [{ type: 'Test', name }] })
        .then((offset) => ({ name, partition: 0, offset }));
    try {
      await append('warm:0');
      const swallowed = proxy.swallowProduce();
      const first = append('a:0');
      await swallowed;
      const acked = [first, append('b:0'), sleep(20).then(() => append('c:0')), sleep(300).then(() => append('d:0'))];

      const all = await Promise.all(acked);
      assertNothingLost(all, await everythingIn(outsider(cluster), `${opened.prefix}inputs`));
    } finally {
      await opened.close();
    }
  });

  test('W2: a send that was given up does not make the next one a repeat', async () => {
    const opened = await open(cluster);
    const append = (name: string): Promise<number> =>
      opened.log.append('inputs', { partition: 0, scope: 's', values: [{ type: 'Test', name }] });
    try {
      await append('warm:0');
      const swallowed = proxy.swallowProduce();
      const inDoubt = append('a:0');
      inDoubt.catch(() => {});
      await swallowed;
      proxy.cut();
      await assert.rejects(inDoubt, { code: 'log_unavailable' });
      proxy.mend();

      const offset = await append('b:0');
      assertNothingLost([{ name: 'b:0', partition: 0, offset }], await everythingIn(outsider(cluster), `${opened.prefix}inputs`));
    } finally {
      proxy.mend();
      await opened.close();
    }
  });

  test('W2: a send that was given up is not tried again behind what was appended meanwhile', async () => {
    const opened = await open(cluster);
    const acked: { name: string; partition: number; offset: number }[] = [];
    const append = async (name: string, partition = 0): Promise<void> => {
      const offset = await opened.log.append('inputs', { partition, scope: 's', values: [{ type: 'Test', name }] });
      acked.push({ name, partition, offset });
    };
    try {
      await append('a:0');
      proxy.deafen();
      const givenUp = assert.rejects(append('a:1'), { code: 'log_unavailable' });
      await sleep(halfwayMs);
      const beside = append('b:0', 1).catch(() => {}); // on its way when the producer is thrown away
      await givenUp;
      proxy.mend();
      await append('a:2');
      await beside;
      await sleep(triesOnMs);

      assertNothingLost(acked, await everythingIn(outsider(cluster), `${opened.prefix}inputs`));
    } finally {
      proxy.mend();
      await opened.close();
    }
  });
});
