// The codec of facts: what comes back, what is refused, and how short it is. Invariants are stored.ts's and shape.ts's.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { GatewayError } from '../../../src/core/errors.ts';
import type { Fact } from '../../../src/core/records.ts';
import { isSpelled, spellingOf } from '../../../src/core/stored/spelling.ts';
import { packed, storedForm, unpacked } from '../../../src/core/stored/stored.ts';
import { newAlerts } from '../../support/storm-of-new.ts';

const histories = new URL('../../histories/', import.meta.url);

/** The facts of each history, in order. */
const told: readonly (readonly Fact[])[] = readdirSync(histories)
  .filter((name) => name.endsWith('.jsonl'))
  .map((name) => {
    const lines = readFileSync(new URL(name, histories), 'utf8').split('\n');
    const parsed = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as { readonly fact?: Fact }); // by record.ts
    return parsed.flatMap(({ fact }) => (fact === undefined ? [] : [fact]));
  });
const storm = newAlerts(220);

/** As a log does it: written as text, read as text. */
function through(scope: string, values: readonly object[]): readonly unknown[] {
  return unpacked(scope, JSON.parse(JSON.stringify(packed(scope, values))) as readonly unknown[]);
}

function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

test('C1: the facts of every history come back, all in one go, each by itself, and in pieces of any length', () => {
  for (const facts of told) {
    assert.deepEqual(through('default', facts), plain(facts));
    for (const fact of facts) assert.deepEqual(through('default', [fact]), plain([fact]));
    for (const length of [2, 3, 7, 64]) {
      for (let at = 0; at < facts.length; at += length) {
        const piece = facts.slice(at, at + length);
        assert.deepEqual(through('default', piece), plain(piece));
      }
    }
  }
});

test('C1: labels, entities, links and waits come back in their order, which is compared as text', () => {
  const texts = (values: readonly unknown[]): readonly (readonly string[])[] =>
    (values as readonly Fact[]).map((fact) => {
      if (fact.type === 'WakeRequested') return [JSON.stringify(fact.wake)];
      return fact.type === 'AlertMerged' && fact.alert !== null ? Object.values(fact.alert).map((part) => JSON.stringify(part)) : [];
    });
  const all = storm.flatMap(({ facts }) => facts);
  assert.deepEqual(texts(through('default', all)), texts(all));
});

const places = [...told, storm.flatMap(({ facts }) => facts)];
const anyPiece = fc
  .record({ from: fc.nat(), length: fc.integer({ min: 1, max: 12 }), of: fc.nat(places.length - 1) })
  .map(({ from, length, of }) => {
    const facts = places[of] ?? [];
    const at = from % facts.length;
    return plain(facts.slice(at, at + length));
  });

/** Every place within a value, as the object and the name of the member. */
function placesIn(value: unknown): readonly (readonly [holder: Record<string, unknown>, name: string])[] {
  if (typeof value !== 'object' || value === null) return [];
  const holder = value as Record<string, unknown>;
  const here = Object.keys(holder).map((name) => [holder, name] as const);
  return here.concat(Object.values(holder).flatMap(placesIn));
}

const strange = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(0, -1, 1, null, '', 'due', [], [0], [-1], {}, [[]], '__proto__', 'default', 1e300, 0.1, true),
);
const change = fc.record({ place: fc.nat(), how: fc.constantFrom('set', 'drop', 'add', 'swap'), value: strange, other: fc.nat() });

function changed(
  facts: readonly Fact[],
  changes: readonly { place: number; how: string; value: unknown; other: number }[],
): readonly Fact[] {
  for (const { place, how, value, other } of changes) {
    const all = placesIn(facts);
    const [holder, name] = all[place % all.length] ?? [];
    const [second, its] = all[other % all.length] ?? [];
    if (holder === undefined || name === undefined || second === undefined || its === undefined) continue;
    if (holder === (facts as unknown) || second === (facts as unknown)) continue; // a log takes objects
    // Of its own: the same list put into itself would have no end.
    if (how === 'set') holder[name] = plain(value);
    else if (how === 'drop') delete holder[name];
    else if (how === 'add' && !Array.isArray(holder)) holder[`x${place % 7}`] = plain(value);
    else if (how === 'swap') holder[name] = plain(second[its]);
  }
  return plain(facts);
}

