// Deliveries of senders, ahead of express: `POST /webhooks/{endpoint}` and below, and what sources bring of their own (ports/routes.ts).
// One pass: credentials, capped body, signature, intake, answer. Never redirects: senders lose the body on the way.
//   W1  2xx only after intake said that everything is durable.
//   W2  503 when we are in trouble (senders come again), 4xx only when coming again would not help.
import { hash } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createGate, type Gate } from '../../access/gate.ts';
import { whenChanged } from '../../access/tokens.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Acceptance } from '../../engine/intake/intake.ts';
import type { Refusal } from '../../engine/refusals/episode.ts';
import { minute, type Millis } from '../../core/time.ts';
import type { DeliveryRoute } from '../../ports/routes.ts';
import type { Delivery, Source } from '../../ports/source.ts';
import { defaultLimits, type HttpDeps, type HttpEndpoint } from '../deps.ts';
import type { DeliveryOutcome } from '../metrics.ts';
import { problem, problemOf, sendProblem } from '../problem.ts';
import type { BodyReader } from './body.ts';
import { createLargeBodies } from './large.ts';
import type { Logins } from './logins.ts';
import { textOfBody } from './text.ts';

const prefix = '/webhooks/';
const brokenEndpoint =
  'the configuration of this endpoint does not load: nothing is taken in here until it is mended; see the log of the gateway';

interface Door {
  readonly endpoint: HttpEndpoint;
  /** As the configuration in force has it. */
  readonly gate: () => Gate;
}

type Answer = NonNullable<Source['answer']>;

/** The handler; false when the request is not for it. */
export type Webhooks = (req: IncomingMessage, res: ServerResponse) => boolean;

export function createWebhooks(
  deps: HttpDeps & { readonly logins: Logins },
  brought: readonly DeliveryRoute[],
  readBody: BodyReader,
): Webhooks {
  const doors = new Map<string, Door>();
  for (const endpoint of deps.endpoints) {
    const gate = whenChanged(
      () => endpoint.auth,
      (auth) => createGate(auth, deps.verify),
    );
    doors.set(endpoint.name, { endpoint, gate });
  }
  const answers = new Map(brought.map((route) => [route.path, route.answer]));
  const tellRefusedSize = refusedSizes(deps);
  const direct = [...doors.values()].find((door) => door.endpoint.alertsApi) ?? null;

  const accept = accepting(deps, readBody);

  async function receive(door: Door, path: string, own: Answer | undefined, req: IncomingMessage, res: ServerResponse): Promise<void> {
    const began = deps.clock.steady();
    const name = door.endpoint.name;
    try {
      if (req.method !== 'POST') return wrongMethod(res);
      if (door.endpoint.isBroken === true) throw new GatewayError('overloaded', brokenEndpoint);
      const gate = door.gate();
      if (!gate.headers(req.headers)) throw refused;
      if (gate.asksBefore) deps.logins.succeeded(req);
      const acceptance = await accept({ ...door, passed: gate }, path, req, res);
      deps.metrics.delivery(name, acceptance.status);
      answer(acceptance, own, res);
      if (acceptance.status === 'refused') deps.refusals.refused(name, notTaken(acceptance, req));
      if (acceptance.status === 'accepted') {
        deps.refusals.accepted(name);
        deps.logins.succeeded(req); // by its signature, or at a door that the operator left open
        deps.metrics.accepted(deps.clock.steady() - began);
        if (acceptance.warnings.length > 0) {
          deps.metrics.doubtful(name, acceptance.warnings.length);
          deps.logger.warn({ endpoint: name, warnings: acceptance.warnings.slice(0, 5) }, 'delivery in doubt');
        }
      }
    } catch (error) {
      deps.metrics.delivery(name, outcomeOf(error));
      const refusal = refusalOf(error, req);
      if (refusal !== null) deps.refusals.refused(name, refusal);
      if (error === refused) {
        res.setHeader('www-authenticate', door.gate().challenge);
        await deps.logins.failed('webhooks', req, res);
        const { asks } = door.gate();
        return sendProblem(
          res,
          problem('unauthenticated', asks === '' ? refused.message : `${refused.message}: this endpoint asks for ${asks}`),
        );
      }
      if (error instanceof GatewayError && error.code === 'payload_too_large') tellRefusedSize(name, error.message);
      if (outcomeOf(error) === 'failed') deps.logger.error({ endpoint: name, error }, 'delivery failed');
      sendProblem(res, problemOf(error));
    }
  }

  return (req, res) => {
    const url = req.url ?? '';
    const query = url.indexOf('?');
    const path = query < 0 ? url : url.slice(0, query);
    if (path.slice(0, prefix.length).toLowerCase() === prefix) {
      const slash = path.indexOf('/', prefix.length);
      const name = slash < 0 ? path.slice(prefix.length) : path.slice(prefix.length, slash);
      const door = doors.get(name) ?? doors.get(name.toLowerCase());
      if (door === undefined) unknown(deps, req, res);
      else void receive(door, slash < 0 ? '' : path.slice(slash), door.endpoint.source.answer, req, res);
      return true;
    }
    const own = req.method === 'POST' ? answers.get(path) : undefined;
    if (own !== undefined) {
      if (direct === null) unknown(deps, req, res);
      else void receive(direct, path, own, req, res);
      return true;
    }
    return false;
  };
}

/** A door whose gate let the headers through. */
interface EnteredDoor extends Door {
  readonly passed: Gate;
}

type Accept = (door: EnteredDoor, path: string, req: IncomingMessage, res: ServerResponse) => Promise<Acceptance>;

