// Pages through PagerDuty's Events API v2: one alert there for a page here, and another each time the page rings after it was acknowledged.
//   PD1  PagerDuty calls nobody for a trigger whose key is open or acknowledged there; so a page's key carries its era, and the alerts of the
//        eras before are resolved once the new one is taken.
//   PD2  The end resolves every era that may be open there, the first under the key without an era, and is not accepted before all are.
//   PD3  Who has it, and who or what healed it, stands in the event that says so, as in the one that called.
// It says nothing of who saw it: 202 means that PagerDuty took the event, and its own escalation goes on from there.
// Source: PagerDuty developer docs, "Events API v2", read 2026-11-20.
import { hash } from 'node:crypto';
import type { Notification, NotifyOutcome } from '../../src/core/page/notification.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Notifier } from '../../src/ports/notifier.ts';
import { outcomeOf, targetOf, wordsLeaveWithinMs, type Http } from '../kit/http-client.ts';
import { checked, type NotifierKind } from '../kit/kinds.ts';
import { httpAddress } from '../kit/schemas.ts';
import { headline, lines, oneLine, safeLinks } from '../kit/text.ts';

const eventBytesMax = 512_000;
const summaryRunesMax = 1_024;
const dedupCharsMax = 255;
const formerErasMax = 8;
/** Long, and under the fifty seconds of a delivery: a slow server that is given up too early gets the same again. */
const timeoutMsDefault = 45_000;

export const PagerDutyConfig = {
  type: 'object',
  additionalProperties: false,
  required: ['routingKey'],
  properties: {
    routingKey: {
      type: 'string',
      pattern: '^[A-Za-z0-9]{32}$',
      'x-expects': 'an integration key of 32 letters and digits',
      writeOnly: true,
      description: 'integration key of an Events API v2 integration',
    },
    url: {
      ...httpAddress,
      description: 'where events go; accounts in the EU have their own host',
      default: 'https://events.pagerduty.com',
    },
    timeoutMs: { type: 'integer', minimum: 100, maximum: 60_000, default: timeoutMsDefault },
  },
} as const;

export interface PagerDutyConfig {
  readonly routingKey: string;
  readonly url?: string;
  readonly timeoutMs?: number;
}

export const pagerdutyNotifier: NotifierKind = {
  name: 'pagerduty',
  options: PagerDutyConfig,
  create: (options, deps) => createPagerDuty(checked(options), deps),
};

/** Accepts only 202; a 2xx of another number comes from something that is not PagerDuty, and is refused. */
export function createPagerDuty(config: PagerDutyConfig, deps: { readonly http: Http; readonly clock: Clock }): Notifier {
  const base = targetOf(config.url ?? PagerDutyConfig.properties.url.default, 'pagerduty.url');
  const url = new URL('/v2/enqueue', base);

  async function deliver(notification: Notification, signal: AbortSignal, withdrawn?: AbortSignal): Promise<NotifyOutcome> {
    const outcome = await enqueue(eventOf(notification, config.routingKey), signal, withdrawn);
    if (outcome.outcome !== 'accepted') return outcome;
    for (const era of notification.formerEras?.slice(-formerErasMax) ?? []) {
      const ended = await enqueue(resolveOf(notification, era, config.routingKey), signal);
      // A ring that was taken has called somebody, whatever becomes of the alerts before it; the next ring, or the end, tries them again (PD2).
      if (ended.outcome !== 'accepted') return notification.kind === 'resolve' ? ended : outcome;
    }
    return outcome;
  }

  async function enqueue(body: string, signal: AbortSignal, withdrawn?: AbortSignal): Promise<NotifyOutcome> {
    const call = {
      method: 'POST',
      url,
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body,
      timeoutMs: config.timeoutMs ?? timeoutMsDefault,
      leaveWithinMs: wordsLeaveWithinMs,
      withdrawn,
    } as const;
    const answer = await deps.http.send(call, signal);
    const outcome = outcomeOf(answer, { who: 'pagerduty', url, now: deps.clock.now(), secrets: [config.routingKey] });
    if (outcome.outcome === 'accepted' && answer.kind === 'answered' && answer.status !== 202) {
      return { outcome: 'refused', detail: `${outcome.detail} (expected 202)` };
    }
    return outcome;
  }
  return { deliver };
}

function eventOf(notification: Notification, routingKey: string): string {
  const head = { routing_key: routingKey, dedup_key: dedupKeyOf(notification, notification.era ?? 0) };
  const { kind } = notification;
  const links = safeLinks(notification);
  const event = (details: object): string =>
    JSON.stringify({
      ...head,
      event_action: kind === 'resolve' ? 'resolve' : kind === 'acknowledged' ? 'acknowledge' : 'trigger',
      client: 'Quench',
      ...(links[0] === undefined ? {} : { client_url: links[0].href }),
      links,
      payload: {
        summary: summaryOf(notification),
        source: oneLine(notification.source, 255) || 'quench',
        severity: notification.severity,
        timestamp: new Date(notification.startedAt ?? notification.at).toISOString(),
        custom_details: details,
      },
    });
  const whole = event(detailsOf(notification));
  if (Buffer.byteLength(whole) <= eventBytesMax) return whole;
  return event({ text: lines(notification.text, 8_192), note: 'facts left out: the event was larger than PagerDuty takes' });
}

function resolveOf(notification: Notification, era: number, routingKey: string): string {
  return JSON.stringify({ routing_key: routingKey, dedup_key: dedupKeyOf(notification, era), event_action: 'resolve' });
}

/** The page's own key with its era (PD1), or its digest when it is longer than PagerDuty's 255 characters. */
function dedupKeyOf({ dedupKey }: Notification, era: number): string {
  const key = era === 0 ? dedupKey : `${dedupKey}:${era}`;
  return key.length <= dedupCharsMax ? key.toWellFormed() : `quench:${hash('sha256', key, 'hex')}`;
}

function summaryOf(notification: Notification): string {
  const runes = Array.from(headline(notification, summaryRunesMax * 2));
  return runes.length <= summaryRunesMax ? runes.join('') : `${runes.slice(0, summaryRunesMax - 1).join('')}…`;
}

function detailsOf(notification: Notification): object {
  // fromEntries defines own members, so a fact named `__proto__` is only a name.
  const facts = notification.facts.map(({ name, value }): [string, string] => [name.toWellFormed(), value.toWellFormed()]);
  return Object.fromEntries([...facts, ['text', notification.text.toWellFormed()]]);
}
