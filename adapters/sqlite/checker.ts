// Entry of the thread that looks a store over once after it was opened, bounded in time: damaged pages, and rows whose text is no JSON any more.
// It only reads, and holds nobody up. A small file is looked at whole by SQLite's own check, a large one as far as the time goes: the state
// first, then the newest of the log.
import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { invariant } from '../../src/core/errors.ts';
import { isDamage } from './failures.ts';

export interface CheckerOptions {
  readonly log: string;
  readonly state: string;
  /** All of the looking takes no longer. */
  readonly withinMs: number;
}

/** Null: nothing was found as far as it looked. */
export type Checked = { readonly damage: { readonly path: string; readonly what: string } | null };

const wholeBytesMax = 128 * 1_048_576;
const rowsPerLook = 64;
/** Every table with a text that is JSON, the most important first. */
const stateTexts = [
  { of: 'desks', sql: 'SELECT doc AS text FROM desks' },
  { of: 'views', sql: 'SELECT doc AS text FROM views ORDER BY seq DESC' },
] as const;
const logTexts = [
  { of: 'letters', sql: 'SELECT doc AS text FROM letters ORDER BY seq DESC' },
  { of: 'log', sql: 'SELECT body AS text FROM log ORDER BY place DESC' },
] as const;

type Texts = typeof stateTexts | typeof logTexts;

invariant(parentPort, 'checker.ts runs as a worker thread');
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
parentPort.postMessage({ damage: damageIn(workerData as CheckerOptions) } satisfies Checked); // given by threads.ts

function damageIn({ log, state, withinMs }: CheckerOptions): Checked['damage'] {
  const until = performance.now() + withinMs;
  return damageOf(state, stateTexts, until) ?? damageOf(log, logTexts, until);
}

function damageOf(path: string, texts: Texts, until: number): Checked['damage'] {
  const what = foundIn(path, texts, until);
  return what === null ? null : { path, what };
}

function foundIn(path: string, texts: Texts, until: number): string | null {
  try {
    const db = new DatabaseSync(path, { readOnly: true, timeout: 1_000 });
    try {
      return (statSync(path).size <= wholeBytesMax ? pagesIn(db) : null) ?? textsIn(db, texts, until);
    } finally {
      db.close();
    }
  } catch (error) {
    // Only what SQLite calls damaged is damage: a lock or a disk that does not answer passes.
    return error instanceof Error && isDamage(error) ? error.message : null;
  }
}

function pagesIn(db: DatabaseSync): string | null {
  const said = String(Object.values(db.prepare('PRAGMA quick_check(1)').get() ?? {})[0] ?? 'ok');
  return said === 'ok' ? null : said.replaceAll('\n', ' ').slice(0, 200);
}

function textsIn(db: DatabaseSync, texts: Texts, until: number): string | null {
  for (const { of, sql } of texts) {
    let seen = 0;
    for (const row of db.prepare(sql).iterate()) {
      seen += 1;
      if (seen % rowsPerLook === 0 && performance.now() > until) return null;
      if (!isJson(String(row['text']))) return `a row of ${of} holds no JSON any more`;
    }
  }
  return null;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
