// One engine over the embedded log and over a real broker with 1, 2 and 4 partitions, in one run: what the two crossings of the log add, and
// how many alerts a second go through from the door to the durable decision; what an alert costs the gateway in CPU, and takes of records and bytes on
// the brokers. Run: node bench/kafka.ts [alerts] [rounds]. Needs Java and Maven.
// Everything is in one process beside one broker on the same machine; the broker answers when it has the record in memory (as Kafka does).
import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { openKafka } from '../adapters/kafka/backbone.ts';
import { systemClock } from '../src/gateway/clock.ts';
import type { Backbone } from '../src/ports/backbone.ts';
import type { Store } from '../src/ports/store.ts';
import { startKafka } from '../test/kafka/broker/kafka.ts';
import { bodyOf, deliver, startInside, type Inside } from './inside.ts';
import { quantile, table } from './support.ts';

const alerts = Number(process.argv[2] ?? 20_000);
const rounds = Number(process.argv[3] ?? 3);
const singles = 300;
const batch = 64;
const senders = 16;
const settledWithinMs = 20_000;
/** After the last decision; the next save of desks is begun by then, and done. */
const desksWithinMs = 3_000;

interface Round {
  readonly p50: number;
  readonly p99: number;
  readonly accepted: number;
  readonly decided: number;
  /** Microseconds for an alert in batches: of the main thread, and of all threads. */
  readonly mainUs: number;
  readonly allUs: number;
  /** For an alert in batches: offsets taken in inputs, facts and desks. */
  readonly records: readonly number[];
  /** For an alert in batches: written to brokers, and read from them. */
  readonly sentBytes: number;
  readonly readBytes: number;
}

/** Of this process; only the log opens any. */
const sockets = new Set<Socket>();
subscribe('net.client.socket', (message) => void sockets.add((message as { readonly socket: Socket }).socket));

function traffic(): { readonly sent: number; readonly read: number } {
  let [sent, read] = [0, 0];
  for (const socket of sockets) [sent, read] = [sent + socket.bytesWritten, read + socket.bytesRead];
  return { sent, read };
}

async function measure(inside: Inside, ends: () => Promise<readonly number[]>): Promise<Round> {
  const took: number[] = [];
  for (let number = 0; number < singles; number += 1) {
    const began = performance.now();
    await deliver(inside, bodyOf((number + 1) * 1_000_000, 1));
    const input = [...inside.acceptedAt.keys()].at(-1) ?? '';
    while (!inside.decidedAt.has(input)) await sleep(1);
    if (number >= singles / 6) took.push((inside.decidedAt.get(input) ?? 0) - began);
  }
  const before = inside.decidedAt.size;
  const bodies = Array.from({ length: Math.ceil(alerts / batch) }, (_, place) => bodyOf(place * batch, batch));
  const count = bodies.length * batch;
  const endsBefore = await ends();
  const trafficBefore = traffic();
  const cpuBefore = process.cpuUsage();
  const mainBefore = process.threadCpuUsage();
  const began = performance.now();
  const sender = async (): Promise<void> => {
    for (let body = bodies.pop(); body !== undefined; body = bodies.pop()) {
      const { status } = await deliver(inside, body);
      if (status !== 'accepted') throw new Error(`a delivery was ${status}`);
    }
  };
  await Promise.all(Array.from({ length: senders }, sender));
  const acceptMs = performance.now() - began;
  while (inside.decidedAt.size < before + count) await sleep(5);
  const allMs = performance.now() - began;
  const all = process.cpuUsage(cpuBefore);
  const main = process.threadCpuUsage(mainBefore);
  await sleep(desksWithinMs);
  const { sent, read } = traffic();
  const endsAfter = await ends();
  return {
    p50: quantile(took, 0.5),
    p99: quantile(took, 0.99),
    accepted: (count / acceptMs) * 1_000,
    decided: (count / allMs) * 1_000,
    mainUs: (main.user + main.system) / count,
    allUs: (all.user + all.system) / count,
    records: endsAfter.map((end, place) => (end - (endsBefore[place] ?? 0)) / count),
    sentBytes: (sent - trafficBefore.sent) / count,
    readBytes: (read - trafficBefore.read) / count,
  };
}

