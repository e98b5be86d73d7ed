// One suite for every source: what its fixtures promise, and what no body whatever may do.
// A fixture is real traffic, trimmed; how to write one stands at `Fixture`.
//   C1  Every fixture gives exactly the events, warnings or failure it names.
//   C2  Firing and cleared of one episode share a fingerprint; annotations never enter it.
//   C3  Parsing never throws, answers the same twice, and leaves its input as it was, for any bytes.
//   C4  No event leaves unbounded or malformed; every link is http or https; a failure names the vendor and dumps no body.
import * as fc from 'fast-check';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { AlertEvent } from '../../src/core/alert/event.ts';
import type { Delivery, Parsed, ParseFailure, Source } from '../../src/ports/source.ts';
import { everyLeafHostile, mutatedJson, mutatedText, nastyJson } from '../support/mutate.ts';

/** Receipt time of every delivery of this suite. */
export const receivedAt = Date.parse('2026-11-21T04:00:00Z');

/**
 * `adapters/<vendor>/fixtures/NAME.json`. An object as body is sent as JSON; `@@64K@@` in a body stands for 65,536 letters x.
 * Expected values match partially: objects by the members named, arrays element by element. A text may stand for an instant
 * (ISO 8601); `<absent>` says that the member is not there. Warnings are parts of the texts; none named, none allowed.
 */
interface Fixture {
  readonly name: string;
  /** Where the payload is from and when it was seen. */
  readonly about: string;
  readonly headers: { readonly [name: string]: string };
  readonly path: string;
  readonly body: string;
  readonly expect: {
    readonly events?: readonly unknown[];
    readonly warnings?: readonly string[];
    readonly failure?: ParseFailure['reason'];
    readonly [member: string]: unknown;
  };
  /** Fixture whose events have the same fingerprints, one by one. */
  readonly sameAs?: string;
  /** Fixture with which no fingerprint is shared. */
  readonly differsFrom?: string;
}

/** Declares the suite for one source and the fixtures in its folder. */
export function sourceContract(vendor: string, source: Source): void {
  const fixtures = loadFixtures(vendor);
  describe(`source ${vendor} keeps the contract`, () => {
    test('it has a name and fixtures to be judged by', () => {
      assert.equal(source.name, vendor);
      assert.ok(fixtures.length > 0, `adapters/${vendor}/fixtures has no fixture`);
    });
    for (const fixture of fixtures) {
      test(`C1: ${fixture.name}: ${fixture.about}`, () => checkFixture(source, fixture));
      test(`C2: ${fixture.name}: identity`, () => checkIdentity(source, fixture, fixtures));
    }
    test('C2: some fixture carries an annotation to try', () => {
      const tried = fixtures.reduce((sum, fixture) => sum + annotationsChanged(source, fixture).length, 0);
      assert.ok(tried > 0, 'no annotation value of any fixture was found again in its body');
    });
    if (fixtures.length > 0) fuzz(source, fixtures);
  });
}

function loadFixtures(vendor: string): readonly Fixture[] {
  const folder = new URL(`../../adapters/${vendor}/fixtures/`, import.meta.url);
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  return files.sort().map((file) => loadFixture(file.slice(0, -'.json'.length), readFileSync(new URL(file, folder), 'utf8')));
}

function loadFixture(name: string, text: string): Fixture {
  const raw = JSON.parse(text);
  const body = typeof raw.body === 'string' ? raw.body : JSON.stringify(raw.body);
  return { headers: {}, path: '', ...raw, name, body: body.replaceAll('@@64K@@', 'x'.repeat(65_536)) };
}

function deliveryOf(fixture: Fixture, body: string): Delivery {
  return Object.freeze({ headers: Object.freeze({ ...fixture.headers }), path: fixture.path, receivedAt, body });
}

// ---------------------------------------------------------------- what fixtures promise

function checkFixture(source: Source, fixture: Fixture): void {
  const { events, warnings = [], failure, ...rest } = fixture.expect;
  assert.ok((events === undefined) !== (failure === undefined), 'a fixture expects either events or a failure');

  const result = parsedSoundly(source, deliveryOf(fixture, fixture.body));

  if (!result.ok) {
    assert.equal(result.error.reason, failure, result.error.message);
    return;
  }
  assert.equal(failure, undefined, `expected failure ${failure}, got ${result.value.events.length} events`);
  matches(events, result.value.events, 'events');
  assert.equal(result.value.warnings.length, warnings.length, `warnings: ${JSON.stringify(result.value.warnings)}`);
  for (const part of warnings) {
    assert.ok(
      result.value.warnings.some((warning) => warning.includes(part)),
      `no warning says "${part}": ${JSON.stringify(result.value.warnings)}`,
    );
  }
  matches(rest, result.value, '');
}

