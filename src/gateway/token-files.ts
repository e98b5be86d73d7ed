// Tokens of the gateway's own doors: those that quench.yaml names and nobody made yet are made when they are first read.
// Secrets of other people's doors are never made: they have to be given.
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeDirectory } from '../../adapters/kit/directory.ts';
import { diskFiles, type Files } from '../config/files.ts';
import { memberOf } from '../config/yaml/pointer.ts';

const tokenBytes = 24;

/** The disk, on which a `*.token` that is missing is made, readable by its owner only; its path is pushed to `made`. */
export function tokenFiles(made: string[]): Files {
  return {
    ...diskFiles,
    read(path) {
      try {
        return diskFiles.read(path);
      } catch (error) {
        if (!path.endsWith('.token') || memberOf(error, 'code') !== 'ENOENT') throw error;
        makeDirectory(dirname(path), 0o700);
        writeFileSync(path, `${randomBytes(tokenBytes).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
        made.push(path);
        return diskFiles.read(path);
      }
    },
  };
}
