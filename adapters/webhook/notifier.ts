// Sends notifications to any HTTP endpoint, signed by Standard Webhooks 1.0.
// The body is the same over all attempts, and so is `webhook-id`: the receiver drops repeats by it.
// Source: standard-webhooks, spec/standard-webhooks.md, read 2026-11-20.
import { hash } from 'node:crypto';
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { GatewayError } from '../../src/core/errors.ts';
import type { Notification, NotifyOutcome } from '../../src/core/page/notification.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Notifier } from '../../src/ports/notifier.ts';
import { outcomeOf, targetOf, wordsLeaveWithinMs, type Http } from '../kit/http-client.ts';
import { checked, type NotifierKind } from '../kit/kinds.ts';
import { httpAddress } from '../kit/schemas.ts';
import { keyOf, signedHeaders } from '../kit/signature.ts';

/** Long, and under the fifty seconds of a delivery: a slow server that is given up too early gets the same again. */
const timeoutMsDefault = 45_000;
const ownHeaders = /^(webhook-|content-|host$|connection$|transfer-encoding$|expect$|upgrade$|te$|trailer$|keep-alive$|proxy-)/i;

export const WebhookConfig = {
  type: 'object',
  additionalProperties: false,
  required: ['url', 'secrets'],
  properties: {
    url: { ...httpAddress, description: 'http or https address; its path and query are treated as a secret' },
    secrets: {
      type: 'array',
      writeOnly: true,
      minItems: 1,
      maxItems: 4,
      items: { type: 'string', pattern: '^whsec_[A-Za-z0-9+/]+={0,2}$', 'x-expects': 'whsec_ and base64 of 24 to 64 bytes' },
      description: 'signing secrets, whsec_ and base64 of 24 to 64 bytes; every one signs, so that they can be rotated',
    },
    headers: {
      type: 'object',
      maxProperties: 16,
      additionalProperties: { type: 'string', maxLength: 4_096 },
      description: 'sent along, such as authorization; values are secrets',
    },
    timeoutMs: { type: 'integer', minimum: 100, maximum: 60_000, default: timeoutMsDefault },
  },
} as const;

export interface WebhookConfig {
  readonly url: string;
  readonly secrets: readonly string[];
  readonly headers?: { readonly [name: string]: string };
  readonly timeoutMs?: number;
}

export const webhookNotifier: NotifierKind = {
  name: 'webhook',
  options: WebhookConfig,
  create: (options, deps) => createWebhook(checked(options), deps),
};

/** Accepts any 2xx. A secret or header that cannot be used is `invalid_config` at once, not at the first page. */
export function createWebhook(config: WebhookConfig, deps: { readonly http: Http; readonly clock: Clock }): Notifier {
  const url = targetOf(config.url, 'webhook.url');
  const keys = keysOf(config.secrets);
  const headers = headersOf(config.headers ?? {});
  const secrets = [...config.secrets, ...Object.values(headers), ...Object.values(headers).join(' ').split(' ')];

  async function deliver(notification: Notification, signal: AbortSignal, withdrawn?: AbortSignal): Promise<NotifyOutcome> {
    const body = bodyOf(notification);
    const signed = signedHeaders({ id: idOf(notification), body, now: deps.clock.now() }, keys);
    const call = {
      method: 'POST',
      url,
      headers: { ...headers, ...signed, 'content-type': 'application/json' },
      body,
      timeoutMs: config.timeoutMs ?? timeoutMsDefault,
      leaveWithinMs: wordsLeaveWithinMs,
      withdrawn,
    } as const;
    const answer = await deps.http.send(call, signal);
    return outcomeOf(answer, { who: 'webhook', url, now: deps.clock.now(), secrets });
  }
  return { deliver };
}

/** Our ids hold dots, the standard's must not: a digest, the same over all attempts. */
function idOf(notification: Notification): string {
  return `msg_${hash('sha256', notification.id, 'hex').slice(0, 32)}`;
}

function bodyOf(notification: Notification): string {
  const { id, kind, dedupKey, incident, page, title, severity, text, source, facts, links, startedAt, asks, also, pageOnly } = notification;
  const since = startedAt === undefined ? {} : { startedAt: new Date(startedAt).toISOString() };
  const approval = asks === undefined ? {} : { asks: { run: asks.run, until: new Date(asks.until).toISOString() } };
  return JSON.stringify({
    type: `quench.${kind}`,
    timestamp: new Date(notification.at).toISOString(),
    data: {
      id,
      kind,
      dedupKey,
      incident,
      page,
      title,
      severity,
      text,
      source,
      ...since,
      facts,
      links,
      ...approval,
      ...(also === undefined ? {} : { also }),
      ...(pageOnly === undefined ? {} : { pageOnly }),
    },
  });
}

function keysOf(secrets: readonly string[]): readonly Uint8Array[] {
  if (secrets.length === 0) throw new GatewayError('invalid_config', 'webhook.secrets: expected at least one secret');
  return secrets.map((secret, index) => {
    const key = keyOf(secret);
    if (!key.ok) throw new GatewayError('invalid_config', `webhook.secrets[${index}]: ${key.error}`);
    return key.value;
  });
}

function headersOf(headers: { readonly [name: string]: string }): Record<string, string> {
  const sendable: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(headers)) {
    if (ownHeaders.test(name)) throw new GatewayError('invalid_config', `webhook.headers: ${name} is set by Quench itself`);
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch {
      throw new GatewayError(
        'invalid_config',
        `webhook.headers: name or value of ${JSON.stringify(name.slice(0, 80))} is not legal in HTTP`,
      );
    }
    sendable[name.toLowerCase()] = value;
  }
  return sendable;
}
