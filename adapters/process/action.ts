// process/restart and process/status: a process that the operator described, picked by name.
// For machines without a service manager and for the demo; where systemd runs, use that.
//   R1  A signal goes only to a process that the pid file and /proc together prove to be ours (proc.ts), looked at again before SIGKILL.
//   R2  At most one restart per name is under way, and a new process starts only when the old one is seen gone.
//   R3  What can be known to fail is refused before the old process is touched.
//   R4  The new process is nobody's child to end: own session, no pipe to us; it outlives the executor.
import { spawn, type ChildProcess } from 'node:child_process';
import { constants, existsSync } from 'node:fs';
import { access, open } from 'node:fs/promises';
import { dirname, isAbsolute } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ActionOutcome } from '../../src/core/run/outcome.ts';
import { second, type Millis } from '../../src/core/time.ts';
import type { Template } from '../../src/core/playbook/document.ts';
import { refers } from '../../src/core/playbook/template.ts';
import type { Action, ActionRequest, ListFault } from '../../src/ports/action.ts';
import { checked, type ActionFamily } from '../kit/kinds.ts';
import { ProcessConfig, processDefaults, processName, type ProcessSpec } from './config.ts';
import { groupRuns, look, note, uptimeMs, verdictOf, type Seen } from './proc.ts';

const pollMs: Millis = 50;
/** How long a process gets to disappear after SIGKILL. */
const reapMs: Millis = 500;

type Spec = ProcessSpec & Required<Pick<ProcessSpec, keyof typeof processDefaults>>;
type Failed = Extract<ActionOutcome, { outcome: 'failed' }>;

const input = {
  type: 'object',
  required: ['name'],
  additionalProperties: false,
  properties: {
    name: { type: 'string', 'x-quench': 'address', pattern: processName, 'x-expects': 'the name of a process under actions.process' },
  },
};

export const processActions: ActionFamily = {
  name: 'process',
  options: ProcessConfig,
  create: (config) => createProcessActions(checked(config)),
};

/** The two process actions, over the processes that the configuration names. */
export function createProcessActions(config: ProcessConfig): readonly Action[] {
  const specs = new Map(Object.entries(config).map(([name, spec]): [string, Spec] => [name, { ...processDefaults, ...spec }]));
  const busy = new Set<string>();
  const picked = (request: ActionRequest): { readonly name: string; readonly spec: Spec } | Failed => {
    const name = String(request.input['name']);
    const spec = specs.get(name);
    if (!existsSync('/proc/self/stat')) return failed('unsupported', 'process: needs Linux, there is no /proc here');
    if (spec !== undefined) return { name, spec };
    return failed('refused', `process: no process is named "${name}"; configured are: ${[...specs.keys()].join(', ') || 'none'}`);
  };
  const permits = (asked: Template): readonly ListFault[] => nameFaults(asked, specs);
  return [
    {
      name: 'process/restart',
      summary: 'Stops a configured process, if it runs, and starts it again.',
      effect: 'once',
      input,
      permits,
      async act(request, signal) {
        const pick = picked(request);
        if ('outcome' in pick) return pick;
        if (busy.has(pick.name)) return failed('busy', `process: ${pick.name} is being restarted already`);
        busy.add(pick.name);
        try {
          return await restart(pick.name, pick.spec, { timeoutMs: request.timeoutMs, signal });
        } finally {
          busy.delete(pick.name);
        }
      },
    },
    {
      name: 'process/status',
      summary: 'Says whether a configured process runs, with its pid and age.',
      effect: 'read',
      probe: true,
      input,
      permits,
      async act(request) {
        const pick = picked(request);
        return 'outcome' in pick ? pick : status(pick.spec);
      },
    },
  ];
}

