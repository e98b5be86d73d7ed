// Desk rows in a compacted topic: a save is one transaction, so that a mark is never read without its rows, nor rows without their mark.
//   D1  A save is read whole or not at all.
//   D2  Loading takes the partition over: the transactional id is the partition's, so the broker refuses every older producer's save. That is why
//       there are transactions here and nowhere else: facts repeat harmlessly, but compaction keeps the last row whoever wrote it.
//       Within a process, too: a save goes with the producer that was the partition's when it was called.
//   D3  After a failed save the producer is thrown away and its connections are cut; what was in doubt is decided by the next load.
import type { Message as OutMessage, Producer } from 'kafkajs';
import { GatewayError } from '../../src/core/errors.ts';
import type { CheckpointMark, Checkpoints, DeskRow } from '../../src/core/ports.ts';
import { second, type Millis } from '../../src/core/time.ts';
import { metadataMaxAgeMs, replicasWithinMs, typeOf, unavailable, type Client } from './client.ts';
import { createReads, fetchBytesMax, isOurs, stamp } from './fetching.ts';
import type { KafkaLog } from './log.ts';
import { requestRecordsMax } from './append-queue.ts';
import { pause, within } from './waits.ts';

const requestBytesMax = 4_194_304;
const saveWithinMs: Millis = 45 * second;
const takeWithinMs: Millis = 15 * second;
/** An open transaction of a process that died is ended by the broker after this, if nobody loads the partition before. */
const transactionMs: Millis = 60 * second;
const tries = 8;
const markKey = 'mark';
const rowsPerChunk = 1_000;

/** A producer whose connections can be cut. */
interface Line {
  readonly producer: Producer;
  sever(): void;
}

