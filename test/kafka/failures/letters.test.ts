// What dead letters meet on their way to the other gateways: a heap of them after an outage, one that the topic does not take, a store that failed.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createClient } from '../../../adapters/kafka/client.ts';
import { createLetters, type SharedLetters } from '../../../adapters/kafka/deadletters.ts';
import { memoryDisk } from '../../../adapters/memory/disk.ts';
import { memoryStore } from '../../../adapters/memory/store.ts';
import { GatewayError } from '../../../src/core/errors.ts';
import { systemClock } from '../../../src/gateway/clock.ts';
import type { DeadLetter, DeadLetters } from '../../../src/ports/dead-letters.ts';
import type { Store } from '../../../src/ports/store.ts';
import { until } from '../../senders/support.ts';
import { kafkaPresence, startKafka, type KafkaCluster } from '../broker/kafka.ts';
import { everythingIn, Lines, newPrefix, open, outsider, patienceMs, withAdmin } from './support.ts';

const presence = kafkaPresence({ own: true });

describe('dead letters', { skip: presence.skip }, () => {
  let cluster: KafkaCluster;
  before(async () => {
    presence.demand();
    cluster = await startKafka({ brokers: 1 });
  });
  after(() => cluster?.stop());

  test('of an outage, together more than may wait to be appended, reach the other gateways', async () => {
    const there = await open(cluster);
    const here = lettersOf(cluster.bootstrap, there.prefix);
    try {
      const ids = Array.from({ length: 66 }, (_, place) => `l${place}`);
      for (const id of ids) await here.letters.add(letter(id, 1_048_576));
      here.letters.start();

      await arrived(there.backbone.deadLetters, ids, here.lines);
      assert.deepEqual(here.lines.all, []);
    } finally {
      await here.close();
      await there.close();
    }
  });

  test('B3: one that the topic does not take stays in its gateway, is said once with its size, and the others are carried on, once', async () => {
    const there = await open(cluster);
    const here = lettersOf(cluster.bootstrap, there.prefix);
    const topic = `${there.prefix}deadletter`;
    try {
      const lowered = { type: 2, name: topic, configEntries: [{ name: 'max.message.bytes', value: '20000' }] };
      await withAdmin(outsider(cluster), (admin) => admin.alterConfigs({ validateOnly: false, resources: [lowered] }));
      await refusesLargeOnes(cluster, topic);
      for (const [id, bytes] of [
        ['a', 10],
        ['large', 30_000],
        ['b', 10],
      ] as const)
        await here.letters.add(letter(id, bytes));
      here.letters.start();
      await arrived(there.backbone.deadLetters, ['a', 'b'], here.lines);
      await here.letters.add(letter('c', 10));
      await arrived(there.backbone.deadLetters, ['a', 'b', 'c'], here.lines);

      const written = (await everythingIn(outsider(cluster), topic)).filter(({ value }) => !value.startsWith(probe));
      assert.deepEqual(
        written.map(({ value }) => (JSON.parse(value) as { readonly letter: DeadLetter }).letter.id),
        ['a', 'b', 'c'],
      );
      assert.equal((await here.letters.get('large'))?.body.length, 30_000);
      const [told, ...more] = here.lines.all.filter(({ fields }) => fields['letter'] === 'large');
      assert.deepEqual([told?.level, told?.fields['topic'], more], ['error', topic, []]);
      assert.match(told?.text ?? '', /max\.message\.bytes/);
      assert.ok(Number(told?.fields['bytes']) > 30_000, JSON.stringify(told));
      assert.equal(here.lines.of('log is away').length, 0);
    } finally {
      await here.close();
      await there.close();
    }
  });
});

const probe = 'probe';

/** A broker follows a topic's new settings a moment after it has answered that it has them. What it takes meanwhile stays in the topic. */
async function refusesLargeOnes(cluster: KafkaCluster, topic: string): Promise<void> {
  const producer = outsider(cluster).producer({ retry: { retries: 0 } });
  await producer.connect();
  try {
    await until('the broker takes no large record any more', {
      withinMs: patienceMs,
      look: () =>
        producer.send({ topic, acks: -1, messages: [{ value: probe.padEnd(25_000, '.') }] }).then(
          () => null,
          (error: unknown) => (String(error).includes('larger') || String(error).includes('LARGE') ? true : null),
        ),
      seen: async () => 'it still takes them',
    });
  } finally {
    await producer.disconnect();
  }
}

test('dead letters are taken again after the store failed at the first of them', async () => {
  const failing = memory();
  let failures = 1;
  const cursors: Store['cursors'] = {
    ...failing.cursors,
    async load(name, partition) {
      failures -= 1;
      if (failures >= 0) throw new GatewayError('store_unavailable', 'disk is full');
      return failing.cursors.load(name, partition);
    },
  };
  const { letters } = lettersOf(['127.0.0.1:1'], newPrefix(), { ...failing, cursors });

  await assert.rejects(letters.add(letter('a', 10)), { code: 'store_unavailable' });
  await letters.add(letter('b', 10));
  await letters.add(letter('c', 10));

  const outbox = await failing.log.read('inputs', 0, 0, 10);
  assert.deepEqual(
    outbox.map(({ value }) => (value as { readonly letter: DeadLetter }).letter.id),
    ['b', 'c'],
  );
  await failing.close();
});

interface Letters {
  readonly letters: SharedLetters;
  readonly lines: Lines;
  close(): Promise<void>;
}

/** The letters of a gateway without the rest of it: they begin to be carried on when the test says so. */
function lettersOf(brokers: readonly string[], topicPrefix: string, local: Store = memory()): Letters {
  const lines = new Lines();
  const options = { brokers, topicPrefix, partitions: 2, replication: 1 };
  const letters = createLetters(createClient(options, { clock: systemClock, logger: lines.logger, instance: 'letters' }), local);
  const close = async (): Promise<void> => {
    await letters.close();
    await local.close();
  };
  return { letters, lines, close };
}

function memory(): Store {
  return memoryStore({ disk: memoryDisk(), partitions: 2, clock: systemClock });
}

function letter(id: string, bodyBytes: number): DeadLetter {
  const why = { reason: 'not_json', message: 'expected an object' };
  return { id, at: 5, endpoint: 'e', source: 'v', ...why, headers: {}, body: 'x'.repeat(bodyBytes), path: '/', state: 'waiting' };
}

/** Waits until a gateway has these letters, and no others. */
async function arrived(deadLetters: DeadLetters, ids: readonly string[], lines: Lines): Promise<void> {
  const held = async (): Promise<string> => {
    const found: string[] = [];
    // A page ends by bytes, too.
    for (let from: string | null | undefined; from !== null;) {
      const page = await deadLetters.list({ limit: 100, ...(from === undefined ? {} : { after: from }) });
      found.push(...page.letters.map(({ id }) => id));
      from = page.next;
    }
    return found.toReversed().join(' ');
  };
  await until(`letters ${ids.join(' ')}`, {
    withinMs: patienceMs,
    look: async () => ((await held()) === ids.join(' ') ? true : null),
    seen: async () => `${await held()}\n${JSON.stringify(lines.all)}`,
  });
}
