// What waits to become durable. Everything that queued while one sync ran goes into the next, in the order of the calls.
//   Q1  A request changes the disk only when its sync is over: all of the group, or nothing when the sync fails.
//   Q2  A request that throws changes nothing and fails alone.
import { GatewayError, type ErrorCode } from '../../src/core/errors.ts';

interface Waiting {
  readonly records: number;
  readonly bytes: number;
  readonly unavailable: ErrorCode;
  /** Changes the disk; the result goes to the caller. */
  readonly write: () => unknown;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface WriteQueue {
  /** Rejects with `unavailable` when the sync fails, with `overloaded` when too much waits. */
  submit<T>(size: { readonly records: number; readonly bytes: number; readonly unavailable: ErrorCode }, write: () => T): Promise<T>;
  /** Runs the read now; after a crash the promise never settles. */
  read<T>(read: () => T): Promise<T>;
  /** Refuses new requests, resolves when those that wait are settled. */
  drain(): Promise<void>;
  crash(kept: number): void;
  alive(): boolean;
}

export function writeQueue(
  sync: () => Promise<void>,
  limits: { readonly queueRecordsMax: number; readonly queueBytesMax: number },
): WriteQueue {
  let flying: readonly Waiting[] = [];
  let waiting: Waiting[] = [];
  let state: 'open' | 'closed' | 'crashed' = 'open';
  let pumping: Promise<void> | null = null;
  let records = 0;
  let bytes = 0;

  async function pump(): Promise<void> {
    while (waiting.length > 0) {
      flying = waiting;
      waiting = [];
      const failure = await sync().then(
        () => null,
        (cause: unknown) => ({ cause }),
      );
      for (const job of flying) {
        records -= job.records;
        bytes -= job.bytes;
        if (failure) job.reject(new GatewayError(job.unavailable, 'memory disk: the sync failed', failure.cause));
        else settle(job);
      }
      flying = [];
    }
    pumping = null;
  }

  return {
    submit({ records: more, bytes: moreBytes, unavailable }, write) {
      if (state === 'crashed') return never();
      if (state === 'closed') return Promise.reject(new GatewayError(unavailable, 'memory store: closed'));
      const full = records + more > limits.queueRecordsMax || bytes + moreBytes > limits.queueBytesMax;
      if (full && records > 0) return Promise.reject(new GatewayError('overloaded', `memory store: ${records} records wait already`));
      records += more;
      bytes += moreBytes;
      return new Promise((resolve, reject) => {
        // `resolve` gets what this very `write` returned.
        waiting.push({ records: more, bytes: moreBytes, unavailable, write, resolve: resolve as (result: unknown) => void, reject });
        pumping ??= pump();
      });
    },
    read: (read) => (state === 'crashed' ? never() : new Promise((resolve) => resolve(read()))),
    async drain() {
      if (state === 'open') state = 'closed';
      await pumping;
    },
    crash(kept) {
      state = 'crashed';
      for (const job of [...flying, ...waiting].slice(0, kept)) attempt(job);
      flying = [];
      waiting = [];
    },
    alive: () => state !== 'crashed',
  };
}

function settle(job: Waiting): void {
  const done = attempt(job);
  if (done.ok) job.resolve(done.result);
  else job.reject(done.error);
}

function attempt(job: Waiting): { readonly ok: true; readonly result: unknown } | { readonly ok: false; readonly error: unknown } {
  try {
    return { ok: true, result: job.write() };
  } catch (error) {
    return { ok: false, error };
  }
}

/** A dead process's promise. */
function never<T>(): Promise<T> {
  return new Promise<T>(() => {});
}
