// The list of actions, one line per adapter, and the guard that stands before each of them.
// Read by the executor process and by offline commands; the gateway's own process lists and checks, it does not act.
//   A1  No action sees an input that its schema does not admit.
//   A2  Every call ends within its timeout and a second, as a value, even if the action has a bug.
import { Ajv2020 } from 'ajv/dist/2020.js';
import { GatewayError } from '../src/core/errors.ts';
import type { ActionOutcome } from '../src/core/run/outcome.ts';
import { second, type Millis } from '../src/core/time.ts';
import type { Action, ActionRequest } from '../src/ports/action.ts';
import type { Clock } from '../src/ports/clock.ts';
import { createHttpActions } from './http/action.ts';
import { HttpConfig } from './http/config.ts';
import { createProcessActions } from './process/action.ts';
import { ProcessConfig } from './process/config.ts';
import { createShellActions } from './shell/action.ts';
import { ShellConfig } from './shell/config.ts';

const graceMs: Millis = second;
const timeoutMsMax: Millis = 2 ** 31 - 1 - graceMs;

/** The part of quench.yaml that says what the actions may do. A part that is missing allows nothing. */
export interface ActionsConfig {
  readonly shell?: ShellConfig;
  readonly http?: HttpConfig;
  readonly process?: ProcessConfig;
}

/** Its schema. */
export const ActionsConfig = {
  type: 'object',
  additionalProperties: false,
  properties: { shell: ShellConfig, http: HttpConfig, process: ProcessConfig },
} as const;

/** Every action, each behind its guard; `invalid_config` names the first thing that does not fit. */
export function createActions(config: unknown, clock: Clock): readonly Action[] {
  const ajv = strictAjv();
  const fits = ajv.compile<ActionsConfig>(ActionsConfig);
  if (!fits(config)) throw new GatewayError('invalid_config', `actions: ${ajv.errorsText(fits.errors, { dataVar: 'config' })}`);
  return guarded([
    ...createShellActions(config.shell ?? {}),
    ...createHttpActions(config.http ?? {}, clock),
    ...createProcessActions(config.process ?? {}),
  ]);
}

/** Puts the guard before each action. */
export function guarded(actions: readonly Action[]): readonly Action[] {
  const ajv = strictAjv();
  return actions.map((action) => {
    const fits = ajv.compile(action.input);
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

function strictAjv(): Ajv2020 {
  return new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true });
}
