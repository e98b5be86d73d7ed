// A copy of the last quench.yaml that loaded, in the data directory: what a start falls back to when the file is broken as a whole.
// Paths in it stay relative to the place of the original, and secrets stay references.
//   G1  A copy counts only for the file that it was made of.
import { renameSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { makeDirectory } from '../../adapters/kit/directory.ts';
import type { Files } from '../config/files.ts';
import { configDefaults } from '../config/quench/defaults.ts';

const name = 'last-good.quench.yaml';
const head = (path: string): string => `# The last configuration that loaded, copied by the gateway from ${JSON.stringify(path)}\n`;

/** Keeps the text in the data directory, whole or not at all; throws as the disk does. */
export function keepLastGood(dataDir: string, path: string, text: string): void {
  const to = join(dataDir, name);
  makeDirectory(dataDir, 0o700);
  writeFileSync(`${to}.new`, head(path) + text, { mode: 0o600 });
  renameSync(`${to}.new`, to);
}

/** The copy made of the file at a path, where its data directory is likely to be; null when there is none. */
export function lastGoodOf(path: string, files: Files, stateDir: string | undefined): string | null {
  for (const dir of likelyDataDirs(path, files, stateDir)) {
    const text = textAt(join(dir, name), files);
    if (text?.startsWith(head(path)) === true) return text.slice(head(path).length); // G1
  }
  return null;
}

/** The file itself cannot be read as YAML, so it is looked at as text; then the default, and what systemd gives a service. */
function likelyDataDirs(path: string, files: Files, stateDir: string | undefined): readonly string[] {
  const text = textAt(path, files) ?? '';
  const told = [...text.matchAll(/(?:^|[\s{,])dir:\s*["']?([^\s"',}#]+)/g)].slice(0, 20).map(([, dir]) => dir ?? '');
  const beside = [...told, configDefaults.dataDir].map((dir) => resolve(dirname(path), dir));
  return stateDir === undefined || stateDir === '' ? beside : [...beside, ...stateDir.split(':')];
}

function textAt(path: string, files: Files): string | null {
  try {
    return files.read(path);
  } catch {
    return null;
  }
}
