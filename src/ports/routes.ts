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
  /**
   * The alerts that fire and fit every matcher (without a matcher all of them), newest first, at most `limit`.
   * Rejects with `invalid_request` when their patterns take more work than a request may.
   */
  firing(query: {
    readonly scopes: ScopeFilter;
    readonly matchers: readonly Matcher[];
    readonly limit: number;
  }): Promise<readonly FiringAlert[]>;
  /** Silences, newest first, at most `limit`; `matchers` are asked of what a silence says about each name. */
  silences(query: {
    readonly scopes: ScopeFilter;
    readonly matchers: readonly Matcher[];
    readonly limit: number;
  }): Promise<readonly ListedSilence[]>;
}

/** A silence, as the read model has it. */
export interface ListedSilence {
  readonly id: string;
  readonly state: 'active' | 'expired';
  readonly matchers: readonly Matcher[];
  readonly startsAt: Instant;
  readonly endsAt: Instant;
  readonly by: string;
  readonly comment: string;
}

/** What a handler is told of one request: its query as the schema admitted it, and what its caller may see. */
export interface RouteCall {
  readonly query: { readonly [name: string]: unknown };
  readonly scopes: ScopeFilter;
}

/** Answers a question. `invalid_request` thrown by the handler becomes 400; any other error is a bug. */
export interface QueryRoute {
  readonly method: 'get';
  /** Literal, without parameters. */
  readonly path: string;
  /** Least role of the caller's token; `open` asks for none. */
  readonly access: 'open' | 'read' | 'operate' | 'admin';
  readonly summary: string;
  /** JSON Schema by parameter; a parameter that is not here is refused. */
  readonly query: { readonly [name: string]: { readonly [keyword: string]: unknown } };
  /** What the answer with status 200 is, in words and as JSON Schema. */
  readonly answer: { readonly says: string; readonly schema: object };
  handle(call: RouteCall): Promise<object> | object;
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

export type SourceRoute = QueryRoute | DeliveryRoute;

/** The routes, with a name under which they are described together. */
export interface SourceRoutes {
  readonly tag: string;
  routes(deps: RouteDeps): readonly SourceRoute[];
}
