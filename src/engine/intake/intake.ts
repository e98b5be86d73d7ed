// The door to the inputs log: deliveries of senders and commands of people become inputs, and nothing is said to be
// accepted before it is durable. Parsing is the source's; deciding is the desk's; HTTP is http/door/webhooks.ts.
//   I1  `accepted` means: every input of the delivery is durable. `refused` means: the body is durable as a dead letter.
//   I2  The `at` of what comes in here is stamped once, in the order of appending; it does not go back within a partition (stamped-log.ts).
//   I3  A delivery or letter that comes again carries the same delivery id, by which the desk drops it.
//   I4  What people say, and what is in force, may use the reserve of a log whose room runs short; alerts may not: their senders have them still.
//   I5  Answers to much come later while much waits to be decided (slowing.ts); what is answered late was durable all the time.
// A log that may hold a batch whose answer was lost (a shared one) gets it again from us, so there every delivery must have an id: `newId`.
// It costs a row of a desk per delivery (at most 20,000, 3 MB a scope; about 2 µs and 160 bytes of checkpoint per input), so a log of our
// own, which never leaves that in doubt, does without. What is stamped while the log is away may reach it behind later stamps (core T2).
import { hash } from 'node:crypto';
import { GatewayError, invariant, ok, type Result } from '../../core/errors.ts';
import { everyScope } from '../../core/stamp.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DeadLetters } from '../../ports/dead-letters.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { Delivery, ParseFailure } from '../../ports/source.ts';
import { pause } from '../async/pause.ts';
import { writeDelivery, type DeliveryId, type DeliveryWriterDeps } from './delivery-writer.ts';
import type { IntakeEndpoint } from './endpoint.ts';
import { writeLargeDelivery, type LargeParser } from './large-delivery.ts';
import { letterOf } from './letter.ts';
import { parseWith } from './parse.ts';
import { partitionOf } from './scope.ts';
import { createSlowing } from './slowing.ts';
import { isUrgent } from '../failopen/urgent.ts';
import { allOf, openStampedLog, type NewInput } from './stamped-log.ts';

const deliveryCharsMax = 128;
const retryAfterSeconds = 2;

export interface IntakeParts extends Omit<DeliveryWriterDeps, 'log'> {
  readonly log: EventLog;
  readonly deadLetters: DeadLetters;
  readonly endpoints: readonly IntakeEndpoint[];
  readonly clock: Clock;
  /** Inputs that are durable and not yet turned, over all partitions. */
  readonly lagOf: () => number;
  /** Deliveries are put off while the lag is above this; commands of people are not. */
  readonly lagMax: number;
  /** A name for a delivery to which its sender gives none, unlike any other of any process. */
  readonly newId?: () => string;
  /** What parses large deliveries elsewhere; not given: they are parsed here, at one go. */
  readonly large?: LargeParser;
}

export type Acceptance =
  | { readonly status: 'accepted'; readonly alerts: number; readonly warnings: readonly string[] }
  | { readonly status: 'refused'; readonly letter: string; readonly failure: ParseFailure }
  /** Nothing is promised; the sender shall come again. Part of it may be durable, and is dropped by its delivery id then. */
  | { readonly status: 'busy'; readonly retryAfterSeconds: number; readonly why: string };

export interface Intake {
  /** Deliveries being taken at this moment. */
  readonly underWay: number;
  /** Before a stop: no answer is kept back any more. */
  hurry(): void;
  /** `deliveryId`: what the sender calls this delivery, same over its retries; '' when it has none. Throws `not_found` for an unknown endpoint. */
  accept(endpointName: string, delivery: Delivery, deliveryId: string): Promise<Acceptance>;
  /** Resolves when durable; scope `*` goes to every partition. Rejects with `overloaded` or `log_unavailable`. */
  submit(input: NewInput): Promise<void>;
  /** Parses a dead letter with today's source. Throws `not_found`, or `state_conflict` for a discarded one. Twice has the effect of once. */
  replay(letterId: string): Promise<Acceptance>;
}

/** `isUrgent`: it brought a few alerts that are all urgent, and nothing else. */
type Outcome = Acceptance & { readonly isUrgent?: true };
type Taken = Omit<Extract<Outcome, { status: 'accepted' }>, 'status'>;

/** So few that are all urgent are no flood (slowing.ts B3). */
const urgentMax = 8;

/** What the inputs of a delivery are known by. */
interface TakenId extends DeliveryId {
  /** The dead letter that is replayed. */
  readonly letter?: string;
}

