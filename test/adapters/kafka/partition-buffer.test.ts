// The newest of a partition in memory against a model that is a list: what a reader is given is what was pushed, whole and in order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { PartitionBuffer } from '../../../adapters/kafka/partition-buffer.ts';
import type { LogRecord } from '../../../src/ports/event-log.ts';

const recordsMax = 4_096;
const charsMax = 4_194_304;

function recordAt(offset: number): LogRecord {
  return { partition: 0, offset, scope: 's', value: { offset } };
}

/** `ahead`: pushed that far from where it should go on; 0 fits. */
type Deed =
  | { readonly do: 'push'; readonly ahead: number; readonly count: number; readonly chars: number }
  | { readonly do: 'place'; readonly next: number; readonly anew: boolean }
  | { readonly do: 'hear of'; readonly durableEnd: number }
  | { readonly do: 'forget' };

const chars = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 300 }) },
  { weight: 1, arbitrary: fc.constantFrom(1_000_000, charsMax, charsMax + 1) },
);
const deed: fc.Arbitrary<Deed> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('push' as const),
      ahead: fc.constantFrom(0, 0, 0, 0, 0, 1, -1),
      count: fc.constantFrom(1, 3, 700, 3_000),
      chars,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('place' as const), next: fc.integer({ min: 0, max: 9_000 }), anew: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('hear of' as const), durableEnd: fc.integer({ min: 0, max: 12_000 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const) }) },
);

interface Model {
  next: number | null;
  durableEnd: number;
  held: { readonly offset: number; readonly chars: number }[];
  chars: number;
}

function push(buffer: PartitionBuffer, model: Model, { ahead, count, chars: size }: Extract<Deed, { do: 'push' }>): void {
  for (let nth = 0; nth < count; nth += 1) {
    const offset = (model.next ?? 0) + ahead;
    const fits = model.next !== null && ahead === 0;
    assert.equal(buffer.push(recordAt(offset), size), fits, `push at ${offset}, next is ${model.next}`);
    if (!fits) return;
    model.held.push({ offset, chars: size });
    model.chars += size;
    model.next = offset + 1;
    model.durableEnd = Math.max(model.durableEnd, offset + 1);
    while (model.held.length > recordsMax || (model.chars > charsMax && model.held.length > 1))
      model.chars -= model.held.shift()?.chars ?? 0;
  }
}

function play(buffer: PartitionBuffer, model: Model, what: Deed): void {
  if (what.do === 'push') return push(buffer, model, what);
  if (what.do === 'hear of') {
    buffer.durableEnd = model.durableEnd = Math.max(model.durableEnd, what.durableEnd);
    return;
  }
  if (what.do === 'forget') {
    buffer.forget();
    return void Object.assign(model, { next: null, durableEnd: 0, held: [], chars: 0 });
  }
  buffer.place(what.next, what.anew);
  Object.assign(model, { next: what.next, durableEnd: what.anew ? what.next : Math.max(model.durableEnd, what.next), held: [], chars: 0 });
}

/** What a reader must be given: null where the log has to be asked. */
function expected({ next, durableEnd, held }: Model, offset: number, max: number): readonly number[] | null {
  if (next === null) return null;
  if (offset >= next) return offset < durableEnd ? null : [];
  const first = held[0]?.offset ?? next;
  if (offset < first) return null;
  return held.slice(offset - first, offset - first + max).map((one) => one.offset);
}

test('S1: a reader is given what was pushed, without a gap, or is sent to the log; never anything else', () => {
  fc.assert(
    fc.property(fc.array(deed, { maxLength: 40, size: 'max' }), fc.integer({ min: 1, max: 300 }), (deeds, max) => {
      const buffer = new PartitionBuffer('t', 0, { recordsMax, charsMax });
      const model: Model = { next: null, durableEnd: 0, held: [], chars: 0 };
      for (const what of deeds) {
        play(buffer, model, what);

        assert.equal(buffer.next, model.next);
        assert.equal(buffer.durableEnd, model.durableEnd);
        const [first, next] = [model.held[0]?.offset ?? model.next ?? 0, model.next ?? 0];
        for (const offset of [0, first - 1, first, first + 1, next - 1, next, next + 1, model.durableEnd - 1, model.durableEnd, 20_000]) {
          if (offset < 0) continue;
          const seen = buffer.slice(offset, max);
          assert.deepEqual(seen === null ? null : seen.map((record) => record.offset), expected(model, offset, max), `read from ${offset}`);
          for (const record of seen ?? []) assert.deepEqual(record.value, { offset: record.offset });
        }
      }
    }),
    { numRuns: 150 },
  );
});

test('S1: a buffer that is pushed to for ever stays within its bounds', () => {
  const buffer = new PartitionBuffer('t', 0, { recordsMax, charsMax });
  buffer.place(0, true);
  const total = 3 * recordsMax + 5;
  for (let offset = 0; offset < total; offset += 1) assert.ok(buffer.push(recordAt(offset), 1));

  assert.equal(buffer.slice(total - recordsMax, total)?.length, recordsMax);
  assert.equal(buffer.slice(total - recordsMax - 1, total), null);
});

test('S1: what was dropped is let go, however few the records are', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const buffer = new PartitionBuffer('t', 0, { recordsMax, charsMax: 1_000_000 });
  buffer.place(0, true);
  const held = pushWatched(buffer, 300);

  await new Promise<void>((resolve) => setImmediate(resolve)); // a WeakRef holds on until the turn is over
  collect();
  const left = held.filter((record) => record.deref() !== undefined).length;
  assert.ok(left <= 2 * 50 + 1, `${left} records are held, of which 50 may be read`);
});

function pushWatched(buffer: PartitionBuffer, count: number): readonly WeakRef<LogRecord>[] {
  return Array.from({ length: count }, (_, offset) => {
    const record = recordAt(offset);
    buffer.push(record, 20_000);
    return new WeakRef(record);
  });
}

test('one record larger than all that may be held is held, alone', () => {
  const buffer = new PartitionBuffer('t', 0, { recordsMax, charsMax });
  buffer.place(0, true);
  buffer.push(recordAt(0), 10);
  buffer.push(recordAt(1), charsMax + 1);

  assert.equal(buffer.slice(0, 9), null);
  assert.deepEqual(buffer.slice(1, 9), [recordAt(1)]);
  buffer.push(recordAt(2), 10);
  assert.equal(buffer.slice(1, 9), null);
  assert.deepEqual(buffer.slice(2, 9), [recordAt(2)]);
});

test('a reader beyond what is here, but not beyond what is durable, is sent to the log', () => {
  const buffer = new PartitionBuffer('t', 0, { recordsMax, charsMax });
  buffer.place(5, true);
  buffer.durableEnd = 8;

  assert.equal(buffer.slice(5, 9), null);
  assert.deepEqual(buffer.slice(8, 9), []);
});

test('every watcher is called once for each word, and none that has gone', () => {
  const buffer = new PartitionBuffer('t', 0, { recordsMax, charsMax });
  const heard: string[] = [];
  const one = (): void => void heard.push('one');
  buffer.watchers.add(one);
  buffer.watchers.add(() => void heard.push('two'));
  buffer.notify();
  buffer.watchers.delete(one);
  buffer.notify();

  assert.deepEqual(heard, ['one', 'two', 'two']);
});
