// The transactional producer of each partition's desks: who has it is the only one that may save them.
//   D2  Taking a partition over makes the broker refuse every older producer of it, whatever process that is in: the transactional id is the
//       partition's. Within a process, too, there is one producer of a partition, and an older one is cut off.
//   D3  A producer whose save failed is thrown away and its connections are cut; the partition has to be taken over anew before the next save.
import type { Producer } from 'kafkajs';
import { GatewayError } from '../../src/core/errors.ts';
import { second, type Millis } from '../../src/core/time.ts';
import { metadataMaxAgeMs, type Client } from './client.ts';
import { within } from './waits.ts';

const takeWithinMs: Millis = 15 * second;
/** An open transaction of a process that died is ended by the broker after this, if nobody loads the partition before. */
const transactionMs: Millis = 60 * second;

/** A producer whose connections can be cut. */
export interface DeskProducer {
  readonly producer: Producer;
  sever(): void;
}

export interface DeskProducers {
  /** Makes a producer that the broker from now on takes for the only one of the partition (D2). Rejects with the client's error or `deadline_exceeded`. */
  takeOver(partition: number): Promise<DeskProducer>;
  /** The partition's producer, or null before it is taken over. Throws `store_unavailable` after a failed save, until it is taken over anew (D3). */
  current(partition: number): DeskProducer | null;
  /** Whether the producer is still the partition's, in this process. */
  isCurrent(partition: number, producer: DeskProducer): boolean;
  /** Called after a failed save: the producer, if it still is the partition's, is thrown away, and the next save has to wait for a load (D3). */
  failed(partition: number, producer: DeskProducer): void;
  close(): void;
}

export function createDeskProducers(client: Client): DeskProducers {
  const { clock, settings } = client;
  const producers = new Map<number, DeskProducer>();
  /** Partitions whose last save failed. */
  const doubtful = new Set<number>();

  function discard(partition: number): void {
    producers.get(partition)?.sever();
    producers.delete(partition);
  }

  async function takeOver(partition: number): Promise<DeskProducer> {
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
      await (await producer.transaction()).abort(); // beginning one makes the broker refuse older producers
    };
    try {
      await within(clock, takeWithinMs, `take over ${settings.topics.desks} ${partition}`, take());
    } catch (error) {
      sever();
      throw error;
    }
    const taken = { producer, sever };
    producers.get(partition)?.sever(); // another take-over of ours may have ended meanwhile
    producers.set(partition, taken);
    doubtful.delete(partition);
    return taken;
  }

  return {
    takeOver,
    current(partition) {
      if (doubtful.has(partition))
        throw new GatewayError('store_unavailable', `the last save of partition ${partition} failed: it is to be loaded again`);
      return producers.get(partition) ?? null;
    },
    isCurrent: (partition, producer) => producers.get(partition) === producer,
    failed(partition, producer) {
      if (producers.get(partition) !== producer) return;
      discard(partition);
      doubtful.add(partition);
    },
    close() {
      for (const partition of producers.keys()) discard(partition);
    },
  };
}
