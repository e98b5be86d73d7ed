// The request that appends records, beside the one that the client writes by itself: the same bytes, whatever is in them.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import type { Message } from 'kafkajs';
import { crc32c } from '../../../adapters/kafka/crc32c.ts';
import { addressed, encoded, mendProduce } from '../../../adapters/kafka/produce-request.ts';
import { systemClock } from '../../../src/gateway/clock.ts';

type Args = Parameters<typeof encoded>[0];
type Protocol = (asked: {
  readonly version: number;
}) => (args: Args) => { readonly request: { encode(): Promise<{ readonly buffer: Buffer }> } };

const require = createRequire(new URL('../../../adapters/kafka/client.ts', import.meta.url));
const produce: { protocol: Protocol } = require('kafkajs/src/protocol/requests/produce');
const theirs = produce.protocol;

/** A stream of numbers below a bound, the same in each run. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const alphabets = ['abc {}":,', 'äöü€', '𝄞𝄢', '\u{d800}x', '\0\n'];

function textOf(roll: (below: number) => number, max: number): string {
  const letters = [...(alphabets[roll(alphabets.length)] ?? '')];
  return Array.from({ length: roll(max) }, () => letters[roll(letters.length)]).join('');
}

function messageOf(roll: (below: number) => number): Message {
  const key = [null, '', textOf(roll, 90), Buffer.from(textOf(roll, 90))][roll(4)] ?? null;
  const value = [null, textOf(roll, 5), textOf(roll, 300), Buffer.from(textOf(roll, 20_000))][roll(4)] ?? null;
  const headers = {
    quench: String(roll(4)),
    ...(roll(2) === 0 ? { raw: textOf(roll, 200) } : {}),
    ...(roll(3) === 0 ? { b: Buffer.from('x') } : {}),
  };
  return { key, value, ...(roll(4) === 0 ? {} : { headers }) };
}

test('Q2: a request has the bytes that the client writes, for any text, size, and number of records', async (t) => {
  const now = 1_764_547_200_123;
  t.mock.timers.enable({ apis: ['Date'], now });
  for (let seed = 1; seed <= 120; seed += 1) {
    const roll = dice(seed);
    const partitions = Array.from({ length: 1 + roll(3) }, (_, partition) => ({
      partition,
      firstSequence: roll(2 ** 31),
      messages: Array.from({ length: 1 + roll(seed % 10 === 0 ? 700 : 12) }, () => messageOf(roll)),
    }));
    const args: Args = {
      acks: -1,
      timeout: 3_000,
      ...(roll(2) === 0 ? {} : { transactionalId: `quench.desks-${roll(9)}` }),
      producerId: ['-1', '9007199254740993', 12_345][roll(3)],
      producerEpoch: roll(30_000),
      topicData: [{ topic: `t${textOf(roll, 20)}`, partitions }],
    };
    const { buffer } = await theirs({ version: 7 })(args).request.encode();
    assert.deepEqual(encoded(args, now).buffer, buffer, `seed ${seed}`);
  }
});

test('Q2: once mended the client takes our bytes, and writes what we do not: times, headers twice, compression', async () => {
  mendProduce(systemClock);
  const mended = produce.protocol;
  mendProduce(systemClock);
  assert.equal(produce.protocol, mended, 'mended once');
  const argsOf = (message: Message, compression = 0): Args => ({
    acks: -1,
    timeout: 1,
    producerId: '1',
    producerEpoch: 0,
    compression,
    topicData: [{ topic: 't', partitions: [{ partition: 0, firstSequence: 0, messages: [message] }] }],
  });
  const isTheirs = async (args: Args): Promise<boolean> => {
    const { request } = produce.protocol({ version: 7 })(args);
    return String((await request.encode()).constructor.name) === 'Encoder';
  };
  assert.equal(await isTheirs(argsOf({ value: 'v' })), false);
  assert.equal(await isTheirs(argsOf({ value: 'v', timestamp: '5' })), true);
  assert.equal(await isTheirs(argsOf({ value: 'v', headers: { a: ['1', '2'] } })), true);
  assert.equal(await isTheirs(argsOf({ value: 'v' }, 1)), true);
});

test('the checksum is the one of the standard', () => {
  const digits = Buffer.from('xx123456789yy');
  assert.equal(crc32c(digits, 2, 11), 0xe306_9283);
  assert.equal(crc32c(digits, 2, 2), 0);
});

test('Q3: messages of one partition are grouped at once, and the client that groups them by itself finds their partition', () => {
  const group: (asked: object) => Record<string, unknown> = require('kafkajs/src/producer/groupMessagesPerPartition');
  const partitioner = ({ message }: { readonly message: { readonly partition: number } }): number => message.partition;
  const messages = addressed(
    3,
    Array.from({ length: 9 }, (_, n) => ({ key: 'k', value: String(n), headers: { quench: '1' } })),
  );
  const asked = { topic: 't', partitionMetadata: [{}], partitioner };
  const grouped = group({ ...asked, messages });
  assert.deepEqual(Object.keys(grouped), ['3']);
  assert.equal(grouped['3'], messages, 'nothing was copied');
  assert.deepEqual(group({ ...asked, messages: [...messages] }), { 3: [...messages] });
});
