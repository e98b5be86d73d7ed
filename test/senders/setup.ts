// The files of adapters/*/setup/ as a test needs them: the named values changed, and proof that nothing else was.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { root } from './support.ts';

type Changes = { readonly [key: string]: string };

function setupText(vendor: string, file: string): string {
  return readFileSync(join(root, 'adapters', vendor, 'setup', file), 'utf8');
}

/** A YAML file with new texts at paths like `route.group_interval`; fails when one is not there or anything else changed. */
export function changedYaml<Shape extends object>(vendor: string, file: string, changes: Changes): Shape {
  const own: object = parse(setupText(vendor, file));
  const copy = structuredClone(own);
  for (const [path, value] of Object.entries(changes)) {
    const names = path.split('.');
    const last = names.pop() ?? '';
    const holder = names.reduce<unknown>((node, name) => memberOf(node, name), copy);
    assert.equal(typeof memberOf(holder, last), 'string', `${file}: no text at ${path}`);
    Object.assign(holder as object, { [last]: value });
  }
  assert.deepEqual(differences(leavesOf(own), leavesOf(copy)), Object.keys(changes).sort(), `${file}: exactly this is changed`);
  return copy as Shape; // The file is ours: the caller knows it.
}

function memberOf(node: unknown, name: string): unknown {
  return typeof node === 'object' && node !== null ? (node as Record<string, unknown>)[name] : undefined;
}

/** A file of lines `name=value` with new values; fails when one is not there or anything else changed. */
export function changedSettings(vendor: string, file: string, changes: Changes): string {
  const own = setupText(vendor, file).split('\n');
  const copy = own.map((line) => {
    const name = /^([a-z_]+)=/.exec(line)?.[1] ?? '';
    return Object.hasOwn(changes, name) ? `${name}=${changes[name]}` : line;
  });
  const changed = own.flatMap((line, at) => (line === copy[at] ? [] : [line.slice(0, line.indexOf('='))]));
  assert.deepEqual(changed.sort(), Object.keys(changes).sort(), `${file}: exactly this is changed`);
  return copy.join('\n');
}

/** A text file with one text replaced wherever it stands; fails when it stands nowhere. */
export function changedText(vendor: string, file: string, change?: { readonly from: string; readonly to: string }): string {
  const text = setupText(vendor, file);
  if (change === undefined) return text;
  assert.ok(text.includes(change.from), `${file}: no ${change.from}`);
  return text.replaceAll(change.from, () => change.to);
}

type Leaves = ReadonlyMap<string, string>;

function leavesOf(node: unknown, path = '', into: Map<string, string> = new Map()): Leaves {
  if (typeof node !== 'object' || node === null) return into.set(path, JSON.stringify(node));
  for (const [name, inner] of Object.entries(node)) leavesOf(inner, path === '' ? name : `${path}.${name}`, into);
  return into;
}

function differences(one: Leaves, other: Leaves): readonly string[] {
  return [...new Set([...one.keys(), ...other.keys()])].filter((path) => one.get(path) !== other.get(path)).sort();
}
