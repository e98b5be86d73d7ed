// Makes a directory and those above it, in bounded time.
// Node's own `recursive` never returns where a file system says "no such directory" to a name it does not take, as /proc does.
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { GatewayError } from '../../src/core/errors.ts';

/** Makes the directory unless it is there. Throws `store_unavailable` when it cannot be one: a file is in the way, or it may not be made there. */
export function makeDirectory(path: string, mode = 0o777): void {
  const missing: string[] = [];
  let at = resolve(path);
  for (; !existsSync(at); at = dirname(at)) missing.unshift(at);
  if (!statSync(at).isDirectory())
    throw new GatewayError('store_unavailable', `expected a directory at ${at}, seen a file: give another name`);
  for (const each of missing) makeOne(each, mode);
}

function makeOne(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    if (code === 'EEXIST' && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return; // somebody else was quicker
    throw new GatewayError('store_unavailable', `the directory ${path} cannot be made: ${code}`, error);
  }
}
