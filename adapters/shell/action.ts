// shell/run and shell/check: one program of the operator's list, its arguments as a list, never a line for a shell.
// What comes from an alert can only ever be the content of an argument, a variable or the standard input.
// What a playbook must not write into an argv is argv.ts.
//   S1  No shell, no splitting, no globbing: argv reaches the program byte for byte or the call is refused.
//   S2  Only programs below `allow` start; the playbook names them, the operator lists them. A link that leads out of there is not below it.
//   S3  The environment is ours: a fixed base, the operator's, then the playbook's by an allow-list of names (environment.ts).
//   S4  Of a command that was stopped, and of a check, nothing is left that was started for it, in its group or out of it.
import { constants } from 'node:fs';
import { access, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fail, ok, type Result } from '../../src/core/errors.ts';
import type { Json } from '../../src/core/json.ts';
import type { ActionOutcome } from '../../src/core/run/outcome.ts';
import type { Millis } from '../../src/core/time.ts';
import type { Action, ActionRequest } from '../../src/ports/action.ts';
import { smallObject, textOf } from '../kit/answer.ts';
import { endCarriers } from '../kit/carriers.ts';
import { checked, type ActionFamily } from '../kit/kinds.ts';
import { argvCheck } from './argv.ts';
import { below, listFaults } from './lists.ts';
import { ShellConfig, shellDefaults } from './config.ts';
import { programDoubts } from './doubts.ts';
import { variableFault } from './environment.ts';
import { runGroup, type Ended } from './group.ts';

const removeMs: Millis = 50;
/** What takes longer delays no answer, and goes on. */
const sweepMs: Millis = 100;

type Kind = 'run' | 'check';
type Config = Required<ShellConfig>;
type Argv = readonly [string, ...string[]];

interface Input {
  readonly argv: Argv;
  readonly env?: { readonly [name: string]: string | number | boolean };
  readonly stdin?: string;
  readonly cwd?: string;
  readonly okExitCodes?: readonly number[];
}

const input = {
  type: 'object',
  required: ['argv'],
  additionalProperties: false,
  properties: {
    argv: { type: 'array', 'x-quench': 'argument', minItems: 1, maxItems: 64, items: { type: 'string', maxLength: 131_071 } },
    env: {
      type: 'object',
      maxProperties: 64,
      additionalProperties: false,
      patternProperties: { '^[A-Z][A-Z0-9_]{0,63}$': { type: ['string', 'number', 'boolean'], maxLength: 131_000 } },
    },
    stdin: { type: 'string', maxLength: 1_048_576 },
    cwd: { type: 'string', 'x-quench': 'address', minLength: 1, maxLength: 4096 },
    okExitCodes: { type: 'array', minItems: 1, maxItems: 256, items: { type: 'integer', minimum: 0, maximum: 255 } },
  },
};

export const shellActions: ActionFamily = {
  name: 'shell',
  options: ShellConfig,
  doubts: (config) => programDoubts(checked(config)),
  create: (config) => createShellActions(checked(config)),
};

/** The two shell actions: `shell/run` changes something, once; `shell/check` only looks. */
export function createShellActions(config: ShellConfig): readonly Action[] {
  const whole: Config = { ...shellDefaults, ...config };
  return [
    {
      name: 'shell/run',
      summary: 'Runs one allowed program with a fixed list of arguments.',
      effect: 'once',
      input,
      check: argvCheck,
      permits: (asked) => listFaults(asked, whole),
      act: (request, signal) => act('run', whole, request, signal),
    },
    {
      name: 'shell/check',
      summary: 'Runs one allowed program that only looks; nothing it started stays.',
      effect: 'read',
      probe: true,
      input,
      check: argvCheck,
      permits: (asked) => listFaults(asked, whole),
      act: (request, signal) => act('check', whole, request, signal),
    },
  ];
}

async function act(kind: Kind, config: Config, request: ActionRequest, signal: AbortSignal): Promise<ActionOutcome> {
  // The shape was checked against the schema above before we are called.
  const asked = checked<Input>(request.input);
  const complaint = textComplaint(asked, config.variables);
  if (complaint !== null) return failed('invalid_input', complaint);
  const program = await programOf(asked.argv[0], config);
  if (!program.ok) return failed('refused', program.error);
  if (asked.cwd !== undefined && !below(asked.cwd, config.workDirs)) {
    return failed('refused', `shell: directory ${quoted(asked.cwd)} is not below a directory of shell.workDirs`);
  }
  const scratch = asked.cwd === undefined ? await mkdtemp(join(tmpdir(), 'quench-')).catch(() => null) : null;
  const cwd = asked.cwd ?? scratch;
  if (cwd === null) return failed('spawn', `shell: no scratch directory could be made in ${tmpdir()}`);
  const ended = await runGroup(
    {
      argv: [program.value, ...asked.argv.slice(1)],
      env: environmentOf(asked, config, request.key),
      cwd,
      stdin: asked.stdin ?? null,
      timeoutMs: request.timeoutMs,
      graceMs: config.killGraceMs,
      rest: kind === 'run' ? 'leave' : 'kill',
    },
    signal,
  );
  // What left the group (setsid) still carries our key. S4
  if (ended.ending.how === 'stopped' || kind === 'check') await Promise.race([endCarriers([request.key]), wait(sweepMs)]);
  if (scratch !== null) {
    const removed = rm(scratch, { recursive: true, force: true }).catch(() => {});
    // A large one must not delay the answer; it goes on being removed.
    await Promise.race([removed, wait(removeMs)]);
  }
  return outcomeOf(kind, ended, { program: program.value, timeoutMs: request.timeoutMs, okExitCodes: asked.okExitCodes ?? [0] });
}

