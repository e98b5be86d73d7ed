// Alerts as the read model has them, and the delivery behind one, byte for byte.
import { GatewayError } from '../../core/errors.ts';
import type { HttpDeps } from '../deps.ts';
import { json, object, type Route } from '../route.ts';
import { found, listed, listQuery, param, type ListQuery } from './view.ts';

const tag = 'alerts';

export function alertRoutes({ store }: HttpDeps): readonly Route[] {
  return [
    json<ListQuery, null>({
      method: 'get',
      path: '/api/v1/alerts',
      access: 'read',
      tag,
      summary: 'List alerts, newest first',
      query: object(listQuery),
      answers: { 200: 'A page of alerts.' },
      handle: ({ query }) => listed(store.views, 'alert', query),
    }),
    json({
      method: 'get',
      path: '/api/v1/alerts/:id',
      access: 'read',
      tag,
      summary: 'Show one alert',
      answers: { 200: 'The alert.', 404: 'No such alert.' },
      handle: async (call) => ({ status: 200, body: await found(store.views, 'alert', param(call, 'id')) }),
    }),
    json({
      method: 'get',
      path: '/api/v1/alerts/:id/raw',
      access: 'operate',
      tag,
      summary: 'Show the delivery that last changed the alert, as it was received',
      answers: { 200: 'The body.', 404: 'No such alert, or its delivery is no longer kept.' },
      async handle(call) {
        const alert = await found(store.views, 'alert', param(call, 'id'));
        const place = /^(\d{1,6}):(\d{1,15})$/.exec(alert.input ?? '');
        const body = place === null ? null : await store.log.raw('inputs', Number(place[1]), Number(place[2]));
        if (body === null) throw new GatewayError('not_found', 'the delivery of this alert is no longer kept');
        return { status: 200, body: { input: place?.[0], body } };
      },
    }),
  ];
}