/** Reads a body and hands it to intake, large ones in turns. */
function accepting(deps: HttpDeps, readBody: BodyReader): Accept {
  const { bodyBytesMax, listBytesMax, bufferedBytesMax } = { ...defaultLimits, ...deps.limits };
  const large = createLargeBodies(bufferedBytesMax);

  async function taken(door: EnteredDoor, path: string, req: IncomingMessage, body: Buffer): Promise<Acceptance> {
    const receivedAt = deps.clock.now();
    // A body may take half a minute to arrive: what is asked is what is in force once it is here.
    const gate = door.gate();
    if ((gate !== door.passed && !gate.headers(req.headers)) || !gate.body(req.headers, body, receivedAt)) throw refused;
    const headers = req.headers as Delivery['headers']; // Only `set-cookie` is ever a list, and no source reads it.
    const deliveryId = deliveryIdOf(headers['webhook-id'] ?? headers['idempotency-key'] ?? '', body);
    return deps.intake.accept(door.endpoint.name, { headers, body: textOfBody(body), path, receivedAt }, deliveryId);
  }

  return async (door, path, req, res) => {
    requireText(req.headers);
    const { name, source } = door.endpoint;
    const body = await readBody(req, source.lists === true ? listBytesMax : bodyBytesMax);
    return large.inTurn({ endpoint: name, bytes: body.length }, res, () => taken(door, path, req, body));
  };
}

function unknown(deps: HttpDeps, req: IncomingMessage, res: ServerResponse): void {
  req.resume();
  res.setHeader('connection', 'close');
  deps.metrics.delivery('unknown', 'invalid');
  sendProblem(res, problem('not_found', 'no such endpoint: the name behind /webhooks/ is one of those under endpoints in quench.yaml'));
}

/** A sender repeats such a body without end, and nothing of it is kept: told once a minute for each endpoint. */
function refusedSizes({ clock, logger }: HttpDeps): (endpoint: string, why: string) => void {
  const told = new Map<string, Millis>();
  return (endpoint, why) => {
    const now = clock.steady();
    if (now - (told.get(endpoint) ?? -minute) < minute) return;
    told.set(endpoint, now);
    logger.error({ endpoint, why }, 'delivery refused for its size: its alerts are lost; raise limits.lists or limits.body');
  };
}

/** The sender's id together with what it sent: an id that a sender uses for everything must not make two deliveries one. */
function deliveryIdOf(id: string, body: Buffer): string {
  return id === '' ? '' : `${id}:${hash('sha256', body, 'hex').slice(0, 16)}`;
}

/** A delivery that was refused as a whole; null when it was put off, or failed here. */
function refusalOf(error: unknown, req: IncomingMessage): Refusal | null {
  const outcome = outcomeOf(error);
  const says = problemOf(error).detail;
  const bytes = announcedBytes(req);
  if (outcome === 'unauthenticated') return { kind: 'credentials', bytes, says };
  if (outcome === 'too_large') return { kind: 'size', bytes, says };
  return outcome === 'invalid' ? { kind: 'form', bytes, says } : null;
}

function notTaken({ failure }: Extract<Acceptance, { status: 'refused' }>, req: IncomingMessage): Refusal {
  return { kind: failure.reason === 'too_large' ? 'size' : 'form', bytes: announcedBytes(req), says: failure.message };
}

/** Null for a body that is compressed, or ends when it ends. */
function announcedBytes({ headers }: IncomingMessage): number | null {
  const bytes = Number(headers['content-length'] ?? Number.NaN);
  return headers['content-encoding'] === undefined && Number.isSafeInteger(bytes) ? bytes : null;
}

const refused = new GatewayError('unauthenticated', 'credentials are missing or wrong');

function outcomeOf(error: unknown): DeliveryOutcome {
  if (error === refused) return 'unauthenticated';
  if (error instanceof GatewayError && error.code === 'payload_too_large') return 'too_large';
  return problemOf(error).status < 500 ? 'invalid' : error instanceof GatewayError && error.code === 'overloaded' ? 'busy' : 'failed';
}

/** JSON, form or text, or nothing said; the rest (multipart, images) is refused before it is read. */
function requireText(headers: IncomingHttpHeaders): void {
  const said = headers['content-type'];
  if (said === undefined || said === 'application/json') return;
  const type = (said.split(';', 1)[0] ?? '').trim().toLowerCase();
  const fine =
    type === '' || type.startsWith('text/') || type === 'application/x-www-form-urlencoded' || /^application\/([\w.-]+\+)?json$/.test(type);
  if (!fine) throw new GatewayError('unsupported_media', 'content-type must be JSON, a form or text');
}

function answer(acceptance: Acceptance, own: Answer | undefined, res: ServerResponse): void {
  switch (acceptance.status) {
    case 'accepted': {
      const body = own === undefined ? `{"status":"accepted","alerts":${acceptance.alerts}}` : (own.body ?? '');
      const type = body.startsWith('{') ? 'application/json' : 'text/plain; charset=utf-8';
      res.writeHead(own?.status ?? 202, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
      res.end(body);
      return;
    }
    case 'refused': {
      const { reason, message } = acceptance.failure;
      sendProblem(res, problem('invalid_request', message, { reason, letter: acceptance.letter }));
      return;
    }
    case 'busy':
      return sendProblem(res, { ...problem('overloaded', acceptance.why), retryAfterSeconds: acceptance.retryAfterSeconds });
    default:
      acceptance satisfies never;
  }
}

function wrongMethod(res: ServerResponse): void {
  res.setHeader('allow', 'POST');
  sendProblem(res, problem('method_not_allowed', 'this path takes POST, from a sender of alerts'));
}
