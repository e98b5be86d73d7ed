// Leaders move while a gateway is not reading: its next load finds them.
import assert from 'node:assert/strict';
import { Kafka, logLevel } from 'kafkajs';
import { before, describe, test } from 'node:test';
import type { Backbone } from '../../../src/ports/backbone.ts';
import { until } from '../../senders/support.ts';
import { kafkaPresence, startKafka, type KafkaCluster } from '../broker/kafka.ts';
import { openShared } from './watch.ts';

const presence = kafkaPresence({ own: true });
const topic = 'quench.desks';

describe('leaders that move', { skip: presence.skip }, () => {
  before(() => presence.demand());

  test('desks are loaded although their leader was killed, and is a follower now, since they were loaded last', async () => {
    const kafka = await startKafka({ brokers: 3 });
    const backbone = await openShared({ brokers: kafka.bootstrap, partitions: 1, replication: 3 }, 1, 'leader');
    try {
      await loaded(backbone);
      const first = await leaderOf(kafka);
      await kafka.broker(first).kill();
      await until('another leader', {
        withinMs: 20_000,
        async look() {
          const leader = await leaderOf(kafka).catch(() => -1);
          return leader > 0 && leader !== first ? true : null;
        },
        seen: async () => `broker ${first}`,
      });
      await kafka.broker(first).start();
      assert.notEqual(await leaderOf(kafka), first);

      await loaded(backbone);
    } finally {
      await backbone.close();
      await kafka.stop();
    }
  });
});

/** Loads the desks, which nobody saved; transactions may have lost their coordinator with the same broker, and the next one loads first. */
async function loaded({ checkpoints }: Backbone): Promise<void> {
  let failed: unknown = null;
  const { mark } = await until('the desks are loaded', {
    withinMs: 20_000,
    look: () =>
      checkpoints
        .load(0, () => {})
        .then(
          (found) => ({ mark: found }),
          (error: unknown) => {
            failed = error;
            return null;
          },
        ),
    seen: async () => String(failed),
  });
  assert.equal(mark, null);
}

async function leaderOf(kafka: KafkaCluster): Promise<number> {
  const admin = new Kafka({ brokers: [...kafka.bootstrap], logLevel: logLevel.NOTHING }).admin();
  try {
    await admin.connect();
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics[0]?.partitions[0]?.leader ?? -1;
  } finally {
    await admin.disconnect();
  }
}
