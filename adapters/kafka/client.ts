// The one place that makes kafkajs clients: their settings and deadlines, how their connections are cut, how their errors are read and reported.
// Nothing about alerts.
//   C1  Every request has a deadline; a client that failed in a way that leaves its state in doubt is thrown away, never mended.
//   C2  A part of the log is said to be away once and to be back once, however many requests failed.
// The client has no public fetch at an offset, but hands its cluster to a partition assigner, which is public: a consumer that never runs gives us one.
import { Kafka, logLevel, type Assigner, type Broker, type Cluster, type ISocketFactory, type KafkaConfig } from 'kafkajs';
import { connect, isIP, Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import { GatewayError, type ErrorCode } from '../../src/core/errors.ts';
import type { Millis } from '../../src/core/time.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Logger } from '../../src/ports/logger.ts';
import { mendIdleQueue } from './idle-queue.ts';
import { connectionOf, settingsOf, type KafkaOptions, type Settings } from './options.ts';
import { mendProduce } from './produce-request.ts';

const connectWithinMs: Millis = 3_000;
const requestWithinMs: Millis = 4_000;
/** What a broker may wait for its replicas before it answers: less than we wait for the broker, for what is answered is tried again in its place. */
export const replicasWithinMs: Millis = 3_000;
const keepAliveMs: Millis = 60_000;
export const metadataMaxAgeMs: Millis = 10_000;
/** Some five seconds in all: longer than a change of leader. */
export const retry = { retries: 8, initialRetryTime: 100, maxRetryTime: 1_000, multiplier: 2, factor: 0.2 } as const;

export interface ClientDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly instance: string;
}

/** What this process knows of the state of its brokers. */
export interface Health {
  /** Null, or which part of the log fails since when and why, in one sentence. */
  problem(): string | null;
  /** A part of the work (`append to quench.inputs`) went well. */
  good(part: string): void;
  /** A part failed. What is over within `graceMs` (a leader that moves, a coordinator that loads) is not worth a line. */
  bad(part: string, error: unknown, graceMs?: Millis): void;
  /** A part fails in a way that waiting does not mend: it counts as failing until it is `good`. */
  wrong(part: string, sentence: string): void;
  /** Null, or what was said of the first part that is wrong. */
  wrongSentence(): string | null;
  /** Reports a record that no gateway wrote, once for each partition. */
  foreignRecord(at: { readonly topic: string; readonly partition: number; readonly offset: number }): void;
  /** Something failed that may be the topics' fault: they are to be looked at. */
  doubt(): void;
  /** Has the function called at each `doubt`. */
  onDoubt(call: () => void): void;
}

export interface Client {
  readonly kafka: Kafka;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly instance: string;
  readonly health: Health;
  /** A connection of its own to the brokers, for fetches; requests on one connection are answered one after the other. */
  cluster(): Connection;
  /** A client of its own whose connections can be cut. */
  severable(): Severable;
}

export interface Severable {
  readonly kafka: Kafka;
  /** Cuts its connections and refuses new ones: of what it still tries, for it tries on after a disconnect (2.2.4), nothing is sent. */
  sever(): void;
}

export interface Connection {
  readonly cluster: Cluster;
  close(): Promise<void>;
}

export function createClient(options: KafkaOptions, deps: ClientDeps): Client {
  mendIdleQueue();
  mendProduce(deps.clock);
  const settings = settingsOf(options);
  const config: KafkaConfig = {
    ...connectionOf(options),
    clientId: `quench-${deps.instance}`,
    connectionTimeout: connectWithinMs,
    authenticationTimeout: connectWithinMs,
    requestTimeout: requestWithinMs,
    enforceRequestTimeout: true,
    retry,
    // It reports every failed request, many times in an outage; what matters is said by C2.
    logLevel: logLevel.NOTHING,
  };
  const kafka = new Kafka(config);
  return {
    clock: deps.clock,
    logger: deps.logger,
    instance: deps.instance,
    kafka,
    settings,
    health: createHealth(deps),
    cluster: () => connectionTo(kafka, settings),
    severable: () => severable(config),
  };
}

function thrownAway(): Error {
  return new Error('this client was thrown away');
}

function severable(config: KafkaConfig): Severable {
  const sockets = new Set<Socket>();
  let isSevered = false;
  const socketFactory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
    if (isSevered) return new Socket().destroy(thrownAway());
    // TLS names the host it asks for, which must not be an address.
    const secure = { ...(isIP(host) === 0 ? { servername: host } : {}), ...ssl, host, port };
    const socket = ssl ? connectSecurely(secure, onConnect) : connect({ host, port }, onConnect);
    socket.setKeepAlive(true, keepAliveMs);
    socket.setNoDelay(true); // the end of a large request does not wait for its beginning to be acknowledged
    sockets.add(socket);
    return socket.once('close', () => sockets.delete(socket));
  };
  return {
    kafka: new Kafka({ ...config, socketFactory }),
    sever() {
      isSevered = true;
      for (const socket of sockets) socket.destroy(thrownAway()); // without an error the client would not notice, and keep its timers
    },
  };
}

