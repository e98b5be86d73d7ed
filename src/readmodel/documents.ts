// The documents of the read model: what the API answers, the console shows and searches find. One flat type a kind.
// What a fact does to them is patches.ts; where they are kept is a Views port; their JSON Schemas are schemas.ts.
//   M1  A document is complete: a member that is not known, or does not apply, is null, never missing.
//   M2  Ids, states and instants mean the same in every kind: `at` is when the thing began on the gateway's clock, and sorts lists;
//       an alert begins anew with each episode.
import type { Freeze } from '../core/playbook/freeze.ts';
import type { AlertState } from '../core/alert/row.ts';
import type { Entity, Link } from '../core/alert/event.ts';
import type { Labels, Matcher } from '../core/alert/labels.ts';
import type { Severity } from '../core/alert/severity.ts';
import type { Evidence } from '../core/correlate/found.ts';
import type { Decision } from '../core/decide/facts.ts';
import type { ResolvedBy } from '../core/incident/facts.ts';
import type { Json } from '../core/json.ts';
import type { MuteReason } from '../core/mute/facts.ts';
import type { PlaybookMode } from '../core/playbook/document.ts';
import type { Outcome } from '../core/run/ends.ts';
import type { Guard, RunPart } from '../core/run/facts.ts';
import type { ActionOutcome } from '../core/run/outcome.ts';
import type { NotifyOutcome } from '../core/page/notification.ts';
import type { Score } from '../core/score/score.ts';
import type { Instant, Millis } from '../core/time.ts';

/** What every document has. */
interface DocumentBase {
  readonly id: string;
  readonly scope: string;
  readonly at: Instant;
}

export interface AlertDocument extends DocumentBase {
  readonly state: AlertState;
  readonly fingerprint: string;
  readonly source: string;
  /** The endpoint by which its newest claim came in; null of claims that 0.1.0 took. */
  readonly endpoint: string | null;
  readonly name: string;
  readonly summary: string;
  readonly severity: Severity;
  readonly episode: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly entity: Entity;
  readonly links: readonly Link[];
  /** Source clock. */
  readonly startedAt: Instant;
  readonly observedAt: Instant;
  readonly clearedAt: Instant | null;
  /** Receipt of the newest event, gateway clock. */
  readonly seenAt: Instant;
  readonly count: number;
  readonly acknowledged: boolean;
  readonly soft: boolean;
  readonly sourceMute: string | null;
  readonly flapping: boolean;
  readonly muted: MuteReason | null;
  readonly incident: string | null;
  readonly evidence: Evidence | null;
  readonly decision: Decision | null;
  readonly reason: string | null;
  readonly score: Score | null;
  /** Partition and offset of the input that last changed it, `0:4711`: where the raw delivery is. */
  readonly input: string | null;
}

export type IncidentState = 'open' | 'acknowledged' | 'resolved';

export interface IncidentDocument extends DocumentBase {
  readonly state: IncidentState;
  readonly title: string;
  readonly severity: Severity;
  readonly storm: boolean;
  /** The storm that speaks for it. */
  readonly parent: string | null;
  /** Of a storm: the incidents in the read model whose `parent` it is. Counted by the store, set by no patch. */
  readonly children: number;
  readonly members: number;
  readonly sources: readonly string[];
  /** Fingerprint of the alert that most likely is the cause. */
  readonly root: string | null;
  readonly score: Score | null;
  readonly openedAt: Instant;
  readonly acknowledgedBy: string | null;
  readonly acknowledgedAt: Instant | null;
  readonly resolvedBy: ResolvedBy | null;
  readonly resolvedWho: string | null;
  readonly resolvedAt: Instant | null;
  readonly decision: Decision | null;
  readonly reason: string | null;
}

/** `waiting`: for a person's yes. */
export type RunState = 'working' | 'waiting' | 'ended';

