// Talks to a gateway's HTTP API. One request, one answer or one Stop with the exit code that fits and what to do next.
//   C1  A token that lies beside the configuration is sent to this machine only; redirects are never followed.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { memberOf } from '../config/yaml/pointer.ts';
import type { AcceptedAnswer, DeliveredAnswer } from '../readmodel/answers.ts';
import { addressOf, configDirOf } from './address.ts';
import { exits, Stop, usage } from './exit.ts';
import type { Given } from './options.ts';
import { plain, type Terminal } from './terminal.ts';

const answerWithinMs = 30_000;
const answerBytesMax = 67_108_864;
const eventCharsMax = 4_194_304;

/** The members that an answer must have for its type to be believed: what answers may be another program, or another version. */
export type Members<T> = readonly (keyof T & string)[];

/** An object that came, of which nothing is known. */
type Came = { readonly [name: string]: unknown };

export interface Answer {
  readonly status: number;
  readonly body: Came;
}

/** A server-sent event; `data` is '' for one that only moves the id. */
export interface ServerEvent {
  readonly id: string;
  readonly type: string;
  readonly data: string;
}

export interface Api {
  readonly url: string;
  /** The answer; a Stop when it lacks one of the members. */
  get<T extends object>(path: string, members: Members<T>): Promise<T>;
  /** `refusal`: a status beside success whose answer is of the same type. */
  post<T extends object = AcceptedAnswer>(path: string, body: object, members?: Members<T>, refusal?: number): Promise<T>;
  remove(path: string): Promise<void>;
  /** Posts a delivery as a sender would; the number of alerts, where the source's own answer does not stand in for it. */
  deliver(path: string, body: string, type: string): Promise<Partial<DeliveredAnswer>>;
  /** The answer whatever its status. */
  ask(path: string): Promise<Answer>;
  /** The event stream, after the id if one is given; ends when the gateway ends it. */
  events(after: string): AsyncGenerator<ServerEvent>;
}

/** `listens`: where the configuration at hand says that its gateway is (address.ts). */
export function createApi(terminal: Terminal, given: Given, listens: string | null): Api {
  const url = addressOf(terminal, given, listens);

  /** Sends a request; `use` is within the deadline, too. Whatever breaks is told as a Stop. */
  async function send<T>(path: string, asked: Asked, use: (response: Response, met: () => void) => Promise<T>): Promise<T> {
    const late = new AbortController();
    const met = terminal.clock.after(answerWithinMs, () => late.abort());
    try {
      const response = await fetch(`${url}${path}`, {
        method: asked.method ?? 'GET',
        headers: headersOf(asked),
        redirect: 'error', // C1
        signal: AbortSignal.any([terminal.signal, late.signal, ...(asked.until === undefined ? [] : [asked.until])]),
        ...(asked.body === undefined ? {} : { body: asked.body }),
      });
      return await use(response, met);
    } catch (error) {
      throw late.signal.aborted ? new Stop(exits.timeout, `no answer from ${url} within ${answerWithinMs / 1_000} s`) : brokenBy(error);
    } finally {
      met();
    }
  }

  function brokenBy(error: unknown): Stop {
    if (error instanceof Stop) return error;
    if (terminal.signal.aborted) return new Stop(exits.interrupted, 'stopped');
    const cause = memberOf(error, 'cause');
    const why = [memberOf(cause, 'code'), memberOf(cause, 'message'), memberOf(error, 'message')].find((text) => typeof text === 'string');
    return new Stop(
      exits.unreachable,
      `no gateway at ${url} (${String(why)}): is it running? start it with quench serve (npm start in a clone), or say where it is with --url or QUENCH_URL`,
    );
  }

  async function call(method: string, path: string, body?: object, refusal?: number): Promise<Came> {
    const token = tokenOf(terminal, given, url, 'admin');
    const sent = body === undefined ? {} : { body: JSON.stringify(body), type: 'application/json' };
    const answer = await send(path, { method, token, ...sent }, answerOf);
    if (answer.status === refusal && typeof answer.body['detail'] !== 'string') return answer.body;
    return accepted(answer, url, method === 'GET' ? exits.usage : exits.failed);
  }

  return {
    url,
    get: async (path, members) => believed(await call('GET', path), members, url),
    post: async (path, body, members = [], refusal) => believed(await call('POST', path, body, refusal), members, url),
    remove: async (path) => void (await call('DELETE', path)),
    async deliver(path, body, type) {
      const token = tokenOf(terminal, given, url, 'ingest');
      return accepted(await send(path, { method: 'POST', token, body, type }, answerOf), url);
    },
    ask: (path) => send(path, { token: '' }, answerOf),
    async *events(after) {
      const token = tokenOf(terminal, given, url, 'admin');
      const enough = new AbortController();
      const stream = await send('/api/v1/events', { token, after, until: enough.signal }, async (response, met) => {
        if (response.status !== 200) accepted(await answerOf(response), url);
        met(); // from here on it may take for ever
        return response.body;
      });
      try {
        if (stream !== null) yield* eventsIn(stream.pipeThrough(new TextDecoderStream()));
      } catch (error) {
        throw brokenBy(error);
      } finally {
        enough.abort(); // to stop reading alone leaves the connection open now and then
      }
    },
  };
}

