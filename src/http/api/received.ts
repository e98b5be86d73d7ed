// Deliveries as they were received, dead letters among them: who may see one.
//   D1  A body belongs to its endpoint's tenant as a whole, since it may hold alerts of each of the tenant's scopes, or of none that was understood:
//       it is seen by who sees the scope that is the tenant alone. Where alerts are parted by labels, a team's token sees no bodies.
//   D2  What came by an endpoint that is no longer configured belongs to nobody: it is seen by callers of every scope only.
import { sees, type ScopeFilter } from '../../readmodel/query.ts';
import type { HttpDeps } from '../deps.ts';

type Tenants = Pick<HttpDeps, 'tenantScopes'>;

/** Whether the caller may see what came by the endpoint. */
export function seesEndpoint({ tenantScopes }: Tenants, endpoint: string, scopes: ScopeFilter): boolean {
  if (scopes === 'all') return true;
  const scope = tenantScopes.get(endpoint);
  return scope !== undefined && sees(scopes, scope); // D2
}

/** The endpoints of which the caller may see letters, to ask the store by; `{}` for all. */
export function endpointsSeen({ tenantScopes }: Tenants, scopes: ScopeFilter): { readonly endpoints?: readonly string[] } {
  if (scopes === 'all') return {};
  return { endpoints: [...tenantScopes].filter(([, scope]) => sees(scopes, scope)).map(([endpoint]) => endpoint) };
}

/** The endpoint of an input that came by one. */
export function endpointOf(value: unknown): string | null {
  const endpoint: unknown = typeof value === 'object' && value !== null && 'endpoint' in value ? value.endpoint : null;
  return typeof endpoint === 'string' ? endpoint : null;
}

/** The body behind the input at `partition:offset`; null when it is no longer kept, or not for this caller (D1). */
export async function rawOf(deps: Tenants & Pick<HttpDeps, 'store'>, input: string, scopes: ScopeFilter): Promise<string | null> {
  const { log } = deps.store;
  const [, partition, offset] = /^(\d{1,6}):(\d{1,15})$/.exec(input) ?? [];
  if (partition === undefined || offset === undefined) return null;
  if (scopes !== 'all') {
    const [record] = await log.read('inputs', Number(partition), Number(offset), 1);
    const endpoint = endpointOf(record?.value);
    if (record?.offset !== Number(offset) || endpoint === null || !seesEndpoint(deps, endpoint, scopes)) return null;
  }
  return log.raw('inputs', Number(partition), Number(offset));
}
