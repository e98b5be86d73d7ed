// Who may see and do what, by scope. Denied unless allowed: what belongs to no scope is for callers of every scope only.
// A scope is a tenant, or a tenant with label values (`acme;team=db`); engine/intake/scope.ts writes them. A token names its scopes one by
// one: by a pattern it would see scopes that nobody thought of when it was made.
//   A3  A thing of a scope that the caller does not see is answered as if it were not there.
import { GatewayError } from '../core/errors.ts';
import { sees, type ScopeFilter } from '../readmodel/query.ts';

/**
 * The scope that a command is meant for: the one that is named, else the gateway's own, else the only one of the caller.
 * Throws `not_found` for a scope that the caller does not see (A3), `invalid_request` when it must be named.
 */
export function scopeMeant(scopes: ScopeFilter, named: string | undefined, own: string): string {
  if (named !== undefined) {
    if (!sees(scopes, named)) throw new GatewayError('not_found', `no scope ${named.slice(0, 100)}`);
    return named;
  }
  if (sees(scopes, own)) return own;
  const [only, ...others] = scopes === 'all' ? [own] : scopes;
  if (only !== undefined && others.length === 0) return only;
  throw new GatewayError('invalid_request', 'body/scope must name one of the scopes of your token');
}
