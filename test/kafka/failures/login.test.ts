// How a gateway logs in: TLS with an authority of our own, and each SASL mechanism, through the options that quench.yaml has.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { KafkaOptions } from '../../../adapters/kafka/options.ts';
import { until } from '../../senders/support.ts';
import { kafkaPresence, startKafka, type KafkaCluster } from '../broker/kafka.ts';
import { open, patienceMs, well } from './support.ts';

const presence = kafkaPresence({ own: true });
const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;

describe('a broker that asks for TLS and a password', { skip: presence.skip }, () => {
  let cluster: KafkaCluster;
  let ca = '';
  before(async () => {
    presence.demand();
    cluster = await startKafka({ brokers: 1, security: 'tls+sasl' });
    ca = readFileSync(cluster.caFile ?? '', 'utf8');
  });
  after(() => cluster?.stop());

  function login(mechanism: (typeof mechanisms)[number]): NonNullable<KafkaOptions['sasl']> {
    const [user] = cluster.users;
    return { mechanism, username: user?.name ?? '', password: user?.password ?? '' };
  }

  for (const mechanism of mechanisms)
    test(`takes what a gateway appends that logs in by ${mechanism}, and trusts its authority`, async () => {
      const opened = await open(cluster, { tls: { ca }, sasl: login(mechanism) });
      try {
        await opened.log.append('inputs', { partition: 0, scope: 's', values: [{ type: 'Woke' }] });
        assert.equal((await opened.log.read('inputs', 0, 0, 10)).length, 1);
        await well(opened);
      } finally {
        await opened.close();
      }
    });

  test('is not trusted without its authority: the gateway says so, and appends nothing', async () => {
    const opened = await open(cluster, { tls: true, sasl: login('plain') });
    try {
      await assert.rejects(opened.log.append('inputs', { partition: 0, scope: 's', values: [{ type: 'Woke' }] }), {
        code: 'log_unavailable',
      });
      await until('the reason is told', {
        withinMs: patienceMs,
        look: async () => (/certificate/.test(opened.backbone.problem() ?? '') ? true : null),
        seen: async () => opened.backbone.problem() ?? 'nothing',
      });
    } finally {
      await opened.close();
    }
  });
});
