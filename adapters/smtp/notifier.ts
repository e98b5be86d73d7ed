// Sends notifications through one SMTP server, one connection per mail. What the mail says is mail.ts.
//   M1  Addresses come from the configuration only; no text of a notification can add a header or a recipient.
//   M3  Recipients that the server puts off are named in `left` and mailed alone later; whoever has a mail gets no second one for a neighbour.
//   M4  A mail that is withdrawn before the server asks for its text is not sent: a slow greeting lets no word of then leave now.
//   M2  `unknown` is said once the server was asked to take the text, and did not answer.
// Sources: RFC 5321, 5322, 3834 (Auto-Submitted), 2919 (List-Id); nodemailer 10.
import { Readable } from 'node:stream';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import { GatewayError } from '../../src/core/errors.ts';
import { addressWithoutUserinfo } from '../../src/core/userinfo.ts';
import type { Notification, NotifyOutcome } from '../../src/core/page/notification.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Notifier } from '../../src/ports/notifier.ts';
import { codeOf, troubleOf } from '../kit/http-client.ts';
import { checked, type NotifierKind } from '../kit/kinds.ts';
import { scrub } from '../kit/redact.ts';
import { oneLine } from '../kit/text.ts';
import { mailOf } from './mail.ts';

/** Long, and under the fifty seconds of a delivery: a slow server that is given up too early gets the same again. */
const timeoutMsDefault = 45_000;
const addressPattern = "^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$";
const mailbox = { type: 'string', pattern: addressPattern, 'x-expects': 'a bare mail address such as oncall@example.org' };

export const SmtpConfig = {
  type: 'object',
  additionalProperties: false,
  required: ['host', 'from', 'to'],
  properties: {
    host: { type: 'string', pattern: '^[A-Za-z0-9._:-]{1,253}$', 'x-expects': 'the name or address of a host, without port' },
    port: { type: 'integer', minimum: 1, maximum: 65_535, description: 'default 587, and 465 for tls: implicit' },
    tls: { enum: ['starttls', 'implicit', 'none'], default: 'starttls', description: 'none sends in the clear and takes no password' },
    ca: {
      type: 'string',
      pattern: '^-----BEGIN CERTIFICATE-----',
      'x-expects': 'a certificate as PEM text, mostly { file: path }',
      description: 'PEM of the authority (or the self-signed certificate) to trust in place of the public ones',
    },
    user: { type: 'string', minLength: 1 },
    password: { type: 'string', minLength: 1, writeOnly: true },
    from: mailbox,
    to: { type: 'array', minItems: 1, maxItems: 50, items: mailbox },
    timeoutMs: { type: 'integer', minimum: 100, maximum: 120_000, default: timeoutMsDefault },
  },
} as const;

export interface SmtpConfig {
  readonly host: string;
  readonly port?: number;
  readonly tls?: 'starttls' | 'implicit' | 'none';
  readonly ca?: string;
  readonly user?: string;
  readonly password?: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly timeoutMs?: number;
}

export const smtpNotifier: NotifierKind = {
  name: 'smtp',
  options: SmtpConfig,
  sharedBy: ({ to }) =>
    Array.isArray(to) && to.length > 1 ? `one mail goes to ${to.length} addresses: make a notifier for each person` : null,
  create: (options, deps) => createSmtp(checked(options), deps),
};

/** 2xx accepted, 4xx deferred, 5xx refused, in whatever phase; a certificate that is not trusted is refused, any other trouble before the text deferred. */
export function createSmtp(config: SmtpConfig, deps: { readonly clock: Clock }): Notifier {
  checkConfig(config);
  const who = `smtp: ${config.host}:${config.port ?? (config.tls === 'implicit' ? 465 : 587)}`;

  async function deliver(notification: Notification, signal: AbortSignal, withdrawn?: AbortSignal): Promise<NotifyOutcome> {
    if (signal.aborted) return { outcome: 'deferred', retryAfterMs: 0, detail: `${who}: nothing sent (aborted)` };
    const mail = await mailOf(notification, { from: config.from, to: config.to, now: deps.clock.now() });
    if (withdrawn?.aborted === true) return { outcome: 'deferred', retryAfterMs: 0, detail: `${who}: nothing sent (withdrawn)` };
    const to = recipientsOf(config, notification);
    const session = await converse({ ...config, to }, mail, { clock: deps.clock, signal, withdrawn });
    return outcomeOf(session, who, { ...config, to });
  }
  return { deliver };
}

/** Those that are still to be told (M3); when none of them is configured any more, everybody. */
function recipientsOf({ to }: SmtpConfig, { only }: Notification): readonly string[] {
  const left = only === undefined ? to : to.filter((each) => only.includes(each));
  return left.length === 0 ? to : left;
}

function checkConfig(config: SmtpConfig): void {
  const address = new RegExp(addressPattern);
  for (const each of [config.from, ...config.to]) {
    if (!address.test(each)) {
      throw new GatewayError(
        'invalid_config',
        `smtp: expected a bare mail address, got ${JSON.stringify(addressWithoutUserinfo(each).slice(0, 80))}`,
      );
    }
  }
  if (config.to.length === 0) throw new GatewayError('invalid_config', 'smtp.to: expected at least one address');
  if ((config.user === undefined) !== (config.password === undefined)) {
    throw new GatewayError('invalid_config', 'smtp: user and password go together');
  }
  if (config.tls === 'none' && config.user !== undefined) {
    throw new GatewayError('invalid_config', 'smtp: a password is never sent in the clear; use tls: starttls or implicit');
  }
}

