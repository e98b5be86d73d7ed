// The gateway itself: counts, playbooks in force, reloading them, the emergency stop, its figures, and whether it lives and is ready.
import { freezesOf, type Frozen } from '../../core/playbook/freeze.ts';
import { GatewayError } from '../../core/errors.ts';
import { everyScope } from '../../core/stamp.ts';
import type { Listed, PlaybookLine, ReloadAnswer, SummaryAnswer } from '../../readmodel/answers.ts';
import type { HttpDeps } from '../deps.ts';
import { answer, json, refusal, type Call, type Route } from '../route.ts';
import { text } from '../../readmodel/schema.ts';
import { object } from '../schema.ts';
import { createReadiness } from './readiness.ts';
import { endpointsSeen } from './received.ts';
import { param, taken } from './view.ts';

const durable = { 202: answer('Durable.', 'Accepted') } as const;

export function gatewayRoutes(deps: HttpDeps, draining: () => boolean): readonly Route[] {
  return [summaryRoute(deps), ...playbookRoutes(deps), reloadRoute(deps), ...stopRoutes(deps), ...healthRoutes(deps, draining)];
}

// ---------------------------------------------------------------- counts

function summaryRoute(deps: HttpDeps): Route {
  return json({
    method: 'get',
    path: '/api/v1/summary',
    access: 'read',
    line: 'log',
    scope: 'own',
    tag: 'gateway',
    summary: 'Counts of everything by state, and the emergency stop if it is in force',
    answers: { 200: answer('The counts; `frozen` is null, or who gave the oldest stop and why, and all that hold.', 'Summary') },
    handle: async ({ scopes }) => ({ status: 200, body: await summaryOf(deps, scopes) }),
  });
}

async function summaryOf(deps: HttpDeps, scopes: Call['scopes']): Promise<SummaryAnswer> {
  const { views, deadLetters } = deps.store;
  const [alerts, incidents, runs, pages, silences, approvals, letters] = await Promise.all([
    views.count('alert', scopes),
    views.count('incident', scopes),
    views.count('run', scopes),
    views.count('page', scopes),
    views.count('silence', scopes),
    views.count('approval', scopes),
    deadLetters.count(endpointsSeen(deps, scopes).endpoints),
  ]);
  const frozen = frozenNow(deps.frozen(), deps) ?? (await frozenElsewhere(deps));
  return { alerts, incidents, runs, pages, silences, approvals, deadLetters: letters, frozen, version: deps.version };
}

/**
 * As the read model of all partitions has it: a process that decides no partition answers by it.
 * It belongs to no scope and holds in every one, so every caller is told.
 */
async function frozenElsewhere(deps: HttpDeps): Promise<SummaryAnswer['frozen']> {
  const { items } = await deps.store.views.list({ kind: 'partition', scopes: 'all', states: ['frozen'], limit: 1 });
  const [first] = items;
  return first === undefined ? null : frozenNow({ ...first, by: first.by ?? '', reason: first.reason ?? '' }, deps);
}

function frozenNow(frozen: Frozen | null, { clock }: Pick<HttpDeps, 'clock'>): SummaryAnswer['frozen'] {
  const freezes = freezesOf(frozen, clock.now());
  const [oldest] = freezes;
  return oldest === undefined ? null : { by: oldest.by, reason: oldest.reason, freezes };
}

// ---------------------------------------------------------------- playbooks

/** They belong to no scope: their words and targets may name any. */
function playbookRoutes({ policy }: HttpDeps): readonly Route[] {
  return [
    json({
      method: 'get',
      path: '/api/v1/playbooks',
      access: 'read',
      scope: 'all',
      tag: 'playbooks',
      summary: 'List the playbooks of the policy in force',
      answers: { 200: answer('Name, version, mode, owner and digest of each.', 'Playbooks') },
      handle() {
        const items = policy().playbooks.map(({ name, version, summary, owner, mode, digest }): PlaybookLine => ({
          name,
          version,
          summary,
          owner,
          mode,
          digest,
        }));
        const body: Listed<PlaybookLine> = { items, next: null };
        return { status: 200, body };
      },
    }),
    json({
      method: 'get',
      path: '/api/v1/playbooks/:name',
      access: 'read',
      scope: 'all',
      tag: 'playbooks',
      summary: 'Show one playbook as it was loaded',
      answers: { 200: answer('The playbook.', 'Playbook'), 404: refusal('No such playbook.') },
      handle(call) {
        const playbook = policy().playbooks.find(({ name }) => name === param(call, 'name'));
        if (playbook === undefined) throw new GatewayError('not_found', 'no such playbook');
        return { status: 200, body: playbook };
      },
    }),
  ];
}

