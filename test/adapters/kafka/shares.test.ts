// A member that was given up before it had joined; the rest of H1 to H3 is in test/kafka/shares/shares.test.ts, with a real coordinator.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from '../../../adapters/kafka/client.ts';
import type { KafkaCursors } from '../../../adapters/kafka/cursors.ts';
import { createShares } from '../../../adapters/kafka/shares.ts';
import { virtualClock } from '../../support/clock.ts';

test('H3: a member that is replaced while it still connects is cut off: it cannot join later', async () => {
  const clock = virtualClock();
  const members: { severed: boolean }[] = [];
  const severable = (): object => {
    const member = { severed: false };
    members.push(member);
    const consumer = {
      events: {},
      on() {},
      connect: () => new Promise(() => {}), // as to a host that swallows what comes
      disconnect: async () => {},
    };
    return { kafka: { consumer: () => consumer }, sever: () => void (member.severed = true) };
  };
  const client = {
    clock,
    settings: { prefix: 'quench.', sessionMs: 6_000, partitions: 6 },
    logger: { info() {}, warn() {}, error() {} },
    health: { good() {}, bad() {}, wrong() {} },
    instance: 'test',
    severable,
  } as unknown as Client; // what shares ask of it
  const cursors = { saveAll: async () => {}, loadAll: async () => new Map() } as unknown as KafkaCursors; // likewise
  const shares = createShares({ client, role: 'host', topic: 'inputs', cursors, watch: { appended() {}, rebalanced() {} } });
  await shares.start({ gained: async () => {}, lost: async () => {} });
  await clock.forward(20_000);

  assert.deepEqual(members, [{ severed: true }, { severed: false }]);
  const stopped = shares.stop();
  await clock.forward(60_000);
  await stopped;
  assert.deepEqual(members, [{ severed: true }, { severed: true }]);
});
