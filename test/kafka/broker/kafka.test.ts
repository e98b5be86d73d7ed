// The harness itself: that its brokers are real, die and come back when told, ask for the right password, and leave nothing behind.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { Kafka, logLevel, type Admin, type SASLOptions } from 'kafkajs';
import { until } from '../../senders/support.ts';
import { kafkaPresence, startKafka, type KafkaCluster } from './kafka.ts';

const presence = kafkaPresence({ own: true });
const quick = {
  retry: { retries: 2, initialRetryTime: 100 },
  connectionTimeout: 5_000,
  requestTimeout: 10_000,
  logLevel: logLevel.NOTHING,
};

describe('the Kafka harness', { skip: presence.skip }, () => {
  before(() => presence.demand());

  describe('three brokers', () => {
    let kafka: KafkaCluster;
    let admin: Admin;
    before(async () => {
      kafka = await startKafka({ brokers: 3 });
      admin = new Kafka({ brokers: [...kafka.bootstrap], ...quick }).admin();
      await admin.connect();
      await admin.createTopics({ topics: [{ topic: 'words', numPartitions: 3, replicationFactor: 3 }], waitForLeaders: false });
    });
    after(async () => {
      await admin?.disconnect();
      await kafka?.stop();
    });

    /** Per partition how many copies are in step; empty while a broker does not know the topic. */
    async function inStep(): Promise<string> {
      const known = await admin.fetchTopicMetadata({ topics: ['words'] }).catch(() => null);
      return (known?.topics[0]?.partitions ?? []).map(({ isr }) => isr.length).join(' ');
    }
    const settles = (copies: string): Promise<true> =>
      until(`copies in step: ${copies}`, {
        withinMs: 90_000, // one that stands still does not answer, and may be asked three times
        look: async () => ((await inStep()) === copies ? true : null),
        seen: async () => `${await inStep()}\n${kafka.logTail(2)}`,
      });

    test('a killed broker leaves, and is in step again after its start on the same port', async () => {
      await settles('3 3 3');
      const { pid, port } = kafka.broker(2);

      await kafka.broker(2).kill();
      await settles('2 2 2');
      assert.equal(kafka.broker(2).pid, null);
      await kafka.broker(2).start();

      await settles('3 3 3');
      assert.notEqual(kafka.broker(2).pid, pid);
      const { brokers } = await admin.describeCluster();
      assert.deepEqual(brokers.map((broker) => broker.port).sort(), kafka.brokers.map((broker) => broker.port).sort());
      assert.ok(brokers.some((broker) => broker.nodeId === 2 && broker.port === port));
    });

    test('a broker that is stopped in its tracks falls out of step and catches up when it goes on', async () => {
      await kafka.broker(3).kill('SIGSTOP');
      try {
        await settles('2 2 2');
      } finally {
        await kafka.broker(3).kill('SIGCONT');
      }
      await settles('3 3 3');
    });
  });

  describe('a listener with passwords', () => {
    let kafka: KafkaCluster;
    before(async () => {
      kafka = await startKafka({ brokers: 1, security: 'tls+sasl', users: [{ name: 'ann', password: 'right' }] });
    });
    after(() => kafka?.stop());

    async function login(
      password: string,
      mechanism: SASLOptions['mechanism'],
      ca: string[] = [readFileSync(kafka.caFile ?? '', 'utf8')],
    ): Promise<void> {
      const sasl = { mechanism, username: 'ann', password } as SASLOptions; // A union over `mechanism`: each member takes these.
      const admin = new Kafka({ brokers: [...kafka.bootstrap], ssl: { ca }, sasl, ...quick }).admin();
      try {
        await admin.connect();
        await admin.listTopics();
      } finally {
        await admin.disconnect();
      }
    }

    for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512'] as const) {
      test(`${mechanism}: the right password is accepted, a wrong one refused`, async () => {
        await login('right', mechanism);
        await assert.rejects(login('wrong', mechanism), /authentication/i);
      });
    }

    test('a password that is taken away no longer opens a connection, a new one does', async () => {
      await kafka.setPassword('ann', null);
      await assert.rejects(login('right', 'scram-sha-512'), /authentication/i);

      await kafka.setPassword('ann', 'renewed');
      await login('renewed', 'scram-sha-512');
      await assert.rejects(login('right', 'scram-sha-256'), /authentication/i);
    });

    test('without the certificate that it shows, a client does not trust it', async () => {
      await assert.rejects(login('right', 'plain', []), /self-signed certificate/i);
    });
  });

  test('a listener with passwords and no TLS accepts and refuses too', async () => {
    const kafka = await startKafka({ brokers: 1, security: 'sasl' });
    try {
      const [user] = kafka.users;
      const login = async (password: string): Promise<void> => {
        const sasl = { mechanism: 'scram-sha-256', username: user?.name ?? '', password } as const;
        const admin = new Kafka({ brokers: [...kafka.bootstrap], sasl, ...quick }).admin();
        await admin.connect().finally(() => admin.disconnect());
      };
      await login(user?.password ?? '');
      await assert.rejects(login('wrong'), /authentication/i);
    } finally {
      await kafka.stop();
    }
  });

  test('K1: a broker that cannot start says why', async () => {
    const kafka = await startKafka({ brokers: 1 });
    try {
      await kafka.broker(1).kill();
      const taken = createServer().listen(kafka.broker(1).port, '127.0.0.1');
      await once(taken, 'listening');
      try {
        await assert.rejects(kafka.broker(1).start(), /broker 1 ended:[^]*(Address already in use|Failed to bind)/);
      } finally {
        taken.close();
      }
    } finally {
      await kafka.stop();
    }
    await assert.rejects(startKafka({ brokers: 1, properties: { 'num.io.threads': '0' } }), /num\.io\.threads/);
  });

  test('K2: a test process that breaks takes its brokers and their folder along', async () => {
    const program = `import { startKafka } from ${JSON.stringify(new URL('kafka.ts', import.meta.url).href)};
      const { brokers } = await startKafka({ brokers: 1 });
      console.log(brokers[0].pid);
      process.stdin.once('data', () => { throw new Error('a bug'); });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['pipe', 'pipe', 'ignore'] });
    let pid = 0;
    let command = '';
    child.stdout.on('data', (part: Buffer) => {
      pid = Number(part.toString());
      command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      child.stdin.write('break');
    });
    await once(child, 'close');

    assert.equal(child.exitCode, 1);
    const file = /kafka\.Kafka\0([^\0]+)/.exec(command)?.[1] ?? assert.fail(`not a broker: ${command}`);
    await until(`process ${pid} is gone`, {
      withinMs: 5_000,
      look: async () => (existsSync(`/proc/${pid}`) ? null : true),
      seen: async () => readFileSync(`/proc/${pid}/status`, 'utf8'),
    });
    assert.ok(!existsSync(file), `${file} is still there`);
  });

  test('K3: a broker that was killed comes back with what was written', async () => {
    const kafka = await startKafka({ brokers: 1 });
    const client = new Kafka({ brokers: [...kafka.bootstrap], ...quick, retry: { retries: 10 } });
    const [admin, producer] = [client.admin(), client.producer()];
    try {
      await admin.connect();
      await producer.connect();
      await admin.createTopics({ topics: [{ topic: 'kept', numPartitions: 1 }] });
      await producer.send({ topic: 'kept', acks: -1, messages: [{ value: 'one' }, { value: 'two' }] });

      await kafka.broker(1).kill();
      await kafka.broker(1).start();

      const [partition] = await admin.fetchTopicOffsets('kept');
      assert.equal(partition?.high, '2');
    } finally {
      await Promise.all([admin.disconnect(), producer.disconnect()]);
      await kafka.stop();
    }
  });
});
