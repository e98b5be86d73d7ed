// When what is old is forgotten. What is forgotten, and what never, is engine/retention.ts.
import { schedule } from 'node-cron';
import { sweepOld, type RetentionDeps } from '../engine/retention.ts';
import type { Logger } from '../ports/logger.ts';

/** Once an hour, away from the full hour when everybody's jobs start. */
const hourly = '23 * * * *';

/** Returns how to stop. */
export function startRetention(deps: RetentionDeps, logger: Pick<Logger, 'info' | 'error'>): () => Promise<void> {
  const sweep = async (): Promise<void> => {
    await sweepOld(deps).then(
      (swept) => logger.info({ ...swept }, 'retention swept'),
      (error: unknown) => logger.error({ error }, 'retention failed, tries again next hour'),
    );
  };
  const task = schedule(hourly, sweep, { noOverlap: true });
  return async () => void (await task.destroy());
}
