// The gateway itself: counts, playbooks in force, the emergency stop, and whether it lives and is ready.
import { GatewayError } from '../../core/errors.ts';
import { everyScope } from '../../core/stamp.ts';
import { second, type Millis } from '../../core/time.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Views } from '../../ports/views.ts';
import { documentKinds } from '../../readmodel/documents.ts';
import type { Check, HttpDeps } from '../deps.ts';
import { json, object, type Route } from '../route.ts';
import { callersScopes, param, taken } from './view.ts';

/** What people list: a partition is only asked whether it is frozen. */
const listed = documentKinds.filter((kind) => kind !== 'partition');
const checkMs: Millis = 2 * second;

export function gatewayRoutes(deps: HttpDeps, draining: () => boolean): readonly Route[] {
  const { store, intake, policy, metrics } = deps;
  const readiness = createReadiness(deps);
  return [
    json({
      method: 'get',
      path: '/api/v1/summary',
      access: 'read',
      tag: 'gateway',
      summary: 'Counts of everything by state, and the emergency stop if it is in force',
      answers: { 200: 'The counts; `frozen` is null, or who gave the stop and why.' },
      async handle() {
        const counts = await Promise.all(listed.map(async (kind) => [`${kind}s`, await store.views.count(kind, callersScopes)] as const));
        return {
          status: 200,
          body: {
            ...Object.fromEntries(counts),
            deadLetters: await store.deadLetters.count(),
            frozen: deps.frozen() ?? (await frozenIn(store.views)),
            version: deps.version,
          },
        };
      },
    }),
    json({
      method: 'get',
      path: '/api/v1/playbooks',
      access: 'read',
      tag: 'playbooks',
      summary: 'List the playbooks of the policy in force',
      answers: { 200: 'Name, version, mode, owner and digest of each.' },
      handle() {
        const items = policy().playbooks.map(({ name, version, summary, owner, mode, digest }) => ({
          name,
          version,
          summary,
          owner,
          mode,
          digest,
        }));
        return { status: 200, body: { items, next: null } };
      },
    }),
    json({
      method: 'get',
      path: '/api/v1/playbooks/:name',
      access: 'read',
      tag: 'playbooks',
      summary: 'Show one playbook as it was loaded',
      answers: { 200: 'The playbook.', 404: 'No such playbook.' },
      handle(call) {
        const playbook = policy().playbooks.find(({ name }) => name === param(call, 'name'));
        if (playbook === undefined) throw new GatewayError('not_found', 'no such playbook');
        return { status: 200, body: playbook };
      },
    }),
    json<null, { readonly reason: string }>({
      method: 'post',
      path: '/api/v1/freeze',
      access: 'operate',
      tag: 'gateway',
      summary: 'Emergency stop: no action starts any more, in any scope, until thawed; people are still paged',
      body: object({ reason: { type: 'string', minLength: 1, maxLength: 1_000 } }, ['reason']),
      answers: { 202: 'Durable.' },
      async handle({ body, actor }) {
        await intake.submit({ type: 'CommandGiven', scope: everyScope, by: actor, command: { name: 'freeze', reason: body.reason } });
        return taken;
      },
    }),
    json({
      method: 'post',
      path: '/api/v1/thaw',
      access: 'admin',
      tag: 'gateway',
      summary: 'Lift the emergency stop',
      body: object({}),
      answers: { 202: 'Durable.' },
      async handle({ actor }) {
        await intake.submit({ type: 'CommandGiven', scope: everyScope, by: actor, command: { name: 'thaw' } });
        return taken;
      },
    }),
    json({
      method: 'get',
      path: '/healthz',
      access: 'open',
      tag: 'health',
      summary: 'Whether the process lives',
      answers: { 200: 'It does.' },
      handle: () => ({ status: 200, body: { status: 'alive' } }),
    }),
    json({
      method: 'get',
      path: '/readyz',
      access: 'open',
      tag: 'health',
      summary: 'Whether work should be sent here',
      answers: { 200: 'Yes; a check may add a note.', 503: 'No; the failing checks are named.' },
      async handle() {
        const checks = await readiness();
        const ready = !draining() && checks.every(({ ok }) => ok);
        return { status: ready ? 200 : 503, body: { status: ready ? 'ready' : draining() ? 'draining' : 'not ready', checks } };
      },
    }),
    {
      kind: 'raw',
      method: 'get',
      path: '/metrics',
      access: deps.metricsAccess,
      tag: 'health',
      summary: 'Counters and gauges as text',
      answers: { 200: 'The text exposition format, version 0.0.4.' },
      async serve(_req, res) {
        const { type, text } = await metrics.scrape();
        res.writeHead(200, { 'content-type': type });
        res.end(text);
      },
    },
  ];
}

/** As the read model of all partitions has it: one that decides no partition answers by it. */
async function frozenIn(views: Views): Promise<ReturnType<HttpDeps['frozen']>> {
  const [first] = (await views.list({ kind: 'partition', scopes: [everyScope], states: ['frozen'], limit: 1 })).items;
  return first === undefined ? null : { by: first.by ?? '', reason: first.reason ?? '' };
}

type Checked = readonly { readonly name: string; readonly ok: boolean; readonly note?: string }[];

/** Asks all checks at once, each with a deadline; anybody may ask, so an answer is good for a second, and what is wrong goes to the log only; a check's note is made for everybody. */
function createReadiness({ checks, clock, log }: HttpDeps): () => Promise<Checked> {
  let held: { readonly at: Millis; readonly answer: Promise<Checked> } | null = null;
  async function ask(check: Check): Promise<Checked[number]> {
    const wrong = await wrongWith(check, clock);
    if (wrong !== null) log.warn({ check: check.name, wrong }, 'not ready');
    const note = check.note?.() ?? null;
    return { name: check.name, ok: wrong === null, ...(note === null ? {} : { note }) };
  }
  return () => {
    const at = clock.steady();
    if (held === null || at - held.at > second) held = { at, answer: Promise.all(checks.map(ask)) };
    return held.answer;
  };
}

async function wrongWith(check: Check, clock: Clock): Promise<string | null> {
  const late = Promise.withResolvers<string>();
  const cancel = clock.after(checkMs, () => late.resolve(`no answer within ${checkMs} ms`));
  try {
    return await Promise.race([check.check(), late.promise]);
  } catch (error) {
    return error instanceof Error ? error.message : 'the check failed';
  } finally {
    cancel();
  }
}