function wait(span: Millis): Promise<void> {
  return sleep(span, undefined, { ref: false });
}

/** Text that cannot reach a program unchanged: NUL ends a C string, a lone surrogate has no UTF-8. */
function textComplaint(asked: Input, listed: readonly string[]): string | null {
  const texts: (readonly [string, string])[] = asked.argv.map((text, index) => [`argv[${index}]`, text]);
  for (const [name, value] of Object.entries(asked.env ?? {})) {
    const fault = variableFault(name, listed);
    if (fault !== null) return `shell: ${fault}`;
    texts.push([`env.${name}`, String(value)]);
  }
  texts.push(['stdin', asked.stdin ?? ''], ['cwd', asked.cwd ?? '']);
  const bad = texts.find(([, text]) => text.includes('\0') || !text.isWellFormed());
  return bad === undefined ? null : `shell: ${bad[0]} must be well-formed text without NUL`;
}

/** The absolute path that may run for a name, or the sentence that says why none. */
async function programOf(name: string, config: Config): Promise<Result<string, string>> {
  if (config.allow.length === 0) return fail('shell: no program may run: the list shell.allow in the configuration is empty');
  const path = name.includes('/') ? name : await lookUp(name, config.path);
  if (path === null)
    return fail(`shell: no program ${quoted(name)} in ${config.path.join(':')}; expected its absolute path or a name found there`);
  if (!below(path, config.allow)) return fail(`shell: program ${quoted(path)} is not on the list shell.allow`);
  const real = await realpath(path).catch(() => null);
  if (real === null) return ok(path); // starting it says what is wrong with it
  const allowed = await Promise.all(config.allow.map((entry) => realpath(entry).catch(() => entry)));
  return below(real, allowed)
    ? ok(path)
    : fail(`shell: program ${quoted(path)} is a link to ${quoted(real)}, which is not on the list shell.allow`);
}

async function lookUp(name: string, folders: readonly string[]): Promise<string | null> {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/.test(name)) return null;
  for (const folder of folders) {
    const path = join(folder, name);
    const runs = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (runs) return path;
  }
  return null;
}

function environmentOf(asked: Input, config: Config, key: string): { readonly [name: string]: string } {
  const environment: Record<string, string> = { PATH: config.path.join(':'), LANG: 'C.UTF-8', HOME: '/nonexistent', ...config.env };
  for (const [name, value] of Object.entries(asked.env ?? {})) environment[name] = String(value);
  environment['QUENCH_KEY'] = key;
  return environment;
}

interface Expected {
  readonly program: string;
  readonly timeoutMs: number;
  readonly okExitCodes: readonly number[];
}

function outcomeOf(kind: Kind, ended: Ended, expected: Expected): ActionOutcome {
  const { program } = expected;
  const { ending } = ended;
  switch (ending.how) {
    case 'unstarted':
      return failed(ending.code === 'aborted' ? 'aborted' : 'spawn', `shell: ${quoted(program)} was not started: ${ending.code}`);
    case 'exited': {
      const output = outputOf(ended, ending.code);
      if (expected.okExitCodes.includes(ending.code)) return { outcome: 'ok', output };
      const codes = expected.okExitCodes.join(', ');
      return failed('exit', `shell: ${quoted(program)} ended with exit code ${ending.code}, expected ${codes}`, output);
    }
    case 'signalled':
      return failed('exit', `shell: ${quoted(program)} was ended from outside by ${ending.signal}`, outputOf(ended, null));
    case 'stopped': {
      const why = { timeout: `ran longer than ${expected.timeoutMs}ms`, aborted: 'was called off', flooded: 'wrote more than 16 MiB' }[
        ending.why
      ];
      const detail = `shell: ${quoted(program)} ${why}; its process group was killed`;
      return kind === 'run' ? { outcome: 'unknown', detail } : failed(ending.why, detail, outputOf(ended, null));
    }
  }
}

function outputOf(ended: Ended, exitCode: number | null): { readonly [name: string]: Json } {
  const stdout = textOf(ended.stdout);
  const json = ended.truncated ? null : smallObject(stdout);
  return { exitCode, stdout, stderr: textOf(ended.stderr), truncated: ended.truncated, ...(json === null ? {} : { json }) };
}

function failed(error: string, detail: string, output: { readonly [name: string]: Json } = {}): ActionOutcome {
  return { outcome: 'failed', error, detail, output };
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}
