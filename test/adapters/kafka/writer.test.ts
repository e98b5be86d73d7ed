// The writer over producers whose every send a test answers by hand: what goes out when, and what a failure takes along.
// What real brokers and the real client make of it is in test/services/failures-log.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from '../../../adapters/kafka/client.ts';
import { createWriter, writerLimits, type Writer } from '../../../adapters/kafka/writer.ts';
import { virtualClock, type VirtualClock } from '../../support/clock.ts';

interface Sent {
  /** The first producer made is 1. */
  readonly producer: number;
  readonly partition: number;
  readonly values: string;
  answer(baseOffset: number): void;
  refuse(error: Error): void;
}

interface Writing {
  readonly writer: Writer;
  readonly clock: VirtualClock;
  /** Sends that went out, in their order, as `producer/partition: values`. */
  readonly log: () => readonly string[];
  /** The nth send that went out, from 0; waited for. */
  nth(place: number): Promise<Sent>;
  readonly severed: readonly number[];
  readonly doubts: () => number;
}

interface Request {
  readonly messages: readonly { readonly partition: number; readonly value: string }[];
}

function writing(limits = writerLimits): Writing {
  const clock = virtualClock();
  const sent: Sent[] = [];
  const severed: number[] = [];
  let producers = 0;
  let doubts = 0;
  const severable = (): object => {
    producers += 1;
    const number = producers;
    const producer = {
      connect: async () => {},
      disconnect: async () => {},
      send({ messages }: Request): Promise<object> {
        const { promise, resolve, reject } = Promise.withResolvers<object>();
        const [first] = messages;
        sent.push({
          producer: number,
          partition: first?.partition ?? -1,
          values: messages.map(({ value }) => value).join(' '),
          answer: (baseOffset) => resolve([{ partition: first?.partition, baseOffset: String(baseOffset) }]),
          refuse: reject,
        });
        return promise;
      },
    };
    return { kafka: { producer: () => producer }, sever: () => void severed.push(number) };
  };
  const client = {
    clock,
    logger: { info() {}, warn() {}, error() {} },
    health: { good() {}, bad() {}, doubt: () => void (doubts += 1) },
    severable,
  } as unknown as Client; // what a writer asks of it
  return {
    writer: createWriter(client, 'inputs', limits),
    clock,
    log: () => sent.map(({ producer, partition, values }) => `${producer}/${partition}: ${values}`),
    async nth(place) {
      await clock.settle();
      return sent[place] ?? assert.fail(`${sent.length} sends went out, expected more than ${place}`);
    },
    severed,
    doubts: () => doubts,
  };
}

/** What becomes of an append: `offset 7`, or the code of its error. */
function outcome(appended: ReturnType<Writer['append']>): Promise<string> {
  return appended.then(
    ({ offset, whole }) => `offset ${offset}${whole ? '' : ' in pieces'}`,
    (error: { readonly code?: string }) => String(error.code ?? error),
  );
}

function valued(...values: readonly string[]): readonly { readonly value: string }[] {
  return values.map((value) => ({ value }));
}

/** A writer that forgets somebody leaves them waiting for ever. */
const promptly = { timeout: 20_000 };

const tooLarge = (): Error => Object.assign(new Error('too large'), { type: 'MESSAGE_TOO_LARGE' });

test('W1: callers of one moment share a request, and of a partition none goes out before the one before has ended', promptly, async () => {
  const { writer, log, nth } = writing();
  const outcomes = [outcome(writer.append(0, valued('a', 'b'))), outcome(writer.append(0, valued('c')))];
  const first = await nth(0);
  outcomes.push(outcome(writer.append(0, valued('d'))), outcome(writer.append(0, valued('e'))), outcome(writer.append(1, valued('x'))));
  const other = await nth(1);
  assert.deepEqual(log(), ['1/0: a b c', '1/1: x']);

  first.answer(7);
  other.answer(3);
  (await nth(2)).answer(10);
  assert.deepEqual(log(), ['1/0: a b c', '1/1: x', '1/0: d e']);
  assert.deepEqual(await Promise.all(outcomes), ['offset 7', 'offset 9', 'offset 10', 'offset 11', 'offset 3']);
});

test(
  'W2: after a send that was given up another producer sends, not before the old one is cut off, and that waits for its other sends',
  promptly,
  async () => {
    const { writer, log, nth, severed } = writing();
    const failing = outcome(writer.append(0, valued('a')));
    const slow = outcome(writer.append(1, valued('x')));
    const first = await nth(0);
    const other = await nth(1);
    first.refuse(new Error('no answer'));
    assert.equal(await failing, 'log_unavailable');
    const next = outcome(writer.append(0, valued('b')));
    const elsewhere = outcome(writer.append(2, valued('z')));
    const third = await nth(2);
    assert.deepEqual([log(), severed], [['1/0: a', '1/1: x', '2/2: z'], []]);

    other.answer(5);
    const fourth = await nth(3);
    assert.deepEqual([log().at(-1), severed], ['2/0: b', [1]]);
    third.answer(1);
    fourth.answer(0);
    assert.deepEqual(await Promise.all([slow, next, elsewhere]), ['offset 5', 'offset 0', 'offset 1']);
  },
);

