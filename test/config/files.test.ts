// Reading from the real disk, as a gateway does when it is told to read its files again: what lies there may be no file (files.ts, F1).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { diskFiles } from '../../src/config/files.ts';
import { dirFault, readPlaybookDir } from '../../src/config/playbook/playbooks.ts';

let dir = '';
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'quench-files-'));
});
after(() => rmSync(dir, { recursive: true }));

function thrownBy(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return dirFault(dir, error);
  }
  return 'nothing was thrown';
}

test('F1: a pipe, a device, a directory and a file without measure are refused at once; a file and a link to one are read', () => {
  writeFileSync(join(dir, 'plain'), 'text');
  symlinkSync('plain', join(dir, 'link'));
  symlinkSync('/dev/zero', join(dir, 'zero'));
  execFileSync('mkfifo', [join(dir, 'pipe.yaml')]);
  writeFileSync(join(dir, 'huge'), '');
  truncateSync(join(dir, 'huge'), 2 ** 34);

  assert.equal(diskFiles.read(join(dir, 'plain')), 'text');
  assert.equal(diskFiles.read(join(dir, 'link')), 'text');
  for (const name of ['zero', 'pipe.yaml']) assert.throws(() => diskFiles.read(join(dir, name)), { code: 'not a plain file' });
  assert.match(
    thrownBy(() => readPlaybookDir(dir, diskFiles)),
    /^expected a file that can be read at \S+pipe\.yaml, seen none: not a plain file$/,
  );
  assert.throws(() => diskFiles.read(join(dir, 'huge')), { code: /longer than/ });
  assert.throws(() => diskFiles.read(dir), { code: 'EISDIR' });
  assert.throws(() => diskFiles.read(join(dir, 'none')), { code: 'ENOENT' });
});
