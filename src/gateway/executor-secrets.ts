// Values that a playbook marks as secret in what an action answers (`secret:`): they stay in the executor process. What leaves it holds a
// handle in the place of each value, by which later steps of the same run give the value on without anybody having seen it.
//   V1  A marked value is in no outcome that leaves: not at its place, and not in any text of that or of a later outcome.
//   V2  A handle is a random name; it stands for its value in requests of the run that it was made in, and nowhere else.
//   V3  What should have been marked and cannot be found leaves no text: it could stand in there in another form.
//   V4  Bounded: the newest values are held. A request with a handle that is not held any more is not carried out.
import { randomBytes } from 'node:crypto';
import { createScrubber, redacted, type Scrubber } from '../../adapters/kit/redact.ts';
import type { Json } from '../core/json.ts';
import type { ActionOutcome } from '../core/run/outcome.ts';
import { nothingDone } from '../executor/executor.ts';
import type { ActionRequest } from '../ports/action.ts';

const heldMax = 200;
/** A marked value says so of itself: shorter ones than those of a configuration are taken out, too. */
const charsMin = 4;
/** A longer text is known by its lines. */
const valueCharsMax = 4_096;
const handle = /\[secret:[0-9a-f]{32}\]/g;

type Output = { readonly [name: string]: Json };

export interface ExecutorSecrets {
  /** The request with the values that its handles stand for, or why it cannot be carried out (V4). */
  fill(request: ActionRequest): ActionRequest | ActionOutcome;
  /** The outcome as it may leave (V1). */
  keep(request: ActionRequest, outcome: ActionOutcome): ActionOutcome;
}

interface Held {
  readonly run: string;
  readonly value: Json;
}

export function createExecutorSecrets(): ExecutorSecrets {
  const held = new Map<string, Held>();
  let scrubber: Scrubber = createScrubber([], charsMin);

  function hold(run: string, value: Json): string {
    const name = `[secret:${randomBytes(16).toString('hex')}]`;
    held.set(name, { run, value });
    const [oldest] = held.keys();
    if (held.size > heldMax && oldest !== undefined) {
      held.delete(oldest);
      scrubber = createScrubber(
        [...held.values()].flatMap((each) => textsOf(each.value)),
        charsMin,
      );
    } else scrubber.learn(textsOf(value));
    return name;
  }

  return {
    fill(request) {
      const run = runOf(request.key);
      let isLost = false;
      const valueOf = (name: string): Json | null => {
        const found = held.get(name);
        if (found?.run === run) return found.value; // V2
        isLost = true;
        return null;
      };
      const input = filled(request.input, valueOf);
      if (isLost) return nothingDone('secret_lost', 'a secret of an earlier step is not held any more: the executor was started again');
      return { ...request, input: input as Output }; // filling keeps the shape of an object
    },
    keep(request, outcome) {
      if (outcome.outcome === 'unknown') return { ...outcome, detail: scrubber.text(outcome.detail) };
      const run = runOf(request.key);
      const marked = markedIn(outcome.output, request.secret ?? []);
      const handles = marked.values.map(({ path, value }) => ({ path, name: hold(run, value) }));
      const clean = scrubber.json(marked.rest, outcome.output['truncated'] === true);
      let output: Output = marked.isWhole ? clean : withheld(clean);
      for (const { path, name } of handles) output = replaced(output, path, name);
      return outcome.outcome === 'ok' ? { ...outcome, output } : { ...outcome, detail: scrubber.text(outcome.detail), output };
    },
  };
}

interface Marked {
  readonly values: readonly { readonly path: readonly string[]; readonly value: Json }[];
  /** The output without them. */
  readonly rest: Output;
  /** False: something that should have been found was not, or is too short to be found elsewhere (V3). */
  readonly isWhole: boolean;
}

/** `true` marks every text, list and mapping of the output: figures beside them (a status, an exit code) say how it went. */
function markedIn(output: Output, secret: true | readonly string[]): Marked {
  const paths = secret === true ? Object.keys(output).filter((name) => isText(output[name])) : secret;
  const values: { path: readonly string[]; value: Json }[] = [];
  let rest = output;
  let isWhole = true;
  for (const path of paths.map((text) => text.split('.'))) {
    const value = path.reduce<Json | undefined>(memberOf, output);
    if (value === undefined || value === null) {
      // A member that an answer we could read does not have is in no other part of it either.
      isWhole &&= path.length > 1 && memberOf(output, path[0] ?? '') !== undefined;
      continue;
    }
    isWhole &&= secret === true || textsOf(value).every((text) => text.trim().length >= charsMin);
    values.push({ path, value });
    rest = replaced(rest, path, '');
  }
  return { values, rest, isWhole };
}

function isText(value: Json | undefined): boolean {
  return (typeof value === 'string' && value !== '') || (typeof value === 'object' && value !== null);
}

/** Without every text: what could hold a value that was not found. */
function withheld(output: Output): Output {
  return Object.fromEntries(Object.entries(output).map(([name, value]) => [name, isText(value) ? redacted : value]));
}

function memberOf(value: Json | undefined, member: string): Json | undefined {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, member)) return undefined;
  return (value as { readonly [name: string]: Json })[member];
}

function replaced(output: Output, [member, ...rest]: readonly string[], by: Json): Output {
  if (member === undefined) return output;
  const inner = output[member];
  const isLast = rest.length === 0;
  if (isLast || typeof inner !== 'object' || inner === null) return { ...output, [member]: by };
  if (Array.isArray(inner)) return { ...output, [member]: inner.map((item: Json, index) => (String(index) === rest[0] ? by : item)) };
  return { ...output, [member]: replaced(inner as Output, rest, by) };
}

/** What is looked for in later texts. */
function textsOf(value: Json): readonly string[] {
  if (typeof value === 'number') return [String(value)];
  if (typeof value === 'string')
    return value.length <= valueCharsMax ? [value] : value.split(/\r?\n/).filter((line) => line.length <= valueCharsMax);
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((member: Json) => textsOf(member));
}

function filled(value: Json, valueOf: (name: string) => Json | null): Json {
  if (typeof value === 'string') return filledText(value, valueOf);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item: Json) => filled(item, valueOf));
  return Object.fromEntries(Object.entries(value).map(([name, member]: [string, Json]) => [name, filled(member, valueOf)]));
}

/** A text that is one handle becomes the value itself; within a longer one its text. */
function filledText(text: string, valueOf: (name: string) => Json | null): Json {
  const names = text.match(handle);
  if (names === null) return text;
  if (names[0] === text) return valueOf(text);
  return text.replace(handle, (name) => {
    const value = valueOf(name);
    return typeof value === 'string' ? value : JSON.stringify(value);
  });
}

/** A key is `<run>/<part>/<step>/<attempt>`, mostly with the installation before it (core/run/calls.ts). */
function runOf(key: string): string {
  return key.split('/').slice(0, -3).join('/');
}
