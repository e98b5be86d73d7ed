// Recorded deliveries through intake and core in virtual time: `quench replay`. Actions are simulated, nobody is paged.
// An action of a playbook always answers `ok` with no output, and cures nothing: an alert clears when the recording clears it.
//   Y1  The time of a delivery is the `at` of its line; a line earlier than the one before it comes at that one's time.
//   Y2  A line that is not a delivery, or that its source does not understand, is counted and told, never fatal.
import type { Letter, Summary } from '../../cli/results.ts';
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory } from '../../../adapters/kit/directory.ts';
import type { AlertSeen } from '../../core/alert/facts.ts';
import { fail, ok, type Result } from '../../core/errors.ts';
import type { Expressions } from '../../core/playbook/expressions.ts';
import type { Policy } from '../../core/playbook/policy.ts';
import type { Input } from '../../core/records.ts';
import { day, second, type Instant, type Millis } from '../../core/time.ts';
import { iso } from '../../engine/instant.ts';
import type { IntakeEndpoint } from '../../engine/intake/endpoint.ts';
import { createIntake, type Intake } from '../../engine/intake/intake.ts';
import type { DeadLetter, DeadLetters } from '../../ports/dead-letters.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { Delivery } from '../../ports/source.ts';
import { createLedger, type Ledger } from './ledger.ts';
import { linesOf } from './lines.ts';
import { createWorld, type Script, type World } from './world.ts';

const actionTakesMs: Millis = second;
const lettersTold = 100;
const chunkChars = 262_144;
/** After the last delivery: until stale alerts have ended, and a little for what follows from it. */
const settleBeyondStaleMs: Millis = 2 * day;

export interface Rules {
  readonly policy: Policy;
  /** The endpoint that takes the deliveries of a source, or null. */
  endpoint(source: string): IntakeEndpoint | null;
  readonly endpoints: readonly IntakeEndpoint[];
  readonly expressions: Expressions;
}

export interface Ask {
  readonly file: string;
  readonly out: string;
  readonly signal: AbortSignal;
  /** Called after each delivery. */
  readonly progress: (deliveries: number, at: Instant) => void;
}

