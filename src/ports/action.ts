// One thing the gateway can do to the world.
import type { Json } from '../core/json.ts';
import type { ActionOutcome } from '../core/run/outcome.ts';
import type { Millis } from '../core/time.ts';

/** What happens when the same call is made twice; decides what a crash means (PLAYBOOKS 2.2). */
export type Effect = 'read' | 'idempotent' | 'once';

export interface ActionRequest {
  /** Rendered input; checked against the action's schema before anything happens. */
  readonly input: { readonly [name: string]: Json };
  /** Derived from run, step and attempt; same for nothing else. */
  readonly key: string;
  readonly timeoutMs: Millis;
}

/** One thing the gateway can do to the world. Runs in the executor process, not in the gateway. */
export interface Action {
  readonly name: string;
  readonly summary: string;
  readonly effect: Effect;
  /** JSON Schema (draft 2020-12 subset of ajv) of the input; `additionalProperties: false`. */
  readonly input: object;
  /** Ends within `timeoutMs` plus a second of grace, whatever the target does. Never rejects for the target's answer. */
  act(request: ActionRequest, signal: AbortSignal): Promise<ActionOutcome>;
}
