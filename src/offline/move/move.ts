// The data of a gateway that was alone, put on a log that several share: `quench log move`. Through the ports only; nothing is taken from the source.
// What it cannot take along: deliveries as they were received (they lie beside the old inputs, and inputs are not moved), so alerts of before show none.
//   M1  Nothing is written unless a host would have nothing to decide in the source, what effects have not passed is answered there
//       (quiescence.ts), and inputs and facts of the target are empty. Whoever writes there later is found out by the first offset of a partition.
//   M2  Desks, and facts in the order of their scope, are the same afterwards; that is read back from the target and compared.
//   M3  Nothing is done or told a second time: effects of the target begin behind the moved facts.
import type { Moved } from '../../cli/results.ts';
import { canonicalJson, digestOf } from '../../config/playbook/digest.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Expressions } from '../../core/playbook/expressions.ts';
import type { Fact } from '../../core/records.ts';
import { everyScope } from '../../core/stamp.ts';
import { second, type Millis } from '../../core/time.ts';
import { pause } from '../../engine/async/pause.ts';
import { partitionOf } from '../../engine/intake/scope.ts';
import { effectsCursor } from '../../engine/effects/effects.ts';
import type { Backbone } from '../../ports/backbone.ts';
import type { CheckpointMark, DeskRow } from '../../ports/checkpoints.ts';
import type { Clock } from '../../ports/clock.ts';
import type { LogRecord } from '../../ports/event-log.ts';
import { factsPerRead, forgottenIn, pagesOf, quiescentRows, type Source } from './quiescence.ts';

const factsPerBatch = 200;
const batchCharsMax = 262_144;
const lettersPerPage = 100;
const answerWithinMs: Millis = 30 * second;
const askAgainMs: Millis = 200;
/** There is no such input on the target: the offset it had belongs to another log. */
const noOffset = -1;

export interface MoveParts {
  readonly source: Source;
  readonly target: Backbone;
  readonly expressions: Expressions;
  readonly clock: Clock;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  readonly progress: (text: string) => void;
}

/** Moves everything, or rejects before it has written anything with `state_conflict` and what to do; later with what broke, when what to do is told. */
export async function move(parts: MoveParts): Promise<Moved> {
  const { source, target, dryRun, signal, progress } = parts;
  const rows = await quiescentRows(source, parts.expressions, parts.clock);
  await answering(parts);
  await requireEmpty(target);
  const plan = rowsByPartition(rows, target.log.partitions);
  progress(`${rows.length} rows of ${new Set(rows.map(({ scope }) => scope)).size} desks`);
  let wrote = false;
  const writes = (): void => void (wrote = true);
  try {
    const copied = await copyFacts(parts, writes);
    for (const [partition, mine] of dryRun ? [] : plan.entries()) {
      signal.throwIfAborted();
      writes();
      await settle(target, partition, mine, copied.counts[partition] ?? 0);
    }
    const deadLetters = await copyLetters(parts);
    progress(dryRun ? 'no record was written' : 'reading it back');
    const different = dryRun ? new Map<number, readonly string[]>() : await differences(parts, plan, copied.digests);
    return {
      dryRun,
      ok: [...different.values()].every((scopes) => scopes.length === 0),
      partitions: plan.map((mine, partition) => ({
        partition,
        scopes: new Set(mine.map(({ scope }) => scope)).size,
        rows: mine.length,
        facts: copied.counts[partition] ?? 0,
        equal: dryRun ? null : different.get(partition)?.length === 0,
      })),
      deadLetters,
      different: [...new Set([...different.values()].flat())].sort(),
      forgotten: await forgottenIn(source.log),
    };
  } catch (error) {
    if (wrote) progress(`broke off half-way; do not start a gateway on the target: ${makeRoom}`);
    throw error;
  }
}

// ---------------------------------------------------------------- the target, empty

const makeRoom = 'delete its topics, or name others (a new prefix) in the configuration, and move again';

