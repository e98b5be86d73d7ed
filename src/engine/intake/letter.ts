// The dead letter of a delivery that was not understood: the body whole, and of the headers those that are no credential.
import { hash } from 'node:crypto';
import { day } from '../../core/time.ts';
import type { DeadLetter } from '../../ports/dead-letters.ts';
import type { Delivery, ParseFailure } from '../../ports/source.ts';
import type { IntakeEndpoint } from './endpoint.ts';

/** Kept with a dead letter; everything else may be a credential. */
const headersKept = ['content-type', 'user-agent', 'webhook-id', 'webhook-timestamp', 'idempotency-key', 'x-request-id'] as const;

/** The same bytes again on the same day, from a sender that repeats without end, are the same letter. */
export function letterOf(endpoint: IntakeEndpoint, delivery: Delivery, failure: ParseFailure): DeadLetter {
  const today = Math.floor(delivery.receivedAt / day);
  const identity = JSON.stringify([endpoint.name, delivery.path, today, delivery.body]);
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
