// Reading deliveries takes the event loop for as long as they are long, and ten that arrive together would take it ten times as long at a
// stretch. So large ones are read one after another, and of small ones, which is nearly all, only so many bytes in one turn of the event loop.
// Very large ones are read like these, and parsed on a thread (engine/intake/large-delivery.ts).
//   G1  Between two large bodies the event loop is given back, and between small ones that are `turnBytesMax` together. How soon one is
//       durable is not waited for.
//   G2  Endpoints take turns with what is large; what waits is bounded by its bytes, beyond which the sender is told to come again.
//   G3  A small one waits for small ones only, in the order in which they came.
import type { ServerResponse } from 'node:http';
import { GatewayError } from '../../core/errors.ts';
import { createLane } from '../lane.ts';

const largeFromBytes = 65_536;
const turnBytesMax = 262_144;
/** What a delivery costs beside its length, as bytes: a thousand of one alert each are a tenth of a second. */
const deliveryBytes = 4_096;
const waitingMax = 1_024;

export interface LargeBodies {
  /** Calls `read` when the turn of a body of this size has come, and resolves as what it began does. Rejects with `overloaded` (G2). */
  inTurn<Done>(body: { readonly endpoint: string; readonly bytes: number }, res: ServerResponse, read: () => Promise<Done>): Promise<Done>;
}

export function createLargeBodies(waitingBytesMax: number): LargeBodies {
  const lane = createLane({ atOnceMax: 1, waitingMax, unreadBytesMax: 0 });
  const smallTurn = createSmallTurns();
  let waitingBytes = 0;
  return {
    async inTurn({ endpoint, bytes }, res, read) {
      const turn = bytes < largeFromBytes ? smallTurn(Math.max(bytes, deliveryBytes)) : null;
      if (turn === 'now') return read();
      if (waitingBytes > 0 && waitingBytes + bytes > waitingBytesMax)
        throw new GatewayError('overloaded', 'too many large bodies wait to be read');
      waitingBytes += bytes;
      try {
        if (turn !== null) await turn.come();
        const { begun } = turn !== null ? { begun: read() } : await lane.run(endpoint, res, () => Promise.resolve({ begun: read() }));
        return await begun;
      } finally {
        waitingBytes -= bytes;
      }
    },
  };
}

/** Whose turn it is, of small bodies: at once, or when `come` resolves; one that is not waited for costs no turn. */
type SmallTurns = (bytes: number) => 'now' | { come(): Promise<void> };

function createSmallTurns(): SmallTurns {
  const waiting: { readonly bytes: number; begin(): void }[] = [];
  let readBytes = 0;
  let isScheduled = false;

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(nextTurn);
  }

  function nextTurn(): void {
    isScheduled = false;
    readBytes = 0;
    let count = 0;
    for (; count < waiting.length && readBytes < turnBytesMax; count += 1) {
      const { bytes = 0, begin } = waiting[count] ?? {};
      readBytes += bytes;
      begin?.();
    }
    waiting.splice(0, count);
    if (readBytes > 0) schedule();
  }

  return (bytes) => {
    if (waiting.length > 0 || readBytes >= turnBytesMax) return { come: () => new Promise((begin) => void waiting.push({ bytes, begin })) };
    readBytes += bytes;
    schedule();
    return 'now';
  };
}
