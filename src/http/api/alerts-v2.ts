// The reading half of the alerts API, version 2, as far as its command line tool needs it to list what fires.
// The writing half, POST on the same path, is webhooks.ts.
import { matchesAll, type Matcher, type MatchOp } from '../../core/alert/labels.ts';
import type { Alert } from '../../core/alert/row.ts';
import { GatewayError } from '../../core/errors.ts';
import type { ViewDoc } from '../../ports/views.ts';
import type { HttpDeps } from '../deps.ts';
import { alertsApiPath } from '../door/webhooks.ts';
import { json, object, type Route } from '../route.ts';

const tag = 'alerts v2';
const alertsMax = 2_000;
const unended = '0001-01-01T00:00:00.000Z';
const flag = { type: 'boolean', description: 'Taken, and without effect' } as const;

interface Query {
  readonly filter?: readonly string[];
}

export function alertsV2Routes({ store, expressions, clock, version }: HttpDeps): readonly Route[] {
  const startedAt = new Date(clock.now()).toISOString();
  return [
    json({
      method: 'get',
      path: '/api/v2/status',
      access: 'read',
      tag,
      summary: 'Version and start time',
      answers: { 200: 'A single node.' },
      handle: () => ({
        status: 200,
        body: {
          cluster: { status: 'disabled', peers: [] },
          versionInfo: { version, revision: '', branch: '', buildUser: '', buildDate: '', goVersion: '' },
          config: { original: '' },
          uptime: startedAt,
        },
      }),
    }),
    json<Query, null>({
      method: 'get',
      path: alertsApiPath,
      access: 'read',
      tag,
      summary: `List the newest ${alertsMax} firing alerts`,
      query: object({
        filter: {
          type: 'array',
          maxItems: 20,
          items: { type: 'string', maxLength: 600 },
          description: 'Matchers like `severity="critical"`',
        },
        active: flag,
        silenced: flag,
        inhibited: flag,
        unprocessed: flag,
        receiver: { type: 'string', maxLength: 200, description: 'Taken, and without effect' },
      }),
      answers: { 200: 'A list of alerts.' },
      async handle({ query }) {
        const matchers = (query.filter ?? []).map(matcherIn);
        refuseUnreadable(matchers, expressions.patternProblem);
        const page = await store.views.list({ kind: 'alert', states: ['firing'], limit: alertsMax });
        const alerts = page.docs.map((doc) => ({ doc, alert: doc.doc as unknown as Alert })); // Written by the projector from an Alert.
        const chosen =
          matchers.length === 0 ? alerts : alerts.filter(({ alert }) => matchesAll(matchers, alert.labels ?? {}, expressions.pattern));
        return { status: 200, body: chosen.map(({ doc, alert }) => gettable(doc, alert)) };
      },
    }),
  ];
}

function refuseUnreadable(matchers: readonly Matcher[], patternProblem: HttpDeps['expressions']['patternProblem']): void {
  for (const { op, value } of matchers) {
    const wrong = op === '=~' || op === '!~' ? patternProblem(value) : null;
    if (wrong !== null) throw new GatewayError('invalid_request', `query/filter: ${wrong}`);
  }
}

function gettable(doc: ViewDoc, alert: Alert): object {
  return {
    labels: alert.labels ?? {},
    annotations: alert.annotations ?? {},
    startsAt: isoOf(alert.startedAt, doc.at),
    updatedAt: isoOf(alert.seenAt, doc.at),
    endsAt: unended,
    generatorURL: alert.links?.[0]?.href ?? '',
    fingerprint: alert.fingerprint ?? doc.id,
    receivers: [{ name: 'quench' }],
    status: { state: 'active', silencedBy: [], inhibitedBy: [] },
  };
}

function isoOf(at: unknown, otherwise: number): string {
  return new Date(typeof at === 'number' ? at : otherwise).toISOString();
}

/** `name="value"`; quotes may be left out, inside them a backslash escapes. */
function matcherIn(text: string): Matcher {
  const match = /^\s*([A-Za-z_][\w.:-]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^"]*))\s*$/s.exec(text);
  if (match === null) throw new GatewayError('invalid_request', 'query/filter must be a matcher like severity="critical"');
  const [, name = '', op, quoted, bare] = match;
  return { name, op: op as MatchOp, value: quoted === undefined ? (bare ?? '').trim() : quoted.replaceAll(/\\(.)/gs, '$1') };
}
