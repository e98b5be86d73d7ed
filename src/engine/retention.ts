// Forgets what is older than the retention, and beyond a budget of disk what is oldest, a bounded piece at a time: log records that everybody
// has read, and finished documents. When it runs is a schedule's business (gateway/retention.ts); what is still needed is never touched,
// however old it is and however much room it takes.
//   K1  Nothing at or above a consumer's cursor or the checkpoint is trimmed.
//   K2  The budget is aimed at from below: it forgets once nine tenths of it are taken, so that what comes until the next sweep finds room.
import type { Instant, Millis } from '../core/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventLog, LogRecord, Topic } from '../ports/event-log.ts';
import type { Store } from '../ports/store.ts';

const prunedAtOnce = 1_000;
const pruneRoundsMax = 200;
/** Of the budget, from which on the oldest goes (K2). */
const taken = 0.9;
/** How much of what may be trimmed goes in one step, and how many steps one sweep takes at most. */
const shares = 8;
const stepsMax = 32;

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
export function sweepOld(deps: RetentionDeps): Promise<Swept> {
  return sweepBefore(deps, deps.clock.now() - deps.retentionMs);
}

export interface Budget {
  /** What the files take now. */
  readonly bytes: () => number;
  readonly bytesMax: number;
}

export interface SweptToBudget {
  /** Everything up to here was forgotten; null: nothing had to be. */
  readonly before: Instant | null;
  /** What the files take beyond the budget, with everything gone that may go; 0 when it is kept. */
  readonly overBytes: number;
}

/** Forgets the oldest until the files are within the budget again, or nothing is left that may go. Rejects as `sweepOld` does. */
export async function sweepToBudget(deps: RetentionDeps, { bytes, bytesMax }: Budget): Promise<SweptToBudget> {
  let before: Instant | null = null;
  for (let step = 0; step < stepsMax && bytes() > bytesMax * taken; step += 1) {
    const oldest = deps.log === null ? shorter(deps, step) : await oldestShare(deps, deps.log);
    if (oldest === null || (before !== null && oldest <= before)) break; // nothing that may go is as old as this any more
    before = oldest;
    await sweepBefore(deps, before);
  }
  return { before, overBytes: Math.max(0, bytes() - bytesMax) };
}

/** Where the log forgets by itself, documents are kept for an eighth less in each step. */
function shorter({ clock, retentionMs }: RetentionDeps, step: number): Instant {
  return clock.now() - retentionMs * (1 - 1 / shares) ** (step + 1);
}

/** The time behind the oldest eighth of what may be trimmed, of the partition in which that is longest ago; null when nothing may. */
async function oldestShare(deps: RetentionDeps, log: EventLog): Promise<Instant | null> {
  const ends: Instant[] = [];
  for (let partition = 0; partition < log.partitions; partition += 1) {
    const keepFrom = await keptFrom(deps, partition);
    for (const topic of ['inputs', 'facts'] as const) {
      const [first] = await log.read(topic, partition, 0, 1);
      if (first === undefined || first.offset >= keepFrom[topic]) continue;
      const at = first.offset + Math.floor((keepFrom[topic] - 1 - first.offset) / shares);
      const [last] = await log.read(topic, partition, at, 1);
      if (last !== undefined) ends.push(atOf(last) + 1);
    }
  }
  return ends.length === 0 ? null : Math.min(...ends);
}

type KeptFrom = { readonly [topic in Topic]: number };

/** K1: below these offsets nobody has anything to read. */
async function keptFrom({ cursors, consumers, saved }: RetentionDeps, partition: number): Promise<KeptFrom> {
  const { inputs, facts } = saved(partition);
  const read = await Promise.all(consumers.map((name) => cursors.load(name, partition)));
  return { inputs, facts: Math.min(facts, ...read) };
}

async function sweepBefore(deps: RetentionDeps, before: Instant): Promise<Swept> {
  const { log, views } = deps;
  const inputs: number[] = [];
  const facts: number[] = [];
  for (let partition = 0; log !== null && partition < log.partitions; partition += 1) {
    const keepFrom = await keptFrom(deps, partition);
    inputs.push(await trimTopic(log, 'inputs', partition, { before, keepFrom: keepFrom.inputs }));
    facts.push(await trimTopic(log, 'facts', partition, { before, keepFrom: keepFrom.facts }));
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
    // A read below the retained range gives the first retained record.
    if (record !== undefined && atOf(record) < bound.before) low = Math.max(middle, record.offset) + 1;
    else high = middle;
  }
  return Math.min(low, bound.keepFrom);
}

/** Records of both topics carry when they came about; one that does not is not older than anything. */
function atOf({ value }: Pick<LogRecord, 'value'>): Instant {
  return (value as { readonly at?: Instant }).at ?? Number.POSITIVE_INFINITY;
}