export function createCheckpoints(client: Client, log: KafkaLog): Checkpoints & { close(): Promise<void> } {
  const { clock, settings } = client;
  const topic = settings.topics.desks;
  const reads = createReads(client);
  const lines = new Map<number, Line>();
  /** Whose save failed: they have to be loaded before they may save again. */
  const lost = new Set<number>();

  function discard(partition: number): void {
    lines.get(partition)?.sever();
    lines.delete(partition);
  }

  /** A producer whose id the broker now takes for the only one (D2). */
  async function takeOver(partition: number): Promise<Line> {
    discard(partition);
    const { kafka, sever } = client.severable();
    const producer = kafka.producer({
      transactionalId: `${settings.prefix}desks-${partition}`,
      transactionTimeout: transactionMs,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      metadataMaxAge: metadataMaxAgeMs,
    });
    const take = async (): Promise<void> => {
      await producer.connect();
      await (await producer.transaction()).abort();
    };
    try {
      await within(clock, takeWithinMs, `take over ${topic} ${partition}`, take());
    } catch (error) {
      sever();
      throw error;
    }
    const line = { producer, sever };
    lines.get(partition)?.sever();
    lines.set(partition, line);
    lost.delete(partition);
    return line;
  }

  async function readAll(partition: number): Promise<{ readonly rows: Map<string, Buffer>; readonly mark: Buffer | null }> {
    const rows = new Map<string, Buffer>();
    let mark: Buffer | null = null;
    const { first, end } = await reads.ends(topic, partition);
    for (let offset = first; offset < end;) {
      const fetched = await reads.fetch({ topic, partition, offset }, { bytes: fetchBytesMax, committed: true });
      for (const message of fetched.messages) {
        const { offset: at, key, value } = message;
        const name = key?.toString() ?? '';
        if (at < offset) continue;
        if (!isOurs(message)) client.health.foreignRecord({ topic, partition, offset: at });
        else if (name === markKey) mark = value;
        else if (value === null) rows.delete(name);
        else rows.set(name, value);
      }
      offset = fetched.next;
    }
    return { rows, mark };
  }

  async function commit(producer: Producer, messages: readonly OutMessage[]): Promise<void> {
    const transaction = await producer.transaction();
    try {
      for (const piece of piecesOf(messages)) await transaction.send({ topic, acks: -1, timeout: replicasWithinMs, messages: [...piece] });
    } catch (error) {
      await transaction.abort(); // its own failure ends the producer (D3)
      throw error;
    }
    await transaction.commit();
  }

  return {
    async save(partition, mark, rows) {
      if (lost.has(partition))
        throw new GatewayError('store_unavailable', `the last save of partition ${partition} failed: it is to be loaded again`);
      const mine = lines.get(partition) ?? (await takeOver(partition));
      await log.settled(partition);
      const { inputs, facts } = mark;
      if (inputs > (await log.end('inputs', partition, inputs)) || facts > (await log.end('facts', partition, facts)))
        throw new GatewayError(
          'state_conflict',
          `checkpoint of partition ${partition} at inputs ${inputs}, facts ${facts} is past the end of the log`,
        );
      if (lines.get(partition) !== mine)
        throw new GatewayError('store_unavailable', `partition ${partition} was loaded again or let go meanwhile`); // D2
      const messages = [
        ...rows.map((row) => messageOf(partition, row)),
        { key: markKey, value: JSON.stringify(mark), partition, headers: stamp },
      ];
      try {
        await within(
          clock,
          saveWithinMs,
          `save ${topic} ${partition}`,
          retried(client, () => commit(mine.producer, messages)),
        );
        client.health.good('save desks');
      } catch (error) {
        if (lines.get(partition) === mine) {
          discard(partition); // D3
          lost.add(partition);
        }
        if (isFenced(error))
          throw new GatewayError('store_unavailable', `partition ${partition} was loaded by another gateway since: ours no more`, error);
        client.health.bad('save desks', error);
        throw unavailable('store_unavailable', `save ${topic} ${partition}`, error);
      }
    },

    async load(partition, take) {
      try {
        await takeOver(partition);
        const { rows, mark } = await readAll(partition);
        let chunk: DeskRow[] = [];
        for (const [name, value] of rows) {
          chunk.push(rowOf(name, value));
          if (chunk.length < rowsPerChunk) continue;
          take(chunk);
          chunk = [];
        }
        if (chunk.length > 0) take(chunk);
        client.health.good('load desks');
        // Written by save only.
        return mark === null ? null : (JSON.parse(mark.toString()) as CheckpointMark);
      } catch (error) {
        client.health.bad('load desks', error);
        throw unavailable('store_unavailable', `load ${topic} ${partition}`, error);
      }
    },

    async close() {
      for (const partition of lines.keys()) discard(partition);
      await reads.close().catch(() => {});
    },
  };
}

/** A transaction right after another may find the broker still ending that one: nothing was written then, so it is asked again. */
async function retried(client: Client, attempt: () => Promise<void>): Promise<void> {
  for (let count = 1; ; count += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (typeOf(error) !== 'CONCURRENT_TRANSACTIONS' || count === tries) throw error;
      await pause(client.clock, 20 * count);
    }
  }
}

function isFenced(error: unknown): boolean {
  return ['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED', 'INVALID_PRODUCER_ID_MAPPING', 'INVALID_TXN_STATE'].includes(typeOf(error));
}

function messageOf(partition: number, { scope, table, key, doc }: DeskRow): OutMessage {
  return { key: JSON.stringify([scope, table, key]), value: doc === null ? null : JSON.stringify(doc), partition, headers: stamp };
}

function rowOf(name: string, value: Buffer): DeskRow {
  // Written by messageOf only.
  const [scope, table, key] = JSON.parse(name) as [string, string, string];
  return { scope, table, key, doc: JSON.parse(value.toString()) as object };
}

function* piecesOf(messages: readonly OutMessage[]): Iterable<readonly OutMessage[]> {
  let piece: OutMessage[] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = (message.value?.length ?? 0) + (message.key?.length ?? 0) + 100;
    if (piece.length === requestRecordsMax || (piece.length > 0 && bytes + size > requestBytesMax)) {
      yield piece;
      [piece, bytes] = [[], 0];
    }
    piece.push(message);
    bytes += size;
  }
  if (piece.length > 0) yield piece;
}