function connectionTo(kafka: Kafka, settings: Settings): Connection {
  let found: Cluster | null = null;
  const consumer = kafka.consumer({
    groupId: `${settings.prefix}reads`, // never joined
    metadataMaxAge: metadataMaxAgeMs,
    allowAutoTopicCreation: false,
    partitionAssigners: [
      ({ cluster }): Assigner => {
        found = cluster;
        return {
          name: 'none',
          version: 1,
          assign: () => Promise.resolve([]),
          protocol: () => ({ name: 'none', metadata: Buffer.alloc(0) }),
        };
      },
    ],
  });
  if (found === null) throw new Error('invariant broken: C1: the client hands its cluster to assigners at once');
  return { cluster: found, close: () => consumer.disconnect() };
}

function createHealth({ clock, logger }: ClientDeps): Health {
  const failing = new Map<string, { readonly since: Millis; readonly why: string; readonly isReported: boolean }>();
  const wrong = new Map<string, string>();
  const reportedPartitions = new Set<string>();
  let onDoubt: () => void = () => {};
  const wrongSentence = (): string | null => wrong.values().next().value ?? null;
  return {
    problem() {
      const first = [...failing].find(([, { isReported }]) => isReported);
      if (wrong.size > 0 || first === undefined) return wrongSentence();
      const [part, { since, why }] = first;
      return `${part} fails since ${Math.round((clock.steady() - since) / 1_000)} s: ${why}`;
    },
    good(part) {
      if (wrong.delete(part)) logger.info({ part }, 'log can be used again');
      const failure = failing.get(part);
      if (failure === undefined) return;
      failing.delete(part);
      if (failure.isReported) logger.info({ part, awayMs: Math.round(clock.steady() - failure.since) }, 'log is back'); // C2
    },
    bad(part, error, graceMs = 0) {
      const why = whyOf(error);
      const { since = clock.steady(), isReported = false } = failing.get(part) ?? {};
      const isDue = clock.steady() - since >= graceMs;
      if (isDue && !isReported) logger.warn({ part, why, advice: adviceFor(error) }, 'log is away'); // C2
      failing.set(part, { since, why, isReported: isReported || isDue });
      if (typeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') onDoubt();
    },
    wrong(part, sentence) {
      if (wrong.get(part) !== sentence) logger.error({ part, why: sentence }, 'log cannot be used');
      wrong.set(part, sentence);
    },
    wrongSentence,
    onDoubt: (call) => void (onDoubt = call),
    doubt: () => onDoubt(),
    foreignRecord(at) {
      const where = `${at.topic} ${at.partition}`;
      if (reportedPartitions.has(where)) return;
      reportedPartitions.add(where);
      logger.error(at, 'record is not of our making and is passed over: nobody but the gateways may write here');
    },
  };
}

/** What the client says, without its stack; it never names a password. */
export function whyOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? `${cause.name.replace(/^KafkaJS/, '')}: ${cause.message}`.slice(0, 300) : 'unknown';
}

/** The protocol's name of an error (`MESSAGE_TOO_LARGE`), of itself or of what caused it; '' when it is another kind. */
export function typeOf(error: unknown): string {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const { type } = at as { readonly type?: unknown };
    if (typeof type === 'string') return type;
  }
  return '';
}

function isUnauthenticated(error: unknown): boolean {
  return /SASLAuthentication/.test(whyOf(error)) || /AUTHENTICATION_FAILED|AUTHORIZATION_FAILED/.test(typeOf(error));
}

function adviceFor(error: unknown): string {
  if (isUnauthenticated(error)) return 'the brokers refuse our login: check log.sasl and the access rights of its user';
  if (/GroupCoordinatorNotFound/.test(whyOf(error)))
    return 'if it lasts: our user may lack the right to its groups or transactional ids, or offsets.topic.replication.factor and transaction.state.log.replication.factor ask for more brokers than there are';
  if (typeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') return 'a topic is missing: it is made anew if log.createTopics allows it';
  return 'check that log.brokers can be reached from here; nothing has to be done to go on once they can';
}

export function unavailable(code: ErrorCode, what: string, error: unknown): GatewayError {
  return new GatewayError(code, `${what}: ${whyOf(error)}`, error);
}

export type { Broker, Cluster };
