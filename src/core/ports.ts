// The few openings between the gateway and the world. The prose here is the manual of each port;
// test/contracts runs one suite over every implementation.
import type { AlertEvent } from './alert.ts';
import type { Result } from './errors.ts';
import type { Json } from './playbook.ts';
import type { Instant, Millis } from './time.ts';

// ---------------------------------------------------------------- clock

/** Time for the shell. Core never sees it. */
export interface Clock {
  /** Wall clock; may jump. */
  now(): Instant;
  /** Milliseconds that only grow, from an arbitrary start; for spans. */
  steady(): Millis;
  /** Calls back once after the span; the returned function cancels. Bounded by 2^31-1 ms per call. */
  after(span: Millis, call: () => void): () => void;
}

// ---------------------------------------------------------------- sources

/** What an HTTP delivery looks like to a source. Header names are lower case. */
export interface Delivery {
  readonly headers: { readonly [name: string]: string | undefined };
  /** The body as received, decoded as UTF-8 with replacement of invalid bytes. */
  readonly body: string;
  /** The path below the endpoint, for vendors that use more than one (`/api/v2/alerts`). */
  readonly path: string;
  /** Receipt time; stands in wherever the sender gives no time. */
  readonly receivedAt: Instant;
}

/** Why a body was not understood, for the sender, the dead letters and the metric label. */
export interface ParseFailure {
  /** What is wrong, as a fixed word; becomes a metric label. `too_large`: it was understood, and the log does not take it. */
  readonly reason: 'not_json' | 'wrong_shape' | 'empty' | 'unsupported' | 'too_large';
  /** What, where, expected, seen; no secrets: `zabbix: event_nseverity must be 0–5, got "7"`. */
  readonly message: string;
}

/** What a delivery says. No events is a fine answer (a test button, a keep-alive). */
export interface Parsed {
  readonly events: readonly AlertEvent[];
  /** Things left out or doubtful, one line each, for the log and the source page. */
  readonly warnings: readonly string[];
  /** Alerts of this delivery that the sender says it left out, and of which group. */
  readonly hidden?: { readonly count: number; readonly group: string };
}

/** A monitoring system's webhook: pure, total, never throws, whatever the bytes. */
export interface Source {
  readonly name: string;
  parse(delivery: Delivery): Result<Parsed, ParseFailure>;
  /** Body and status of the acceptance when the vendor is particular about it; default 202 and our JSON. */
  readonly answer?: { readonly status: number; readonly body?: string };
}

// ---------------------------------------------------------------- notifiers

export type NotifyKind = 'page' | 'repeat' | 'resolve' | 'approval';

/** A message to people, free of vendor words; sizes bounded by core. */
export interface Notification {
  /** Same over all attempts; the vendor's dedup or idempotency key is derived from `dedupKey`. */
  readonly id: string;
  readonly kind: NotifyKind;
  /** `quench:<incident>`; stable over the incident's life. */
  readonly dedupKey: string;
  readonly incident: string;
  readonly page: string;
  readonly title: string;
  readonly severity: 'info' | 'warning' | 'error' | 'critical';
  /** Plain text, several lines: why a person is needed, what was tried, what it saw. */
  readonly text: string;
  readonly source: string;
  readonly at: Instant;
  readonly facts: readonly { readonly name: string; readonly value: string }[];
  readonly links: readonly { readonly text: string; readonly href: string }[];
}

export type NotifyOutcome =
  /** The vendor took it. Says nothing about a person having seen it. */
  | { readonly outcome: 'accepted'; readonly detail: string }
  /** Try again, not before `retryAfterMs`. */
  | { readonly outcome: 'deferred'; readonly retryAfterMs: Millis; readonly detail: string }
  /** It will not get better by waiting: use another way now. */
  | { readonly outcome: 'refused'; readonly detail: string }
  /** Written, no answer: it may have arrived. */
  | { readonly outcome: 'unknown'; readonly detail: string };

/** One configured way to reach people. Delivers at least once; never rejects for a vendor's answer; ends by `signal`. */
export interface Notifier {
  deliver(notification: Notification, signal: AbortSignal): Promise<NotifyOutcome>;
}

// ---------------------------------------------------------------- actions

/** What happens when the same call is made twice; decides what a crash means (PLAYBOOKS 2.2). */
export type Effect = 'read' | 'idempotent' | 'once';

export interface ActionRequest {
  /** Rendered input; checked against the action's schema before anything happens. */
  readonly input: { readonly [name: string]: Json };
  /** Derived from run, step and attempt; same for nothing else. */
  readonly key: string;
  readonly timeoutMs: Millis;
}

export type ActionOutcome =
  | { readonly outcome: 'ok'; readonly output: { readonly [name: string]: Json } }
  /** It did not do it, and we know it. `error` is a fixed word, `detail` a sentence. */
  | { readonly outcome: 'failed'; readonly error: string; readonly detail: string; readonly output: { readonly [name: string]: Json } }
  /** It may have done it. */
  | { readonly outcome: 'unknown'; readonly detail: string };

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

// ---------------------------------------------------------------- event log

export type Topic = 'inputs' | 'facts';

