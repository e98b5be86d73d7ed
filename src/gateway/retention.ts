// When what is old is forgotten, and what is oldest when the files grow beyond their budget. What is forgotten, and what never, is engine/retention.ts.
import { schedule } from 'node-cron';
import { sweepOld, sweepToBudget, type Budget, type RetentionDeps } from '../engine/retention.ts';
import type { Logger } from '../ports/logger.ts';

/** Once an hour, away from the full hour when everybody's jobs start. */
const hourly = '23 * * * *';

/** Asking what the files take costs nothing, and a busy gateway writes ten megabytes in the meantime. */
const everyTenSeconds = '*/10 * * * * *';

/** Returns how to stop. `budget`: null where the files are nobody's. */
export function startRetention(deps: RetentionDeps, budget: Budget | null, logger: Pick<Logger, 'info' | 'error'>): () => Promise<void> {
  const sweep = async (): Promise<void> => {
    await sweepOld(deps).then(
      (swept) => logger.info({ ...swept }, 'retention swept'),
      (error: unknown) => logger.error({ error }, 'retention failed, tries again next hour'),
    );
  };
  let told = false;
  const keep = async (): Promise<void> => {
    if (budget === null) return;
    try {
      const { before, overBytes } = await sweepToBudget(deps, budget);
      if (before !== null)
        logger.info({ before: new Date(before).toISOString() }, 'the store took more than limits.disk: what is older is forgotten');
      if (overBytes > 0 && !told)
        logger.error(
          { overBytes },
          'the store takes more than limits.disk although all that may go is gone: open alerts, or a projector that is behind',
        );
      told = overBytes > 0;
    } catch (error) {
      logger.error({ error }, 'keeping the store within limits.disk failed, tries again in ten seconds');
    }
  };
  const tasks = [schedule(hourly, sweep, { noOverlap: true }), schedule(everyTenSeconds, keep, { noOverlap: true })];
  return async () => void (await Promise.all(tasks.map((task) => task.destroy())));
}
