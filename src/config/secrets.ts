// Secrets by reference: `{ env: NAME }` and `{ file: path }` become their values, a secret written out is an error.
// Paths beside the file: a text that begins with `./` becomes absolute.
//   K1  No message holds a secret, or a part of one.
//   K2  Every value that came from a reference is a secret, unless its member's name says that it is none (a user, a host).
import { dirname, resolve } from 'node:path';
import { fail, ok, type Result } from '../core/errors.ts';
import type { Json } from '../core/json.ts';
import type { Files } from './files.ts';
import type { ConfigProblem } from './yaml/problems.ts';
import { below, memberOf } from './yaml/pointer.ts';
import { type YamlFile } from './yaml/yaml.ts';

const secretCharsMax = 65_536;
const secretNames = /^(password|passphrase|secrets?|tokens?|routingKey|(api|private)?[_-]?key)$/i;
/** Members that say who or where; they are often kept beside the secret, and are part of ordinary texts. */
const publicNames =
  /^(user|username|login|host|hostname|port|from|to|region|lang|lc_[a-z]+|tz|home|path|term|logname|shell|tmpdir|accept|content-type|user-agent)$/i;
/** In the name of a variable: its value is a secret however it is written. */
const secretWords = /pass|pwd|secret|token|key|cred|auth|dsn|salt|private|webhook/i;

export interface Unsafe {
  /** Who else may read or change a file of secrets; null for one that is its owner's alone. */
  exposure(path: string): 'readable' | 'writable' | null;
  tell(problem: ConfigProblem): void;
}

export interface SecretDeps {
  /**
   * Hears of what loads and is not safe, or will be refused (secrets, lists of actions); without it nobody judges them. Told apart from what keeps a configuration from loading:
   * `check` refuses both, a start only says so, for a gateway that does not start calls nobody.
   */
  readonly unsafe?: Unsafe;

  readonly env: { readonly [name: string]: string | undefined };
  readonly files: Files;
}

export interface Resolved {
  readonly value: Json;
  readonly problems: readonly ConfigProblem[];
  /** Pointers, relative to the value, of what came from a reference. */
  readonly hidden: ReadonlySet<string>;
  /** Values that must reach no log, page or answer: what came from references, and what a schema says may be a secret (`x-secret`). */
  readonly secrets: readonly string[];
}

interface Walk {
  readonly file: YamlFile;
  readonly base: string;
  readonly deps: SecretDeps;
  readonly problems: ConfigProblem[];
  readonly hidden: Set<string>;
  readonly secrets: Set<string>;
}

/** The value at `base` with every reference replaced. A member that the schema marks `writeOnly`, or that is named like a secret, must be a reference. */
export function resolveSecrets(file: YamlFile, base: string, value: Json, schema: object, deps: SecretDeps): Resolved {
  const walk: Walk = { file, base, deps, problems: [], hidden: new Set(), secrets: new Set() };
  const whole = resolved(value, '', schema, false, walk);
  return { value: whole, problems: walk.problems, hidden: walk.hidden, secrets: [...walk.secrets] };
}

function resolved(value: Json, pointer: string, schema: unknown, secret: boolean, walk: Walk): Json {
  const reference = referenceOf(value);
  if (reference !== null) {
    walk.hidden.add(pointer);
    const found = lookUp(reference, `${walk.base}${pointer}`, walk);
    if (found.ok) {
      if (!publicNames.test(nameOf(pointer))) walk.secrets.add(found.value); // K2
      return found.value;
    }
    walk.problems.push(walk.file.problem(`${walk.base}${pointer}`, found.error));
    return '';
  }
  if (typeof value === 'string' && secret) {
    walk.hidden.add(pointer);
    walk.secrets.add(value);
    walk.problems.push(
      walk.file.problem(
        `${walk.base}${pointer}`,
        'expected { env: NAME } or { file: path }, seen the secret itself: move it out of the file',
      ),
    );
    return value;
  }
  if (typeof value === 'string' && memberOf(schema, 'x-secret') === true && mayBeSecret(nameOf(pointer), value)) walk.secrets.add(value);
  if (typeof value === 'string' && value.startsWith('./')) return resolve(dirname(walk.file.file), value);
  if (typeof value !== 'object' || value === null) return value;
  const list = Array.isArray(value);
  const entries = Object.entries(value).map(([key, member]: [string, Json]): [string, Json] => {
    const inner = list ? memberOf(schema, 'items') : (memberOf(memberOf(schema, 'properties'), key) ?? anyMember(schema));
    const isSecret = list ? secret : secretNames.test(key) || memberOf(inner, 'writeOnly') === true;
    return [key, resolved(member, below(pointer, key), inner, isSecret, walk)];
  });
  return list ? entries.map(([, member]) => member) : Object.fromEntries(entries);
}

/** The schema of members that have no name of their own in it: variables, headers. */
function anyMember(schema: unknown): unknown {
  const others = memberOf(schema, 'additionalProperties');
  if (typeof others === 'object') return others;
  const patterns = memberOf(schema, 'patternProperties');
  return typeof patterns === 'object' && patterns !== null ? Object.values(patterns)[0] : undefined;
}

/** Whether a value that is written out in the file is to be kept from what people read: all but paths and plain words. */
function mayBeSecret(name: string, value: string): boolean {
  if (publicNames.test(name)) return false;
  return secretWords.test(name) || !(value.startsWith('/') || /^[A-Za-z]+([ ,_-][A-Za-z]+)*$/.test(value));
}

/** The last member of a pointer that is no index. */
function nameOf(pointer: string): string {
  return /([^/]*)(?:\/[0-9]+)*$/.exec(pointer)?.[1] ?? '';
}

type Reference = { readonly from: 'env' | 'file'; readonly name: string };

function referenceOf(value: Json): Reference | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const [entry, ...more] = Object.entries(value);
  if (entry === undefined || more.length > 0) return null;
  const [from, name] = entry;
  return (from === 'env' || from === 'file') && typeof name === 'string' ? { from, name } : null;
}

function lookUp({ from, name }: Reference, place: string, walk: Walk): Result<string, string> {
  if (from === 'env') {
    const found = Object.hasOwn(walk.deps.env, name) ? walk.deps.env[name] : undefined;
    return found === undefined || found === ''
      ? fail(`expected the environment variable ${name} to hold the secret, seen ${found === '' ? 'an empty one' : 'none'}`)
      : ok(found);
  }
  const path = resolve(dirname(walk.file.file), name);
  try {
    const text = walk.deps.files.read(path).replace(/\r?\n$/, '');
    if (text === '' || text.length > secretCharsMax)
      return fail(`expected a secret in ${name}, seen ${text === '' ? 'an empty file' : 'more than 64 KiB'}`);
    const exposure = walk.deps.unsafe?.exposure(path) ?? null;
    if (exposure !== null) walk.deps.unsafe?.tell(walk.file.problem(place, exposedFile(name, exposure)));
    return ok(text);
  } catch (error) {
    const code = memberOf(error, 'code');
    return fail(`expected a secret in the file ${name}, seen none: ${typeof code === 'string' ? code : 'it cannot be read'}`);
  }
}

function exposedFile(name: string, exposure: 'readable' | 'writable'): string {
  const may = exposure === 'readable' ? 'read' : 'change';
  return `expected ${name} to be its owner's alone, seen a file that others may ${may}: chmod 600 ${name}`;
}
