// One table of routes: it registers them, guards them, checks what comes in, and describes them (openapi.ts).
//   T1  A route says which role it needs, whose things it shows, and the schema of each answer, or it does not typecheck;
//       nothing is served under /api that is not in the table.
//   T2  Who may not, learns nothing: credentials are checked before query, body or existence.
//   T3  A handler gets the scopes of its caller; the read model cannot be asked without them.
//   T4  What takes work is answered in turns (lane.ts), so that nobody else waits for many of them at once.
//   T5  Whoever was let in is asked for again by the tokens in force, once what they asked for has waited, and as long as its answer lasts.
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Express, Request } from 'express';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import type { ScopeFilter } from '../readmodel/query.ts';
import { allows, createTokens, type Caller, type Role } from '../access/tokens.ts';
import { GatewayError } from '../core/errors.ts';
import { jsonShapeProblem } from '../core/json.ts';
import { giveWay } from '../engine/async/turns.ts';
import type { HttpDeps } from './deps.ts';
import type { BodyReader } from './door/body.ts';
import type { Logins } from './door/logins.ts';
import type { Lane, Line } from './lane.ts';
import { problemOf, sendProblem, sendRefusal } from './problem.ts';
import { object, ref, type Schema } from './schema.ts';
import { slicesOf } from './writing.ts';

export interface Call<Query = unknown, Body = unknown> {
  readonly params: { readonly [name: string]: string };
  readonly query: Query;
  readonly body: Body;
  /** Name of the token; '' on open routes. */
  readonly actor: string;
  /** What the caller may see: nothing on open routes. */
  readonly scopes: ScopeFilter;
  /** Whether the tokens in force still let this caller in, with the same role and scopes: for what lasts (T5). */
  readonly isAdmitted: () => boolean;
}

/** One answer of a route, as the document describes it. */
export interface Answer {
  readonly says: string;
  /** Media type → JSON Schema (2020-12) of the body. */
  readonly content: { readonly [media: string]: Schema };
}

export interface Reply<Body extends object = object> {
  readonly status: number;
  readonly body: Body;
}

