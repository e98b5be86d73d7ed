// What to ask of each operation of the served document, made from the document itself, so that a new route is asked, too.
// A parameter or body that is not known here fails the test that asks, and says so.
import assert from 'node:assert/strict';
import { reportNames } from '../../src/readmodel/reports/report.ts';
import { scopeOf, type Ids, type Tenant, type TwoTenants } from './two-tenants.ts';

export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly role: string;
  readonly scope: 'own' | 'all' | 'none';
  readonly parameters: readonly { readonly name: string; readonly in: 'path' | 'query' }[];
  readonly hasBody: boolean;
  readonly responses: { readonly [status: string]: { readonly content?: { readonly [media: string]: { readonly schema: object } } } };
}

export interface Request {
  readonly path: string;
  /** What the path names, and words of the tenant in the query: an answer may repeat them. */
  readonly names: readonly string[];
  readonly body?: object;
}

interface Document {
  readonly paths: {
    readonly [path: string]: {
      readonly [method: string]: Omit<Operation, 'method' | 'path' | 'role' | 'scope' | 'hasBody'> & {
        readonly 'x-quench-role'?: string;
        readonly 'x-quench-scope'?: Operation['scope'];
        readonly requestBody?: object;
      };
    };
  };
}

/** Every operation of the document. Deliveries have no role: their senders are no callers of the API. */
export async function operationsOf(world: TwoTenants): Promise<readonly Operation[]> {
  const { paths } = await world.json<Document>('/api/v1/openapi.json');
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, { parameters = [], responses, requestBody, ...rest }]) => ({
      method: method.toUpperCase(),
      path,
      role: rest['x-quench-role'] ?? 'sender',
      scope: rest['x-quench-scope'] ?? 'none',
      parameters,
      responses,
      hasBody: requestBody !== undefined,
    })),
  );
}

/** Requests about one tenant's things: each of its ids, each topic and partition; and each filter of a list, with words of the tenant. */
export function requestsOf(operation: Operation, tenant: Tenant, ids: Ids): readonly Request[] {
  const plain = pathsOf(operation, ids).map(({ path, names }) => ({ path: everyState(operation, path), names }));
  const filtered = plain.flatMap((request) =>
    operation.parameters
      .filter((each) => each.in === 'query')
      .flatMap(({ name }) =>
        filterOf(operation, name, tenant, ids).map((value) => ({
          path: `${request.path}${request.path.includes('?') ? '&' : '?'}${name}=${encodeURIComponent(value)}`,
          names: value.includes(tenant) ? [...request.names, value] : request.names,
        })),
      ),
  );
  const body = operation.hasBody ? bodyOf(operation, tenant) : null;
  if (body === null) return [...plain, ...filtered];
  const echoed = 'scope' in body ? [scopeOf(tenant)] : [];
  return [...plain, ...filtered].map(({ path, names }) => ({ path, names: [...names, ...echoed], body }));
}

/** Commands that end what they are given: each gets a thing of its own. */
const ending: readonly string[] = ['/api/v1/runs/{id}/approve', '/api/v1/runs/{id}/deny', '/api/v1/runs/{id}/cancel'];

const endingSilences: readonly string[] = ['/api/v1/silences/{id}', '/api/v2/silence/{id}'];

/** The same for somebody who may do it: commands go to things that can take them. */
export function commandsOf(operation: Operation, tenant: Tenant, ids: Ids): readonly Request[] {
  const place = ending.indexOf(operation.path);
  const silence = operation.method === 'DELETE' ? endingSilences.indexOf(operation.path) : -1;
  if (silence >= 0) return requestsOf(operation, tenant, { ...ids, silences: ids.silences.slice(silence, silence + 1) });
  return requestsOf(operation, tenant, place < 0 ? ids : { ...ids, runs: ids.waiting.slice(place, place + 1) });
}

/** Questions first, then what ends runs, then what ends incidents. */
export function inOrder(operations: readonly Operation[]): readonly Operation[] {
  const rank = ({ method, path }: Operation): number =>
    method === 'GET' ? 0 : ending.includes(path) ? 1 : path.endsWith('/resolve') ? 3 : 2;
  return operations.toSorted((a, b) => rank(a) - rank(b));
}

