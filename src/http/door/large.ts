// Large deliveries are read one after another: reading one takes the event loop for as long as it is long, and ten that arrive together would
// take it ten times as long at a stretch. Small ones, which is nearly all, do not come by here; very large ones are read like these, and parsed
// on a thread (engine/intake/large-delivery.ts).
//   G1  Between two large bodies the event loop is given back. How soon one is durable is not waited for.
//   G2  Endpoints take turns; what waits is bounded by its bytes, beyond which the sender is told to come again.
import type { ServerResponse } from 'node:http';
import { GatewayError } from '../../core/errors.ts';
import { createLane } from '../lane.ts';

const largeFromBytes = 65_536;
const waitingMax = 1_024;

export interface LargeBodies {
  /** Calls `read` when the turn of a body of this size has come, and resolves as what it began does. Rejects with `overloaded` (G2). */
  inTurn<Done>(body: { readonly endpoint: string; readonly bytes: number }, res: ServerResponse, read: () => Promise<Done>): Promise<Done>;
}

export function createLargeBodies(waitingBytesMax: number): LargeBodies {
  const lane = createLane({ atOnceMax: 1, waitingMax, unreadBytesMax: 0 });
  let waitingBytes = 0;
  return {
    async inTurn({ endpoint, bytes }, res, read) {
      if (bytes < largeFromBytes) return read();
      if (waitingBytes > 0 && waitingBytes + bytes > waitingBytesMax)
        throw new GatewayError('overloaded', 'too many large bodies wait to be read');
      waitingBytes += bytes;
      try {
        const { begun } = await lane.run(endpoint, res, () => Promise.resolve({ begun: read() }));
        return await begun;
      } finally {
        waitingBytes -= bytes;
      }
    },
  };
}
