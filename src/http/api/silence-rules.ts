// What is refused of a silence at the door, whichever API it comes by: what is too wide, too long, too much work or one too many.
import { asksPattern, matchesAll, newBudget, type Matcher } from '../../core/alert/labels.ts';
import { matcherProblem, matcherText } from '../../core/alert/matchers.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Silence } from '../../core/mute/facts.ts';
import { silencesMax } from '../../core/mute/silence.ts';
import { findingMatcher } from '../../core/mute/silences.ts';
import { day, type Instant } from '../../core/time.ts';
import type { SilenceDocument } from '../../readmodel/documents.ts';
import { giveWay } from '../../engine/async/turns.ts';
import type { ViewPage } from '../../ports/views.ts';
import type { HttpDeps } from '../deps.ts';
import { boundedIn, listStepsMax } from './matching.ts';

/** Sizes of pattern programs: of one silence, and of all in a scope that have no matcher with `=`. */
const silenceSizeMax = 1_000;
const scopeSizeMax = 30_000;
const longestMs = 366 * day;

export function refuseBadSpan({ startsAt, endsAt }: { readonly startsAt?: Instant; readonly endsAt: Instant }, now: Instant): void {
  if (endsAt <= Math.max(startsAt ?? now, now)) throw new GatewayError('invalid_request', 'body/endsAt must lie ahead, and after startsAt');
  if (endsAt - now > longestMs) throw new GatewayError('invalid_request', 'body/endsAt must lie within a year');
}

/** At least one matcher must ask for something: `!=`, `!~` or `.*` alone would mute everything, also what comes later. */
export function refuseTooWide(matchers: readonly Matcher[], engine: HttpDeps['expressions']): void {
  for (const matcher of matchers) {
    const wrong = matcherProblem(matcher, engine.patternProblem);
    if (wrong !== null) throw new GatewayError('invalid_request', `body/matchers: ${wrong}`);
  }
  const size = sizeOf(matchers, engine);
  if (size > silenceSizeMax) {
    const worst = matchers.filter(asksPattern).toSorted((a, b) => engine.patternSize(b.value) - engine.patternSize(a.value))[0];
    throw new GatewayError(
      'invalid_request',
      `body/matchers: the patterns of one silence may take ${silenceSizeMax} steps a character together, seen ${size}, most of them by ` +
        `${worst === undefined ? '' : matcherText(worst)}: lower the counts in {…}, or make several silences`,
    );
  }
  const test = boundedIn('body/matchers', engine, newBudget(listStepsMax));
  if (matchers.every((matcher) => matchesAll([matcher], { labels: {} }, test))) {
    throw new GatewayError('invalid_request', 'body/matchers: one of them must not match the empty text');
  }
}

/** Silences whose patterns are looked at before the event loop is given back. */
const sizedAtOnce = 20;

function sizeOf(matchers: readonly Matcher[], engine: HttpDeps['expressions']): number {
  return matchers.reduce((sum, matcher) => sum + (asksPattern(matcher) ? engine.patternSize(matcher.value) : 0), 0);
}

/** S4 in core/mute/silence.ts; and what every alert of the scope is asked for must stay within a turn's budget. */
export async function refuseTooMany({ store, expressions }: HttpDeps, scope: string, { id, matchers }: Silence): Promise<void> {
  let count = 0;
  let sized = 0;
  let size = findingMatcher(matchers) === null ? sizeOf(matchers, expressions) : 0;
  let after: string | null = null;
  do {
    const { items, next }: ViewPage<'silence'> = await store.views.list({
      kind: 'silence',
      scopes: [scope],
      states: ['active'],
      limit: 200,
      ...(after === null ? {} : { after }),
    });
    for (const known of items) {
      if (known.id === id) continue;
      count += 1;
      if (findingMatcher(known.matchers) !== null) continue;
      size += sizeOf(known.matchers, expressions);
      sized += 1;
      if (sized % sizedAtOnce === 0) await giveWay();
    }
    after = next;
    await giveWay();
  } while (after !== null && count < silencesMax);
  if (count >= silencesMax) {
    throw new GatewayError('state_conflict', `scope ${scope} has ${silencesMax} silences, and no more are taken: quench silence expire ID`);
  }
  if (size > scopeSizeMax) {
    throw new GatewayError(
      'state_conflict',
      `the patterns that are asked of every alert in scope ${scope} may take ${scopeSizeMax} steps a character together, with this silence ` +
        `${size}: give it a matcher with =, or expire others`,
    );
  }
}

/** A silence as it stands in the read model, as the log says it. */
export function silenceIn({ id, matchers, startsAt, endsAt, untilResolved, by, comment }: SilenceDocument): Silence {
  return { id, matchers, startsAt, endsAt, untilResolved, by, comment };
}
