// Desk rows in a compacted topic: a save is one transaction, so that a mark is never read without its rows, nor rows without their mark.
//   D1  A save is read whole or not at all.
//   D2  Loading takes the partition over: the transactional id is the partition's, so the broker refuses every older producer's save. That is why
//       there are transactions here and nowhere else: facts repeat harmlessly, but compaction keeps the last row whoever wrote it.
//       Within a process, too: a save goes with the producer that was the partition's when it was called (desk-producers.ts).
//   D3  After a failed save the producer is thrown away and its connections are cut; what was in doubt is decided by the next load.
import type { Message as OutMessage, Producer } from 'kafkajs';
import { GatewayError } from '../../src/core/errors.ts';
import { second, type Millis } from '../../src/core/time.ts';
import type { CheckpointMark, Checkpoints, DeskRow } from '../../src/ports/checkpoints.ts';
import { requestRecordsMax } from './append-queue.ts';
import { replicasWithinMs, typeOf, unavailable, type Client } from './client.ts';
import { createDeskProducers } from './desk-producers.ts';
import { createReads, fetchBytesMax, isOurs, stamp, type Reads } from './fetching.ts';
import type { KafkaLog } from './log.ts';
import { addressed } from './produce-request.ts';
import { pause, within } from './waits.ts';

const requestBytesMax = 4_194_304;
/** Protocol overhead of a record, roughly. */
const recordOverhead = 100;
const saveWithinMs: Millis = 45 * second;
const triesMax = 8;
/** Pause before the second try; before the third it is twice that, and so on. */
const restMs: Millis = 20;
const markKey = 'mark';
const rowsPerChunk = 1_000;

export function createCheckpoints(client: Client, eventLog: KafkaLog): Checkpoints & { close(): Promise<void> } {
  const { clock, settings, health } = client;
  const topic = settings.topics.desks;
  const reads = createReads(client);
  const producers = createDeskProducers(client);

  function saveFailed(partition: number, error: unknown): GatewayError {
    if (isFenced(error))
      return new GatewayError('store_unavailable', `partition ${partition} was loaded by another gateway since: ours no more`, error);
    health.bad('save desks', error);
    return unavailable('store_unavailable', `save ${topic} ${partition}`, error);
  }

  return {
    async save(partition, mark, rows) {
      const used = producers.current(partition) ?? (await producers.takeOver(partition));
      await eventLog.settled(partition);
      await checkMark(eventLog, partition, mark);
      if (!producers.isCurrent(partition, used))
        throw new GatewayError('store_unavailable', `partition ${partition} was loaded again or let go meanwhile`); // D2
      const messages = messagesOf(mark, rows);
      try {
        const saved = retried(client, () => commit(used.producer, topic, partition, messages));
        await within(clock, saveWithinMs, `save ${topic} ${partition}`, saved);
        health.good('save desks');
      } catch (error) {
        producers.failed(partition, used); // D3
        throw saveFailed(partition, error);
      }
    },

    async load(partition, take) {
      try {
        await producers.takeOver(partition);
        const { rows, mark } = await readAll(client, reads, partition);
        takeInChunks(rows, take);
        health.good('load desks');
        // Written by save only.
        return mark === null ? null : (JSON.parse(mark.toString()) as CheckpointMark);
      } catch (error) {
        health.bad('load desks', error);
        throw unavailable('store_unavailable', `load ${topic} ${partition}`, error);
      }
    },

    async close() {
      producers.close();
      await reads.close().catch(() => {});
    },
  };
}

/** Rejects with `state_conflict` when the mark is past the end of the log: what it stands on must be durable before it is. */
async function checkMark(eventLog: KafkaLog, partition: number, { inputs, facts }: CheckpointMark): Promise<void> {
  if (inputs > (await eventLog.end('inputs', partition, inputs)) || facts > (await eventLog.end('facts', partition, facts)))
    throw new GatewayError(
      'state_conflict',
      `checkpoint of partition ${partition} at inputs ${inputs}, facts ${facts} is past the end of the log`,
    );
}