interface Asked {
  readonly method?: string;
  readonly token: string;
  readonly body?: string;
  readonly type?: string;
  /** Where an event stream goes on. */
  readonly after?: string;
  /** Ends the request, or the stream that came of it. */
  readonly until?: AbortSignal;
}

function headersOf({ token, type, after = '' }: Asked): Headers {
  const headers = new Headers();
  if (token !== '') headers.set('authorization', `Bearer ${token}`);
  if (type !== undefined) headers.set('content-type', type);
  if (after !== '') headers.set('last-event-id', after);
  return headers;
}

// ---------------------------------------------------------------- answers

/** Status and body, of which no more than 64 MiB are read. */
async function answerOf(response: Response): Promise<Answer> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.length;
    if (bytes > answerBytesMax) throw new Stop(exits.failed, 'the gateway answered with more than 64 MiB');
    parts.push(part);
  }
  return { status: response.status, body: bodyIn(Buffer.concat(parts).toString('utf8')) };
}

function bodyIn(text: string): Came {
  try {
    const value: unknown = text === '' ? {} : JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Came) : {};
  } catch {
    return {};
  }
}

/** What has the members is taken for the type that has them. */
function believed<T extends object>(body: Came, members: Members<T>, url: string): T {
  const missing = members.find((member) => !Object.hasOwn(body, member));
  if (missing !== undefined) throw new Stop(exits.failed, `${url} answered without "${missing}": is it a Quench gateway of this version?`);
  return body as T;
}

/** `wrong`: how a command ends whose request is not understood. A question stands on the command line as a whole, a delivery in a file. */
function accepted({ status, body }: Answer, url: string, wrong: Stop['exit'] = exits.failed): Came {
  if (status >= 200 && status < 300) return body;
  const detail =
    typeof body['detail'] === 'string' ? plain(body['detail']) : `${url} answered ${status} and no reason: is it a Quench gateway?`;
  const letter = typeof body['letter'] === 'string' ? `; kept as dead letter ${plain(body['letter'])}` : '';
  throw new Stop(status === 400 ? wrong : exitOf(status), `${optionsIn(detail)}${letter}${adviceFor(status)}`);
}

/** `query/match: …` as the person wrote it: `--match: …`. */
function optionsIn(detail: string): string {
  return detail.replace(/^(?:query\/)?(match|state|severity|end|host|service|source|name|playbook|target|text)(?=[ :])/, '--$1');
}

function exitOf(status: number): Stop['exit'] {
  if (status === 404) return exits.missing;
  if (status === 401 || status === 403) return exits.denied;
  if (status === 504) return exits.timeout;
  return status === 502 || status === 503 ? exits.unreachable : exits.failed;
}

function adviceFor(status: number): string {
  if (status === 401) return ': set QUENCH_TOKEN (QUENCH_INGEST_TOKEN for send), or name a file with --token-file';
  if (status === 403) return ': use a token with that role';
  return status === 503 ? ': try again in a moment' : '';
}

/** Parses a stream of events; a frame above 4 MiB ends it. */
async function* eventsIn(chunks: AsyncIterable<string>): AsyncGenerator<ServerEvent> {
  let text = '';
  for await (const chunk of chunks) {
    text += chunk;
    if (text.length > eventCharsMax) throw new Stop(exits.failed, 'the event stream sent more than 4 MiB in one event');
    const frames = text.split('\n\n');
    text = frames.pop() ?? '';
    for (const frame of frames) yield eventIn(frame);
  }
}

function eventIn(frame: string): ServerEvent {
  const event = { id: '', event: '', data: '' };
  for (const line of frame.split('\n')) {
    const [, name, value = ''] = /^(id|event|data): ?(.*)$/s.exec(line) ?? [];
    if (name === 'id' || name === 'event' || name === 'data') event[name] = value;
  }
  return { id: event.id, type: event.event, data: event.data };
}

// ---------------------------------------------------------------- address and token

/** `--token-file`, the environment, or `data/<kind>.token` beside the configuration; '' when there is none. Never from the command line itself. */
function tokenOf({ env }: Terminal, given: Given, url: string, kind: 'admin' | 'ingest'): string {
  const file = given.text('token-file');
  if (file !== undefined) return wellFormed(tokenIn(file) ?? fail(file), file);
  const name = kind === 'ingest' ? 'QUENCH_INGEST_TOKEN' : 'QUENCH_TOKEN';
  const text = env[name];
  if (text !== undefined && text !== '') return wellFormed(text, name);
  const named = env[`${name}_FILE`];
  if (named !== undefined && named !== '') return wellFormed(tokenIn(named) ?? fail(named), named);
  if (!isLoopback(new URL(url).hostname)) return ''; // C1
  const path = join(configDirOf(given), 'data', `${kind}.token`);
  return wellFormed(tokenIn(path) ?? '', path);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

function tokenIn(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}

function fail(path: string): never {
  throw usage(`expected a token in ${path}, seen no file that can be read`);
}

function wellFormed(token: string, from: string): string {
  if (!/^[\x21-\x7e]*$/.test(token)) throw usage(`expected a token of printable characters in ${from}, seen something else`);
  return token;
}
