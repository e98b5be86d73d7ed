// The part of Alertmanager's API, version 2, that Prometheus, amtool, dashboards and data sources ask for: post alerts, list what fires, alone and
// in groups, say who we are. Silences are api-silences.ts.
// Source: Alertmanager 0.32, api/v2/openapi.yaml, read 2026-11-21.
import type { FiringAlert, RouteCall, RouteDeps, SourceRoute, SourceRoutes } from '../../src/ports/routes.ts';
import { dateTime, filter, filtersOf } from './api-kit.ts';
import { silenceRoutes } from './api-silences.ts';

const alertsPath = '/api/v2/alerts';
const alertsMax = 20_000;
/** The zero time of its language; what has not ended carries it. */
const unended = '0001-01-01T00:00:00.000Z';
const receiver = 'quench';
/** As much of a configuration as is true of us: everything goes to one receiver. */
const original = `# Quench decides whom to call by its ladders; see quench.yaml.\nroute:\n  receiver: ${receiver}\nreceivers:\n- name: ${receiver}\n`;

/** Which alerts are shown; each of them is asked before the list is cut. */
const shownQuery = {
  filter,
  active: { type: 'boolean', default: true, description: 'Whether to show what nothing mutes' },
  silenced: { type: 'boolean', default: true, description: 'Whether to show what a silence mutes' },
  inhibited: {
    type: 'boolean',
    default: true,
    description: 'Whether to show what is held back otherwise: its source does not trust it yet or is in a downtime, or it flaps',
  },
  receiver: { type: 'string', maxLength: 200, description: `A pattern for the receiver; there is one, ${receiver}` },
} as const;

export const alertmanagerApi: SourceRoutes = {
  tag: 'alerts v2',
  refusal: { schema: { type: 'string' }, of: (detail) => detail },
  routes: (deps) => [status(deps), list(deps), post, ...silenceRoutes(deps), receivers, groups(deps)],
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
      config: { original },
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
    query: { ...shownQuery, unprocessed: { type: 'boolean', description: 'Taken: nothing is ever unprocessed here' } },
    answer: { says: 'A list of alerts.', schema: { type: 'array', items: gettableAlert } },
    handle: async (call) => (await asked(deps, call)).values().map(gettable),
  };
}

/** What a question to either list finds. */
function asked(deps: RouteDeps, { query, scopes }: Pick<RouteCall, 'query' | 'scopes'>): Promise<readonly FiringAlert[]> {
  const matchers = filtersOf(query, deps);
  const pattern = query['receiver'];
  const isOurs = typeof pattern !== 'string' || pattern === '' || deps.fits(pattern, receiver);
  const shown = (alert: FiringAlert): boolean => isOurs && query[kindOf(alert)] !== false;
  return deps.firing({ scopes, matchers, limit: alertsMax, shown });
}

const texts = { type: 'object', additionalProperties: { type: 'string' } } as const;
const words = { type: 'array', items: { type: 'string' } } as const;

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
    receivers: [{ name: receiver }],
    status: statusOf(alert),
  };
}

function statusOf({ muted }: FiringAlert): object {
  if (muted === null) return { state: 'active', silencedBy: [], inhibitedBy: [] };
  const isSilenced = muted.kind === 'silence';
  return { state: 'suppressed', silencedBy: isSilenced ? [muted.silence] : [], inhibitedBy: isSilenced ? [] : [muted.kind] };
}

/** By which parameter of a question it is shown or left out. */
function kindOf({ muted }: FiringAlert): 'active' | 'silenced' | 'inhibited' {
  return muted === null ? 'active' : muted.kind === 'silence' ? 'silenced' : 'inhibited';
}

const receivers: SourceRoute = {
  method: 'get',
  path: '/api/v2/receivers',
  access: 'read',
  summary: 'List receivers: there is one, Quench itself',
  query: {},
  answer: { says: 'Names.', schema: { type: 'array', items: { type: 'object', properties: { name: { type: 'string' } } } } },
  handle: () => [{ name: receiver }],
};

function groups(deps: RouteDeps): SourceRoute {
  return {
    method: 'get',
    path: `${alertsPath}/groups`,
    access: 'read',
    summary: 'List firing alerts by alertname',
    query: { ...shownQuery, muted: { type: 'boolean', description: 'Taken: no group is muted by a time of day here' } },
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
    async handle(call) {
      const byName = Map.groupBy(await asked(deps, call), ({ labels, name }) => labels['alertname'] ?? name);
      return byName
        .entries()
        .map(([alertname, of]) => ({ labels: { alertname }, receiver: { name: receiver }, alerts: of.values().map(gettable) }));
    },
  };
}
