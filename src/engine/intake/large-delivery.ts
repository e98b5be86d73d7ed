// A large delivery: parsed on a thread of its own, and taken in part by part, so that neither holds up what else comes in meanwhile.
// How the thread is kept is the gateway's matter; a delivery that is not large does not come by here.
//   L1  The parts go to the log in their order, each known by the delivery's id and its number: the same body again has the same parts.
//   L2  Few parts are on their way at once, and none any more when it ends, either way. When one is not taken, no later one is sent.
//   L3  The body as received is kept once, beside the first part, which goes alone; on a log that takes no record of that size it is not kept.
import type { AlertEvent } from '../../core/alert/event.ts';
import { GatewayError, type Result } from '../../core/errors.ts';
import type { Delivery, Parsed, ParseFailure } from '../../ports/source.ts';
import { giveWay } from '../async/turns.ts';
import { writeDelivery, type DeliveryWriterDeps, type WantedDelivery } from './delivery-writer.ts';
import type { IntakeEndpoint } from './endpoint.ts';

const underWayMax = 8;

/** What a large delivery says; its events come in parts. */
export interface PartedDelivery extends Omit<Parsed, 'events'> {
  readonly alerts: number;
  /** The next few events, in order; null when there are no more. Rejects with `overloaded` when the thread is gone. */
  next(): Promise<readonly AlertEvent[] | null>;
}

export interface LargeParser {
  /** Whether this delivery is large, and its endpoint's source known to the thread. */
  takes(endpoint: string, delivery: Delivery): boolean;
  /**
   * Parses it and lets it be taken, one delivery at a time. Rejects with `overloaded` when the thread ended or did not answer in time: then
   * nothing is known of the delivery but what was taken. Rejects with what `take` rejects with.
   */
  parse<Taken>(
    endpoint: string,
    delivery: Delivery,
    take: (parted: PartedDelivery) => Promise<Taken>,
  ): Promise<Result<Taken, ParseFailure>>;
}

/** Resolves when every input of the delivery is durable; rejects when one is not. */
export async function writeLargeDelivery(
  deps: DeliveryWriterDeps,
  endpoint: IntakeEndpoint,
  { parted, body, id }: { readonly parted: PartedDelivery; readonly body: string; readonly id: WantedDelivery['id'] },
): Promise<void> {
  const underWay = new Set<Promise<void>>();
  const failures: unknown[] = [];
  const { hidden } = parted;
  const first = await parted.next();
  if (first === null) return;
  await writeFirst(deps, endpoint, {
    parsed: { events: first, ...(hidden === undefined ? {} : { hidden }) },
    raw: body,
    id: partId(id, 0),
  });
  try {
    for (let number = 1; failures.length === 0; number += 1) {
      const events = await parted.next();
      if (events === null) break;
      const writing = writeDelivery(deps, endpoint, { parsed: { events }, raw: null, id: partId(id, number) })
        .catch((error: unknown) => void failures.push(error))
        .finally(() => underWay.delete(writing));
      underWay.add(writing);
      if (underWay.size >= underWayMax) await Promise.race(underWay); // L2
      await giveWay();
    }
  } finally {
    await Promise.all(underWay);
  }
  if (failures.length > 0) throw failures[0];
}

/** L3 */
async function writeFirst(deps: DeliveryWriterDeps, endpoint: IntakeEndpoint, part: WantedDelivery): Promise<void> {
  try {
    await writeDelivery(deps, endpoint, part);
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== 'payload_too_large') throw error;
    await writeDelivery(deps, endpoint, { ...part, raw: null });
  }
}

/** L1 */
function partId(id: WantedDelivery['id'], number: number): WantedDelivery['id'] {
  return { ...id, text: id.text === '' ? '' : `${id.text}/${number}` };
}
