// The desk: the whole state of one scope, as tables of plain rows. Everything that may correlate lies on one desk.
// Holds and indexes only; evolve.ts is the one writer, turn.ts the one reader that decides.
//   D1  Every row is the fold of the scope's facts; the indexes are derived from the rows.
import type { Alert, Severity } from './alert.ts';
import type { FlapHistory } from './flap.ts';
import type { Ladder } from './ladder.ts';
import type { Json, Playbook, PlaybookMode } from './playbook.ts';
import type { Policy } from './policy.ts';
import type { Notification } from './ports.ts';
import type { Decision, MuteReason, ResolvedBy, RunEnd, RunPhase, Score, Silence, Wake } from './records.ts';
import { newTable, type Table } from './table.ts';
import type { Instant, Millis } from './time.ts';

/** An alert with what the desk keeps beside the belief itself. */
export interface HeldAlert {
  readonly alert: Alert;
  readonly history: FlapHistory;
  readonly flapping: boolean;
  readonly muted: MuteReason | null;
  /** What it can be joined by, and the fact that joined it to its incident. */
  readonly keys: readonly string[];
  readonly joined: number;
}

export interface Incident {
  readonly id: string;
  readonly title: string;
  readonly severity: Severity;
  readonly state: 'open' | 'acknowledged' | 'resolved';
  readonly storm: boolean;
  readonly parent: string | null;
  /** Fingerprints listed one by one, at most `membersMax`; `members` counts all. */
  readonly listed: readonly string[];
  readonly members: number;
  /** Confirmed members that fire. */
  readonly firing: number;
  readonly sources: readonly string[];
  readonly root: string;
  readonly score: Score;
  /** Gateway clock. */
  readonly openedAt: Instant;
  /** Event time of the earliest and the newest start among members. */
  readonly firstStart: Instant;
  readonly lastStart: Instant;
  readonly resolvedAt: Instant | null;
  readonly resolvedBy: ResolvedBy | null;
  readonly decision: Decision | null;
  readonly reason: string;
  /** Counts openings and reopenings: wakes and tried playbooks of an earlier life are stale. */
  readonly life: number;
  /** Gateway clock: when this life began. */
  readonly lifeAt: Instant;
  readonly settled: boolean;
  /** Playbooks that ran or were refused in this life. */
  readonly tried: readonly string[];
  /** The run that may act now; shadow runs are only in `runs`. */
  readonly run: string | null;
  readonly runs: readonly string[];
  /** How the last playbook of this life ended, or why it was refused. */
  readonly outcome: { readonly end: RunEnd | 'refused'; readonly playbook: string; readonly reason: string } | null;
  readonly page: string | null;
  /** The pages of all lives. */
  readonly pages: readonly string[];
}

/** A call that was asked for and is not finished. */
export interface Call {
  readonly id: string;
  readonly step: string;
  readonly attempt: number;
  readonly worker: string | null;
  readonly requestedAt: Instant;
  readonly timeoutMs: Millis;
}

export interface Undo {
  readonly step: string;
  readonly uses: string;
  readonly input: { readonly [name: string]: Json };
  readonly timeoutMs: Millis;
}

export interface Run {
  readonly id: string;
  readonly incident: string;
  readonly playbook: Playbook;
  readonly mode: PlaybookMode;
  readonly params: { readonly [name: string]: Json };
  readonly target: string;
  readonly startedAt: Instant;
  readonly phase: RunPhase;
  /** Place in the phase: diagnosis, step, proof, or undo. */
  readonly index: number;
  readonly attempt: number;
  /** Counts pauses, so that a late wake of an earlier pause is stale. */
  readonly pause: number;
  readonly call: Call | null;
  readonly outputs: { readonly [step: string]: { readonly [name: string]: Json } };
  /** Undos of completed steps, oldest first. */
  readonly undos: readonly Undo[];
  readonly verifyingSince: Instant | null;
  readonly goodSince: Instant | null;
  /** Why the run is on its way to an end other than success; the last word counts. */
  readonly failure: { readonly end: RunEnd; readonly reason: string } | null;
  readonly degraded: boolean;
  /** Effects that were granted; a run without any touched nothing. */
  readonly effects: number;
  readonly end: RunEnd | null;
}

