// What the routes of the alerts API, version 2, share: the filters of a question, and words of its schemas.
import type { Matcher } from '../../src/core/alert/labels.ts';
import { matcherIn, matcherProblem } from '../../src/core/alert/matchers.ts';
import { GatewayError } from '../../src/core/errors.ts';
import type { RouteDeps } from '../../src/ports/routes.ts';

export const dateTime = { type: 'string', format: 'date-time' } as const;

export const filter = {
  type: 'array',
  maxItems: 20,
  items: { type: 'string', maxLength: 600 },
  description: 'Matchers like `severity="critical"`',
} as const;

/** The matchers of a query that the schema above admitted, or `invalid_request`. */
export function filtersOf(query: { readonly [name: string]: unknown }, { patternProblem }: RouteDeps): readonly Matcher[] {
  return ((query['filter'] ?? []) as readonly string[]).map((text) => {
    const read = matcherIn(text);
    if (!read.ok) throw new GatewayError('invalid_request', `query/filter: ${read.error}`);
    const wrong = matcherProblem(read.value, patternProblem);
    if (wrong !== null) throw new GatewayError('invalid_request', `query/filter: ${wrong}`);
    return read.value;
  });
}
