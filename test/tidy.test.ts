// The house rules that a diff does not show, as a test: floors, purity, vendors in their folders, bounds of size.
// Every message names the file and what to use instead.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';

const root = fileURLToPath(new URL('..', import.meta.url));
const skipped = new Set(['node_modules', '.git', 'data', 'dist', '.cache', 'coverage']);

function filesBelow(dir: string): readonly string[] {
  return readdirSync(join(root, dir), { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : filesBelow(path);
    return [path.split(sep).join('/')];
  });
}

const all = filesBelow('.').map((path) => path.replace(/^\.\//, ''));
const code = all.filter((path) => path.endsWith('.ts'));
const textOf = (path: string): string => readFileSync(join(root, path), 'utf8');
const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`])\/\/.*$/gm, '$1');

function importsOf(path: string): readonly string[] {
  const found = withoutComments(textOf(path)).matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g);
  return [...found]
    .map(([, name]) => name ?? '')
    .map((name) => (name.startsWith('.') ? join(path, '..', name).split(sep).join('/') : name));
}

/** Which room a file is in. */
function roomOf(path: string): string {
  const vendor = /^adapters\/([^/]+)\//.exec(path)?.[1];
  if (vendor !== undefined) return `adapters/${vendor}`;
  if (path.startsWith('adapters/')) return 'adapters';
  return /^src\/([^/]+)\//.exec(path)?.[1] ?? (path.startsWith('src/') ? 'main' : 'outside');
}

/** What each room of src may import; imports go down or to a neighbour that does not import back, never up. */
const mayImport: { readonly [room: string]: readonly string[] } = {
  core: [],
  readmodel: ['core'],
  ports: ['core', 'readmodel'],
  executor: ['core', 'ports'],
  access: ['core', 'ports', 'readmodel'],
  config: ['core', 'ports'],
  engine: ['core', 'ports', 'readmodel', 'executor'],
  http: ['core', 'ports', 'engine', 'readmodel', 'access'],
  cli: ['core', 'ports', 'engine', 'readmodel', 'config'],
  gateway: ['core', 'ports', 'engine', 'readmodel', 'access', 'config', 'executor', 'http', 'cli', 'adapters'],
  offline: ['core', 'ports', 'engine', 'readmodel', 'access', 'config', 'executor', 'http', 'cli', 'gateway', 'adapters'],
  main: ['core', 'ports', 'cli', 'gateway', 'offline'],
};

const problems = (paths: readonly string[], look: (path: string) => readonly string[]): string => paths.flatMap(look).join('\n');

/** The floor of a room: `adapters/kafka` and its like are one floor. */
const floorOf = (path: string): string => roomOf(path).replace(/^adapters\/.*/, 'adapters');

test('imports point down, by the table of rooms; a room that is not in it may not exist', () => {
  const found = problems(
    code.filter((path) => path.startsWith('src/')),
    (path) => {
      const allowed = mayImport[roomOf(path)];
      if (allowed === undefined) return [`${path} is in no known room: put it into one of ${Object.keys(mayImport).join(', ')}`];
      return importsOf(path)
        .filter((name) => name.startsWith('src/') || name.startsWith('adapters/') || roomOf(path) === 'core')
        .filter((name) => floorOf(name) !== roomOf(path) && !allowed.includes(floorOf(name)))
        .map((name) => `${path} imports ${name}: let src/gateway/compose.ts hand it in, or move what is shared to src/core or src/ports`);
    },
  );
  assert.equal(found, '');
});

test('an adapter imports core, ports, the read model, the kit and its own folder, never another vendor', () => {
  const lists = new Set(['adapters/registry.ts', 'adapters/action-registry.ts', 'adapters/source-registry.ts']);
  const found = problems(
    code.filter((path) => path.startsWith('adapters/') && !lists.has(path)),
    (path) =>
      importsOf(path)
        .filter((name) => name.startsWith('src/') || name.startsWith('adapters/'))
        .filter((name) => !['core', 'ports', 'readmodel', 'adapters/kit', roomOf(path)].includes(roomOf(name)))
        .map((name) => `${path} imports ${name}: share through a file in adapters/kit, or through a port in src/ports`),
  );
  assert.equal(found, '');
});

test('core is pure: no clock, no randomness, no I/O, no async, no environment', () => {
  const banned: readonly (readonly [RegExp, string])[] = [
    [/\bDate\b/, 'take `at` from the input'],
    [/Math\.random|crypto/, 'derive ids by src/core/ids.ts'],
    [/\bprocess\b/, 'take it from the policy'],
    [/setTimeout|setInterval|setImmediate|queueMicrotask/, 'emit WakeRequested'],
    [/\basync\b|\bawait\b|\bPromise</, 'emit a request as a fact and hear the answer as an input'],
    [/\bfetch\(|node:/, 'emit a request as a fact'],
    [/\bconsole\./, 'emit a fact'],
  ];
  const found = problems(
    code.filter((path) => path.startsWith('src/core/')),
    (path) => {
      const text = withoutComments(textOf(path));
      return banned.filter(([pattern]) => pattern.test(text)).map(([pattern, instead]) => `${path} matches ${pattern}: ${instead}`);
    },
  );
  assert.equal(found, '');
});

test('a vendor is named under adapters/ and nowhere else in the source', () => {
  const vendors = /pagerduty|zabbix|nagios|new ?relic|prometheus|alertmanager|kafka|influx|elastic|slack|grafana|icinga/i;
  const found = problems(
    code.filter((path) => path.startsWith('src/')),
    (path) => {
      const name = vendors.exec(withoutComments(textOf(path)));
      return name === null ? [] : [`${path} names ${name[0]}: what we know about a vendor belongs in adapters/<vendor>/`];
    },
  );
  assert.equal(found, '');
});

test('only main reads the environment or ends the process; only the clock reads the clock', () => {
  const homes: readonly (readonly [RegExp, readonly string[], string])[] = [
    [/process\.(env|exit)\b/, ['src/main.ts', 'src/gateway/executor-main.ts'], 'hand it in from src/main.ts'],
    [/Date\.now\(|new Date\(\)|performance\.now\(/, ['src/gateway/clock.ts', 'src/gateway/executor-main.ts'], 'take a Clock'],
    [/Math\.random\(/, [], 'derive it, or node:crypto in src/gateway/compose.ts'],
    [/\beval\(|new Function\(|child_process'.*\bexec\b|shell: true/, [], 'spawn with an argv'],
  ];
  const found = problems(
    code.filter((path) => path.startsWith('src/') || path.startsWith('adapters/')),
    (path) => {
      const text = withoutComments(textOf(path));
      return homes
        .filter(([pattern, at]) => pattern.test(text) && !at.includes(path) && !timed.has(path))
        .map(([pattern, , instead]) => `${path} matches ${pattern}: ${instead}`);
    },
  );
  assert.equal(found, '');
});

/** Actions measure and bound what they run inside the executor process, which has no virtual time; the store dates rows by default. */
const timed = new Set(
  all.filter((path) => /^adapters\/(shell|http|process|sqlite)\//.test(path) || path === 'adapters/kit/action-guard.ts'),
);

test('every source file says in its first line what it is for', () => {
  const found = problems(
    code.filter((path) => path.startsWith('src/') || path.startsWith('adapters/')),
    (path) =>
      textOf(path).startsWith('// ') ? [] : [`${path}: begin with a comment of one to eight lines: what for, what not for, invariants`],
  );
  assert.equal(found, '');
});

test('a comment names no source file that does not exist', () => {
  const found = problems(
    all.filter((path) => /\.(ts|md)$/.test(path) && path !== 'CHANGELOG.md'),
    (path) => {
      const comments = path.endsWith('.ts')
        ? (textOf(path).match(/\/\*[\s\S]*?\*\/|(?<=^|[^:'"`])\/\/.*$/gm) ?? []).join('\n')
        : textOf(path);
      return [...comments.matchAll(/(?<![\w*./-])(?:\.{1,2}\/)*((?:[\w-]+\/)*[\w-]+(?:\.[\w-]+)*\.ts)\b/g)]
        .map(([, name]) => name ?? '')
        .filter((name) => path.endsWith('.ts') || path === 'ARCHITECTURE.md' || name.includes('/')) // pages for users name files of theirs, too
        .filter((name) => !all.some((file) => file === name || file.endsWith(`/${name}`)))
        .map((name) => `${path} names ${name}: there is no such file; name the one that took its place`);
    },
  );
  assert.equal(found, '');
});