/** A name that no process under actions.process has. */
function nameFaults(asked: Template, specs: ReadonlyMap<string, Spec>): readonly ListFault[] {
  const name = typeof asked === 'object' && asked !== null && 'name' in asked ? asked['name'] : null;
  if (typeof name !== 'string' || refers(name) || specs.has(name)) return [];
  const says = `no process ${name} is described under actions.process`;
  const paste = `actions: { process: { ${name}: { command: [/path/of/the/program], pidFile: ./data/${name}.pid } } }`;
  return [
    { pointer: '/name', says, message: `expected a process that actions.process describes, seen ${name}; write in quench.yaml: ${paste}` },
  ];
}

async function status(spec: Spec): Promise<ActionOutcome> {
  const verdict = await verdictOf(spec);
  switch (verdict.is) {
    case 'ours':
      return { outcome: 'ok', output: { running: true, pid: verdict.seen.pid, uptimeMs: await uptimeMs(verdict.seen) } };
    case 'gone':
      return { outcome: 'ok', output: { running: false, pid: null, uptimeMs: null } };
    case 'doubtful':
      return failed('doubtful', `process: ${verdict.why}`);
  }
}

async function restart(
  name: string,
  spec: Spec,
  bounds: { readonly timeoutMs: Millis; readonly signal: AbortSignal },
): Promise<ActionOutcome> {
  const { signal } = bounds;
  const complaint = await complaintOf(spec, bounds.timeoutMs);
  if (complaint !== null) return failed('not_startable', `process: ${name} was not touched: ${complaint}`);
  const verdict = await verdictOf(spec);
  if (verdict.is === 'doubtful') return failed('doubtful', `process: ${name} was not touched: ${verdict.why}`);
  if (signal.aborted) return failed('aborted', `process: ${name} was not touched: the call was called off`);
  const previousPid = verdict.is === 'ours' ? verdict.seen.pid : null;
  if (verdict.is === 'ours') {
    const stopped = await stop(spec, verdict.seen, signal);
    if (stopped === 'aborted')
      return { outcome: 'unknown', detail: `process: ${name} was told to stop and the call was called off; it may be down` };
    if (stopped !== 'gone')
      return failed('stop', `process: ${name} (pid ${previousPid}) could not be stopped: ${stopped}`, { previousPid });
  }
  const started = await start(spec, signal);
  if (started.is === 'failed') return failed('start', `process: ${name} is down: ${started.why}`, { pid: null, previousPid });
  if (started.is === 'running') return { outcome: 'ok', output: { pid: started.pid, previousPid } };
  return { outcome: 'unknown', detail: `process: ${name} was started as pid ${started.pid} and the call was called off` };
}

/** Why a restart would fail or not fit into its time; null when nothing speaks against it. R3 */
async function complaintOf(spec: Spec, timeoutMs: Millis): Promise<string | null> {
  const neededMs = spec.stopWaitMs + spec.startWaitMs + second;
  if (timeoutMs < neededMs) return `the step's timeout of ${timeoutMs}ms is too short; stopping and starting may take ${neededMs}ms`;
  const [program] = spec.command;
  if (!isAbsolute(program) || !(await may(program, constants.X_OK))) return `program ${program} is not an executable with an absolute path`;
  if (spec.cwd !== undefined && !(await may(spec.cwd, constants.X_OK))) return `directory ${spec.cwd} cannot be entered`;
  for (const file of [spec.pidFile, ...(spec.logFile === undefined ? [] : [spec.logFile])]) {
    if (!(await may(dirname(file), constants.W_OK))) return `${dirname(file)} cannot be written to`;
  }
  return null;
}

