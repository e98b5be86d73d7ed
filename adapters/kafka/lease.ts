// How long the group's coordinator cannot have taken our member for dead, by this process's own steady clock.
//   H1  The lease counts from the last heartbeat that was surely sent after the one before was answered, for less than the session. A process that
//       slept finds its lease over before it does anything else.
import type { Millis } from '../../src/core/time.ts';
import type { Clock } from '../../src/ports/clock.ts';

/** Part of the session that we rely on, no more: clocks drift, and an action takes a moment to begin. */
const leaseShare = 0.8;

export interface Lease {
  /** The coordinator may have heard of us just now, or a member begins to try: silence counts from here. The lease is not longer for that. */
  touch(): void;
  /** A heartbeat was answered. When it was sent nobody tells us, but it was after the last answer: the lease counts from that one. */
  renew(): void;
  /** False once the lease may have run out. */
  isValid(): boolean;
  /** Since the last answer, or since the last `touch`. */
  silentMs(): Millis;
}

export function createLease(clock: Clock, sessionMs: Millis): Lease {
  let heardAt: Millis = 0;
  let validUntil: Millis = 0;
  return {
    touch: () => void (heardAt = clock.steady()),
    renew() {
      validUntil = heardAt + sessionMs * leaseShare;
      heardAt = clock.steady();
    },
    isValid: () => clock.steady() < validUntil,
    silentMs: () => clock.steady() - heardAt,
  };
}
