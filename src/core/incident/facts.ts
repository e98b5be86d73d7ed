// What is said about incidents on the log: what people and sources do to one, and how its life goes.
import type { Severity } from '../alert/severity.ts';
import type { Evidence } from '../correlate/found.ts';
import type { Score } from '../score/score.ts';
import type { Covered, News } from './row.ts';
import type { FactBase, InputBase } from '../stamp.ts';
import type { Instant } from '../time.ts';

export interface Acked extends InputBase {
  readonly type: 'Acked';
  readonly incident: string;
  /** The page that was answered, when it came by a link: it says nothing about a later page of the same incident. */
  readonly page?: string;
  readonly by: string;
  readonly via: string;
  /** Takes it from whoever has it; without this a second acknowledgement changes nothing. */
  readonly over?: true;
}

/** A person gives an incident back: nobody has it. */
export interface Unacked extends InputBase {
  readonly type: 'Unacked';
  readonly incident: string;
  readonly by: string;
  readonly via: string;
  readonly note: string;
}

export interface Resolved extends InputBase {
  readonly type: 'Resolved';
  readonly incident: string;
  readonly by: string;
  readonly via: string;
  readonly note: string;
  /** Over whatever still fires: it does not come back before it has cleared, or is worse. */
  readonly force?: true;
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
  /** The alert that was the occurrence before of what it is about: what that remembers of flapping is its own now. */
  readonly follows?: string;
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
  /** How grave it is now, where that is less than it was in this life. */
  readonly now?: Severity;
  /** Only what it is called, or how grave it is now, moved: no line of the timeline. */
  readonly words?: true;
}

export interface IncidentAcknowledged extends FactBase {
  readonly type: 'IncidentAcknowledged';
  readonly incident: string;
  readonly by: string;
  readonly via: string;
  /** What that covers (decide/taken.ts). */
  readonly covers?: Covered;
  /** Who had it, when it is taken over. */
  readonly from?: string;
  /** The storm that was taken, when this is one of those that it speaks for. */
  readonly storm?: string;
  /** It was taken by a yes to this run: playbooks go on (`isDelegated`). */
  readonly run?: string;
}

/** Nobody has it any more: a person or the source gave it back, or something came that was not covered. */
export interface IncidentUnacknowledged extends FactBase {
  readonly type: 'IncidentUnacknowledged';
  readonly incident: string;
  readonly by: string;
  readonly via: string;
  readonly kind: News['kind'];
  readonly reason: string;
  /** The alert that came and was not covered, when it is one. */
  readonly about?: string;
  /** The storm that nobody has any more, when it speaks for this one: nothing rings but the storm. */
  readonly storm?: string;
}

export type ResolvedBy = 'source' | 'playbook' | 'human' | 'timeout';

export interface IncidentResolved extends FactBase {
  readonly type: 'IncidentResolved';
  readonly incident: string;
  readonly by: ResolvedBy;
  readonly who: string;
  readonly note: string;
  /** Alerts of it that fire all the same, when a person resolved it over them. */
  readonly firing?: number;
  /** The person said that it should not come back for them. */
  readonly forced?: true;
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

/** The storm speaks for it no longer: it calls people by itself again, and rings anew if it rang before. */
export interface IncidentUnnested extends FactBase {
  readonly type: 'IncidentUnnested';
  readonly incident: string;
  /** The storm that spoke for it. */
  readonly parent: string;
  readonly kind: News['kind'];
  readonly reason: string;
  /** The alert for which it rings, when it is one. */
  readonly about?: string;
}

/** A remark of a person, or something on the side that belongs to the story. */
export interface IncidentNoted extends FactBase {
  readonly type: 'IncidentNoted';
  readonly incident: string;
  readonly by: string;
  readonly text: string;
}

/** What an incident waits for. */
export type IncidentWake =
  /** The resolved incident can no longer be reopened: let it leave the desk. */
  | { readonly kind: 'close'; readonly incident: string; readonly life: number; readonly asked?: number }
  /** Look for members that nobody repeats or clears. */
  | { readonly kind: 'stale'; readonly incident: string; readonly life: number; readonly asked?: number };