/** Lists that hide something unless asked. */
function everyState({ path }: Operation, filled: string): string {
  return path === '/api/v1/incidents' ? `${filled}?children=show` : filled;
}

function pathsOf({ path }: Operation, ids: Ids): readonly Pick<Request, 'path' | 'names'>[] {
  const [, parameter] = /\{(\w+)\}/.exec(path) ?? [];
  if (parameter === undefined) return [{ path, names: [] }];
  const filled = (values: readonly string[]): readonly Pick<Request, 'path' | 'names'>[] =>
    values.map((value) => ({ path: path.replace(`{${parameter}}`, encodeURIComponent(value)), names: [value] }));
  const noun = path === '/api/v2/silence/{id}' ? 'silences' : /^\/api\/v1\/(\w+)\/\{id\}/.exec(path)?.[1];
  if (noun !== undefined && noun !== 'waiting' && Object.hasOwn(ids, noun)) return filled(ids[noun as keyof Ids]); // its own key
  switch (path) {
    case '/api/v1/playbooks/{name}':
      return filled(['ask']);
    case '/api/v1/reports/{name}':
      return filled([...reportNames]);
    case '/api/v1/log/{topic}/{partition}':
      return ['inputs', 'facts'].flatMap((topic) =>
        [0, 1, 2, 3, 4, 5, 6, 7].map((partition) => ({
          path: path.replace('{topic}', topic).replace('{partition}', String(partition)),
          names: [],
        })),
      );
    default:
      return assert.fail(`${path}: say in test/http/asking.ts what to put for {${parameter}}`);
  }
}

function filterOf({ path }: Operation, name: string, tenant: Tenant, ids: Ids): readonly string[] {
  switch (name) {
    case 'state':
      return path === '/api/v1/incidents' ? ['open,acknowledged,resolved', 'resolved'] : [];
    case 'text':
    case 'filter':
      return name === 'text' ? [tenant] : [`team="${tenant}-crew"`];
    case 'match':
      return [`team="${tenant}-crew"`, `host=~"${tenant}.*"`];
    case 'host':
      return [`${tenant}-stuck`];
    case 'incident':
      return ids.incidents;
    case 'parent':
      return ids.incidents;
    case 'run':
      return ids.runs;
    case 'target':
      return [`host/${tenant}-slow`];
    case 'zone':
      return ['Europe/Berlin'];
    case 'raw':
      return ['true'];
    case 'call':
      return ['steps/act/1'];
    case 'severity':
      return ['critical'];
    case 'source':
      return ['prometheus'];
    case 'name':
      return ['Stuck'];
    case 'sort':
      return ['worst', 'newest'];
    case 'playbook':
      return ['ask'];
    case 'end':
      return ['failed'];
    case 'storm':
      return ['true'];
    case 'children':
      return ['hide'];
    case 'since':
    case 'from':
      return ['0'];
    case 'until':
      return ['2100-01-01T00:00:00Z'];
    case 'limit':
      return ['1'];
    case 'service': // no alert here has one
    case 'after': // comes of an answer
    case 'active':
    case 'silenced':
    case 'inhibited':
    case 'muted':
    case 'unprocessed':
    case 'receiver':
      return [];
    default:
      return assert.fail(`${path}: say in test/http/asking.ts what to ask for by ?${name}`);
  }
}

function bodyOf({ path }: Operation, tenant: Tenant): object {
  const matchers = [{ name: 'team', op: '=', value: `${tenant}-crew` }];
  switch (path) {
    case '/api/v2/silences':
      return {
        matchers: [{ name: 'team', value: `${tenant}-crew`, isRegex: false }],
        startsAt: '2026-01-01T00:00:00Z',
        endsAt: new Date(Date.now() + 3_600_000).toISOString(),
        createdBy: 'a person',
        comment: 'a test',
      };
    case '/api/v1/freeze':
      return { reason: 'a test' };
    case '/api/v1/incidents/{id}/note':
      return { text: `${tenant} once more` };
    case '/api/v1/silences':
      return { scope: scopeOf(tenant), matchers, endsAt: Date.now() + 60_000, comment: `${tenant} once more` };
    case '/api/v1/silences/preview':
      return { scope: scopeOf(tenant), matchers };
    default:
      return {};
  }
}
