// What crosses between the main thread and the writer threads: plain data, copied by structured clone, all text already stowed. A store has two
// files with a writer each: the log (what must be durable before anybody is answered), and the state (what is saved of it behind that).
// Also the one place that knows how a record's place in the file follows from topic, partition and offset.
import type { DeadLetter } from '../../src/ports/dead-letters.ts';
import type { Topic } from '../../src/ports/event-log.ts';

/** Offsets of one topic and partition live in `[slot * slotSpan, (slot + 1) * slotSpan)`; 512 slots stay below 2^53. */
export const slotSpan = 2 ** 44;

export const partitionsMax = 256;

export function slotOf(topic: Topic, partition: number): number {
  return partition * 2 + (topic === 'inputs' ? 0 : 1);
}

export interface AppendRequest extends BatchRequest {
  readonly type: 'append';
}

/** It gets its place later, by `place`. */
export interface KeepRequest extends BatchRequest {
  readonly type: 'keep';
}

interface BatchRequest {
  readonly slot: number;
  readonly scope: string;
  readonly count: number;
  /** JSON array of the records. */
  readonly body: string;
  readonly raw: string | null;
  /** It may use the reserve. */
  readonly reserve?: true;
}

export interface CheckpointRequest {
  readonly type: 'checkpoint';
  readonly partition: number;
  readonly inputs: number;
  readonly facts: number;
  readonly rows: readonly { readonly scope: string; readonly table: string; readonly key: string; readonly doc: string | null }[];
}

export interface ViewsRequest {
  readonly type: 'views';
  readonly cursor: string;
  readonly partition: number;
  readonly offset: number;
  readonly now: number;
  /** JSON text of each `DocumentPatch`. */
  readonly patches: readonly string[];
  readonly entries: readonly { readonly incident: string; readonly seq: number; readonly scope: string; readonly line: string }[];
}

/** Of the log's file. */
export type LogRequest =
  | AppendRequest
  | KeepRequest
  | { readonly type: 'letter'; readonly id: string; readonly letter: DeadLetter }
  | { readonly type: 'mark'; readonly id: string; readonly state: string }
  /** Places the oldest batches that were kept; answers 0. */
  | { readonly type: 'place'; readonly slot: number; readonly batches: number }
  /** Forgets a chunk of batches below the offset and gives a chunk of free pages back; answers 1 while there is more to do. */
  | { readonly type: 'trim'; readonly slot: number; readonly below: number; readonly batchesMax: number }
  | ProbeRequest;

/** Of the state's file. */
export type StateRequest =
  | CheckpointRequest
  | ViewsRequest
  | { readonly type: 'cursor'; readonly name: string; readonly partition: number; readonly offset: number }
  /** Forgets a chunk of final documents; answers how many. */
  | { readonly type: 'prune'; readonly before: number; readonly docsMax: number }
  | ProbeRequest;

/** Writes something, durably, in the file whose writer is asked. */
interface ProbeRequest {
  readonly type: 'probe';
}

export type Request = LogRequest | StateRequest;

/** Why a request was not done: the queue is full, the medium failed, or a bug. */
export interface Refusal {
  readonly why: 'overloaded' | 'unavailable' | 'bug';
  readonly message: string;
}

/** An append answers its base offset, trim and prune as said there, the others 0. */
export type Answer = number | Refusal;

export interface LogOptions {
  readonly holds: 'log';
  readonly path: string;
  readonly partitions: number;
  readonly lettersMax: number;
  readonly letterBytesMax: number;
  readonly fileBytesMax: number | null;
  readonly freeBytesMin: number;
  readonly reserveBytesMin: number;
}

export interface StateOptions extends Positions {
  readonly holds: 'state';
  readonly path: string;
  readonly partitions: number;
  /** Of the log that it is to belong to (schema.ts). */
  readonly identity: number;
  readonly fileBytesMax: number | null;
}

export type WriterOptions = LogOptions | StateOptions;

/** Of a log; both arrays are indexed by slot. */
export interface Positions {
  readonly ends: readonly number[];
  readonly lows: readonly number[];
}

/** First message of a writer. `isDamaged`: the file cannot be used, and nothing but another file helps. */
export type Opening =
  | ({ readonly ok: true; readonly identity: number } & Positions)
  | { readonly ok: false; readonly code: 'invalid_config' | 'store_unavailable'; readonly message: string; readonly isDamaged: boolean };
