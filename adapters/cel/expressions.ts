// Conditions as CEL text from the operator's own files, evaluated over values that come from alerts.
// Text is compiled once; a value is only ever a value. Parsing of playbooks is src/config.
//   C1  Nothing from the environment is parsed, compiled or looked up as code; prototypes are out of reach.
//   C2  Every evaluation ends soon: bounded text, bounded nesting, bounded lists, linear patterns.
//   C3  A missing key, an unknown name or a wrong type is a failure in words, never a guess.
import { Environment, type ASTNode } from '@marcbachmann/cel-js';
import { fail, ok, type Result } from '../../src/core/errors.ts';
import type { Asks, Expressions } from '../../src/core/playbook/expressions.ts';
import { asksOf } from './asks.ts';
import { createPatterns, valueCharsMax, type Patterns } from './pattern.ts';
import { fromCel, itemsMax, toCel, tooBig } from './values.ts';

const textCharsMax = 4_000;
const compiledMax = 2_000;
const nestingMax = 2;
const limits = { maxAstNodes: 500, maxDepth: 50, maxListElements: 200, maxMapEntries: 200, maxCallArguments: 8 };

/** What a checked expression gives and which paths it reads: `[['params', 'unit'], ['steps', 'look', 'stdout']]`. */
export interface Checked {
  /** CEL type: `bool`, `string`, `dyn` … */
  readonly type: string;
  readonly reads: readonly (readonly string[])[];
}

/** Expressions, with what the loader of playbooks asks beside it. */
export interface CelExpressions extends Expressions {
  /** Parses and type-checks against the declared names, whose values may be anything. Says why not in one sentence. */
  check(text: string, names: readonly string[]): Result<Checked, string>;
  /** Why a pattern is not accepted, or null. */
  patternProblem(pattern: string): string | null;
}

interface Compiled {
  readonly run: (context: Map<string, unknown>) => unknown;
  readonly roots: ReadonlySet<string>;
  readonly asks: readonly Asks[];
}

/** An evaluator with its own caches. Pure: same text and environment, same answer; keeps no values. */
export function createExpressions(): CelExpressions {
  const patterns = createPatterns();
  const cel = celEnvironment(patterns, true);
  const known = new Map<string, Result<Compiled, string>>();
  /** Members of environments as CEL sees them: one alert meets many conditions. Whoever hands in an object leaves it as it is. */
  const converted = new WeakMap<object, unknown>();

  function celOf(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return toCel(value);
    const asCel = converted.get(value) ?? toCel(value);
    converted.set(value, asCel);
    return asCel;
  }

  function compiledOf(text: string): Result<Compiled, string> {
    const compiled = known.get(text);
    if (compiled !== undefined) return compiled;
    const made = compile(cel, patterns, text);
    const oldest = known.keys().next();
    if (known.size >= compiledMax && oldest.done !== true) known.delete(oldest.value);
    known.set(text, made);
    return made;
  }

  return {
    evaluate(text, environment) {
      const compiled = compiledOf(text);
      return compiled.ok ? run(compiled.value, environment, celOf) : compiled;
    },
    asks(text) {
      const compiled = compiledOf(text);
      return compiled.ok ? compiled.value.asks : [];
    },
    pattern(pattern, value) {
      const compiled = patterns.compile(pattern);
      return compiled.ok && value.length <= valueCharsMax && compiled.value.fits(value);
    },
    patternSize(pattern) {
      const compiled = patterns.compile(pattern);
      return compiled.ok ? compiled.value.size : Number.POSITIVE_INFINITY;
    },
    check: (text, names) => check(patterns, text, names),
    patternProblem(pattern) {
      const compiled = patterns.compile(pattern);
      return compiled.ok ? null : compiled.error;
    },
  };
}

function run(
  compiled: Compiled,
  environment: { readonly [name: string]: unknown },
  celOf: (value: unknown) => unknown,
): Result<unknown, string> {
  const context = new Map<string, unknown>();
  for (const name of compiled.roots) if (Object.hasOwn(environment, name)) context.set(name, celOf(environment[name]));
  try {
    return fromCel(compiled.run(context));
  } catch (error) {
    return fail(sentence(error));
  }
}

function check(patterns: Patterns, text: string, names: readonly string[]): Result<Checked, string> {
  const environment = celEnvironment(patterns, false);
  for (const name of names) environment.registerVariable(name, 'dyn');
  const parsed = parse(environment, patterns, text);
  if (!parsed.ok) return parsed;
  const { type, error } = parsed.value.program.check();
  return type === undefined ? fail(sentence(error)) : ok({ type, reads: parsed.value.walk.reads });
}

function compile(environment: Environment, patterns: Patterns, text: string): Result<Compiled, string> {
  const parsed = parse(environment, patterns, text);
  if (!parsed.ok) return parsed;
  const { program, walk } = parsed.value;
  return ok({ run: (context) => program(context), roots: new Set(walk.reads.map(([root]) => root ?? '')), asks: asksOf(program.ast) });
}

type Parsed = { readonly program: ReturnType<Environment['parse']>; readonly walk: Walk };

function parse(environment: Environment, patterns: Patterns, text: string): Result<Parsed, string> {
  if (text.length > textCharsMax) return fail(`expression: expected at most ${textCharsMax} characters, seen ${text.length}`);
  try {
    const program = environment.parse(text);
    const walk: Walk = { reads: [], problem: null, patterns };
    visit(program.ast, walk, 0, false);
    return walk.problem === null ? ok({ program, walk }) : fail(walk.problem);
  } catch (error) {
    return fail(sentence(error));
  }
}

// ---------------------------------------------------------------- the language