/** Waits until the group has given us every partition. */
async function settled(inside: Inside, partitions: number): Promise<void> {
  const until = performance.now() + settledWithinMs;
  while (inside.service.lags().size < partitions || inside.service.policy() === null) {
    if (performance.now() > until) throw new Error(`not every partition was shared out within ${settledWithinMs} ms`);
    await sleep(50);
  }
}

/** Where the three topics end, over all partitions. */
async function endsOf(prefix: string): Promise<readonly number[]> {
  const admin = new Kafka({ brokers: [...kafka.bootstrap], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const topics = ['inputs', 'facts', 'desks'].map((name) => admin.fetchTopicOffsets(`${prefix}${name}`));
  const ends = (await Promise.all(topics)).map((all) => all.reduce((sum, { offset }) => sum + Number(offset), 0));
  await admin.disconnect();
  return ends;
}

const median = (values: readonly number[]): number => quantile([...values], 0.5);
const kafka = await startKafka({ brokers: 1 });
let count = 0;
const seen = new Map<string, Round[]>();
try {
  for (let round = 0; round < rounds; round += 1) {
    for (const partitions of [0, 1, 2, 4]) {
      const name = partitions === 0 ? 'embedded, on disk' : `Kafka, ${partitions} partition${partitions === 1 ? '' : 's'}`;
      count += 1;
      const open = (local: Store): Promise<Backbone> =>
        openKafka(
          { brokers: kafka.bootstrap, topicPrefix: `bench${count}.`, partitions, replication: 1 },
          {
            clock: systemClock,
            logger: { info: () => {}, warn: console.warn, error: console.error },
            watch: { appended: () => {}, rebalanced: () => {} },
            local,
            instance: `bench${count}`,
            retentionMs: 86_400_000,
          },
        );
      const inside = await startInside(['team'], partitions === 0 ? undefined : open);
      await settled(inside, Math.max(1, partitions));
      const one = await measure(inside, () => (partitions === 0 ? Promise.resolve([]) : endsOf(`bench${count}.`)));
      await inside.stop();
      seen.set(name, [...(seen.get(name) ?? []), one]);
      console.log(`round ${round + 1}, ${name}: p50 ${one.p50.toFixed(1)} ms, ${Math.round(one.decided)} decided/s`);
    }
  }
} finally {
  await kafka.stop();
}

const base = seen.get('embedded, on disk') ?? [];
const rows = [...seen].map(([name, all]) => {
  const p50 = median(all.map((one) => one.p50));
  const decided = median(all.map((one) => one.decided));
  return [
    name,
    `${p50.toFixed(1)} / ${median(all.map((one) => one.p99)).toFixed(1)}`,
    `${(p50 - median(base.map((one) => one.p50))).toFixed(1)}`,
    Math.round(median(all.map((one) => one.accepted))),
    Math.round(decided),
    (decided / median(base.map((one) => one.decided))).toFixed(2),
    `${median(all.map((one) => one.mainUs)).toFixed(0)} / ${median(all.map((one) => one.allUs)).toFixed(0)}`,
    [0, 1, 2].map((topic) => median(all.map(({ records }) => records[topic] ?? 0)).toFixed(1)).join(' + '),
    `${median(all.map((one) => one.sentBytes)).toFixed(0)} / ${median(all.map((one) => one.readBytes)).toFixed(0)}`,
  ];
});
console.log(
  `\n${table(['log', 'POST → decision p50 / p99 ms', 'added, ms', 'accepted/s', 'decided/s', 'of embedded', 'µs CPU, main / all', 'records: inputs + facts + desks', 'bytes sent / read'], rows)}`,
);
process.exit(0);
