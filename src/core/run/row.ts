// One run as the desk keeps it: where it stands in its playbook, the calls it waits for, and what it could take back.
// The playbook itself lies beside it, once for all runs of that digest (R5): a run's row is written at each of its facts and stays small.
import type { TurnContext } from '../context.ts';
import type { Desk } from '../desk.ts';
import { invariant } from '../errors.ts';
import type { Json } from '../json.ts';
import type { Playbook, PlaybookMode } from '../playbook/document.ts';
import type { Instant, Millis } from '../time.ts';
import type { Because, RunEnd, RunPart } from './facts.ts';

/** A call that was asked for and is not finished: nobody was granted it yet, or one worker was. */
export type Call =
  | {
      readonly worker: null;
      readonly requestedAt: Instant;
      readonly timeoutMs: Millis;
      /** Since when it waits for a slot, and what takes them; absent while it does not. */
      readonly queued?: { readonly at: Instant; readonly why: string };
    }
  | { readonly worker: string; readonly requestedAt: Instant };

/** A place in the playbook: which diagnosis, step, proof or undo of a part, and which attempt at it. */
export type Frame =
  | { readonly part: Exclude<RunPart, 'verify'>; readonly index: number; readonly attempt: number }
  /** `since`: when proving began; `goodSince`: since when every look was good, null while it is not. */
  | {
      readonly part: 'verify';
      readonly index: number;
      readonly attempt: number;
      readonly since: Instant;
      readonly goodSince: Instant | null;
    };

export interface Undo {
  readonly step: string;
  readonly uses: string;
  readonly input: { readonly [name: string]: Json };
  readonly timeoutMs: Millis;
}

export interface Run {
  readonly id: string;
  readonly incident: string;
  /** Digest of the playbook it began with; the document is in the desk's table of playbooks. */
  readonly playbook: string;
  readonly mode: PlaybookMode;
  readonly params: { readonly [name: string]: Json };
  readonly target: string;
  /** Fingerprints of the alerts that its trigger matched; none in a run of 0.1.0, which stood for its whole incident. */
  readonly alerts: readonly string[];
  /** The life of the incident in which it began; null in a run of 0.1.0. */
  readonly life: number | null;
  readonly startedAt: Instant;
  /** Until when it holds its target; absent of a run of 0.1.0, and of one that only watches. */
  readonly holdsUntil?: Instant;
  /** Of a shadow run: what would refuse it. */
  readonly wouldBe?: string;
  /** The program position, outermost place first; work goes on at the last. One place today, none when the run has ended. */
  readonly frames: readonly Frame[];
  /** Counts pauses, so that a late wake of an earlier pause is stale. */
  readonly pause: number;
  /** Calls that were asked for and are not finished, by id (`steps/restart/1`, call-id.ts); at most one today. */
  readonly calls: { readonly [call: string]: Call };
  /** What looks and steps gave, by their id. */
  readonly outputs: { readonly [step: string]: { readonly [name: string]: Json } };
  /** Undos of completed steps, oldest first; absent while there are none. */
  readonly undos?: readonly Undo[];
  /** Why the run is on its way to an end other than success; the last word counts. */
  readonly failure?: { readonly end: RunEnd; readonly reason: string; readonly because?: Because };
  /** A step failed and the run went on. */
  readonly degraded?: true;
  /** When a person let it act, and who. */
  readonly approvedAt?: Instant;
  readonly approvedBy?: string;
  /** A step of it did something, or may have. */
  readonly acted?: true;
  /** What no longer held when it was about to act. */
  readonly because?: Because;
  readonly end: RunEnd | null;
  /** Why it ended so, in a sentence; absent before, and of a run of 0.1.0. */
  readonly why?: string;
  /** Until when a person may let it act; absent while nobody is asked. */
  readonly approveUntil?: Instant;
}

/** What happened to one target, over all playbooks. */
export interface TargetHistory {
  readonly holder: string | null;
  readonly lastEndAt: Instant | null;
  readonly starts: readonly { readonly playbook: string; readonly at: Instant }[];
}

export function runOf(ctx: TurnContext, id: string | null): Run | undefined {
  return id === null ? undefined : ctx.desk.tables.runs.rows.get(id);
}

/** The playbook the run began with, whatever the policy says by now (R5). */
export function playbookOf(desk: Desk, run: Run): Playbook {
  const playbook = desk.tables.playbooks.rows.get(run.playbook);
  invariant(playbook !== undefined, `R5: the playbook of run ${run.id} is on the desk`);
  return playbook;
}

/** Where the run is at work. */
export function frameOf(run: Run): Frame {
  const frame = run.frames.at(-1);
  invariant(frame !== undefined, `R3: run ${run.id}, which is asked to go on, has not ended`);
  return frame;
}

/** The part of the playbook that the run is in, or null when it has ended. */
export function partOf(run: Run | undefined): RunPart | null {
  return run?.frames.at(-1)?.part ?? null;
}

/** Holds a slot of its playbook: who only watches holds none, nor does who waits for a yes. */
export function worksNow(run: Run): boolean {
  return run.end === null && run.mode !== 'shadow' && partOf(run) !== 'approval';
}

/** The outstanding call of that name; names come from outside. */
export function callOf(run: Run | undefined, id: string): Call | undefined {
  return run !== undefined && Object.hasOwn(run.calls, id) ? run.calls[id] : undefined;
}

/** Where a run that is proving itself stands. */
export function proofOf(run: Run): Extract<Frame, { part: 'verify' }> {
  const frame = frameOf(run);
  invariant(frame.part === 'verify', `R3: run ${run.id} is proving itself`);
  return frame;
}

export function isCalling(run: Run): boolean {
  return Object.keys(run.calls).length > 0;
}
