// Labels and the matchers that select by them.
// A matcher never sees a regular expression engine: patterns are linear-time predicates that come in from outside.

export type Labels = Readonly<Record<string, string>>;

export type MatchOp = '=' | '!=' | '=~' | '!~';

/** One condition on one label; a missing label reads as the empty text, as in Alertmanager. */
export interface Matcher {
  readonly name: string;
  readonly op: MatchOp;
  readonly value: string;
}

/** Tests a whole value against an anchored pattern in time linear in the value. */
export type PatternTest = (pattern: string, value: string) => boolean;

/** True when every matcher agrees with the labels. No matcher matches nothing: empty must never mean all. */
export function matchesAll(matchers: readonly Matcher[], labels: Labels, pattern: PatternTest): boolean {
  return matchers.length > 0 && matchers.every((matcher) => matchesOne(matcher, labels, pattern));
}

function matchesOne(matcher: Matcher, labels: Labels, pattern: PatternTest): boolean {
  const value = Object.hasOwn(labels, matcher.name) ? (labels[matcher.name] ?? '') : '';
  switch (matcher.op) {
    case '=':
      return value === matcher.value;
    case '!=':
      return value !== matcher.value;
    case '=~':
      return pattern(matcher.value, value);
    case '!~':
      return !pattern(matcher.value, value);
  }
}
