// What the door does about credentials that are wrong: counts them, says so in the log, answers slowly, and closes the connection.
//   N4  After a refusal the connection is closed: nobody without credentials holds one by sending a body slowly.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createFailedLogins } from '../../access/failures.ts';
import type { Millis } from '../../core/time.ts';
import type { HttpDeps } from '../deps.ts';
import type { LoginDoor } from '../metrics.ts';
import { isSenderWaiting } from './continue.ts';
import { addressOf, type Connections } from './connections.ts';

/** A body that is still arriving is read for so long: a connection closed over unread bytes takes the answer with it. */
const readOnMs: Millis = 500;

export interface Logins {
  /** The request brought valid credentials. */
  succeeded(req: IncomingMessage): void;
  /** It did not; resolves when the refusal may be sent. A link's form brings its token in the body, so a failure there is always a guess. */
  failed(door: LoginDoor, req: IncomingMessage, res: ServerResponse): Promise<void>;
}

export function createLogins(
  deps: Pick<HttpDeps, 'clock' | 'logger' | 'metrics'>,
  connections: Pick<Connections, 'proven'>,
  delayMsMax: Millis,
): Logins {
  const { clock, logger, metrics } = deps;
  const book = createFailedLogins(() => clock.steady(), delayMsMax);
  const span = (ms: Millis): Promise<void> => (ms === 0 ? Promise.resolve() : new Promise((resolve) => void clock.after(ms, resolve)));
  return {
    succeeded: (req) => connections.proven(req.socket),
    async failed(door, req, res) {
      const address = addressOf(req.socket);
      // Who brings nothing guesses nothing: a browser, a probe, a sender that is not set up yet.
      const { delayMs, tell } = door !== 'links' && req.headers.authorization === undefined ? { delayMs: 0, tell: null } : book(address);
      metrics.failedLogin(door);
      if (tell !== null) logger.warn({ door, address, failures: tell }, 'failed logins within the last minute');
      res.setHeader('connection', 'close'); // N4
      req.resume();
      await Promise.all([span(delayMs), Promise.race([ended(req), span(readOnMs)])]);
    },
  };
}

function ended(req: IncomingMessage): Promise<void> {
  if (req.complete || req.destroyed || isSenderWaiting(req)) return Promise.resolve();
  return new Promise((resolve) => req.once('end', resolve).once('close', resolve));
}
