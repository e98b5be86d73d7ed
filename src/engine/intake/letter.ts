// The dead letter of a delivery that was not understood: the body whole, and of the headers those that are no credential.
import { createHash } from 'node:crypto';
import { day } from '../../core/time.ts';
import type { DeadLetter } from '../../ports/dead-letters.ts';
import type { Delivery, ParseFailure } from '../../ports/source.ts';
import { giveWay } from '../async/turns.ts';
import type { IntakeEndpoint } from './endpoint.ts';

const sliceChars = 1_048_576;

/** Kept with a dead letter; everything else may be a credential. */
const headersKept = ['content-type', 'user-agent', 'webhook-id', 'webhook-timestamp', 'idempotency-key', 'x-request-id'] as const;

/** The same bytes again on the same day, from a sender that repeats without end, are the same letter. */
export async function letterOf(endpoint: IntakeEndpoint, delivery: Delivery, failure: ParseFailure): Promise<DeadLetter> {
  const today = Math.floor(delivery.receivedAt / day);
  const headers: Record<string, string> = {};
  for (const name of headersKept) {
    const value = delivery.headers[name];
    if (value !== undefined) headers[name] = value.slice(0, 256);
  }
  return {
    id: `d${(await hashOf(JSON.stringify([endpoint.name, delivery.path, today]), delivery.body)).slice(0, 20)}`,
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

/** A large body is hashed in slices, between which the event loop is given back. */
async function hashOf(head: string, body: string): Promise<string> {
  const hash = createHash('sha256').update(head);
  for (let from = 0; from < body.length; from += sliceChars) {
    if (from > 0) await giveWay();
    hash.update(JSON.stringify(body.slice(from, from + sliceChars)));
  }
  return hash.digest('hex');
}
