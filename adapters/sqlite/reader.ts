// The reading side: a read-only connection on the main thread. In WAL mode it never waits for the writer and sees only what is committed.
import { DatabaseSync } from 'node:sqlite';
import type { SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import { GatewayError, type ErrorCode } from '../../src/core/errors.ts';

export type Row = { readonly [column: string]: SQLOutputValue };

/** Statements are prepared once per text: texts must come from a small fixed set, values only through parameters. */
export interface Reader {
  all(sql: string, ...values: SQLInputValue[]): readonly Row[];
  get(sql: string, ...values: SQLInputValue[]): Row | null;
  /** Rows as they come, all of one moment. */
  each(sql: string, ...values: SQLInputValue[]): Iterable<Row>;
  /** Everything read inside sees the same moment. */
  atOnce<T>(read: () => T): T;
  close(): void;
}

/** Throws GatewayError with the given code when the file cannot be read. */
export function openReader(path: string, code: ErrorCode): Reader {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 1_000 });
  db.exec('PRAGMA cache_size = -8192; PRAGMA mmap_size = 0');
  const statements = new Map<string, StatementSync>();

  function prepared(sql: string): StatementSync {
    if (!db.isOpen) throw new GatewayError(code, 'store: closed');
    const known = statements.get(sql);
    if (known) return known;
    const statement = db.prepare(sql);
    statements.set(sql, statement);
    return statement;
  }

  function guarded<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      const fromSqlite = error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR';
      throw fromSqlite ? new GatewayError(code, `store ${path}: cannot be read`, error) : error;
    }
  }

  return {
    all: (sql, ...values) => guarded(() => prepared(sql).all(...values)),
    get: (sql, ...values) => guarded(() => prepared(sql).get(...values) ?? null),
    each: (sql, ...values) => guarded(() => prepared(sql).iterate(...values)),
    atOnce(read) {
      return guarded(() => {
        prepared('BEGIN').run();
        try {
          return read();
        } finally {
          prepared('COMMIT').run();
        }
      });
    },
    close: () => db.close(),
  };
}