function may(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

/** Ends the process and its group: `gone`, or `aborted`, or why it is still there. */
async function stop(spec: Spec, seen: Seen, signal: AbortSignal): Promise<string> {
  if (!(await still(seen))) return 'gone';
  const refused = send(seen, spec.stopSignal);
  if (refused !== null) return refused;
  const reached = await gone(seen, spec.stopWaitMs, signal);
  if (reached !== 'alive') return reached;
  // The group outlives its leader under the same number; while it does, the kernel gives that number to no one else.
  if (await remains(seen)) send(seen, 'SIGKILL'); // R1
  const killed = await gone(seen, reapMs, signal);
  return killed === 'alive' ? 'it is still there after SIGKILL' : killed;
}

async function gone(seen: Seen, withinMs: Millis, signal: AbortSignal): Promise<'gone' | 'alive' | 'aborted'> {
  const endsAt = performance.now() + withinMs;
  while (await remains(seen)) {
    if (signal.aborted) return 'aborted';
    const left = endsAt - performance.now();
    if (left <= 0) return 'alive';
    await sleep(Math.min(pollMs, left));
  }
  return 'gone';
}

async function still(seen: Seen): Promise<boolean> {
  return (await look(seen.pid))?.start === seen.start;
}

/** True while the process or a member of the group that it leads is there. */
async function remains(seen: Seen): Promise<boolean> {
  if (await still(seen)) return true;
  return seen.group === seen.pid && kill(-seen.pid, 0) === null && groupRuns(seen.pid);
}

/** To the whole group when the process leads one, else to it alone; null, or the system's word for why not. */
function send(seen: Seen, name: NodeJS.Signals): string | null {
  const refused = kill(seen.group === seen.pid ? -seen.pid : seen.pid, name);
  return refused === 'ESRCH' ? null : refused;
}

function kill(target: number, name: NodeJS.Signals | 0): string | null {
  try {
    process.kill(target, name);
    return null;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  }
}

type Started = { readonly is: 'running' | 'aborted'; readonly pid: number } | { readonly is: 'failed'; readonly why: string };

async function start(spec: Spec, signal: AbortSignal): Promise<Started> {
  let launched: Launched;
  try {
    launched = await launch(spec);
  } catch (error) {
    return { is: 'failed', why: `it could not be started: ${wordOf(error)}` };
  }
  const { pid, ended } = launched;
  const seen = pid === undefined ? null : await look(pid);
  if (seen === null) return { is: 'failed', why: await Promise.race([ended, sleep(reapMs, 'it ended at once')]) };
  try {
    await note(spec.pidFile, seen);
    const early = await Promise.race([ended, sleep(spec.startWaitMs, null, { signal }).catch(() => null)]);
    if (early !== null) return { is: 'failed', why: early };
    // A script's interpreter, or a program that renamed itself, shows only now.
    const settled = await look(seen.pid);
    if (settled !== null) await note(spec.pidFile, settled);
  } catch (error) {
    send({ ...seen, group: seen.pid }, 'SIGKILL');
    return { is: 'failed', why: `its pid file ${spec.pidFile} could not be written (${wordOf(error)}), so it was stopped again` };
  }
  return { is: signal.aborted ? 'aborted' : 'running', pid: seen.pid };
}

interface Launched {
  readonly pid: number | undefined;
  /** Resolves to a sentence when the process ends or never began. */
  readonly ended: Promise<string>;
}

async function launch(spec: Spec): Promise<Launched> {
  const log = spec.logFile === undefined ? null : await open(spec.logFile, 'a', 0o640);
  try {
    const [program, ...args] = spec.command;
    const child = spawn(program, args, {
      cwd: spec.cwd ?? '/',
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8', HOME: '/nonexistent', ...spec.env },
      detached: true,
      shell: false,
      stdio: ['ignore', log?.fd ?? 'ignore', log?.fd ?? 'ignore'],
    });
    child.unref(); // R4
    return { pid: child.pid, ended: endOf(child) };
  } finally {
    await log?.close();
  }
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`it could not be started: ${wordOf(error)}`));
    child.once('exit', (code, signal) => resolve(`it ended at once, with ${code === null ? String(signal) : `exit code ${code}`}`));
  });
}

function wordOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}

function failed(error: string, detail: string, output: Failed['output'] = {}): Failed {
  return { outcome: 'failed', error, detail, output };
}
