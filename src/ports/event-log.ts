// The durable order of everything.

export const topics = ['inputs', 'facts'] as const;

export type Topic = (typeof topics)[number];

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
  /**
   * It follows from what was accepted before, or is the word of a person: while room runs short it is still taken when deliveries are refused, down to
   * a bound of its own, so that people are called for what was accepted. Changes nothing of what is stored. A log without such bounds ignores it.
   */
  readonly mayUseReserve?: true;
}

/**
 * Inputs that others may pass: kept at once, and placed on the log as soon as there is room. Of a log of one process; a log that several share
 * gives every record its place when it takes it.
 */
export interface BulkLane {
  /** Whether something of the partition waits, or its inputs have come to the limit. If not, whatever may wait is appended to the log like all else. */
  mustWait(partition: number): boolean;
  /** Durable when it resolves; rejects as `EventLog.append` does. Batches get their places in the order of calls; appends to the log may be placed before them. */
  append(batch: LogBatch): Promise<void>;
  /** From now on batches get places only while the partition's inputs end below. Until it is said nothing must wait, and at every opening all that waits is placed. */
  limit(partition: number, below: number): void;
  /** Records that were taken into the lane so far, and how many of them left it: what was taken as the n-th waits while fewer than n have left. */
  counts(partition: number): { readonly taken: number; readonly placed: number };
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
  readonly bulk?: BulkLane;
  close(): Promise<void>;
}