/** Opening a log does not wait for its servers; that it knows of no problem yet does not say that they answer. */
async function answering({ target, clock, signal }: MoveParts): Promise<void> {
  const began = clock.steady();
  for (let problem = await problemOf(target); problem !== null; problem = await problemOf(target)) {
    signal.throwIfAborted();
    if (clock.steady() - began > answerWithinMs) throw new GatewayError('log_unavailable', `the target does not answer: ${problem}`);
    await pause(clock, askAgainMs);
  }
}

async function problemOf(target: Backbone): Promise<string | null> {
  const problem = target.problem();
  if (problem !== null) return problem;
  try {
    await target.log.end('inputs', 0);
    return null;
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'log_unavailable') return error.message;
    throw error;
  }
}

async function requireEmpty({ log }: Backbone): Promise<void> {
  for (let partition = 0; partition < log.partitions; partition += 1) {
    for (const topic of ['inputs', 'facts'] as const) {
      const end = await log.end(topic, partition);
      if (end > 0) throw notEmpty(`${topic} of partition ${partition} end at ${end}`);
    }
  }
}

function notEmpty(seen: string): GatewayError {
  return new GatewayError(
    'state_conflict',
    `the target is not empty (${seen}): a gateway has used it, or a move broke off half-way; ${makeRoom}`,
  );
}

// ---------------------------------------------------------------- writing

/** Rows of `*` go to every partition: each decides for itself what policy and freeze are in force. */
function rowsByPartition(rows: readonly DeskRow[], partitions: number): readonly (readonly DeskRow[])[] {
  const plan = Array.from({ length: partitions }, (): DeskRow[] => []);
  for (const row of rows) for (const partition of placesOf(row.scope, partitions)) plan[partition]?.push(row);
  return plan;
}

function placesOf(scope: string, partitions: number): readonly number[] {
  return scope === everyScope ? Array.from({ length: partitions }, (_, partition) => partition) : [partitionOf(scope, partitions)];
}

interface Copied {
  /** By partition of the target. */
  readonly counts: readonly number[];
  /** Chained digest of a scope's facts, by partition and scope. */
  readonly digests: ReadonlyMap<string, string>;
}

/** A page of facts at a time, its scopes side by side. Repeats that a host left (it turned its tail again) are dropped by their number. */
async function copyFacts({ source, target, dryRun, signal, progress }: MoveParts, writes: () => void): Promise<Copied> {
  const { partitions } = target.log;
  const counts = Array.from({ length: partitions }, () => 0);
  const digests = new Map<string, string>();
  const seqs = new Map<string, number>();
  let copied = 0;

  /** Appends keep the order of calls, so the offsets tell whether anybody else has written. M1 */
  async function put(partition: number, scope: string, values: readonly object[]): Promise<void> {
    const expected = counts[partition] ?? 0;
    counts[partition] = expected + values.length;
    for (const value of values) chain(digests, partition, scope, value);
    if (dryRun) return;
    writes();
    const offset = await target.log.append('facts', { partition, scope, values });
    if (offset !== expected) throw notEmpty(`facts of partition ${partition}: written at ${offset}, expected ${expected}`);
  }

  function isFresh({ scope, value }: LogRecord, from: number): boolean {
    const { seq } = value as Fact; // written by a host
    if ((from > 0 && scope === everyScope) || seq <= (seqs.get(scope) ?? 0)) return false;
    seqs.set(scope, seq);
    return true;
  }

  for (let from = 0; from < source.log.partitions; from += 1) {
    for await (const page of pagesOf(source.log, from, 0)) {
      signal.throwIfAborted();
      const byScope = Map.groupBy(
        page.filter((record) => isFresh(record, from)),
        ({ scope }) => scope,
      );
      const puts: Promise<void>[] = [];
      for (const [scope, records] of byScope)
        for (const values of batchesOf(records))
          for (const partition of placesOf(scope, partitions)) puts.push(put(partition, scope, values));
      for (const end of await Promise.allSettled(puts)) if (end.status === 'rejected') throw end.reason;
      copied += page.length;
      if (copied % (50 * factsPerRead) === 0) progress(`${copied} facts`);
    }
  }
  return { counts, digests };
}

