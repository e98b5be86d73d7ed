// One incident as the desk keeps it.
import type { Severity } from '../alert/severity.ts';
import type { TurnContext } from '../context.ts';
import type { Decision } from '../decide/facts.ts';
import { textsFrom } from '../ordered.ts';
import type { Answer } from '../resource/facts.ts';
import { ends, type Outcome } from '../run/ends.ts';
import type { Score } from '../score/score.ts';
import type { Instant, Millis } from '../time.ts';
import type { ResolvedBy } from './facts.ts';

/** What was known when somebody took an incident: its severity, and that of firing members, one by one and by rule; bounded. */
export interface Covered {
  readonly severity: Severity;
  readonly members: { readonly [fingerprint: string]: Severity };
  readonly rules: { readonly [rule: string]: Severity };
}

/** Who has an incident since when, by which way, and what that covers. */
export interface Taken {
  readonly by: string;
  readonly via: string;
  readonly at: Instant;
  readonly covers: Covered;
  /** It was taken with this storm, and is given back with it. */
  readonly storm?: string;
  /** It was taken by a yes to this run. */
  readonly run?: string;
}

/** Why an incident that somebody had rings again. */
export interface News {
  readonly kind: 'risen' | 'joined' | 'unacknowledged';
  readonly text: string;
  /** The alert that is new or worse, when it is one. */
  readonly about?: string;
}

export interface Incident {
  readonly id: string;
  readonly title: string;
  /** The gravest that it was. */
  readonly severity: Severity;
  /** How grave it is now (called.ts); absent while that is `severity`. */
  readonly now?: Severity;
  readonly state: 'open' | 'acknowledged' | 'resolved';
  readonly storm: boolean;
  /** Who has it since when, in this life; null while nobody does. */
  readonly acked: { readonly by: string; readonly at: Instant } | null;
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
  /** Who or what resolved it, and the remark; absent while it is open, and of what 0.1.0 resolved. */
  readonly ended?: { readonly who: string; readonly note: string };
  /** A person resolved it over what still fires, and said that it should not come back for that. */
  readonly forced?: true;
  readonly decision: Decision | null;
  readonly reason: string;
  /** What must be released by a run of another incident before a playbook of this one may act; absent while it waits for nothing such. */
  readonly waitsFor?: readonly string[];
  /** Counts openings and reopenings: wakes and tried playbooks of an earlier life are stale. */
  readonly life: number;
  /** Gateway clock: when this life began. */
  readonly lifeAt: Instant;
  /** Gateway clock: when its severity rose to what it is, where that was after it opened. */
  readonly risenAt?: Instant;
  /** What it was before each rise in severity since it opened, with the score that nothing learned had moved; absent while it never rose. */
  readonly rises?: readonly Rise[];
  readonly settled: boolean;
  /** Something muted one of its alerts in this life. */
  readonly hushed?: true;
  /** Members that flap now; absent when none ever did. */
  readonly flapping?: number;
  /** Playbooks that ran or were refused in this life, each with its target (`triedAs`); in 0.1.0 by name alone. */
  readonly tried: readonly string[];
  /** Since when conditions with a `for` hold in this life, and of which playbook (decide/held.ts); absent while none does. */
  readonly held?: { readonly [condition: string]: { readonly since: Instant; readonly digest: string } };
  /** What its playbooks have asked of resources, until the run begins or is not wanted any more; absent while there is nothing. */
  readonly asked?: readonly Asked[];
  /** The last run of this playbook waited in vain for somebody to begin its first call, and left no other trace; absent if none ever did. */
  readonly starved?: { readonly playbook: string; readonly target: string; readonly at: Instant; readonly reason: string };
  /** The run that may act now; shadow runs are only in `runs`. */
  readonly run: string | null;
  readonly runs: readonly string[];
  /** How the last playbook of this life ended, or why it was refused. */
  readonly outcome: Remedied | null;
  readonly page: string | null;
  /** The pages of all lives. */
  readonly pages: readonly string[];
  /** Who has it and what that covers; absent while nobody has. */
  readonly taken?: Taken;
  /** Somebody had it, and people were called for it all the same, in this life; absent while somebody has it, and when that never was. */
  readonly lapsed?: true;
  /** Why nobody has it any more, until it has rung for that; absent when there is nothing to say. */
  readonly news?: News;
}

/** A rise in severity: when, and from what. */
export interface Rise {
  readonly at: Instant;
  readonly from: Severity;
  readonly score: number;
}

/** A question to the desk of a resource, and what it said; null while it has not. */
export interface Asked {
  /** The run that begins when it is granted. */
  readonly run: string;
  readonly playbook: string;
  readonly target: string;
  readonly resource: string;
  readonly alert: string;
  readonly holdMs: Millis;
  readonly askedAt: Instant;
  readonly answer: Answer | null;
  /** When it was heard here. */
  readonly answeredAt?: Instant;
}

/** How a playbook came out. */
export interface Remedied {
  readonly end: Outcome;
  readonly playbook: string;
  readonly reason: string;
  /** It was refused because its parameters or its target do not fit: it is not this incident's playbook. */
  readonly misfit?: true;
  /** Those of this life before it that did not help either, oldest first; bounded. */
  readonly before?: readonly Omit<Remedied, 'before'>[];
}

/** How a playbook that was tried on a target is remembered. */
export function triedAs(playbook: string, target: string): string {
  return `${playbook}|${target}`;
}

/** How a condition that holds is remembered: of which playbook, its place among the triggers, and of which alert (none: of the incident). */
export function heldAs(condition: { readonly playbook: string; readonly trigger: number; readonly fingerprint: string }): string {
  return `${condition.playbook}|${condition.trigger}|${condition.fingerprint}`;
}

/** What an incident waits for whose playbook is held by the emergency stop. */
export const untilThaw = 'thaw';

/** What a run of a playbook on a target releases when it ends. */
export function releasedBy(playbook: string, target: string): readonly string[] {
  return [`lock|${target}`, `slot|${playbook}`];
}

export function incidentOf(ctx: TurnContext, id: string | null): Incident | undefined {
  return id === null ? undefined : ctx.desk.tables.incidents.rows.get(id);
}

/** Incidents under a storm that are not over, in an order of their own. */
export function childrenOf(ctx: TurnContext, storm: string): readonly string[] {
  const children = ctx.desk.indexes.openChildren.get(storm);
  return children === undefined ? [] : [...textsFrom(children, '')];
}

/** How many incidents under a storm are not over. */
export function childrenCount(ctx: TurnContext, storm: string): number {
  return ctx.desk.indexes.openChildren.get(storm)?.size ?? 0;
}

/** A run left open what it did, and nobody has looked yet: it calls a person even when every alert has cleared. */
export function isInDoubt(incident: Pick<Incident, 'state' | 'run' | 'outcome' | 'taken'>): boolean {
  const { state, run, outcome } = incident;
  const isUnseen = state === 'open' || isDelegated(incident);
  return isUnseen && run === null && outcome !== null && ends[outcome.end].inDoubt;
}

/** Whoever has it took it by letting a playbook act: playbooks go on, and when that is of no use nobody has it any more. */
export function isDelegated({ state, taken }: Pick<Incident, 'state' | 'taken'>): boolean {
  return state === 'acknowledged' && taken?.run !== undefined;
}

/** Event-time distance between an alert's start and the span of an incident's starts; 0 inside it. */
export function lagOf(incident: Incident, startedAt: Instant): number {
  return Math.max(0, startedAt - incident.lastStart, incident.firstStart - startedAt);
}
