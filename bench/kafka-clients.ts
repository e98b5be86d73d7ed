// Two JavaScript clients against one real broker: what the one that we use costs beside a younger one that is not installed here.
// Run: node bench/kafka-clients.ts [rounds] [seconds per cell]. Every round runs every cell of both, so that a noisy moment hits both;
// only ratios travel. The other client: npm install @platformatic/kafka in a folder elsewhere, its dist/index.js in QUENCH_BENCH_PLATFORMATIC.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Kafka, logLevel } from 'kafkajs';
import { startKafka } from '../test/kafka/broker/kafka.ts';
import { median, quantile, table } from './support.ts';

const recordBytes = 600;
const record = Buffer.alloc(recordBytes, 'x');
const session = { sessionTimeout: 6_000, heartbeatInterval: 1_000, rebalanceTimeout: 10_000 };
const fetchBytes = { maxBytesPerPartition: 1 << 20, maxBytes: 10 << 20 };

interface Producer {
  /** To partition 0, acknowledged by all, idempotent. */
  send(topic: string, values: readonly Buffer[]): Promise<unknown>;
  close(): Promise<unknown>;
}

interface Subscription {
  readonly topic: string;
  readonly group: string;
  readonly joined: (partitions: number) => void;
  readonly read: (records: number) => void;
}

interface Client {
  readonly name: string;
  producer(): Promise<Producer>;
  /** From the earliest record; resolves to what ends it. */
  consume(to: Subscription): Promise<() => Promise<unknown>>;
}

function kafkajsClient(brokers: readonly string[]): Client {
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
  return {
    name: 'kafkajs',
    async producer() {
      const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false });
      await producer.connect();
      return {
        send: (topic, values) => producer.send({ topic, acks: -1, messages: values.map((value) => ({ value, partition: 0 })) }),
        close: () => producer.disconnect(),
      };
    },
    async consume({ topic, group, joined, read }) {
      const consumer = kafka.consumer({ groupId: group, ...session, ...fetchBytes, maxWaitTimeInMs: 500 });
      consumer.on('consumer.group_join', ({ payload }) => joined((payload.memberAssignment[topic] ?? []).length));
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      await consumer.run({ autoCommit: false, eachBatch: async ({ batch }) => read(batch.messages.length) });
      return () => consumer.disconnect();
    },
  };
}

/** As much of @platformatic/kafka 2 as is used here. */
interface Platformatic {
  readonly Producer: new (options: object) => { send(options: object): Promise<unknown>; close(): Promise<unknown> };
  readonly Consumer: new (options: object) => {
    on(name: 'consumer:group:join', take: (payload: { assignments?: { topic: string; partitions: number[] }[] }) => void): void;
    consume(options: object): Promise<{ on(name: 'data', take: () => void): void }>;
    close(force: boolean): Promise<unknown>;
  };
}

function platformaticClient(brokers: readonly string[], { Producer, Consumer }: Platformatic): Client {
  const common = { clientId: 'bench', bootstrapBrokers: [...brokers] };
  return {
    name: 'platformatic',
    async producer() {
      const producer = new Producer({ ...common, idempotent: true, acks: -1 });
      return {
        send: (topic, values) => producer.send({ messages: values.map((value) => ({ topic, value, partition: 0 })) }),
        close: () => producer.close(),
      };
    },
    async consume({ topic, group, joined, read }) {
      const consumer = new Consumer({ ...common, groupId: group, ...session, ...fetchBytes, maxWaitTime: 500, autocommit: false });
      consumer.on('consumer:group:join', ({ assignments = [] }) => joined(assignments.flatMap(({ partitions }) => partitions).length));
      const stream = await consumer.consume({ topics: [topic], mode: 'earliest' });
      stream.on('data', () => read(1));
      return () => consumer.close(true);
    },
  };
}

async function clientsOf(brokers: readonly string[]): Promise<readonly Client[]> {
  const where = process.env['QUENCH_BENCH_PLATFORMATIC'] ?? '@platformatic/kafka';
  const other = await import(where).then(
    (module: Platformatic) => [platformaticClient(brokers, module)],
    () => [],
  );
  return [kafkajsClient(brokers), ...other];
}

