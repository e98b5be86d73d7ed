// The log of a gateway on an output that fails: lines are lost and counted, and the log goes on when it can be written again.
import assert from 'node:assert/strict';
import { closeSync, createWriteStream, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createOutput } from '../../src/gateway/output.ts';
import { folder } from './house.ts';

test('F5: lines that a full disk did not take are counted, and the first line that it takes again says how many', async (t) => {
  const { dir } = folder(t, {});
  const file = join(dir, 'log');
  let fd = openSync('/dev/full', 'w');
  const stream = createWriteStream('/dev/full');
  stream.on('error', () => {}); // as main.ts has it
  const output = createOutput(stream, 2, { now: () => 0 }, (_, text) => writeSync(fd, text));
  output.write('one\n');
  await new Promise<void>((resolve) => void stream.once('close', () => resolve()));
  output.write('two\n');
  output.write('three\n');
  closeSync(fd);
  fd = openSync(file, 'a');
  output.write('four\n');
  output.write('five\n');
  closeSync(fd);
  assert.equal(readFileSync(file, 'utf8'), '1970-01-01T00:00:00.000Z warn lines of this log could not be written lost=3\nfour\nfive\n');
});

test('F5: a stream that goes on after a failure is told the same', () => {
  let isFull = true;
  let said = '';
  const stream = {
    write(text: string, told: (error?: Error | null) => void) {
      if (!isFull) said += text;
      told(isFull ? new Error('ENOSPC') : null);
    },
  };
  const output = createOutput(stream, 2, { now: () => 0 });
  output.write('one\n');
  output.write('two\n');
  isFull = false;
  output.write('three\n');
  output.write('four\n');
  assert.equal(said, '1970-01-01T00:00:00.000Z warn lines of this log could not be written lost=2\nthree\nfour\n');
});
