// The door to the inputs log: deliveries of senders and commands of people become inputs, and nothing is said to be
// accepted before it is durable. Parsing is the source's; deciding is the desk's; HTTP is http/webhooks.ts.
//   I1  `accepted` means: every input of the delivery is durable. `refused` means: the body is durable as a dead letter.
//   I2  The `at` of what comes in here is stamped once, in the order of appending; it never goes back within a partition.
//   I3  A delivery or letter that comes again carries the same delivery id, by which the desk drops it.
// A log that may hold a batch whose answer was lost (a shared one) gets it again from us, so there every delivery must have an id: `newId`.
// It costs a row of a desk per delivery (at most 20,000, 3 MB a scope; about 2 µs and 160 bytes of checkpoint per input), so a log of our
// own, which never leaves that in doubt, does without. What is stamped while the log is away may reach it behind later stamps (core T2).
import { hash } from 'node:crypto';
import type { Claim } from '../../core/alert/event.ts';
import type { AlertSeen, AlertsHidden } from '../../core/alert/facts.ts';
import { GatewayError, invariant } from '../../core/errors.ts';
import type { Input } from '../../core/records.ts';
import { everyScope } from '../../core/stamp.ts';
import type { Instant } from '../../core/time.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DeadLetter, DeadLetters } from '../../ports/dead-letters.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { Delivery, Parsed, ParseFailure, Source } from '../../ports/source.ts';
import { partitionOf, scopeOf } from './scope.ts';

/** Copies of one raw body over the scopes of its delivery stay below this; beyond, only the first scope keeps it. */
const rawCharsMax = 1_048_576;
const deliveryCharsMax = 128;
const retryAfterSeconds = 2;
/** Kept with a dead letter; everything else may be a credential. */
const headersKept = ['content-type', 'user-agent', 'webhook-id', 'webhook-timestamp', 'idempotency-key', 'x-request-id'] as const;

/** Where deliveries come in: a source with its configuration, and what makes the scope of its alerts. */
export interface IntakeEndpoint {
  readonly name: string;
  readonly source: Source;
  readonly tenant: string;
  /** Labels whose values part the tenant's alerts into scopes; empty = one scope per tenant. */
  readonly scopeLabels: readonly string[];
}

export interface IntakeParts {
  readonly log: EventLog;
  readonly deadLetters: DeadLetters;
  readonly endpoints: readonly IntakeEndpoint[];
  readonly clock: Clock;
  /** Inputs that are durable and not yet turned, over all partitions. */
  readonly lagOf: () => number;
  /** Deliveries are put off while the lag is above this; commands of people are not. */
  readonly lagMax: number;
  /** Called once for each alert that became durable. */
  readonly seen: (endpoint: string, claim: Claim) => void;
  /** A name for a delivery to which its sender gives none, unlike any other of any process. */
  readonly newId?: () => string;
  /** Told of the alerts of one scope before they go to the log, and whether the desk may know them already; what it returns is told whether they were accepted. */
  readonly offered?: (scope: string, seen: readonly NewAlert[], mayRepeat: boolean) => ((accepted: boolean) => void) | null;
}

export type Acceptance =
  | { readonly status: 'accepted'; readonly alerts: number; readonly warnings: readonly string[] }
  | { readonly status: 'refused'; readonly letter: string; readonly failure: ParseFailure }
  /** Nothing is promised; the sender shall come again. Part of it may be durable, and is dropped by its delivery id then. */
  | { readonly status: 'busy'; readonly retryAfterSeconds: number; readonly why: string };

type Unstamped<T> = T extends unknown ? Omit<T, 'at'> : never;
/** An input of which only the stamp is missing. */
export type NewInput = Unstamped<Input>;
export type NewAlert = Unstamped<AlertSeen>;

export interface Intake {
  /** Deliveries being taken at this moment. */
  readonly underWay: number;
  /** `deliveryId`: what the sender calls this delivery, same over its retries; '' when it has none. Throws `not_found` for an unknown endpoint. */
  accept(endpointName: string, delivery: Delivery, deliveryId: string): Promise<Acceptance>;
  /** Resolves when durable; scope `*` goes to every partition. Rejects with `overloaded` or `log_unavailable`. */
  submit(input: NewInput): Promise<void>;
  /** Parses a dead letter with today's source. Throws `not_found`, or `state_conflict` for a discarded one. Twice has the effect of once. */
  replay(letterId: string): Promise<Acceptance>;
}

interface DeliveryId {
  readonly text: string;
  /** The desk may have turned this delivery before. */
  readonly mayRepeat: boolean;
  /** The dead letter that is replayed. */
  readonly letter?: string;
}

interface Group {
  readonly scope: string;
  readonly seen: NewAlert[];
}

