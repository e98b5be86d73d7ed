// What intake accepts while the shared log is away: kept in a store of this process, then sent on in order. It stands between intake and
// the log; nothing else appends through it, and intake does not use the offsets, which are 0 for what is spooled.
//   S1  An append resolves once its batch is durable, on the shared log or here; what is here is sent on, over any number of restarts.
//   S2  The shared log gets batches in the order of the calls: while anything is here, all that comes goes through here. Where the log
//       fails in the midst of a window, deliveries that tell of different alerts may change places; those of one alert never do.
//       Nothing goes directly before the place up to which all was sent is saved: the next life would send it behind what is newer.
//   S3  Bounded in bytes and in age; beyond: `overloaded`. What is here stays, however old.
// A batch whose answer was lost is sent again. Alerts are recognised then by their delivery id. Of what people ask (cf. core/turn.ts):
// a policy, a thaw, an approval, a cancelling or a resolving that is done is ignored; a freeze and a silence say again what holds; an ack
// changes nothing unless the page has rung anew since; a note and a remark on left-out alerts make a second line.
import { hash } from 'node:crypto';
import { GatewayError } from '../../core/errors.ts';
import type { Input } from '../../core/records.ts';
import { everyScope } from '../../core/stamp.ts';
import { second, spanOf, type Instant, type Millis } from '../../core/time.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DeadLetter, DeadLetters } from '../../ports/dead-letters.ts';
import type { EventLog, LogBatch, LogRecord } from '../../ports/event-log.ts';
import type { Store } from '../../ports/store.ts';
import { iso } from '../instant.ts';
import { partitionOf } from './scope.ts';

const windowMax = 64;
const probeFirstMs: Millis = 500;
const probeMaxMs: Millis = 5 * second;
/** Entries that were sent on and are not yet forgotten; forgetting one by one would cost a write each. */
const trimEvery = 512;
const cursorName = 'spool';

export interface SpoolDeps {
  readonly shared: EventLog;
  /** This process's own, of one partition, used for nothing else. */
  readonly store: Pick<Store, 'log' | 'cursors'>;
  readonly deadLetters: Pick<DeadLetters, 'add'>;
  readonly clock: Clock;
  readonly bytesMax: number;
  readonly ageMaxMs: Millis;
  readonly watch: SpoolWatch;
  readonly onTrouble: (error: unknown) => void;
}

/** Its place rises from batch to batch, over restarts too. */
export interface SpooledBatch extends LogBatch {
  readonly place: number;
}

/** Told of what comes and goes, for figures and for whoever waits for decisions. */
export interface SpoolWatch {
  /** Durable here; `recalled` when an earlier life of the process left it. */
  spooled(batch: SpooledBatch, recalled: boolean): void;
  /** On the shared log, or a dead letter. */
  sent(batch: SpooledBatch): void;
  /** It went to the dead letters: the log will never take it. */
  buried(letter: DeadLetter): void;
}

export interface SpoolStatus {
  /** When the shared log failed first, while it has not taken anything since. */
  readonly awaySince: Instant | null;
  /** Batches that wait to be sent on, and their size as JSON text. */
  readonly records: number;
  readonly bytes: number;
  readonly oldestMs: Millis;
  /** Why nothing more is taken, or null. */
  readonly full: string | null;
}

export interface Spool {
  /** The shared log as intake shall see it. */
  readonly log: EventLog;
  status(): SpoolStatus;
  /** Takes up nothing new; what is being sent at this moment is waited for. The rest is sent by the next life. */
  stop(): Promise<void>;
}

export const emptySpool: SpoolStatus = { awaySince: null, records: 0, bytes: 0, oldestMs: 0, full: null };

interface Entry extends LogBatch {
  readonly at: Instant;
  readonly bytes: number;
}

interface Call {
  readonly batch: LogBatch;
  /** With the shared log, not yet answered. */
  flying: boolean;
  readonly resolve: (offset: number) => void;
  readonly reject: (error: unknown) => void;
}

