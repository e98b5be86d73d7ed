// The version of this program, from the package it came in.
import { readFileSync } from 'node:fs';

export const version = versionOf();

function versionOf(): string {
  // Ours, written by hand: it has a version.
  const own = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { readonly version: string };
  return own.version;
}
