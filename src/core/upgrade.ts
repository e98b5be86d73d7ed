// Rows as an earlier version saved them, made into the rows that this version keeps. Asked for each row when a desk is loaded.
// Facts and inputs need nothing of the kind: a record of the log gains members, it never changes or loses one (records.ts).
//   U1  Rows of an earlier version, upgraded, are what folding their facts gives today.
//   U2  A row that this version saved is left as it is, the same object.
import type { DeskMeta, TableName } from './desk.ts';
import type { Playbook } from './playbook/document.ts';
import type { RunPart } from './run/facts.ts';
import type { Call, Run } from './run/row.ts';
import type { Instant } from './time.ts';

/** A row with its place. */
export interface PlacedRow {
  readonly table: TableName;
  readonly key: string;
  readonly doc: object;
}

/** The row as this version keeps it, with what an earlier version kept inside it and now has a row of its own. */
export function upgradeRow(row: PlacedRow): readonly PlacedRow[] {
  const { table, doc } = row;
  if (table === 'meta' && 'halfCount' in doc) return [{ ...row, doc: upgradeMeta(doc as Meta010) }];
  if (table === 'runs' && 'phase' in doc) return upgradeRun(row, doc as Run010);
  return [row];
}

/** 0.1.0: buckets of new alerts were called halves. */
interface Meta010 {
  readonly seq: number;
  readonly now: Instant;
  readonly half: number;
  readonly halfCount: number;
  readonly lastHalfCount: number;
  readonly storm: string | null;
}

function upgradeMeta({ half, halfCount, lastHalfCount, ...rest }: Meta010): DeskMeta {
  return { ...rest, bucket: half, bucketCount: halfCount, previousBucketCount: lastHalfCount };
}

/** 0.1.0: a run had one place and one call, and the whole playbook in its row. */
interface Run010 extends Omit<Run, 'playbook' | 'frames' | 'calls'> {
  readonly playbook: Playbook;
  readonly phase: RunPart | 'ended';
  readonly index: number;
  readonly attempt: number;
  readonly call: (Omit<Call, 'part'> & { readonly id: string }) | null;
}

function upgradeRun(row: PlacedRow, old: Run010): readonly PlacedRow[] {
  const { playbook, phase, index, attempt, call, ...rest } = old;
  const frames = phase === 'ended' ? [] : [{ part: phase, index, attempt }];
  const run: Run = { ...rest, playbook: playbook.digest, frames, calls: phase === 'ended' || call === null ? {} : callsOf(phase, call) };
  return [
    { ...row, doc: run },
    { table: 'playbooks', key: playbook.digest, doc: playbook },
  ];
}

function callsOf(part: RunPart, { id, ...call }: NonNullable<Run010['call']>): Run['calls'] {
  return { [id]: { part, ...call } };
}
