// Who may save a partition's desks, within one process; between processes the brokers refuse (test/kafka/failures/checkpoints.test.ts).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCheckpoints } from '../../../adapters/kafka/checkpoints.ts';
import type { Client } from '../../../adapters/kafka/client.ts';
import type { KafkaLog } from '../../../adapters/kafka/log.ts';
import { systemClock } from '../../../src/gateway/clock.ts';

test('D2: a save that was called before the partition was loaded again is refused, though the same process loaded it', async () => {
  const wrote: string[] = [];
  let producers = 0;
  const producer = (): object => {
    const name = `producer ${(producers += 1)}`;
    const send = async ({ messages }: { readonly messages: readonly { readonly value: string }[] }): Promise<void> =>
      void wrote.push(`${name}: ${messages.at(-1)?.value}`);
    return {
      connect: async () => {},
      disconnect: async () => {},
      transaction: async () => ({ send, abort: async () => {}, commit: async () => {} }),
    };
  };
  const cluster = {
    connect: async () => {},
    addMultipleTargetTopics: async () => {},
    refreshMetadata: async () => {},
    refreshMetadataIfNecessary: async () => {},
    findLeaderForPartitions: () => ({ 1: [0] }),
    fetchTopicsOffset: async () => [{ partitions: [{ offset: '0' }] }],
  };
  const client = {
    clock: systemClock,
    settings: { topics: { desks: 'desks' }, prefix: 'quench.' },
    health: { good() {}, bad() {}, foreignRecord() {} },
    cluster: () => ({ cluster, close: async () => {} }),
    kafka: { producer },
    severable: () => ({ kafka: { producer }, sever() {} }),
  } as unknown as Client; // what checkpoints ask of it
  const stalled = Promise.withResolvers<void>();
  const settled = [stalled.promise, Promise.resolve()];
  const log = { settled: async () => settled.shift(), end: async () => 1_000 } as unknown as KafkaLog; // likewise
  const checkpoints = createCheckpoints(client, log);

  await checkpoints.load(0, () => {});
  const late = checkpoints.save(0, { inputs: 50, facts: 50 }, []);
  await checkpoints.load(0, () => {});
  await checkpoints.save(0, { inputs: 100, facts: 100 }, []);
  stalled.resolve();

  await assert.rejects(late, { code: 'store_unavailable' });
  assert.deepEqual(wrote, ['producer 2: {"inputs":100,"facts":100}']);
  await checkpoints.close();
});
