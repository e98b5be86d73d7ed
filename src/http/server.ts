// The HTTP server: deliveries go straight to webhooks.ts, everything else through the table of routes in express.
// Starts, stops, and bounds connections, headers and times. Terminating TLS is the business of what stands in front.
import express from 'express';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { second, type Millis } from '../core/time.ts';
import { apiRoutes } from './api/routes.ts';
import { broughtRoutes } from './api/source-routes.ts';
import { defaultLimits, type HttpDeps } from './deps.ts';
import { bodyReader } from './door/body.ts';
import { createWebhooks } from './door/webhooks.ts';
import { createEvents } from './events.ts';
import { problem, problemOf, sendProblem } from './problem.ts';
import { register, type Route } from './route.ts';

const sweepMs: Millis = 100;

export type { HttpDeps } from './deps.ts';

export interface HttpServer {
  /** Not listening before `start`; tests may use it as it is. */
  readonly server: Server;
  readonly routes: readonly Route[];
  /** Resolves to the port; 0 asks for a free one. Rejects when the address is taken. */
  start(port: number, host: string): Promise<number>;
  /** Takes no new connections, ends event streams, waits up to `drainMs` for requests under way. */
  stop(): Promise<void>;
}

export function createHttp(deps: HttpDeps): HttpServer {
  const limits = { ...defaultLimits, ...deps.limits };
  const readBody = bodyReader(limits);
  let draining = false;
  const events = createEvents(deps, limits.streamsMax);
  const brought = broughtRoutes(deps);
  const routes = apiRoutes(deps, brought, [events.route], () => draining);
  const webhooks = createWebhooks(deps, brought.deliveries, readBody);

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  register(app, routes, deps, readBody);
  app.use((req, res) => {
    req.resume();
    sendProblem(res, problem('not_found', 'no such path'));
  });
  // Four parameters are what makes it an error handler for express; what arrives is a path that cannot be decoded, or a bug.
  app.use((error: unknown, req: IncomingMessage, res: ServerResponse, _next: unknown) => {
    if (error instanceof URIError || (error instanceof Error && 'status' in error && error.status === 400)) {
      return sendProblem(res, problem('invalid_request', 'the path is not valid'));
    }
    deps.logger.error({ url: req.url?.replace(/^\/ack\/.*/, '/ack/…').slice(0, 200), error }, 'request failed');
    sendProblem(res, problemOf(error));
  });

  const server = createServer(
    { maxHeaderSize: 16_384, headersTimeout: 10 * second, requestTimeout: 30 * second, keepAliveTimeout: 75 * second, noDelay: true },
    (req, res) => {
      if (draining) res.setHeader('connection', 'close');
      if (webhooks(req, res)) return;
      for (const [name, value] of securityHeaders) res.setHeader(name, value);
      app(req, res);
    },
  );
  server.maxHeadersCount = 100;
  server.maxConnections = limits.connectionsMax;
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });

  return {
    server,
    routes,
    start: (port, host) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, () => {
          server.off('error', reject);
          resolve((server.address() as AddressInfo).port); // A TCP server that listens has an AddressInfo.
        });
      }),
    stop: () =>
      new Promise((resolve) => {
        draining = true;
        events.stop();
        const cancel = deps.clock.after(limits.drainMs, () => server.closeAllConnections());
        let cancelSweep = sweepSoon();
        server.close(() => {
          cancel();
          cancelSweep();
          resolve();
        });
        // A connection whose answer was under way becomes idle only later, and would stay open for more.
        // One that was opened and never used is not idle to Node; what it sends just now has until the first sweep to arrive.
        function sweepSoon(): () => void {
          return deps.clock.after(sweepMs, () => {
            server.closeIdleConnections();
            for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
            cancelSweep = sweepSoon();
          });
        }
      }),
  };
}

const securityHeaders = [
  ['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
  ['x-content-type-options', 'nosniff'],
  ['referrer-policy', 'no-referrer'],
  ['cache-control', 'no-store'],
] as const;
