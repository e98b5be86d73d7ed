// Bodies that no sane sender sends: JSON with members deleted, swapped, renamed and grown, and text cut and spliced.
// Generators only; what must hold for them is said by the suites that use them.
import * as fc from 'fast-check';

/** JSON text of any shape, `__proto__` and lone surrogates included. */
export const nastyJson: fc.Arbitrary<string> = fc.oneof(
  fc.json({ stringUnit: 'binary', maxDepth: 4 }),
  fc.array(fc.json(), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
  fc.constantFrom(
    '{}',
    '[]',
    '[[]]',
    '[null]',
    'null',
    '0',
    '""',
    'true',
    '{"__proto__":{"polluted":1}}',
    '{"constructor":{"prototype":{}}}',
  ),
  fc.integer({ min: 1, max: 20_000 }).map((levels) => '['.repeat(levels) + ']'.repeat(levels)),
  fc.integer({ min: 1, max: 20_000 }).map((levels) => '{"a":'.repeat(levels) + '1' + '}'.repeat(levels)),
);

type Change = { readonly at: number; readonly how: 'delete' | 'replace' | 'rename' | 'double' | 'swap'; readonly value: unknown };

const value: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, 0, -1, 1e308, 1.5, 2 ** 60, '', ' ', '\0', '\ud800', 'NaN', '[]', '{}'),
  fc.constantFrom<unknown>([], {}, [[]], [null], ['a', 1, null], { a: { b: [1] } }, 'x'.repeat(70_000), 'javascript:alert(1)', 'http://['),
  fc.constantFrom<unknown>('0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z', '+275760-09-13T00:00:00.001Z', '{EVENT.ID}', '$SERVICESTATE$'),
  fc.constant<unknown>(Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`${index}`.padStart(200, 'n'), `v${index}`]))),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.double(),
);
const name = fc.oneof(fc.constantFrom('__proto__', 'constructor', 'toString', '', '\ud800', '\0', 'n'.repeat(300)), fc.string());

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ at: fc.nat(), how: fc.constantFrom('delete', 'double', 'swap'), value: fc.constant(null) }),
  fc.record({ at: fc.nat(), how: fc.constant('replace'), value }),
  fc.record({ at: fc.nat(), how: fc.constant('rename'), value: name }),
);

/** The JSON body with one to five changes somewhere in it; a body that is not JSON is changed as text. */
export function mutatedJson(body: string): fc.Arbitrary<string> {
  try {
    JSON.parse(body);
  } catch {
    return mutatedText(body);
  }
  return fc.array(change, { minLength: 1, maxLength: 5 }).map((changes) => {
    const root: { body: unknown } = { body: JSON.parse(body) };
    for (const each of changes) apply(root, each);
    return JSON.stringify(root.body) ?? 'null';
  });
}

/** The text with a piece cut out, put in twice, or replaced. */
export function mutatedText(body: string): fc.Arbitrary<string> {
  const at = fc.nat({ max: body.length });
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom('%', '%zz', '&&', '==', '\0', '\ufffd', '{', '"', '\\u0000'),
  );
  return fc.tuple(at, at, piece, fc.boolean()).map(([one, other, put, twice]) => {
    const [from, to] = one < other ? [one, other] : [other, one];
    return body.slice(0, from) + put + (twice ? body.slice(from, to).repeat(2) : '') + body.slice(to);
  });
}

const hostileTexts: readonly string[] = [
  '',
  '\0',
  '\ud800',
  '__proto__',
  'x'.repeat(5_000),
  `${'x'.repeat(127)}\u{1f600}${'y'.repeat(400)}\u{1f600}`,
  'İ'.repeat(250),
  'javascript:alert(1)',
  'https://a.example/\0',
  'https://a.example/\ud800',
  'https://a.example/\u001b[2J',
  '+275760-09-13T00:00:00.000Z',
];

/** The JSON body once for each of its scalars and each hostile text, as value and as name; nothing for other bodies. */
export function* everyLeafHostile(body: string): Generator<string> {
  if (!/^\s*[[{]/.test(body) || body.length > 20_000) return;
  const root: { body: unknown } = { body: null };
  try {
    root.body = JSON.parse(body);
  } catch {
    return;
  }
  const places: Place[] = [];
  collect(root as Record<string, unknown>, places);
  for (const { holder, key } of places) {
    const held = holder[key];
    if (typeof held === 'object') continue;
    for (const hostile of hostileTexts) {
      holder[key] = hostile;
      yield JSON.stringify(root.body);
      delete holder[key];
      setOwn(holder, hostile, held);
      yield JSON.stringify(root.body);
      delete holder[hostile];
      holder[key] = held;
    }
  }
}

type Place = { readonly holder: Record<string, unknown>; readonly key: string };

function apply(root: { body: unknown }, { at, how, value: put }: Change): void {
  const places: Place[] = [];
  collect(root as Record<string, unknown>, places);
  const place = places[at % places.length];
  const other = places[(at * 7 + 3) % places.length];
  if (place === undefined || other === undefined) return;
  const { holder, key } = place;
  const held = holder[key];
  if (how === 'replace') setOwn(holder, key, structuredClone(put));
  if (how === 'double') setOwn(holder, key, [held, held]);
  if (how === 'swap') setOwn(holder, key, structuredClone(other.holder[other.key]));
  if (how === 'delete' || how === 'rename') delete holder[key];
  if (how === 'rename') setOwn(holder, String(put), held);
}

function collect(holder: Record<string, unknown>, places: Place[]): void {
  for (const key of Object.keys(holder)) {
    places.push({ holder, key });
    const held = holder[key];
    if (typeof held === 'object' && held !== null) collect(held as Record<string, unknown>, places);
  }
}

/** Sets `__proto__` as an ordinary member, as JSON.parse does. */
function setOwn(holder: Record<string, unknown>, key: string, held: unknown): void {
  Object.defineProperty(holder, key, { value: held, enumerable: true, configurable: true, writable: true });
}
