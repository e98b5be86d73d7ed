// Regular expressions that cannot run away: RE2 semantics, time linear in the value, compiled once.
// Knows nothing of CEL; expressions.ts uses it for `matches()`.
//   P1  What is kept is bounded by weight, not by number: programs, and what their machines remember of the values they have seen.
//   P2  Patterns that are asked in turn are all kept as long as they fit together: the least recently used goes first.
import { RE2JS } from 're2js';
import { fail, ok, type Result } from '../../src/core/errors.ts';

const patternCharsMax = 500;
/** Instructions of the compiled pattern; time is linear in their number too. */
const programMax = 1_000;

/** Longest value that is looked at; labels and annotations are bounded well below. */
export const valueCharsMax = 8_192;

/** About the bytes of one instruction, and of one step that a machine remembers. */
const instructionBytes = 300;
const stepBytes = 8;
/** A machine that may remember more is made anew. */
const machineBytesMax = 4_194_304;
/** All patterns together; a big one is weighed as if its machine remembered a long value. */
const weightMax = 134_217_728;
const rememberedMax = 1_048_576;
const refusedWeight = 1_000;

export interface Pattern {
  /** Instructions of its program. */
  readonly size: number;
  /** Whether the whole value fits. */
  fits(value: string): boolean;
  /** Whether some part of the value does. */
  finds(value: string): boolean;
}

export interface Patterns {
  /** Compiles, or says why not: `pattern: …`. */
  compile(pattern: string): Result<Pattern, string>;
  /** Programs made since the beginning. */
  readonly compiled: () => number;
}

interface Kept {
  readonly made: Result<Pattern, string>;
  readonly weight: number;
}

/** Compiled patterns, failures too. */
export function createPatterns(): Patterns {
  const known = new Map<string, Kept>();
  let weight = 0;
  let compiled = 0;

  function forget(pattern: string): void {
    weight -= known.get(pattern)?.weight ?? 0;
    known.delete(pattern);
  }

  return {
    compiled: () => compiled,
    compile(pattern) {
      const before = known.get(pattern);
      if (before !== undefined) {
        known.delete(pattern);
        known.set(pattern, before); // P2
        return before.made;
      }
      compiled += 1;
      const made = compile(pattern);
      const kept = { made, weight: made.ok ? weightOf(made.value.size) : refusedWeight };
      while (weight + kept.weight > weightMax) {
        const oldest = known.keys().next();
        if (oldest.done === true) break;
        forget(oldest.value);
      }
      known.set(pattern, kept);
      weight += kept.weight;
      return made;
    },
  };
}

function weightOf(size: number): number {
  return size * instructionBytes + Math.min(rememberedMax, size * size * stepBytes);
}

function compile(pattern: string): Result<Pattern, string> {
  if (pattern.length > patternCharsMax) return fail(`pattern: expected at most ${patternCharsMax} characters, seen ${pattern.length}`);
  try {
    const made = RE2JS.compile(pattern, RE2JS.DOTALL);
    const size = made.programSize();
    return size > programMax
      ? fail(`pattern: repeats multiply to ${size} steps, at most ${programMax} are allowed: lower the counts in {…}`)
      : ok(patternOf(pattern, made, size));
  } catch (error) {
    return fail(`pattern: ${error instanceof Error ? error.message : 'unreadable'}`);
  }
}

function patternOf(pattern: string, first: RE2JS, size: number): Pattern {
  let machine = first;
  let remembered = 0;

  /** P1 */
  function lean(value: string): RE2JS {
    if (remembered > machineBytesMax) {
      machine = RE2JS.compile(pattern, RE2JS.DOTALL);
      remembered = 0;
    }
    remembered += size * value.length * stepBytes;
    return machine;
  }

  return { size, fits: (value) => lean(value).testExact(value), finds: (value) => lean(value).test(value) };
}