function matches(expected: unknown, seen: unknown, path: string): void {
  if (expected === '<absent>') {
    assert.equal(seen, undefined, path);
  } else if (Array.isArray(expected)) {
    assert.ok(Array.isArray(seen), `${path} is a list`);
    assert.equal(seen.length, expected.length, `${path}: ${JSON.stringify(seen).slice(0, 2_000)}`);
    for (const [index, item] of expected.entries()) matches(item, seen[index], `${path}[${index}]`);
  } else if (typeof expected === 'object' && expected !== null) {
    assert.ok(typeof seen === 'object' && seen !== null, `${path} is an object`);
    for (const [key, value] of Object.entries(expected))
      matches(value, Object.getOwnPropertyDescriptor(seen, key)?.value, `${path}.${key}`);
  } else if (typeof expected === 'string' && typeof seen === 'number') {
    assert.equal(new Date(seen).toISOString(), new Date(expected).toISOString(), path);
  } else {
    assert.deepEqual(seen, expected, path);
  }
}

function checkIdentity(source: Source, fixture: Fixture, all: readonly Fixture[]): void {
  const own = fingerprintsOf(source, fixture, fixture.body);
  if (fixture.sameAs !== undefined) {
    assert.ok(own.length > 0, 'has events to compare');
    assert.deepEqual(own, fingerprintsOf(source, named(fixture.sameAs, all)), `as in ${fixture.sameAs}`);
  }
  if (fixture.differsFrom !== undefined) {
    const other = fingerprintsOf(source, named(fixture.differsFrom, all));
    assert.ok(own.length > 0 && own.every((print) => !other.includes(print)), `not as in ${fixture.differsFrom}`);
  }
  for (const body of annotationsChanged(source, fixture)) assert.deepEqual(fingerprintsOf(source, fixture, body), own);
}

function named(name: string, all: readonly Fixture[]): Fixture {
  const found = all.find((fixture) => fixture.name === name);
  assert.ok(found, `fixture ${name} does not exist`);
  return found;
}

function fingerprintsOf(source: Source, fixture: Fixture, body = fixture.body): readonly string[] {
  const result = source.parse(deliveryOf(fixture, body));
  return result.ok ? result.value.events.map((event) => event.fingerprint) : [];
}