/** Reads the last stamp of each partition, so that I2 holds over a restart on a clock that was set back; of a log that is away, none. */
export async function createIntake(parts: IntakeParts): Promise<Intake> {
  const { log, deadLetters, clock } = parts;
  const endpoints = new Map(parts.endpoints.map((endpoint) => [endpoint.name, endpoint]));
  for (const endpoint of parts.endpoints) invariant(endpoint.tenant !== '', `endpoint ${endpoint.name} has a tenant`);
  let underWay = 0;
  const stamps = await Promise.all(Array.from({ length: log.partitions }, (_, partition) => lastStamp(log, partition)));

  // I2: no await between the stamp and the append.
  function append(scope: string, partition: number, inputs: readonly NewInput[], raw: string | null): Promise<number> {
    const at = Math.max(clock.now(), stamps[partition] ?? 0);
    stamps[partition] = at;
    const values = inputs.map((input) => ({ ...input, at }));
    return log.append('inputs', raw === null ? { partition, scope, values } : { partition, scope, values, raw });
  }

  async function appendAll(endpoint: IntakeEndpoint, parsed: Parsed, delivery: Delivery, id: DeliveryId): Promise<void> {
    const groups = groupsOf(endpoint, parsed, id.text);
    const offers = groups.map((group) => parts.offered?.(group.scope, group.seen, id.mayRepeat) ?? null);
    const everywhere = groups.length * delivery.body.length <= rawCharsMax;
    const appends = groups.map((group, place) =>
      append(group.scope, partitionOf(group.scope, log.partitions), group.seen, everywhere || place === 0 ? delivery.body : null),
    );
    const hidden = hiddenOf(endpoint, parsed, groups);
    if (hidden !== null) appends.push(append(hidden.scope, partitionOf(hidden.scope, log.partitions), [hidden], null));
    const accepted = await allOf(appends).then(
      () => null,
      (error: unknown) => ({ error }),
    );
    for (const tell of offers) tell?.(accepted === null);
    if (accepted !== null) throw accepted.error;
    for (const event of parsed.events) parts.seen(endpoint.name, event.claim);
  }

  /** A delivery that the log will never take becomes a letter, unless it is one. */
  async function take(endpoint: IntakeEndpoint, parsed: Parsed, delivery: Delivery, id: DeliveryId): Promise<Acceptance> {
    try {
      await appendAll(endpoint, parsed, delivery, id);
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code !== 'payload_too_large') return busyOf(error);
      const failure: ParseFailure = { reason: 'too_large', message: error.message };
      return id.letter === undefined ? refuse(endpoint, delivery, failure) : { status: 'refused', letter: id.letter, failure };
    }
    return { status: 'accepted', alerts: parsed.events.length, warnings: parsed.warnings };
  }

  function idOf(endpoint: string, sent: string): DeliveryId {
    if (sent !== '') return { text: deliveryOf(endpoint, sent), mayRepeat: true };
    return { text: parts.newId === undefined ? '' : `${endpoint}:~${parts.newId()}`, mayRepeat: false };
  }

  function lagging(): Acceptance | null {
    const lag = parts.lagOf();
    return lag > parts.lagMax ? busy(`${lag} inputs wait to be decided, at most ${parts.lagMax} may`) : null;
  }

  async function refuse(endpoint: IntakeEndpoint, delivery: Delivery, failure: ParseFailure): Promise<Acceptance> {
    const letter = letterOf(endpoint, delivery, failure);
    try {
      await deadLetters.add(letter);
    } catch (error) {
      return busyOf(error);
    }
    return { status: 'refused', letter: letter.id, failure };
  }

  function known(name: string): IntakeEndpoint {
    const endpoint = endpoints.get(name);
    if (endpoint === undefined) throw new GatewayError('not_found', 'no such endpoint');
    return endpoint;
  }

  return {
    get underWay() {
      return underWay;
    },

    async accept(endpointName, delivery, deliveryId) {
      const endpoint = known(endpointName);
      const late = lagging();
      if (late !== null) return late;
      underWay += 1;
      try {
        const parsed = parseWith(endpoint.source, delivery);
        if (!parsed.ok) return await refuse(endpoint, delivery, parsed.error);
        return await take(endpoint, parsed.value, delivery, idOf(endpointName, deliveryId));
      } finally {
        underWay -= 1;
      }
    },

    async submit(input) {
      const scope = input.scope;
      if (scope !== everyScope) {
        await append(scope, partitionOf(scope, log.partitions), [input], null);
        return;
      }
      await allOf(Array.from({ length: log.partitions }, (_, partition) => append(scope, partition, [input], null)));
    },

    async replay(letterId) {
      const letter = await deadLetters.get(letterId);
      if (letter === null) throw new GatewayError('not_found', `no dead letter ${letterId}`);
      if (letter.state === 'discarded') throw new GatewayError('state_conflict', `dead letter ${letterId} was discarded`);
      if (letter.state === 'replayed') return { status: 'accepted', alerts: 0, warnings: ['was replayed before'] };
      const endpoint = known(letter.endpoint);
      const late = lagging();
      if (late !== null) return late;
      const delivery: Delivery = { headers: letter.headers, body: letter.body, path: letter.path, receivedAt: letter.at };
      const parsed = parseWith(endpoint.source, delivery);
      if (!parsed.ok) return { status: 'refused', letter: letterId, failure: parsed.error };
      const result = await take(endpoint, parsed.value, delivery, { text: `replay:${letterId}`, mayRepeat: true, letter: letterId });
      if (result.status === 'accepted') await deadLetters.mark(letterId, 'replayed');
      return result;
    },
  };
}

