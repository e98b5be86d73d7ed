// The two languages of the log: inputs (what the world said) and facts (what was decided).
// Names are the stored format: a record may gain fields, it never changes or loses one.
//   L1  A fact is decided by exactly one input; its `seq` grows by one within its scope.
//   L2  A request is a fact: the log is the outbox.
//   L3  Folding a scope's facts gives its desk.
import type { Alert, AlertEvent, Severity } from './alert.ts';
import type { Ladder } from './ladder.ts';
import type { Matcher } from './labels.ts';
import type { Json, Playbook, PlaybookMode } from './playbook.ts';
import type { Policy } from './policy.ts';
import type { ActionOutcome, Notification, NotifyOutcome } from './ports.ts';
import type { Instant, Millis } from './time.ts';

// ---------------------------------------------------------------- inputs

interface InputBase {
  readonly scope: string;
  /** Stamped once, by intake. */
  readonly at: Instant;
}

export interface AlertSeen extends InputBase {
  readonly type: 'AlertSeen';
  readonly endpoint: string;
  /** Sender's id of the delivery when it has one ('' otherwise) and the event's place in it: a redelivery is dropped by them. */
  readonly delivery: string;
  readonly index: number;
  readonly event: AlertEvent;
}

/** A source told us that it left alerts out of a delivery (Alertmanager `truncatedAlerts`). */
export interface AlertsHidden extends InputBase {
  readonly type: 'AlertsHidden';
  readonly endpoint: string;
  readonly count: number;
  readonly group: string;
}

export interface StepClaimed extends InputBase {
  readonly type: 'StepClaimed';
  readonly run: string;
  readonly call: string;
  readonly worker: string;
}

export interface StepAnswered extends InputBase {
  readonly type: 'StepAnswered';
  readonly run: string;
  readonly call: string;
  readonly worker: string;
  readonly outcome: ActionOutcome;
  readonly tookMs: Millis;
}

export interface NotifyAnswered extends InputBase {
  readonly type: 'NotifyAnswered';
  readonly page: string;
  readonly notification: string;
  readonly outcome: NotifyOutcome;
}

export interface Acked extends InputBase {
  readonly type: 'Acked';
  readonly incident: string;
  /** The page that was answered, when it came by a link: it says nothing about a later page of the same incident. */
  readonly page?: string;
  readonly by: string;
  readonly via: string;
}

export interface Resolved extends InputBase {
  readonly type: 'Resolved';
  readonly incident: string;
  readonly by: string;
  readonly via: string;
  readonly note: string;
}

export interface Approved extends InputBase {
  readonly type: 'Approved';
  readonly run: string;
  readonly by: string;
  readonly via: string;
}

export interface Denied extends InputBase {
  readonly type: 'Denied';
  readonly run: string;
  readonly by: string;
  readonly via: string;
  readonly note: string;
}

/** `freeze`: no effect starts any more, in any scope; `thaw` lifts it; `cancel`: end one run; `note`: remark on an incident. */
export type Command =
  | { readonly name: 'freeze'; readonly reason: string }
  | { readonly name: 'thaw' }
  | { readonly name: 'cancel'; readonly run: string }
  | { readonly name: 'note'; readonly incident: string; readonly text: string };

export interface CommandGiven extends InputBase {
  readonly type: 'CommandGiven';
  readonly command: Command;
  readonly by: string;
}

export interface Silence {
  readonly id: string;
  readonly matchers: readonly Matcher[];
  readonly startsAt: Instant;
  readonly endsAt: Instant;
  /** Ends as soon as every alert it muted has cleared. */
  readonly untilResolved: boolean;
  readonly by: string;
  readonly comment: string;
}

/** Sets, replaces (same id) or expires (`endsAt` = now) a silence. */
export interface SilenceSet extends InputBase {
  readonly type: 'SilenceSet';
  readonly silence: Silence;
}

export interface Woke extends InputBase {
  readonly type: 'Woke';
  readonly token: string;
}

export interface PolicyPublished extends InputBase {
  readonly type: 'PolicyPublished';
  readonly policy: Policy;
}

export type Input =
  | AlertSeen
  | AlertsHidden
  | StepClaimed
  | StepAnswered
  | NotifyAnswered
  | Acked
  | Resolved
  | Approved
  | Denied
  | CommandGiven
  | SilenceSet
  | Woke
  | PolicyPublished;

/** Scope of inputs that concern the whole partition (policy, freeze), not one desk. */
export const everyScope = '*';

// ---------------------------------------------------------------- facts

export type Decision = 'page' | 'remediate' | 'hold' | 'suppress' | 'record';

export interface ScoreTerm {
  readonly name: string;
  /** Log-odds that the term adds. */
  readonly weight: number;
  /** The measured quantity behind it. */
  readonly value: number;
  readonly why: string;
}

