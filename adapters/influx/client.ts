// The InfluxDB client with bounds, and its failures as ours. The client's own errors carry the whole request, with the password in its headers:
// none of them goes on, neither as an error nor as its cause.
//   C1  Every call ends: in its own time, or as `store_unavailable` at its deadline; nothing of it goes on behind that, and no answer is longer
//       than agent.ts allows.
//   C2  No error tells the password, in whatever form the server gave it back.
import { InfluxDB, type IPoint } from 'influx';
import { GatewayError } from '../../src/core/errors.ts';
import { second, type Millis } from '../../src/core/time.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { answerBytesMax, boundedAgent } from './agent.ts';
import type { Settings } from './options.ts';

/** Beyond what the client itself allows a silent server. */
const deadlineSpareMs: Millis = 5 * second;
const saidCharsMax = 300;

/** What the server said to a request that it understood and did not do. */
export interface Refusal {
  readonly status: number;
  readonly says: string;
}

export type Placeholders = { readonly [name: string]: string | number };

/** As the server writes it; `values` is missing where there are none. */
export interface SeriesRows {
  readonly tags?: { readonly [tag: string]: string };
  readonly columns: readonly string[];
  readonly values?: readonly (readonly unknown[])[];
}

export interface InfluxClient {
  /** Null when all of it is written. Rejects with `store_unavailable` when the server does not answer, or not us. */
  write(points: readonly IPoint[], policy: string): Promise<Refusal | null>;
  /** Rejects as `write`, and with `internal` for a question that the server does not understand. */
  query(statement: string, placeholders?: Placeholders): Promise<readonly SeriesRows[]>;
  close(): void;
}

export function influxClient(settings: Settings, clock: Pick<Clock, 'after'>): InfluxClient {
  const { url, database, login, ca, timeoutMs } = settings;
  const isTls = url.protocol === 'https:';
  /** How to end each call that waits. */
  const calls = new Set<(error: GatewayError) => void>();
  const agent = boundedAgent(isTls, ca, () => {
    for (const end of calls) end(unavailable(`an answer of more than ${answerBytesMax} bytes, which was cut off`));
  });
  const client = new InfluxDB({
    // The client's own default is a user `root` with the password `root`.
    ...login,
    database,
    hosts: [
      {
        host: url.hostname.replace(/^\[|\]$/g, ''),
        port: Number(url.port || (isTls ? 443 : 80)),
        protocol: isTls ? 'https' : 'http',
        path: url.pathname === '/' ? '' : url.pathname.replace(/\/$/, ''),
        options: { agent },
      },
    ],
    pool: { maxRetries: 1, requestTimeout: timeoutMs, backoff: never },
  });
  const tidy = tidier(settings);

  /** C1 */
  async function bounded<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T | { readonly refusal: Refusal }> {
    const ending = new AbortController();
    const work = call(ending.signal);
    const { promise: late, reject } = Promise.withResolvers<never>();
    const cancel = clock.after(timeoutMs + deadlineSpareMs, () => {
      reject(unavailable(`no answer within ${(timeoutMs + deadlineSpareMs) / second} s`));
      // A server that never comes to its end would keep the connection, and the next calls from theirs.
      ending.abort();
    });
    calls.add(reject);
    try {
      return await Promise.race([work, late]);
    } catch (error) {
      const refusal = refusalIn(error);
      if (refusal === null) throw error instanceof GatewayError ? error : unavailable(tidy(messageOf(error)));
      if (refusal.status === 401 || refusal.status === 403)
        throw unavailable(`the server refuses us (${refusal.status}): ${tidy(refusal.says)}`);
      return { refusal: { status: refusal.status, says: tidy(refusal.says) } };
    } finally {
      cancel();
      calls.delete(reject);
      work.catch(() => {}); // nobody waits for it once it is late
    }
  }

  return {
    async write(points, policy) {
      const done = await bounded((signal) => {
        signal.addEventListener('abort', () => agent.destroy()); // the library's way to write takes no signal
        return client.writePoints([...points], { database, retentionPolicy: policy, precision: 'n' });
      });
      return done === undefined ? null : done.refusal;
    },
    async query(statement, placeholders = {}) {
      const done = await bounded<unknown>((signal) =>
        client.queryRaw(statement, { method: 'POST', database, placeholders: { ...placeholders }, signal }),
      );
      if (typeof done === 'object' && done !== null && 'refusal' in done) throw wrong((done.refusal as Refusal).says); // made above
      const { results = [] } = done as { results?: readonly { series?: readonly SeriesRows[]; error?: string }[] }; // InfluxDB's answer to a query
      return results.flatMap(({ series = [], error }) => {
        if (error !== undefined) throw wrong(tidy(error));
        return series;
      });
    },
    close: () => agent.destroy(),
  };
}

/** The pool would turn a host away for a while by itself; who waits for the server is whoever writes. */
const never = { getDelay: () => 0, next: () => never, reset: () => never };

function unavailable(says: string): GatewayError {
  return new GatewayError('store_unavailable', `InfluxDB: ${says}`);
}

/** A database or policy that is gone is made again; all else is a question that does not get better. */
function wrong(says: string): GatewayError {
  const isGone = /database not found|retention policy not found/i.test(says);
  return new GatewayError(isGone ? 'store_unavailable' : 'internal', `InfluxDB: ${says}`);
}

function refusalIn(error: unknown): Refusal | null {
  if (!(error instanceof Error) || !('res' in error)) return null;
  const { res } = error;
  const status = typeof res === 'object' && res !== null && 'statusCode' in res ? Number(res.statusCode) : 0;
  // `A 400 Bad Request error occurred: {"error":"partial write: …"}`
  const body = error.message.replace(/^A \d+ .* error occurred: /, '');
  try {
    const said: unknown = JSON.parse(body);
    if (typeof said === 'object' && said !== null && 'error' in said) return { status, says: String(said.error) };
  } catch {
    // A proxy's page, say.
  }
  return { status, says: body };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** One short line without the password (C2). */
function tidier({ login }: Settings): (text: string) => string {
  const hidden =
    login === null
      ? []
      : [login.password, encodeURIComponent(login.password), Buffer.from(`${login.username}:${login.password}`).toString('base64')];
  return (text) => {
    let clean = text;
    for (const secret of hidden) clean = clean.replaceAll(secret, '***');
    return clean
      .replace(/[\p{C}\s]+/gu, ' ')
      .trim()
      .slice(0, saidCharsMax);
  };
}
