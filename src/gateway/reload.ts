// quench.yaml and its playbooks are read again while the gateway runs: by SIGHUP, by command, and when the files change.
//   R1  What does not load changes nothing, and neither does what can only change with a restart: a bad file never replaces a good one.
//   R2  What is accepted becomes policy the way a start publishes it: on the log, with its digest. Runs that began keep the policy they began with.
//   R3  One reload at a time; what is asked for meanwhile is one more, behind it.
import { problemLine, type ConfigProblem } from '../config/yaml/problems.ts';
import type { Config } from '../config/quench/types.ts';
import { ok, type Result } from '../core/errors.ts';
import type { Policy } from '../core/playbook/policy.ts';
import type { Logger } from '../ports/logger.ts';
import type { ReloadAnswer } from '../readmodel/answers.ts';
import type { ConfigTrouble } from './config-trouble.ts';
import type { Live } from './live.ts';

const problemsToldMax = 20;

export type LoadConfig = () => Result<Config, readonly ConfigProblem[]>;
export type Reload = () => Promise<ReloadAnswer>;

export interface Reloading {
  readonly live: Live;
  /** Null: there is nothing to read it from again. */
  readonly load: LoadConfig | null;
  publish(policy: Policy): Promise<void>;
  readonly logger: Logger;
  readonly trouble: Pick<ConfigTrouble, 'mended' | 'refused'>;
}

/** Makes the function that reloads; what came of it is its answer, and said in the log. */
export function createReload(parts: Reloading): Reload {
  let running: Promise<ReloadAnswer> | null = null;
  let next: Promise<ReloadAnswer> | null = null;
  const once = (): Promise<ReloadAnswer> => {
    const begun = reload(parts)
      .catch((error: unknown) => brokenBy(error, parts))
      .finally(() => (running = null));
    running = begun;
    return begun;
  };
  // R3
  return () => {
    if (running === null) return once();
    next ??= running.then(() => {
      next = null;
      return once();
    });
    return next;
  };
}

async function reload({ live, load, publish, logger, trouble }: Reloading): Promise<ReloadAnswer> {
  const loaded = load?.() ?? ok(live.config());
  if (!loaded.ok) return refusedBy(loaded.error, { logger, trouble }); // R1
  const { restart, changed } = live.difference(loaded.value);
  const { digest, playbooks } = loaded.value.policy;
  const answer = { digest, playbooks: playbooks.length, changed: [...changed], restart: [...restart], problems: [] };
  if (restart.length > 0) {
    trouble.refused({ problems: restart.length, says: 'quench.yaml changed in what needs a restart: what was in force stays in force' });
    logger.error({ changed: restart }, 'not reloaded: what changed needs a restart of the gateway; what was in force stays in force');
    return { ...answer, outcome: 'needs_restart' };
  }
  const goBack = live.take(loaded.value);
  try {
    await publish(loaded.value.policy); // R2
  } catch (error) {
    goBack();
    logger.error({ error }, 'not reloaded: the policy could not be published; what was in force stays in force');
    return { ...answer, outcome: 'not_published' };
  }
  trouble.mended();
  logger.info({ digest, playbooks: playbooks.length, changed }, 'reloaded: this policy is in force, or on its way to the log');
  return { ...answer, outcome: changed.length === 0 ? 'unchanged' : 'reloaded' };
}

function brokenBy(error: unknown, { logger }: Pick<Reloading, 'logger'>): ReloadAnswer {
  logger.error({ error }, 'not reloaded: the configuration could not be read; what was in force stays in force');
  return { outcome: 'does_not_load', digest: null, playbooks: null, changed: [], restart: [], problems: ['see the log of the gateway'] };
}

function refusedBy(found: readonly ConfigProblem[], { logger, trouble }: Pick<Reloading, 'logger' | 'trouble'>): ReloadAnswer {
  const problems = found.slice(0, problemsToldMax).map(problemLine);
  for (const problem of problems) logger.error({ problem }, 'not reloaded');
  logger.error({ problems: found.length }, 'not reloaded: the configuration does not load; what was in force stays in force');
  const counted = `${found.length} problem${found.length === 1 ? '' : 's'}`;
  trouble.refused({ problems: found.length, says: `the files on disk do not load (${counted}): what was in force stays in force` });
  return { outcome: 'does_not_load', digest: null, playbooks: null, changed: [], restart: [], problems };
}