export interface Score {
  /** Stated probability that someone must act, 0–1. */
  readonly value: number;
  readonly terms: readonly ScoreTerm[];
}

export type MuteReason =
  | { readonly kind: 'silence'; readonly silence: string; readonly until: Instant; readonly comment: string }
  | { readonly kind: 'source'; readonly says: string }
  | { readonly kind: 'flapping'; readonly percent: number }
  | { readonly kind: 'soft' };

/** Why an alert is in an incident. */
export interface Evidence {
  readonly kind: 'first' | 'entity' | 'labels' | 'storm' | 'recurrence';
  /** What they share: `host:db1`, `service=checkout`, … */
  readonly shared: string;
  /** Seconds in event time between this alert and the member it was joined to. */
  readonly lagSeconds: number;
}

interface FactBase {
  readonly scope: string;
  readonly seq: number;
  readonly at: Instant;
}

/** What a claim did to the alert it names. */
export type Change = 'opened' | 'reopened' | 'repeated' | 'severity' | 'cleared' | 'acknowledged' | 'noted' | 'late';

/** The belief about an alert after a claim; `alert` is null when only the counters moved, or nothing was known. */
export interface AlertMerged extends FactBase {
  readonly type: 'AlertMerged';
  readonly fingerprint: string;
  readonly change: Change;
  readonly alert: Alert | null;
  readonly count: number;
  readonly observedAt: Instant;
  /** A state for the flapping history: hard states and soft recoveries. */
  readonly observed: boolean;
  /** Number of the half storm window in which a new alert counts; null for what is not new. */
  readonly half: number | null;
  readonly note: string | null;
}

/** Exactly one for each AlertSeen that is no redelivery: the answer to "what did you do with it, and why". */
export interface AlertDecided extends FactBase {
  readonly type: 'AlertDecided';
  readonly fingerprint: string;
  readonly change: Change;
  readonly incident: string | null;
  readonly decision: Decision;
  readonly reason: string;
  readonly score: Score | null;
  /** The delivery and the place in it, as the input had them, and the input's offset: where the raw payload is. */
  readonly delivery: string;
  readonly index: number;
  readonly offset: number;
}

export interface IncidentOpened extends FactBase {
  readonly type: 'IncidentOpened';
  readonly incident: string;
  readonly title: string;
  readonly severity: Severity;
  readonly storm: boolean;
}

export interface AlertJoined extends FactBase {
  readonly type: 'AlertJoined';
  readonly incident: string;
  readonly fingerprint: string;
  readonly summary: string;
  readonly source: string;
  readonly evidence: Evidence;
  /** What this alert can be joined by. */
  readonly keys: readonly string[];
  readonly startedAt: Instant;
  readonly severity: Severity;
  /** Members after the join, unlisted ones of a storm included. */
  readonly members: number;
  readonly listed: boolean;
}

export interface AlertMuted extends FactBase {
  readonly type: 'AlertMuted';
  readonly fingerprint: string;
  readonly incident: string | null;
  readonly reason: MuteReason | null;
}

export interface AlertFlapping extends FactBase {
  readonly type: 'AlertFlapping';
  readonly fingerprint: string;
  readonly incident: string | null;
  readonly flapping: boolean;
  readonly percent: number;
}

export interface AlertsMissing extends FactBase {
  readonly type: 'AlertsMissing';
  readonly endpoint: string;
  readonly group: string;
  readonly count: number;
}

/** Severity, title, root candidate or score of an incident moved, or it settled. */
export interface IncidentChanged extends FactBase {
  readonly type: 'IncidentChanged';
  readonly incident: string;
  readonly severity: Severity;
  readonly title: string;
  readonly root: string;
  readonly score: Score;
  readonly settled: boolean;
}

export interface IncidentAcknowledged extends FactBase {
  readonly type: 'IncidentAcknowledged';
  readonly incident: string;
  readonly by: string;
  readonly via: string;
}

export type ResolvedBy = 'source' | 'playbook' | 'human' | 'timeout';

export interface IncidentResolved extends FactBase {
  readonly type: 'IncidentResolved';
  readonly incident: string;
  readonly by: ResolvedBy;
  readonly who: string;
  readonly note: string;
}

export interface IncidentReopened extends FactBase {
  readonly type: 'IncidentReopened';
  readonly incident: string;
  readonly by: string;
}

/** The incident is a child of a wider one (a storm): the parent speaks for it. */
export interface IncidentNested extends FactBase {
  readonly type: 'IncidentNested';
  readonly incident: string;
  readonly parent: string;
}

/** What the gateway will do about an incident now, and why. */
export interface IncidentDecided extends FactBase {
  readonly type: 'IncidentDecided';
  readonly incident: string;
  readonly decision: Decision;
  readonly reason: string;
}

