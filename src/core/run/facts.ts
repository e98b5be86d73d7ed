// What is said about runs on the log: answers of workers and people, and every step of a run.
import type { Json } from '../json.ts';
import type { Playbook, PlaybookMode, SecretMark } from '../playbook/document.ts';
import type { FactBase, InputBase } from '../stamp.ts';
import type { Instant, Millis } from '../time.ts';
import type { ActionOutcome } from './outcome.ts';

export interface StepClaimed extends InputBase {
  readonly type: 'StepClaimed';
  readonly run: string;
  readonly call: string;
  readonly worker: string;
}

/** Nobody claims the call yet: every slot that it may have is taken. Said once; a claim follows, or the bound of the wait. */
export interface StepDelayed extends InputBase {
  readonly type: 'StepDelayed';
  readonly run: string;
  readonly call: string;
  /** What takes the slots, in words. */
  readonly why: string;
}

export interface StepAnswered extends InputBase {
  readonly type: 'StepAnswered';
  readonly run: string;
  readonly call: string;
  readonly worker: string;
  readonly outcome: ActionOutcome;
  readonly tookMs: Millis;
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

export interface RunStarted extends FactBase {
  readonly type: 'RunStarted';
  readonly run: string;
  readonly incident: string;
  readonly playbook: Playbook;
  readonly mode: PlaybookMode;
  readonly params: { readonly [name: string]: Json };
  readonly target: string;
  /** Fingerprints of the alerts that its trigger matched: what it is to put out. */
  readonly alerts?: readonly string[];
  /** The life of the incident in which it began. */
  readonly life?: number;
  /** Of a shadow run: the guard that would refuse it, and why. */
  readonly wouldBe?: string;
  /** Until when it holds its target, whose desk granted it; missing of runs of 0.1.0, and of those that only watch. */
  readonly holdsUntil?: Instant;
}

export type Guard =
  | 'freeze'
  | 'params'
  | 'target'
  | 'lists'
  | 'storm'
  | 'cooldown'
  | 'attempts'
  | 'confidence'
  | 'blastRadius'
  | 'keepHealthy'
  | 'lock'
  | 'concurrency'
  | 'slots';

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
  /** The alert that it was asked for. */
  readonly alert?: string;
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

/** The parts of a run. Facts call it `phase`, as they always have. */
export const parts = ['approval', 'diagnose', 'steps', 'verify', 'undo'] as const;

export type RunPart = (typeof parts)[number];

/** One call of an action for a run: `call` names part, step and attempt (`steps/restart/1`). */
export interface StepRequested extends FactBase {
  readonly type: 'StepRequested';
  readonly run: string;
  readonly incident: string;
  readonly call: string;
  readonly phase: RunPart;
  readonly step: string;
  readonly attempt: number;
  readonly uses: string;
  readonly input: { readonly [name: string]: Json };
  readonly timeoutMs: Millis;
  readonly target: string;
  /** Whose run it is; missing in records of 0.1.0. */
  readonly playbook?: string;
  /** What of its answer must not leave the executor; absent when nothing is. */
  readonly secret?: SecretMark;
}

/** The call waits for a slot; nothing is granted, so nothing is done meanwhile, and its own time has not begun. */
export interface StepQueued extends FactBase {
  readonly type: 'StepQueued';
  readonly run: string;
  readonly incident: string;
  readonly call: string;
  readonly why: string;
}

/** The only permission to act: this worker, this call, once. */
export interface StepGranted extends FactBase {
  readonly type: 'StepGranted';
  readonly run: string;
  readonly call: string;
  readonly worker: string;
  /** By which the world knows this call from any other, of any installation; absent while the installation has no name: `<run>/<call>`. */
  readonly key?: string;
  /** How long it had waited for a slot, and for which incident; absent of a call that did not wait. */
  readonly incident?: string;
  readonly waitedMs?: Millis;
}

/** A person wants a granted call to end midway; its worker ends it and answers all the same. */
export interface StepCalledOff extends FactBase {
  readonly type: 'StepCalledOff';
  readonly run: string;
  readonly incident: string;
  readonly call: string;
  readonly worker: string;
  readonly why: string;
}

export interface StepFinished extends FactBase {
  readonly type: 'StepFinished';
  readonly run: string;
  readonly incident: string;
  readonly call: string;
  readonly phase: RunPart;
  readonly step: string;
  readonly attempt: number;
  readonly outcome: ActionOutcome;
  readonly tookMs: Millis;
  /** Offset of the answer that brought the output: where the whole of it is. Absent of what gave none, and in records of 0.1.0. */
  readonly input?: number;
  /** How to take the effect back, when the step said so and it succeeded. */
  readonly undo: { readonly uses: string; readonly input: { readonly [name: string]: Json }; readonly timeoutMs: Millis } | null;
}

/** The run goes to another place, waits, or learned something on its way; absent fields stay as they were. */
export interface RunMoved extends FactBase {
  readonly type: 'RunMoved';
  readonly run: string;
  readonly incident: string;
  readonly phase: RunPart;
  readonly index: number;
  readonly attempt: number;
  readonly pause?: number;
  readonly goodSince?: Instant | null;
  readonly failure?: { readonly end: RunEnd; readonly reason: string; readonly because?: Because };
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

/** What no longer held when a run was about to act (core/present.ts). */
export type Because = 'frozen' | 'over' | 'taken' | 'muted' | 'storm' | 'off' | 'changed' | 'lock' | 'slots';

export interface RunFinished extends FactBase {
  readonly type: 'RunFinished';
  readonly run: string;
  readonly incident: string;
  readonly playbook: string;
  readonly end: RunEnd;
  readonly reason: string;
  /** Set when it ended because the present had moved on, not by what it did itself. */
  readonly because?: Because;
}

/** What a run waits for. */
export type RunWake =
  /** For a person's yes; `remind`: to be called once more before the wait is over. */
  | { readonly kind: 'approval'; readonly run: string; readonly remind?: true }
  /** Nobody claimed the call, or nobody answered it. */
  | { readonly kind: 'call'; readonly run: string; readonly call: string; readonly stage: 'claim' | 'slot' | 'grant' }
  /** The run's pause before a retry or the next look is over. */
  | { readonly kind: 'pause'; readonly run: string; readonly pause: number };
