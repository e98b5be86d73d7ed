// How a call and what it gave read to a person: in pages, timelines and answers. Text only and bounded; nobody reads it back.
// Outputs come from the executor, which has taken the values of secrets out of them already.
import type { Json } from '../json.ts';

/** Members whose text stands in another member, too. */
const copies: { readonly [name: string]: readonly string[] } = { json: ['stdout', 'body'] };
/** As much of an output as is told without being asked for. */
export const outputShown = { lines: 10, chars: 200 } as const;

const shortCharsMax = 80;
const plainWord = /^[\w@%+=:,./-]+$/;

/** `shell/run systemctl restart nginx`, or the action and its whole input as JSON; cut with `…` at so many characters. */
export function callText(uses: string, input: Json, charsMax: number): string {
  const { argv = null, ...rest } = isObject(input) ? input : {};
  if (!isWords(argv)) return clipped(`${uses} ${JSON.stringify(input)}`, charsMax);
  const line = argv.map((word) => (plainWord.test(word) ? word : JSON.stringify(word))).join(' ');
  return clipped(`${uses} ${line}${Object.keys(rest).length === 0 ? '' : ` with ${JSON.stringify(rest)}`}`, charsMax);
}

/** The whole output of a call as text: what is short on the first line, then what is a list or an object, last what is text. */
export function outputText(output: { readonly [name: string]: Json }): string {
  const short: string[] = [];
  const long: string[] = [];
  const texts: string[] = [];
  for (const [name, value] of Object.entries(output)) {
    if (value === '' || value === null || value === false || isCopy(output, name)) continue;
    if (typeof value === 'object') long.push(`${name}: ${JSON.stringify(value)}`);
    else if (typeof value === 'string' && (value.length > shortCharsMax || value.includes('\n'))) texts.push(value.trimEnd());
    else short.push(`${name}: ${String(value).trim()}`);
  }
  return [...(short.length === 0 ? [] : [short.join(', ')]), ...long, ...texts].join('\n');
}

/** The last lines of a text, each cut at so many characters; `…` stands for what was left out. */
export function lastLines(
  text: string,
  { lines: linesMax, chars: charsMax }: { readonly lines: number; readonly chars: number },
): readonly string[] {
  const all = text.split(/\r\n|\r|\n/).filter((line) => line.trim() !== '');
  const last = all.slice(-linesMax).map((line) => clipped(line, charsMax));
  return all.length > linesMax ? ['…', ...last] : last;
}

function isCopy(output: { readonly [name: string]: Json }, name: string): boolean {
  const whole = Object.hasOwn(copies, name) ? (copies[name] ?? []) : [];
  return whole.some((other) => typeof output[other] === 'string' && output[other] !== '');
}

function isObject(value: Json): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isWords(value: Json): value is readonly string[] {
  return Array.isArray(value) && value.every((word) => typeof word === 'string');
}

/** Cut with `…` at so many characters. */
export function clipped(text: string, charsMax: number): string {
  return text.length <= charsMax ? text : `${text.slice(0, charsMax - 1)}…`.toWellFormed();
}
