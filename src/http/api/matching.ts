// Matchers that come with a request: read and refused at the door, and what they may cost while they are asked.
//   P1  The patterns of one request have a bounded number of steps together; the one that spends them is named in the refusal.
//   P2  Walks over alerts go in slices: after each the event loop is given back, so that nobody else waits for a slow question.
import {
  boundedBy,
  matchesAll,
  newBudget,
  type MatchBudget,
  type Matcher,
  type PatternEngine,
  type PatternTest,
} from '../../core/alert/labels.ts';
import { matcherIn, matcherProblem } from '../../core/alert/matchers.ts';
import { GatewayError } from '../../core/errors.ts';
import { giveWay } from '../../engine/async/turns.ts';
import type { ViewPage, Views } from '../../ports/views.ts';
import type { AlertDocument } from '../../readmodel/documents.ts';
import type { ScopeFilter } from '../../readmodel/query.ts';

/** Of a list, which a store answers in one go. */
export const listStepsMax = 2_000_000;
/** Of a question that walks over all that fires, in slices. */
export const walkStepsMax = 40_000_000;
/** A slice ends after so many steps, or after so many alerts. */
export const sliceSteps = 250_000;
const sliceAlerts = 100;

/** `where` is the place in the request that is named when it is refused: `query/match`. */
export function matchersOf(
  where: string,
  given: readonly string[],
  patternProblem: (pattern: string) => string | null,
): readonly Matcher[] {
  return given.map((text): Matcher => {
    const read = matcherIn(text);
    if (!read.ok) throw new GatewayError('invalid_request', `${where}: ${read.error}`);
    const wrong = matcherProblem(read.value, patternProblem);
    if (wrong !== null) throw new GatewayError('invalid_request', `${where}: ${wrong}`);
    return read.value;
  });
}

/** P1: throws `invalid_request` once the patterns of this request cost more than the budget together, or one of them too much for one value. */
export function boundedIn(where: string, engine: PatternEngine, budget: MatchBudget): PatternTest {
  const test = boundedBy(budget, engine);
  return (pattern, value) => {
    const passed = test(pattern, value);
    if (budget.spentBy === null) return passed;
    const seen = pattern.length > 80 ? `${pattern.slice(0, 80)}…` : pattern;
    throw new GatewayError(
      'invalid_request',
      `${where}: the pattern ${JSON.stringify(seen)} (${engine.patternSize(pattern)} steps a character) takes more work than a request may: ` +
        'lower the counts in {…}, or ask for fewer alerts by a matcher with =',
    );
  };
}

export interface FiringQuestion {
  /** The place in the request that is named when it is refused: `query/filter`. */
  readonly where: string;
  readonly scopes: ScopeFilter;
  /** All must agree; none asks for nothing. */
  readonly matchers: readonly Matcher[];
}

/** P2: the alerts that fire in the scopes and agree with every matcher, newest first; all of them are asked. `others` is told of the rest. */
export async function firingThat(
  views: Pick<Views, 'list'>,
  engine: PatternEngine,
  { where, scopes, matchers }: FiringQuestion,
  take: (alert: AlertDocument) => void,
  others?: (alert: AlertDocument, test: PatternTest) => void,
): Promise<void> {
  const budget = newBudget(walkStepsMax);
  const test = boundedIn(where, engine, budget);
  let after: string | null = null;
  do {
    const { items, next }: ViewPage<'alert'> = await views.list({
      kind: 'alert',
      scopes,
      states: ['firing'],
      limit: sliceAlerts,
      ...(after === null ? {} : { after }),
    });
    let began = budget.left;
    for (const alert of items) {
      if (matchers.length === 0 || matchesAll(matchers, alert, test)) take(alert);
      else others?.(alert, test);
      if (began - budget.left < sliceSteps) continue;
      await giveWay();
      began = budget.left;
    }
    after = next;
    await giveWay();
  } while (after !== null);
}
