// One table of routes: it registers them, guards them, checks what comes in, and describes them (openapi.ts).
//   T1  A route without an access word does not typecheck; nothing is served under /api that is not in the table.
//   T2  Who may not, learns nothing: credentials are checked before query, body or existence.
import { Ajv, type ValidateFunction } from 'ajv';
import type { Express, Request } from 'express';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { allows, createTokens, type ApiToken, type Role } from '../access/auth.ts';
import { GatewayError } from '../core/errors.ts';
import type { HttpDeps } from './deps.ts';
import type { BodyReader } from './door/body.ts';
import { problemOf, sendProblem } from './problem.ts';

/** JSON Schema, as far as ajv in strict mode and OpenAPI 3.1 agree. */
export type Schema = { readonly [keyword: string]: unknown };

export interface Call<Query = unknown, Body = unknown> {
  readonly params: { readonly [name: string]: string };
  readonly query: Query;
  readonly body: Body;
  /** Name of the token; '' on open routes. */
  readonly actor: string;
}

export interface Reply {
  readonly status: number;
  readonly body: object;
}

interface RouteBase {
  readonly method: 'get' | 'post' | 'delete';
  /** As express writes it: `/api/v1/incidents/:id`. */
  readonly path: string;
  readonly access: 'open' | Role;
  readonly tag: string;
  readonly summary: string;
  /** Status → what it means, in the order of likelihood. Errors that all routes share are added by openapi.ts. */
  readonly answers: { readonly [status: number]: string };
}

export interface JsonRoute extends RouteBase {
  readonly kind: 'json';
  readonly query?: Schema;
  readonly body?: Schema;
  handle(call: Call): Promise<Reply> | Reply;
}

/** Writes its own response: streams, pages, metrics. */
export interface RawRoute extends RouteBase {
  readonly kind: 'raw';
  serve(req: IncomingMessage, res: ServerResponse, call: Call): Promise<void> | void;
}

export type Route = JsonRoute | RawRoute;

/** A JSON route whose handler knows the types that its schemas stand for; the cast is theirs to justify. */
export function json<Query, Body>(
  route: Omit<JsonRoute, 'kind' | 'handle'> & { handle(call: Call<Query, Body>): Promise<Reply> | Reply },
): Route {
  return { ...route, kind: 'json', handle: route.handle as JsonRoute['handle'] };
}

/** An object that allows exactly these members. */
export function object(properties: { readonly [name: string]: Schema }, required: readonly string[] = []): Schema {
  return { type: 'object', additionalProperties: false, properties, required };
}

/** Puts the table into express; the only way in which the API gets a route. */
export function register(app: Express, routes: readonly Route[], deps: HttpDeps, readBody: BodyReader): void {
  const bodies = new Ajv({ strict: true });
  const queries = new Ajv({ strict: true, coerceTypes: 'array', useDefaults: true, strictTypes: false });
  const tokenOf = createTokens(deps.tokens);

  for (const route of routes) {
    const checkQuery = route.kind === 'json' ? queries.compile(route.query ?? object({})) : null;
    const checkBody = route.kind === 'json' && route.body !== undefined ? bodies.compile(route.body) : null;
    app[route.method](route.path, async (req, res) => {
      try {
        const actor = admit(route, tokenOf(req.headers), res);
        const params = req.params as Call['params']; // No route has a wildcard, so no parameter is a list.
        if (route.kind === 'raw') {
          await route.serve(req, res, { params, query: req.query, body: null, actor });
        } else {
          const query = checked(checkQuery, { ...req.query }, 'query');
          const body = checkBody === null ? null : checked(checkBody, await jsonOf(req, readBody), 'body');
          send(res, await route.handle({ params, query, body, actor }));
        }
      } catch (error) {
        const said = problemOf(error);
        if (said.status === 500) deps.log.error({ route: route.path, error }, 'request failed');
        sendProblem(res, said);
      }
      deps.metrics.request(route.method, route.path, res.statusCode);
    });
  }
}

function admit(route: Route, token: ApiToken | null, res: ServerResponse): string {
  if (route.access === 'open') return '';
  if (token === null) {
    res.setHeader('www-authenticate', 'Bearer realm="quench"');
    throw new GatewayError('unauthenticated', 'credentials are missing or wrong');
  }
  if (!allows(token.role, route.access)) throw new GatewayError('forbidden', `this needs the role ${route.access}`);
  return token.name;
}

async function jsonOf(req: Request, readBody: BodyReader): Promise<unknown> {
  requireJson(req.headers);
  const text = (await readBody(req)).toString('utf8');
  if (text === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    throw new GatewayError('invalid_request', 'body must be JSON');
  }
}

/** A browser cannot send JSON to another origin without asking first, and we never allow it. */
function requireJson(headers: IncomingHttpHeaders): void {
  const type = (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/json') throw new GatewayError('unsupported_media', 'content-type must be application/json');
}

function checked(check: ValidateFunction | null, value: unknown, where: string): unknown {
  if (check === null || check(value)) return value;
  const [first] = check.errors ?? [];
  const member = first?.params['additionalProperty'] as string | undefined; // Set by ajv for exactly this keyword.
  const what = member === undefined ? (first?.message ?? 'is not valid') : `must not have ${JSON.stringify(member.slice(0, 80))}`;
  throw new GatewayError('invalid_request', `${where}${first?.instancePath ?? ''} ${what}`);
}

function send(res: ServerResponse, reply: Reply): void {
  const text = JSON.stringify(reply.body);
  res.writeHead(reply.status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  res.end(text);
}
