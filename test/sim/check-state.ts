// Promises 5 and 7: the facts are those of one undisturbed turn of the inputs, checkpoints are what the facts say, documents are what
// a fresh projection shows, whoever wrote them and however often.
import { createExpressions } from '../../adapters/cel/expressions.ts';
import { memoryDisk, type MemoryDisk } from '../../adapters/memory/disk.ts';
import { memoryStore } from '../../adapters/memory/store.ts';
import { metaOf, newDesk, type Desk, type DeskMeta } from '../../src/core/desk.ts';
import { fold } from '../../src/core/fold.ts';
import type { Fact } from '../../src/core/records.ts';
import { createHost } from '../../src/engine/host/host.ts';
import { documentsProjector } from '../../src/engine/project/documents.ts';
import { createProjection } from '../../src/engine/project/projector.ts';
import type { Checkpoints } from '../../src/ports/checkpoints.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { EventLog } from '../../src/ports/event-log.ts';
import type { CheckParts } from './checker.ts';
import { deskName, inputsOn } from './ledger.ts';

const expressions = createExpressions();
const still: Clock = { now: () => 0, steady: () => 0, after: () => () => {} };
const roundsMax = 10_000;
const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** A checkpoint as it was seen: where it stood, and the newest fact of each scope in its rows. */
interface Saved {
  readonly inputs: number;
  readonly seqs: ReadonlyMap<string, number>;
}

interface SavedRow {
  readonly scope: string;
  readonly table: string;
  readonly doc: string;
}

export interface StateChecks {
  /** The checkpoints as they are now. */
  saved(): void;
  /** One more turn of all inputs. */
  turnedAgain(): Promise<void>;
  shown(models: readonly MemoryDisk[]): Promise<void>;
}

export function checkState(parts: CheckParts): StateChecks {
  const { ledger, disk, partitions } = parts;
  const folded = new Map<string, Desk>();
  const marks = new Map<number, { readonly inputs: number; readonly facts: number }>();
  const seen = Array.from({ length: partitions }, (): Saved[] => []);
  /** Rows are replaced, never changed: what was read once, and what was found alike, stays so. */
  const read = new WeakMap<SavedRow, object>();
  const alike = new WeakMap<object, object>();

  ledger.watch({ settled: forward });

  function forward(): void {
    for (const [partition, { mark }] of disk.content.desks) {
      const before = marks.get(partition);
      if (before === mark) continue;
      marks.set(partition, mark);
      if (before !== undefined && (mark.inputs < before.inputs || mark.facts < before.facts))
        ledger.breach(`L4: the checkpoint of partition ${partition} went back from ${JSON.stringify(before)} to ${JSON.stringify(mark)}`);
    }
  }

  function saved(): void {
    for (const [partition, { mark, rows }] of disk.content.desks) {
      const held = new Map([...rows.values()].map((row) => [`${row.scope}/${row.table}/${row.key}`, docOf(row)]));
      const seqs = new Map<string, number>();
      for (const row of rows.values()) if (row.table === 'meta') seqs.set(row.scope, (docOf(row) as DeskMeta).seq);
      seen[partition]?.push({ inputs: mark.inputs, seqs });
      for (const [scope, seq] of seqs) foldUpTo(partition, scope, seq);
      compare(partition, held);
    }
  }

  function docOf(row: SavedRow): object {
    const known = read.get(row);
    if (known !== undefined) return known;
    const doc = JSON.parse(row.doc) as object;
    read.set(row, doc);
    return doc;
  }

  function foldUpTo(partition: number, scope: string, seq: number): void {
    const name = deskName(partition, scope);
    const desk = folded.get(name) ?? newDesk(scope);
    folded.set(name, desk);
    const at = metaOf(desk).seq;
    if (seq < at) return ledger.breach(`L4: ${name} was saved at fact ${at}, and then at ${seq}`);
    for (const fact of ledger.told.get(name)?.slice(at, seq) ?? []) fold(desk, fact);
    if (metaOf(desk).seq !== seq) ledger.breach(`H2: ${name} was saved at fact ${seq}, the log has ${metaOf(desk).seq} of them`);
  }

  function compare(partition: number, held: Map<string, object>): void {
    let rows = 0;
    for (const [name, desk] of folded) {
      if (!name.startsWith(`${partition}/`)) continue;
      for (const [table, { rows: made }] of Object.entries(desk.tables)) {
        for (const [key, row] of made as Map<string, object>) {
          rows += 1;
          const other = held.get(`${desk.scope}/${table}/${key}`);
          if (other !== undefined && alike.get(other) === row) continue;
          if (!isAlike(row, other))
            return ledger.breach(`L3: row ${table}/${key} of ${name} was saved as ${cut(other)}, the facts say ${cut(row)}`);
          if (other !== undefined) alike.set(other, row);
        }
      }
    }
    if (rows !== held.size) ledger.breach(`L3: ${held.size} rows were saved in partition ${partition}, the facts make ${rows}`);
  }

  return {
    saved,
    async turnedAgain() {
      for (let partition = 0; partition < partitions; partition += 1) await turnAgain(parts, partition, seen[partition] ?? []);
    },
    shown: (models) => checkViews(parts, models),
  };
}