/** A record as stored: JSON text of one Input or Fact. */
export interface LogRecord {
  readonly partition: number;
  readonly offset: number;
  readonly scope: string;
  /** The parsed record. Deeply read-only by convention: a tail cache may hand the same object to several readers. */
  readonly value: unknown;
}

/** Several records of one scope, appended whole or not at all. */
export interface LogBatch {
  readonly partition: number;
  readonly scope: string;
  /** Plain JSON-ready objects; the implementation serialises. At least one. */
  readonly values: readonly object[];
  /** The delivery these came from, as received; kept beside the first record, for people. */
  readonly raw?: string;
}

/**
 * The durable order of everything. Offsets of a partition start at 0, grow by 1, and never have a gap.
 * Several processes may append at once; each one's batches keep their order.
 * Rejects with GatewayError `log_unavailable` when the medium fails (disk full, broker away): that batch is then not durable, or, where an answer
 * was lost on its way, unknown to be; whoever appends again must be recognisable (delivery id, `seq`, call). `payload_too_large`: it never will be.
 */
export interface EventLog {
  readonly partitions: number;
  /** Resolves when the batch is durable (survives power loss), with the offset of its first record. Concurrent calls share one sync. Batches keep the order of calls. Rejects with `overloaded` when the queue bound is reached. */
  append(topic: Topic, batch: LogBatch): Promise<number>;
  /** Up to `max` records from `offset` on, oldest first; only durable ones. Empty when there is none. An offset below the retained range reads from the first retained record. */
  read(topic: Topic, partition: number, offset: number, max: number): Promise<readonly LogRecord[]>;
  /**
   * Offset that the next record will get, as far as this process has heard: at least behind its own appends; everything below is durable. A process
   * that has not heard of `atLeast` asks: an end below it says that the log was cut back. With Infinity it always asks.
   */
  end(topic: Topic, partition: number, atLeast?: number): Promise<number>;
  /** Calls back after each durable append to the topic's partition, now and then more than once; returns how to stop. */
  watch(topic: Topic, partition: number, call: () => void): () => void;
  /** The stored delivery of the batch that holds the offset, or null. */
  raw(topic: Topic, partition: number, offset: number): Promise<string | null>;
  /** Forgets records below the offset; used by retention only. */
  trim(topic: Topic, partition: number, below: number): Promise<void>;
  close(): Promise<void>;
}

// ---------------------------------------------------------------- checkpoints

/** One row of desk state: `doc` null deletes it. */
export interface DeskRow {
  readonly scope: string;
  readonly table: string;
  readonly key: string;
  readonly doc: object | null;
}

/** Where a partition's desks stand: state after the input at `inputs - 1`, whose facts end below `facts`. */
export interface CheckpointMark {
  readonly inputs: number;
  readonly facts: number;
}

/** Desk state between turns, saved incrementally. */
export interface Checkpoints {
  /**
   * Saves mark and changed rows in one atomic step. Ordered after every append that was called before it.
   * Rejects with `store_unavailable`, also when another process has loaded the partition since: what it saves counts, ours no more.
   */
  save(partition: number, mark: CheckpointMark, rows: readonly DeskRow[]): Promise<void>;
  /** The mark, or null for a partition never saved; rows arrive in chunks through `take`. From here on nobody else's save counts. */
  load(partition: number, take: (rows: readonly DeskRow[]) => void): Promise<CheckpointMark | null>;
}

// ---------------------------------------------------------------- views, cursors, dead letters

/** What people list and count. */
export const viewKinds = ['alert', 'incident', 'run', 'page', 'silence', 'approval'] as const;
/** A `partition` is `frozen` or `open`: a process that decides none knows of an emergency stop by it. */
export type ViewKind = (typeof viewKinds)[number] | 'partition';

/** A change to one document of the read model: RFC 7396 merge patch onto what is there. */
export interface ViewPatch {
  readonly kind: ViewKind;
  readonly id: string;
  readonly scope: string;
  /** Sort key of lists, newest first; kept from the first patch that gives it. */
  readonly at?: Instant;
  /** Filterable state word of the kind (`firing`, `open`, `ringing` …), when it changes. */
  readonly state?: string;
  /** Parent for `list({ of })`: an alert's or run's or page's incident. */
  readonly of?: string | null;
  readonly patch: { readonly [key: string]: Json };
}

/** One line of an incident's story. */
export interface TimelineEntry {
  readonly incident: string;
  readonly scope: string;
  readonly seq: number;
  readonly at: Instant;
  readonly type: string;
  readonly text: string;
  readonly detail: { readonly [key: string]: Json };
}

export interface ViewDoc {
  readonly kind: ViewKind;
  readonly id: string;
  readonly scope: string;
  readonly at: Instant;
  readonly state: string;
  readonly of: string | null;
  readonly doc: { readonly [key: string]: Json };
}

export interface ViewQuery {
  readonly kind: ViewKind;
  readonly states?: readonly string[];
  readonly of?: string;
  /** Case-insensitive text anywhere in the document. */
  readonly text?: string;
  readonly limit: number;
  /** Opaque place to go on from, as returned in `next`. */
  readonly after?: string;
}

