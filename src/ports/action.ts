// One thing the gateway can do to the world, and what it says of itself so that a playbook can be judged before it runs.
//   P1  Whoever loads a playbook knows an action by its declaration alone; no name of one is written anywhere else.
import type { Json } from '../core/json.ts';
import type { Template } from '../core/playbook/document.ts';
import type { ActionOutcome } from '../core/run/outcome.ts';
import type { Millis } from '../core/time.ts';

/** What happens when the same call is made twice; decides what a crash means (PLAYBOOKS 2.2). */
export type Effect = 'read' | 'idempotent' | 'once';

/**
 * What a member of an input is to whoever receives it: the keyword `x-quench` of the member's schema, valid for all that is inside it.
 * Members without it take any value.
 *   `program`   Text that is run as a program, or that chooses what runs: no reference may stand in it.
 *   `argument`  Given to a program as one of its arguments: a value of an alert gets there through a parameter only, which has a type,
 *               a pattern and a length.
 *   `address`   Says what is reached or acted on (an address, a path, the name of a process): the same rule as for `argument`.
 */
export const memberRoles = ['program', 'argument', 'address'] as const;

export type MemberRole = (typeof memberRoles)[number];

/** What an action finds wrong with the input that a playbook gives it. */
export interface InputFault {
  /** JSON pointer (RFC 6901) below the input: `/argv/2`. */
  readonly pointer: string;
  /** `expected …, seen …`, with the fix. */
  readonly message: string;
}

/** What the operator's lists refuse of an input. */
export interface ListFault extends InputFault {
  /** The same in a few words, for people who read why nothing was done: `program /opt/x is not on the list actions.shell.allow`. */
  readonly says: string;
}

/** What is known of an action without running it. */
export interface ActionDeclaration {
  /** Its family and its own name: `family/name`. */
  readonly name: string;
  readonly summary: string;
  readonly effect: Effect;
  /** Whether its answer may serve as proof that a repair worked; only an action whose effect is `read` may say so. */
  readonly probe?: boolean;
  /** JSON Schema (draft 2020-12, strict, without `$ref`) of the input; `additionalProperties: false`; members carry `x-quench`. */
  readonly input: object;
  /** What neither the schema nor `x-quench` can say of an input in which references still stand. Pure; never throws, whatever the input's shape. */
  check?(input: Template): readonly InputFault[];
  /**
   * What the operator's lists refuse of an input in which references still stand; what only a value can settle is left to the call itself.
   * Of an action that was made without a configuration it says nothing that means anything. Pure; never throws, whatever the input's shape.
   */
  permits?(input: Template): readonly ListFault[];
}

export interface ActionRequest {
  /** Rendered input; checked against the action's schema before anything happens. */
  readonly input: { readonly [name: string]: Json };
  /** Derived from run, step and attempt; same for nothing else. */
  readonly key: string;
  readonly timeoutMs: Millis;
  /** What of the answer is a secret: members by their path (`json.token`), or all of it. Kept back by the executor process, not by the action. */
  readonly secret?: true | readonly string[];
}

/** One thing the gateway can do to the world. Runs in the executor process, not in the gateway. */
export interface Action extends ActionDeclaration {
  /** Ends within `timeoutMs` plus a second of grace, whatever the target does. Never rejects for the target's answer. */
  act(request: ActionRequest, signal: AbortSignal): Promise<ActionOutcome>;
}
