// Words about time that the loops share: a wait on the injected clock, and an instant as people read it.
import type { Instant, Millis } from '../../core/time.ts';
import type { Clock } from '../../ports/clock.ts';

export function pause(clock: Pick<Clock, 'after'>, span: Millis): Promise<void> {
  return new Promise((resolve) => void clock.after(span, resolve));
}

/** ISO 8601 in UTC. */
export function iso(at: Instant): string {
  return new Date(at).toISOString();
}
