// What a scope waits for: a wake is asked for by a fact, comes back as an input, and is spent once.
import type { Folds } from './desk.ts';
import { drop, put } from './table.ts';
import type { FactBase, InputBase } from './stamp.ts';
import type { Instant, Millis } from './time.ts';

/**
 * What a scope waits for. The token is the kind and its parts; a kind names everything that makes it stale. `asked` is the number
 * of the fact that asks, where a wait may follow another of its kind: no token is used twice, the log may hold two wakes for one.
 */
export type Wake =
  /** The incident has settled: decide about paging it. */
  | { readonly kind: 'settle'; readonly incident: string; readonly life: number }
  /** A playbook's `for`, a busy lock, or the hold-off before a page is over: deliberate again. */
  | { readonly kind: 'deliberate'; readonly incident: string; readonly asked: number }
  /** Alerts did not clear after a run that succeeded. */
  | { readonly kind: 'grace'; readonly incident: string; readonly run: string; readonly asked?: number }
  /** The resolved incident can no longer be reopened: let it leave the desk. */
  | { readonly kind: 'close'; readonly incident: string; readonly life: number; readonly asked?: number }
  /** Look for members that nobody repeats or clears. */
  | { readonly kind: 'stale'; readonly incident: string; readonly life: number; readonly asked?: number }
  | { readonly kind: 'silence'; readonly silence: string; readonly endsAt: Instant }
  /** A silence that was set for later begins. */
  | { readonly kind: 'silenceStart'; readonly silence: string; readonly startsAt: Instant }
  | { readonly kind: 'approval'; readonly run: string }
  /** Nobody claimed the call, or nobody answered it. */
  | { readonly kind: 'call'; readonly run: string; readonly call: string; readonly stage: 'claim' | 'grant' }
  /** The run's pause before a retry or the next look is over. */
  | { readonly kind: 'pause'; readonly run: string; readonly pause: number }
  | { readonly kind: 'rung'; readonly page: string; readonly ring: number; readonly asked?: number }
  | { readonly kind: 'ack'; readonly page: string; readonly ring: number; readonly asked?: number }
  /** A notification's answer is overdue, or its retry is due. */
  | {
      readonly kind: 'notify';
      readonly page: string;
      readonly notification: string;
      readonly attempt: number;
      readonly stage: 'answer' | 'retry';
    };

export interface Woke extends InputBase {
  readonly type: 'Woke';
  readonly token: string;
}

/** Wake this scope with `token` after the span. A token that is no longer awaited is ignored when it comes. */
export interface WakeRequested extends FactBase {
  readonly type: 'WakeRequested';
  readonly token: string;
  readonly wake: Wake;
  readonly dueAt: Instant;
  readonly afterMs: Millis;
}

/** A token was used up (came, or its owner is gone). */
export interface WakeSpent extends FactBase {
  readonly type: 'WakeSpent';
  readonly token: string;
}

export interface WakeRow {
  readonly wake: Wake;
  readonly dueAt: Instant;
  readonly afterMs: Millis;
}

/** Same wake, same token; parts are joined by `|`, which no id contains. */
export function tokenOf(wake: Wake): string {
  return Object.values(wake).join('|');
}

export const wakeFolds: Folds<'WakeRequested' | 'WakeSpent'> = {
  WakeRequested: (desk, fact) => put(desk.tables.wakes, fact.token, { wake: fact.wake, dueAt: fact.dueAt, afterMs: fact.afterMs }),
  WakeSpent: (desk, fact) => drop(desk.tables.wakes, fact.token),
};