/** Replays a file and writes `alerts.jsonl`, `incidents.jsonl` and `summary.json` into `out`. Rejects with the signal's reason when told to stop. */
export async function replay(ask: Ask, rules: Rules): Promise<Summary> {
  makeDirectory(ask.out);
  const alerts = sheet(join(ask.out, 'alerts.jsonl'));
  const incidents = sheet(join(ask.out, 'incidents.jsonl'));
  try {
    const summary = await play(ask, rules, alerts, incidents);
    writeFileSync(join(ask.out, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`);
    return summary;
  } finally {
    alerts.close();
    incidents.close();
  }
}

async function play(ask: Ask, rules: Rules, alerts: Sheet, incidents: Sheet): Promise<Summary> {
  const ledger = createLedger();
  const letters: Letter[] = [];
  const door = await openDoor(rules);
  let world: World | null = null;
  let deliveries = 0;
  let dead = 0;
  let first: Instant | null = null;
  let last: Instant = 0;

  for await (const text of linesOf(ask.file)) {
    ask.signal.throwIfAborted();
    deliveries += 1;
    const taken = await door.take(text, last);
    if (!taken.ok) {
      dead += 1;
      if (letters.length < lettersTold) letters.push({ line: deliveries, ...taken.error });
      continue;
    }
    last = taken.value.at;
    first ??= last;
    world ??= openWorld(rules, ledger, first);
    tell(world, ledger, taken.value.inputs, deliveries, alerts);
    ask.progress(deliveries, last);
  }
  const settled = world?.settle(last + rules.policy.staleMs + settleBeyondStaleMs) ?? true;
  for (const incident of ledger.incidents()) incidents.write(incident);
  return {
    deliveries,
    deadLetters: { count: dead, first: letters },
    ...ledger.sums(),
    from: first === null ? null : iso(first),
    to: first === null ? null : iso(last),
    endedAt: world === null ? null : iso(world.now()),
    settled,
    policy: rules.policy.digest,
  };
}

function openWorld(rules: Rules, ledger: Ledger, start: Instant): World {
  const script: Script = {
    answer: () => ({ outcome: { outcome: 'ok', output: {} }, takesMs: actionTakesMs }),
    onFact: ledger.add,
  };
  return createWorld({ policy: rules.policy, frozen: null, installation: null, expressions: rules.expressions }, script, start);
}

/** Turns the inputs of one delivery and writes its lines in the order of the body (scopes may have parted them). */
function tell(world: World, ledger: Ledger, inputs: readonly Input[], number: number, alerts: Sheet): void {
  const lines: { readonly index: number; readonly line: object }[] = [];
  for (const input of inputs) {
    const facts = world.say(input);
    if (input.type === 'AlertSeen') lines.push({ index: input.index, line: ledger.line(number, input satisfies AlertSeen, facts) });
  }
  lines.sort((a, b) => a.index - b.index);
  for (const { line } of lines) alerts.write(line);
}

// ---------------------------------------------------------------- deliveries

type Why = Omit<Letter, 'line'>;

interface Recorded {
  readonly at: Instant;
  readonly source: string;
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
}

/** One line: `{"at", "source", "headers", "body"}`; a body that is JSON stands there as such, any other as text. */
function deliveryIn(text: string): Result<Recorded, Why> {
  const not = (message: string): Result<Recorded, Why> => fail({ reason: 'wrong_shape', message });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return fail({ reason: 'not_json', message: 'expected a delivery as JSON, seen something else' });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return not('expected {"at", "source", "headers", "body"}');
  const { at, source, headers, body } = value as { readonly [name: string]: unknown };
  const instant = typeof at === 'string' ? Date.parse(at) : typeof at === 'number' ? at : Number.NaN;
  if (!Number.isSafeInteger(instant) || Math.abs(instant) > 8_640_000_000_000_000) return not('expected "at" to be an instant');
  if (typeof source !== 'string') return not('expected "source" to name a source');
  if (body === undefined) return not('expected "body", the delivery as received');
  return ok({ at: instant, source, headers: headersIn(headers), body: typeof body === 'string' ? body : JSON.stringify(body) });
}

function headersIn(headers: unknown): Recorded['headers'] {
  if (typeof headers !== 'object' || headers === null) return {};
  const entries = Object.entries(headers).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), value]));
}

interface Door {
  /** The inputs that a line becomes, by the gateway's own intake, not before the instant (Y1). */
  take(line: string, notBefore: Instant): Promise<Result<{ readonly at: Instant; readonly inputs: readonly Input[] }, Why>>;
}

async function openDoor(rules: Rules): Promise<Door> {
  let now: Instant = 0;
  let inputs: Input[] = [];
  const intake: Intake = await createIntake({
    log: passingLog((values) => inputs.push(...values)),
    deadLetters: noLetters,
    endpoints: rules.endpoints,
    clock: { now: () => now, steady: () => 0, after: () => () => {} },
    lagOf: () => 0,
    lagMax: 0,
    onAccepted: () => {},
  });
  return {
    async take(line, notBefore) {
      const read = deliveryIn(line);
      if (!read.ok) return read;
      const { source, headers, body } = read.value;
      const endpoint = rules.endpoint(source);
      if (endpoint === null) return fail({ reason: 'unsupported', message: `no source is named "${source.slice(0, 80)}"` });
      now = Math.max(read.value.at, notBefore);
      inputs = [];
      const delivery: Delivery = { headers, body, path: '', receivedAt: now };
      const acceptance = await intake.accept(endpoint.name, delivery, headers['webhook-id'] ?? headers['idempotency-key'] ?? '');
      if (acceptance.status === 'refused') return fail(acceptance.failure);
      return ok({ at: now, inputs });
    },
  };
}

/** A log that only passes on what is appended. */
function passingLog(onAppend: (values: readonly Input[]) => void): EventLog {
  return {
    partitions: 1,
    async append(_topic, batch) {
      onAppend(batch.values as readonly Input[]); // written by intake only
      return 0;
    },
    read: async () => [],
    end: async () => 0,
    watch: () => () => {},
    raw: async () => null,
    trim: async () => {},
    close: async () => {},
  };
}

const noLetters: DeadLetters = {
  add: async (_letter: DeadLetter) => {},
  list: async () => ({ letters: [], next: null }),
  get: async () => null,
  mark: async () => {},
  count: async () => 0,
};

// ---------------------------------------------------------------- output

interface Sheet {
  write(line: object): void;
  close(): void;
}

/** A file of JSON lines, written in large pieces. */
function sheet(path: string): Sheet {
  const file = openSync(path, 'w');
  let text = '';
  function flush(): void {
    writeSync(file, text);
    text = '';
  }
  return {
    write(line) {
      text += `${JSON.stringify(line)}\n`;
      if (text.length > chunkChars) flush();
    },
    close() {
      flush();
      closeSync(file);
    },
  };
}
