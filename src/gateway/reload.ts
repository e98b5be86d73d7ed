// SIGHUP: quench.yaml and its playbooks are read again while the gateway runs.
//   R1  What does not load changes nothing, and neither does what can only change with a restart: policy that was written for other
//       notifiers or actions than the running ones is not published.
//   R2  What is accepted becomes policy the way a start publishes it: on the log, with its digest. Runs that began keep the policy they began with.
//   R3  One reload at a time; what is asked for meanwhile is one more, behind it.
import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config/quench/types.ts';
import { problemLine, type ConfigProblem } from '../config/yaml/problems.ts';
import type { Result } from '../core/errors.ts';
import type { Policy } from '../core/playbook/policy.ts';
import type { Logger } from '../ports/logger.ts';

const problemsToldMax = 20;

/** Policy is what a reload is for; the path of the file and the place of the playbooks say where it was read from. */
const replaceable: ReadonlySet<keyof Config> = new Set(['policy', 'file', 'playbooks', 'secrets']);

export interface Reloading {
  /** What the gateway was started with. */
  readonly config: Config;
  load(): Result<Config, readonly ConfigProblem[]>;
  publish(policy: Policy): Promise<void>;
  readonly logger: Logger;
}

/** Makes the function that a signal calls; what came of it is said in the log. */
export function reloader(parts: Reloading): () => Promise<void> {
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  const once = async (): Promise<void> => {
    running = reload(parts).finally(() => (running = null));
    await running;
  };
  // R3
  return async () => {
    if (running === null) return once();
    next ??= running.then(() => {
      next = null;
      return once();
    });
    return next;
  };
}

async function reload({ config, load, publish, logger }: Reloading): Promise<void> {
  try {
    const loaded = load();
    if (!loaded.ok) return tellProblems(logger, loaded.error); // R1
    const restart = changedBeside(config, loaded.value);
    if (restart.length > 0)
      return logger.error(
        { changed: restart },
        'not reloaded: what changed needs a restart of the gateway; what was in force stays in force',
      );
    await publish(loaded.value.policy); // R2
    const { digest, playbooks } = loaded.value.policy;
    logger.info({ digest, playbooks: playbooks.length }, 'reloaded: this policy is in force, or on its way to the log');
  } catch (error) {
    logger.error({ error }, 'not reloaded: the policy could not be published; what was in force stays in force');
  }
}

/** Members of quench.yaml, other than policy, that are not as they were at the start. */
function changedBeside(before: Config, after: Config): readonly string[] {
  const names = Object.keys(after) as (keyof Config)[]; // built by loadConfig
  return names.filter((name) => !replaceable.has(name) && !isDeepStrictEqual(before[name], after[name]));
}

function tellProblems(logger: Logger, problems: readonly ConfigProblem[]): void {
  for (const problem of problems.slice(0, problemsToldMax)) logger.error({ problem: problemLine(problem) }, 'not reloaded');
  logger.error({ problems: problems.length }, 'not reloaded: the configuration does not load; what was in force stays in force');
}
