// An instant as people read it. Core writes none: it holds instants as numbers.
import type { Instant } from '../core/time.ts';

/** ISO 8601 in UTC. */
export function iso(at: Instant): string {
  return new Date(at).toISOString();
}
