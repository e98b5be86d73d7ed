// What a scope waits for: a wake is asked for by a fact, comes back as an input, and is spent once.
// Each noun says in its facts.ts what it waits for, and has a table of what is done when the wait is over; turn.ts joins the tables,
// and a wake that is in none of them does not compile.
import type { AlertWake } from './alert/facts.ts';
import type { TurnContext } from './context.ts';
import type { DecideWake } from './decide/facts.ts';
import type { Folds } from './desk.ts';
import type { IncidentWake } from './incident/facts.ts';
import type { MuteWake } from './mute/facts.ts';
import type { PageWake } from './page/facts.ts';
import type { ResourceWake } from './resource/facts.ts';
import type { RunWake } from './run/facts.ts';
import type { FactBase, InputBase } from './stamp.ts';
import { drop, put } from './table.ts';
import type { Instant, Millis } from './time.ts';

/**
 * What a scope waits for. The token is the kind and its parts; a kind names everything that makes it stale. `asked` is the number
 * of the fact that asks, where a wait may follow another of its kind: no token is used twice, the log may hold two wakes for one.
 */
export type Wake = AlertWake | IncidentWake | DecideWake | RunWake | ResourceWake | PageWake | MuteWake;

/** What is done when each of the named waits is over. */
export type WakeHandlers<Kind extends Wake['kind']> = {
  readonly [Each in Kind]: (ctx: TurnContext, wake: Extract<Wake, { readonly kind: Each }>) => void;
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
