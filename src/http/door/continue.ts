// `Expect: 100-continue`: a sender that asks before it sends a body is told to go on when somebody begins to read it, and not before:
// who is refused for credentials or size has sent nothing for it.
import type { IncomingMessage, ServerResponse } from 'node:http';

const waiting = new WeakMap<IncomingMessage, () => void>();

/** Notes that the sender of the request waits; until it is told to go on, the answer closes the connection, on which no body comes. */
export function senderWaits(req: IncomingMessage, res: ServerResponse): void {
  res.shouldKeepAlive = false;
  waiting.set(req, () => {
    res.shouldKeepAlive = true;
    if (!res.headersSent) res.writeContinue();
  });
}

/** Whether it waits still: then nothing of its body is on the way. */
export function isSenderWaiting(req: IncomingMessage): boolean {
  return waiting.has(req);
}

/** Tells it to send the body, once; nothing for a request that did not ask. */
export function goOn(req: IncomingMessage): void {
  const tell = waiting.get(req);
  waiting.delete(req);
  tell?.();
}
