// The four topics: made with the settings that the gateway relies on where they are missing, else checked; what is not as it must be is reported.
//   T1  Partition counts are never changed by us, and a difference stops us: a scope would move to another desk.
//   T2  Fewer copies than asked for do not stop us, but are reported, once for as long as they stay the same.
import type { Admin } from 'kafkajs';
import { GatewayError } from '../../src/core/errors.ts';
import { hour, minute, second, type Millis } from '../../src/core/time.ts';
import { type Client } from './client.ts';
import { pause, within } from './waits.ts';

/** Of the protocol; the client's own table of these is not visible to module imports. */
const topicResource = 2;
const askWithinMs: Millis = 10 * second;
const leadersWithinMs: Millis = 15 * second;
const leadersEveryMs: Millis = 100;
const recordBytes = 8_388_608;
/** Least that a topic must take: a delivery's alert with its labels, and the fact about it. */
const recordBytesMin = 2_097_152;
/** Small segments, compacted early: a partition's desk is read whole when it moves. */
const deskSegmentBytes = 33_554_432;
const copiesSetting = 'min.insync.replicas';

interface Wanted {
  readonly topic: string;
  readonly partitions: number;
  readonly settings: { readonly [name: string]: string };
  /** What must hold of a topic that is there, by setting. */
  readonly must: { readonly [name: string]: (value: string) => string | null };
}

function wantedOf(client: Client, retentionMs: Millis): readonly Wanted[] {
  const { topics, partitions, replication } = client.settings;
  const common = {
    'max.message.bytes': String(recordBytes),
    [copiesSetting]: String(copiesOf(replication)),
    'unclean.leader.election.enable': 'false',
  };
  const large = (value: string): string | null => (Number(value) >= recordBytesMin ? null : `at least ${recordBytesMin}`);
  const deleting = (value: string): string | null => (value === 'delete' ? null : 'delete: compaction would lose records');
  const compacting = (value: string): string | null => (value === 'compact' ? null : 'compact: deletion would lose the state of alerts');
  const kept = { ...common, 'cleanup.policy': 'delete', 'retention.ms': String(retentionMs), 'retention.bytes': '-1' };
  const log = { settings: kept, must: { 'cleanup.policy': deleting, 'max.message.bytes': large } };
  const desks = {
    ...common,
    'cleanup.policy': 'compact',
    'segment.bytes': String(deskSegmentBytes),
    'segment.ms': String(10 * minute),
    'min.cleanable.dirty.ratio': '0.2',
    'delete.retention.ms': String(hour),
  };
  return [
    { topic: topics.inputs, partitions, ...log },
    { topic: topics.facts, partitions, ...log },
    { topic: topics.desks, partitions, settings: desks, must: { 'cleanup.policy': compacting, 'max.message.bytes': large } },
    { topic: topics.deadletter, partitions: 1, ...log },
  ];
}

/** How many must be written before an append is answered. */
function copiesOf(replication: number): number {
  return replication >= 3 ? 2 : 1;
}

/** Makes what is missing and checks the rest, each time it is called. Rejects with `invalid_config` for what waiting does not mend, else with the client's error. */
export function topicKeeper(client: Client, retentionMs: Millis): () => Promise<void> {
  /** What was last said of topics with too few copies; '' for none. */
  let reported = '';
  return () =>
    ensureTopics(client, retentionMs, (underReplicated) => {
      if (underReplicated !== reported) reportReplicas(client, underReplicated); // T2
      reported = underReplicated;
    });
}

async function ensureTopics(client: Client, retentionMs: Millis, onReplicas: (underReplicated: string) => void): Promise<void> {
  const admin = client.kafka.admin();
  const wanted = wantedOf(client, retentionMs);
  const asking = <T>(what: string, ask: Promise<T>): Promise<T> => within(client.clock, askWithinMs, what, ask);
  try {
    await asking('connect', admin.connect());
    const there = new Set(await asking('list topics', admin.listTopics()));
    const missing = wanted.filter(({ topic }) => !there.has(topic));
    if (missing.length > 0) await make(client, admin, missing);
    await untilLed(client, admin, wanted);
    const { wrong, underReplicated } = await check(client, admin, wanted, asking);
    onReplicas(underReplicated.join('; '));
    if (wrong.length > 0) throw new GatewayError('invalid_config', wrong.join('; '));
  } finally {
    void admin.disconnect().catch(() => {});
  }
}

