// One run as the desk keeps it, with its outstanding call and what it could take back.
import type { Json } from '../json.ts';
import type { Playbook, PlaybookMode } from '../playbook/document.ts';
import type { Instant, Millis } from '../time.ts';
import type { RunEnd, RunPhase } from './facts.ts';

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

/** What happened to one target, over all playbooks. */
export interface TargetHistory {
  readonly holder: string | null;
  readonly lastEndAt: Instant | null;
  readonly starts: readonly { readonly playbook: string; readonly at: Instant }[];
}