function* batchesOf(records: readonly LogRecord[]): Generator<readonly object[]> {
  let values: object[] = [];
  let chars = 0;
  for (const { value } of records) {
    const fact = value as Fact; // written by a host
    const more = JSON.stringify(fact).length;
    if (values.length >= factsPerBatch || (values.length > 0 && chars + more > batchCharsMax)) {
      yield values;
      [values, chars] = [[], 0];
    }
    values.push(fact.type === 'AlertDecided' ? { ...fact, offset: noOffset } : fact);
    chars += more;
  }
  yield values;
}

/** The loading is what makes our save count; the cursor of effects stands behind everything moved. M3 */
async function settle(target: Backbone, partition: number, rows: readonly DeskRow[], facts: number): Promise<void> {
  const mark = await target.checkpoints.load(partition, () => {});
  if (mark !== null) throw notEmpty(`desks of partition ${partition} are saved at input ${mark.inputs}`);
  await target.cursors.save(effectsCursor, partition, facts);
  await target.checkpoints.save(partition, { inputs: 0, facts } satisfies CheckpointMark, rows);
}

/** Oldest first, so that the bound of the target, if it is less, drops the oldest. */
async function copyLetters({ source, target, dryRun, signal }: MoveParts): Promise<number> {
  const ids: string[] = [];
  let after: string | null = null;
  do {
    const page = await source.deadLetters.list({ limit: lettersPerPage, ...(after === null ? {} : { after }) });
    ids.push(...page.letters.map(({ id }) => id));
    after = page.next;
  } while (after !== null);
  for (const id of dryRun ? [] : ids.toReversed()) {
    signal.throwIfAborted();
    const letter = await source.deadLetters.get(id);
    if (letter !== null) await target.deadLetters.add(letter);
  }
  return ids.length;
}

// ---------------------------------------------------------------- reading back

/** Scopes of each partition that the target gives back otherwise than they were. M2 */
async function differences(
  { target, signal }: MoveParts,
  plan: readonly (readonly DeskRow[])[],
  facts: ReadonlyMap<string, string>,
): Promise<Map<number, readonly string[]>> {
  const found = new Map<number, readonly string[]>();
  for (const [partition, mine] of plan.entries()) {
    signal.throwIfAborted();
    const rows: DeskRow[] = [];
    await target.checkpoints.load(partition, (some) => rows.push(...some));
    const different = unequal(desksIn(mine), desksIn(rows));
    const digests = new Map<string, string>();
    for await (const page of pagesOf(target.log, partition, 0)) {
      signal.throwIfAborted();
      for (const { scope, value } of page) chain(digests, partition, scope, value);
    }
    const wanted = new Map([...facts].filter(([key]) => key.startsWith(`${partition} `)));
    for (const key of unequal(wanted, digests)) different.add(key.slice(key.indexOf(' ') + 1));
    found.set(partition, [...different]);
  }
  return found;
}

/** A digest of each scope's rows, whatever their order. */
function desksIn(rows: readonly DeskRow[]): ReadonlyMap<string, string> {
  const desks = Map.groupBy(rows, ({ scope }) => scope);
  const digests = new Map<string, string>();
  for (const [scope, mine] of desks) {
    const texts = mine.map(({ table, key, doc }) => canonicalJson([table, key, doc])).sort();
    digests.set(scope, digestOf(texts));
  }
  return digests;
}

function chain(digests: Map<string, string>, partition: number, scope: string, value: unknown): void {
  const key = `${partition} ${scope}`;
  digests.set(key, digestOf([digests.get(key) ?? '', value]));
}

function unequal(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): Set<string> {
  const keys = new Set([...before.keys(), ...after.keys()]);
  return new Set([...keys].filter((key) => before.get(key) !== after.get(key)));
}
