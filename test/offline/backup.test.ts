// `quench backup` and `quench restore` over real files: what the copy holds, what is refused, what is left behind when it breaks off.
// Under the load of a gateway: test/process/backup.test.ts.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, beforeEach, describe, it } from 'node:test';
import { createExpressions } from '../../adapters/cel/expressions.ts';
import { copyStore } from '../../adapters/sqlite/backup.ts';
import { schemaVersion } from '../../adapters/sqlite/schema.ts';
import { sqliteLimits, sqliteStore } from '../../adapters/sqlite/store.ts';
import { diskFiles } from '../../src/config/files.ts';
import { loadConfig } from '../../src/config/quench/config.ts';
import { systemClock } from '../../src/gateway/clock.ts';
import { configDeps } from '../../src/gateway/config-deps.ts';
import { backUp as backUpStore } from '../../src/offline/backup.ts';
import type { Store } from '../../src/ports/store.ts';
import { houseFiles, quench, write, type Said } from '../cli/support.ts';

let home = '';
let place = '';
let rounds = 0;
before(() => {
  home = mkdtempSync(join(tmpdir(), 'quench-backup-'));
});
after(() => rmSync(home, { recursive: true, force: true }));
beforeEach(() => {
  place = join(home, `round-${(rounds += 1)}`);
  write(place, houseFiles());
});

const open = (dir: string): Promise<Store> => sqliteStore({ path: join(dir, 'quench.db'), partitions: 1, limits: sqliteLimits });
const backUp = (...more: readonly string[]): Promise<Said> => quench(['backup', '--config', place, ...more]);

async function filled(dir: string, count: number): Promise<Store> {
  const store = await open(dir);
  const filler = 'x'.repeat(2_000);
  const numbers = Array.from({ length: count }, (_, number) => number);
  await Promise.all(numbers.map((number) => store.log.append('inputs', { partition: 0, scope: 'default', values: [{ number, filler }] })));
  return store;
}

async function numbersIn(dir: string): Promise<readonly number[]> {
  const store = await open(dir);
  try {
    return (await store.log.read('inputs', 0, 0, 100_000)).map(({ value }) => (value as { readonly number: number }).number);
  } finally {
    await store.close();
  }
}

function setSchema(path: string, version: number): void {
  const db = new DatabaseSync(path);
  db.exec(`PRAGMA user_version = ${version}`);
  db.close();
}

