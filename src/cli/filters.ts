// The filters of list commands: which flag becomes which parameter of the API.
//   L1  Spans (`--since 2h`) are reckoned here, once, so that every page is of the same time.
import { parseSpan } from '../config/yaml/duration.ts';
import type { Instant } from '../core/time.ts';
import { usage } from './exit.ts';
import type { Given, OptionName } from './options.ts';

const anyKind: readonly OptionName[] = ['state', 'since', 'until', 'text', 'sort', 'limit'];
const origin: readonly OptionName[] = ['severity', 'source', 'name', 'host', 'service'];

/** What each list command takes beside the options of every command that shows something. */
export const filters = {
  incident: [...anyKind, ...origin, 'children', 'parent'],
  alert: [...anyKind, ...origin, 'match', 'incident'],
  run: [...anyKind, 'playbook', 'target', 'end', 'incident'],
  page: [...anyKind, 'incident'],
  silence: anyKind,
  letter: ['limit'],
} as const satisfies { readonly [noun: string]: readonly OptionName[] };

/** The parameters that the flags ask for; one that is given again is sent again. */
export function filtersOf(given: Given, names: readonly OptionName[], now: Instant): readonly [string, string][] {
  return names.filter((name) => name !== 'limit').flatMap((name) => given.texts(name).map((text) => parameterOf(name, text, now)));
}

function parameterOf(name: OptionName, text: string, now: Instant): [string, string] {
  if (name === 'since' || name === 'until') return [name, String(instantIn(name, text, now))];
  return name === 'children' ? [name, 'show'] : [name, text];
}

/** `2h` ago, or a time. */
function instantIn(name: string, text: string, now: Instant): Instant {
  const span = parseSpan(text);
  const at = span === null ? (/^\d{4}-/.test(text) ? Date.parse(text) : Number.NaN) : now - span;
  if (Number.isNaN(at)) throw usage(`--${name}: expected a span like 2h, or a time like 2026-11-21T04:00Z, seen "${text}"`);
  return Math.max(0, at);
}