// ---------------------------------------------------------------- cells

interface Produced {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuUs: number;
}

/** `writers` that each wait for their record; what waits goes out together, one send at a time. */
async function produce(client: Client, topic: string, { writers, ms }: { writers: number; ms: number }): Promise<Produced> {
  const producer = await client.producer();
  await producer.send(topic, [record]);
  let waiting: (() => void)[] = [];
  let flying = false;
  async function flush(): Promise<void> {
    const group = waiting;
    waiting = [];
    await producer.send(
      topic,
      group.map(() => record),
    );
    for (const done of group) done();
    flying = waiting.length > 0;
    if (flying) setImmediate(flush);
  }
  const write = (): Promise<void> =>
    new Promise((done) => {
      waiting.push(done);
      if (!flying) setImmediate(flush);
      flying = true;
    });

  const times: number[] = [];
  const began = performance.now();
  const cpu = process.cpuUsage();
  async function writer(): Promise<void> {
    while (performance.now() - began < ms) {
      const at = performance.now();
      await write();
      times.push(performance.now() - at);
    }
  }
  await Promise.all(Array.from({ length: writers }, writer));
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - began) / 1_000;
  await producer.close();
  return {
    perSecond: times.length / seconds,
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
    cpuUs: (user + system) / times.length,
  };
}

interface Consumed {
  readonly joinMs: number;
  readonly perSecond: number;
  readonly cpuUs: number;
}

/** Everything in the topic as a new group of one; the rate counts from the first record. */
async function consume(client: Client, topic: string, { records, group }: { records: number; group: string }): Promise<Consumed> {
  const began = performance.now();
  let joinMs = 0;
  let first: { at: number; cpu: NodeJS.CpuUsage } | null = null;
  let seen = 0;
  const { promise: all, resolve } = Promise.withResolvers<void>();
  const end = await client.consume({
    topic,
    group,
    joined: () => (joinMs = performance.now() - began),
    read(count) {
      first ??= { at: performance.now(), cpu: process.cpuUsage() };
      seen += count;
      if (seen >= records) resolve();
    },
  });
  await Promise.race([
    all,
    sleep(60_000, null, { ref: false }).then(() => assert.fail(`${client.name}: ${seen} of ${records} records in 60 s`)),
  ]);
  const { at, cpu } = first ?? assert.fail('no record');
  const { user, system } = process.cpuUsage(cpu);
  const ms = performance.now() - at;
  await end();
  return { joinMs, perSecond: (records / ms) * 1_000, cpuUs: (user + system) / records };
}

/** Two members share four partitions, one is killed: how long until the other holds all of them. */
async function takeover(brokers: readonly string[], client: Client, group: string): Promise<number> {
  const args = [fileURLToPath(import.meta.url), 'member', client.name, brokers.join(','), group];
  const members = [0, 1].map(() => spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] }));
  const held = [0, 0];
  members.forEach((member, at) =>
    member.stdout?.on('data', (part: Buffer) => (held[at] = Number(part.toString().trim().split('\n').at(-1)))),
  );
  const until = async (expected: readonly number[]): Promise<void> => {
    for (let round = 0; round < 3_000; round += 1) {
      if (expected.every((count, at) => held[at] === count)) return;
      await sleep(10);
    }
    assert.fail(`${client.name}: members hold ${held.join(' and ')} partitions instead of ${expected.join(' and ')}, after 30 s`);
  };
  try {
    await until([2, 2]);
    await sleep(2_000);
    members[1]?.kill('SIGKILL');
    const began = performance.now();
    await until([4]);
    return performance.now() - began;
  } finally {
    for (const member of members) if (member.kill('SIGKILL')) await once(member, 'exit');
  }
}

async function beMember(name: string, brokers: readonly string[], group: string): Promise<void> {
  const client = (await clientsOf(brokers)).find((one) => one.name === name) ?? assert.fail(`no client ${name}`);
  await client.consume({ topic: 'shared', group, joined: (partitions) => console.log(partitions), read: () => {} });
  await sleep(120_000); // It is killed long before; forgotten, it ends.
}

