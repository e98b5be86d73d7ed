// Command lines of a playbook, before they ever run: where a value may stand in an argv, and where it would become program text.
// What may run at all is the operator's list (action.ts); this is about what no such list can see.
//   A1  The program is a literal.
//   A2  No reference stands in text that an interpreter will read as a program.
import type { Json } from '../../src/core/json.ts';
import type { Template } from '../../src/core/playbook/document.ts';
import { refers } from '../../src/core/playbook/template.ts';
import type { InputFault } from '../../src/ports/action.ts';

/** What is wrong with one element, by its index. */
export interface ArgvFault {
  readonly index: number;
  readonly message: string;
}

const interpreters = new Map<string, RegExp>([
  ...'sh bash dash zsh ksh ash fish busybox su runuser script flock'
    .split(' ')
    .map((name): [string, RegExp] => [name, /^(-[a-zA-Z]*c|--command(=.*)?)$/]),
  ...'python perl ruby node nodejs deno bun php lua osascript'
    .split(' ')
    .map((name): [string, RegExp] => [name, /^(-[a-zA-Z]*[ceEpr]|--eval|--print|--require|eval)$/]),
  ...'pwsh powershell cmd'.split(' ').map((name): [string, RegExp] => [name, /^([-/][cCkK]|-(e|ec|enc|command|encodedcommand))$/i]),
]);

/** Programs that run the program in their arguments. */
const wrappers = new Set('sudo doas env nice ionice nohup timeout setsid chroot stdbuf systemd-run'.split(' '));

/** Programs whose first plain argument is a program text. */
const filters = new Set(['awk', 'gawk', 'mawk', 'nawk', 'sed', 'jq', 'bc', 'eval', 'expect', 'watch']);

/** Programs that join their arguments into one line for a shell. */
const joiners = new Set(['ssh', 'watch', 'parallel']);

/** The shell actions' own check of the input in a playbook. An argv of another shape is the schema's business. */
export function argvCheck(input: Template): readonly InputFault[] {
  const argv = argvOf(input);
  if (isList(argv)) return argvFaults(argv).map(({ index, message }) => ({ pointer: `/argv/${index}`, message }));
  if (typeof argv !== 'string' || !refers(argv)) return [];
  return [
    { pointer: '/argv', message: 'expected a list that begins with the program, seen a reference: a value must not choose what runs' },
  ];
}

function argvOf(input: Template): Json {
  if (typeof input !== 'object' || input === null || isList(input)) return null;
  return Object.hasOwn(input, 'argv') ? (input['argv'] ?? null) : null;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

/** Everything in an argv that would let a value become program text. Elements that are no text are the schema's business. */
export function argvFaults(argv: readonly Json[]): readonly ArgvFault[] {
  const faults: ArgvFault[] = [];
  if (argv[0] !== undefined && refers(argv[0])) {
    faults.push({ index: 0, message: 'expected the program by name, seen a reference: a value must not choose what runs (A1)' });
  }
  const seen = new Set<number>([0]);
  argv.forEach((element, at) => {
    const program = programOf(element);
    if (program === null) return;
    const found = [scriptFaults, joinedFaults, filterFaults, wrapperFaults].flatMap((rule) => rule(argv, at, program));
    for (const fault of found) {
      if (!seen.has(fault.index)) faults.push(fault);
      seen.add(fault.index);
    }
  });
  return faults;
}

function scriptFaults(argv: readonly Json[], at: number, program: string): readonly ArgvFault[] {
  const flag = interpreters.get(program);
  if (flag === undefined) return [];
  const faults: ArgvFault[] = [];
  const leads = at === 0 || wrappers.has(programOf(argv[0] ?? '') ?? '');
  let plain = false;
  for (let index = at + 1; index < argv.length; index++) {
    const element = argv[index];
    if (typeof element !== 'string') continue;
    const option = element.startsWith('-') || (program === 'cmd' && element.startsWith('/'));
    const script = argv[index + 1];
    if (flag.test(element)) {
      if (script === undefined || !refers(script)) break;
      const message = `expected a program text without references, seen one: ${program} would run what the value says; pass it as a later argument or in env (A2)`;
      return [...faults, { index: index + 1, message }];
    }
    if (leads && refers(element) && (option || !plain)) {
      faults.push({
        index,
        message: `expected options and script of ${program} without references, seen one: a value must not choose what runs (A2)`,
      });
    }
    plain ||= !option;
  }
  return faults;
}

function joinedFaults(argv: readonly Json[], at: number, program: string): readonly ArgvFault[] {
  if (!joiners.has(program)) return [];
  return indexesOf(argv, at).map((index) => ({
    index,
    message: `expected no reference after ${program}, seen one: it joins its arguments into one line for a shell (A2)`,
  }));
}

function filterFaults(argv: readonly Json[], at: number, program: string): readonly ArgvFault[] {
  if (!filters.has(program)) return [];
  const first = argv.findIndex((element, index) => index > at && typeof element === 'string' && !element.startsWith('-'));
  const message = `expected a program text without references, seen one: ${program} runs its first argument; pass the value in env (A2)`;
  return indexesOf(argv, at)
    .filter((index) => first === -1 || index <= first)
    .map((index) => ({ index, message }));
}

/** `sudo $x`, `timeout 9s $x`, `env A=b $x`: no element before the value could be the program. */
function wrapperFaults(argv: readonly Json[], at: number, program: string): readonly ArgvFault[] {
  if (!wrappers.has(program)) return [];
  const named = argv.findIndex((element, index) => {
    return index > at && typeof element === 'string' && !refers(element) && !/^-|=|^[0-9.]+[smhd]?$/.test(element);
  });
  const message = `expected the program after ${program} by name, seen a reference: a value must not choose what runs (A1)`;
  return indexesOf(argv, at)
    .filter((index) => named === -1 || index < named)
    .map((index) => ({ index, message }));
}

function indexesOf(argv: readonly Json[], after: number): readonly number[] {
  return argv.flatMap((element, index) => (index > after && refers(element) ? [index] : []));
}

/** The bare program name of a literal element: `/bin/bash`, `python3.11`, `cmd.exe` → `bash`, `python`, `cmd`. */
function programOf(element: Json): string | null {
  if (typeof element !== 'string' || refers(element)) return null;
  const name = element.split(/[\\/]/).pop() ?? '';
  return name
    .replace(/\.exe$/i, '')
    .replace(/[0-9.]+$/, '')
    .toLowerCase();
}
