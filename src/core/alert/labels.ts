// Labels, the matchers that select by them, and what a match may cost.
// A matcher never sees a regular expression engine: patterns come in from outside, with the size of their program. Work is counted in steps
// (size of the program × characters of the value), never in time, so that the same question has the same answer everywhere.
//   M4  A pattern whose work cannot be afforded fits no value, whether it asks for (=~) or excludes (!~): who cannot be sure mutes nothing.
//   M5  Beside labels a matcher sees what every alert has, whatever its source: the parts of its entity, its name (as `alertname`), its
//       severity and its source. A label of that name counts, too: either fits, and `!=` and `!~` need that neither does.
//   M6  A value that was cut when it was received is compared with the matcher's value cut the same way.
import type { Entity } from './event.ts';

export type Labels = Readonly<Record<string, string>>;

export type MatchOp = '=' | '!=' | '=~' | '!~';

/** One condition on one label; a missing label reads as the empty text, as in Alertmanager. */
export interface Matcher {
  readonly name: string;
  readonly op: MatchOp;
  readonly value: string;
}

/** What matchers select by. */
export interface Matchable {
  readonly labels: Labels;
  readonly entity?: Entity;
  readonly name?: string;
  readonly severity?: string;
  readonly source?: string;
}

/** Tests a whole value against an anchored pattern in time linear in the value. Null: it cannot be afforded, or the pattern is none (M4). */
export type PatternTest = (pattern: string, value: string) => boolean | null;

/** What tests patterns, with the size of each program: what one step more costs is known before it is taken. */
export interface PatternEngine {
  pattern(pattern: string, value: string): boolean;
  /** Instructions of the compiled pattern; infinite for one that is not accepted. */
  patternSize(pattern: string): number;
}

/** Steps that are left to whoever asks; the last matcher that could not be afforded. */
export interface MatchBudget {
  left: number;
  spentBy: string | null;
}

/** Of one test: at most about 8 ms on the slowest patterns there are. */
export const matchStepsMax = 100_000;

/** Label values are cut to so many characters when they are received. */
export const labelValueCharsMax = 1_024;

export function newBudget(steps: number): MatchBudget {
  return { left: steps, spentBy: null };
}

/** Tests patterns as long as the budget lasts; null for what it cannot afford, and `spentBy` names it. */
export function boundedBy(budget: MatchBudget, engine: PatternEngine): PatternTest {
  return (pattern, value) => {
    const size = engine.patternSize(pattern);
    if (size === Number.POSITIVE_INFINITY) return null;
    const steps = size * (value.length + 1);
    if (steps > matchStepsMax || steps > budget.left) {
      budget.spentBy = pattern;
      return null;
    }
    budget.left -= steps;
    return engine.pattern(pattern, value);
  };
}

/** True when every matcher agrees with the alert. No matcher matches nothing: empty must never mean all. */
export function matchesAll(matchers: readonly Matcher[], alert: Matchable, pattern: PatternTest): boolean {
  if (matchers.length === 0) return false;
  // What is compared is asked before what is searched: it costs least and decides most.
  return (
    matchers.every((matcher) => asksPattern(matcher) || matchesOne(matcher, alert, pattern)) &&
    matchers.every((matcher) => !asksPattern(matcher) || matchesOne(matcher, alert, pattern))
  );
}

export function asksPattern({ op }: Matcher): boolean {
  return op === '=~' || op === '!~';
}

export function matchesOne(matcher: Matcher, alert: Matchable, pattern: PatternTest): boolean {
  const values = valuesOf(alert, matcher.name);
  const { op, value } = matcher;
  switch (op) {
    case '=':
      return values.some((seen) => seen === value || seen === clipValue(value));
    case '!=':
      return values.every((seen) => seen !== value && seen !== clipValue(value));
    case '=~':
      return values.some((seen) => pattern(value, seen) === true);
    case '!~':
      return values.every((seen) => pattern(value, seen) === false);
  }
}

/** What an alert has under a name: its label, and what Quench knows by itself (M5); the empty text when it has neither. */
export function valuesOf(alert: Matchable, name: string): readonly string[] {
  const label = Object.hasOwn(alert.labels, name) ? (alert.labels[name] ?? '') : '';
  const known = knownOf(alert, name);
  if (known === '' || known === label) return [label];
  return label === '' ? [known] : [label, known];
}

const knownNames = ['host', 'ip', 'service', 'pod', 'namespace', 'cluster', 'alertname', 'severity', 'source'] as const;

/** Every name under which the alert may have a value; some may come twice. */
export function namesOf(alert: Matchable): readonly string[] {
  return [...Object.keys(alert.labels), ...knownNames];
}

function knownOf({ entity, name, severity, source }: Matchable, asked: string): string {
  switch (asked) {
    case 'host':
    case 'ip':
    case 'service':
    case 'pod':
    case 'namespace':
    case 'cluster':
      return entity?.[asked] ?? '';
    case 'alertname':
      return name ?? '';
    case 'severity':
      return severity ?? '';
    case 'source':
      return source ?? '';
    default:
      return '';
  }
}

/** A label's value as it is kept: whole, or cut with `…` at its end (M6). */
export function clipValue(text: string, charsMax: number = labelValueCharsMax): string {
  return text.length <= charsMax ? text : `${text.slice(0, charsMax - 1).toWellFormed()}…`;
}
