// The text of a matcher: `severity="critical"`, `host=~"db.*"`, `job!=batch`. Reading and writing; selecting by them is labels.ts.
// The syntax is Alertmanager's: a name, an operator and a value, with white space around each of them.
//   M1  A quoted name or value may hold anything: `\"`, `\\` and `\n` stand for a quote, a backslash and a line break. A backslash before
//       anything else stands for itself, so that patterns such as "web\.example" need none doubled.
//   M2  A value without quotes is taken as it is, without the white space at its ends, and holds no quote.
//   M3  matcherIn(matcherText(m)) is m, whatever m holds.
import { fail, ok, type Result } from '../errors.ts';
import type { Matcher, MatchOp } from './labels.ts';

const quoted = '"((?:[^"\\\\]|\\\\.)*)"';
const shape = new RegExp(`^\\s*(?:${quoted}|([^\\s{}!=~,"'\`\\\\]+))\\s*(=~|!~|!=|=)\\s*(?:${quoted}\\s*|([^"]*))$`, 's');
const bareName = /^[^\s{}!=~,"'`\\]+$/;

/** One matcher, or what is wrong with the text, in one sentence. */
export function matcherIn(text: string): Result<Matcher, string> {
  const [, quotedName, name = unescaped(quotedName ?? ''), op, quotedValue, value = ''] = shape.exec(text) ?? [];
  if (!isOp(op) || name === '') {
    return fail(`expected a matcher like host=db1, job!=batch or instance=~"web.*", seen ${JSON.stringify(shortened(text))}`);
  }
  return ok({ name, op, value: quotedValue === undefined ? value.trim() : unescaped(quotedValue) });
}

/** Why the pattern of a matcher is not accepted, in one sentence, or null; a matcher without a pattern is. */
export function matcherProblem({ op, value }: Matcher, patternProblem: (pattern: string) => string | null): string | null {
  return op === '=~' || op === '!~' ? patternProblem(value) : null;
}

/** The matcher as text; the value always in quotes, the name where it needs them. */
export function matcherText({ name, op, value }: Matcher): string {
  return `${bareName.test(name) ? name : inQuotes(name)}${op}${inQuotes(value)}`;
}

function isOp(text: string | undefined): text is MatchOp {
  return text === '=' || text === '!=' || text === '=~' || text === '!~';
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(["\\n])/g, (_, character: string) => (character === 'n' ? '\n' : character));
}

function inQuotes(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`;
}

function shortened(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
