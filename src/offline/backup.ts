// `quench backup` and `quench restore`: the embedded store of a data directory as one file, and back into a new directory. The copying, and
// that a store has two files, is the adapter's.
// Not in the file: quench.yaml, playbooks and tokens, which are files of the operator; and the spool of a gateway on a shared log.
import { existsSync, lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { makeDirectory } from '../../adapters/kit/directory.ts';
import { copyStore } from '../../adapters/sqlite/backup.ts';
import { sqliteStores, storeFileIn } from '../../adapters/sqlite/kind.ts';
import { takeOwnership } from '../../adapters/sqlite/owner.ts';
import type { BackupAsk, RestoreAsk } from '../cli/command.ts';
import type { BackedUp } from '../cli/results.ts';
import type { Config } from '../config/quench/types.ts';
import { GatewayError } from '../core/errors.ts';

/**
 * Copies the store of a configuration to a file, whether its gateway runs or not. Rejects with `invalid_config` for a gateway on a shared log,
 * whose state is not here, or of another type of store, and as copyStore does.
 */
export async function backUp(config: Config, ask: Omit<BackupAsk, 'config' | 'env'>): Promise<BackedUp> {
  const { dir } = config.data;
  if (config.log !== null)
    throw new GatewayError(
      'invalid_config',
      `${config.file} puts its log on ${config.log.type}: alerts, decisions and state are there, back them up there; ${dir} holds a read model, which is made anew, and a spool, which a backup would send twice`,
    );
  if (config.data.type !== sqliteStores.name)
    throw new GatewayError(
      'invalid_config',
      `${config.file} keeps its data in a store of type ${config.data.type}: expected ${sqliteStores.name}, the one that a file is made of here; ${dir} is backed up by that store's own means`,
    );
  const file = resolve(ask.file);
  const folder = dirname(file);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new GatewayError('not_found', `expected a directory at ${folder}, seen none: make it first`);
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true)
    throw new GatewayError('state_conflict', `${file} is a directory: give the name of a file in it`);
  if (isSpecial(file)) throw new GatewayError('state_conflict', `${file} is a device, a pipe or a socket: give the name of a file`);
  if (isOfGateway(file, config)) throw new GatewayError('state_conflict', `${file} is a file of the gateway itself: give another name`);
  const from = storeFileIn(dir);
  if (!existsSync(from)) throw new GatewayError('not_found', `expected the store of a gateway at ${from}, seen none: did it ever start?`);
  const copied = await copyStore({ from, to: file, replace: ask.force, signal: ask.signal, progress: ask.progress });
  return { from, file, ...copied };
}

/** The copy would take its place, also that of /dev/null. */
function isSpecial(file: string): boolean {
  const found = lstatSync(file, { throwIfNoEntry: false });
  return found !== undefined && !found.isFile() && !found.isSymbolicLink();
}

/** Whatever path leads there: with --force the copy would take the place of the living store. */
function isOfGateway(file: string, { file: configFile, data: { dir } }: Config): boolean {
  if (isSame(file, resolve(configFile))) return true;
  if (!existsSync(dir) || realpathSync(dirname(file)) !== realpathSync(dir)) return false;
  return /^(?:quench|spool)(?:\.state)?\.db|\.token$/.test(basename(file));
}

function isSame(one: string, other: string): boolean {
  return existsSync(one) && existsSync(other) && realpathSync(one) === realpathSync(other);
}

/**
 * Puts a backup into a data directory that no gateway has used. Rejects with `state_conflict` when something is in it other than tokens,
 * `store_unavailable` when a gateway runs on it, and as copyStore does.
 */
export async function restore(ask: RestoreAsk): Promise<BackedUp> {
  const dir = resolve(ask.to);
  const to = storeFileIn(dir);
  const owned = `${basename(to)}.owner`;
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory() === false)
    throw new GatewayError('state_conflict', `${dir} is a file: expected a directory, or a name that is free`);
  const found = existsSync(dir) ? readdirSync(dir) : [];
  // Who runs there says it better than what lies there.
  if (found.includes(owned)) takeOwnership(to).release();
  const strange = found.filter((name) => !name.endsWith('.token') && !name.startsWith(owned));
  if (strange.length > 0)
    throw new GatewayError(
      'state_conflict',
      `${dir} is in use: expected a directory with nothing but tokens in it, seen ${strange.slice(0, 3).join(', ')}; move it away, or give another`,
    );
  if (!existsSync(ask.file)) throw new GatewayError('not_found', `expected a backup at ${ask.file}, seen none`);
  makeDirectory(dir, 0o700);
  const owner = takeOwnership(to); // a gateway that is started meanwhile waits its turn in vain, and says so
  try {
    const copied = await copyStore({ from: resolve(ask.file), to, replace: false, signal: ask.signal, progress: ask.progress });
    return { from: ask.file, file: to, ...copied };
  } finally {
    owner.release();
  }
}
