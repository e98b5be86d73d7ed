// What the HTTP floor needs from the rest of the gateway; compose fills it.
import type { EndpointAuth, VerifySignature } from '../access/gate.ts';
import type { ApiToken } from '../access/tokens.ts';
import type { PatternEngine } from '../core/alert/labels.ts';
import type { Frozen } from '../core/playbook/freeze.ts';
import type { Policy } from '../core/playbook/policy.ts';
import type { Millis } from '../core/time.ts';
import type { IntakeEndpoint } from '../engine/intake/endpoint.ts';
import type { Intake } from '../engine/intake/intake.ts';
import type { RefusalWatch } from '../engine/refusals/watch.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Series } from '../ports/series.ts';
import type { SourceRoutes } from '../ports/routes.ts';
import type { SharedRole } from '../ports/shares.ts';
import type { Store } from '../ports/store.ts';
import type { ReloadAnswer } from '../readmodel/answers.ts';
import type { LaneLimits } from './lane.ts';
import type { Metrics } from './metrics.ts';

/** One entry for intake and HTTP alike. */
export interface HttpEndpoint extends IntakeEndpoint {
  /** All of them must pass; an empty list refuses everything. */
  readonly auth: readonly EndpointAuth[];
  /** Takes what arrives on the delivery routes that sources bring; at most one endpoint does. */
  readonly alertsApi: boolean;
  /** Its part of the configuration does not load: deliveries are put off, so that senders keep them and come again. */
  readonly isBroken?: boolean;
}

/** One thing that must be well before work is sent here; null, or what is wrong. */
export interface Check {
  readonly name: string;
  check(): Promise<string | null>;
  /** What is worth knowing while it is well, in one sentence that anybody may read: figures, no names. */
  note?(): string | null;
}

/** How the log stands, and this process's part in the work on it. */
export interface LogStatus {
  readonly instance: string;
  readonly roles: readonly string[];
  /** Which kind of log it is. */
  readonly kind: string;
  role(role: SharedRole): Promise<{
    /** Partitions worked on by this process. */
    readonly here: ReadonlySet<number>;
    /** How far the role has come; a partition of which nobody told is missing. */
    readonly reached: ReadonlyMap<number, number>;
    /** What waits, where this process knows better than from `reached`. */
    readonly lags: ReadonlyMap<number, number>;
  }>;
  /** Batches of inputs that wait for the log to come back. */
  readonly spool?: () => { readonly records: number; readonly bytes: number; readonly oldestMs: Millis | null };
}

export interface HttpLimits {
  readonly bodyBytesMax: number;
  /** The same for bodies of sources that send whole lists of alerts. */
  readonly listBytesMax: number;
  readonly bufferedBytesMax: number;
  readonly connectionsMax: number;
  /** Of those that brought no credentials yet, from one address. */
  readonly connectionsPerAddressMax: number;
  /** How long the refusal of a wrong credential may be held back. */
  readonly loginDelayMsMax: Millis;
  /** Open event streams. */
  readonly streamsMax: number;
  /** Of the API, to the read model. */
  readonly questions: LaneLimits;
  readonly drainMs: number;
  /** How long whoever acts by a link waits to be shown what came of it. */
  readonly answerWaitMs: Millis;
}

export interface HttpDeps {
  /** Null of a gateway that keeps no time series. */
  readonly series: Series | null;
  /** By playbook, and `default` for all others. */
  readonly minutesSaved: { readonly default: number; readonly [playbook: string]: number };
  readonly store: Pick<Store, 'log' | 'views' | 'deadLetters'>;
  readonly intake: Intake;
  readonly endpoints: readonly HttpEndpoint[];
  /** Of every configured endpoint, here or elsewhere: the scope that is its tenant alone, to which its deliveries belong as received. */
  readonly tenantScopes: ReadonlyMap<string, string>;
  /** Of every configured endpoint, here or elsewhere: which labels of an alert part the scopes of its tenant. */
  readonly scopings: readonly { readonly endpoint: string; readonly tenant: string; readonly labels: readonly string[] }[];
  /** What kinds of sources serve beside deliveries to their endpoints. */
  readonly sourceRoutes: readonly SourceRoutes[];
  /** For the API. Without any, every call but the open ones is refused. */
  readonly tokens: () => readonly ApiToken[];
  readonly verify: VerifySignature;
  /** For acknowledgement links; the first signs, all are accepted. Empty = no links. */
  readonly ackSecrets: () => readonly string[];
  /** Who may say yes to a playbook by a link alone: whoever has one, or the persons that are named. */
  readonly approvals: () => { readonly byLink: boolean; readonly approvers: readonly string[] };
  readonly policy: () => Policy;
  /** Reads the configuration again. */
  readonly reload: () => Promise<ReloadAnswer>;
  /** Who gave the emergency stop that is in force, or null; as the partitions that are decided here know it. */
  readonly frozen: () => Frozen | null;
  /** Scope of a silence that names none. */
  readonly defaultScope: string;
  readonly expressions: PatternEngine & {
    /** Why a pattern is not accepted, or null. */
    patternProblem(pattern: string): string | null;
  };
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Told of deliveries that an endpoint refuses as a whole, and of those that it takes. */
  readonly refusals: Pick<RefusalWatch, 'refused' | 'accepted'>;
  /** `open`, or only with a token that may read and sees every scope. */
  readonly metricsAccess: 'open' | 'read';
  readonly checks: readonly Check[];
  readonly logStatus: LogStatus;
  readonly version: string;
  readonly limits?: Partial<HttpLimits>;
}

export const defaultLimits: HttpLimits = {
  bodyBytesMax: 1_048_576,
  listBytesMax: 16_777_216,
  bufferedBytesMax: 67_108_864,
  connectionsMax: 1_024,
  connectionsPerAddressMax: 256,
  loginDelayMsMax: 1_000,
  streamsMax: 200,
  questions: { atOnceMax: 2, waitingMax: 256, unreadBytesMax: 67_108_864 },
  drainMs: 10_000,
  answerWaitMs: 3_000,
};
