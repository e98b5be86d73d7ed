// Tokens that a first start makes (src/gateway/token-files.ts): whole, once, their owner's alone.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { diskFiles } from '../../src/config/files.ts';
import { tokenFiles } from '../../src/gateway/token-files.ts';
import { folder } from './house.ts';

const module = new URL('../../src/gateway/token-files.ts', import.meta.url).href;
const diskModule = new URL('../../src/config/files.ts', import.meta.url).href;
const tokens = 300;
/** Waits for the others, then reads every token; prints which it read, and how many it made. */
const racer = `
  import { existsSync, writeFileSync } from 'node:fs';
  const [dir, me, others] = process.argv.slice(1);
  const { tokenFiles } = await import(${JSON.stringify(module)});
  const { diskFiles } = await import(${JSON.stringify(diskModule)});
  writeFileSync(dir + '/ready.' + me, '');
  while (!others.split(',').every((each) => existsSync(dir + '/ready.' + each)));
  let made = 0;
  const files = tokenFiles(diskFiles, () => { made += 1; });
  const read = Array.from({ length: ${tokens} }, (_, index) => files.read(dir + '/shared/' + index + '.token'));
  console.log(JSON.stringify({ made, read }));
`;

function race(dir: string, me: string): Promise<{ readonly made: number; readonly read: readonly string[] }> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', racer, dir, me, 'a,b'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(out));
      else reject(new Error(err));
    });
  });
}

test('O1: two gateways that make the same tokens at once use the same ones', { timeout: 60_000 }, async (t) => {
  const { dir } = folder(t, {});
  const [one, other] = await Promise.all([race(dir, 'a'), race(dir, 'b')]);
  assert.deepEqual(one.read, other.read);
  assert.equal(one.made + other.made, tokens, 'each was made once');
  assert.equal(new Set(one.read).size, tokens);
  for (const text of one.read) assert.match(text, /^[\w-]{32}\n$/);
  const names = readdirSync(join(dir, 'shared'));
  assert.equal(names.length, tokens, 'and nothing else lies beside them');
  for (const name of names) assert.equal(statSync(join(dir, 'shared', name)).mode & 0o777, 0o600);
});

test('O1: a token that somebody else made between our look and our making is the one that counts', (t) => {
  const { dir } = folder(t, {});
  const path = join(dir, 'late.token');
  const made: string[] = [];
  let looks = 0;
  const files = tokenFiles(
    {
      ...diskFiles,
      read(wanted) {
        looks += 1;
        if (looks > 1) return diskFiles.read(wanted);
        writeFileSync(path, 'the-token-of-the-winner\n');
        throw Object.assign(new Error('not there yet'), { code: 'ENOENT' });
      },
    },
    (each) => made.push(each),
  );
  assert.equal(files.read(path), 'the-token-of-the-winner\n');
  assert.deepEqual(made, []);
  assert.equal(readFileSync(path, 'utf8'), 'the-token-of-the-winner\n');
  assert.deepEqual(
    readdirSync(dir).filter((name) => name.includes('late')),
    ['late.token'],
  );
});
