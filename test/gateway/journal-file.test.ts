// The journal as a file: a crash in the middle of a line, a full disk, and what is no longer true.
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { memoryJournal } from '../../adapters/memory/journal.ts';
import { openJournalFile } from '../../src/gateway/journal-file.ts';
import { testJournal } from '../contracts/journal.ts';

function place(): { readonly path: string; readonly remove: () => void } {
  const dir = mkdtempSync(join(tmpdir(), 'quench-journal-'));
  return { path: join(dir, 'data', 'raw-pages.jsonl'), remove: () => rmSync(dir, { recursive: true, force: true }) };
}

function placeFor(t: TestContext): string {
  const { path, remove } = place();
  t.after(remove);
  return path;
}

testJournal('a file', () => {
  const { path, remove } = place();
  return { open: () => openJournalFile(path), remove };
});

testJournal('memory', () => {
  const records = new Map<string, string>();
  return { open: async () => memoryJournal(records), remove: () => {} };
});

test('J3: what a crash left of a line is skipped, and what was written after it counts', async (t) => {
  const path = placeFor(t);
  const first = await openJournalFile(path);
  await first.write({ key: 'a', value: { says: 1 } });
  appendFileSync(path, '\n["b",{"says":');
  await first.write({ key: 'c', value: { says: 3 } });
  await first.close();
  appendFileSync(path, '\n{"not":"ours"}\n[1,2]\n["a"');
  const { left, close } = await openJournalFile(path);
  await close();
  assert.deepEqual(left, [
    { key: 'a', value: { says: 1 } },
    { key: 'c', value: { says: 3 } },
  ]);
});

test('J4: the file holds little more than what is true, and nobody else reads it', async (t) => {
  const path = placeFor(t);
  const journal = await openJournalFile(path);
  const value = { text: 'x'.repeat(1_000) };
  for (let number = 0; number < 500; number += 1) {
    await journal.write({ key: `k${number}`, value });
    await journal.strike(`k${number}`);
  }
  await journal.write({ key: 'last', value });
  assert.ok(statSync(path).size < 100_000, `${statSync(path).size} bytes`);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  await journal.close();
  const { left, close } = await openJournalFile(path);
  await close();
  assert.deepEqual(
    left.map(({ key }) => key),
    ['last'],
  );
  assert.equal(readFileSync(path, 'utf8').split('\n').length, 2);
});

test('a journal whose file is in the way of a directory says which', async (t) => {
  const path = placeFor(t);
  const first = await openJournalFile(path);
  await first.write({ key: 'k', value: { a: 0 } });
  await first.close();
  await assert.rejects(openJournalFile(join(path, 'below.jsonl')), { code: 'store_unavailable', message: /raw-pages\.jsonl/ });
  writeFileSync(path, '\n["k",{"a":1}]');
  const { left, close } = await openJournalFile(path);
  await close();
  assert.equal(left.length, 1);
});
