// What the commands that need no gateway bring back: the commands print it, src/offline makes it.

type Counts = { readonly [word: string]: number };

/** What a range came to. */
export interface Sums {
  readonly alerts: number;
  readonly identities: number;
  readonly incidents: number;
  readonly unresolved: number;
  readonly pages: number;
  readonly decisions: Counts;
  readonly runs: Counts;
}

/** A recorded delivery that was not understood; lines count from 1. */
export interface Letter {
  readonly line: number;
  readonly reason: string;
  readonly message: string;
}

/** What recorded deliveries came to. */
export interface Summary extends Sums {
  readonly deliveries: number;
  readonly deadLetters: Some<Letter>;
  readonly from: string | null;
  readonly to: string | null;
  readonly endedAt: string | null;
  /** False when something still waited at the end of the time that a replay is given. */
  readonly settled: boolean;
  readonly policy: string;
}

/** An alert that was decided otherwise. */
export interface Difference {
  /** `partition:offset` of the input. */
  readonly input: string;
  readonly at: string;
  readonly alert: string;
  readonly summary: string;
  readonly was: { readonly decision: string; readonly reason: string };
  readonly now: { readonly decision: string; readonly reason: string };
}

/** How many there are, and the first of them. */
export interface Some<T> {
  readonly count: number;
  readonly first: readonly T[];
}

export interface Paged {
  readonly alert: string;
  readonly title: string;
}

/** A range of the log by today's rules, beside what was decided then. */
export interface Comparison {
  readonly from: string | null;
  readonly to: string | null;
  readonly policy: string;
  readonly inputs: { readonly fed: Counts; readonly leftOut: Counts };
  readonly now: Sums;
  /** Null when the recording holds no facts. */
  readonly was: Sums | null;
  readonly different: Some<Difference> & { readonly kinds: Counts };
  readonly paged: { readonly onlyThen: Some<Paged>; readonly onlyNow: Some<Paged> };
  /** What goes back to before the range and is not compared. */
  readonly fromBefore: { readonly alerts: number; readonly pages: number; readonly runs: number };
  /** Alerts whose decision the recording does not hold. */
  readonly unanswered: number;
}

export interface MovedPartition {
  readonly partition: number;
  readonly scopes: number;
  readonly rows: number;
  readonly facts: number;
  /** Whether what the target gives back is what the source held; null after a dry run. */
  readonly equal: boolean | null;
}

/** The data of a lone gateway, put on a shared log. */
export interface Moved {
  readonly dryRun: boolean;
  readonly ok: boolean;
  readonly partitions: readonly MovedPartition[];
  readonly deadLetters: number;
  /** Scopes whose desk or facts differ on the target. */
  readonly different: readonly string[];
  /** Facts that retention had forgotten before: what they told is on the desks, not in the new read model. */
  readonly forgotten: number;
}

/** The embedded store as one file, or back in a directory. */
export interface BackedUp {
  readonly from: string;
  readonly file: string;
  readonly bytes: number;
  /** Version of the file's tables. */
  readonly schema: number;
}

/** A directory to serve from. */
export interface Inited {
  readonly dir: string;
  /** Paths relative to the directory, or absolute where they are elsewhere. */
  readonly made: readonly string[];
  /** What was there already and was left as it is. */
  readonly kept: readonly string[];
  readonly tokens: { readonly admin: string; readonly ingest: string };
  /** More playbooks to copy from, and what to paste into senders. */
  readonly playbooks: string;
  readonly adapters: string;
}