async function make(client: Client, admin: Admin, missing: readonly Wanted[]): Promise<void> {
  const names = missing.map(({ topic }) => topic).join(', ');
  if (!client.settings.createTopics)
    throw new GatewayError(
      'invalid_config',
      `topics ${names} are missing and log.createTopics is false: make them, or let the gateway do it`,
    );
  const { replication } = client.settings;
  const topics = missing.map(({ topic, partitions, settings }) => ({
    topic,
    numPartitions: partitions,
    replicationFactor: replication,
    configEntries: Object.entries(settings).map(([name, value]) => ({ name, value })),
  }));
  try {
    await within(client.clock, askWithinMs, 'make topics', admin.createTopics({ topics, waitForLeaders: false }));
    client.logger.info({ topics: names, replication }, 'topics made');
  } catch (error) {
    const says = JSON.stringify(error, ['message', 'errors', 'type', 'topic']) ?? '';
    if (says.includes('INVALID_REPLICATION_FACTOR'))
      throw new GatewayError(
        'invalid_config',
        `log.replication is ${replication}, but there are not that many brokers: lower it or add brokers`,
        error,
      );
    if (!says.includes('TOPIC_ALREADY_EXISTS')) throw error; // another gateway was quicker
  }
}

/** Resolves when every partition has a leader; rejects with `log_unavailable` or the client's error when that takes too long. */
async function untilLed(client: Client, admin: Admin, wanted: readonly Wanted[]): Promise<void> {
  const until = client.clock.steady() + leadersWithinMs;
  const topics = wanted.map(({ topic }) => topic);
  for (;;) {
    const found = await admin.fetchTopicMetadata({ topics }).catch((error: unknown) => {
      if (client.clock.steady() >= until) throw error;
      return { topics: [] };
    });
    const isLed = found.topics.length === topics.length && found.topics.every((one) => one.partitions.every(({ leader }) => leader >= 0));
    if (isLed) return;
    if (client.clock.steady() >= until)
      throw new GatewayError('log_unavailable', `not every partition of ${topics.join(', ')} has a leader`);
    await pause(client.clock, leadersEveryMs);
  }
}

async function check(
  client: Client,
  admin: Admin,
  wanted: readonly Wanted[],
  asking: <T>(what: string, ask: Promise<T>) => Promise<T>,
): Promise<{ readonly wrong: readonly string[]; readonly underReplicated: readonly string[] }> {
  const metadata = await asking('look at topics', admin.fetchTopicMetadata({ topics: wanted.map(({ topic }) => topic) }));
  const resources = wanted.map(({ topic, must }) => ({
    type: topicResource,
    name: topic,
    configNames: [...Object.keys(must), copiesSetting],
  }));
  const described = await asking('look at settings', admin.describeConfigs({ resources, includeSynonyms: false }));
  const wrong: string[] = [];
  const underReplicated: string[] = [];
  for (const { topic, partitions, must } of wanted) {
    const there = metadata.topics.find((one) => one.name === topic)?.partitions ?? [];
    if (there.length !== partitions)
      wrong.push(`topic ${topic} has ${there.length} partitions, log.partitions asks for ${partitions}: set it to what is there`); // T1
    const entries = described.resources.find((one) => one.resourceName === topic)?.configEntries ?? [];
    const valueOf = (name: string): string => entries.find((entry) => entry.configName === name)?.configValue ?? '';
    for (const [name, judge] of Object.entries(must)) {
      const expected = judge(valueOf(name));
      if (expected !== null) wrong.push(`topic ${topic} has ${name}=${valueOf(name)}, expected ${expected}`);
    }
    const replicas = Math.min(...there.map((partition) => partition.replicas.length));
    const { replication } = client.settings;
    if (replicas < replication || Number(valueOf(copiesSetting)) < copiesOf(replication))
      underReplicated.push(`${topic}: replicas ${replicas}, ${copiesSetting} ${valueOf(copiesSetting)}`);
  }
  return { wrong, underReplicated };
}

/** `seen`: the topics that hold too few copies, and how many; '' when none does any more (T2). */
function reportReplicas({ settings, logger }: Client, seen: string): void {
  if (seen === '') return logger.info({ replication: settings.replication }, 'topics hold the copies that log.replication asks for');
  const expected = `replicas ${settings.replication}, ${copiesSetting} ${copiesOf(settings.replication)}`;
  const advice = `add replicas (kafka-reassign-partitions.sh), then set ${copiesSetting} (kafka-configs.sh); or lower log.replication to what is there`;
  logger.warn({ seen, expected, advice }, 'topics hold fewer copies than log.replication asks for');
}