interface RouteBase {
  readonly method: 'get' | 'post' | 'delete';
  /** As express writes it: `/api/v1/incidents/:id`. */
  readonly path: string;
  readonly access: 'open' | Role;
  /**
   * Whose things it shows or changes. `own`: those in the caller's scopes, and all others are not there. `all`: the gateway's as a whole, so that a
   * token that is bound to scopes is refused. `none`: nothing that belongs to any scope.
   */
  readonly scope: 'own' | 'all' | 'none';
  /** In which line it waits for its turn (T4). Unless it is said: `views` of a GET that needs a role, and none of all others. */
  readonly line?: Line;
  readonly tag: string;
  readonly summary: string;
  /** By status, in the order of likelihood. Errors that all routes share are added by openapi.ts. */
  readonly answers: { readonly [status: number]: Answer };
  /** How it says no, where that is no problem document (ports/routes.ts). */
  readonly refusal?: { readonly schema: Schema; of(detail: string): unknown };
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

/** An answer in JSON, by the name of its component. */
export function answer(says: string, component: string): Answer {
  return { says, content: { 'application/json': ref(component) } };
}

/** How a route says no. */
export function refusal(says: string): Answer {
  return { says, content: { 'application/problem+json': ref('Problem') } };
}

/** A JSON route whose handler knows the types that its schemas stand for; the cast is theirs to justify. */
export function json<Query, Body>(
  route: Omit<JsonRoute, 'kind' | 'handle'> & { handle(call: Call<Query, Body>): Promise<Reply> | Reply },
): Route {
  return { ...route, kind: 'json', handle: route.handle as JsonRoute['handle'] };
}

/** What the table needs: who called is booked at the door. */
export type RouteDeps = Pick<HttpDeps, 'tokens' | 'logger' | 'metrics'> & {
  readonly logins: Logins;
  readonly lanes: { readonly [Each in Line]: Lane };
};

/** Puts the table into express; the only way in which the API gets a route. */
export function register(app: Express, routes: readonly Route[], deps: RouteDeps, readBody: BodyReader): void {
  const bodies = new Ajv2020({ strict: true });
  const queries = new Ajv2020({ strict: true, coerceTypes: 'array', useDefaults: true, strictTypes: false });
  const tokenOf = createTokens(deps.tokens);

  for (const route of routes) {
    const line = lineOf(route);
    const lane = line === null ? null : deps.lanes[line];
    const checkQuery = route.kind === 'json' ? queries.compile(route.query ?? object({})) : null;
    const checkBody = route.kind === 'json' && route.body !== undefined ? bodies.compile(route.body) : null;
    app[route.method](route.path, async (req, res) => {
      try {
        const known = tokenOf(req.headers);
        if (known !== null) deps.logins.succeeded(req);
        else if (route.access !== 'open') await deps.logins.failed('api', req, res);
        const isAdmitted = stillAdmitted(route, known, deps.tokens, () => tokenOf(req.headers));
        const caller = { ...admit(route, known, res), isAdmitted };
        const askAgain = (): void => {
          if (!isAdmitted()) admit(route, null, res);
        };
        const params = req.params as Call['params']; // No route has a wildcard, so no parameter is a list.
        if (route.kind === 'raw') {
          const serve = async (): Promise<void> => {
            askAgain();
            await route.serve(req, res, { params, query: req.query, body: null, ...caller });
          };
          await (lane === null ? serve() : lane.run(caller.actor, res, serve));
        } else {
          const query = checked(checkQuery, { ...req.query }, 'query');
          const given = checkBody === null ? null : await jsonOf(req, readBody);
          askAgain();
          const body = checkBody === null ? null : checked(checkBody, given, 'body');
          const sent = lane?.answering(caller.actor, res) ?? (() => {});
          const answered = async (): Promise<void> => {
            askAgain();
            await send(res, await route.handle({ params, query, body, ...caller }), { sent, isAdmitted });
          };
          await (lane === null ? answered() : lane.run(caller.actor, res, answered));
        }
      } catch (error) {
        const said = problemOf(error);
        if (said.status === 500) deps.logger.error({ route: route.path, error }, 'request failed');
        if (route.refusal === undefined) sendProblem(res, said);
        else sendRefusal(res, said, route.refusal.of);
      }
      deps.metrics.request(route.method, route.path, res.statusCode);
    });
  }
}

/** The methods that the table has for a path, for `Allow`; none when the path is not in it. */
export function methodsAt(routes: readonly Route[], path: string): readonly string[] {
  const asked = path
    .toLowerCase()
    .replace(/(.)\/$/, '$1')
    .split('/');
  const found = routes.filter((route) => {
    const parts = route.path.toLowerCase().split('/');
    return parts.length === asked.length && parts.every((part, at) => part === asked[at] || (part.startsWith(':') && asked[at] !== ''));
  });
  const methods = new Set(found.map(({ method }) => method.toUpperCase()));
  if (methods.has('GET')) methods.add('HEAD');
  return [...methods].sort();
}

/** T5. Asked anew only when the configuration has been read again since; what was changed about a token is not the caller's any more. */
function stillAdmitted(route: Route, known: Caller | null, tokens: HttpDeps['tokens'], look: () => Caller | null): () => boolean {
  if (route.access === 'open') return () => true;
  let [asked, isIn] = [tokens(), true];
  return () => {
    const now = tokens();
    if (now === asked) return isIn;
    [asked, isIn] = [now, isIn && isDeepStrictEqual(look(), known)];
    return isIn;
  };
}

function admit(route: Route, caller: Caller | null, res: ServerResponse): Pick<Call, 'actor' | 'scopes'> {
  if (route.access === 'open') return { actor: '', scopes: [] };
  if (caller === null) {
    res.setHeader('www-authenticate', 'Bearer realm="quench"');
    throw new GatewayError('unauthenticated', 'credentials are missing or wrong');
  }
  if (!allows(caller.role, route.access)) throw new GatewayError('forbidden', `this needs the role ${route.access}`);
  if (route.scope === 'all' && caller.scopes !== 'all')
    throw new GatewayError('forbidden', 'this is about the whole gateway, and your token is bound to scopes');
  return { actor: caller.name, scopes: caller.scopes };
}

/** Of the body of a command, asked before it is parsed. */
const shapeMax = { depthMax: 16, membersMax: 256, valuesMax: 10_000 } as const;

async function jsonOf(req: Request, readBody: BodyReader): Promise<unknown> {
  requireJson(req.headers);
  const text = (await readBody(req)).toString('utf8');
  if (text === '') return {};
  const tooMuch = jsonShapeProblem(text, shapeMax);
  if (tooMuch !== null) throw new GatewayError('invalid_request', `body: expected less, seen ${tooMuch}`);
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
  const words = first?.keyword === 'enum' ? (first.params['allowedValues'] as readonly string[]) : null; // Set by ajv for exactly this keyword.
  const what =
    words !== null
      ? `must be one of ${words.join(', ')}`
      : member === undefined
        ? (first?.message ?? 'is not valid')
        : `must not have ${JSON.stringify(member.slice(0, 80))}`;
  throw new GatewayError('invalid_request', `${where}${first?.instancePath ?? ''} ${what}`);
}

/** T4: the line in which a route stands; null for one that does little, or goes on for long (events). */
export function lineOf(route: Route): Line | null {
  return route.line ?? (route.kind === 'json' && route.method === 'get' && route.access !== 'open' ? 'views' : null);
}

interface Sending {
  /** Told of the bytes of each slice. */
  sent(bytes: number): void;
  isAdmitted(): boolean;
}

/** Writes an answer in slices as they are made, giving way between them; one that fits into one slice says its length. */
async function send(res: ServerResponse, { status, body }: Reply, to: Sending): Promise<void> {
  const { sent, isAdmitted } = to;
  const slices = slicesOf(body);
  const first = Buffer.from(slices.next().value ?? '');
  let slice = slices.next();
  const length = slice.done === true ? { 'content-length': first.length } : {};
  res.writeHead(status, { 'content-type': 'application/json', ...length });
  res.write(first);
  sent(first.length);
  for (; slice.done !== true && !res.destroyed; slice = slices.next()) {
    await giveWay();
    if (!isAdmitted()) return void res.destroy(); // T5: an answer that breaks off is seen as such
    const bytes = Buffer.from(slice.value);
    res.write(bytes);
    sent(bytes.length);
  }
  res.end();
}
