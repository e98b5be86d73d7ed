// YAML 1.2 as data with positions: the only way in which the gateway reads files that people write.
// Shapes are shape.ts; meaning is playbooks.ts and config.ts.
//   Y1  Every value and every key has a line and a column.
//   Y2  No tag, no second document, no YAML 1.1, no key twice, no `__proto__`; size, depth and aliases are bounded.
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from 'yaml';
import { withoutUserinfo } from '../../core/userinfo.ts';
import { fail, ok, type Result } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import { below, pathOf } from './pointer.ts';
import type { ConfigProblem } from './problems.ts';

const bytesMax = 1_048_576;
const depthMax = 40;
const aliasesMax = 50;
const nodesMax = 50_000;

/** A file as a value; `problem` places a complaint by JSON pointer (`/steps/0/timeout`). */
export interface YamlFile {
  readonly file: string;
  readonly value: Json;
  /** On the value, or with `on: 'key'` on its key; a missing place falls back to the nearest one around it. */
  problem(pointer: string, message: string, on?: 'key' | 'value'): ConfigProblem;
}

interface Reading {
  readonly document: Document.Parsed;
  readonly values: Map<string, number>;
  readonly keys: Map<string, number>;
  /** Numbers that are written in another way than they are told, as they are written: 1.0, 0x10. */
  readonly written: Map<string, { readonly told: string; readonly source: string }>;
  readonly complaints: { readonly pointer: string; readonly message: string }[];
  aliases: number;
  nodes: number;
}

/** Reads one document, or names everything that keeps it from being one. */
export function readYaml(file: string, text: string): Result<YamlFile, readonly ConfigProblem[]> {
  const first = (message: string): Result<never, readonly ConfigProblem[]> => fail([{ file, line: 1, column: 1, path: '', message }]);
  if (Buffer.byteLength(text) > bytesMax) return first(`expected at most 1 MiB, seen ${Buffer.byteLength(text)} bytes`);
  const lines = new LineCounter();
  const placed = (offset: number, path: string, message: string): ConfigProblem => {
    const { line, col } = lines.linePos(Math.max(0, offset));
    return { file, line: Math.max(1, line), column: Math.max(1, col), path: withoutUserinfo(path), message: withoutUserinfo(message) };
  };
  let document: Document.Parsed;
  try {
    document = parseDocument(text, { ...strictly, lineCounter: lines });
  } catch {
    return first('expected YAML, seen nesting that is too deep to read');
  }
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) {
    return fail(mistakesIn(faults).map(({ code, message, pos }) => placed(pos[0], '', faultText(code, message))));
  }
  if (document.directives.yaml.explicit === true && document.directives.yaml.version !== '1.2') {
    return first(`expected YAML 1.2, seen %YAML ${document.directives.yaml.version}`);
  }
  const reading: Reading = { document, values: new Map(), keys: new Map(), written: new Map(), complaints: [], aliases: 0, nodes: 0 };
  const value = valueOf(document.contents, '', 0, reading);
  const problem: YamlFile['problem'] = (pointer, message, on = 'value') =>
    placed(offsetOf(reading, pointer, on), pathOf(pointer), asWritten(reading, pointer, message));
  if (reading.complaints.length > 0) return fail(reading.complaints.slice(0, 20).map((bad) => problem(bad.pointer, bad.message)));
  return ok({ file, value, problem });
}

const strictly = {
  version: '1.2',
  schema: 'core',
  merge: false,
  resolveKnownTags: false,
  strict: true,
  stringKeys: true,
  uniqueKeys: true,
  prettyErrors: false,
  logLevel: 'error',
} as const;

/** Complaints that say nothing of what stands around them. */
const plainMistakes: ReadonlySet<string> = new Set(['DUPLICATE_KEY', 'TAG_RESOLVE_FAILED', 'MULTIPLE_DOCS', 'NON_STRING_KEY']);

interface Fault {
  readonly code: string;
  readonly message: string;
  readonly pos: readonly [number, number];
}

/** Once its reader has lost the thread it complains of everything that follows: of those only the first is a mistake of the writer. */
function mistakesIn(faults: readonly Fault[]): readonly Fault[] {
  const lost = faults.filter(({ code }) => !plainMistakes.has(code)).toSorted((a, b) => a.pos[0] - b.pos[0]);
  const plain = faults.filter(
    ({ code, pos: [from] }) => plainMistakes.has(code) && (code !== 'MULTIPLE_DOCS' || from < (lost[0]?.pos[0] ?? Infinity)),
  );
  return [...plain, ...lost.slice(0, 1)].slice(0, 20);
}