/** What the server said to one recipient. */
interface Rejection {
  readonly recipient?: string | undefined;
  readonly responseCode?: number | undefined;
}

type Session =
  | { readonly taken: number; readonly rejected: readonly Rejection[]; readonly response: string }
  | {
      readonly error: NodeJS.ErrnoException & {
        responseCode?: number;
        response?: string;
        originalCode?: string;
        rejectedErrors?: readonly Rejection[];
      };
      readonly written: boolean;
    };

interface Means {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly withdrawn: AbortSignal | undefined;
}

function converse(config: SmtpConfig, mail: Buffer, means: Means): Promise<Session> {
  const timeoutMs = config.timeoutMs ?? timeoutMsDefault;
  const { promise, resolve } = Promise.withResolvers<Session>();
  const connection = new SMTPConnection({
    host: config.host,
    ...(config.port === undefined ? {} : { port: config.port }),
    secure: config.tls === 'implicit',
    requireTLS: (config.tls ?? 'starttls') === 'starttls',
    ignoreTLS: config.tls === 'none',
    tls: { rejectUnauthorized: true, ...(config.ca === undefined ? {} : { ca: config.ca }) },
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    socketCloseTimeout: 0,
    maxResponseSize: 65_536,
  });
  let written = false;
  const text = new Readable({
    read(): void {
      written = true; // M2: nodemailer reads only after the server said 354
      this.push(mail);
      this.push(null);
    },
  });
  const fail = (error: NodeJS.ErrnoException): void => resolve({ error, written });
  const stop = (code: string): void => fail(Object.assign(new Error(code), { code }));
  const abort = (): void => stop('ABORTED');
  const withdraw = (): void => (written ? undefined : stop('WITHDRAWN')); // M4
  const cancel = means.clock.after(timeoutMs, () => stop('DEADLINE'));
  means.signal.addEventListener('abort', abort, { once: true });
  means.withdrawn?.addEventListener('abort', withdraw, { once: true });

  const send = (): void => {
    connection.send({ from: config.from, to: [...config.to], size: mail.length }, text, (error, info) => {
      if (error) return fail(error);
      resolve({ taken: info.accepted.length, rejected: info.rejectedErrors ?? [], response: info.response });
    });
  };
  connection.on('error', fail);
  // After the answer that ended it, which nodemailer reports later than the end.
  connection.on('end', () => setImmediate(stop, 'ECLOSED'));
  connection.connect((error) => {
    if (error) fail(error);
    else if (config.user === undefined || config.password === undefined) send();
    else connection.login({ user: config.user, pass: config.password }, (failed) => (failed ? fail(failed) : send()));
  });
  return promise.finally(() => {
    cancel();
    means.signal.removeEventListener('abort', abort);
    means.withdrawn?.removeEventListener('abort', withdraw);
    connection.close();
  });
}

function outcomeOf(session: Session, who: string, config: SmtpConfig): NotifyOutcome {
  const secrets = config.password === undefined ? [] : [config.password, `\0${config.user}\0${config.password}`];
  if (!('error' in session)) {
    const refused = refusedOf(session.rejected);
    const left = session.rejected.flatMap(({ recipient }) => (recipient === undefined || refused.includes(recipient) ? [] : [recipient]));
    const heads = `${session.taken} of ${config.to.length} recipients${refused.length === 0 ? '' : `, refused ${refused.length}`}`;
    return {
      outcome: 'accepted',
      detail: `${who} took it for ${heads}: ${oneLine(scrub(session.response, secrets), 160)}`,
      ...(left.length === 0 ? {} : { left }),
      ...(refused.length === 0 ? {} : { refused }),
    };
  }
  const { error, written } = session;
  const status = error.responseCode ?? 0;
  if (status >= 400 && status <= 599) {
    const detail = `${who} answered ${oneLine(scrub(error.response ?? String(status), secrets), 160)}`;
    if (status >= 500) return { outcome: 'refused', detail };
    const refused = refusedOf(error.rejectedErrors ?? []);
    const left = refused.length === 0 ? {} : { left: config.to.filter((each) => !refused.includes(each)) };
    return { outcome: 'deferred', retryAfterMs: 0, detail, ...left };
  }
  // nodemailer puts its own word first and keeps the system's beside it.
  const code = codeOf({ code: error.originalCode ?? error.code });
  if (written) return { outcome: 'unknown', detail: `${who}: text sent, no answer (${code})` };
  const detail = `${who}: nothing sent (${code})`;
  return troubleOf(code) === 'untrusted' ? { outcome: 'refused', detail } : { outcome: 'deferred', retryAfterMs: 0, detail };
}

/** Recipients to whom the server said no for good. */
function refusedOf(rejected: readonly Rejection[]): readonly string[] {
  return rejected.flatMap(({ recipient, responseCode = 0 }) => (recipient !== undefined && responseCode >= 500 ? [recipient] : []));
}
