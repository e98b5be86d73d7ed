// What the raw pages of a gateway that has not loaded its desks, or never does (intake only), are told apart by from those of another installation.
import { hash } from 'node:crypto';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import type { Config } from '../config/quench/types.ts';
import type { Input } from '../core/records.ts';
import { GatewayError } from '../core/errors.ts';
import type { EventLog } from '../ports/event-log.ts';

/** The name is given before the first policy, mostly as the first record. */
const recordsMax = 256;

/** The name that the log gave this installation, where it is still found at its beginning; else one that is the same in every life of this directory. */
export async function installationName(config: Pick<Config, 'data' | 'log'>, log: Pick<EventLog, 'read'>): Promise<string> {
  const named = config.log === null ? await nameOn(log) : null;
  return named ?? hash('sha256', `${hostname()}:${resolve(config.data.dir)}`, 'hex').slice(0, 12);
}

async function nameOn(log: Pick<EventLog, 'read'>): Promise<string | null> {
  try {
    for (let offset = 0; offset < recordsMax; offset += 1) {
      const [record] = await log.read('inputs', 0, offset, 1);
      if (record === undefined) return null;
      const input = record.value as Input; // written by intake and hosts
      if (input.type === 'InstallationNamed') return input.installation;
    }
    return null;
  } catch (error) {
    if (error instanceof GatewayError) return null;
    throw error;
  }
}