test(
  'W3: a send that is not answered is given up, and what waits behind it fails with it; what comes later does not',
  promptly,
  async () => {
    const { writer, clock, nth } = writing();
    const outcomes = [outcome(writer.append(0, valued('a')))];
    await nth(0);
    outcomes.push(outcome(writer.append(0, valued('b'))));
    await clock.forward(8_000);
    assert.deepEqual(await Promise.all(outcomes), ['log_unavailable', 'log_unavailable']);

    const later = outcome(writer.append(0, valued('c')));
    const second = await nth(1);
    assert.deepEqual([second.producer, second.values], [2, 'c']);
    second.answer(4);
    assert.equal(await later, 'offset 4');
  },
);

test('W3: more than may wait is refused at once, and there is room again when something has ended, well or not', promptly, async () => {
  const { writer, nth } = writing({ recordsMax: 2, bytesMax: 1_000 });
  const first = outcome(writer.append(0, valued('a')));
  const second = outcome(writer.append(1, valued('b')));
  assert.equal(await outcome(writer.append(2, valued('c'))), 'overloaded');
  (await nth(0)).answer(0);
  (await nth(1)).refuse(new Error('no answer'));
  assert.deepEqual(await Promise.all([first, second]), ['offset 0', 'log_unavailable']);

  assert.equal(await outcome(writer.append(0, valued('x'.repeat(1_000)))), 'overloaded');
  for (const place of [2, 3]) {
    const large = outcome(writer.append(0, valued('x'.repeat(800))));
    assert.equal(await outcome(writer.append(1, valued('y'.repeat(200)))), 'overloaded');
    (await nth(place)).answer(place);
    assert.equal(await large, `offset ${place}`);
  }
});

test(
  'a request that is too large goes in smaller ones; only the record that is too large by itself fails its append',
  promptly,
  async () => {
    const { writer, log, nth, severed, doubts } = writing();
    const outcomes = [writer.append(0, valued('a')), writer.append(0, valued('b', 'c')), writer.append(0, valued('d', 'LARGE', 'e'))].map(
      outcome,
    );
    (await nth(0)).refuse(tooLarge());
    (await nth(1)).answer(0); // a
    (await nth(2)).refuse(tooLarge()); // b and c together
    (await nth(3)).answer(1);
    (await nth(4)).answer(2);
    (await nth(5)).refuse(tooLarge()); // the third append
    (await nth(6)).answer(3);
    (await nth(7)).refuse(tooLarge());

    assert.deepEqual(await Promise.all(outcomes), ['offset 0', 'offset 1 in pieces', 'payload_too_large']);
    assert.deepEqual(log(), ['1/0: a b c d LARGE e', '1/0: a', '1/0: b c', '1/0: b', '1/0: c', '1/0: d LARGE e', '1/0: d', '1/0: LARGE']);
    assert.deepEqual([severed, doubts()], [[], 1]);
  },
);

test('what was delivered before another append of its batch failed stays delivered, and is counted off once', promptly, async () => {
  const { writer, nth } = writing({ recordsMax: 2, bytesMax: 1_000 });
  const outcomes = [writer.append(0, valued('a')), writer.append(0, valued('b'))].map(outcome);
  (await nth(0)).refuse(tooLarge());
  (await nth(1)).answer(0);
  (await nth(2)).refuse(new Error('no answer'));
  assert.deepEqual(await Promise.all(outcomes), ['offset 0', 'log_unavailable']);

  const more = ['c', 'd', 'e'].map((value) => outcome(writer.append(0, valued(value))));
  assert.equal(await more[2], 'overloaded');
  (await nth(3)).answer(1);
  assert.deepEqual(await Promise.all(more), ['offset 1', 'offset 2', 'overloaded']);
});

test('settled and close wait for what was appended, and nothing is taken afterwards', promptly, async () => {
  const { writer, clock, nth, severed } = writing();
  const appended = outcome(writer.append(0, valued('a')));
  const done: string[] = [];
  const first = await nth(0);
  void writer.settled(0).then(() => done.push('settled'));
  void writer.settled(5).then(() => done.push('nothing was appended to 5'));
  const closed = writer.close().then(() => done.push('closed'));
  await clock.settle();
  assert.deepEqual(done, ['nothing was appended to 5']);
  assert.equal(await outcome(writer.append(0, valued('b'))), 'log_unavailable');

  first.answer(0);
  assert.equal(await appended, 'offset 0');
  await closed;
  assert.deepEqual([done, severed], [['nothing was appended to 5', 'settled', 'closed'], [1]]);
});