const functions = words('has size int double string bool dyn timestamp duration');
const macros = words('all exists exists_one map filter');
const methods = words(
  'size contains startsWith endsWith matches lowerAscii upperAscii trim indexOf lastIndexOf substring split join ' +
    'getFullYear getMonth getDate getDayOfMonth getDayOfWeek getHours getMinutes getSeconds getMilliseconds',
);
/** The library's own versions are unbounded and cannot be registered over: calls are renamed to ours before they are bound. */
const renamed = new Map([
  ['matches', 'matchesLinear'],
  ['split', 'splitBounded'],
]);

function celEnvironment(patterns: Patterns, anyName: boolean): Environment {
  const environment = new Environment({ unlistedVariablesAreDyn: anyName, homogeneousAggregateLiterals: false, limits })
    .registerFunction('string.matchesLinear(string): bool', (value: string, pattern: string) => {
      const compiled = patterns.compile(pattern);
      if (!compiled.ok) throw new Error(compiled.error);
      if (value.length > valueCharsMax) throw new Error(`matches: expected at most ${valueCharsMax} characters, seen ${value.length}`);
      return compiled.value.finds(value);
    })
    .registerFunction('string.splitBounded(string): list<string>', (value: string, separator: string) => {
      const parts = value.split(separator, itemsMax + 1);
      if (parts.length > itemsMax) throw new Error(`split: expected at most ${itemsMax} parts`);
      return parts;
    });
  // Numbers of a JSON document are doubles to CEL, literals in the text are ints: let them meet.
  const meet: readonly (readonly [string, (a: number, b: number) => number])[] = [
    ['+', (a, b) => a + b],
    ['-', (a, b) => a - b],
    ['*', (a, b) => a * b],
    ['/', (a, b) => a / b],
  ];
  for (const [op, apply] of meet) {
    const handler = (a: number | bigint, b: number | bigint): number => apply(Number(a), Number(b));
    environment.registerOperator(`int ${op} double: double`, handler).registerOperator(`double ${op} int: double`, handler);
  }
  return environment;
}

interface Walk {
  readonly reads: (readonly string[])[];
  problem: string | null;
  readonly patterns: Patterns;
}

/** Collects what is read, renames calls, and refuses what could grow without bound. `ranges` counts the comprehensions around a node. */
function visit(node: ASTNode, walk: Walk, ranges: number, inRange: boolean): void {
  const path = pathOf(node);
  if (path !== null) {
    walk.reads.push(path);
    return;
  }
  switch (node.op) {
    case 'call':
      if (!functions.has(node.args[0])) refuse(walk, `unknown function ${node.args[0]}(); known are ${[...functions].join(', ')}`);
      for (const argument of node.args[1]) visit(argument, walk, ranges, inRange);
      return;
    case 'rcall':
      visitMethod(node, walk, ranges, inRange);
      return;
    case '+':
      if (inRange) refuse(walk, 'a list that is walked over cannot be built with +');
      break;
    default:
  }
  for (const child of childrenOf(node.args)) visit(child, walk, ranges, inRange);
}

function visitMethod(node: Extract<ASTNode, { readonly op: 'rcall' }>, walk: Walk, ranges: number, inRange: boolean): void {
  const [name, receiver, argumentsOf] = node.args;
  const macro = macros.has(name);
  if (!macro && !methods.has(name)) refuse(walk, `unknown method .${name}(); known are ${[...macros, ...methods].join(', ')}`);
  if (macro && ranges >= nestingMax) refuse(walk, `.${name}() is nested deeper than ${nestingMax} levels`);
  const [first] = argumentsOf;
  if (name === 'matches' && first?.op === 'value' && typeof first.args === 'string') {
    const pattern = walk.patterns.compile(first.args);
    if (!pattern.ok) refuse(walk, pattern.error);
  }
  visit(receiver, walk, ranges, inRange || macro);
  for (const argument of argumentsOf) visit(argument, walk, macro ? ranges + 1 : ranges, inRange);
  const ours = renamed.get(name);
  // The call is bound to its function by this name only when it is checked, later; the tuple is read-only in type, not in fact.
  if (ours !== undefined) Reflect.set(node.args, 0, ours);
}

function childrenOf(args: unknown): readonly ASTNode[] {
  if (!Array.isArray(args)) return isNode(args) ? [args] : [];
  return args.flatMap(childrenOf);
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value;
}

/** `a.b["c"]` as `['a', 'b', 'c']`; null when it does not begin with a name. */
function pathOf(node: ASTNode): readonly string[] | null {
  if (node.op === 'id') return [node.args];
  if (node.op === '.' || node.op === '.?') {
    const before = pathOf(node.args[0]);
    return before === null ? null : [...before, node.args[1]];
  }
  if (node.op === '[]' && node.args[1].op === 'value' && typeof node.args[1].args === 'string') {
    const before = pathOf(node.args[0]);
    return before === null ? null : [...before, node.args[1].args];
  }
  return null;
}

function refuse(walk: Walk, why: string): void {
  walk.problem ??= why;
}

/** The library's message in one line, without its drawing of the source and without our inner names. */
function sentence(error: unknown): string {
  if (!(error instanceof Error)) return 'expression failed';
  if ('code' in error && error.code === 'unsupported_type') return tooBig;
  let text = 'summary' in error && typeof error.summary === 'string' ? error.summary : error.message;
  for (const [theirs, ours] of renamed) text = text.replaceAll(ours, theirs);
  const where = 'range' in error && isRange(error.range) ? ` (character ${error.range.start + 1})` : '';
  return `${(text.split('\n')[0] ?? '').slice(0, 300)}${where}`;
}

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(' '));
}

function isRange(value: unknown): value is { readonly start: number } {
  return typeof value === 'object' && value !== null && 'start' in value && typeof value.start === 'number';
}
