// Recorded inputs and the facts they gave, line by line. A difference is a change of behaviour, or of the stored format.
// If it is meant: node test/histories/histories.test.ts --update   records all again from scripts.ts; then read the diff.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { newDesk } from '../../src/core/desk.ts';
import { fold } from '../../src/core/fold.ts';
import type { Fact } from '../../src/core/records.ts';
import { judge, scope, type Line } from './record.ts';
import { scripts } from './scripts.ts';

const folder = new URL('.//', import.meta.url);

if (process.argv.includes('--update')) {
  for (const [name, script] of Object.entries(scripts)) {
    const text = script()
      .lines.map((line) => `${JSON.stringify(line)}\n`)
      .join('');
    writeFileSync(new URL(`${name}.jsonl`, folder), text);
  }
}

function linesOf(name: string): readonly Line[] {
  const text = readFileSync(new URL(`${name}.jsonl`, folder), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line); // written above
}

/** The inputs with the facts that were recorded behind each. */
function stepsOf(lines: readonly Line[]): readonly { readonly line: Extract<Line, { input: object }>; readonly facts: Fact[] }[] {
  const steps: { readonly line: Extract<Line, { input: object }>; readonly facts: Fact[] }[] = [];
  for (const line of lines) {
    if ('input' in line) steps.push({ line, facts: [] });
    else if ('fact' in line) steps.at(-1)?.facts.push(line.fact);
  }
  return steps;
}

test('every script is recorded and every record has its script', () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.jsonl'));
  assert.deepEqual(files.map((name) => name.slice(0, -'.jsonl'.length)).sort(), Object.keys(scripts).sort());
});

for (const name of Object.keys(scripts)) {
  test(`${name}: the recorded inputs give the recorded facts again`, () => {
    const host = judge();
    for (const { line, facts } of stepsOf(linesOf(name))) {
      const told = JSON.parse(JSON.stringify(host.turn(line.input, line.offset))) as Fact[];
      assert.deepEqual(told, facts, `${name}.jsonl: input ${line.offset} (${line.input.type})`);
    }
  });

  test(`${name}: the recorded facts alone make the same desk`, () => {
    const host = judge();
    const folded = newDesk(scope);
    for (const { line, facts } of stepsOf(linesOf(name))) {
      host.turn(line.input, line.offset);
      if (line.input.scope === scope) for (const fact of facts) fold(folded, fact);
    }
    for (const [table, { rows }] of Object.entries(host.desk.tables)) {
      const theirs = folded.tables[table as keyof typeof folded.tables].rows;
      assert.deepEqual(JSON.parse(JSON.stringify([...rows])), JSON.parse(JSON.stringify([...theirs])), `table ${table}`);
    }
  });
}