/** Reads the last stamp of each partition, so that I2 holds over a restart on a clock that was set back; of a log that is away, none. */
export async function createIntake(parts: IntakeParts): Promise<Intake> {
  const { deadLetters } = parts;
  const endpoints = new Map(parts.endpoints.map((endpoint) => [endpoint.name, endpoint]));
  for (const endpoint of parts.endpoints) invariant(endpoint.tenant !== '', `endpoint ${endpoint.name} has a tenant`);
  let underWay = 0;
  const log = await openStampedLog(parts.log, parts.clock);
  const stopping = new AbortController();
  const slowly = answeringSlowly(parts, stopping.signal);

  /** What it says is taken in; what cannot be understood, or the log will never take, becomes a letter, unless it is one. */
  async function take(endpoint: IntakeEndpoint, delivery: Delivery, id: TakenId): Promise<Outcome> {
    try {
      const taken = await written({ ...parts, log }, endpoint, delivery, id);
      return taken.ok ? { status: 'accepted', ...taken.value } : await refuse(endpoint, delivery, taken.error, id);
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code !== 'payload_too_large') return busyOf(error);
      return refuse(endpoint, delivery, { reason: 'too_large', message: error.message }, id);
    }
  }

  function idOf(endpoint: string, sent: string): TakenId {
    if (sent !== '') return { text: deliveryOf(endpoint, sent), mayRepeat: true };
    return { text: parts.newId === undefined ? '' : `${endpoint}:~${parts.newId()}`, mayRepeat: false };
  }

  function lagging(): Acceptance | null {
    const lag = parts.lagOf();
    return lag > parts.lagMax ? busy(`${lag} inputs wait to be decided, at most ${parts.lagMax} may`) : null;
  }

  async function refuse(endpoint: IntakeEndpoint, delivery: Delivery, failure: ParseFailure, id: TakenId): Promise<Acceptance> {
    if (id.letter !== undefined) return { status: 'refused', letter: id.letter, failure };
    const letter = await letterOf(endpoint, delivery, failure);
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

    hurry: () => stopping.abort(),

    async accept(endpointName, delivery, deliveryId) {
      const endpoint = known(endpointName);
      const late = lagging();
      if (late !== null) return late;
      underWay += 1;
      // Decisions make way for what is under way, and not for an answer that is kept back.
      const taken = await take(endpoint, delivery, idOf(endpointName, deliveryId)).finally(() => (underWay -= 1));
      return slowly(endpointName, taken);
    },

    async submit(input) {
      const scope = input.scope;
      const to = { scope, waits: false, ...(input.type === 'AlertSeen' ? {} : ({ mayUseReserve: true } as const)) }; // I4
      if (scope !== everyScope) {
        await log.append({ ...to, partition: partitionOf(scope, log.partitions) }, [input], null);
        return;
      }
      await allOf(Array.from({ length: log.partitions }, (_, partition) => log.append({ ...to, partition }, [input], null)));
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
      const { isUrgent: _, ...result } = await take(endpoint, delivery, { text: `replay:${letterId}`, mayRepeat: true, letter: letterId });
      if (result.status === 'accepted') await deadLetters.mark(letterId, 'replayed');
      return result;
    },
  };
}

/** Parsed and durable: a large delivery by way of its thread, part by part, all others here and at once. */
async function written(
  deps: DeliveryWriterDeps & Pick<IntakeParts, 'large'>,
  endpoint: IntakeEndpoint,
  delivery: Delivery,
  id: DeliveryId,
): Promise<Result<Taken, ParseFailure>> {
  const { large } = deps;
  if (large?.takes(endpoint.name, delivery) === true) {
    return large.parse(endpoint.name, delivery, async (parted) => {
      await writeLargeDelivery(deps, endpoint, { parted, body: delivery.body, id });
      return { alerts: parted.alerts, warnings: parted.warnings };
    });
  }
  const parsed = parseWith(endpoint.source, delivery);
  if (!parsed.ok) return parsed;
  const { events, warnings } = parsed.value;
  await writeDelivery(deps, endpoint, { parsed: parsed.value, raw: delivery.body, id });
  const urgent = events.length > 0 && events.length <= urgentMax && events.every(isUrgent);
  return ok({ alerts: events.length, warnings, ...(urgent ? ({ isUrgent: true } as const) : {}) });
}

/** I5: what became of a delivery, a little later when it brought much and much waits. */
function answeringSlowly({ clock, lagOf, lagMax }: Pick<IntakeParts, 'clock' | 'lagOf' | 'lagMax'>, stopping: AbortSignal) {
  const slowing = createSlowing(clock, lagMax);
  return async (endpoint: string, { isUrgent: urgent, ...taken }: Outcome): Promise<Acceptance> => {
    const slowMs = taken.status === 'accepted' && urgent !== true ? slowing(endpoint, taken.alerts, lagOf()) : 0;
    if (slowMs > 0) await pause(clock, slowMs, stopping);
    return taken;
  };
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
