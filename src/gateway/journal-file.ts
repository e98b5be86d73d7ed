// A journal as a file of lines in the data directory: `[key, value]` writes a record, `[key]` strikes it. Read once, when it is opened.
//   J3  A line begins with its line break: what a crash or a full disk left of one before it is a line of its own, does not parse, and is skipped.
//   J4  The file is written anew, whole or not at all, when it is opened and when more than half of it is no longer true.
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeDirectory } from '../../adapters/kit/directory.ts';
import { GatewayError } from '../core/errors.ts';
import type { Journal, JournalEntry } from '../ports/journal.ts';

const recordsMax = 2_000;
const bytesMax = 8_388_608;
const spareBytes = 65_536;

/** Opens the journal at a path; a file that is not there is made with the first record. Rejects with `store_unavailable`. */
export async function openJournalFile(path: string): Promise<Journal> {
  const text = textAt(path);
  const lines = createLines(text);
  const left = lines.entries();
  try {
    let file = text === '' ? null : await rewrite(path, lines);
    let queue: Promise<void> = Promise.resolve();
    const put = async (line: string): Promise<void> => {
      if (file === null || lines.written + line.length > 2 * lines.bytes + spareBytes) {
        const anew = await rewrite(path, lines); // J4; it has what the line says
        await file?.close();
        file = anew;
        return;
      }
      lines.written += line.length;
      await file.appendFile(line);
      await file.datasync();
    };
    const next = (work: () => Promise<void>): Promise<void> => {
      const done = queue.then(work).catch((error: unknown) => Promise.reject(unavailable(path, error)));
      queue = done.catch(() => {});
      return done;
    };
    return {
      left,
      write: ({ key, value }) => next(() => put(lines.write(key, lineOf([key, value])))),
      strike: (key) => next(async () => (lines.strike(key) ? put(lineOf([key])) : undefined)),
      close: () => next(async () => file?.close()),
    };
  } catch (error) {
    throw unavailable(path, error);
  }
}

interface Lines {
  /** Of what is true, and of all that the file holds. */
  readonly bytes: number;
  written: number;
  text(): string;
  entries(): readonly JournalEntry[];
  /** Returns the line. */
  write(key: string, line: string): string;
  /** False when the key is not there. */
  strike(key: string): boolean;
}

function createLines(text: string): Lines {
  const held = new Map<string, string>();
  let bytes = 0;

  function strike(key: string): boolean {
    bytes -= held.get(key)?.length ?? 0;
    return held.delete(key);
  }

  function write(key: string, line: string): string {
    strike(key);
    held.set(key, line);
    bytes += line.length;
    for (const oldest of held.keys()) {
      if (held.size <= recordsMax && bytes <= bytesMax) break;
      strike(oldest); // J2
    }
    return line;
  }

  for (const line of text.split('\n')) {
    const entry = entryIn(line);
    if (entry === null) continue;
    if (entry.length === 1) strike(entry[0]);
    else write(entry[0], `\n${line}`);
  }
  const made: Lines = {
    written: 0,
    get bytes() {
      return bytes;
    },
    text: () => [...held.values()].join(''),
    entries: () => [...held].map(([key, line]) => ({ key, value: entryIn(line)?.[1] })),
    write,
    strike,
  };
  return made;
}

function lineOf(entry: readonly [string] | readonly [string, object]): string {
  return `\n${JSON.stringify(entry)}`;
}

/** J3 */
function entryIn(line: string): readonly [string] | readonly [string, unknown] | null {
  try {
    const entry = JSON.parse(line) as unknown;
    if (!Array.isArray(entry) || typeof entry[0] !== 'string') return null;
    return entry.length === 1 ? [entry[0]] : [entry[0], entry[1] as unknown];
  } catch {
    return null;
  }
}

/** J4 */
async function rewrite(path: string, lines: Lines): Promise<FileHandle> {
  makeDirectory(dirname(path), 0o700);
  const text = lines.text();
  writeFileSync(`${path}.new`, text, { mode: 0o600, flush: true });
  renameSync(`${path}.new`, path);
  const directory = openSync(dirname(path), 'r');
  fsyncSync(directory);
  closeSync(directory);
  lines.written = text.length;
  return open(path, 'a', 0o600);
}

function textAt(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw unavailable(path, error);
  }
}

function unavailable(path: string, error: unknown): GatewayError {
  const says = error instanceof Error ? error.message : String(error);
  return new GatewayError('store_unavailable', `${path}: ${says}`, error);
}