/** Groups by scope in the order of first appearance; events keep their order within a scope. */
function groupsOf(endpoint: IntakeEndpoint, parsed: Parsed, delivery: string): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const [index, event] of parsed.events.entries()) {
    const scope = scopeOf(endpoint.tenant, endpoint.scopeLabels, event.labels);
    const group = groups.get(scope) ?? { scope, seen: [] };
    if (group.seen.length === 0) groups.set(scope, group);
    group.seen.push({ type: 'AlertSeen', scope, endpoint: endpoint.name, delivery, index, event });
  }
  return [...groups.values()];
}

/** Left-out alerts are told to the scope of the first that was not; without any, to the tenant's. */
function hiddenOf(endpoint: IntakeEndpoint, parsed: Parsed, groups: readonly Group[]): Omit<AlertsHidden, 'at'> | null {
  const { hidden } = parsed;
  if (hidden === undefined || hidden.count <= 0) return null;
  const scope = groups[0]?.scope ?? scopeOf(endpoint.tenant, endpoint.scopeLabels, {});
  return { type: 'AlertsHidden', scope, endpoint: endpoint.name, count: hidden.count, group: hidden.group };
}

/** A source never throws; if one does for these bytes, the bytes are worth keeping more than the stack. */
function parseWith(source: Source, delivery: Delivery): ReturnType<Source['parse']> {
  try {
    return source.parse(delivery);
  } catch (error) {
    const says = error instanceof Error ? error.message.slice(0, 200) : 'unknown';
    return { ok: false, error: { reason: 'wrong_shape', message: `${source.name}: the parser failed, please report this body: ${says}` } };
  }
}

/** The same bytes again on the same day, from a sender that repeats without end, are the same letter. */
function letterOf(endpoint: IntakeEndpoint, delivery: Delivery, failure: ParseFailure): DeadLetter {
  const day = Math.floor(delivery.receivedAt / 86_400_000);
  const identity = JSON.stringify([endpoint.name, delivery.path, day, delivery.body]);
  const headers: Record<string, string> = {};
  for (const name of headersKept) {
    const value = delivery.headers[name];
    if (value !== undefined) headers[name] = value.slice(0, 256);
  }
  return {
    id: `d${hash('sha256', identity, 'hex').slice(0, 20)}`,
    at: delivery.receivedAt,
    endpoint: endpoint.name,
    source: endpoint.source.name,
    reason: failure.reason,
    message: failure.message,
    headers,
    body: delivery.body,
    path: delivery.path,
    state: 'waiting',
  };
}

async function lastStamp(log: EventLog, partition: number): Promise<Instant> {
  try {
    const end = await log.end('inputs', partition);
    if (end === 0) return 0;
    const [record] = await log.read('inputs', partition, end - 1, 1);
    const at = (record?.value as { readonly at?: unknown } | undefined)?.at;
    return typeof at === 'number' ? at : 0;
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'log_unavailable') return 0;
    throw error;
  }
}

/** Waits for every one, so that none is still on its way when the first failure is told. */
async function allOf(promises: readonly Promise<unknown>[]): Promise<void> {
  const [only] = promises;
  if (promises.length === 1 && only !== undefined) {
    await only;
    return;
  }
  for (const settled of await Promise.allSettled(promises)) if (settled.status === 'rejected') throw settled.reason;
}

function busy(why: string): Acceptance {
  return { status: 'busy', retryAfterSeconds, why };
}

function busyOf(error: unknown): Acceptance {
  const passing = error instanceof GatewayError && ['overloaded', 'log_unavailable', 'store_unavailable'].includes(error.code);
  if (!passing) throw error;
  return busy(error.message);
}

/** Two senders may well use the same ids; one that is longer than 128 characters goes by its hash. */
function deliveryOf(endpoint: string, id: string): string {
  return `${endpoint}:${id.length <= deliveryCharsMax ? id : hash('sha256', id, 'hex')}`;
}
