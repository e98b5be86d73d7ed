// What the API answers around the documents: pages of them, an incident with its parts, letters, figures. Types only, for server and clients alike.
// The documents themselves are documents.ts; the JSON Schemas of what is here are http/components.ts, and a test holds the two together.
import type { Freeze } from '../core/playbook/freeze.ts';
import type { PlaybookMode } from '../core/playbook/document.ts';
import type { Json } from '../core/json.ts';
import type { ActionOutcome } from '../core/run/outcome.ts';
import type { Instant, Millis } from '../core/time.ts';
import type { AlertDocument, DocumentKind, IncidentDocument, PageDocument, RunDocument, StateOf } from './documents.ts';
import type { ReportName, ReportRow } from './reports/report.ts';
import type { TimelineEntry } from './timeline.ts';

/** One page of a list; `next` is where the following page goes on, null on the last one. */
export interface Listed<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

/** An incident with what belongs to it, newest first; where there is more, the lists by `incident` or `parent` go on. */
export interface IncidentAnswer extends IncidentDocument {
  readonly alerts: readonly AlertDocument[];
  readonly alertsMore: boolean;
  readonly runs: readonly RunDocument[];
  readonly pages: readonly PageDocument[];
  /** Of a storm: the first page of the incidents that it speaks for. */
  readonly nested: Listed<IncidentDocument>;
}

/** `next` is the `seq` after which the following page begins. */
export interface TimelineAnswer {
  readonly items: readonly TimelineEntry[];
  readonly next: number | null;
}

/** The delivery that last changed an alert, as it was received. */
export interface RawAnswer {
  /** Partition and offset of the input. */
  readonly input: string;
  readonly body: string;
}

/** The whole of what one call of a run gave. */
export interface OutputAnswer {
  readonly run: string;
  readonly call: string;
  readonly outcome: ActionOutcome['outcome'];
  /** Why it failed; null when it did not. */
  readonly detail: string | null;
  readonly output: { readonly [name: string]: Json };
}

/** A command is durable; what comes of it shows on the timeline. */
export interface AcceptedAnswer {
  readonly status: 'accepted';
}

export interface SilenceAcceptedAnswer extends AcceptedAnswer {
  readonly id: string;
}

/** What a silence would mute now. */
export interface PreviewAnswer {
  readonly count: number;
  /** False when there were too many alerts to look at. */
  readonly complete: boolean;
  /** The first hundred. */
  readonly items: readonly AlertDocument[];
  /** What looks as if it were meant and is not matched: how many, and the first twenty with the label that looks like it. */
  readonly near: {
    readonly count: number;
    readonly items: readonly { readonly id: string; readonly summary: string; readonly name: string; readonly value: string }[];
  };
}

/** A delivery that was not understood, without its body. */
export interface LetterDocument {
  readonly id: string;
  readonly at: Instant;
  readonly endpoint: string;
  readonly source: string;
  readonly reason: string;
  readonly message: string;
  readonly headers: { readonly [name: string]: string };
  readonly path: string;
  readonly state: 'waiting' | 'replayed' | 'discarded';
  readonly bodyChars: number;
}

export interface LetterAnswer extends LetterDocument {
  readonly body: string;
}

export interface ReplayedAnswer extends AcceptedAnswer {
  readonly alerts: number;
  readonly warnings: readonly string[];
}

export interface DiscardedAnswer {
  readonly status: 'discarded';
}

/** Everything in a delivery is durable. */
export interface DeliveredAnswer extends AcceptedAnswer {
  readonly alerts: number;
}

/** What came of reading the configuration again. */
export interface ReloadAnswer {
  readonly outcome: 'reloaded' | 'unchanged' | 'does_not_load' | 'needs_restart' | 'not_published';
  /** Of the policy that was read; null when it does not load. */
  readonly digest: string | null;
  readonly playbooks: number | null;
  /** What differs from what was in force, and what of it only a restart changes. */
  readonly changed: readonly string[];
  readonly restart: readonly string[];
  /** A line each, with file and place; the first ones of very many. */
  readonly problems: readonly string[];
}

/** A playbook of the policy in force, as lists show it. */
export interface PlaybookLine {
  readonly name: string;
  readonly version: string;
  readonly summary: string;
  readonly owner: string;
  readonly mode: PlaybookMode;
  readonly digest: string;
}

export type StateCounts<Kind extends DocumentKind> = { readonly [state in StateOf<Kind>]: number };

/** How many there are of everything, by state. */
export interface SummaryAnswer {
  readonly alerts: StateCounts<'alert'>;
  readonly incidents: StateCounts<'incident'>;
  readonly runs: StateCounts<'run'>;
  readonly pages: StateCounts<'page'>;
  readonly silences: StateCounts<'silence'>;
  readonly approvals: StateCounts<'approval'>;
  readonly deadLetters: number;
  /** The emergency stop, if it is in force: it holds in every scope, so everybody sees it. */
  readonly frozen: { readonly by: string; readonly reason: string; readonly freezes: readonly Freeze[] } | null;
  readonly version: string;
}

/** Figures about a span, each with incidents behind it. */
export interface ReportAnswer {
  readonly report: ReportName;
  readonly from: Instant;
  readonly to: Instant;
  readonly zone: string;
  readonly rows: readonly ReportRow[];
}

export interface AliveAnswer {
  readonly status: 'alive';
}

export interface ReadyAnswer {
  readonly status: 'ready' | 'not ready' | 'draining';
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly note?: string }[];
}

/** A stretch of the log that is kept; `end` is the offset that the next record gets. */
export interface LogExtent {
  readonly first: number;
  readonly end: number;
  readonly records: number;
}

/** A role's part in the work on one partition; null where nobody has told yet. */
export interface LogRole {
  readonly here: boolean;
  readonly at: number | null;
  readonly lag: number | null;
}

export interface LogPartition {
  readonly partition: number;
  readonly inputs: LogExtent;
  readonly facts: LogExtent;
  readonly host: LogRole;
  readonly effects: LogRole;
}

export interface LogAnswer {
  readonly instance: string;
  readonly roles: readonly string[];
  /** Which kind of log it is. */
  readonly log: string;
  readonly partitions: readonly LogPartition[];
  /** Batches that wait for the log to come back; null where there is no spool. */
  readonly spool: { readonly records: number; readonly bytes: number; readonly oldestMs: Millis | null } | null;
}

/** A record of the log. */
export interface LogLine {
  readonly topic: 'inputs' | 'facts';
  readonly partition: number;
  readonly offset: number;
  readonly scope: string;
  readonly value: { readonly at: Instant; readonly type: string };
  /** The delivery behind an input, when asked for and another than that of the record before. */
  readonly raw?: string;
}

export interface LogPageAnswer {
  readonly records: readonly LogLine[];
  /** The offset to go on at. */
  readonly next: number;
  /** The offset that the next record will get. */
  readonly end: number;
}

/** An error: RFC 9457. */
export interface ProblemAnswer {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** For machines; the words never change. */
  readonly code: string;
  readonly reason?: string;
  /** Id of the dead letter that keeps what was sent. */
  readonly letter?: string;
}
