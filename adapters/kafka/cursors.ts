// Where consumers stand, as committed offsets of groups without members: the coordinator keeps them, and Kafka's own tools show the lag.
// Not fenced: a process that was taken for dead may move one back, and what follows is repeated; it can move none past what was done.
import { GatewayError } from '../../src/core/errors.ts';
import type { Cursors } from '../../src/core/ports.ts';
import { second, type Millis } from '../../src/core/time.ts';
import { unavailable, type Broker, type Client, type Connection } from './client.ts';
import { pause, within } from './waits.ts';

const tries = 6;
const restMs: Millis = 200;
const askWithinMs: Millis = 5 * second;

export interface KafkaCursors extends Cursors {
  saveAll(name: string, topic: string, offsets: ReadonlyMap<number, number>): Promise<void>;
  /** Only partitions of which one was saved. */
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
  const anywhere = Array.from({ length: settings.partitions }, (_, partition) => ({ partition, offset: '-1' }));

  function groupOf(name: string): string {
    return `${settings.prefix}cursor.${/^[\w.-]+$/.test(name) ? name : encodeURIComponent(JSON.stringify(name))}`;
  }

  let closed = false;

  async function asked<T>(name: string, ask: (coordinator: Broker) => Promise<T>): Promise<T> {
    if (closed) throw new GatewayError('store_unavailable', 'the log is closed');
    const groupId = groupOf(name);
    for (let attempt = 1; ; attempt += 1) {
      try {
        const answer = async (): Promise<T> => {
          await cluster.connect();
          await cluster.refreshMetadataIfNecessary();
          return ask(await cluster.findGroupCoordinator({ groupId }));
        };
        const answered = await within(clock, askWithinMs, `cursor ${groupId}`, answer());
        client.health.good('cursors');
        return answered;
      } catch (error) {
        if (attempt < tries && !closed) {
          await pause(clock, restMs * attempt);
          continue;
        }
        client.health.bad('cursors', error);
        throw unavailable('store_unavailable', `cursor ${groupId}`, error);
      }
    }
  }

  async function saveAll(name: string, topic: string, offsets: ReadonlyMap<number, number>): Promise<void> {
    const of = [...offsets].map(([partition, offset]) => ({ partition, offset: String(offset) }));
    await asked(name, (coordinator) =>
      coordinator.offsetCommit({ groupId: groupOf(name), groupGenerationId: -1, memberId: '', topics: [{ topic, partitions: of }] }),
    );
  }

  async function loadAll(name: string, topic: string): Promise<ReadonlyMap<number, number>> {
    const request = { groupId: groupOf(name), topics: [{ topic, partitions: anywhere }] };
    const { responses } = (await asked(name, (coordinator) => coordinator.offsetFetch(request))) as Committed;
    const found = responses.find((one) => one.topic === topic)?.partitions ?? [];
    return new Map(found.map(({ partition, offset }) => [partition, Number(offset)] as const).filter(([, offset]) => offset >= 0));
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
      closed = true;
      return connection.close();
    },
  };
}
