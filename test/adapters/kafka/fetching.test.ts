// Where a read goes on, over batches as compaction leaves them; a fetch never goes past the end of a segment.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from '../../../adapters/kafka/client.ts';
import { createReads } from '../../../adapters/kafka/fetching.ts';
import { systemClock } from '../../../src/gateway/clock.ts';

interface Batch {
  readonly first: number;
  readonly last: number;
  /** Offsets of the records that are left. */
  readonly left: readonly number[];
}

/** A partition of one topic, by segments. */
function partitionOf(end: number, segments: readonly (readonly Batch[])[]): Client {
  const fetch = async (request: { readonly topics: readonly [{ readonly partitions: readonly [{ readonly fetchOffset: string }] }] }) => {
    const from = Number(request.topics[0].partitions[0].fetchOffset);
    const segment = segments.find((batches) => batches.some(({ last }) => last >= from)) ?? [];
    const messages = segment
      .filter(({ last }) => last >= from)
      .flatMap(({ first, last, left }) =>
        left.map((offset) => ({
          offset: String(offset),
          key: null,
          value: Buffer.from('{}'),
          headers: {},
          batchContext: {
            firstOffset: String(first),
            lastOffsetDelta: last - first,
            producerId: '7',
            inTransaction: false,
            isControlBatch: false,
          },
        })),
      );
    return { responses: [{ topicName: 'desks', partitions: [{ partition: 0, highWatermark: String(end), messages }] }] };
  };
  const cluster = {
    connect: async () => {},
    addMultipleTargetTopics: async () => {},
    refreshMetadata: async () => {},
    refreshMetadataIfNecessary: async () => {},
    findLeaderForPartitions: () => ({ 1: [0] }),
    findBroker: async () => ({ fetch }),
  };
  // What a read asks of it.
  return { clock: systemClock, health: { good() {} }, cluster: () => ({ cluster, close: async () => {} }) } as unknown as Client;
}

/** Offsets read from the first to the end, as whoever loads desks does. */
async function readAll(
  end: number,
  segments: readonly (readonly Batch[])[],
): Promise<{ readonly seen: readonly number[]; readonly asked: number }> {
  const reads = createReads(partitionOf(end, segments));
  const seen: number[] = [];
  let asked = 0;
  for (let offset = 0; offset < end;) {
    const { messages, next } = await reads.fetch({ topic: 'desks', partition: 0, offset });
    for (const message of messages) if (message.offset >= offset) seen.push(message.offset);
    assert.ok(next > offset, `R2: a read at ${offset} goes on at ${next}`);
    assert.ok((asked += 1) < 100);
    offset = next;
  }
  return { seen, asked };
}

test('R1: a batch whose last records were compacted away, at the end of its segment, is passed', async () => {
  const segments = [[{ first: 0, last: 3, left: [0, 1] }], [{ first: 4, last: 6, left: [4, 6] }]];
  assert.deepEqual(await readAll(7, segments), { seen: [0, 1, 4, 6], asked: 2 });
});

test('R2: a segment of which nothing is left hides none of the next ones', async () => {
  const segments = [[{ first: 0, last: 3, left: [] }], [{ first: 4, last: 5, left: [] }], [{ first: 6, last: 8, left: [6, 8] }]];
  assert.deepEqual((await readAll(9, segments)).seen, [6, 8]);
});