describe('quench backup', () => {
  it('copies a store that is open and being written to, as one file that only its owner reads', async () => {
    const store = await filled(join(place, 'data'), 300);
    let stopped = false;
    let appended = 300;
    const writing = (async () => {
      for (; !stopped; appended += 1) await store.log.append('inputs', { partition: 0, scope: 'default', values: [{ number: appended }] });
    })();
    const accepted = appended;
    const file = join(place, 'copy.db');
    const said = await backUp(file);
    stopped = true;
    await writing;
    await store.close();
    assert.equal(said.exit, 0, said.err);
    assert.match(said.err, /quench\.db is in \S+copy\.db: \d+\.\d MiB, schema 3, read back and sound, in \d+\.\d s/);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(
      readdirSync(place).filter((name) => name.startsWith('copy')),
      ['copy.db'],
      'nothing lies beside it',
    );

    const to = join(place, 'restored');
    assert.equal((await quench(['restore', file, '--to', to])).exit, 0);
    const numbers = await numbersIn(to);
    assert.ok(numbers.length >= accepted, `${numbers.length} of at least ${accepted}`);
    assert.deepEqual(
      numbers,
      numbers.map((_, place_) => place_),
      'one moment: no gap',
    );
    assert.ok(numbers.length <= appended);
  });

  it('copies the store of a gateway that does not run, what is still in its WAL included', async () => {
    const store = await filled(join(place, 'data'), 5);
    const file = join(place, 'copy.db');
    assert.equal((await backUp(file, '-o', 'name')).out, `${file}\n`);
    await store.close();
    const second = join(place, 'second.db');
    assert.equal((await backUp(second)).exit, 0);
    const counts = [file, second].map((path) => {
      const db = new DatabaseSync(path, { readOnly: true });
      const count = db.prepare('SELECT count(*) AS count FROM log').get()?.['count'];
      db.close();
      return count;
    });
    assert.deepEqual(counts, [5, 5]);
  });

  it('is one file of one moment: what the state covers is never past the end of the log, and all of both comes back', async () => {
    const store = await filled(join(place, 'data'), 50);
    let stopped = false;
    let saved = 50;
    const patch = (n: number) => ({
      kind: 'alert' as const,
      id: `a${n}`,
      scope: 'default',
      at: n,
      begins: true as const,
      set: { name: `A${n}` },
    });
    const writing = (async () => {
      for (; !stopped; saved += 1) {
        await store.log.append('inputs', { partition: 0, scope: 'default', values: [{ number: saved }] });
        const row = { scope: 'default', table: 't', key: `k${saved}`, doc: { saved } };
        await store.checkpoints.save(0, { inputs: saved + 1, facts: 0 }, [row]);
        await store.views.apply({ cursor: 'project', partition: 0, offset: saved + 1, patches: [patch(saved)], entries: [] });
        if (saved % 10 === 0) await store.log.trim('inputs', 0, saved - 5);
      }
    })();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const covered = saved - 1;
    const file = join(place, 'copy.db');
    const said = await backUp(file);
    stopped = true;
    await writing;
    await store.close();
    assert.equal(said.exit, 0, said.err);
    assert.ok(covered > 50);

    const to = join(place, 'restored');
    assert.equal((await quench(['restore', file, '--to', to])).exit, 0);
    const again = await open(to);
    const mark = await again.checkpoints.mark?.(0);
    assert.ok(mark !== null && mark !== undefined && mark.inputs >= covered, `${mark?.inputs} of at least ${covered}`);
    assert.ok(mark.inputs <= (await again.log.end('inputs', 0)), 'never past the end');
    let rows = 0;
    await again.checkpoints.load(0, (chunk) => (rows += chunk.length));
    assert.equal(rows, mark.inputs - 50);
    assert.ok((await again.cursors.load('project', 0)) >= covered);
    assert.equal((await again.views.get('alert', `a${covered - 1}`, 'all'))?.name, `A${covered - 1}`);
    assert.deepEqual(again.found, []);
    await again.close();
  });

  it('of half a store it says so', async () => {
    await (await filled(join(place, 'data'), 3)).close();
    const state = join(place, 'data/quench.state.db');
    renameSync(state, `${state}.away`);
    const half = await backUp(join(place, 'copy.db'));
    assert.equal(half.exit, 3);
    assert.match(
      half.err,
      /quench\.db is half a store: expected its state at \S+quench\.state\.db, seen none; give the file that quench backup wrote/,
    );
    await (await filled(join(place, 'other'), 3)).close();
    copyFileSync(join(place, 'other/quench.state.db'), state);
    const foreign = await backUp(join(place, 'copy.db'));
    assert.equal(foreign.exit, 1);
    assert.match(foreign.err, /quench\.db is half a store: \S+quench\.state\.db belongs to another/);
    copyFileSync(join(place, 'other/quench.db'), join(place, 'by-hand.db'));
    const byHand = await quench(['restore', join(place, 'by-hand.db'), '--to', join(place, 'to')]);
    assert.match(byHand.err, /by-hand\.db is half a store/);
    assert.deepEqual(
      readdirSync(place).filter((name) => name.startsWith('copy')),
      [],
    );
  });

  it('overwrites nothing, unless it is told to; and never a file of the gateway itself, by whatever way', async () => {
    const store = await filled(join(place, 'data'), 3);
    await store.close();
    const file = join(place, 'copy.db');
    writeFileSync(file, 'precious');
    const refused = await backUp(file);
    assert.equal(refused.exit, 1);
    assert.match(refused.err, /state_conflict: \S+copy\.db is there already: give another name/);
    assert.equal(readFileSync(file, 'utf8'), 'precious');
    assert.equal((await backUp(file, '--force')).exit, 0);
    assert.notEqual(readFileSync(file, 'utf8'), 'precious');

    symlinkSync(join(place, 'data'), join(place, 'elsewhere'));
    for (const path of [
      'data/quench.db',
      'elsewhere/quench.db',
      'elsewhere/quench.db-wal',
      'data/quench.state.db',
      'data/quench.state.db-wal',
      'data/spool.db',
      'data/a.token',
      'quench.yaml',
    ]) {
      const own = await backUp(join(place, path), '--force');
      assert.match(own.err, /is a file of the gateway itself/, path);
    }
    assert.deepEqual(await numbersIn(join(place, 'data')), [0, 1, 2]);
  });

  it('says what is missing: a store, a directory for the copy', async () => {
    const none = await backUp(join(place, 'copy.db'));
    assert.deepEqual([none.exit, /expected the store of a gateway at \S+quench\.db, seen none/.test(none.err)], [3, true]);
    await (await filled(join(place, 'data'), 1)).close();
    const nowhere = await backUp(join(place, 'no/such/copy.db'));
    assert.deepEqual([nowhere.exit, /expected a directory at \S+such, seen none/.test(nowhere.err)], [3, true]);
    const isDir = await backUp(join(place, 'playbooks'), '--force');
    assert.match(isDir.err, /is a directory: give the name of a file in it/);
    const pipe = join(place, 'pipe');
    execFileSync('mkfifo', [pipe]);
    assert.match((await backUp(pipe, '--force')).err, /pipe is a device, a pipe or a socket: give the name of a file/);
    assert.ok(statSync(pipe).isFIFO(), 'it is not replaced');
  });

  it('of a store of another type it refuses, rather than to look for a file that is never there', async () => {
    const loaded = loadConfig(join(place, 'quench.yaml'), configDeps({}, diskFiles, createExpressions(), systemClock));
    assert.ok(loaded.ok);
    const config = { ...loaded.value, data: { type: 'scratch', dir: place } };
    const ask = { file: join(place, 'copy.db'), force: false, signal: AbortSignal.timeout(10_000), progress: () => {} };
    await assert.rejects(backUpStore(config, ask), { code: 'invalid_config', message: /in a store of type scratch: expected sqlite/ });
  });

  it('on a shared log it refuses and says where the state is', async () => {
    const house = houseFiles()['quench.yaml'] ?? '';
    write(place, { 'quench.yaml': `${house}log: { type: kafka, brokers: ["127.0.0.1:9092"] }\n` });
    const said = await backUp(join(place, 'copy.db'));
    assert.equal(said.exit, 1);
    assert.match(said.err, /puts its log on kafka: .* back them up there; .* a read model, which is made anew/);
    assert.ok(!existsSync(join(place, 'copy.db')));
  });

  it('broken off, it leaves nothing under the name and nothing beside it', async () => {
    await (await filled(join(place, 'data'), 8_000)).close();
    const aborter = new AbortController();
    const ask = { from: join(place, 'data/quench.db'), to: join(place, 'copy.db'), replace: false, signal: aborter.signal };
    const shares: number[] = [];
    const progress = (share: number): void => {
      shares.push(share);
      aborter.abort(new Error('Ctrl-C'));
    };
    await assert.rejects(copyStore({ ...ask, progress }), /Ctrl-C/);
    assert.equal(shares.length, 1, 'between two steps, not at the end');
    assert.ok((shares[0] ?? 1) < 1);
    assert.deepEqual(
      readdirSync(place).filter((name) => name.startsWith('copy')),
      [],
    );
  });
});