/** A remark of a person, or something on the side that belongs to the story. */
export interface IncidentNoted extends FactBase {
  readonly type: 'IncidentNoted';
  readonly incident: string;
  readonly by: string;
  readonly text: string;
}

export interface RunStarted extends FactBase {
  readonly type: 'RunStarted';
  readonly run: string;
  readonly incident: string;
  readonly playbook: Playbook;
  readonly mode: PlaybookMode;
  readonly params: { readonly [name: string]: Json };
  readonly target: string;
}

export type Guard = 'freeze' | 'params' | 'target' | 'storm' | 'cooldown' | 'attempts' | 'confidence' | 'lock' | 'concurrency';

export interface RunRefused extends FactBase {
  readonly type: 'RunRefused';
  readonly run: string;
  readonly incident: string;
  readonly playbook: string;
  /** A shadow playbook that is refused stands in nobody's way. */
  readonly mode: PlaybookMode;
  readonly target: string;
  readonly guard: Guard;
  readonly reason: string;
}

export interface ApprovalRequested extends FactBase {
  readonly type: 'ApprovalRequested';
  readonly run: string;
  readonly incident: string;
  readonly until: Instant;
}

export interface ApprovalGiven extends FactBase {
  readonly type: 'ApprovalGiven';
  readonly run: string;
  readonly incident: string;
  readonly approved: boolean;
  readonly by: string;
  readonly note: string;
}

export type RunPhase = 'approval' | 'diagnose' | 'steps' | 'verify' | 'undo' | 'ended';

/** One call of an action for a run: `call` names phase, step and attempt (`steps/restart/1`). */
export interface StepRequested extends FactBase {
  readonly type: 'StepRequested';
  readonly run: string;
  readonly incident: string;
  readonly call: string;
  readonly phase: RunPhase;
  readonly step: string;
  readonly attempt: number;
  readonly uses: string;
  readonly input: { readonly [name: string]: Json };
  readonly timeoutMs: Millis;
  readonly target: string;
}

/** The only permission to act: this worker, this call, once. */
export interface StepGranted extends FactBase {
  readonly type: 'StepGranted';
  readonly run: string;
  readonly call: string;
  readonly worker: string;
}

export interface StepFinished extends FactBase {
  readonly type: 'StepFinished';
  readonly run: string;
  readonly incident: string;
  readonly call: string;
  readonly phase: RunPhase;
  readonly step: string;
  readonly attempt: number;
  readonly outcome: ActionOutcome;
  readonly tookMs: Millis;
  /** How to take the effect back, when the step said so and it succeeded. */
  readonly undo: { readonly uses: string; readonly input: { readonly [name: string]: Json }; readonly timeoutMs: Millis } | null;
}

/** The run goes to another place, waits, or learned something on its way; absent fields stay as they were. */
export interface RunMoved extends FactBase {
  readonly type: 'RunMoved';
  readonly run: string;
  readonly incident: string;
  readonly phase: RunPhase;
  readonly index: number;
  readonly attempt: number;
  readonly pause?: number;
  readonly goodSince?: Instant | null;
  readonly failure?: { readonly end: RunEnd; readonly reason: string };
  readonly degraded?: true;
  readonly why: string;
}

export type RunEnd =
  | 'succeeded'
  | 'degraded'
  | 'failed'
  | 'rolled-back'
  | 'stuck'
  | 'unknown'
  | 'shadowed'
  | 'noop'
  | 'denied'
  | 'expired'
  | 'cancelled';

export interface RunFinished extends FactBase {
  readonly type: 'RunFinished';
  readonly run: string;
  readonly incident: string;
  readonly playbook: string;
  readonly end: RunEnd;
  readonly reason: string;
}

export interface PageOpened extends FactBase {
  readonly type: 'PageOpened';
  readonly page: string;
  readonly incident: string;
  readonly ladder: Ladder;
  readonly title: string;
  readonly reason: string;
}

/** The page rings a rung: wakes and notifications of earlier rings are stale. */
export interface PageRang extends FactBase {
  readonly type: 'PageRang';
  readonly page: string;
  readonly incident: string;
  readonly round: number;
  readonly rung: number;
  readonly ring: number;
  /** Why an answered page rings again, when something has happened since. */
  readonly reason?: string;
}

export interface NotifyRequested extends FactBase {
  readonly type: 'NotifyRequested';
  readonly page: string;
  readonly incident: string;
  readonly notifier: string;
  readonly attempt: number;
  readonly notification: Notification;
}

/** What became of one attempt; `retry` says that another follows. */
export interface NotifyFinished extends FactBase {
  readonly type: 'NotifyFinished';
  readonly page: string;
  readonly incident: string;
  readonly notifier: string;
  readonly attempt: number;
  readonly notification: string;
  readonly outcome: NotifyOutcome;
  readonly retry: boolean;
}

