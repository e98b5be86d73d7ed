// The part of Alertmanager's API, version 2, that Prometheus and amtool ask for: post alerts, list what fires, say who we are.
// Silences, receivers and groups are read here; silences are made and ended under /api/v1.
// Source: Alertmanager 0.32, api/v2/openapi.yaml, read 2026-11-21.
import { matcherIn, matcherProblem } from '../../src/core/alert/matchers.ts';
import type { Matcher } from '../../src/core/alert/labels.ts';
import { GatewayError } from '../../src/core/errors.ts';
import type { FiringAlert, ListedSilence, RouteDeps, SourceRoute, SourceRoutes } from '../../src/ports/routes.ts';

const alertsPath = '/api/v2/alerts';
const alertsMax = 20_000;
/** The zero time of its language; what has not ended carries it. */
const unended = '0001-01-01T00:00:00.000Z';
const unused = 'Taken, and without effect';
const flag = { type: 'boolean', description: unused } as const;

export const alertmanagerApi: SourceRoutes = {
  tag: 'alerts v2',
  routes: (deps) => [status(deps), list(deps), post, silences(deps), receivers, groups(deps)],
};

const post: SourceRoute = {
  method: 'post',
  path: alertsPath,
  summary: 'Deliver alerts in the shape of the alerts API, version 2',
  answer: { status: 200, body: '{}' },
};

function status({ version, startedAt }: RouteDeps): SourceRoute {
  const text = { type: 'string' };
  return {
    method: 'get',
    path: '/api/v2/status',
    access: 'read',
    summary: 'Version and start time',
    query: {},
    answer: {
      says: 'A single node.',
      schema: {
        type: 'object',
        required: ['cluster', 'versionInfo', 'config', 'uptime'],
        properties: {
          cluster: { type: 'object', properties: { status: text, peers: { type: 'array', items: { type: 'object' } } } },
          versionInfo: { type: 'object', additionalProperties: text },
          config: { type: 'object', properties: { original: text } },
          uptime: text,
        },
      },
    },
    handle: () => ({
      cluster: { status: 'disabled', peers: [] },
      versionInfo: { version, revision: '', branch: '', buildUser: '', buildDate: '', goVersion: '' },
      config: { original: '' },
      uptime: new Date(startedAt).toISOString(),
    }),
  };
}

function list(deps: RouteDeps): SourceRoute {
  return {
    method: 'get',
    path: alertsPath,
    access: 'read',
    summary: `List firing alerts that fit every filter, newest first, at most ${alertsMax}`,
    query: {
      filter: {
        type: 'array',
        maxItems: 20,
        items: { type: 'string', maxLength: 600 },
        description: 'Matchers like `severity="critical"`',
      },
      active: { type: 'boolean', default: true, description: 'Whether to show what is not muted' },
      silenced: { type: 'boolean', default: true, description: 'Whether to show what a silence mutes' },
      inhibited: flag,
      unprocessed: flag,
      receiver: { type: 'string', maxLength: 200, description: unused },
    },
    answer: { says: 'A list of alerts.', schema: { type: 'array', items: gettableAlert } },
    async handle({ query, scopes }) {
      // The schema above admits a list of texts, or nothing.
      const matchers = ((query['filter'] ?? []) as readonly string[]).map((text) => readable(text, deps));
      const alerts = await deps.firing({ scopes, matchers, limit: alertsMax });
      return alerts.filter((alert) => query[isMuted(alert) ? 'silenced' : 'active'] !== false).map(gettable);
    },
  };
}

/** The matcher, or `invalid_request`. */
function readable(text: string, { patternProblem }: RouteDeps): Matcher {
  const read = matcherIn(text);
  if (!read.ok) throw new GatewayError('invalid_request', `query/filter: ${read.error}`);
  const wrong = matcherProblem(read.value, patternProblem);
  if (wrong !== null) throw new GatewayError('invalid_request', `query/filter: ${wrong}`);
  return read.value;
}

const texts = { type: 'object', additionalProperties: { type: 'string' } } as const;
const words = { type: 'array', items: { type: 'string' } } as const;
const dateTime = { type: 'string', format: 'date-time' } as const;

const gettableAlert = {
  type: 'object',
  required: ['labels', 'annotations', 'startsAt', 'updatedAt', 'endsAt', 'generatorURL', 'fingerprint', 'receivers', 'status'],
  properties: {
    labels: texts,
    annotations: texts,
    startsAt: dateTime,
    updatedAt: dateTime,
    endsAt: dateTime,
    generatorURL: { type: 'string' },
    fingerprint: { type: 'string' },
    receivers: { type: 'array', items: { type: 'object', properties: { name: { type: 'string' } } } },
    status: { type: 'object', properties: { state: { enum: ['active', 'suppressed'] }, silencedBy: words, inhibitedBy: words } },
  },
} as const;