export interface RunDocument extends DocumentBase {
  readonly state: RunState;
  readonly incident: string;
  readonly playbook: string;
  /** Null of a playbook that was refused before it ran. */
  readonly version: string | null;
  readonly digest: string | null;
  /** Null of a run that was refused before modes were shown (0.1.0). */
  readonly mode: PlaybookMode | null;
  readonly target: string;
  readonly params: { readonly [name: string]: Json };
  readonly phase: RunPart | 'ended';
  /** What it does or waits for now, in words. */
  readonly why: string | null;
  /** The outstanding call, `steps/restart/1`. */
  readonly call: string | null;
  /** By call. Members that say more are missing of what an earlier version showed, and of proofs, which are looked at again and again. */
  readonly steps: {
    readonly [call: string]: {
      readonly outcome: ActionOutcome['outcome'];
      readonly tookMs: Millis;
      /** Why it failed or is unknown. */
      readonly detail?: string;
      /** The last lines of what it gave. */
      readonly output?: string;
      /** Partition and offset of the answer, where the whole output is. */
      readonly input?: string;
    };
  };
  readonly startedAt: Instant;
  readonly endedAt: Instant | null;
  readonly end: Outcome | null;
  readonly guard: Guard | null;
  readonly reason: string | null;
  readonly approvalUntil: Instant | null;
  readonly approvedBy: string | null;
}

export type PageState = 'ringing' | 'acked' | 'closed';

export interface PageDocument extends DocumentBase {
  readonly state: PageState;
  readonly incident: string;
  readonly ladder: string;
  readonly title: string;
  readonly reason: string;
  readonly openedAt: Instant;
  readonly round: number;
  readonly rung: number;
  readonly ring: number;
  /** By notification: the newest word of its notifier. */
  readonly notified: {
    readonly [notification: string]: {
      readonly notifier: string;
      readonly outcome: NotifyOutcome['outcome'] | 'dropped';
      readonly detail: string;
      readonly attempt: number;
      readonly at: Instant;
    };
  };
  /** While it rings: `unreached`, nobody on its ladder could be told; `exhausted`, its ladder ended and nobody answers. */
  readonly reach: 'unreached' | 'exhausted' | null;
  readonly ackedBy: string | null;
  readonly ackedVia: string | null;
  readonly ackedAt: Instant | null;
  readonly closedAt: Instant | null;
  /** Why it was closed. */
  readonly why: string | null;
}

export interface ApprovalDocument extends DocumentBase {
  readonly state: 'waiting' | 'ended';
  readonly run: string;
  readonly incident: string;
  readonly until: Instant;
  readonly approved: boolean | null;
  readonly by: string | null;
  readonly note: string | null;
}

export interface SilenceDocument extends DocumentBase {
  readonly state: 'active' | 'expired';
  readonly matchers: readonly Matcher[];
  readonly startsAt: Instant;
  readonly endsAt: Instant;
  readonly untilResolved: boolean;
  readonly by: string;
  readonly comment: string;
  /** When it was last set, changed or ended; null of one that an earlier version showed. */
  readonly updatedAt: Instant | null;
}

/** Whether a partition is frozen: a process that decides none knows of an emergency stop by it. */
export interface PartitionDocument extends DocumentBase {
  readonly state: 'open' | 'frozen';
  /** Of the oldest freeze. */
  readonly by: string | null;
  readonly reason: string | null;
  /** All that were given and not lifted; those whose end has passed hold no more. */
  readonly freezes: readonly Freeze[];
}

export interface DocumentByKind {
  readonly alert: AlertDocument;
  readonly incident: IncidentDocument;
  readonly run: RunDocument;
  readonly page: PageDocument;
  readonly approval: ApprovalDocument;
  readonly silence: SilenceDocument;
  readonly partition: PartitionDocument;
}

export type DocumentKind = keyof DocumentByKind;

export type StateOf<Kind extends DocumentKind> = DocumentByKind[Kind]['state'];

/** The states of each kind, for filters and counts, in the order in which lists show the worst first. */
export const states: { readonly [Kind in DocumentKind]: readonly StateOf<Kind>[] } = {
  alert: ['firing', 'cleared'],
  incident: ['open', 'acknowledged', 'resolved'],
  run: ['working', 'waiting', 'ended'],
  page: ['ringing', 'acked', 'closed'],
  silence: ['active', 'expired'],
  approval: ['waiting', 'ended'],
  partition: ['frozen', 'open'],
};

/** Every kind there is. */
export const documentKinds = Object.keys(states) as readonly DocumentKind[]; // the keys of the table above

/** The state in which nothing more happens to a document, but for what begins anew: such documents are forgotten after a while. */
export const finalStates: { readonly [Kind in DocumentKind]: StateOf<Kind> | null } = {
  alert: 'cleared',
  incident: 'resolved',
  run: 'ended',
  page: 'closed',
  silence: 'expired',
  approval: 'ended',
  partition: null,
};

/** The document of an alert: an identity is known by its fingerprint only within its scope. */
export function alertId(scope: string, fingerprint: string): string {
  return `${fingerprint}.${scope}`;
}