// ---------------------------------------------------------------- configuration

function reloadRoute({ reload }: HttpDeps): Route {
  return json({
    method: 'post',
    path: '/api/v1/reload',
    access: 'admin',
    scope: 'all',
    tag: 'gateway',
    summary: 'Read the configuration and its playbooks again, and put them in force',
    body: object({}),
    answers: {
      200: answer('They are in force, or on their way to the log.', 'Reload'),
      409: answer('Nothing was changed: they do not load, need a restart, or could not be published.', 'Reload'),
    },
    async handle() {
      const body: ReloadAnswer = await reload();
      return { status: body.outcome === 'reloaded' || body.outcome === 'unchanged' ? 200 : 409, body };
    },
  });
}

// ---------------------------------------------------------------- emergency stop

function stopRoutes({ intake, clock }: HttpDeps): readonly Route[] {
  return [
    json<null, { readonly reason: string; readonly until?: number }>({
      method: 'post',
      path: '/api/v1/freeze',
      access: 'operate',
      scope: 'all',
      tag: 'gateway',
      summary: 'Emergency stop: no action starts any more, in any scope, until its end or until thawed; people are still paged',
      body: object(
        {
          reason: { type: 'string', minLength: 1, maxLength: 1_000 },
          until: {
            type: 'integer',
            minimum: 0,
            maximum: 8_640_000_000_000_000,
            description:
              'Its end, in milliseconds since 1970, UTC; without it, until thawed. One that is given again by the same caller for the same reason moves its end.',
          },
        },
        ['reason'],
      ),
      answers: durable,
      async handle({ body, actor }) {
        if (body.until !== undefined && body.until <= clock.now()) throw new GatewayError('invalid_request', 'body/until must lie ahead');
        await intake.submit({ type: 'CommandGiven', scope: everyScope, by: actor, command: { name: 'freeze', ...body } });
        return taken;
      },
    }),
    json({
      method: 'post',
      path: '/api/v1/thaw',
      access: 'admin',
      scope: 'all',
      tag: 'gateway',
      summary: 'Lift the emergency stop',
      body: object({}),
      answers: durable,
      async handle({ actor }) {
        await intake.submit({ type: 'CommandGiven', scope: everyScope, by: actor, command: { name: 'thaw' } });
        return taken;
      },
    }),
  ];
}

// ---------------------------------------------------------------- health and figures

function healthRoutes(deps: HttpDeps, draining: () => boolean): readonly Route[] {
  const readiness = createReadiness(deps, draining);
  const common = { method: 'get', tag: 'health' } as const;
  return [
    json({
      ...common,
      path: '/healthz',
      access: 'open',
      scope: 'none',
      summary: 'Whether the process lives',
      answers: { 200: answer('It does.', 'Alive') },
      handle: () => ({ status: 200, body: { status: 'alive' } }),
    }),
    json({
      ...common,
      path: '/readyz',
      access: 'open',
      scope: 'none',
      summary: 'Whether work should be sent here',
      answers: { 200: answer('Yes; a check may add a note.', 'Ready'), 503: answer('No; the failing checks are named.', 'Ready') },
      async handle() {
        const body = await readiness();
        return { status: body.status === 'ready' ? 200 : 503, body };
      },
    }),
    {
      ...common,
      kind: 'raw',
      path: '/metrics',
      line: 'figures',
      access: deps.metricsAccess,
      // They tell of every scope together.
      scope: deps.metricsAccess === 'open' ? 'none' : 'all',
      summary: 'Counters and gauges as text',
      answers: { 200: { says: 'The text exposition format, version 0.0.4.', content: { 'text/plain': text } } },
      async serve(_req, res) {
        const scraped = await deps.metrics.scrape();
        res.writeHead(200, { 'content-type': scraped.type });
        res.end(scraped.text);
      },
    },
  ];
}
