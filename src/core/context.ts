// What a turn is given and what it leaves: the desk, the rules in force, the facts so far, and the incidents still to deliberate about.
// And how a turn speaks: emit() writes a fact and folds it at once, so that the next step of the same turn sees it.
import type { MatchBudget } from './alert/labels.ts';
import { metaOf, type Desk } from './desk.ts';
import { fold } from './fold.ts';
import type { Expressions } from './playbook/expressions.ts';
import type { Frozen } from './playbook/freeze.ts';
import type { Policy } from './playbook/policy.ts';
import type { Fact } from './records.ts';
import type { Instant, Millis } from './time.ts';
import { tokenOf, type Wake } from './wakes.ts';

/** The rules in force for one decision. */
export interface DecisionContext {
  readonly policy: Policy;
  /** Who gave the emergency stop that is in force, or null. */
  readonly frozen: Frozen | null;
  /** What tells this installation from any other; null until it is on the log. Part of every key that leaves. */
  readonly installation: string | null;
  readonly expressions: Expressions;
}

/** One turn at work. */
export interface TurnContext extends DecisionContext {
  readonly desk: Desk;
  readonly at: Instant;
  readonly facts: Fact[];
  /** Offset of the input, where its raw delivery is found. */
  readonly offset: number;
  /** The agenda: incidents to deliberate about before the turn ends, in the order in which they were raised. */
  readonly toDeliberate: Set<string>;
  /** What patterns of silences may still cost in this turn. */
  readonly matching: MatchBudget;
}

type Body<T> = T extends Fact ? Omit<T, 'scope' | 'seq' | 'at'> : never;

export function nextSeq(ctx: TurnContext): number {
  return metaOf(ctx.desk).seq + 1;
}

export function emit(ctx: TurnContext, body: Body<Fact>): void {
  // The body is one member of the union without its base; adding the base makes that member whole again.
  const fact = { scope: ctx.desk.scope, seq: nextSeq(ctx), at: ctx.at, ...body } as Fact;
  ctx.facts.push(fact);
  fold(ctx.desk, fact);
}

export function wakeAfter(ctx: TurnContext, afterMs: Millis, wake: Wake): void {
  const span = Math.max(0, afterMs);
  emit(ctx, { type: 'WakeRequested', token: tokenOf(wake), wake, dueAt: ctx.at + span, afterMs: span });
}
