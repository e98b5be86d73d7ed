// What the config tests share: the real expression language and real actions, and files that are texts.
import { createExpressions } from '../../adapters/cel/expressions.ts';
import { createHttpActions } from '../../adapters/http/action.ts';
import { createProcessActions } from '../../adapters/process/action.ts';
import { createShellActions } from '../../adapters/shell/action.ts';
import type { Files } from '../../src/config/files.ts';
import type { PlaybookDeps } from '../../src/config/playbook/fault.ts';
import { problemLine, type ConfigProblem } from '../../src/config/yaml/problems.ts';
import type { Result } from '../../src/core/errors.ts';
import type { Clock } from '../../src/ports/clock.ts';

const still: Clock = { now: () => 0, steady: () => 0, after: () => () => {} };

export const playbookDeps: PlaybookDeps = {
  actions: [...createShellActions({}), ...createHttpActions({}, still), ...createProcessActions({})],
  expressions: createExpressions(),
};

/** Files by path; a directory holds what begins with it. */
export function textFiles(texts: { readonly [path: string]: string }): Files {
  const missing = (path: string): Error => Object.assign(new Error(`no such file ${path}`), { code: 'ENOENT' });
  return {
    read(path) {
      const text = texts[path];
      if (text === undefined) throw missing(path);
      return text;
    },
    list(dir) {
      const names = Object.keys(texts).filter((path) => path.startsWith(`${dir}/`));
      if (names.length === 0) throw missing(dir);
      return names.map((path) => path.slice(dir.length + 1)).filter((name) => !name.includes('/'));
    },
  };
}

/** The problems as people see them; empty when it loaded. */
export function linesOf(result: Result<unknown, readonly ConfigProblem[]>): readonly string[] {
  return result.ok ? [] : result.error.map(problemLine);
}

/** A text with one part exchanged; the part must be there once. */
export function exchanged(text: string, part: string, by: string): string {
  if (text.split(part).length !== 2) throw new Error(`expected "${part}" once in the fixture`);
  return text.replace(part, () => by);
}

/** A playbook that loads, and whose page climbs the ladder. */
export const bookTo = (ladder: string): string => `apiVersion: playbook/v1
name: one
version: 1.0.0
summary: s
owner: o
on: [{ alert: alert.name == "A" }]
target: { resource: thing }
steps: [{ id: go, uses: shell/run, with: { argv: ["true"] }, timeout: 10s }]
escalate: { ladder: ${ladder} }
`;
