// What is said about resources on the log. A resource is whatever a playbook acts on; it has a desk of its own, which one partition turns,
// so that runs of all scopes, partitions and gateways stand in one order before it.
//   The scope of an incident:  ResourceRequested … ResourceAnswered … ResourceReleased
//   The scope of the resource: ResourceWanted → ResourceDecided … ResourceReturned → ResourceFreed
//   The scope of its group:    ResourceWanted → GroupDecided, when the resource is granted
// What one desk decided reaches the other as an input, at least once (message.ts); a run is known by its id wherever it is spoken of.
import type { FactBase, InputBase } from '../stamp.ts';
import type { Millis } from '../time.ts';

/** What a playbook demands of the resource before it acts on it. */
export interface Limits {
  /** Since the end of the last run on it, of whatever playbook; 0 = none. */
  readonly cooldownMs: Millis;
  /** Runs of the same playbook on it within a window. */
  readonly attempts: { readonly max: number; readonly perMs: Millis } | null;
}

/** How many resources may be acted on within a window. */
export interface Blast {
  readonly max: number;
  readonly perMs: Millis;
}

/** How many members of a group are to stay healthy, of how many that it has by its configuration. */
export interface Floor {
  readonly name: string;
  readonly members: number;
  readonly healthy: number;
}

/** The group whose bounds a grant has to fit into. */
export interface Through {
  readonly group: string;
  readonly blast: Blast;
  /** Runs of the playbook at once; absent of one that waits for a yes, and in records of 0.1.0: not counted by the group. */
  readonly concurrency?: number;
  readonly floor?: Floor;
}

/** A run that wants to act on a resource. */
export interface Want {
  /** The id that the run will have when it begins; its scope is where the answer goes. */
  readonly run: string;
  readonly incident: string;
  readonly playbook: string;
  /** As the playbook names the resource, for people. */
  readonly target: string;
  readonly limits: Limits;
  /** The longest that the run can take: the resource is free again after it, even when nobody gives it back. */
  readonly holdMs: Millis;
  /** The group that is asked when the resource is granted; absent where nothing bounds it. */
  readonly through?: Through;
  /** It only watches: it is answered like any other and holds nothing. */
  readonly shadow?: true;
}

export type ResourceGuard = 'cooldown' | 'attempts' | 'blastRadius' | 'keepHealthy' | 'concurrency' | 'lock';

/** `waits`: it is in the queue, and a grant follows by itself. `refused`: it is not, and has to ask again. */
export type Answer =
  | { readonly verdict: 'granted' }
  | { readonly verdict: 'waits'; readonly guard: 'lock'; readonly reason: string }
  | { readonly verdict: 'refused'; readonly guard: ResourceGuard; readonly reason: string; readonly liftsInMs?: Millis };

/** Scope of the resource, and then of its group: a run wants to act on it. */
export interface ResourceWanted extends InputBase {
  readonly type: 'ResourceWanted';
  readonly resource: string;
  readonly want: Want;
  /** Set where a group is asked; the resource is granted by then. */
  readonly group?: string;
}

/** Scope of the resource, and then of its group: a run has ended, or does not want it any more. */
export interface ResourceReturned extends InputBase {
  readonly type: 'ResourceReturned';
  readonly resource: string;
  readonly run: string;
  /** Whether the run did anything; one that did not counts as no attempt and begins no cooldown. */
  readonly acted: boolean;
  /** It put out what it was started for, or found nothing to do. */
  readonly helped?: boolean;
  /** Set where a group is told; the resource is free by then. */
  readonly group?: string;
}

/** Scope of the incident: what the resource's desk decided about a run of it. */
export interface ResourceTold extends InputBase {
  readonly type: 'ResourceTold';
  readonly run: string;
  readonly incident: string;
  readonly resource: string;
  readonly answer: Answer;
}

/** Scope of the incident: the resource is asked. */
export interface ResourceRequested extends FactBase {
  readonly type: 'ResourceRequested';
  readonly incident: string;
  readonly resource: string;
  readonly want: Want;
  /** The alert that its playbook answers. */
  readonly alert: string;
}

/** Scope of the incident: the resource answered. */
export interface ResourceAnswered extends FactBase {
  readonly type: 'ResourceAnswered';
  readonly run: string;
  readonly incident: string;
  readonly answer: Answer;
}

/** Scope of the incident: the resource is given back. */
export interface ResourceReleased extends FactBase {
  readonly type: 'ResourceReleased';
  readonly run: string;
  readonly incident: string;
  readonly resource: string;
  readonly acted: boolean;
  readonly helped?: boolean;
}

/** Scope of a group: the run may act on the resource that it was granted, or has to give it back. */
export interface GroupDecided extends FactBase {
  readonly type: 'GroupDecided';
  readonly group: string;
  readonly blast: Blast;
  readonly resource: string;
  readonly want: Want;
  readonly answer: Answer;
}

/** Scope of a group: a resource that was granted through it is free again. */
export interface GroupFreed extends FactBase {
  readonly type: 'GroupFreed';
  readonly group: string;
  readonly resource: string;
  readonly run: string;
  readonly acted: boolean;
  readonly helped: boolean;
}

/** Scope of the resource: it is given to the run, which holds it until it is freed, or the run waits, or may not have it. */
export interface ResourceDecided extends FactBase {
  readonly type: 'ResourceDecided';
  readonly resource: string;
  readonly want: Want;
  readonly answer: Answer;
}

/** Scope of the resource: the run holds it no longer, or does not wait for it any more. */
export interface ResourceFreed extends FactBase {
  readonly type: 'ResourceFreed';
  readonly resource: string;
  readonly run: string;
  readonly acted: boolean;
  readonly helped?: boolean;
  /** Through which it had been granted; absent of a run that held nothing. */
  readonly group?: string;
  /** `overdue`: nobody gave it back in the longest time that the run could take. */
  readonly why: 'returned' | 'overdue';
}

/** What the desk of a resource waits for. */
export type ResourceWake =
  /** The longest time of a run that holds it is over. */
  | { readonly kind: 'hold'; readonly resource: string; readonly run: string; readonly asked: number }
  /** Nobody may need its history any more. */
  | { readonly kind: 'idle'; readonly resource: string; readonly asked: number }
  /** The window of a group's blast radius is over. */
  | { readonly kind: 'calm'; readonly group: string; readonly asked: number };
