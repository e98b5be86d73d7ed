// Regular expressions that cannot run away: RE2 semantics, time linear in the value, compiled once.
// Knows nothing of CEL; expressions.ts uses it for `matches()`.
import { RE2JS } from 're2js';
import { fail, ok, type Result } from '../../src/core/errors.ts';

const patternCharsMax = 500;
/** Instructions of the compiled pattern; time is linear in their number too. */
const programMax = 1_000;
const patternsMax = 1_000;

/** Longest value that is looked at; labels and annotations are bounded well below. */
export const valueCharsMax = 8_192;

export interface Patterns {
  /** Compiles, or says why not: `pattern: …`. */
  compile(pattern: string): Result<RE2JS, string>;
}

/** Compiled patterns, failures too, oldest out when the cache is full. */
export function createPatterns(): Patterns {
  const known = new Map<string, Result<RE2JS, string>>();
  return {
    compile(pattern) {
      const compiled = known.get(pattern);
      if (compiled !== undefined) return compiled;
      const made = compile(pattern);
      const oldest = known.keys().next();
      if (known.size >= patternsMax && oldest.done !== true) known.delete(oldest.value);
      known.set(pattern, made);
      return made;
    },
  };
}

function compile(pattern: string): Result<RE2JS, string> {
  if (pattern.length > patternCharsMax) return fail(`pattern: expected at most ${patternCharsMax} characters, seen ${pattern.length}`);
  try {
    const compiled = RE2JS.compile(pattern, RE2JS.DOTALL);
    const size = compiled.programSize();
    return size > programMax
      ? fail(`pattern: repeats multiply to ${size} steps, at most ${programMax} are allowed: lower the counts in {…}`)
      : ok(compiled);
  } catch (error) {
    return fail(`pattern: ${error instanceof Error ? error.message : 'unreadable'}`);
  }
}