function gettable(alert: FiringAlert): object {
  return {
    // What its users read of every alert, whatever its source: a label of that name stays as it came.
    labels: { alertname: alert.name, severity: alert.severity, ...alert.labels },
    annotations: alert.annotations,
    startsAt: new Date(alert.startedAt).toISOString(),
    updatedAt: new Date(alert.seenAt).toISOString(),
    endsAt: unended,
    generatorURL: alert.links[0]?.href ?? '',
    fingerprint: alert.fingerprint,
    receivers: [{ name: 'quench' }],
    status: {
      state: isMuted(alert) ? 'suppressed' : 'active',
      silencedBy: alert.muted?.kind === 'silence' ? [alert.muted.silence] : isMuted(alert) ? [alert.muted?.kind ?? ''] : [],
      inhibitedBy: [],
    },
  };
}

/** A silence here, a downtime at its source, flapping: nobody is called because of it now. */
function isMuted({ muted }: FiringAlert): boolean {
  return muted !== null;
}

const filter = {
  type: 'array',
  maxItems: 20,
  items: { type: 'string', maxLength: 600 },
  description: 'Matchers like `severity="critical"`',
} as const;
const silencesMax = 10_000;

function silences(deps: RouteDeps): SourceRoute {
  return {
    method: 'get',
    path: '/api/v2/silences',
    access: 'read',
    summary: 'List silences, newest first',
    query: { filter },
    answer: {
      says: 'A list of silences.',
      schema: {
        type: 'array',
        items: {
          type: 'object',
          required: ['id', 'status', 'updatedAt', 'matchers', 'startsAt', 'endsAt', 'createdBy', 'comment'],
          properties: {
            id: { type: 'string' },
            status: { type: 'object', properties: { state: { enum: ['expired', 'active', 'pending'] } } },
            updatedAt: dateTime,
            matchers: { type: 'array', items: { type: 'object' } },
            startsAt: dateTime,
            endsAt: dateTime,
            createdBy: { type: 'string' },
            comment: { type: 'string' },
          },
        },
      },
    },
    async handle({ query, scopes }) {
      const matchers = ((query['filter'] ?? []) as readonly string[]).map((text) => readable(text, deps)); // as the schema above admits it
      return (await deps.silences({ scopes, matchers, limit: silencesMax })).map((silence) => gettableSilence(silence, deps.now()));
    },
  };
}

function gettableSilence({ id, state, matchers, startsAt, endsAt, by, comment }: ListedSilence, now: number): object {
  return {
    id,
    status: { state: state === 'expired' || endsAt <= now ? 'expired' : startsAt > now ? 'pending' : 'active' },
    updatedAt: new Date(startsAt).toISOString(),
    matchers: matchers.map(({ name, op, value }) => ({
      name,
      value,
      isRegex: op === '=~' || op === '!~',
      isEqual: op === '=' || op === '=~',
    })),
    startsAt: new Date(startsAt).toISOString(),
    endsAt: new Date(endsAt).toISOString(),
    createdBy: by,
    comment,
  };
}

const receivers: SourceRoute = {
  method: 'get',
  path: '/api/v2/receivers',
  access: 'read',
  summary: 'List receivers: there is one, Quench itself',
  query: {},
  answer: { says: 'Names.', schema: { type: 'array', items: { type: 'object', properties: { name: { type: 'string' } } } } },
  handle: () => [{ name: 'quench' }],
};

function groups(deps: RouteDeps): SourceRoute {
  return {
    method: 'get',
    path: `${alertsPath}/groups`,
    access: 'read',
    summary: 'List firing alerts by alertname',
    query: {
      filter,
      active: { type: 'boolean', default: true },
      silenced: { type: 'boolean', default: true },
      inhibited: flag,
      muted: flag,
      receiver: { type: 'string', maxLength: 200, description: unused },
    },
    answer: {
      says: 'Groups.',
      schema: {
        type: 'array',
        items: {
          type: 'object',
          required: ['labels', 'receiver', 'alerts'],
          properties: { labels: texts, receiver: { type: 'object' }, alerts: { type: 'array', items: gettableAlert } },
        },
      },
    },
    async handle({ query, scopes }) {
      const matchers = ((query['filter'] ?? []) as readonly string[]).map((text) => readable(text, deps)); // as the schema above admits it
      const alerts = await deps.firing({ scopes, matchers, limit: alertsMax });
      const shown = alerts.filter((alert) => query[isMuted(alert) ? 'silenced' : 'active'] !== false);
      const byName = Map.groupBy(shown, ({ labels, name }) => labels['alertname'] ?? name);
      return [...byName].map(([alertname, of]) => ({ labels: { alertname }, receiver: { name: 'quench' }, alerts: of.map(gettable) }));
    },
  };
}
