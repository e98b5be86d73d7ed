// Alerts as the read model has them, and the delivery behind one, byte for byte.
import { GatewayError } from '../../core/errors.ts';
import type { HttpDeps } from '../deps.ts';
import { answer, json, refusal, type Route } from '../route.ts';
import { object } from '../schema.ts';
import { alertListQuery, alertsAsked, type AlertListQuery } from './filters.ts';
import { rawOf } from './received.ts';
import { decidedNow } from './alerts-now.ts';
import { found } from './view.ts';

const tag = 'alerts';

export function alertRoutes(deps: HttpDeps): readonly Route[] {
  const { views } = deps.store;
  return [
    json<AlertListQuery, null>({
      method: 'get',
      path: '/api/v1/alerts',
      access: 'read',
      scope: 'own',
      tag,
      summary: 'List alerts, newest first',
      query: object(alertListQuery),
      answers: { 200: answer('A page of alerts.', 'Alerts') },
      async handle(call) {
        const { items, next } = await views.list(alertsAsked(call, deps));
        return { status: 200, body: { items: await decidedNow(views, items, call.scopes), next } };
      },
    }),
    json({
      method: 'get',
      path: '/api/v1/alerts/:id',
      access: 'read',
      scope: 'own',
      tag,
      summary: 'Show one alert',
      answers: { 200: answer('The alert.', 'Alert'), 404: refusal('No such alert.') },
      async handle(call) {
        const alert = await found(views, 'alert', call);
        const [body = alert] = await decidedNow(views, [alert], call.scopes);
        return { status: 200, body };
      },
    }),
    json({
      method: 'get',
      path: '/api/v1/alerts/:id/raw',
      access: 'operate',
      line: 'log',
      scope: 'own',
      tag,
      summary: 'Show the delivery that last changed the alert, as it was received',
      answers: {
        200: answer('The body.', 'Raw'),
        404: refusal('No such alert, or its delivery is no longer kept, or may hold alerts of other scopes.'),
      },
      async handle(call) {
        const { input } = await found(views, 'alert', call);
        const body = input === null ? null : await rawOf(deps, input, call.scopes);
        if (body === null) throw new GatewayError('not_found', 'the delivery of this alert is no longer kept');
        return { status: 200, body: { input, body } };
      },
    }),
  ];
}
