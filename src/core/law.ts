// What a turn is given beside desk and input: the policy in force, the freeze, and the evaluator of its expressions.
// And how a turn speaks: emit() writes a fact and folds it at once, so that the next thought sees it.
import { metaOf, type Desk } from './desk.ts';
import { evolve } from './evolve.ts';
import { tokenOf } from './ids.ts';
import type { Policy } from './policy.ts';
import type { Expressions } from './ports.ts';
import type { Fact, Wake } from './records.ts';
import type { Instant, Millis } from './time.ts';

export interface Law {
  readonly policy: Policy;
  readonly frozen: { readonly by: string; readonly reason: string } | null;
  readonly expressions: Expressions;
}

export interface Turn {
  readonly desk: Desk;
  readonly at: Instant;
  readonly law: Law;
  readonly facts: Fact[];
  /** Offset of the input, where its raw delivery is found. */
  readonly offset: number;
  /** Incidents to deliberate about before the turn ends, with the alert that raised the question, if one did. */
  readonly open: Map<string, string | null>;
}

type Body<T> = T extends Fact ? Omit<T, 'scope' | 'seq' | 'at'> : never;

export function nextSeq(turn: Turn): number {
  return metaOf(turn.desk).seq + 1;
}

export function emit(turn: Turn, body: Body<Fact>): void {
  // The body is one member of the union without its base; adding the base makes that member whole again.
  const fact = { scope: turn.desk.scope, seq: nextSeq(turn), at: turn.at, ...body } as Fact;
  turn.facts.push(fact);
  evolve(turn.desk, fact);
}

export function wakeAfter(turn: Turn, afterMs: Millis, wake: Wake): void {
  const span = Math.max(0, afterMs);
  emit(turn, { type: 'WakeRequested', token: tokenOf(wake), wake, dueAt: turn.at + span, afterMs: span });
}
