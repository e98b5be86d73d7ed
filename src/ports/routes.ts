// HTTP routes that a kind of source brings along: the API that the vendor's own tools expect of whoever takes their alerts.
// The HTTP floor serves, guards and describes them; a handler sees only what its caller may see.
import type { Link } from '../core/alert/event.ts';
import type { Labels, Matcher } from '../core/alert/labels.ts';
import type { Severity } from '../core/alert/severity.ts';
import type { MuteReason } from '../core/mute/facts.ts';
import type { Instant } from '../core/time.ts';
import type { ScopeFilter } from '../readmodel/query.ts';

/** An alert that fires, as the read model has it. */
export interface FiringAlert {
  readonly fingerprint: string;
  /** The rule or check, whatever its source calls it. */
  readonly name: string;
  readonly severity: Severity;
  /** Why it calls nobody now, or null. */
  readonly muted: MuteReason | null;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly links: readonly Link[];
  readonly startedAt: Instant;
  /** When its source last spoke of it. */
  readonly seenAt: Instant;
}

/** The gateway as far as such a route needs it. */
export interface RouteDeps {
  readonly version: string;
  /** Of this process. */
  readonly startedAt: Instant;
  now(): Instant;
  /** Why a pattern of a matcher is not accepted, in one sentence, or null. */
  patternProblem(pattern: string): string | null;
  /** Whether the whole value fits the pattern. Throws `invalid_request` for a pattern that is not accepted or takes too much work. */
  fits(pattern: string, value: string): boolean;
  /**
   * The alerts that fire, fit every matcher (without a matcher all of them) and pass `shown`, newest first, at most `limit`.
   * Rejects with `invalid_request` when their patterns take more work than a request may.
   */
  firing(query: {
    readonly scopes: ScopeFilter;
    readonly matchers: readonly Matcher[];
    readonly limit: number;
    shown(alert: FiringAlert): boolean;
  }): Promise<readonly FiringAlert[]>;
  /** Silences, newest first, at most `limit`; `matchers` are asked of the values that a silence asks for (`=` and `=~`) under each name. */
  silences(query: {
    readonly scopes: ScopeFilter;
    readonly matchers: readonly Matcher[];
    readonly limit: number;
  }): Promise<readonly ListedSilence[]>;
  /** Rejects with `not_found`. */
  silence(id: string, scopes: ScopeFilter): Promise<ListedSilence>;
  /**
   * Makes a silence in every scope of the caller in which it could match, under one id, and returns the id once it is durable and, as a rule,
   * shown. With the id of one that is not over and has the same matchers and start that one is changed; otherwise that one ends, and the new
   * one has an id of its own. Rejects with `invalid_request`, `not_found` for an id that is unknown, `state_conflict` for one too many.
   */
  setSilence(wanted: WantedSilence, caller: Caller): Promise<string>;
  /** Ends it now, in every scope of the caller. Rejects with `not_found`, and with `state_conflict` when it is over. */
  endSilence(id: string, caller: Caller): Promise<void>;
}

type Caller = Pick<RouteCall, 'actor' | 'scopes'>;

export interface WantedSilence {
  /** '' for a new one. */
  readonly id: string;
  readonly matchers: readonly Matcher[];
  /** One that lies behind means now. */
  readonly startsAt: Instant;
  readonly endsAt: Instant;
  /** Who the caller says it is for; '' means the caller. */
  readonly by: string;
  readonly comment: string;
}

/** A silence, as the read model has it. */
export interface ListedSilence {
  readonly id: string;
  readonly state: 'active' | 'expired';
  readonly matchers: readonly Matcher[];
  readonly startsAt: Instant;
  readonly endsAt: Instant;
  /** When it was last set, changed or ended. */
  readonly updatedAt: Instant;
  readonly by: string;
  readonly comment: string;
}

/** What a handler is told of one request: its query and body as the schemas admitted them, who calls, and what the caller may see. */
export interface RouteCall {
  readonly params: { readonly [name: string]: string };
  readonly query: { readonly [name: string]: unknown };
  /** Null without a body schema. */
  readonly body: unknown;
  /** Name of the token; '' on open routes. */
  readonly actor: string;
  readonly scopes: ScopeFilter;
}

interface HandledRoute {
  /** Parameters as `:name`. */
  readonly path: string;
  readonly summary: string;
  /** JSON Schema by parameter; a parameter that is not here is refused. */
  readonly query: { readonly [name: string]: { readonly [keyword: string]: unknown } };
  /** What the answer with status 200 is, in words and as JSON Schema. */
  readonly answer: { readonly says: string; readonly schema: object };
  /**
   * A GatewayError thrown by the handler is answered by its code; any other error is a bug. A list in the answer may be an iterator: its items
   * are made while it is written, in slices, and must not fail.
   */
  handle(call: RouteCall): Promise<object> | object;
}

/** Answers a question. */
export interface QueryRoute extends HandledRoute {
  readonly method: 'get';
  /** Least role of the caller's token; `open` asks for none. */
  readonly access: 'open' | 'read' | 'operate' | 'admin';
}

/** Changes something, for a caller who has a token of the role. */
export interface CommandRoute extends HandledRoute {
  readonly method: 'post' | 'delete';
  readonly access: 'operate' | 'admin';
  /** JSON Schema of the body; without one no body is read. */
  readonly body?: { readonly [keyword: string]: unknown };
}

/** Takes a delivery for the endpoint that `alertsApi` names in quench.yaml: credentials, size and durability are that endpoint's. */
export interface DeliveryRoute {
  readonly method: 'post';
  /** Literal; the source of the endpoint sees it as the path of the delivery. */
  readonly path: string;
  readonly summary: string;
  /** What its senders expect once everything in the delivery is durable. */
  readonly answer: { readonly status: number; readonly body: string };
}

export type SourceRoute = QueryRoute | CommandRoute | DeliveryRoute;

/** The routes, with a name under which they are described together. */
export interface SourceRoutes {
  readonly tag: string;
  /** How the vendor's tools read a refusal of what is handled here: a body in JSON. Without it, refusals are problem documents. */
  readonly refusal?: { readonly schema: { readonly [keyword: string]: unknown }; of(detail: string): unknown };
  routes(deps: RouteDeps): readonly SourceRoute[];
}
