// Playbook files in, playbooks out: every problem of every file in one reading, or the playbooks that core may run.
//   L1  What is not understood is an error with a place, never ignored.
//   L2  A playbook that loads refers to nothing that is not there, and no value of an alert stands in program text.
import { join } from 'node:path';
import { fail, ok, type Result } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import type { Playbook } from '../../core/playbook/document.ts';
import type { Files } from '../files.ts';
import { memberOf, membersOf } from '../yaml/pointer.ts';
import { inOrder, type ConfigProblem } from '../yaml/problems.ts';
import { shapeFaults, withoutFaults, type ShapeFault } from '../yaml/shape.ts';
import { readYaml, type YamlFile } from '../yaml/yaml.ts';
import { buildPlaybook, type RawPlaybook } from './build.ts';
import type { PlaybookDeps } from './fault.ts';
import { playbookFaults } from './lint.ts';
import { PlaybookSchema } from './schema.ts';

export interface TextFile {
  readonly file: string;
  readonly text: string;
}

/** A playbook and the file it came from, for later complaints. */
export interface LoadedPlaybook {
  readonly playbook: Playbook;
  readonly file: YamlFile;
}

/** All playbooks of the texts, in the order of their file names, or all problems. */
export function loadPlaybooks(texts: readonly TextFile[], deps: PlaybookDeps): Result<readonly LoadedPlaybook[], readonly ConfigProblem[]> {
  const { loaded, problems } = readPlaybooks(texts, deps);
  return problems.length > 0 ? fail(problems) : ok(loaded);
}

/** Those playbooks of the texts that load, in the order of their file names, and the problems of the others. */
export function readPlaybooks(
  texts: readonly TextFile[],
  deps: PlaybookDeps,
): { readonly loaded: readonly LoadedPlaybook[]; readonly problems: readonly ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const loaded: LoadedPlaybook[] = [];
  for (const text of texts.toSorted((a, b) => (a.file < b.file ? -1 : 1))) {
    const one = loadPlaybook(text, deps);
    if (!one.ok) {
      problems.push(...one.error);
      continue;
    }
    const same = loaded.find(({ playbook }) => playbook.name === one.value.playbook.name);
    if (same !== undefined) {
      problems.push(
        one.value.file.problem('/name', `expected every name once, seen "${one.value.playbook.name}", which ${same.file.file} has too`),
      );
      continue;
    }
    loaded.push(one.value);
  }
  return { loaded, problems: inOrder(problems) };
}

/** One playbook, or everything wrong with it. */
export function loadPlaybook(text: TextFile, deps: PlaybookDeps): Result<LoadedPlaybook, readonly ConfigProblem[]> {
  const read = readYaml(text.file, text.text);
  if (!read.ok) return read;
  const file = read.value;
  const shape = shapeFaults(PlaybookSchema, file.value);
  const sound = shape.length === 0 ? file.value : withoutFaults(PlaybookSchema, file.value, shape);
  // PlaybookSchema accepted it, whole or without what it complained about.
  const raw = sound as (Json & RawPlaybook) | null;
  const faults = raw === null ? [] : playbookFaults(raw, deps);
  const problems = [
    ...shape.map((fault) => file.problem(fault.pointer, misplaced(file.value, fault, deps) ?? fault.message, fault.on)),
    ...faults.map((fault) => file.problem(fault.pointer, fault.message)),
  ];
  return problems.length > 0 || raw === null ? fail(inOrder(problems)) : ok({ playbook: buildPlaybook(raw), file });
}

/** A member of the action's input that stands beside `uses`; null for any other fault. */
function misplaced(document: Json, fault: ShapeFault, { actions }: PlaybookDeps): string | null {
  if (fault.keyword !== 'additionalProperties') return null;
  const members = membersOf(fault.pointer);
  const key = members.pop() ?? '';
  const uses = memberOf(members.reduce<unknown>(memberOf, document), 'uses');
  const input = actions.find(({ name }) => name === uses)?.input;
  return memberOf(memberOf(input, 'properties'), key) === undefined ? null : `expected "${key}" as a key of "with", seen it beside "uses"`;
}

/** The playbook files of a directory (`*.yaml`, without the `*.test.yaml` beside them); `unread` is told of one that cannot be read, without it that is thrown. */
export function readPlaybookDir(dir: string, files: Files, unread?: (error: unknown) => void): readonly TextFile[] {
  return readYamlDir(dir, files, (name) => !name.endsWith('.test.yaml'), unread);
}

/** The test case files of a directory. */
export function readCaseDir(dir: string, files: Files): readonly TextFile[] {
  return readYamlDir(dir, files, (name) => name.endsWith('.test.yaml'));
}

/** Why a directory could not be read, from what `readPlaybookDir` or `readCaseDir` threw: it names the file in it that is at fault. */
export function dirFault(dir: string, error: unknown): string {
  const [path, code] = [memberOf(error, 'path'), memberOf(error, 'code')];
  const why = typeof code === 'string' ? code : 'it cannot be read';
  if (typeof path !== 'string' || path === dir) return `expected a directory of playbooks at ${dir}, seen none: ${why}`;
  return `expected a file that can be read at ${path}, seen none: ${why}`;
}

function readYamlDir(dir: string, files: Files, wanted: (name: string) => boolean, unread?: (error: unknown) => void): readonly TextFile[] {
  const names = files.list(dir).filter((name) => name.endsWith('.yaml') && wanted(name));
  return names.flatMap((name) => {
    try {
      return [{ file: join(dir, name), text: files.read(join(dir, name)) }];
    } catch (error) {
      if (unread === undefined) throw error;
      unread(error);
      return [];
    }
  });
}