// ---------------------------------------------------------------- the run

async function main(rounds: number, ms: number): Promise<void> {
  const records = 200_000;
  const kafka = await startKafka({ brokers: 1 });
  try {
    const clients = await clientsOf(kafka.bootstrap);
    if (clients.length === 1) console.log('@platformatic/kafka is not there: kafkajs alone, see the head of this file');
    await createTopics(kafka.bootstrap);
    await fill(clients[0] ?? assert.fail('no client'), records);

    const cells = clients.map(() => ({
      one: [] as Produced[],
      few: [] as Produced[],
      many: [] as Produced[],
      read: [] as Consumed[],
      moved: [] as number[],
    }));
    for (let round = 0; round < rounds; round += 1) {
      const order = round % 2 === 0 ? [...clients.entries()] : [...clients.entries()].toReversed();
      for (const [at, client] of order) {
        const cell = cells[at] ?? assert.fail('no cell');
        cell.one.push(await produce(client, 'written', { writers: 1, ms }));
        cell.few.push(await produce(client, 'written', { writers: 64, ms }));
        cell.many.push(await produce(client, 'written', { writers: 128, ms }));
        cell.read.push(await consume(client, 'filled', { records, group: `read-${client.name}-${round}` }));
        cell.moved.push(await takeover(kafka.bootstrap, client, `moved-${client.name}-${round}`));
      }
    }
    const produced = (all: readonly Produced[]): string =>
      `${whole(all, 'perSecond')}; ${tenth(all, 'p50Ms')} / ${tenth(all, 'p99Ms')}; ${tenth(all, 'cpuUs')}`;
    const rows: readonly (readonly [string, (cell: (typeof cells)[number]) => string])[] = [
      ['produce one at a time: msg/s; p50 / p99 ms; CPU µs', (cell) => produced(cell.one)],
      ['produce, 64 writers', (cell) => produced(cell.few)],
      ['produce, 128 writers', (cell) => produced(cell.many)],
      [`consume ${records}: msg/s; CPU µs`, (cell) => `${whole(cell.read, 'perSecond')}; ${tenth(cell.read, 'cpuUs')}`],
      ['join a new group alone, ms', (cell) => whole(cell.read, 'joinMs')],
      [
        `takeover after SIGKILL, session ${session.sessionTimeout / 1_000} s, ms (all rounds)`,
        (cell) => cell.moved.map(Math.round).join(', '),
      ],
    ];
    console.log(`Kafka ${kafka.version}, one broker; ${recordBytes}-byte records, acks=all, idempotent; medians of ${rounds} rounds`);
    console.log(
      table(
        ['', ...clients.map(({ name }) => name)],
        rows.map(([says, figure]) => [says].concat(cells.map(figure))),
      ),
    );
  } finally {
    await kafka.stop();
  }
}

function whole<Name extends string>(all: readonly { readonly [name in Name]: number }[], name: Name): string {
  return Math.round(median(all.map((one) => one[name]))).toLocaleString('en');
}

function tenth<Name extends string>(all: readonly { readonly [name in Name]: number }[], name: Name): string {
  return median(all.map((one) => one[name])).toFixed(1);
}

async function createTopics(brokers: readonly string[]): Promise<void> {
  const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const topics = [
    { topic: 'written', numPartitions: 1 },
    { topic: 'filled', numPartitions: 1 },
    { topic: 'shared', numPartitions: 4 },
  ];
  await admin.createTopics({ topics, waitForLeaders: true });
  await admin.disconnect();
}

async function fill(client: Client, records: number): Promise<void> {
  const producer = await client.producer();
  const batch = Array.from({ length: 1_000 }, () => record);
  for (let sent = 0; sent < records; sent += batch.length) await producer.send('filled', batch);
  await producer.close();
}

const [, , first = '3', ...rest] = process.argv;
if (first === 'member') await beMember(rest[0] ?? '', (rest[1] ?? '').split(','), rest[2] ?? '');
else await main(Number(first), Number(rest[0] ?? 2) * 1_000);
process.exit(0); // A client's idle timers would keep it alive.