/** Counts what an earlier life left, tells it to `watch`, and begins to send it on. Rejects when the own store cannot be read. */
export async function openSpool(deps: SpoolDeps): Promise<Spool> {
  const { shared, store, clock } = deps;
  /** Calls without an answer, in their order. */
  const calls = new Set<Call>();
  let next = await store.cursors.load(cursorName, 0);
  let saved = next;
  let trimmed = next;
  let records = 0;
  let bytes = 0;
  let head = { offset: -1, since: clock.steady() };
  let awaySince: Instant | null = null;
  /** Attempts in a row that did not get through. */
  let failures = 0;
  let stopping = false;
  let ring: () => void = () => {};
  let cancelPause: () => void = () => {};
  await recall();
  let spooling = records > 0;
  const running = drain();

  async function recall(): Promise<void> {
    for (let at = next; ;) {
      const left = await store.log.read('inputs', 0, at, windowMax);
      const last = left.at(-1);
      if (last === undefined) return;
      for (const record of left) {
        const entry = entryOf(record);
        if (records === 0) lookAt(record.offset, entry);
        records += 1;
        bytes += entry.bytes;
        deps.watch.spooled({ ...entry, place: record.offset }, true);
      }
      at = last.offset + 1;
    }
  }

  /** Age counts on the steady clock from when the head was first looked at. */
  function lookAt(offset: number, { at }: { readonly at: Instant }): void {
    if (head.offset !== offset) head = { offset, since: clock.steady() - Math.max(0, clock.now() - at) };
  }

  function fullness(): string | null {
    const age = records === 0 ? 0 : clock.steady() - head.since;
    if (age > deps.ageMaxMs) return `the spool holds deliveries for ${spanOf(age)}, at most ${spanOf(deps.ageMaxMs)} are allowed`;
    return bytes >= deps.bytesMax ? `the spool holds ${bytes} bytes, at most ${deps.bytesMax} are allowed` : null;
  }

  function append(batch: LogBatch): Promise<number> {
    return new Promise((resolve, reject) => {
      const call: Call = { batch, flying: false, resolve, reject };
      calls.add(call);
      if (spooling) flush();
      else void fly(call);
    });
  }

  async function fly(call: Call): Promise<void> {
    call.flying = true;
    try {
      call.resolve(await shared.append('inputs', call.batch));
      calls.delete(call);
    } catch (error) {
      call.flying = false;
      if (codeOf(error) === 'log_unavailable') away(error);
      else {
        calls.delete(call);
        call.reject(error);
      }
    }
    flush();
  }

  function away(error: unknown): void {
    spooling = true;
    if (awaySince !== null) return;
    awaySince = clock.now();
    failures = Math.max(failures, 1);
    deps.onTrouble(error);
  }

  /** S2: a call waits here for those before it whose answer is still open. */
  function flush(): void {
    if (!spooling) return;
    for (const call of calls) {
      if (call.flying) return;
      calls.delete(call);
      void keep(call);
    }
    ring();
  }

  async function keep({ batch, resolve, reject }: Call): Promise<void> {
    const full = fullness();
    if (full !== null) return reject(new GatewayError('overloaded', `the shared log is away and ${full}`)); // S3
    const entry: Entry = { ...batch, at: clock.now(), bytes: sizeOf(batch) };
    if (records === 0) head = { offset: next, since: clock.steady() };
    records += 1;
    bytes += entry.bytes;
    try {
      const place = await store.log.append('inputs', { partition: 0, scope: batch.scope, values: [entry] });
      deps.watch.spooled({ ...batch, place }, false);
      resolve(0); // S1
    } catch (error) {
      records -= 1;
      bytes -= entry.bytes;
      reject(error);
    }
    ring();
  }

  async function drain(): Promise<void> {
    while (!stopping) {
      const rung = new Promise<void>((resolve) => (ring = resolve));
      if (failures > 0) await pause(Math.min(probeMaxMs, probeFirstMs * 2 ** (failures - 1)));
      try {
        const found = records === 0 ? [] : await store.log.read('inputs', 0, next, failures === 0 ? windowMax : 1);
        if (found.length > 0) {
          await send(windowOf(found));
          failures = 0;
        } else if (saved !== next) {
          await save(); // S2
          failures = 0;
        } else {
          if (records === 0 && calls.size === 0) backToDirect();
          await rung;
        }
      } catch (error) {
        if (failures === 0) deps.onTrouble(error);
        failures += 1;
      }
    }
  }

  function backToDirect(): void {
    spooling = false;
    awaySince = null;
    failures = 0;
  }

  /** Sends a window at once; from its first failure on everything is sent again. */
  async function send(window: readonly LogRecord[]): Promise<void> {
    const entries = window.map(entryOf);
    const [first] = window;
    if (first !== undefined) lookAt(first.offset, entryOf(first));
    const answers = await Promise.allSettled(entries.map((entry) => shared.append('inputs', placed(entry, shared.partitions))));
    let failure: { readonly error: unknown } | null = null;
    for (const [place, answer] of answers.entries()) {
      const [entry, record] = [entries[place], window[place]];
      if (entry === undefined || record === undefined) break;
      if (answer.status === 'rejected') {
        if (codeOf(answer.reason) !== 'payload_too_large') {
          failure = { error: answer.reason };
          break;
        }
        await bury(entry, answer.reason);
      }
      passed(entry, record.offset);
    }
    await save();
    if (failure === null) return;
    awaySince ??= clock.now();
    throw failure.error;
  }

  function passed(entry: Entry, place: number): void {
    next = place + 1;
    records -= 1;
    bytes -= entry.bytes;
    awaySince = null;
    deps.watch.sent({ ...entry, place });
  }

  async function save(): Promise<void> {
    await store.cursors.save(cursorName, 0, next);
    saved = next;
    if (next - trimmed < trimEvery && records > 0) return;
    await store.log.trim('inputs', 0, next);
    trimmed = next;
  }

  async function bury(entry: Entry, error: unknown): Promise<void> {
    const letter = letterOf(entry, error);
    await deps.deadLetters.add(letter);
    deps.watch.buried(letter);
  }

  async function pause(span: Millis): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = clock.after(span, resolve);
      cancelPause = () => {
        cancel();
        resolve();
      };
      if (stopping) cancelPause();
    });
  }

  return {
    log: { ...shared, append: (topic, batch) => (topic === 'inputs' ? append(batch) : shared.append(topic, batch)) },
    status: () => ({ awaySince, records, bytes, oldestMs: records === 0 ? 0 : clock.steady() - head.since, full: fullness() }),
    async stop() {
      stopping = true;
      ring();
      cancelPause();
      await running;
    },
  };
}