describe('quench restore', () => {
  const restore = (file: string, to: string): Promise<Said> => quench(['restore', file, '--to', to]);

  async function backup(count: number): Promise<string> {
    const store = await filled(join(place, 'data'), count);
    const file = join(place, 'backup.db');
    assert.equal((await backUp(file)).exit, 0);
    await store.close();
    return file;
  }

  it('takes a new directory, or one that holds nothing but tokens, and makes it readable by its owner only', async () => {
    const file = await backup(3);
    const fresh = join(place, 'deep/fresh');
    const said = await restore(file, fresh);
    assert.equal(said.exit, 0, said.err);
    assert.equal(statSync(fresh).mode & 0o777, 0o700);
    assert.equal(statSync(join(fresh, 'quench.db')).mode & 0o777, 0o600);
    const tokens = join(place, 'tokens');
    write(tokens, { 'admin.token': 'kept\n' });
    assert.equal((await restore(file, tokens)).exit, 0);
    assert.equal(readFileSync(join(tokens, 'admin.token'), 'utf8'), 'kept\n');
    assert.deepEqual(await numbersIn(fresh), [0, 1, 2]);
    assert.deepEqual(await numbersIn(tokens), [0, 1, 2]);
  });

  it('refuses a directory that a gateway has used, one that a gateway uses now, and leaves both as they are', async () => {
    const file = await backup(3);
    const used = await restore(file, join(place, 'data'));
    assert.equal(used.exit, 1);
    assert.match(used.err, /state_conflict: \S+data is in use: expected a directory with nothing but tokens in it, seen quench\.db/);

    const living = join(place, 'living');
    const store = await filled(living, 1);
    const refused = await restore(file, living);
    await store.close();
    assert.equal(refused.exit, 1);
    assert.match(refused.err, new RegExp(`store_unavailable: store \\S+: in use by process ${process.pid}`));
    assert.deepEqual(await numbersIn(living), [0]);
  });

  it('refuses what is no backup, one of a newer schema, and one that is damaged; nothing is left in the directory but the lock', async () => {
    const file = await backup(2_000);
    const newer = join(place, 'newer.db');
    writeFileSync(newer, readFileSync(file));
    setSchema(newer, 99);
    const cut = join(place, 'cut.db');
    writeFileSync(cut, readFileSync(file));
    truncateSync(cut, 1_048_576);
    const other = join(place, 'other.db');
    const db = new DatabaseSync(other);
    db.exec('CREATE TABLE something (it)');
    db.close();
    const hit = join(place, 'hit.db');
    const bytes = readFileSync(file);
    bytes.fill(0x5a, 40 * 4_096, 60 * 4_096);
    writeFileSync(hit, bytes);
    const cases: readonly (readonly [string, RegExp])[] = [
      [newer, /invalid_config: store \S+newer\.db: written by a newer quench \(schema 99, this one knows 4\); use the newer one/],
      [other, /invalid_config: \S+other\.db is not a store of quench/],
      [join(place, 'quench.yaml'), /invalid_config: \S+quench\.yaml is not a store of quench/],
      [cut, /store_unavailable: \S+cut\.db is damaged or cut off \(.*\): take another backup/],
      [hit, /store_unavailable: the copy is not sound/],
    ];
    for (const [broken, says] of cases) {
      const to = `${broken}.dir`;
      mkdirSync(to);
      const said = await restore(broken, to);
      assert.equal(said.exit, 1, broken);
      assert.match(said.err, says);
      assert.deepEqual(
        readdirSync(to).filter((name) => !name.startsWith('quench.db.owner')),
        [],
        broken,
      );
    }
    const onFile = await restore(file, other);
    assert.deepEqual([onFile.exit, /state_conflict: \S+other\.db is a file: expected a directory/.test(onFile.err)], [1, true]);
    const none = await restore(join(place, 'none.db'), join(place, 'to'));
    assert.deepEqual([none.exit, /expected a backup at \S+none\.db, seen none/.test(none.err)], [3, true]);
  });
});

describe('docs/install.md', () => {
  it('names the schema that this version writes', () => {
    const page = readFileSync(new URL('../../docs/install.md', import.meta.url), 'utf8');
    assert.match(page, new RegExp(`This version writes \\*\\*schema ${schemaVersion}\\*\\*`));
  });
});
