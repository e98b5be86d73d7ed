// Rows as an earlier version saved them, made into the rows that this version keeps. Asked for each row when a desk is loaded.
// Facts and inputs need nothing of the kind: a record of the log gains members, it never changes or loses one (records.ts).
//   U1  Rows of an earlier version, upgraded, are what folding their facts gives today.
//   U2  A row that this version saved is left as it is, the same object.
import type { AlertRow } from './alert/row.ts';
import type { DeskMeta, TableName } from './desk.ts';
import type { Notification } from './page/notification.ts';
import type { Outgoing, Page } from './page/row.ts';
import type { Incident } from './incident/row.ts';
import type { Playbook } from './playbook/document.ts';
import type { RunPart } from './run/facts.ts';
import type { Frame, Run, Undo } from './run/row.ts';
import type { Instant, Millis } from './time.ts';

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
  if (table === 'pages' && !('dedupKey' in doc)) return [{ ...row, doc: upgradePage(doc as Page010) }];
  if (table === 'world' && !('installation' in doc)) return [{ ...row, doc: { ...doc, installation: null } }];
  if (table === 'runs' && 'phase' in doc) return upgradeRun(row, doc as Run010);
  if (table === 'rules' && !('unknown' in doc)) return [{ ...row, doc: { ...doc, unknown: 0 } }];
  if (table === 'alerts' && flapsAs010(doc as AlertRow)) return [{ ...row, doc: { ...doc, flapping: false } }];
  if (table === 'incidents' && !('acked' in doc)) return [{ ...row, doc: { ...incidentDefaults, ...doc } }];
  return [row];
}

/** 0.1.0 did not keep when the state changed, and nothing would look whether it is steady: it is judged anew. */
function flapsAs010({ flapping, history }: AlertRow): boolean {
  return flapping && history.times === undefined;
}

/** What the row of an incident did not have in 0.1.0. */
const incidentDefaults: Pick<Incident, 'acked'> = { acked: null };

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

/** 0.1.0: an outgoing notification carried its words, nobody claimed it, and vendors knew the page by its incident. */
interface Page010 extends Omit<Page, 'outgoing' | 'dedupKey' | 'reach'> {
  readonly outgoing: readonly {
    readonly notification: Pick<Notification, 'id' | 'kind' | 'at'>;
    readonly notifier: string;
    readonly attempt: number;
    readonly ring: number;
    readonly state: 'sent' | 'waiting' | 'accepted' | 'refused';
  }[];
}

function upgradePage(old: Page010): Page {
  const outgoing = old.outgoing.map(({ notification: { id, kind, at }, notifier, attempt, ring, state }): Outgoing => {
    return { id, kind, notifier, attempt, ring, state: state === 'sent' ? 'asked' : state, since: at };
  });
  return { ...old, outgoing, dedupKey: `quench:${old.incident}`, reach: null };
}

/** 0.1.0: a run had one place and one call, what it did not have yet was null, and the whole playbook lay in its row. */
interface Run010 extends Omit<Run, 'playbook' | 'frames' | 'calls' | 'undos' | 'failure' | 'degraded' | 'alerts' | 'life'> {
  readonly playbook: Playbook;
  readonly phase: RunPart | 'ended';
  readonly index: number;
  readonly attempt: number;
  readonly call: {
    readonly id: string;
    readonly worker: string | null;
    readonly requestedAt: Instant;
    readonly timeoutMs: Millis;
  } | null;
  readonly undos: readonly Undo[];
  readonly verifyingSince: Instant | null;
  readonly goodSince: Instant | null;
  readonly failure: NonNullable<Run['failure']> | null;
  readonly degraded: boolean;
}

function upgradeRun(row: PlacedRow, old: Run010): readonly PlacedRow[] {
  const { id, incident, playbook, mode, params, target, startedAt, pause, end, undos, failure, degraded } = old;
  const run: Run = {
    id,
    incident,
    playbook: playbook.digest,
    mode,
    params,
    target,
    alerts: [],
    life: null,
    startedAt,
    frames: framesOf(old),
    pause,
    calls: callsOf(old),
    outputs: outputsOf(old),
    end,
    ...(undos.length > 0 ? { undos } : {}),
    ...(failure === null ? {} : { failure }),
    ...(degraded ? { degraded } : {}),
    ...(playbook.steps.some((step) => Object.hasOwn(old.outputs, step.id)) ? { acted: true } : {}),
  };
  return [
    { ...row, doc: run },
    { table: 'playbooks', key: playbook.digest, doc: playbook },
  ];
}

function framesOf({ phase: part, index, attempt, verifyingSince, goodSince }: Run010): readonly Frame[] {
  if (part === 'ended') return [];
  return [part === 'verify' ? { part, index, attempt, since: verifyingSince ?? 0, goodSince } : { part, index, attempt }];
}

function callsOf({ call }: Run010): Run['calls'] {
  if (call === null) return {};
  const { id, worker, requestedAt, timeoutMs } = call;
  return { [id]: worker === null ? { worker, requestedAt, timeoutMs } : { worker, requestedAt } };
}

/** What proofs gave was kept, too, and nobody could refer to it. */
function outputsOf({ outputs, playbook }: Run010): Run['outputs'] {
  const looks = playbook.diagnose.flatMap((item) => (item.kind === 'look' ? [item.id] : []));
  const ids = new Set([...looks, ...playbook.steps.map(({ id }) => id)]);
  return Object.fromEntries(Object.entries(outputs).filter(([id]) => ids.has(id)));
}
