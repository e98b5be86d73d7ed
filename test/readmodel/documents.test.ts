// What facts make of documents, whatever happened: the golden histories and random worlds, each document held against its schema.
import { Ajv2020 } from 'ajv/dist/2020.js';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Fact } from '../../src/core/records.ts';
import { minute } from '../../src/core/time.ts';
import { count, type Counter } from '../../src/readmodel/counts.ts';
import { documentKinds, type DocumentByKind, type DocumentKind } from '../../src/readmodel/documents.ts';
import { joined, patched, type DocumentPatch } from '../../src/readmodel/patch.ts';
import { patchesOf } from '../../src/readmodel/patches.ts';
import { documentSchemas, lineSchema } from '../../src/readmodel/schemas.ts';
import { entryOf } from '../../src/readmodel/timeline.ts';
import type { Line } from '../histories/record.ts';
import { unleash } from '../support/chaos.ts';
import { anyDeed, type Deed } from '../support/deeds.ts';
import { playbookOf, policyOf, stepOf } from '../support/policy.ts';

const ajv = new Ajv2020({ strict: true });
const checks = new Map(documentKinds.map((kind) => [kind, ajv.compile(documentSchemas[kind])]));
const checkLine = ajv.compile(lineSchema);

type Held = Map<string, { readonly kind: DocumentKind; readonly doc: DocumentByKind[DocumentKind] }>;

function apply(held: Held, patch: DocumentPatch): void {
  const key = `${patch.kind}/${patch.id}`;
  const doc = patched<DocumentKind>(held.get(key)?.doc ?? null, patch);
  if (doc !== null) held.set(key, { kind: patch.kind, doc });
}

/** All documents after the facts; each is looked at after every fact that changed it. */
function documentsOf(facts: readonly Fact[], look: boolean): Held {
  const held: Held = new Map();
  for (const fact of facts) {
    for (const patch of patchesOf(fact, 0)) {
      apply(held, patch);
      const now = held.get(`${patch.kind}/${patch.id}`);
      const check = checks.get(patch.kind);
      // As a store gives it back: what is undefined would be missing.
      if (look && now !== undefined)
        assert.ok(check?.(JSON.parse(JSON.stringify(now.doc))), `${fact.type}: ${JSON.stringify(check?.errors)}`);
    }
    const line = entryOf(fact);
    if (look && line !== null) assert.ok(checkLine(JSON.parse(JSON.stringify(line))), `${fact.type}: ${JSON.stringify(checkLine.errors)}`);
  }
  return held;
}

const folder = new URL('../histories/', import.meta.url);
const histories = readdirSync(folder)
  .filter((name) => name.endsWith('.jsonl'))
  .map((name) => ({
    name,
    facts: readFileSync(new URL(name, folder), 'utf8')
      .split('\n')
      .filter((text) => text !== '')
      .map((text) => JSON.parse(text) as Line) // as record.ts wrote it
      .flatMap((line) => ('fact' in line ? [line.fact] : [])),
  }));

test('M1: every document of the golden histories is whole from its first fact on', () => {
  const kinds = new Set(histories.flatMap(({ facts }) => [...documentsOf(facts, true).values()].map(({ kind }) => kind)));
  assert.deepEqual([...kinds].sort(), ['alert', 'approval', 'incident', 'page', 'run', 'silence']);
});

const asks = playbookOf({ name: 'asks', mode: 'approve', steps: [stepOf()] });
const policies = [policyOf({ playbooks: [playbookOf()] }), policyOf({ playbooks: [asks], storm: { alerts: 3, withinMs: minute } })];

function factsOf(deeds: readonly Deed[], policy: (typeof policies)[number]): readonly Fact[] {
  const world = unleash([policy], () => {});
  for (const deed of deeds) world.play(deed);
  return world.facts;
}

test('M1, J1: in random worlds, too; and facts told twice change nothing', () => {
  fc.assert(
    fc.property(fc.constantFrom(...policies), fc.array(anyDeed, { minLength: 5, maxLength: 60 }), (policy, deeds) => {
      const facts = factsOf(deeds, policy);
      const once = documentsOf(facts, true);
      assert.deepEqual(
        documentsOf(
          facts.flatMap((fact) => [fact, fact]),
          false,
        ),
        once,
      );
    }),
    { numRuns: 60 },
  );
});

test('B1: whatever retention took from the front, what is left makes documents that are whole', () => {
  for (const { name, facts } of histories) {
    for (let from = 0; from < facts.length; from += 3) {
      for (const { kind, doc } of documentsOf(facts.slice(from), true).values()) {
        const title = 'title' in doc ? doc.title : 'name' in doc ? doc.name : 'run';
        assert.notEqual(title, '', `${name} from ${from}: ${kind} ${doc.id} says what it is`);
      }
    }
  }
});

test('patches joined two by two come to the same as one after the other', () => {
  for (const { facts } of histories) {
    const patches = facts.flatMap((fact) => patchesOf(fact, 0));
    for (const [place, first] of patches.entries()) {
      const next = patches.slice(place + 1).find(({ kind, id }) => kind === first.kind && id === first.id);
      const both = next === undefined ? null : joined(first, next);
      if (next === undefined || both === null) continue;
      const [together, apart]: [Held, Held] = [new Map(), new Map()];
      apply(together, both);
      for (const one of [first, next]) apply(apart, one);
      assert.deepEqual(together, apart);
    }
  }
});

test('an alert that fires anew stands in lists where its new episode begins', () => {
  const fact = histories.flatMap(({ facts }) => facts).find(({ type }) => type === 'AlertMerged');
  assert.ok(fact?.type === 'AlertMerged' && fact.alert !== null);
  const held: Held = new Map();
  const changes = [
    { ...fact, change: 'opened', at: 10 },
    { ...fact, change: 'severity', at: 20 },
    { ...fact, change: 'reopened', at: 30 },
    { ...fact, change: 'cleared', at: 40 },
  ] as const;
  const ats = changes.map((change) => {
    for (const patch of patchesOf(change, 0)) apply(held, patch);
    return [...held.values()][0]?.doc.at;
  });
  assert.deepEqual(ats, [10, 10, 30, 30]);
});

test('what is counted: decisions, pages, notifications, ends of runs, and nothing else', () => {
  const told: string[] = [];
  const counter: Counter = {
    decision: (decision) => void told.push(decision),
    page: (event) => void told.push(event),
    notification: (notifier, outcome) => void told.push(`${notifier} ${outcome}`),
    run: (playbook, end) => void told.push(`${playbook} ${end}`),
    skew: (endpoint, skewMs) => void told.push(`${endpoint} ${skewMs}`),
  };
  const heals = histories.find(({ name }) => name === 'restart-heals.jsonl')?.facts ?? [];
  for (const fact of heals) count(counter, fact);
  const counted = new Set(['AlertDecided', 'PageOpened', 'PageRang', 'PageAcked', 'PageClosed', 'NotifyFinished', 'RunFinished']);
  assert.equal(told.length, heals.filter(({ type }) => counted.has(type)).length);
  assert.ok(told.includes('restart-service succeeded'), told.join());
});
