// `quench init`: a directory that `quench serve` can start from, out of the files that this package ships; an install has no repository around it.
// The one source of what it writes is quench.yaml and playbooks/ of the package, which a clone serves from and tests: nothing here repeats them.
//   I1  Nothing that is there is changed; it is named, and the rest is made around it.
//   I2  What was written is loaded before it is called done, as serve would load it; that also makes the tokens, readable by their owner only.
import { lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { makeDirectory } from '../../adapters/kit/directory.ts';
import { createExpressions } from '../../adapters/cel/expressions.ts';
import type { InitAsk } from '../cli/command.ts';
import { diskFiles } from '../config/files.ts';
import type { Inited } from '../cli/results.ts';
import { loadConfig } from '../config/quench/config.ts';
import type { ConfigProblem } from '../config/yaml/problems.ts';
import { GatewayError, ok, type Result } from '../core/errors.ts';
import { systemClock } from '../gateway/clock.ts';
import { configDeps } from '../gateway/config-deps.ts';
import { tokenFiles } from '../gateway/token-files.ts';
import { packageDir } from '../gateway/version.ts';

/** Acts on the machine it runs on and is in shadow mode: of those shipped the one that nearly every reader can try. */
const firstPlaybook = 'restart-systemd-unit';

/** Writes what is missing, or every problem of the configuration that was there. Rejects with `invalid_request` for a data directory whose name YAML would need quotes for. */
export function init({ dir, data, env }: InitAsk): Result<Inited, readonly ConfigProblem[]> {
  const home = resolve(dir);
  const dataDir = dataName(data);
  const made: string[] = [];
  const kept: string[] = [];
  /** I1 */
  const put = (name: string, text: () => string): void => {
    const path = join(home, name);
    if (isThere(path)) return void kept.push(path);
    writeFileSync(path, text(), { flag: 'wx' });
    made.push(path);
  };

  makeDirectory(home);
  put('quench.yaml', () => templateFor(shipped('quench.yaml'), dataDir));
  if (isThere(join(home, 'playbooks'))) kept.push(join(home, 'playbooks'));
  else {
    mkdirSync(join(home, 'playbooks'));
    for (const name of [`${firstPlaybook}.yaml`, `${firstPlaybook}.test.yaml`])
      put(join('playbooks', name), () => shipped(join('playbooks', name)));
  }
  const deps = configDeps(env, diskFiles, createExpressions(), systemClock);
  const tokens = tokenFiles(diskFiles, (path) => made.push(path));
  const loaded = loadConfig(join(home, 'quench.yaml'), { ...deps, doorFiles: tokens, linkFiles: tokens }); // I2
  if (!loaded.ok) return loaded;

  const shorter = (path: string): string => {
    const near = relative(home, path);
    return near.startsWith('..') ? path : near;
  };
  const ours = { admin: join(loaded.value.data.dir, 'admin.token'), ingest: join(loaded.value.data.dir, 'ingest.token') };
  return ok({
    dir: home,
    made: made.map(shorter),
    kept: kept.map(shorter),
    tokens: ours,
    playbooks: join(packageDir, 'playbooks'),
    adapters: join(packageDir, 'adapters'),
  });
}

/** A link that leads nowhere is there, too: what it leads to is not ours to make. */
function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** quench.yaml as it is shipped, without what only the demo needs, and with its data where the reader wants them. */
export function templateFor(text: string, dataDir: string): string {
  const lines = text.split('\n').filter((line) => !line.endsWith('# demo'));
  return lines
    .join('\n')
    .replaceAll('./data', dataDir)
    .replaceAll(' data/', ` ${dataDir.replace(/^\.\//, '')}/`);
}

function dataName(data: string | null): string {
  if (data === null) return './data';
  const path = resolve(data);
  if (/^[\w./-]+$/.test(path)) return path;
  throw new GatewayError('invalid_request', `expected a data directory of letters, digits, ".", "_", "-" and "/", seen "${data}"`);
}

function shipped(name: string): string {
  return readFileSync(join(packageDir, name), 'utf8');
}
