// The playbook/v1 document as data: what was checked at load, ready to be carried on the log inside a policy.
// Parsing and checking is config/playbook/playbooks.ts, choosing one decide/choose.ts, executing one run/program.ts.
import type { Json } from '../json.ts';
import type { Millis } from '../time.ts';

export type PlaybookMode = 'off' | 'shadow' | 'approve' | 'auto';

/** CEL text from a playbook file, type-checked at load. Never from an alert. */
export type Expression = string;

/**
 * A value with references: a string that is exactly `$a.b.c` is that value, typed; `${cel}` inside a longer string is
 * replaced by its text; `$$` is a dollar. Strings inside arrays and objects are treated alike.
 */
export type Template = Json;

export interface Trigger {
  /** `alert`: the condition sees `alert`; `incident`: it sees `incident` and its root `alert`. */
  readonly on: 'alert' | 'incident';
  readonly when: Expression;
  /** The condition must have held this long before the run starts; 0 = at once. */
  readonly forMs: Millis;
}

export interface Param {
  readonly type: 'string' | 'integer' | 'number' | 'boolean';
  readonly from: Expression | null;
  readonly fallback: Json;
  /** Whole-value allow pattern for strings (linear-time); null = any printable text without a leading dash. */
  readonly pattern: string | null;
  readonly maxLength: number;
  readonly oneOf: readonly Json[] | null;
}

export interface Guards {
  /** Per target, over all playbooks; 0 = none. */
  readonly cooldownMs: Millis;
  /** Runs of this playbook per target within a window, after which it is refused and paged. */
  readonly attempts: { readonly max: number; readonly perMs: Millis } | null;
  /** Runs of this playbook at once, over all scopes (of one that asks for a yes: in the scope). Two runs never share a target, whatever this says. */
  readonly concurrency: number;
  /** Targets that this playbook may act on within a window, over all scopes; null = any number, absent = a default (resource/group.ts). */
  readonly blastRadius?: { readonly max: number; readonly perMs: Millis } | null;
  /** The radius as a share of the members of its group, as its author wrote it; what it comes to is `blastRadius`. */
  readonly blastShare?: { readonly percent: number; readonly perMs: Millis };
  /** How many members of its group are to stay healthy, as its author wrote it; what it comes to is `floor`. */
  readonly healthy?: { readonly count?: number; readonly percent?: number };
  /** Of how many members so many stay healthy, by the groups of the configuration that it was published from. Not in the digest. */
  readonly floor?: { readonly name: string; readonly members: number; readonly healthy: number };
  /** Least incident score at which the playbook may act. */
  readonly confidence: number;
  readonly approveWithinMs: Millis;
}

/** What to do when an action's outcome is `unknown` (sent, no answer): stop and page, or try again. */
export type OnUnknown = 'stop' | 'retry';

/** What of an answer is a secret: members by their path (`json.token`), or every text of it. */
export type SecretMark = true | readonly string[];

export interface ActionCall {
  /** A registered action by its name, `family/name`. */
  readonly uses: string;
  readonly with: Template;
  readonly timeoutMs: Millis;
  readonly secret?: SecretMark;
}

export interface Step extends ActionCall {
  readonly id: string;
  readonly when: Expression | null;
  readonly retry: { readonly times: number; readonly waitMs: Millis; readonly factor: number; readonly waitMaxMs: Millis };
  readonly onUnknown: OnUnknown;
  readonly continueOnError: boolean;
  readonly undo: ActionCall | null;
}

/** A look before acting: a read action kept on the timeline, or a check that may end the run. */
export type Diagnosis =
  | ({ readonly kind: 'look'; readonly id: string; readonly continueOnError: boolean } & ActionCall)
  | { readonly kind: 'check'; readonly check: Expression; readonly otherwise: 'end' | 'escalate'; readonly say: string };

/** `resolved`: every alert of the incident cleared. A probe: a read action whose result satisfies `expect`. */
export type Proving = { readonly kind: 'resolved' } | ({ readonly kind: 'probe'; readonly expect: Expression } & ActionCall);

export interface Verify {
  readonly withinMs: Millis;
  readonly everyMs: Millis;
  readonly stableForMs: Millis;
  readonly require: 'all' | 'any';
  readonly proofs: readonly Proving[];
  readonly otherwise: 'escalate' | 'rollback';
}

export interface Playbook {
  readonly name: string;
  readonly version: string;
  readonly summary: string;
  readonly owner: string;
  readonly mode: PlaybookMode;
  readonly triggers: readonly Trigger[];
  readonly params: { readonly [name: string]: Param };
  /** The one resource that is acted on; lock, cooldown and attempts are counted against it. Empty → refused. */
  readonly target: Template;
  /** The configured group that the target is a member of; absent where none is named. */
  readonly group?: string;
  readonly guards: Guards;
  readonly diagnose: readonly Diagnosis[];
  readonly steps: readonly Step[];
  readonly verify: Verify;
  readonly escalate: {
    readonly ladder: string | null;
    readonly say: Template;
    /** The playbook's own hold-off: how long a person waits for it to help; without it the policy's counts. */
    readonly afterMs?: Millis;
  };
  /** Why it could not act under the lists of the configuration that it was published from, in a few words; absent when it could. Not in the digest. */
  readonly unlisted?: string;
  /** SHA-256 of the canonical document, `sha256:…`; a run keeps the one it began with. */
  readonly digest: string;
}