/** The body once for each annotation value that stands in it word for word and is used for nothing else, with that value replaced. */
function annotationsChanged(source: Source, fixture: Fixture): readonly string[] {
  const result = source.parse(deliveryOf(fixture, fixture.body));
  if (!result.ok) return [];
  const { events } = result.value;
  const values = new Set(events.flatMap((event) => Object.values(event.annotations)));
  for (const event of events) for (const used of [event.name, event.episode, ...Object.values(event.labels)]) values.delete(used);
  return [...values]
    .filter((value) => value.length >= 6)
    .slice(0, 16)
    .flatMap((value) => {
      const isJson = /^\s*[[{]/.test(fixture.body);
      const spelt = isJson ? JSON.stringify(value) : new URLSearchParams({ v: value }).toString().slice(1);
      return fixture.body.includes(spelt) ? [fixture.body.replaceAll(spelt, isJson ? '"put in its place"' : '=put+in+its+place')] : [];
    });
}

// ---------------------------------------------------------------- what no body may do

/** Parses twice and checks C3 and C4 on the way. */
function parsedSoundly(source: Source, delivery: Delivery): ReturnType<Source['parse']> {
  const first = source.parse(delivery);
  const second = source.parse(delivery);
  assert.deepEqual(second, first, 'C3: the same delivery gives the same answer');
  if (first.ok) checkParsed(source.name, first.value);
  else checkFailure(source.name, first.error, delivery.body);
  return first;
}

function checkFailure(vendor: string, failure: ParseFailure, body: string): void {
  assert.ok(['not_json', 'wrong_shape', 'empty', 'unsupported'].includes(failure.reason), failure.reason);
  assert.ok(failure.message.startsWith(`${vendor}: `), `a failure names the vendor first: ${failure.message}`);
  assert.ok(failure.message.length <= 400, `a failure is a sentence, not ${failure.message.length} characters`);
  assert.ok(body.length <= 200 || !failure.message.includes(body.slice(0, 200)), 'a failure dumps no body');
}

function checkParsed(vendor: string, { events, warnings }: Parsed): void {
  assert.ok(warnings.length <= 100, `${warnings.length} warnings`);
  for (const warning of warnings) assert.ok(warning.length <= 400, `a warning of ${warning.length} characters`);
  for (const event of events) checkEvent(vendor, event);
}

function checkEvent(vendor: string, event: AlertEvent): void {
  assert.equal(event.source, vendor);
  assert.match(event.fingerprint, /^[0-9a-f]{16}$/);
  assert.ok(['firing', 'cleared', 'acknowledged', 'unacknowledged', 'noted'].includes(event.claim), event.claim);
  assert.equal(event.proof !== undefined, event.claim === 'cleared', 'a cleared claim says how it is known, no other does');
  assert.ok(['info', 'warning', 'error', 'critical'].includes(event.severity), event.severity);
  bounded('name', event.name, 128, 1);
  bounded('summary', event.summary, 512, 1);
  bounded('episode', event.episode, 256);
  bounded('note', event.note ?? '', 4_096);
  bounded('sourceMute', event.sourceMute ?? '', 256);
  boundedMap('labels', event.labels, 1_024);
  boundedMap('annotations', event.annotations, 4_096);
  for (const [part, value] of Object.entries(event.entity)) {
    assert.ok(['host', 'ip', 'service', 'pod', 'namespace', 'cluster'].includes(part), part);
    bounded(`entity.${part}`, value, 253, 1);
    assert.equal(value, value.toLowerCase(), `entity.${part} is lower case`);
  }
  assert.ok(event.muteUntil === undefined || typeof event.sourceMute === 'string', 'what has an end is held back');
  for (const at of [event.startedAt, event.observedAt, event.muteUntil ?? event.observedAt])
    assert.ok(Number.isSafeInteger(at) && at > 0 && at < 8.64e15, `instant ${at}`);
  assert.ok(event.links.length <= 8);
  for (const link of event.links) {
    bounded('link text', link.text, 128, 1);
    bounded('link', link.href, 2_048, 1);
    assert.ok(['http:', 'https:'].includes(new URL(link.href).protocol), link.href);
  }
}

function boundedMap(what: string, map: Readonly<Record<string, string>>, charsMax: number): void {
  const entries = Object.entries(map);
  assert.ok(entries.length <= 64, `${entries.length} ${what}`);
  for (const [name, value] of entries) {
    bounded(`name in ${what}`, name, 128);
    bounded(`${what}.${name}`, value, charsMax);
  }
}

function bounded(what: string, text: unknown, charsMax: number, charsMin = 0): void {
  assert.ok(typeof text === 'string', `${what} is text`);
  assert.ok(text.length >= charsMin && text.length <= charsMax, `${what} has ${text.length} characters, bounds ${charsMin}–${charsMax}`);
  assert.ok(text.isWellFormed() && !text.includes('\0'), `${what} is well-formed Unicode without NUL`);
}

function fuzz(source: Source, fixtures: readonly Fixture[]): void {
  const frame = fc.constantFrom(...fixtures);
  const bounds = { numRuns: 300, seed: 20_261_121 };
  const holds = (fixture: Fixture, body: string): void => {
    parsedSoundly(source, deliveryOf(fixture, body));
    assert.equal(Object.keys(Object.prototype).length, 0, 'C3: no prototype is touched');
  };

  test('C3, C4: every value and every name of every fixture, made hostile', () => {
    for (const fixture of fixtures) for (const body of everyLeafHostile(fixture.body)) holds(fixture, body);
  });
  test('C3, C4: arbitrary text', () => {
    fc.assert(fc.property(frame, fc.string({ unit: 'binary', maxLength: 400 }), holds), bounds);
  });
  test('C3, C4: arbitrary JSON', () => {
    fc.assert(fc.property(frame, nastyJson, holds), bounds);
  });
  test('C3, C4: fixtures with members deleted, swapped, renamed, grown', () => {
    const changed = frame.chain((fixture) => fc.tuple(fc.constant(fixture), mutatedJson(fixture.body)));
    fc.assert(
      fc.property(changed, ([fixture, body]) => holds(fixture, body)),
      { ...bounds, numRuns: 1_000 },
    );
  });
  test('C3, C4: fixtures cut, spliced and doubled as text', () => {
    const changed = frame.chain((fixture) => fc.tuple(fc.constant(fixture), mutatedText(fixture.body)));
    fc.assert(
      fc.property(changed, ([fixture, body]) => holds(fixture, body)),
      bounds,
    );
  });
}
