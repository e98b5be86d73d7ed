// Directories are made in bounded time, and what is in the way is named.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { makeDirectory } from '../../../adapters/kit/directory.ts';

const module = new URL('../../../adapters/kit/directory.ts', import.meta.url).href;

it('makes it and those above it, in the mode asked for, and takes one that is there', (t) => {
  const home = mkdtempSync(join(tmpdir(), 'quench-directory-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const deep = join(home, 'a/b');
  for (let round = 0; round < 2; round += 1) makeDirectory(deep, 0o700);
  assert.deepEqual(
    [join(home, 'a'), deep].map((path) => statSync(path).mode & 0o777),
    [0o700, 0o700],
  );
  writeFileSync(join(home, 'file'), '');
  assert.throws(() => makeDirectory(join(home, 'file/x')), /expected a directory at \S+file, seen a file/);
});

it('ends where a file system denies that there could be such a directory', () => {
  const script = `import { makeDirectory } from ${JSON.stringify(module)}; makeDirectory('/proc/quench/x');`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], { timeout: 20_000, encoding: 'utf8' });
  assert.equal(status, 1, 'node itself would go on for ever');
  assert.match(stderr, /the directory \/proc\/quench cannot be made: ENOENT/);
});
