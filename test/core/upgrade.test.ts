// Rows as earlier versions saved them. rows/0.1.0.jsonl was written by version 0.1.0 itself (commit fabf400): a policy, inputs with the
// facts they gave, the rows of the desk at one moment (runs that wait for a yes, for an answer, for a proof; a storm half counted), and
// what happened after it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createExpressions } from '../../adapters/cel/expressions.ts';
import { newDesk, type Desk } from '../../src/core/desk.ts';
import { fold } from '../../src/core/fold.ts';
import type { Policy } from '../../src/core/playbook/policy.ts';
import type { Fact, Input } from '../../src/core/records.ts';
import { turn } from '../../src/core/turn.ts';
import { upgradeRow } from '../../src/core/upgrade.ts';
import { changedRows, finishLoading, takeRows } from '../../src/engine/host/desks.ts';
import type { DeskRow } from '../../src/ports/checkpoints.ts';

interface Step {
  readonly input: Input;
  readonly offset: number;
  readonly facts: readonly Fact[];
}

type Line = { readonly policy: Policy } | Step | { readonly row: DeskRow };

const lines = readFileSync(new URL('rows/0.1.0.jsonl', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as Line); // written by the version itself
const [policy] = lines.flatMap((line) => ('policy' in line ? [line.policy] : []));
const rows = lines.flatMap((line) => ('row' in line ? [line.row] : []));
const cut = lines.findIndex((line) => 'row' in line);
const stepsOf = (some: readonly Line[]): readonly Step[] => some.filter((line) => 'input' in line);

function loaded(some: readonly DeskRow[]): Desk {
  const desks = new Map<string, Desk>();
  takeRows(desks, structuredClone(some));
  finishLoading(desks);
  const desk = desks.get('default');
  assert.ok(desk !== undefined);
  return desk;
}

function tablesOf(desk: Desk): unknown {
  // Since when a member fires only gives the order in which firing members are walked; 0.1.0 had none.
  // What a run or an incident says of its end, and until when a yes is waited for, are words for people alone; 0.1.0 kept none of them.
  const plain = ({ fired: _fired, ended: _ended, why: _why, approveUntil: _until, ...row }: Partial<Record<string, unknown>>): object =>
    row;
  const sorted = (table: ReadonlyMap<string, object>): unknown =>
    [...table].map(([key, row]) => [key, plain({ ...row })] as const).sort((a, b) => (a[0] < b[0] ? -1 : 1));
  return Object.entries(desk.tables).map(([name, table]) => [name, sorted(table.rows)]);
}

function folded(): Desk {
  const desk = newDesk('default');
  for (const { facts } of stepsOf(lines.slice(0, cut))) for (const fact of facts) fold(desk, fact);
  return desk;
}

/** What is said of pages has changed since 0.1.0 on purpose: they ring on, and their words come with the grant. */
function isOfPage(fact: Fact): boolean {
  return /^(Page|Notify)/.test(fact.type) || (fact.type === 'WakeRequested' && 'page' in fact.wake);
}

/** 0.1.0 adopted nothing before it had settled, and called a storm by its number of alerts. */
function isOfStorm(fact: Fact): boolean {
  if (fact.type === 'IncidentChanged') return fact.title.startsWith('alert storm');
  return fact.type === 'IncidentNested' || (fact.type === 'IncidentDecided' && fact.reason.startsWith('part of'));
}

/** Who says yes to a run has its incident; for 0.1.0 nobody had it. */
function isOfAnswer(fact: Fact): boolean {
  return fact.type === 'IncidentAcknowledged' && fact.run !== undefined;
}

/** Numbers shift with that, and with them the tokens that hold one. */
function unnumbered({ seq: _seq, ...fact }: Fact): object {
  if (fact.type === 'WakeSpent') return { type: fact.type };
  if (fact.type === 'IncidentAcknowledged') return { ...fact, covers: null };
  if (fact.type === 'StepFinished') return { ...fact, input: null }; // 0.1.0 did not say where the answer is
  if (fact.type === 'AlertDecided') return { ...fact, endpoint: null }; // 0.1.0 did not say it
  if (fact.type === 'StepRequested') return { ...fact, playbook: null }; // 0.1.0 did not say it
  if (fact.type !== 'WakeRequested') return fact;
  if (fact.wake.kind === 'stale') return { type: fact.type, wake: 'stale' }; // looked at sooner since senders are known by how they repeat
  const { asked: _asked, ...wake } = fact.wake as { readonly asked?: number };
  return { ...fact, token: '', wake };
}

/** Plays what happened after the rows were saved, and compares every fact but those of pages with what 0.1.0 decided. */
function playOn(desk: Desk): void {
  assert.ok(policy !== undefined);
  const rules = { policy, frozen: null, installation: null, expressions: createExpressions() };
  const tokens = new Map<string, string>();
  for (const { input, offset, facts } of stepsOf(lines.slice(cut))) {
    const now = input.type === 'Woke' ? { ...input, token: tokens.get(input.token) ?? input.token } : input;
    const decided = JSON.parse(JSON.stringify(turn(desk, now, rules, offset))) as readonly Fact[];
    if (input.type === 'Woke' && /^(rung|notify)\|/.test(input.token)) continue;
    const [ours, theirs] = [decided, facts].map((some) => some.filter((fact) => !isOfPage(fact) && !isOfStorm(fact) && !isOfAnswer(fact)));
    assert.ok(ours !== undefined && theirs !== undefined);
    assert.deepEqual(ours.map(unnumbered), theirs.map(unnumbered), `input ${offset} (${input.type})`);
    theirs.forEach((fact, at) => {
      const same = ours[at];
      if (fact.type === 'WakeRequested' && same?.type === 'WakeRequested') tokens.set(fact.token, same.token);
    });
  }
}

test('the rows hold what this test is about: runs in every part, an open call, a half counted storm', () => {
  const docs = rows.filter(({ table }) => table === 'runs').map(({ doc }) => doc as { readonly phase: string; readonly call: unknown });
  assert.deepEqual(docs.map(({ phase }) => phase).sort(), ['approval', 'diagnose', 'ended', 'steps', 'verify']);
  assert.ok(docs.some(({ call }) => call !== null));
  const [meta] = rows.filter(({ table }) => table === 'meta').map(({ doc }) => doc as { readonly halfCount: number });
  assert.equal(meta?.halfCount, 3);
});

test('U1: rows of 0.1.0 load as the desk that its facts make', () => {
  assert.deepEqual(tablesOf(loaded(rows)), tablesOf(folded()));
  assert.deepEqual(loaded(rows).indexes.runsByPlaybook, folded().indexes.runsByPlaybook);
});

test('U1: a desk of 0.1.0 goes on as 0.1.0 did: runs end, the storm is counted on, and nothing is left over', () => {
  const desk = loaded(rows);
  playOn(desk);

  const left = desk.tables.runs.rows.values().map(({ playbook }) => playbook);
  assert.deepEqual([...desk.tables.playbooks.rows.keys()].sort(), [...new Set(left)].sort());
});

test('U1: an upgraded desk that is saved by and by, old rows beside new ones, loads as it was', () => {
  const store = new Map(rows.map((row) => [`${row.table} ${row.key}`, row]));
  const save = (desk: Desk): void => {
    for (const row of changedRows(desk)) store.set(`${row.table} ${row.key}`, row);
  };
  const desk = loaded(rows);
  save(desk); // as a host does after its first turn: what 0.1.0 had no row for
  assert.deepEqual(tablesOf(loaded([...store.values()])), tablesOf(desk));
  playOn(desk);
  save(desk);

  assert.deepEqual(tablesOf(loaded([...store.values()])), tablesOf(desk));
});

test('U2: rows of this version are left as they are', () => {
  const desk = folded();
  const saved = changedRows(desk);
  assert.ok(saved.some(({ table }) => table === 'runs') && saved.some(({ table }) => table === 'playbooks'));
  for (const { table, key, doc } of saved) {
    if (doc === null) continue; // a row that is gone
    const row = { table: table as keyof Desk['tables'], key, doc }; // by changedRows
    assert.deepEqual(upgradeRow(row), [row]);
    assert.equal(upgradeRow(row)[0]?.doc, doc);
  }
});
