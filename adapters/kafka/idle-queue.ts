// Mends one fault of kafkajs 2.2.4 where it stands: a connection that has had an answer looks each millisecond, for as long as it is open,
// whether a request waits for it (its issues 1556, 1704, 1751). It asks again by a timer of 0 ms less the time of day, whatever waits.
//   Q1  A connection on which no request waits sets no timer; one on which a request waits looks as before.
import { createRequire } from 'node:module';

/** What of the class in kafkajs/src/network/requestQueue we know. */
interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

/** Mends it for all clients of this process; at most once, and not at all in a version that is built otherwise. */
export function mendIdleQueue(): void {
  const { prototype }: { readonly prototype: RequestQueue } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue');
  // oxlint-disable-next-line typescript/unbound-method -- called below with its own `this`
  const look = prototype.scheduleCheckPendingRequests;
  if (typeof look !== 'function' || look.name === lookWhereOneWaits.name) return;
  prototype.scheduleCheckPendingRequests = lookWhereOneWaits;

  function lookWhereOneWaits(this: RequestQueue): void {
    if (this.pending.length > 0) look.call(this); // Q1
  }
}
