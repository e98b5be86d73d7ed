// Where consumers stand, as committed offsets of groups without members: the coordinator keeps them, and Kafka's own tools show the lag.
// Not fenced: a process that was taken for dead may still move a cursor back, and what follows is repeated; it cannot move one past what was done.
import { GatewayError } from '../../src/core/errors.ts';
import { second, type Millis } from '../../src/core/time.ts';
import type { Cursors } from '../../src/ports/cursors.ts';
import { unavailable, type Broker, type Client, type Connection } from './client.ts';
import { pause, within } from './waits.ts';

const triesMax = 6;
/** Pause before the second try; before the third it is twice that, and so on. */
const restMs: Millis = 200;
const askWithinMs: Millis = 5 * second;

export interface KafkaCursors extends Cursors {
  /** Of several partitions at once. */
  saveAll(name: string, topic: string, offsets: ReadonlyMap<number, number>): Promise<void>;
  /** Partitions without a saved cursor are missing. */
  loadAll(name: string, topic: string): Promise<ReadonlyMap<number, number>>;
  close(): Promise<void>;
}

interface Committed {
  readonly responses: readonly {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number; readonly offset: string }[];
  }[];
}

export function createCursors(client: Client): KafkaCursors {
  const { settings, clock } = client;
  const connection: Connection = client.cluster();
  const { cluster } = connection;
  /** The client's type asks for offsets here, and the request has none. */
  const everyPartition = Array.from({ length: settings.partitions }, (_, partition) => ({ partition, offset: '-1' }));

  function groupOf(name: string): string {
    return `${settings.prefix}cursor.${/^[\w.-]+$/.test(name) ? name : encodeURIComponent(JSON.stringify(name))}`;
  }

  let isClosed = false;

  /** Asks the coordinator of the cursor's group, again when that fails. Rejects with `store_unavailable`. */
  async function askCoordinator<T>(name: string, ask: (coordinator: Broker) => Promise<T>): Promise<T> {
    if (isClosed) throw new GatewayError('store_unavailable', 'the log is closed');
    const groupId = groupOf(name);
    for (let attempt = 1; ; attempt += 1) {
      try {
        const asking = async (): Promise<T> => {
          await cluster.connect();
          await cluster.refreshMetadataIfNecessary();
          return ask(await cluster.findGroupCoordinator({ groupId }));
        };
        const answer = await within(clock, askWithinMs, `cursor ${groupId}`, asking());
        client.health.good('cursors');
        return answer;
      } catch (error) {
        if (attempt < triesMax && !isClosed) {
          await pause(clock, restMs * attempt);
          continue;
        }
        client.health.bad('cursors', error);
        throw unavailable('store_unavailable', `cursor ${groupId}`, error);
      }
    }
  }

  async function saveAll(name: string, topic: string, offsets: ReadonlyMap<number, number>): Promise<void> {
    const partitions = [...offsets].map(([partition, offset]) => ({ partition, offset: String(offset) }));
    await askCoordinator(name, (coordinator) =>
      coordinator.offsetCommit({ groupId: groupOf(name), groupGenerationId: -1, memberId: '', topics: [{ topic, partitions }] }),
    );
  }

  async function loadAll(name: string, topic: string): Promise<ReadonlyMap<number, number>> {
    const request = { groupId: groupOf(name), topics: [{ topic, partitions: everyPartition }] };
    const { responses } = (await askCoordinator(name, (coordinator) => coordinator.offsetFetch(request))) as Committed;
    const committed = responses.find((response) => response.topic === topic)?.partitions ?? [];
    return new Map(committed.map(({ partition, offset }) => [partition, Number(offset)] as const).filter(([, offset]) => offset >= 0));
  }

  return {
    saveAll,
    loadAll,
    async load(name, partition) {
      return (await loadAll(name, settings.topics.facts)).get(partition) ?? 0;
    },
    async save(name, partition, offset) {
      if (!Number.isSafeInteger(offset) || offset < 0) throw new GatewayError('internal', `cursor ${name} cannot stand at ${offset}`);
      await saveAll(name, settings.topics.facts, new Map([[partition, offset]]));
    },
    close() {
      isClosed = true;
      return connection.close();
    },
  };
}