test('every reader of facts names each of them: no default that swallows a new one, no cast that hides its type', () => {
  const found = problems(
    code.filter((path) => path.startsWith('src/') || path.startsWith('adapters/')),
    (path) => {
      const text = withoutComments(textOf(path));
      const swallows = path.startsWith('src/readmodel/') && /\bdefault:/.test(text);
      return [
        ...(swallows
          ? [`${path} has a default: make it a table by fact, so that a new fact does not compile until it says what it means`]
          : []),
        ...(text.includes('as unknown as') ? [`${path} casts by way of unknown: ask the compiler for the type instead`] : []),
      ];
    },
  );
  assert.equal(found, '');
});

test('a switch over the types of records or messages asks the compiler: one without an answer for a new type does not compile', () => {
  const found = problems(
    code.filter((path) => path.startsWith('src/')),
    (path) => {
      const text = withoutComments(textOf(path));
      const switches = text.match(/\bswitch \([\w.]+\.type\)/g)?.length ?? 0;
      const asked = text.match(/\bsatisfies never\b|\bassertNever\(/g)?.length ?? 0;
      return asked < switches ? [`${path} switches over a type and does not ask: end it with \`default: it satisfies never\``] : [];
    },
  );
  assert.equal(found, '');
});

test('no default exports, no enums, no any, nothing left for later', () => {
  const banned: readonly (readonly [RegExp, string])[] = [
    [/^export default/m, 'export a name'],
    [/^\s*(export )?(const )?enum /m, 'use a union of words'],
    [/:\s*any\b|\bas any\b|<any>/, 'use unknown and narrow it'],
  ];
  const found = problems(
    code.filter((path) => path !== 'test/tidy.test.ts'),
    (path) => {
      const text = withoutComments(textOf(path));
      const broken = banned.filter(([pattern]) => pattern.test(text)).map(([pattern, instead]) => `${path} matches ${pattern}: ${instead}`);
      return /\bTODO\b|\bFIXME\b/.test(textOf(path))
        ? [...broken, `${path} leaves something for later: do it now, or write an issue`]
        : broken;
    },
  );
  assert.equal(found, '');
});

test('no absolute machine path and no registry address in the tree', () => {
  const found = problems(
    all.filter((path) => /\.(ts|js|json|ya?ml|md|sh|cfg|conf)$/.test(path)),
    (path) => {
      const text = textOf(path);
      const name = /(^|["'`\s(])\/(work|farm|root|home)\/[\w.-]/m.exec(text) ?? /registry\.npmjs\.org|repo1?\.maven/.exec(text);
      return name === null
        ? []
        : [`${path} holds ${name[0].trim()}: write it relative, or leave the address to the client's configuration`];
    },
  );
  assert.equal(found, '');
});
