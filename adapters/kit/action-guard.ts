// Makes the actions of the families that it is given, and puts the guard before each of them. Knows no family by name.
// Used by the executor process, which acts, and by the gateway and offline commands, which only read what there is.
//   A1  No action sees an input that its schema does not admit.
//   A2  Every call ends within its timeout and a second, as a value, even if the action has a bug.
//   A3  A declaration that contradicts itself is refused when the actions are made, before any playbook is read.
import type { ValidateFunction } from 'ajv/dist/2020.js';
import { GatewayError } from '../../src/core/errors.ts';
import type { ActionOutcome } from '../../src/core/run/outcome.ts';
import { second, type Millis } from '../../src/core/time.ts';
import type { Action, ActionDeclaration, ActionRequest } from '../../src/ports/action.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { strictAjv } from '../../src/ports/json-schema.ts';
import type { ActionFamily, Options } from './kinds.ts';

const graceMs: Millis = second;
const timeoutMsMax: Millis = 2 ** 31 - 1 - graceMs;

/**
 * Every action of the families, each behind its guard. `config` is the part of quench.yaml that says what they may do, by family; a part that is
 * missing allows nothing. `invalid_config` names the first thing that does not fit.
 */
export function createActions(families: readonly ActionFamily[], config: unknown, clock: Clock): readonly Action[] {
  const ajv = strictAjv();
  const fits = ajv.compile<{ readonly [family: string]: Options }>({
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(families.map(({ name, options }) => [name, options])),
  });
  if (!fits(config)) throw new GatewayError('invalid_config', `actions: ${ajv.errorsText(fits.errors, { dataVar: 'config' })}`);
  const made = families.flatMap((family) => {
    const actions = family.create(config[family.name] ?? {}, clock);
    for (const action of actions) refuse(declarationFault(family, action));
    return actions;
  });
  const names = made.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  refuse(twice === undefined ? null : `expected every action once, seen ${twice} a second time`);
  return guarded(made);
}

function refuse(fault: string | null): void {
  if (fault !== null) throw new GatewayError('invalid_config', `actions: ${fault}`);
}

/** What is wrong with how an action describes itself, or null. A3 */
function declarationFault(family: ActionFamily, { name, effect, probe, input }: ActionDeclaration): string | null {
  if (!name.startsWith(`${family.name}/`)) return `expected a name like ${family.name}/do, seen ${name}`;
  if (probe === true && effect !== 'read') return `expected a probe that only reads, seen ${name}, whose effect is ${effect}`;
  // What stands behind a reference would not be found when a playbook's members are judged by their place in the schema.
  if (/"\$(ref|dynamicRef)":/.test(JSON.stringify(input)))
    return `expected an input schema without $ref, seen one in ${name}: write it out`;
  return null;
}

/** Puts the guard before each action. */
export function guarded(actions: readonly Action[]): readonly Action[] {
  const ajv = strictAjv();
  return actions.map((action) => {
    const fits = compiled(ajv, action);
    return {
      ...action,
      async act(request, signal) {
        if (!fits(request.input)) return failed('invalid_input', `${action.name}: ${ajv.errorsText(fits.errors, { dataVar: 'input' })}`); // A1
        if (!(request.timeoutMs >= 1 && request.timeoutMs <= timeoutMsMax)) {
          return failed('invalid_input', `${action.name}: timeoutMs must be 1 to ${timeoutMsMax}, got ${request.timeoutMs}`);
        }
        if (signal.aborted) return failed('aborted', `${action.name}: called off before it began`);
        return bounded(action, request, signal);
      },
    };
  });
}

/** An input schema that is none of the dialect is refused here, with the validator's own sentence. A3 */
function compiled(ajv: ReturnType<typeof strictAjv>, { name, input }: ActionDeclaration): ValidateFunction {
  try {
    return ajv.compile(input);
  } catch (error) {
    throw new GatewayError(
      'invalid_config',
      `actions: the input schema of ${name}: ${error instanceof Error ? error.message : 'unreadable'}`,
    );
  }
}

/** One call that ends in any case. A2 */
async function bounded(action: Action, request: ActionRequest, signal: AbortSignal): Promise<ActionOutcome> {
  const overdue = new AbortController();
  const { promise: late, resolve } = Promise.withResolvers<ActionOutcome>();
  const timer = setTimeout(() => {
    overdue.abort();
    resolve(lost(action, `no end within ${request.timeoutMs}ms`));
  }, request.timeoutMs + graceMs);
  try {
    return await Promise.race([action.act(request, AbortSignal.any([signal, overdue.signal])), late]);
  } catch (error) {
    return lost(action, `it broke: ${error instanceof Error ? error.message.slice(0, 200) : 'no reason given'}`);
  } finally {
    clearTimeout(timer);
  }
}

/** Nobody can say what happened: for an action that only looks that is a failure, for any other it is `unknown`. */
function lost(action: Action, why: string): ActionOutcome {
  const detail = `${action.name}: ${why}`;
  return action.effect === 'read' ? failed('internal', detail) : { outcome: 'unknown', detail };
}

function failed(error: string, detail: string): ActionOutcome {
  return { outcome: 'failed', error, detail, output: {} };
}
