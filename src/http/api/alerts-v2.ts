// The reading half of the alerts API, version 2, as far as its command line tool needs it to list what fires.
// The writing half, POST on the same path, is webhooks.ts.
import { matchesAll, type Matcher, type MatchOp } from '../../core/alert/labels.ts';
import { GatewayError } from '../../core/errors.ts';
import type { AlertDocument } from '../../readmodel/documents.ts';
import type { HttpDeps } from '../deps.ts';
import { alertsApiPath } from '../door/webhooks.ts';
import { json, type Route } from '../route.ts';
import { object, type Schema } from '../schema.ts';

const tag = 'alerts v2';
const alertsMax = 2_000;
const loose: Schema = { type: 'object', additionalProperties: true };
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
      scope: 'none',
      tag,
      summary: 'Version and start time',
      answers: { 200: { says: 'A single node.', content: { 'application/json': loose } } },
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
      scope: 'own',
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
      answers: { 200: { says: 'A list of alerts.', content: { 'application/json': { type: 'array', items: loose } } } },
      async handle({ query, scopes }) {
        const matchers = (query.filter ?? []).map(matcherIn);
        refuseUnreadable(matchers, expressions.patternProblem);
        const page = await store.views.list({ kind: 'alert', scopes, states: ['firing'], limit: alertsMax });
        const chosen =
          matchers.length === 0 ? page.items : page.items.filter(({ labels }) => matchesAll(matchers, labels, expressions.pattern));
        return { status: 200, body: chosen.map(gettable) };
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

function gettable(alert: AlertDocument): object {
  return {
    labels: alert.labels,
    annotations: alert.annotations,
    startsAt: new Date(alert.startedAt).toISOString(),
    updatedAt: new Date(alert.seenAt).toISOString(),
    endsAt: unended,
    generatorURL: alert.links[0]?.href ?? '',
    fingerprint: alert.fingerprint,
    receivers: [{ name: 'quench' }],
    status: { state: 'active', silencedBy: [], inhibitedBy: [] },
  };
}

/** `name="value"`; quotes may be left out, inside them a backslash escapes. */
function matcherIn(text: string): Matcher {
  const match = /^\s*([A-Za-z_][\w.:-]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^"]*))\s*$/s.exec(text);
  if (match === null) throw new GatewayError('invalid_request', 'query/filter must be a matcher like severity="critical"');
  const [, name = '', op, quoted, bare] = match;
  return { name, op: op as MatchOp, value: quoted === undefined ? (bare ?? '').trim() : quoted.replaceAll(/\\(.)/gs, '$1') };
}
