// The HTTP server: deliveries go straight to webhooks.ts, everything else through the table of routes in express.
// Starts, stops, and bounds connections, headers and times. Terminating TLS is the business of what stands in front.
import express from 'express';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { second, type Millis } from '../core/time.ts';
import { giveWay } from '../engine/async/turns.ts';
import { apiRoutes } from './api/routes.ts';
import { broughtRoutes } from './api/source-routes.ts';
import { defaultLimits, type HttpDeps } from './deps.ts';
import { bodyReader } from './door/body.ts';
import { senderWaits } from './door/continue.ts';
import { createConnections } from './door/connections.ts';
import { createLogins } from './door/logins.ts';
import { createWebhooks } from './door/webhooks.ts';
import { createEvents } from './events.ts';
import { problem, problemOf, sendProblem } from './problem.ts';
import { createLanes } from './lane.ts';
import { methodsAt, register, type Route } from './route.ts';

const sweepMs: Millis = 100;
/** How often Node looks for requests that take too long; its default of 30 s would let silent connections fill the house. */
const lookEveryMs: Millis = second;

const bounds = {
  maxHeaderSize: 16_384,
  headersTimeout: 10 * second,
  requestTimeout: 30 * second,
  keepAliveTimeout: 75 * second,
  connectionsCheckingInterval: lookEveryMs,
  noDelay: true,
} as const;

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
  const connections = createConnections({
    connectionsMax: limits.connectionsMax,
    perAddressMax: limits.connectionsPerAddressMax,
  });
  const logins = createLogins(deps, connections, limits.loginDelayMsMax);
  const routes = apiRoutes({ ...deps, logins }, brought, [events.route], () => draining);
  const webhooks = createWebhooks({ ...deps, logins }, brought.deliveries, readBody);

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  register(app, routes, { ...deps, logins, lanes: createLanes(limits.questions) }, readBody);
  app.use((req, res) => {
    req.resume();
    const methods = methodsAt(routes, req.path);
    if (methods.length > 0) res.setHeader('allow', methods.join(', '));
    sendProblem(
      res,
      methods.length === 0 ? problem('not_found', 'no such path') : problem('method_not_allowed', `this path takes ${methods.join(', ')}`),
    );
  });
  // Four parameters are what makes it an error handler for express; what arrives is a path that cannot be decoded, or a bug.
  app.use((error: unknown, req: IncomingMessage, res: ServerResponse, _next: unknown) => {
    if (error instanceof URIError || (error instanceof Error && 'status' in error && error.status === 400)) {
      return sendProblem(res, problem('invalid_request', 'the path is not valid'));
    }
    deps.logger.error({ url: req.url?.replace(/^\/(ack|incident|answer)\/.*/, '/$1/…').slice(0, 200), error }, 'request failed');
    sendProblem(res, problemOf(error));
  });

  const server = createServer(bounds, handle);
  function handle(req: IncomingMessage, res: ServerResponse): void {
    if (hostsOf(req) > 1) return refuseHosts(req, res);
    req.url = originForm(req.url ?? '');
    if (draining) res.setHeader('connection', 'close');
    if (webhooks(req, res)) return;
    for (const [name, value] of securityHeaders) res.setHeader(name, value);
    begin(app, req, res);
  }
  server.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => {
    senderWaits(req, res);
    handle(req, res);
  });
  server.maxHeadersCount = 100;
  server.on('connection', connections.opened);

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
            for (const socket of connections.open) if (socket.bytesRead === 0) socket.destroy();
            cancelSweep = sweepSoon();
          });
        }
      }),
  };
}

/** Hundreds of requests that arrive together are begun one in a turn of the event loop, whatever they ask for. */
function begin(app: (req: IncomingMessage, res: ServerResponse) => void, req: IncomingMessage, res: ServerResponse): void {
  // Whether the process is alive, and ready, is asked by whoever would kill it for a late answer.
  if (/^\/(healthz|readyz)\/?(\?|$)/i.test(req.url ?? '')) app(req, res);
  else void giveWay().then(() => (res.destroyed ? undefined : app(req, res)));
}

function refuseHosts(req: IncomingMessage, res: ServerResponse): void {
  res.setHeader('connection', 'close');
  req.resume();
  sendProblem(res, problem('invalid_request', 'expected one Host header, seen more'));
}

/** Who reads the first of two and who reads the last would not agree on where a request goes. */
function hostsOf({ rawHeaders }: IncomingMessage): number {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2)
    if (rawHeaders[at]?.length === 4 && rawHeaders[at]?.toLowerCase() === 'host') hosts += 1;
  return hosts;
}

/** A target as a proxy writes it (`http://host/path`) is the path alone; everything else stays as it came. */
function originForm(target: string): string {
  if (target.startsWith('/') || !URL.canParse(target)) return target;
  const { pathname, search } = new URL(target);
  return `${pathname}${search}`;
}

const securityHeaders = [
  ['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
  ['x-content-type-options', 'nosniff'],
  ['referrer-policy', 'no-referrer'],
  ['cache-control', 'no-store'],
] as const;
