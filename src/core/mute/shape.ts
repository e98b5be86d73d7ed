// What every value that fits a pattern is, or how it begins, as far as that can be read off its text: silences are found by it.
//   S5  Careful before clever: a value that fits a pattern is among its values or begins as it says. What is not understood says nothing.

/** All values that fit; or how each of them begins. */
export type Shape = { readonly values: readonly string[] } | { readonly prefix: string };

const metaCharacters = new Set('.+*?()|[]{}^$\\');
/** What may repeat, or leave out, the character before it; behind `(?i)` and the like, too. */
const quantifier = /^(?:[*?+{]|\(\?)/;

/** The shape of a pattern that is tested against whole values, or null when nothing can be said; `''` among the values fits what is not there. */
export function shapeOf(pattern: string): Shape | null {
  if (pattern.includes('\\Q')) return null;
  const text = unwrapped(unanchored(pattern));
  const values = listedIn(text);
  if (values !== null) return { values };
  if (!hasOneBranch(text)) return null;
  const prefix = beginningOf(text);
  return prefix === '' ? null : { prefix };
}

/** Whole values are tested, so that `^` at the beginning and `$` at the end say nothing. */
function unanchored(pattern: string): string {
  const text = pattern.startsWith('^') ? pattern.slice(1) : pattern;
  const backslashes = /(\\*)\$$/.exec(text)?.[1]?.length;
  return backslashes !== undefined && backslashes % 2 === 0 ? text.slice(0, -1) : text;
}

/** Without the one group around all of it. */
function unwrapped(text: string): string {
  const inside = /^\((?:\?:)?([^()\\[?][^()\\[]*)\)$/.exec(text)?.[1];
  return inside ?? text;
}

/** `a|b|c` of plain characters, else null. */
function listedIn(text: string): readonly string[] | null {
  const values = [''];
  for (let rest = text; rest !== '';) {
    if (rest.startsWith('|')) {
      values.push('');
      rest = rest.slice(1);
      continue;
    }
    const [value, length] = characterAt(rest);
    if (length === 0) return null;
    values.push(`${values.pop() ?? ''}${value}`);
    rest = rest.slice(length);
  }
  return values;
}

/** The plain characters at the beginning; one that may be repeated or left out is none of them. */
function beginningOf(text: string): string {
  let found = '';
  for (let rest = text; rest !== '';) {
    const [value, length] = characterAt(rest);
    if (length === 0 || quantifier.test(rest.slice(length, length + 2))) return found;
    found += value;
    rest = rest.slice(length);
  }
  return found;
}

/** The plain character at the beginning and how many units it takes, 0 when it is none. Escaped punctuation stands for itself. */
function characterAt(text: string): readonly [value: string, length: number] {
  if (text.startsWith('\\')) return /^\\[!-/:-@[-`{-~]/.test(text) ? [text.charAt(1), 2] : ['', 0];
  const [value = ''] = text; // a whole code point: a quantifier is about all of it
  return metaCharacters.has(value) ? ['', 0] : [value, value.length];
}

/** Whether no `|` stands outside of groups and classes; false when that is not clear. */
function hasOneBranch(text: string): boolean {
  if (!text.includes('|')) return true;
  if (text.includes('[')) return false;
  let depth = 0;
  for (const [token] of text.matchAll(/\\.|[()|]/gs)) {
    if (token === '(') depth += 1;
    else if (token === ')') depth -= 1;
    else if (token === '|' && depth === 0) return false;
  }
  return depth === 0;
}
