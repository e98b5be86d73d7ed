// quench.yaml after loading: plain read-only data with defaults in place, spans in milliseconds and secrets as their values.
import type { Json } from '../../core/json.ts';
import type { Policy } from '../../core/playbook/policy.ts';
import type { Millis } from '../../core/time.ts';
import type { Role } from '../../ports/shares.ts';
import type { configDefaults } from './defaults.ts';

/** What an endpoint asks of a delivery; any of the secrets passes. An open endpoint says so in words. */
export type AuthRule = { readonly kind: 'none' } | { readonly kind: 'bearer' | 'basic' | 'hmac'; readonly secrets: readonly string[] };

export interface EndpointConfig {
  readonly source: string;
  readonly tenant: string;
  /** All of them must pass; never empty. */
  readonly auth: readonly AuthRule[];
  /** Takes what is posted to the alerts API of the gateway; at most one endpoint does. */
  readonly alertsApi: boolean;
  readonly options: { readonly [name: string]: Json };
  /** CEL over `body` that gives members under the names that the source knows; empty = bodies go to it as they are. */
  readonly mapping: { readonly [member: string]: string };
  /** How the source is asked what is open there; null = it is not asked. */
  readonly reconcile: ReconcileConfig | null;
}

export interface ReconcileConfig {
  readonly everyMs: Millis;
  /** Only an alert not heard of for so long may be found to be over. */
  readonly unheardMs: Millis;
  /** A source that forgets over a restart proves no absence for so long after it. */
  readonly graceMs: Millis;
  readonly options: { readonly [name: string]: Json };
}

export interface TokenConfig {
  readonly name: string;
  readonly role: 'read' | 'operate' | 'admin';
  readonly secret: string;
  /** What it may see; null = every scope. */
  readonly scopes: readonly string[] | null;
}

export interface Config {
  readonly file: string;
  readonly listen: { readonly host: string; readonly port: number; readonly publicUrl: string };
  readonly api: {
    readonly tokens: readonly TokenConfig[];
    readonly ackSecrets: readonly string[];
    readonly metrics: 'open' | 'read';
  };
  /** Who may say yes to a playbook by a link alone: everybody who has one, or the persons that are named; others show a token of the API. */
  readonly approvals: { readonly byLink: boolean; readonly approvers: readonly string[] };
  readonly data: {
    /** Which kind of store keeps it. */
    readonly type: string;
    readonly dir: string;
  };
  /** The log that several gateways share; null = the embedded one, for a gateway that is alone. */
  readonly log: { readonly type: string; readonly options: { readonly [name: string]: Json } } | null;
  /** Who keeps the time series, for how long, and whether hosts are tags in them. */
  readonly series: {
    readonly type: string;
    readonly options: { readonly [name: string]: Json };
    readonly keep: { readonly pointsMs: Millis; readonly hoursMs: Millis; readonly daysMs: Millis };
    readonly hosts: boolean;
    /** Minutes that a run which helped spares a person, by playbook; `default` of all others. */
    readonly minutesSaved: { readonly default: number; readonly [playbook: string]: number };
  };
  /** What this process does; all of it when it is alone. */
  readonly roles: readonly Role[];
  readonly limits: { readonly [name in keyof typeof configDefaults.limits]: number };
  readonly endpoints: { readonly [name: string]: EndpointConfig };
  readonly scope: { readonly labels: readonly string[] };
  readonly playbooks: { readonly dir: string };
  readonly actions: { readonly [kind: string]: { readonly [name: string]: Json } };
  readonly notifiers: {
    readonly [name: string]: {
      readonly type: string;
      readonly options: { readonly [name: string]: Json };
      /** Whom it reaches, when that is one person and nobody else. */
      readonly person?: string;
    };
  };
  /** How long a stop waits for steps under way. */
  readonly drainMs: Millis;
  /** What a gateway that shares a log keeps while that is away. */
  readonly spool: { readonly bytesMax: number; readonly ageMaxMs: Millis };
  /** After how long a critical alert that nobody decided is paged as it came in, and by which notifiers; never empty. */
  readonly failOpen: { readonly afterMs: Millis; readonly notify: readonly string[] };
  /** Whether files that change are read again, or only when that is asked for. */
  readonly reload: 'auto' | 'asked';
  readonly policy: Policy;
  /** Values that must reach no log, database, page or answer: all that stood behind references, and what options say may be secret. */
  readonly secrets: readonly string[];
}
