// With which parameters and on which target a playbook would run.
//   G1  No empty and no unbounded target: a parameter or target without a plain value refuses the run.
import type { TurnContext } from '../context.ts';
import { fail, ok, type Result } from '../errors.ts';
import type { Json } from '../json.ts';
import type { Param, Playbook } from '../playbook/document.ts';
import { fill, type Environment } from '../playbook/template.ts';
import type { Refusal } from './guards.ts';

export interface Plan {
  readonly params: { readonly [name: string]: Json };
  readonly target: string;
}

/** Parameters and target of a run, or the guard that refuses it (G1). */
export function plan(ctx: TurnContext, playbook: Playbook, environment: Environment): Result<Plan, Refusal> {
  const params: [string, Json][] = [];
  for (const [name, param] of Object.entries(playbook.params)) {
    const value = paramValue(ctx, param, environment);
    if (!value.ok) return fail({ guard: 'params', target: '', reason: `parameter ${name}: ${value.error}` });
    params.push([name, value.value]);
  }
  const filled = Object.fromEntries(params);
  const target = fill(playbook.target, { ...environment, params: filled }, ctx.expressions);
  if (!target.ok) return fail({ guard: 'target', target: '', reason: target.error });
  const text = JSON.stringify(target.value).slice(0, 80);
  if (typeof target.value !== 'string')
    return fail({ guard: 'target', target: '', reason: `the target must name one thing, seen ${text}` });
  const complaint = plainComplaint(target.value);
  if (complaint !== null) return fail({ guard: 'target', target: '', reason: `the target ${complaint}, seen ${text}` });
  return ok({ params: filled, target: target.value });
}

function paramValue(ctx: TurnContext, param: Param, environment: Environment): Result<Json, string> {
  const from = param.from === null ? null : ctx.expressions.evaluate(param.from, environment);
  const found = from?.ok === true && from.value !== '' && from.value !== null && from.value !== undefined;
  const value = found ? from.value : param.fallback;
  if (value === null || value === '') return fail(from?.ok === false ? from.error : 'has no value');
  const typed = typeof value === (param.type === 'integer' ? 'number' : param.type);
  if (!typed || (param.type === 'integer' && !Number.isSafeInteger(value))) return fail(`expected ${param.type}, seen ${typeof value}`);
  if (typeof value === 'string') {
    const complaint = textComplaint(ctx, param, value);
    if (complaint !== null) return fail(complaint);
  }
  // The typeof tests above leave string, number and boolean.
  const scalar = value as string | number | boolean;
  if (param.oneOf !== null && !param.oneOf.includes(scalar))
    return fail(`${JSON.stringify(scalar).slice(0, 80)} is not among the allowed values`);
  return ok(scalar);
}

/** Default for text without a pattern of its own: printable, no leading dash that a program would read as an option. */
function textComplaint(ctx: TurnContext, param: Param, value: string): string | null {
  if (value.length > param.maxLength) return `longer than ${param.maxLength} characters`;
  if (param.pattern !== null) return ctx.expressions.pattern(param.pattern, value) ? null : `does not match ${param.pattern}`;
  return plainComplaint(value);
}

function plainComplaint(value: string): string | null {
  const text = value.trim();
  if (text === '') return 'is blank';
  if (text === '*') return 'names everything';
  if (text.startsWith('-')) return 'begins with a dash';
  return /[\p{Cc}\u2028\u2029]/u.test(value) ? 'holds control characters' : null;
}
