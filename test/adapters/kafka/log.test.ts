// The log's readers over a broker that does the rare things: partitions cut back, ends that are not told, markers, watchers that come again.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLog, type KafkaLog } from '../../../adapters/kafka/log.ts';
import type { Fact } from '../../../src/core/records.ts';
import { createTail } from '../../../src/engine/tail.ts';
import { systemClock } from '../../../src/gateway/clock.ts';
import { fakeBroker, type FakeBroker } from './broker.ts';

const withinMs = 10_000;

async function until(expected: string, look: () => boolean): Promise<void> {
  const endsAt = performance.now() + withinMs;
  while (!look()) {
    assert.ok(performance.now() < endsAt, `expected within ${withinMs} ms: ${expected}`);
    await sleep(5);
  }
}

function opened(t: TestContext, partitions = 2): FakeBroker & { readonly log: KafkaLog } {
  const broker = fakeBroker(partitions);
  const log = createLog({ client: broker.client, watch: { appended: () => {}, rebalanced: () => {} } });
  t.after(() => log.close());
  return Object.assign(broker, { log });
}

/** Facts as the engine follows them, from the start; `n` is the only thing in them. */
function following(t: TestContext, broker: { readonly log: KafkaLog }): { readonly seen: number[]; readonly troubles: string[] } {
  const seen: number[] = [];
  const troubles: string[] = [];
  const onTrouble = (error: unknown): void => void troubles.push(String(error));
  const tail = createTail({ partition: 0, log: broker.log, clock: systemClock, batch: 256, onTrouble }, async (facts) => {
    for (const fact of facts) seen.push((fact as Fact & { n: number }).n);
  });
  tail.start(0);
  t.after(() => tail.stop());
  return { seen, troubles };
}

/** A long poll that finds nothing takes 20 ms here; whoever asks from a wrong offset is answered at once, and asks again. */
async function assertQuiet(broker: FakeBroker): Promise<void> {
  await sleep(50);
  const { fetches } = broker;
  await sleep(300);
  assert.ok(broker.fetches - fetches < 40, `${broker.fetches - fetches} fetches in a quiet moment, of some 15`);
}

const fact = (n: number): object => ({ scope: 's', seq: n + 1, n });
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

for (const { says, beside } of [
  { says: 'alone on its broker', beside: false },
  { says: 'beside another that is followed', beside: true },
]) {
  test(`F1: a partition that is watched again, ${says}, hears of what others append`, async (t) => {
    const broker = opened(t);
    for (const n of upTo(300)) broker.put('inputs', 0, { n });
    if (beside) broker.log.watch('facts', 1, () => {});
    let heard = 0;
    const unwatch = broker.log.watch('inputs', 0, () => (heard += 1));
    await until('it is followed', () => heard > 0);
    unwatch();
    await sleep(50); // its poll has ended
    broker.log.watch('inputs', 0, () => (heard += 1));
    await until('it is placed again', () => heard > 1);
    const before = heard;

    broker.put('inputs', 0, { n: 300 });
    await until('a word of the append', () => heard > before);
    assert.equal((await broker.log.read('inputs', 0, 300, 10)).length, 1);
    await assertQuiet(broker);
  });
}

test('F1: what another partition of the broker suffers does not touch one that goes on', async (t) => {
  const broker = opened(t);
  for (const n of upTo(100)) broker.put('inputs', 1, { n });
  broker.log.watch('inputs', 1, () => {});
  const { seen, troubles } = following(t, broker);
  let count = 0;
  const append = async (): Promise<void> => {
    count += 1;
    await broker.log.append('facts', { partition: 0, scope: 's', values: [fact(count - 1)] });
  };
  await append();
  await until('facts are followed', () => seen.length === 1);
  // Our own appends go on between the broker's answer and its arrival.
  broker.beforeEnd = async (topic) => {
    if (topic !== 'facts') return;
    broker.beforeEnd = async () => {};
    for (let more = 0; more < 5; more += 1) await append();
    await until('they are read', () => seen.length === count);
  };
  const { fetches } = broker;
  broker.cut('inputs', 1);
  await until('the broker was asked again', () => broker.fetches > fetches + 3);

  await append();
  await until('facts go on', () => seen.length >= count);
  assert.deepEqual([seen, troubles], [upTo(count), []]);
});

test('F1: a partition made anew while nobody tells its end is read from its beginning', async (t) => {
  const broker = opened(t);
  for (const n of upTo(500)) broker.put('facts', 0, fact(n));
  const { seen, troubles } = following(t, broker);
  await until('all is read', () => seen.length === 500);
  broker.tellsEnds = false;
  const { fetches } = broker;
  broker.cut('facts', 0);
  await until('the cut is met', () => broker.fetches > fetches);
  await sleep(50);
  broker.tellsEnds = true;
  for (const n of upTo(20)) broker.put('facts', 0, fact(1_000 + n));

  await until('what came after the cut', () => seen.length === 520);
  assert.deepEqual(
    seen.slice(500),
    upTo(20).map((n) => 1_000 + n),
  );
  assert.match(troubles.join('\n'), /cut back or made anew/);
});

test('F1: an offset without a record is passed, without asking for it again and again', async (t) => {
  const broker = opened(t);
  for (const n of upTo(3)) broker.put('facts', 0, fact(n));
  const { seen } = following(t, broker);
  await until('the first are read', () => seen.length === 3);
  broker.put('facts', 0, 'marker');
  broker.put('facts', 0, fact(3));
  broker.put('facts', 0, 'marker');
  await until('the next is read', () => seen.length === 4);

  await assertQuiet(broker);
  assert.deepEqual(seen, upTo(4));
});

test('a reader that is ahead of what was heard is not told that the log was cut back', async (t) => {
  const broker = opened(t);
  const total = 2_150;
  for (const n of upTo(2_100)) broker.put('facts', 0, fact(n));
  broker.findMs = 400; // it knows where the partition ends, and its long poll begins late
  const { seen, troubles } = following(t, broker);
  await until('it catches up', () => seen.length > 200);
  for (let n = 2_100; n < total; n += 1) broker.put('facts', 0, fact(n));

  await until('all is read', () => seen.length >= total);
  await sleep(50);
  assert.deepEqual([seen, troubles], [upTo(total), []]);
});

test('an append that no broker took is not durable', async (t) => {
  const broker = opened(t);
  broker.sendsNothing = true; // as the client does for a partition that the topic does not have

  await assert.rejects(broker.log.append('inputs', { partition: 1, scope: 's', values: [{ n: 0 }] }), { code: 'log_unavailable' });
});
