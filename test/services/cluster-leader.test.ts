// Leaders move while a gateway is not reading: its next load finds them.
import assert from 'node:assert/strict';
import { Kafka, logLevel } from 'kafkajs';
import { before, describe, test } from 'node:test';
import { until } from '../senders/support.ts';
import { openShared } from './cluster-watch.ts';
import { kafkaPresence, startKafka, type KafkaCluster } from './kafka.ts';

const presence = kafkaPresence({ own: true });
const topic = 'quench.desks';

describe('leaders that move', { skip: presence.skip }, () => {
  before(() => presence.demand());

  test('desks are loaded although their leader was killed, and is a follower now, since they were loaded last', async () => {
    const kafka = await startKafka({ brokers: 3 });
    const backbone = await openShared({ brokers: kafka.bootstrap, partitions: 1, replication: 3 }, 1, 'leader');
    try {
      await backbone.checkpoints.load(0, () => {});
      const first = await leaderOf(kafka);
      await kafka.broker(first).kill();
      await until('another leader', {
        withinMs: 20_000,
        look: async () => (await leaderOf(kafka).catch(() => first)) !== first || null,
        seen: async () => `broker ${first}`,
      });
      await kafka.broker(first).start();

      assert.equal(await backbone.checkpoints.load(0, () => {}), null);
    } finally {
      await backbone.close();
      await kafka.stop();
    }
  });
});

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
