// One call of an action in a playbook: is it known, may it stand here, does its input fit as far as one can see without running it.
// All that is known of an action is its declaration (ports/action.ts); no action is named here.
//   C1  Templates are checked by their expressions, literal parts by the action's own JSON Schema.
//   C2  No reference stands in a member that is program text, and no value of an alert in an argument or an address (roles.ts).
//   C3  What only the action can judge, it is asked.
import type { Json } from '../../core/json.ts';
import type { Param, Template } from '../../core/playbook/document.ts';
import { piecesOf } from '../../core/playbook/template.ts';
import { hour, second } from '../../core/time.ts';
import type { ActionDeclaration } from '../../ports/action.ts';
import { didYouMean } from '../yaml/problems.ts';
import { memberOf, membersOf, textsOf } from '../yaml/pointer.ts';
import { shapeFaults } from '../yaml/shape.ts';
import { expressionFaults, type ExpressionChecker, type Scope } from './expressions.ts';
import { spanFaults, type Fault, type PlaybookDeps } from './fault.ts';
import { roleAt } from './roles.ts';

interface Call {
  readonly uses: string;
  readonly with: Template;
  readonly timeout: string | undefined;
}

/** Where a call stands: an effect, a look before acting, or a proof that the repair worked. */
export type CallPlace = 'effect' | 'look' | 'proof';

const placeWords = { look: 'a look before acting', proof: 'a proof' } as const;

/** Everything wrong with a call. */
export function callFaults(
  call: Call,
  pointer: string,
  at: { readonly scope: Scope; readonly place: CallPlace },
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
  faults.push(...placeFaults(action, at.place, `${pointer}/uses`, deps.actions));
  faults.push(...inputFaults(call.with, `${pointer}/with`, action, at.scope));
  faults.push(...roleFaults(call.with, `${pointer}/with`, action, deps.expressions));
  for (const fault of action.check?.(call.with) ?? []) faults.push({ ...fault, pointer: `${pointer}/with${fault.pointer}` }); // C3
  return faults;
}

/** An action that changes something where only looking is meant, or one that does not say that it proves anything. */
function placeFaults(
  action: ActionDeclaration,
  place: CallPlace,
  pointer: string,
  actions: readonly ActionDeclaration[],
): readonly Fault[] {
  if (place === 'effect') return [];
  if (action.effect !== 'read') {
    const message = `expected an action that only reads, seen ${action.name}: ${placeWords[place]} must not change anything`;
    return [{ pointer, message }];
  }
  if (place === 'look' || action.probe === true) return [];
  const probes = actions.filter(({ probe }) => probe === true).map(({ name }) => name);
  return [{ pointer, message: `expected an action that may serve as a proof (${probes.join(', ')}), seen ${action.name}` }];
}

function unknownAction(uses: string, actions: readonly ActionDeclaration[]): string {
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

/** References where the member's role forbids them. C2 */
function roleFaults(input: Template, pointer: string, action: ActionDeclaration, checker: ExpressionChecker): readonly Fault[] {
  return textsOf(input).flatMap(({ pointer: inside, text }) => {
    const pieces = piecesOf(text);
    if (pieces.kind === 'literal' || pieces.kind === 'broken') return [];
    const role = roleAt(action.input, membersOf(inside));
    if (role === 'program') {
      const message = `expected a program text without references, seen one: ${action.name} would run what the value says; give the value in another member`;
      return [{ pointer: `${pointer}${inside}`, message }];
    }
    if (role === null || !pieces.expressions.some((expression) => readsAlert(expression, checker))) return [];
    const message =
      'expected a parameter here, seen a value straight from the alert: declare it under params (type, from, pattern) and write $params.<name>';
    return [{ pointer: `${pointer}${inside}`, message }];
  });
}

function readsAlert(expression: string, checker: ExpressionChecker): boolean {
  const checked = checker.check(expression, ['alert', 'incident', 'params', 'steps', 'target', 'result']);
  return checked.ok && checked.value.reads.some(([root]) => root === 'alert' || root === 'incident');
}

/** Faults of the input against the action's schema, except those that only the value of a reference could settle. */
function inputFaults(input: Template, pointer: string, action: ActionDeclaration, scope: Scope): readonly Fault[] {
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