// ---------------------------------------------------------------- one undisturbed turn of the inputs log

async function turnAgain({ ledger, disk, partitions }: CheckParts, partition: number, saved: readonly Saved[]): Promise<void> {
  const inputs = inputsOn(disk, partition).map(({ offset, input }) => ({ partition, offset, scope: input.scope, value: input }));
  const told = new Map<string, Fact[]>();
  const stops = [...saved].sort((a, b) => a.inputs - b.inputs);
  const log: EventLog = {
    partitions,
    async append(_topic, { scope, values }) {
      const list = told.get(scope) ?? [];
      told.set(scope, list);
      for (const value of values) list.push(value as Fact); // a host appends facts only
      return 0;
    },
    async read(topic, _partition, offset, max) {
      if (topic === 'facts') return [];
      for (; stops[0] !== undefined && stops[0].inputs <= offset; stops.shift()) stood(stops[0]);
      return inputs.slice(offset, Math.min(offset + max, stops[0]?.inputs ?? Infinity));
    },
    end: async (topic) => (topic === 'facts' ? 0 : inputs.length),
    watch: () => () => {},
    raw: async () => null,
    trim: async () => {},
    close: async () => {},
  };

  function stood({ inputs: at, seqs }: Saved): void {
    for (const [scope, facts] of told) {
      const seq = seqs.get(scope) ?? 0;
      if (seq !== facts.length)
        ledger.breach(`L4: a checkpoint at input ${at} of partition ${partition} had ${scope} at fact ${seq} instead of ${facts.length}`);
    }
  }

  const checkpoints: Checkpoints = { save: async () => {}, load: async () => null };
  const onTrouble = (error: unknown): void =>
    ledger.breach(`H1: the inputs of partition ${partition} cannot be turned again: ${String(error)}`);
  const quiet = { holds: () => true, yieldToIntake: () => Promise.resolve(), onDecided: () => {}, onSaved: () => {}, onTrouble };
  const host = createHost({ partition, log, checkpoints, expressions, clock: still, ...quiet });
  await host.start();
  await settle();
  await host.stop();
  for (const [scope, facts] of told) compareFacts(deskName(partition, scope), facts, ledger.told.get(deskName(partition, scope)) ?? []);

  function compareFacts(name: string, again: readonly Fact[], first: readonly Fact[]): void {
    if (again.length !== first.length) ledger.breach(`H1: the inputs of ${name} make ${again.length} facts, the log has ${first.length}`);
    for (const [place, fact] of again.entries()) {
      if (isAlike(fact, first[place])) continue;
      return ledger.breach(`H1: fact ${fact.seq} of ${name} is ${cut(first[place])}, an undisturbed turn makes ${cut(fact)}`);
    }
  }
}

// ---------------------------------------------------------------- views

/** What a fresh projection of all facts shows, on a disk of its own that shares the log. */
async function checkViews({ ledger, disk, partitions }: CheckParts, models: readonly MemoryDisk[]): Promise<void> {
  const fresh = memoryDisk();
  for (const [name, slot] of disk.content.slots) fresh.content.slots.set(name, slot);
  const { log, views, cursors } = memoryStore({ disk: fresh, partitions, clock: still });
  for (let partition = 0; partition < partitions; partition += 1) {
    const onTrouble = (error: unknown): void => ledger.breach(`J1: ${String(error)}`);
    const quiet = { yieldToHosts: () => Promise.resolve(), clock: still, onTrouble };
    const project = createProjection({ ...quiet, projector: documentsProjector(views), partition, log, cursors });
    await project.start();
    // Many facts are shown in slices. One that comes no further is seen in what it shows.
    for (let round = 0; round === 0 || (round < roundsMax && (await project.behind()) > 0); round += 1) await settle();
    await project.stop();
  }
  for (const { content } of models) compareViews(content);

  function compareViews({ docs: shown, lines: stories }: MemoryDisk['content']): void {
    if (shown.size !== fresh.content.docs.size)
      ledger.breach(`J1: ${shown.size} documents are shown, the facts make ${fresh.content.docs.size}`);
    for (const [key, doc] of fresh.content.docs) {
      const held = shown.get(key);
      const same = held !== undefined && (held.body === doc.body || isAlike(JSON.parse(held.body), JSON.parse(doc.body)));
      if (!same) return ledger.breach(`J1: ${key} is shown as ${cut(held)}, the facts make ${cut(doc)}`);
    }
    for (const [incident, lines] of fresh.content.lines) {
      const held = stories.get(incident);
      if (held?.size !== lines.size)
        ledger.breach(`J1: the story of ${incident} has ${held?.size ?? 0} lines, the facts make ${lines.size}`);
    }
  }
}

/** As JSON: a member that is undefined is missing. */
function isAlike(one: unknown, other: unknown): boolean {
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return one === other;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const [left, right] = [one as { [key: string]: unknown }, other as { [key: string]: unknown }]; // or arrays, by their indexes
  for (const key in left) if (!isAlike(left[key], right[key])) return false;
  for (const key in right) if (right[key] !== undefined && left[key] === undefined) return false;
  return true;
}

function cut(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 300);
}
