// What is wrong with a file, for the person who wrote it: where, what was expected, what was seen, what was probably meant.
import { addressWithoutUserinfo } from '../../core/userinfo.ts';

export interface ConfigProblem {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** `steps[0].timeout`; '' is the whole document. */
  readonly path: string;
  /** `expected …, seen …`, lower case, no secrets. */
  readonly message: string;
}

/** One line as editors and people read it: `playbooks/x.yaml:12:5: steps[0].timout: unknown key …`. */
export function problemLine(problem: ConfigProblem): string {
  const path = problem.path === '' ? '' : `${problem.path}: `;
  return `${problem.file}:${problem.line}:${problem.column}: ${path}${problem.message}`;
}

/** In order of file and place, each once. */
export function inOrder(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  const byLine = new Map(problems.map((problem) => [problemLine(problem), problem]));
  return [...byLine.values()].sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line || a.column - b.column));
}

/** ` did you mean "timeout"?`, or '' when nothing known is near. */
export function didYouMean(word: string, known: readonly string[], prefix = ''): string {
  let best = '';
  let least = Math.min(3, Math.ceil(word.length / 3)) + 1;
  for (const candidate of known) {
    const far = distance(word.toLowerCase(), candidate.toLowerCase(), least);
    if (far < least) [best, least] = [candidate, far];
  }
  return best === '' ? '' : `; did you mean "${prefix}${best}"?`;
}

/** Edits between two words, neighbours swapped counting as one; at least `enough` when they are that far apart. */
function distance(a: string, b: string, enough: number): number {
  if (Math.abs(a.length - b.length) >= enough || a.length > 64) return enough;
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(
        Math.min(
          at(rows, i - 1, j) + 1,
          (row[j - 1] ?? enough) + 1,
          at(rows, i - 1, j - 1) + (same ? 0 : 1),
          swapped ? at(rows, i - 2, j - 2) + 1 : enough,
        ),
      );
    }
    rows.push(row);
  }
  return at(rows, a.length, b.length);
}

function at(rows: readonly (readonly number[])[], i: number, j: number): number {
  return rows[i]?.[j] ?? Number.POSITIVE_INFINITY;
}

/** A value as a person may see it in a message: short, one line, of an address neither user nor password. */
export function shown(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (typeof value === 'object') return 'a mapping';
  const text = JSON.stringify(typeof value === 'string' ? addressWithoutUserinfo(value) : value);
  return text.length > 60 ? `${text.slice(0, 57)}…"` : text;
}