test('C1: facts come back whatever is changed in them: members unknown, missing, of another type', () => {
  fc.assert(
    fc.property(anyPiece, fc.array(change, { minLength: 1, maxLength: 4 }), (piece, changes) => {
      const facts = changed(piece, changes);
      assert.deepEqual(through('default', facts), facts);
    }),
    { numRuns: 8_000 },
  );
});

test('C1: what is no fact comes back, whatever its scope', () => {
  const any = fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(any, fc.string(), (values, scope) => {
      assert.deepEqual(through(scope, values), plain(values));
    }),
    { numRuns: 2_000 },
  );
});

test('C3: a damaged record is read as something or refused by name, whatever is changed in it', () => {
  let refused = 0;
  fc.assert(
    fc.property(anyPiece, fc.array(change, { minLength: 1, maxLength: 3 }), (piece, changes) => {
      const stored = plain(packed('default', piece)) as unknown as readonly Fact[];
      try {
        unpacked('default', changed(stored, changes));
      } catch (error) {
        refused += 1;
        assert.ok(error instanceof GatewayError && error.code === 'log_unavailable', String(error));
      }
    }),
    { numRuns: 5_000 },
  );
  assert.ok(refused > 500, `${refused} were refused`);
});

test('C3: a record of a type that nobody knows was written by a newer version, and says so', () => {
  assert.throws(() => unpacked('default', [[999, 0]]), { code: 'log_unavailable', message: /newer quench \(type 999/ });
});

/** What form 2 wrote: if this fails, a bit or an order has changed, and what is on people's logs would be read as something else. */
test('C2: form 2 is read and written as it was: a change of it is a new form, with a file of its own beside this one', () => {
  const text = readFileSync(new URL('form-2.jsonl', import.meta.url), 'utf8');
  const lines = text.split('\n').filter((line) => line !== '');
  assert.ok(lines.length > 8);
  for (const line of lines) {
    const { facts, stored } = JSON.parse(line) as { readonly facts: readonly Fact[]; readonly stored: readonly unknown[] }; // by packed
    assert.deepEqual(unpacked('default', stored), facts);
    assert.equal(JSON.stringify(packed('default', facts)), JSON.stringify(stored));
  }
  assert.equal(storedForm, 2);
});

test('an instant is spelled as ISO 8601, over all years that have four digits', () => {
  const instant = fc.oneof(fc.integer({ min: 0, max: 253_402_300_799_999 }), fc.integer({ min: 0, max: 4_102_444_800_000 }));
  fc.assert(
    fc.property(instant, (at) => {
      assert.ok(isSpelled(at));
      assert.equal(spellingOf(at), new Date(at).toISOString());
    }),
    { numRuns: 5_000 },
  );
  for (const at of [0, 951_782_400_000, 951_868_800_000, 4_107_542_399_999, 253_402_300_799_999])
    assert.equal(spellingOf(at), new Date(at).toISOString());
  for (const at of [-1, 0.5, 253_402_300_800_000, Number.NaN]) assert.ok(!isSpelled(at));
});

const bytesMax = 900;

/** What one turn writes, alone in its writing: the least that can be left out. */
function bytesOf(facts: readonly Fact[]): number {
  return Buffer.byteLength(JSON.stringify(packed('default', facts)));
}

test(`the facts of a new alert take at most ${bytesMax} bytes, one that opens an incident and one that joins a storm`, (t) => {
  const isJoin = (facts: readonly Fact[]): boolean => facts.every(({ type }) => type !== 'IncidentOpened');
  for (const [what, some] of [
    ['opens', storm.filter(({ facts }) => !isJoin(facts)).slice(0, -1)], // the last one opens the storm, which adopts all before
    ['joins', storm.filter(({ facts }) => isJoin(facts))],
  ] as const) {
    const sizes = some.map(({ facts }) => bytesOf(facts)).sort((a, b) => a - b);
    const json = some.reduce((sum, { facts }) => sum + JSON.stringify(facts).length, 0) / some.length;
    t.diagnostic(`${what}: ${sizes.at(0)} to ${sizes.at(-1)} bytes, ${Math.round(json)} as JSON alone`);
    assert.ok(some.length > 50);
    assert.ok((sizes.at(-1) ?? bytesMax + 1) <= bytesMax, `${what}: ${sizes.at(-1)} bytes`);
  }
});

test('what is written in one go repeats nothing of the alert before: a storm in one writing takes less than half', () => {
  const facts = storm.slice(120, 184).flatMap((one) => one.facts);
  assert.ok(bytesOf(facts) / 64 < bytesMax / 2, `${bytesOf(facts) / 64} bytes an alert`);
});