function faultText(code: string, message: string): string {
  switch (code) {
    case 'DUPLICATE_KEY':
      return 'expected every key once, seen this key a second time: remove one of them';
    case 'TAG_RESOLVE_FAILED':
      return `expected plain YAML, seen a tag (${message.replace('Unresolved tag: ', '')}): tags are not accepted, remove it`;
    case 'MULTIPLE_DOCS':
      return 'expected one document, seen a second one after "---": put it into its own file';
    case 'NON_STRING_KEY':
      return 'expected a plain word as key, seen a list or mapping';
    case 'TAB_AS_INDENT':
      return 'expected spaces as indentation, seen a tab';
    default:
      if (/^(Unexpected flow-\S+ at node end|Missing , )/.test(message)) {
        return 'expected "," or the end of the list or mapping in brackets, seen more text: an expression that holds [ ] { } or a comma must stand in quotes there';
      }
      return `expected YAML, seen something else: ${message.charAt(0).toLowerCase()}${message.slice(1)}`;
  }
}

function valueOf(node: Node | null | undefined, pointer: string, depth: number, reading: Reading): Json {
  const complain = (message: string): Json => {
    reading.complaints.push({ pointer, message });
    return null;
  };
  if (node === null || node === undefined) return null;
  if (!reading.values.has(pointer)) reading.values.set(pointer, node.range?.[0] ?? 0);
  if (reading.complaints.length > 0 && reading.nodes > nodesMax) return null;
  reading.nodes += 1;
  if (reading.nodes > nodesMax) return complain(`expected at most ${nodesMax} values, seen more (aliases count each time)`);
  if (depth > depthMax) return complain(`expected at most ${depthMax} levels, seen more`);
  if (node.tag !== undefined) return complain(`expected plain YAML, seen the tag ${node.tag}: remove it`);
  if (isAlias(node)) {
    reading.aliases += 1;
    if (reading.aliases > aliasesMax) return complain(`expected at most ${aliasesMax} aliases, seen more`);
    const target = node.resolve(reading.document);
    return target === undefined ? complain(`unknown alias *${node.source}`) : valueOf(target, pointer, depth + 1, reading);
  }
  if (isScalar(node)) {
    const { source } = node;
    if (typeof node.value === 'number' && source !== undefined && source !== String(node.value))
      reading.written.set(pointer, { told: String(node.value), source });
    return scalarOf(node.value, complain);
  }
  if (isSeq(node)) return node.items.map((item, index) => valueOf(item as Node, `${pointer}/${index}`, depth + 1, reading));
  return isMap(node) ? mapOf(node.items, pointer, depth, reading) : complain('expected text, number, list or mapping');
}

function mapOf(
  items: readonly { readonly key: unknown; readonly value: unknown }[],
  pointer: string,
  depth: number,
  reading: Reading,
): Json {
  const entries: [string, Json][] = [];
  for (const { key, value } of items) {
    const name = isScalar(key) ? String(key.value) : '';
    const place = below(pointer, name);
    const offset = isScalar(key) ? (key.range?.[0] ?? 0) : 0;
    reading.keys.set(place, offset);
    if (name === '__proto__' || name === '') {
      reading.values.set(place, offset);
      reading.complaints.push({ pointer: place, message: `expected a plain word as key, seen ${JSON.stringify(name)}` });
      continue;
    }
    if (value === null) reading.values.set(place, offset);
    entries.push([name, valueOf(value as Node | null, place, depth + 1, reading)]);
  }
  return Object.fromEntries(entries);
}

function scalarOf(value: unknown, complain: (message: string) => Json): Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value !== 'number') return complain('expected text, number or true/false');
  if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) {
    return complain(`expected a number within ±2^53, seen ${value}: write it in quotes if it is a name`);
  }
  return value;
}

/** A person is told what stands in the file: `seen 1.0`, where YAML reads a 1. */
function asWritten(reading: Reading, pointer: string, message: string): string {
  const number = reading.written.get(pointer);
  const end = `, seen ${number?.told}`;
  if (number === undefined || !message.endsWith(end)) return message;
  return `${message.slice(0, -end.length)}, seen ${number.source}, which is the number ${number.told}: write "${number.source}" for text`;
}

function offsetOf(reading: Reading, pointer: string, on: 'key' | 'value'): number {
  const found = on === 'key' ? (reading.keys.get(pointer) ?? reading.values.get(pointer)) : reading.values.get(pointer);
  if (found !== undefined) return found;
  return pointer === '' ? 0 : offsetOf(reading, pointer.slice(0, pointer.lastIndexOf('/')), 'key');
}
