// Asks an Alertmanager which alerts it has: GET /api/v2/status and /api/v2/alerts. Each becomes the webhook that would have told of it.
//   P1  An alert that Alertmanager silences or inhibits, or routes to other receivers only, is open, but nothing that we would be told.
//   P2  Its memory begins at its start (`uptime`): until its senders have repeated themselves, absence says nothing.
import { fail, ok, type Result } from '../../src/core/errors.ts';
import type { Instant } from '../../src/core/time.ts';
import type { OpenAlert, OpenAlerts, OpenAnswer } from '../../src/ports/open-alerts.ts';
import { askJson, authorizationOf, below, openMax } from '../kit/ask.ts';
import { instantOf, isObject, textOf, type JsonObject } from '../kit/event.ts';
import { targetOf } from '../kit/http-client.ts';
import type { AskDeps } from '../kit/kinds.ts';

export interface AlertmanagerAsking {
  /** Of Alertmanager, without /api/v2. */
  readonly url: string;
  /** The receiver whose webhook leads here: alerts of other receivers are not taken in. */
  readonly receiver: string;
  readonly token?: string;
  readonly user?: string;
  readonly password?: string;
}

const vendor = 'prometheus';

export function alertmanagerAlerts(asking: AlertmanagerAsking, { http }: AskDeps): OpenAlerts {
  const base = targetOf(asking.url, 'reconcile.url');
  const secrets = [asking.token, asking.password].filter((secret) => secret !== undefined);
  const alertsUrl = below(base, 'api/v2/alerts');
  alertsUrl.search = 'active=true&silenced=true&inhibited=true&unprocessed=true';

  const get = (url: URL, signal: AbortSignal): Promise<Result<unknown, string>> =>
    askJson(http, { vendor, method: 'GET', url, headers: authorizationOf(asking), body: '', secrets }, signal);

  return {
    async ask(askedAt, signal) {
      const status = await get(below(base, 'api/v2/status'), signal);
      if (!status.ok) return status;
      const alerts = await get(alertsUrl, signal);
      return alerts.ok ? answerOf(status.value, alerts.value, asking.receiver, askedAt) : alerts;
    },
  };
}

function answerOf(status: unknown, alerts: unknown, receiver: string, askedAt: Instant): Result<OpenAnswer, string> {
  const since = isObject(status) ? instantOf(status['uptime']) : null;
  if (since === null) return fail(`${vendor}: expected Alertmanager's status with its uptime, seen something else: is the address right?`);
  if (!Array.isArray(alerts)) return fail(`${vendor}: expected a list of alerts, seen something else`);
  const open: OpenAlert[] = [];
  let odd = 0;
  let elsewhere = 0;
  for (const alert of alerts.slice(0, openMax)) {
    if (!isObject(alert) || !isObject(alert['labels'])) {
      odd += 1;
      continue;
    }
    const sentHere = receiversOf(alert).includes(receiver);
    if (!sentHere) elsewhere += 1;
    open.push({ delivery: deliveryOf(alert, askedAt), ours: sentHere && isActive(alert) }); // P1
  }
  const partial =
    alerts.length > openMax
      ? `it has ${alerts.length} alerts, at most ${openMax} are read`
      : odd > 0
        ? `${odd} of ${alerts.length} alerts have no labels`
        : isSettling(status)
          ? 'its cluster is still settling'
          : elsewhere > 0 && elsewhere === alerts.length
            ? `none of its ${alerts.length} alerts goes to the receiver ${JSON.stringify(receiver.slice(0, 40))}: is that its name?`
            : null;
  return ok({ alerts: open, unsure: [], partial, asOf: askedAt, since }); // P2
}

function receiversOf({ receivers }: JsonObject): readonly string[] {
  return Array.isArray(receivers) ? receivers.flatMap((each) => (isObject(each) ? [textOf(each['name'])] : [])) : [];
}

function isActive({ status }: JsonObject): boolean {
  return isObject(status) && status['state'] === 'active';
}

function isSettling(status: unknown): boolean {
  const cluster = isObject(status) ? status['cluster'] : null;
  return isObject(cluster) && cluster['status'] === 'settling';
}

/** Without its `endsAt`, which in the API is only when Alertmanager itself gives the alert up. */
function deliveryOf({ labels, annotations, startsAt, generatorURL }: JsonObject, receivedAt: Instant): OpenAlert['delivery'] {
  const alert = { status: 'firing', labels, annotations, startsAt, endsAt: '0001-01-01T00:00:00Z', generatorURL };
  return { headers: {}, path: '', body: JSON.stringify({ version: '4', status: 'firing', alerts: [alert] }), receivedAt };
}