/** The read model behind the API: rebuildable from facts, eventually consistent with them. */
export interface Views {
  /** Applies patches and entries and moves the named cursor, in one atomic step; a repeat of the same facts changes nothing. */
  apply(batch: {
    readonly cursor: string;
    readonly partition: number;
    readonly offset: number;
    readonly patches: readonly ViewPatch[];
    readonly entries: readonly TimelineEntry[];
  }): Promise<void>;
  get(kind: ViewKind, id: string): Promise<ViewDoc | null>;
  list(query: ViewQuery): Promise<{ readonly docs: readonly ViewDoc[]; readonly next: string | null }>;
  count(kind: ViewKind): Promise<{ readonly [state: string]: number }>;
  timeline(incident: string, after: number, limit: number): Promise<readonly TimelineEntry[]>;
  /** Forgets documents in a final state (`cleared`, `resolved`, `ended`, `closed`, `expired`) last changed before the instant, at most `limit`; returns how many. */
  prune(before: Instant, limit: number): Promise<number>;
}

/** Where a consumer stands; what is below is done with. */
export interface Cursors {
  load(name: string, partition: number): Promise<number>;
  save(name: string, partition: number, offset: number): Promise<void>;
}

export interface DeadLetter {
  readonly id: string;
  readonly at: Instant;
  readonly endpoint: string;
  readonly source: string;
  readonly reason: string;
  readonly message: string;
  /** Allow-listed headers only. */
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
  readonly path: string;
  readonly state: 'waiting' | 'replayed' | 'discarded';
}

/** Deliveries that were not understood: kept whole, findable, replayable; bounded in count and bytes, oldest first out. */
export interface DeadLetters {
  /** Durable when resolved. */
  add(letter: DeadLetter): Promise<void>;
  list(query: {
    readonly limit: number;
    readonly after?: string;
  }): Promise<{ readonly letters: readonly DeadLetter[]; readonly next: string | null }>;
  get(id: string): Promise<DeadLetter | null>;
  mark(id: string, state: 'replayed' | 'discarded'): Promise<void>;
  count(): Promise<number>;
}

/** Everything the gateway keeps, from one opened store. */
export interface Store {
  readonly log: EventLog;
  readonly checkpoints: Checkpoints;
  readonly views: Views;
  readonly cursors: Cursors;
  readonly deadLetters: DeadLetters;
  close(): Promise<void>;
}

// ---------------------------------------------------------------- shares

/** `intake` is the door, `host` decides, `effects` acts and notifies, `project` keeps the read model behind the API. */
export const roles = ['intake', 'host', 'effects', 'project'] as const;
export type Role = (typeof roles)[number];

/** Work that is shared out by partition; what a process does besides it does for all partitions. */
export type SharedRole = Extract<Role, 'host' | 'effects'>;

/**
 * Which partitions of a role are this process's to work on. Two processes may believe it of one partition for a while, as when one of them was
 * frozen: hosts need no more than the log's order then, whoever acts on the world asks `holds` first.
 */
export interface Shares {
  /**
   * Begins to take part. `gained` and `lost` of one partition never overlap; neither may reject but for a bug. Whoever tries again and again in
   * `gained` asks `wanted` in between: a `lost` may be waiting.
   */
  start(told: { gained(partition: number, wanted?: () => boolean): Promise<void>; lost(partition: number): Promise<void> }): Promise<void>;
  /** Whether, by this process's own clock, nobody else can have been given the partition yet. */
  holds(partition: number): boolean;
  /** Tells others how far the role has come, for their figures of lag; best effort, nothing rests on it. */
  done(partition: number, offset: number): void;
  /** What was last told so, by whoever held the partition; a partition of which nothing was told is missing. */
  progress(): Promise<ReadonlyMap<number, number>>;
  /** Gives everything back; `lost` is not called any more. */
  stop(): Promise<void>;
}

/** What all processes of one gateway have in common. A process that is alone keeps it in its own store. */
export interface Backbone extends Pick<Store, 'log' | 'checkpoints' | 'cursors' | 'deadLetters'> {
  /** The same object for the same role. */
  shares(role: SharedRole): Shares;
  /** Whether the log forgets what is old by itself; if not, retention trims it. */
  readonly forgets: boolean;
  /** Null, or what is wrong with it, in one sentence. */
  problem(): string | null;
  close(): Promise<void>;
}

/** What a backbone tells about itself, for metrics. */
export interface BackboneWatch {
  /** One append of a batch ended: after so long, durable or not. */
  appended(topic: Topic, tookMs: Millis, durable: boolean): void;
  /** The partitions of a role were shared out anew. */
  rebalanced(role: SharedRole): void;
}

// ---------------------------------------------------------------- expressions

/** Pure evaluation of CEL text that came from a policy. Same text and environment, same answer. */
export interface Expressions {
  /** The value, or why not, in one sentence. A missing key is a failure, never a guess. */
  evaluate(text: string, environment: { readonly [name: string]: unknown }): Result<unknown, string>;
  /** Whole-value match in linear time. */
  pattern(pattern: string, value: string): boolean;
}
