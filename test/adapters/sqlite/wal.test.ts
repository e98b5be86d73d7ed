// The WAL while somebody reads an older moment, as a backup does: it grows, commits go on, and afterwards it is short again.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { walOf } from '../../../adapters/sqlite/wal.ts';

const limits = { bytesMax: 262_144, commitsPerLook: 4, waitMs: 20, restMs: 400 };
const lockTimeoutMs = 5_000;
let dir = '';
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'quench-wal-'));
});
after(() => rmSync(dir, { recursive: true, force: true }));

test('L1: a reader of an older moment holds no commit up, and once it is gone the WAL is begun anew', async () => {
  const path = join(dir, 'log.db');
  const db = new DatabaseSync(path, { timeout: lockTimeoutMs });
  db.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 0; CREATE TABLE log (body TEXT)');
  let tries = 0;
  const exec = db.exec.bind(db);
  db.exec = (sql) => {
    if (sql === `PRAGMA busy_timeout = ${limits.waitMs}`) tries += 1; // how a try to begin the WAL anew starts
    exec(sql);
  };
  const insert = db.prepare('INSERT INTO log VALUES (?)');
  const wal = walOf(db, path, lockTimeoutMs, limits);
  const size = (): number => statSync(`${path}-wal`).size;
  const commit = (): number => {
    const began = performance.now();
    insert.run('x'.repeat(20_000));
    wal.committed();
    return performance.now() - began;
  };

  const reader = new DatabaseSync(path, { readOnly: true });
  reader.exec('BEGIN');
  reader.prepare('SELECT count(*) FROM log').get();
  // Commits that the reader does not see are what a fold has to wait for.
  const began = performance.now();
  const took = Array.from({ length: 400 }, commit);
  const whole = performance.now() - began;
  assert.ok(Math.max(...took) < 3_000, `the slowest commit took ${Math.max(...took)} ms`);
  assert.ok(tries > 0 && tries <= 1 + whole / limits.restMs, `${tries} tries in ${whole} ms`);
  assert.ok(size() > 4 * limits.bytesMax, 'the WAL keeps what the reader may not lose');
  assert.equal(reader.prepare('SELECT count(*) AS count FROM log').get()?.['count'], 0);

  reader.close();
  await sleep(limits.restMs + 50);
  for (let count = 0; count < 8; count += 1) commit();
  assert.ok(size() < limits.bytesMax, `the WAL has ${size()} bytes`);
  assert.equal(db.prepare('PRAGMA busy_timeout').get()?.['timeout'], lockTimeoutMs, 'other locks are waited for as before');
  db.close();
});