export interface PageAcked extends FactBase {
  readonly type: 'PageAcked';
  readonly page: string;
  readonly incident: string;
  readonly by: string;
  readonly via: string;
}

export interface PageClosed extends FactBase {
  readonly type: 'PageClosed';
  readonly page: string;
  readonly incident: string;
  readonly why: string;
}

export interface SilenceChanged extends FactBase {
  readonly type: 'SilenceChanged';
  readonly silence: Silence;
  readonly state: 'active' | 'expired';
}

/** What we learned about a rule: Beta counts of alerts that someone or something had to act on, and those that passed by themselves. */
export interface RuleLearned extends FactBase {
  readonly type: 'RuleLearned';
  readonly rule: string;
  readonly acted: number;
  readonly passed: number;
}

/**
 * What a scope waits for. The token is the kind and its parts; a kind names everything that makes it stale. `asked` is the number
 * of the fact that asks, where a wait may follow another of its kind: no token is used twice, the log may hold two wakes for one.
 */
export type Wake =
  /** The incident has settled: decide about paging it. */
  | { readonly kind: 'settle'; readonly incident: string; readonly life: number }
  /** A playbook's `for`, a busy lock, or the hold-off before a page is over: deliberate again. */
  | { readonly kind: 'deliberate'; readonly incident: string; readonly asked: number }
  /** Alerts did not clear after a run that succeeded. */
  | { readonly kind: 'grace'; readonly incident: string; readonly run: string; readonly asked?: number }
  /** The resolved incident can no longer be reopened: let it leave the desk. */
  | { readonly kind: 'close'; readonly incident: string; readonly life: number; readonly asked?: number }
  /** Look for members that nobody repeats or clears. */
  | { readonly kind: 'stale'; readonly incident: string; readonly life: number; readonly asked?: number }
  | { readonly kind: 'silence'; readonly silence: string; readonly endsAt: Instant }
  /** A silence that was set for later begins. */
  | { readonly kind: 'silenceStart'; readonly silence: string; readonly startsAt: Instant }
  | { readonly kind: 'approval'; readonly run: string }
  /** Nobody claimed the call, or nobody answered it. */
  | { readonly kind: 'call'; readonly run: string; readonly call: string; readonly stage: 'claim' | 'grant' }
  /** The run's pause before a retry or the next look is over. */
  | { readonly kind: 'pause'; readonly run: string; readonly pause: number }
  | { readonly kind: 'rung'; readonly page: string; readonly ring: number; readonly asked?: number }
  | { readonly kind: 'ack'; readonly page: string; readonly ring: number; readonly asked?: number }
  /** A notification's answer is overdue, or its retry is due. */
  | {
      readonly kind: 'notify';
      readonly page: string;
      readonly notification: string;
      readonly attempt: number;
      readonly stage: 'answer' | 'retry';
    };

/** Wake this scope with `token` after the span. A token that is no longer awaited is ignored when it comes. */
export interface WakeRequested extends FactBase {
  readonly type: 'WakeRequested';
  readonly token: string;
  readonly wake: Wake;
  readonly dueAt: Instant;
  readonly afterMs: Millis;
}

/** A token was used up (came, or its owner is gone). */
export interface WakeSpent extends FactBase {
  readonly type: 'WakeSpent';
  readonly token: string;
}

/** Rows that are no longer needed left the desk (cleared alerts, ended runs, closed incidents, old counters). */
export interface DeskSwept extends FactBase {
  readonly type: 'DeskSwept';
  readonly table: string;
  readonly keys: readonly string[];
}

/** Scope `*` only: from here on, decisions follow this policy. */
export interface PolicyAdopted extends FactBase {
  readonly type: 'PolicyAdopted';
  readonly policy: Policy;
}

/** Scope `*` only: while frozen no effect starts; null lifts it. */
export interface FreezeChanged extends FactBase {
  readonly type: 'FreezeChanged';
  readonly frozen: { readonly by: string; readonly reason: string } | null;
}

export type Fact =
  | PolicyAdopted
  | FreezeChanged
  | IncidentNested
  | AlertMerged
  | AlertDecided
  | IncidentOpened
  | AlertJoined
  | AlertMuted
  | AlertFlapping
  | AlertsMissing
  | IncidentChanged
  | IncidentAcknowledged
  | IncidentResolved
  | IncidentReopened
  | IncidentDecided
  | IncidentNoted
  | RunStarted
  | RunRefused
  | ApprovalRequested
  | ApprovalGiven
  | StepRequested
  | StepGranted
  | StepFinished
  | RunMoved
  | RunFinished
  | PageOpened
  | PageRang
  | NotifyRequested
  | NotifyFinished
  | PageAcked
  | PageClosed
  | SilenceChanged
  | RuleLearned
  | WakeRequested
  | WakeSpent
  | DeskSwept;