/** Writes the messages in one transaction (D1). */
async function commit(producer: Producer, topic: string, partition: number, messages: readonly OutMessage[]): Promise<void> {
  const transaction = await producer.transaction();
  try {
    for (const piece of piecesOf(messages))
      await transaction.send({ topic, acks: -1, timeout: replicasWithinMs, messages: addressed(partition, piece) });
  } catch (error) {
    await transaction.abort(); // its own failure ends the producer (D3)
    throw error;
  }
  await transaction.commit();
}

/** A transaction right after another may find the broker still ending that one: nothing was written then, so it is asked again. */
async function retried(client: Client, attempt: () => Promise<void>): Promise<void> {
  for (let count = 1; ; count += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (typeOf(error) !== 'CONCURRENT_TRANSACTIONS' || count === triesMax) throw error;
      await pause(client.clock, restMs * count);
    }
  }
}

/** The last value of each row that was committed and not deleted, by its key in the topic, and the last mark. */
async function readAll(
  client: Client,
  reads: Reads,
  partition: number,
): Promise<{ readonly rows: ReadonlyMap<string, Buffer>; readonly mark: Buffer | null }> {
  const topic = client.settings.topics.desks;
  const rows = new Map<string, Buffer>();
  let mark: Buffer | null = null;
  const { first, end } = await reads.ends(topic, partition);
  for (let next = first; next < end;) {
    const fetched = await reads.fetch({ topic, partition, offset: next }, { bytes: fetchBytesMax, committed: true });
    for (const message of fetched.messages) {
      const { offset, value } = message;
      const key = message.key?.toString() ?? '';
      if (offset < next) continue;
      if (!isOurs(message)) client.health.foreignRecord({ topic, partition, offset });
      else if (key === markKey) mark = value;
      else if (value === null) rows.delete(key);
      else rows.set(key, value);
    }
    next = fetched.next;
  }
  return { rows, mark };
}

function takeInChunks(rows: ReadonlyMap<string, Buffer>, take: (rows: readonly DeskRow[]) => void): void {
  let chunk: DeskRow[] = [];
  for (const [key, value] of rows) {
    chunk.push(rowOf(key, value));
    if (chunk.length < rowsPerChunk) continue;
    take(chunk);
    chunk = [];
  }
  if (chunk.length > 0) take(chunk);
}

/** Whether the broker refused us because another producer took the partition over since. */
function isFenced(error: unknown): boolean {
  return ['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED', 'INVALID_PRODUCER_ID_MAPPING', 'INVALID_TXN_STATE'].includes(typeOf(error));
}

function messagesOf(mark: CheckpointMark, rows: readonly DeskRow[]): readonly OutMessage[] {
  return [...rows.map(messageOf), { key: markKey, value: JSON.stringify(mark), headers: stamp }];
}

function messageOf({ scope, table, key, doc }: DeskRow): OutMessage {
  return { key: JSON.stringify([scope, table, key]), value: doc === null ? null : JSON.stringify(doc), headers: stamp };
}

function rowOf(messageKey: string, value: Buffer): DeskRow {
  // Written by messageOf only.
  const [scope, table, key] = JSON.parse(messageKey) as [string, string, string];
  return { scope, table, key, doc: JSON.parse(value.toString()) as object };
}

/** In order, each of about one request. */
function* piecesOf(messages: readonly OutMessage[]): Iterable<readonly OutMessage[]> {
  let piece: OutMessage[] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = (message.value?.length ?? 0) + (message.key?.length ?? 0) + recordOverhead;
    if (piece.length === requestRecordsMax || (piece.length > 0 && bytes + size > requestBytesMax)) {
      yield piece;
      [piece, bytes] = [[], 0];
    }
    piece.push(message);
    bytes += size;
  }
  if (piece.length > 0) yield piece;
}
