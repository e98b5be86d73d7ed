// The executor process: acts on the world for the gateway, which keeps its own process free of children and their trouble.
// It stays small, because starting a program costs in proportion to the memory of the process that starts it (2026-11: 1 ms at 50 MB, 29 ms at 1.1 GB).
//   Z1  When the gateway is gone, what it was running is ended and then this process; within two seconds.
//   Z2  What a predecessor that crashed had been running is ended before the first call is taken.
//   Z3  What a playbook marks as secret in an answer stays here (executor-secrets.ts).
import { setTimeout as sleep } from 'node:timers/promises';
import { actionFamilies } from '../../adapters/action-registry.ts';
import { createActions } from '../../adapters/kit/action-guard.ts';
import { endCarriers } from '../../adapters/kit/carriers.ts';
import type { ActionOutcome } from '../core/run/outcome.ts';
import type { FromExecutor, ToExecutor } from '../executor/protocol.ts';
import type { Action, ActionRequest } from '../ports/action.ts';
import { systemClock } from './clock.ts';
import { createExecutorSecrets } from './executor-secrets.ts';

const endWithinMs = 1_500;
const calls = new Map<number, { readonly aborter: AbortController; readonly done: Promise<void> }>();
const secrets = createExecutorSecrets();
let actions: ReadonlyMap<string, Action> = new Map();

/** Resolves when the message has left. The gateway may be gone at any moment; `disconnect` tells us. */
function send(message: FromExecutor): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send?.(message, undefined, undefined, () => resolve());
    else resolve();
  });
}

async function start(config: unknown, orphans: readonly string[]): Promise<void> {
  try {
    actions = new Map(createActions(actionFamilies, config, systemClock).map((action) => [action.name, action]));
    await endCarriers(orphans); // Z2; those of process/restart carry none
    await send({ type: 'ready' });
  } catch (error) {
    await send({ type: 'refused', message: error instanceof Error ? error.message : 'unknown' });
  }
}

function act(id: number, uses: string, request: ActionRequest): void {
  const aborter = new AbortController();
  const action = actions.get(uses);
  const missing: ActionOutcome = {
    outcome: 'failed',
    error: 'no_such_action',
    detail: `executor: no action is named "${uses}"`,
    output: {},
  };
  const carryOut = async (): Promise<void> => {
    const filled = secrets.fill(request);
    const carried = 'outcome' in filled ? filled : action === undefined ? missing : await action.act(filled, aborter.signal);
    const outcome = secrets.keep(request, carried); // Z3
    await send({ type: 'outcome', id, outcome });
    calls.delete(id);
  };
  calls.set(id, { aborter, done: carryOut() });
}

async function end(): Promise<void> {
  for (const { aborter } of calls.values()) aborter.abort();
  await Promise.race([Promise.all([...calls.values()].map(({ done }) => done)), sleep(endWithinMs)]);
  process.exit(0);
}

process.on('message', (message: ToExecutor) => {
  switch (message.type) {
    case 'start':
      return void start(message.config, message.orphans);
    case 'act':
      return act(message.id, message.uses, message.request);
    case 'abort':
      return calls.get(message.id)?.aborter.abort();
    case 'ping':
      return void send({ type: 'pong' });
    case 'stop':
      return void end();
    default:
      message satisfies never;
  }
});
process.on('disconnect', () => void end());
// A signal to the whole service is for the gateway, which lets calls under way end and then tells us to stop.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => {});
