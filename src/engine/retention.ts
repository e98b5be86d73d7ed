// Forgets what is older than the retention, a bounded piece at a time: log records that everybody has read, and finished documents.
// When it runs is a schedule's business (gateway/retention.ts); what is still needed is never touched, however old.
//   K1  Nothing at or above a consumer's cursor or the checkpoint is trimmed.
import type { Instant, Millis } from '../core/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventLog, Topic } from '../ports/event-log.ts';
import type { Store } from '../ports/store.ts';

const prunedAtOnce = 1_000;
const pruneRoundsMax = 200;

export interface RetentionDeps {
  /** Null when the log forgets by itself. */
  readonly log: EventLog | null;
  readonly views: Store['views'];
  readonly cursors: Store['cursors'];
  readonly clock: Clock;
  readonly retentionMs: Millis;
  /** What the partition's checkpoint covers. */
  readonly saved: (partition: number) => { readonly inputs: number; readonly facts: number };
  readonly consumers: readonly string[];
}

export interface Swept {
  readonly documents: number;
  /** Records below these offsets are gone, by partition. */
  readonly inputs: readonly number[];
  readonly facts: readonly number[];
}

/** One sweep. Rejects with the store's `GatewayError` when it fails half-way; the next one goes on. */
export async function sweepOld(deps: RetentionDeps): Promise<Swept> {
  const { log, views, cursors } = deps;
  const before = deps.clock.now() - deps.retentionMs;
  const inputs: number[] = [];
  const facts: number[] = [];
  for (let partition = 0; log !== null && partition < log.partitions; partition += 1) {
    const saved = deps.saved(partition);
    const read = await Promise.all(deps.consumers.map((name) => cursors.load(name, partition)));
    inputs.push(await trimTopic(log, 'inputs', partition, { before, keepFrom: saved.inputs }));
    facts.push(await trimTopic(log, 'facts', partition, { before, keepFrom: Math.min(saved.facts, ...read) })); // K1
  }
  let documents = 0;
  for (let round = 0; round < pruneRoundsMax; round += 1) {
    const pruned = await views.prune(before, prunedAtOnce);
    documents += pruned;
    if (pruned < prunedAtOnce) break;
  }
  return { documents, inputs, facts };
}

async function trimTopic(
  log: EventLog,
  topic: Topic,
  partition: number,
  bound: { readonly before: Instant; readonly keepFrom: number },
): Promise<number> {
  const below = await firstSince(log, topic, partition, bound);
  if (below > 0) await log.trim(topic, partition, below);
  return below;
}

/** Offset of the first record that is not older than the instant, at most `keepFrom`: found by halving, as `at` never goes back. */
async function firstSince(
  log: EventLog,
  topic: Topic,
  partition: number,
  bound: { readonly before: Instant; readonly keepFrom: number },
): Promise<number> {
  let low = 0;
  let high = bound.keepFrom;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const [record] = await log.read(topic, partition, middle, 1);
    // Records of both topics carry `at`; a read below the retained range gives the first retained record.
    const at = (record?.value as { readonly at?: Instant } | undefined)?.at;
    if (record !== undefined && at !== undefined && at < bound.before) low = Math.max(middle, record.offset) + 1;
    else high = middle;
  }
  return Math.min(low, bound.keepFrom);
}
