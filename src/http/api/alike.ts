// What a silence looks as if it meant, and does not match: one matcher with = fails, and its value stands in the alert in other clothes, as an
// address with a port, a name with its domain, in upper case, or under another label. For a preview to say; nothing is muted by it.
import { matchesOne, valuesOf, type Matchable, type Matcher, type PatternTest } from '../../core/alert/labels.ts';

/** The label that looks like what the one failing matcher asks for, or null. */
export function alikeIn(
  matchers: readonly Matcher[],
  alert: Matchable,
  test: PatternTest,
): { readonly name: string; readonly value: string } | null {
  const failing = matchers.filter((matcher) => matcher.op === '=' && !matchesOne(matcher, alert, test));
  const [wanted] = failing;
  if (wanted === undefined || failing.length > 1) return null;
  if (!matchers.every((matcher) => matcher === wanted || matchesOne(matcher, alert, test))) return null;
  const core = coreOf(wanted.value);
  if (core === '') return null;
  const own = valuesOf(alert, wanted.name).find((value) => coreOf(value) === core);
  if (own !== undefined) return { name: wanted.name, value: own };
  const parts = { ...alert.entity, ...alert.labels };
  const [name, value] = Object.entries(parts).find(([, text]) => typeof text === 'string' && coreOf(text) === core) ?? [];
  return name === undefined || value === undefined ? null : { name, value };
}

/** `Web9.example.net:9100` as `web9`; an address of numbers stays whole. */
function coreOf(value: string): string {
  const text = value
    .slice(0, 300)
    .trim()
    .toLowerCase()
    .replace(/:\d{1,5}$/, '');
  return /^[\d.]+$/.test(text) ? text : (text.split('.', 1)[0] ?? text);
}
