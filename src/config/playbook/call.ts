// One call of an action in a playbook: is it known, may it stand here, does its input fit as far as one can see without running it.
// Templates are checked by their expressions; literal parts by the action's own JSON Schema.
import type { Json } from '../../core/json.ts';
import type { Param, Template } from '../../core/playbook/document.ts';
import { hour, second } from '../../core/time.ts';
import { didYouMean } from '../yaml/problems.ts';
import { memberOf, shapeFaults } from '../yaml/shape.ts';
import { membersOf } from '../yaml/yaml.ts';
import { argvFaults } from './argv.ts';
import { expressionFaults, type ExpressionChecker, type Scope } from './expressions.ts';
import { spanFaults, type Fault, type KnownAction, type PlaybookDeps } from './fault.ts';
import { piecesOf, textsOf } from './template.ts';

interface Call {
  readonly uses: string;
  readonly with: Template;
  readonly timeout: string | undefined;
}

/** Everything wrong with a call; `readOnly` names the place when only an action that looks may stand there. */
export function callFaults(
  call: Call,
  pointer: string,
  at: { readonly scope: Scope; readonly readOnly: string | null },
  deps: PlaybookDeps,
): readonly Fault[] {
  const faults: Fault[] = [...spanFaults(call.timeout, `${pointer}/timeout`, { min: second, max: 6 * hour })];
  faults.push(
    ...textsOf(call.with).flatMap(({ pointer: inside, text }) =>
      templateFaults(text, `${pointer}/with${inside}`, at.scope, deps.expressions),
    ),
  );
  const action = deps.actions.find((known) => known.name === call.uses);
  if (action === undefined) return [{ pointer: `${pointer}/uses`, message: unknownAction(call.uses, deps.actions) }, ...faults];
  if (at.readOnly !== null && action.effect !== 'read') {
    faults.push({
      pointer: `${pointer}/uses`,
      message: `expected an action that only reads, seen ${action.name}: ${at.readOnly} must not change anything`,
    });
  }
  faults.push(...inputFaults(call.with, `${pointer}/with`, action, at.scope));
  faults.push(...alertTextFaults(call.with, `${pointer}/with`, deps.expressions));
  if (action.name.startsWith('shell/')) faults.push(...commandFaults(memberOf(call.with, 'argv'), `${pointer}/with/argv`));
  return faults;
}

function commandFaults(argv: unknown, pointer: string): readonly Fault[] {
  // A YAML list holds JSON values.
  if (Array.isArray(argv))
    return argvFaults(argv as readonly Json[]).map(({ index, message }) => ({ pointer: `${pointer}/${index}`, message }));
  if (typeof argv !== 'string' || piecesOf(argv).kind === 'literal') return [];
  return [{ pointer, message: 'expected a list that begins with the program, seen a reference: a value must not choose what runs' }];
}

function unknownAction(uses: string, actions: readonly KnownAction[]): string {
  const [name, version] = uses.split('@');
  const known = actions.map((action) => action.name);
  if (version !== undefined && known.includes(name ?? '')) return `versions of actions are not supported yet: write ${name}`;
  return `unknown action "${uses}"${didYouMean(uses, known) || `; known are ${known.join(', ')}`}`;
}

/** Every reference and expression of one text. */
export function templateFaults(text: string, pointer: string, scope: Scope, checker: ExpressionChecker): readonly Fault[] {
  const pieces = piecesOf(text);
  if (pieces.kind === 'literal') return [];
  if (pieces.kind === 'broken') return [{ pointer, message: `expected a value or a reference, seen neither: ${pieces.why}` }];
  return pieces.expressions.flatMap((expression) =>
    expressionFaults(expression, scope, checker, 'value').map((message) => ({ pointer, message })),
  );
}

/** Parts that a program or a server reads as a name: what stands there goes through a parameter, which has a type, a pattern and a length. */
const checkedParts = new Set(['argv', 'url', 'name', 'cwd']);

function alertTextFaults(input: Template, pointer: string, checker: ExpressionChecker): readonly Fault[] {
  const message =
    'expected a parameter here, seen a value straight from the alert: declare it under params (type, from, pattern) and write $params.<name>';
  return textsOf(input).flatMap(({ pointer: inside, text }) => {
    const pieces = piecesOf(text);
    if (!checkedParts.has(membersOf(inside)[0] ?? '') || pieces.kind === 'literal' || pieces.kind === 'broken') return [];
    const raw = pieces.expressions.some((expression) => {
      const checked = checker.check(expression, ['alert', 'incident', 'params', 'steps', 'target', 'result']);
      return checked.ok && checked.value.reads.some(([root]) => root === 'alert' || root === 'incident');
    });
    return raw ? [{ pointer: `${pointer}${inside}`, message }] : [];
  });
}

/** Faults of the input against the action's schema, except those that only the value of a reference could settle. */
function inputFaults(input: Template, pointer: string, action: KnownAction, scope: Scope): readonly Fault[] {
  const sample = sampled(input, scope.params);
  return shapeFaults(action.input, sample)
    .filter((fault) => {
      const text = membersOf(fault.pointer).reduce<unknown>(memberOf, input);
      const pieces = typeof text === 'string' ? piecesOf(text) : null;
      if (pieces === null || pieces.kind === 'literal') return true;
      const typed = pieces.kind === 'text' || paramOf(text, scope.params) !== null;
      return fault.keyword === 'type' && typed;
    })
    .map((fault) => {
      const text = membersOf(fault.pointer).reduce<unknown>(memberOf, input);
      const type = paramOf(text, scope.params)?.type;
      const seen =
        type === undefined
          ? fault.message
          : `${fault.message.split(', seen')[0]}, seen ${String(text)}, which is ${type}: write "\${${String(text).slice(1)}}" for text`;
      return { pointer: `${pointer}${fault.pointer}`, message: `${action.name}: ${seen}` };
    });
}

const samples = { string: 'text', integer: 1, number: 1.5, boolean: true } as const;

/** The input with whole references to parameters replaced by a value of their type. */
function sampled(input: Template, params: Scope['params']): Json {
  const param = paramOf(input, params);
  if (param !== null) return samples[param.type];
  if (typeof input !== 'object' || input === null) return input;
  if (Array.isArray(input)) return input.map((item: Json) => sampled(item, params));
  return Object.fromEntries(Object.entries(input).map(([key, member]: [string, Json]) => [key, sampled(member, params)]));
}

/** The parameter that a text is a whole reference to, or null. */
function paramOf(text: unknown, params: Scope['params']): { readonly type: Param['type'] } | null {
  if (typeof text !== 'string' || !text.startsWith('$params.')) return null;
  const name = text.slice('$params.'.length);
  return Object.hasOwn(params, name) ? (params[name] ?? null) : null;
}
