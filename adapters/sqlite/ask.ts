// Requests to a writer as promises, and refusals as the errors of the ports.
import { GatewayError, type ErrorCode } from '../../src/core/errors.ts';
import type { Job } from './waiting-jobs.ts';
import type { PriorityQueues } from './priority-queues.ts';
import type { Refusal } from './requests.ts';

/** Resolves when the request is durable. Rejects with `unavailable` as code when the medium fails. */
export function ask<Lane extends string, Asked>(
  queues: PriorityQueues<Lane, Asked>,
  job: Omit<Job<Lane, Asked>, 'settle'>,
  unavailable: ErrorCode = 'store_unavailable',
): Promise<number> {
  return new Promise((resolve, reject) => {
    queues.send({ ...job, settle: (answer) => (typeof answer === 'number' ? resolve(answer) : reject(errorOf(answer, unavailable))) });
  });
}

export function errorOf(refusal: Refusal, unavailable: ErrorCode): GatewayError {
  const codes = { overloaded: 'overloaded', unavailable, bug: 'internal' } as const;
  return new GatewayError(codes[refusal.why], `store: ${refusal.message}`);
}
