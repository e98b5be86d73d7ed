// The operator's lists against an input that a playbook gives, before it ever runs: which program, which directory, which variables.
// What is asked of the file system (where a bare name is found, where a link leads) only the call itself can settle (action.ts).
import type { Json } from '../../src/core/json.ts';
import type { Template } from '../../src/core/playbook/document.ts';
import { refers } from '../../src/core/playbook/template.ts';
import { isAbsolute, join, normalize } from 'node:path';
import type { ListFault } from '../../src/ports/action.ts';
import type { ShellConfig } from './config.ts';
import { variableFault } from './environment.ts';

type Lists = Pick<Required<ShellConfig>, 'allow' | 'path' | 'workDirs' | 'variables'>;

/** True for a path that is written without detours and is one of the entries or inside one. */
export function below(path: string, entries: readonly string[]): boolean {
  if (!isAbsolute(path) || normalize(path) !== path) return false;
  return entries.some((entry) => {
    const plain = normalize(entry).replace(/\/$/, '');
    return path === plain || path.startsWith(`${plain}/`);
  });
}

/** What the lists refuse, with the line to paste. */
export function listFaults(input: Template, lists: Lists): readonly ListFault[] {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return [];
  const given = input as { readonly [name: string]: Json };
  return [...programFaults(given['argv'], lists), ...directoryFaults(given['cwd'], lists), ...variableFaults(given['env'], lists)];
}

function programFaults(argv: Json | undefined, { allow, path }: Lists): readonly ListFault[] {
  const [program]: readonly unknown[] = Array.isArray(argv) ? argv : [];
  if (typeof program !== 'string' || refers(program)) return [];
  const places = program.includes('/') ? [program] : path.map((folder) => join(folder, program));
  if (places.some((place) => below(place, allow))) return [];
  const usual = places.find((place) => place.startsWith('/usr/bin/')) ?? places[0] ?? program;
  return [fault('/argv/0', `program ${program}`, { list: 'allow', entries: allow, entry: usual })];
}

function directoryFaults(cwd: Json | undefined, { workDirs }: Lists): readonly ListFault[] {
  if (typeof cwd !== 'string' || refers(cwd) || below(cwd, workDirs)) return [];
  return [fault('/cwd', `directory ${cwd}`, { list: 'workDirs', entries: workDirs, entry: cwd })];
}

function variableFaults(env: Json | undefined, { variables }: Lists): readonly ListFault[] {
  if (typeof env !== 'object' || env === null) return [];
  return Object.keys(env).flatMap((name) => {
    const says = variableFault(name, variables);
    return says === null ? [] : [{ pointer: `/env/${name}`, says, message: `expected a word for data, seen another name: ${says}` }];
  });
}

function fault(
  pointer: string,
  what: string,
  { list, entries, entry }: { readonly list: string; readonly entries: readonly string[]; readonly entry: string },
): ListFault {
  const says = `${what} is not on the list actions.shell.${list}`;
  const paste =
    entries.length === 0 ? `actions: { shell: { ${list}: [${entry}] } }` : `- ${entry}   as one more line of actions.shell.${list}`;
  return {
    pointer,
    says,
    message: `expected what actions.shell.${list} names, seen ${what}, which would be refused; write in quench.yaml: ${paste}`,
  };
}
