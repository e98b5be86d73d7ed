// The configuration that a start uses: the file if it loads, else what of it can be used, else the last copy that loaded.
// A reload and `check` take the file whole or not at all.
import { relative } from 'node:path';
import type { Files } from '../config/files.ts';
import { readConfig } from '../config/quench/config.ts';
import type { ConfigDeps } from '../config/quench/loading.ts';
import { usableConfig, worthOf, type Usable } from '../config/quench/usable.ts';
import { problemLine, type ConfigProblem } from '../config/yaml/problems.ts';
import { GatewayError } from '../core/errors.ts';
import type { Logger } from '../ports/logger.ts';
import { keepLastGood, lastGoodOf } from './last-good.ts';

const problemsToldMax = 20;

/** What the gateway runs with although its configuration does not load. */
export interface Boot extends Usable {
  /** The file is broken as a whole: this is the copy of the last one that loaded. */
  readonly isCopy: boolean;
}

/** Throws `invalid_config` with every problem when neither the file nor a copy of it can be used. */
export function bootConfig(path: string, deps: ConfigDeps, logger: Logger): Boot {
  const reading = readConfig(path, deps);
  const worth = worthOf(reading);
  if (worth === 'whole' || worth === 'in part') {
    const usable = usableConfig(reading);
    if (usable !== null) {
      if (worth === 'whole') keep(usable, deps.files, logger);
      return { ...usable, isCopy: false };
    }
  }
  const copy = copyOf(path, deps, reading.problems);
  if (copy !== null) return copy;
  const usable = worth === 'better not' ? usableConfig(reading) : null;
  if (usable !== null) return { ...usable, isCopy: false };
  const lines = reading.problems.map(lineOf);
  throw new GatewayError('invalid_config', `the configuration does not load:\n${lines.join('\n')}`);
}

function copyOf(path: string, deps: ConfigDeps, problems: readonly ConfigProblem[]): Boot | null {
  const text = lastGoodOf(path, deps.files, deps.env['STATE_DIRECTORY']);
  if (text === null) return null;
  const files: Files = { ...deps.files, read: (wanted) => (wanted === path ? text : deps.files.read(wanted)) };
  const reading = readConfig(path, { ...deps, files });
  const usable = worthOf(reading) === 'no' ? null : usableConfig(reading);
  if (usable === null) return null;
  return { ...usable, broken: { ...usable.broken, problems: [...problems, ...reading.problems] }, isCopy: true };
}

function keep({ config }: Usable, files: Files, logger: Logger): void {
  try {
    keepLastGood(config.data.dir, config.file, files.read(config.file));
  } catch (error) {
    logger.warn({ error }, 'no copy of the configuration was kept for a start on a broken one');
  }
}

/** Everything that is wrong, into the log. */
export function tellBoot({ broken, isCopy }: Boot, logger: Logger): void {
  const { problems } = broken;
  if (problems.length === 0) return;
  for (const problem of problems.slice(0, problemsToldMax)) logger.error({ problem: lineOf(problem) }, 'the configuration has a problem');
  logger.error({ problems: problems.length }, saysOf({ broken, isCopy }));
}

/** In one sentence that anybody may read: figures, no names. */
export function saysOf({ broken, isCopy }: Pick<Boot, 'broken' | 'isCopy'>): string {
  const parts = [
    ...(isCopy ? ['the last copy that loaded is used'] : []),
    ...countOf(broken.notifiers.size, 'notifier refuses', 'notifiers refuse'),
    ...countOf(broken.endpoints.size, 'endpoint takes nothing in', 'endpoints take nothing in'),
    ...(broken.policy ? ['the policy in force stays in force'] : []),
  ];
  const found = `the configuration does not load whole (${countOf(broken.problems.length, 'problem', 'problems').join('')})`;
  return parts.length === 0 ? `${found}: what has none is in use` : `${found}: ${parts.join(', ')}`;
}

function countOf(count: number, one: string, many: string): readonly string[] {
  return count === 0 ? [] : [`${count} ${count === 1 ? one : many}`];
}

function lineOf(problem: ConfigProblem): string {
  return problemLine({ ...problem, file: relative('.', problem.file) });
}
