// The package that this program came in: its version, where it lies, and whether it is a clone or an install.
import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname } from 'node:path';
import { GatewayError } from '../core/errors.ts';

const packageFile = packageFileAbove();

export const version = versionIn(packageFile);

/** Absolute path of the folder that holds package.json, quench.yaml, playbooks/ and adapters/. */
export const packageDir = dirname(packageFile);

/** True for a package that npm installed, which runs built JavaScript; false for a clone, which runs its sources. */
export const isInstalled = !import.meta.url.endsWith('.ts');

/** Looked for upwards, because sources and build lie at different depths. */
function packageFileAbove(): string {
  const file = findPackageJSON('..', import.meta.url);
  if (file === undefined) throw new GatewayError('internal', `expected a package.json above ${import.meta.url}, seen none`);
  return file;
}

function versionIn(file: string): string {
  // Ours, written by hand: it has a version.
  const own = JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string };
  return own.version;
}
