// Tokens of the gateway's own doors: those that quench.yaml names and nobody made yet are made when they are first read.
// Secrets of other people's doors are never made: they have to be given.
//   O1  Of several gateways that make one token at once all use the same: it appears under its name whole and once, and who comes second reads it.
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeDirectory } from '../../adapters/kit/directory.ts';
import type { Files } from '../config/files.ts';
import { memberOf } from '../config/yaml/pointer.ts';

const tokenBytes = 24;
/** What file systems without hard links answer (FAT, some of networks): there the file is made in place. */
const linkless: ReadonlySet<unknown> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** The same files; a `*.token` that is missing is made on the disk, readable by its owner only, and `made` is told its path. */
export function tokenFiles(files: Files, made: (path: string) => unknown): Files {
  return {
    ...files,
    read(path) {
      try {
        return files.read(path);
      } catch (error) {
        if (!path.endsWith('.token') || memberOf(error, 'code') !== 'ENOENT') throw error;
        makeDirectory(dirname(path), 0o700);
        if (makeToken(path)) made(path);
        return files.read(path);
      }
    },
  };
}

/** O1: whether it was us who made it. */
function makeToken(path: string): boolean {
  const text = `${randomBytes(tokenBytes).toString('base64url')}\n`;
  const draft = `${path}.${randomBytes(6).toString('hex')}.new`;
  writeWhole(draft, text);
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    const code = memberOf(error, 'code');
    if (code === 'EEXIST') return false;
    if (!linkless.has(code)) throw error;
    return makeInPlace(path, text);
  } finally {
    unlinkSync(draft);
  }
}

function makeInPlace(path: string, text: string): boolean {
  try {
    writeWhole(path, text);
    return true;
  } catch (error) {
    if (memberOf(error, 'code') !== 'EEXIST') throw error;
    return false;
  }
}

/** A token that is known to others must outlive a loss of power. */
function writeWhole(path: string, text: string): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
