// Opens what a move goes between: the data directory of a gateway that was alone, and the shared log of a configuration. The move itself is move.ts.
import type { Moved } from '../../cli/results.ts';
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createExpressions } from '../../../adapters/cel/expressions.ts';
import type { MoveAsk } from '../../cli/command.ts';
import type { Config } from '../../config/quench/types.ts';
import { GatewayError } from '../../core/errors.ts';
import { systemClock } from '../../gateway/clock.ts';
import { openData } from '../../gateway/stores.ts';
import type { Logger } from '../../ports/logger.ts';

import { move } from './move.ts';

/** Moves the data in a directory to the log of the configuration. Rejects with `invalid_config` when that names none, `store_unavailable` when a gateway runs on either. */
export async function moveInto(config: Config, ask: Pick<MoveAsk, 'from' | 'dryRun' | 'signal' | 'progress'>): Promise<Moved> {
  if (config.log === null)
    throw new GatewayError(
      'invalid_config',
      `${config.file} names no shared log: add log: { type: … }, the place that the data is to go to`,
    );
  const from = dataDirOf(ask.from);
  if (from === resolve(config.data.dir))
    throw new GatewayError(
      'invalid_config',
      `data.dir of ${config.file} is the very directory to move (${ask.from}): give the gateway a new data.dir, its read model is made anew`,
    );
  const troubles = troublesTo(ask.progress);
  const around = { clock: systemClock, logger: troubles };
  const source = await openData({ ...config, log: null, data: { ...config.data, dir: from } }, around);
  try {
    const { store, backbone } = await openData(config, around);
    try {
      return await move({ ...ask, source: source.store, target: backbone, expressions: createExpressions(), clock: systemClock });
    } finally {
      await backbone.close();
      await store.close();
    }
  } finally {
    await source.store.close();
  }
}

function dataDirOf(path: string): string {
  const dir = resolve(path);
  if (statSync(join(dir, 'quench.db'), { throwIfNoEntry: false })?.isFile() !== true)
    throw new GatewayError('not_found', `expected the data directory of a gateway at ${path}, seen no quench.db in it`);
  return dir;
}

/** What the shared log says about its connection, as far as it is trouble. */
function troublesTo(say: (text: string) => void): Logger {
  const tell = (_fields: object, text: string): void => say(text);
  return { info: () => {}, warn: tell, error: tell };
}
