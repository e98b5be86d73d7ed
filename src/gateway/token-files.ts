// Tokens of the gateway's own doors: those that quench.yaml names and nobody made yet are made when they are first read.
// Secrets of other people's doors are never made: they have to be given.
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeDirectory } from '../../adapters/kit/directory.ts';
import type { Files } from '../config/files.ts';
import { memberOf } from '../config/yaml/pointer.ts';

const tokenBytes = 24;

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
        writeFileSync(path, `${randomBytes(tokenBytes).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
        made(path);
        return files.read(path);
      }
    },
  };
}
