// Every answer of every route, on a gateway with real content, against the schema that the served document gives for it.
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, it } from 'node:test';
import type { LinkKind } from '../../src/http/door/links.ts';
import { commandsOf, inOrder, operationsOf, type Operation } from './asking.ts';
import { alertOf, openTwoTenants, tenants, type Answered, type TwoTenants } from './two-tenants.ts';

let world: TwoTenants;
let operations: readonly Operation[];
let ajv: Ajv2020;
before(async () => {
  world = await openTwoTenants();
  operations = await operationsOf(world);
  ajv = new Ajv2020({ strict: true, strictSchema: true, allowUnionTypes: true, validateFormats: false, allErrors: true });
  ajv.addVocabulary(['openapi', 'info', 'security', 'paths', 'components']); // of the document around the schemas
  ajv.addSchema(await world.json<object>('/api/v1/openapi.json'), 'openapi.json');
});
after(() => world.stop());

const [first, second] = tenants;
const linkOperations = ['GET /ack/{token}', 'POST /ack/{token}', 'GET /incident/{token}', 'GET /answer/{token}', 'POST /answer/{token}'];
/** Statuses that were answered, by operation. */
const answered = new Map<string, Set<string>>();
const nameOf = ({ method, path }: Pick<Operation, 'method' | 'path'>): string => `${method} ${path}`;
const operation = (name: string): Operation => operations.find((each) => nameOf(each) === name) ?? assert.fail(`no operation ${name}`);

/** Holds an answer against the document, and remembers that it came. */
function hold(of: Operation, { status, type, text }: Answered, from: string): void {
  const said = Object.hasOwn(of.responses, String(status)) ? String(status) : 'default';
  const [media = ''] = type.split(';');
  const check = checkOf(of, said, media);
  assert.ok(check !== null, `${from} answered ${status} as ${media}, which the document does not know`);
  const body: unknown = media.endsWith('json') ? JSON.parse(text) : text;
  assert.ok(check(body), `${from}: ${status} ${JSON.stringify(check.errors?.slice(0, 3))} in ${text.slice(0, 2_000)}`);
  answered.set(nameOf(of), (answered.get(nameOf(of)) ?? new Set()).add(said));
}

function checkOf(of: Operation, status: string, media: string): ValidateFunction | null {
  if (of.responses[status]?.content?.[media] === undefined) return null;
  const pointer = ['paths', of.path, of.method.toLowerCase(), 'responses', status, 'content', media, 'schema']
    .map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')))
    .join('/');
  return ajv.compile({ $ref: `openapi.json#/${pointer}` });
}

it('every answer is what the document says, and every success of every route came', async () => {
  const special = new Set(['POST /webhooks/{endpoint}', 'POST /api/v2/alerts', ...linkOperations, 'GET /api/v1/events']);
  for (const each of inOrder(operations).filter((one) => !special.has(nameOf(one)))) {
    for (const request of commandsOf(each, first, world.ids[first])) {
      const from = `${each.method} ${request.path}`;
      hold(each, await world.ask(each.method, request.path, 'admin', request.body), from);
      hold(each, await world.ask(each.method, request.path, null, request.body), from);
    }
  }
  await links();
  await deliveries();
  await stream();

  // A gateway that is well answers no 503 of its own.
  const successes = (each: Operation): readonly string[] => Object.keys(each.responses).filter((status) => Number(status) < 400);
  const missing = operations.flatMap((each) =>
    successes(each)
      .filter((status) => answered.get(nameOf(each))?.has(status) !== true)
      .map((status) => `${nameOf(each)} ${status}`),
  );
  assert.deepEqual(missing, []);
  for (const each of operations) {
    for (const [status, { content = {} }] of Object.entries(each.responses)) {
      assert.ok(Object.keys(content).length > 0, `${nameOf(each)} ${status} has no schema`);
    }
  }
});

async function links(): Promise<void> {
  for (const name of linkOperations) {
    const of = operation(name);
    const kind = /^\/(ack|incident|answer)\//.exec(of.path)?.[1] as LinkKind;
    // Which page the form stands for, as whoever opened it sends it.
    const [, shown = ''] = /name="page" value="([^"]*)"/.exec((await world.ask('GET', world.link(kind, second), null)).text) ?? [];
    const fields = { name: 'ada', answer: 'no', page: shown };
    const asking = (path: string): Promise<Answered> => (of.method === 'POST' ? world.submit(path, fields) : world.ask('GET', path, null));
    for (const [path, status] of [
      [world.link(kind, second), 200],
      [world.link(kind, second, { expiresInMs: -1 }), 410],
      [`/${kind}/nonsense`, 404],
    ] as const) {
      const answer = await asking(path);
      assert.equal(answer.status, status, `${name}: ${answer.text}`);
      hold(of, answer, name);
    }
    if (of.method !== 'POST') continue;
    hold(of, await world.submit(world.link(kind, second), { ...fields, name: ' ' }), name);
    hold(of, await world.submit(world.link(kind, second), { ...fields, name: 'ben' }), name);
    const unheard = await world.submit(world.link(kind, second, { incident: 'i1.none', run: 'r1.none' }), fields);
    assert.equal(unheard.status, 202);
    hold(of, unheard, name);
  }
}

const workflow = JSON.parse(readFileSync(new URL('../../adapters/newrelic/fixtures/workflow-activated.json', import.meta.url), 'utf8')) as {
  readonly body: object;
};

async function deliveries(): Promise<void> {
  const of = operation('POST /webhooks/{endpoint}');
  hold(of, await world.deliver(`${first}-hook`, alertOf(first, 'Odd', 'delivered'), 200), 'POST webhooks');
  hold(of, await world.deliver(`${first}-other`, workflow.body, 202), 'POST webhooks');
  hold(of, await world.deliver(`${first}-hook`, { not: 'alerts' }, 400), 'POST webhooks');
  hold(of, await world.deliver('nobody', {}, 404), 'POST webhooks');
  const direct = operation('POST /api/v2/alerts');
  const alerts = [{ labels: { alertname: 'Direct', team: `${first}-crew` } }];
  hold(direct, await world.sendAs('token-of-senders', 'POST', '/api/v2/alerts', alerts), 'POST alerts');
  hold(direct, await world.sendAs('wrong', 'POST', '/api/v2/alerts', alerts), 'POST alerts');
}

async function stream(): Promise<void> {
  const response = await fetch(`${world.url}/api/v1/events`, { headers: { authorization: 'Bearer token-of-admin' } });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const { value: text = '' } = (await reader?.read()) ?? {};
  await reader?.cancel();
  hold(operation('GET /api/v1/events'), { status: response.status, type: response.headers.get('content-type') ?? '', text }, 'GET events');
}