/** One line for people while anything is spooled or the log is away, else null. */
export function describeSpool({ awaySince, records, bytes, oldestMs }: SpoolStatus): string | null {
  if (records === 0 && awaySince === null) return null;
  const since = awaySince === null ? 'the shared log takes again what was spooled' : `the shared log is away since ${iso(awaySince)}`;
  return `${since}; batches spooled: ${records} (${(bytes / 1_048_576).toFixed(1)} MiB, oldest ${spanOf(oldestMs)})`;
}

/** S2: entries up to the first that tells of an alert which another of them tells of; what is not an alert goes alone. */
function windowOf(found: readonly LogRecord[]): readonly LogRecord[] {
  const told = new Set<string>();
  for (const [place, record] of found.entries()) {
    const { scope, values } = entryOf(record);
    const keys = (values as readonly Input[]).map((input) => (input.type === 'AlertSeen' ? `${scope}|${input.event.fingerprint}` : null));
    if (keys.includes(null)) return found.slice(0, Math.max(1, place));
    if (keys.some((key) => key !== null && told.has(key))) return found.slice(0, place);
    for (const key of keys) if (key !== null) told.add(key);
  }
  return found;
}

/** The spool's log is written here only. */
function entryOf(record: LogRecord): Entry {
  return record.value as Entry;
}

/** The number of partitions may have changed since. */
function placed({ partition, scope, values, raw }: Entry, partitions: number): LogBatch {
  const place = scope === everyScope ? partition : partitionOf(scope, partitions);
  return { partition: place, scope, values, ...(raw === undefined ? {} : { raw }) };
}

function sizeOf({ values, raw }: LogBatch): number {
  return Buffer.byteLength(JSON.stringify(values)) + Buffer.byteLength(raw ?? '');
}

function letterOf({ scope, values, raw, at }: Entry, error: unknown): DeadLetter {
  const [first] = values as readonly Input[];
  const body = raw ?? JSON.stringify(values);
  return {
    id: `d${hash('sha256', JSON.stringify([scope, values]), 'hex').slice(0, 20)}`,
    at,
    endpoint: first !== undefined && 'endpoint' in first ? first.endpoint : '-',
    source: first?.type === 'AlertSeen' ? first.event.source : 'quench',
    reason: 'too_large',
    message: `accepted while the shared log was away, which does not take it: ${error instanceof Error ? error.message : String(error)}`,
    headers: {},
    body,
    path: '',
    state: 'waiting',
  };
}

function codeOf(error: unknown): string | null {
  return error instanceof GatewayError ? error.code : null;
}
