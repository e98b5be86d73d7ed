// A run's row is written at each of its facts, so it must stay small: measured over every case of the shipped playbooks, in every mode,
// at each point of a run's life.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createExpressions } from '../../adapters/cel/expressions.ts';
import { loadCases, type PlaybookCase } from '../../src/config/playbook/cases.ts';
import { loadPlaybooks } from '../../src/config/playbook/playbooks.ts';
import { newDesk, type Desk } from '../../src/core/desk.ts';
import { fold } from '../../src/core/fold.ts';
import type { Playbook, PlaybookMode } from '../../src/core/playbook/document.ts';
import type { Fact } from '../../src/core/records.ts';
import { defaultPolicy } from '../../src/offline/cases.ts';
import { createWorld } from '../../src/offline/replay/world.ts';
import { playbookDeps } from '../config/support.ts';

const rowCharsMax = 700;
const scope = 'default';
const expressions = createExpressions();
/** A worker's name is as long as this where it matters; the world's is shorter. */
const worker = '3f0c8a52-6d1e-4b7f-9a70-2c5d8e9f1b34.12';
const folder = new URL('../../playbooks/', import.meta.url);
const texts = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .map((file) => ({ file, text: readFileSync(new URL(file, folder), 'utf8') }));
const isCases = ({ file }: { readonly file: string }): boolean => file.endsWith('.test.yaml');
const books = loadPlaybooks(
  texts.filter((text) => !isCases(text)),
  playbookDeps,
);
assert.ok(books.ok);
const playbooks = books.value.map(({ playbook }) => playbook);
const cases = loadCases(texts.filter(isCases), playbooks);
assert.ok(cases.ok);

interface Measured {
  readonly chars: number;
  /** The fact after which the row was longest. */
  readonly after: string;
  readonly row: string;
}

/** Plays one case and measures the rows of its runs after every fact. */
function longestRow(one: PlaybookCase, playbook: Playbook, mode: PlaybookMode): { readonly longest: Measured; readonly desk: Desk } {
  const desk = newDesk(scope);
  let longest: Measured = { chars: 0, after: '', row: '' };
  const onFact = (fact: Fact): void => {
    if (fact.scope !== scope) return; // the desk of a resource
    fold(desk, fact);
    for (const run of desk.tables.runs.rows.values()) {
      const row = JSON.stringify(run).replace('"simulated"', `"${worker}"`);
      if (row.length > longest.chars) longest = { chars: row.length, after: fact.type, row };
    }
  };
  const answer: Parameters<typeof createWorld>[1]['answer'] = ({ phase, step, attempt }) => {
    const answers = one.answers.get(phase === 'undo' ? `undo/${step}` : step) ?? [];
    return answers[Math.min(attempt, answers.length) - 1] ?? { outcome: { outcome: 'ok', output: {} }, takesMs: 0 };
  };
  const rules = { policy: defaultPolicy([{ ...playbook, mode }]), frozen: null, installation: null, expressions };
  const start = 1_767_225_600_000;
  const world = createWorld(rules, { answer, onFact }, start);
  for (const { atMs, event } of one.alerts) {
    const placed = { ...event, startedAt: start + event.startedAt, observedAt: start + event.observedAt };
    world.say({ type: 'AlertSeen', scope, at: start + atMs, endpoint: 'case', delivery: '', index: 0, event: placed });
    const [run] = desk.tables.runs.rows.keys();
    if (mode === 'approve' && run !== undefined)
      world.say({ type: 'Approved', scope, at: world.now() + 1, run, by: 'ann', via: 'console' });
  }
  world.forward(start + one.untilMs);
  return { longest, desk };
}

for (const playbook of playbooks) {
  test(`a run row of ${playbook.name} stays under ${rowCharsMax} bytes, and its playbook lies beside it once`, (t) => {
    const mine = cases.value.filter((one) => one.playbook === playbook.name);
    const ran = mine
      .flatMap((one) => (['auto', 'approve', 'shadow'] as const).map((mode) => longestRow(one, playbook, mode)))
      .filter(({ longest }) => longest.chars > 0)
      .sort((a, b) => b.longest.chars - a.longest.chars);
    const [worst] = ran;
    assert.ok(worst !== undefined, 'some case starts a run');

    t.diagnostic(`${playbook.name}: at most ${worst.longest.chars}, after ${worst.longest.after}, in ${ran.length} runs`);
    assert.ok(worst.longest.chars < rowCharsMax, `${worst.longest.chars} bytes after ${worst.longest.after}: ${worst.longest.row}`);
    for (const { desk } of ran) assert.ok([...desk.tables.playbooks.rows.keys()].every((digest) => digest === playbook.digest));
  });
}