/** A notification on its way. */
export interface Outgoing {
  readonly notification: Notification;
  readonly notifier: string;
  readonly attempt: number;
  readonly ring: number;
  readonly state: 'sent' | 'waiting' | 'accepted' | 'refused';
}

export interface Page {
  readonly id: string;
  readonly incident: string;
  readonly ladder: Ladder;
  readonly title: string;
  readonly reason: string;
  readonly state: 'ringing' | 'acked' | 'closed';
  readonly openedAt: Instant;
  readonly round: number;
  readonly rung: number;
  readonly ring: number;
  readonly outgoing: readonly Outgoing[];
  /** Notifiers that may have told somebody; they are told of the end, too. */
  readonly told: readonly string[];
  readonly ackedBy: string | null;
}

export interface HeldSilence {
  readonly silence: Silence;
  /** Alerts it mutes now, and whether it ever muted one. */
  readonly muting: number;
  readonly used: boolean;
}

export interface RuleCounts {
  readonly acted: number;
  readonly passed: number;
}

/** What happened to one target, over all playbooks. */
export interface TargetHistory {
  readonly holder: string | null;
  readonly lastEndAt: Instant | null;
  readonly starts: readonly { readonly playbook: string; readonly at: Instant }[];
}

export interface HeldWake {
  readonly wake: Wake;
  readonly dueAt: Instant;
  readonly afterMs: Millis;
}

/** One row, key `desk`: counters of the scope. */
export interface DeskMeta {
  readonly seq: number;
  /** Newest input time turned; core's time never goes back. */
  readonly now: Instant;
  /** Two half-windows of new alerts, for storms. */
  readonly half: number;
  readonly halfCount: number;
  readonly lastHalfCount: number;
  readonly storm: string | null;
}

export interface WorldRow {
  readonly policy: Policy | null;
  readonly frozen: { readonly by: string; readonly reason: string } | null;
}

export interface Tables {
  readonly meta: Table<DeskMeta>;
  readonly world: Table<WorldRow>;
  readonly alerts: Table<HeldAlert>;
  readonly incidents: Table<Incident>;
  readonly runs: Table<Run>;
  readonly pages: Table<Page>;
  readonly silences: Table<HeldSilence>;
  readonly rules: Table<RuleCounts>;
  readonly targets: Table<TargetHistory>;
  readonly wakes: Table<HeldWake>;
  /** Deliveries whose sender gave an id, with the highest place turned; bounded. */
  readonly deliveries: Table<{ readonly at: Instant; readonly upTo: number }>;
}

export type TableName = keyof Tables;

/** Derived from rows, rebuilt at load. Nothing may depend on the order of rows in a table: it differs after a load. */
export interface Indexes {
  /** Incidents in which some alert has the key, with how many. */
  readonly incidentsByKey: Map<string, Map<string, number>>;
  /** All alerts of an incident, listed or only counted, in joining order. */
  readonly alertsByIncident: Map<string, Set<string>>;
}

export interface Desk {
  readonly scope: string;
  readonly tables: Tables;
  readonly indexes: Indexes;
}

const emptyMeta: DeskMeta = { seq: 0, now: 0, half: 0, halfCount: 0, lastHalfCount: 0, storm: null };

export function newDesk(scope: string): Desk {
  return {
    scope,
    tables: {
      meta: newTable(),
      world: newTable(),
      alerts: newTable(),
      incidents: newTable(),
      runs: newTable(),
      pages: newTable(),
      silences: newTable(),
      rules: newTable(),
      targets: newTable(),
      wakes: newTable(),
      deliveries: newTable(),
    },
    indexes: { incidentsByKey: new Map(), alertsByIncident: new Map() },
  };
}

export function metaOf(desk: Desk): DeskMeta {
  return desk.tables.meta.rows.get('desk') ?? emptyMeta;
}

export function worldOf(desk: Desk): WorldRow {
  return desk.tables.world.rows.get('world') ?? { policy: null, frozen: null };
}
