// Every option there is, once: its kind, its value's name, what it does. Reading a command line by them.
import { parseArgs } from 'node:util';
import { didYouMean } from '../config/yaml/problems.ts';
import { severities } from '../core/alert/severity.ts';
import { ends } from '../core/run/ends.ts';
import { usage } from './exit.ts';

interface Option {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: true;
  /** What stands for the value in help. */
  readonly value?: string;
  readonly says: string;
  /** The only values, for completion and checking. */
  readonly words?: readonly string[];
  /** Several of the words may be given, with commas between. */
  readonly several?: true;
}

const options = {
  config: { type: 'string', value: 'FILE', says: 'quench.yaml, or the directory that holds it (default: quench.yaml)' },
  'intake-only': {
    type: 'boolean',
    says: 'take alerts in and decide nothing: critical ones are paged as they came in; for when deciding is what is broken',
  },
  url: { type: 'string', value: 'URL', says: 'address of the gateway (default: QUENCH_URL, else what `listen` of the configuration says)' },
  'token-file': { type: 'string', value: 'FILE', says: 'file that holds the token' },
  output: { type: 'string', short: 'o', value: 'FORM', says: 'table, json, or name (ids only)', words: ['table', 'json', 'name'] },
  quiet: { type: 'boolean', short: 'q', says: 'ids only, for pipes' },
  'no-header': { type: 'boolean', says: 'leave out the head of the table' },
  state: { type: 'string', value: 'STATES', says: 'only these states, commas between' },
  source: { type: 'string', multiple: true, value: 'NAME', says: 'only from this monitoring system; may be given again' },
  match: { type: 'string', multiple: true, value: 'MATCHER', says: 'only with such labels: team=db, job!=batch, instance=~"web.*"' },
  incident: { type: 'string', value: 'ID', says: 'only of this incident' },
  parent: { type: 'string', value: 'ID', says: 'only what this storm speaks for' },
  children: { type: 'boolean', says: 'incidents for which a storm speaks, too' },
  playbook: { type: 'string', multiple: true, value: 'NAME', says: 'only of this playbook; may be given again' },
  target: { type: 'string', multiple: true, value: 'NAME', says: 'only what acts on this; may be given again' },
  end: { type: 'string', value: 'ENDS', says: 'only what ended so, commas between', words: Object.keys(ends), several: true },
  since: { type: 'string', value: 'TIME', says: 'only what began since: a span ago like 2h, or a time' },
  sort: { type: 'string', value: 'WORD', says: 'worst or newest first', words: ['worst', 'newest'] },
  text: { type: 'string', value: 'TEXT', says: 'only what holds the text' },
  limit: { type: 'string', value: 'N', says: 'at most so many (lists: 50 when it is not given)' },
  all: { type: 'boolean', says: 'every line, repeats included' },
  raw: { type: 'boolean', says: 'the delivery behind it, as it was received' },
  note: { type: 'string', value: 'TEXT', says: 'a remark for the timeline' },
  wait: { type: 'boolean', says: 'until the run has ended; exit code 7 when it did not help' },
  timeout: { type: 'string', value: 'SPAN', says: 'give up after this span, with exit code 6' },
  file: { type: 'string', short: 'f', value: 'FILE', says: 'the body to send; - or nothing reads stdin' },
  name: { type: 'string', value: 'NAME', says: 'the name of the alert' },
  host: { type: 'string', value: 'HOST', says: 'the host that it is about' },
  service: { type: 'string', value: 'NAME', says: 'the service that it is about' },
  severity: {
    type: 'string',
    value: 'WORD',
    says: 'info, warning, error or critical; in lists several, commas between',
    words: severities,
    several: true,
  },
  summary: { type: 'string', value: 'TEXT', says: 'one line for people' },
  label: { type: 'string', multiple: true, value: 'NAME=VALUE', says: 'one more label; may be given again' },
  cleared: { type: 'boolean', says: 'it is over' },
  over: { type: 'boolean', says: 'take it over from whoever has it' },
  for: { type: 'string', value: 'SPAN', says: 'how long: 90s, 30m, 2h, 3d' },
  'until-resolved': {
    type: 'boolean',
    says: 'end as soon as everything that it muted has cleared (at the latest after --for, default 1d)',
  },
  comment: { type: 'string', value: 'TEXT', says: 'why, for the people who find it' },
  scope: { type: 'string', value: 'SCOPE', says: 'scope whose alerts are meant (default: the gateway’s own)' },
  yes: { type: 'boolean', short: 'y', says: 'do not ask' },
  topic: { type: 'string', value: 'TOPIC', says: 'what the world said, or what was decided', words: ['inputs', 'facts'] },
  partition: { type: 'string', value: 'N', says: 'only this partition; all for every one' },
  from: { type: 'string', value: 'PLACE', says: 'where to begin: [PARTITION:]OFFSET; for log move the data directory' },
  until: {
    type: 'string',
    value: 'TIME',
    says: 'where to end: a time like 2026-11-21T04:00Z; in lists also a span ago, for log replay an offset',
  },
  'dry-run': { type: 'boolean', says: 'look at everything and write no record' },
  force: { type: 'boolean', says: 'replace a file that is there, resolve over alerts that fire' },
  to: { type: 'string', value: 'DIR', says: 'the data directory that it goes to' },
  data: { type: 'string', value: 'DIR', says: 'where the gateway is to keep its data (default: data, beside quench.yaml)' },
  out: { type: 'string', value: 'DIR', says: 'directory for what comes out' },
  csv: { type: 'boolean', says: 'as a file for spreadsheets' },
  zone: { type: 'string', value: 'ZONE', says: 'time zone of working hours, like Europe/Berlin (default: UTC)' },
  help: { type: 'boolean', short: 'h', says: 'help on the command' },
  version: { type: 'boolean', says: 'the version' },
} as const satisfies { readonly [name: string]: Option };

export type OptionName = keyof typeof options;

export const optionNames = Object.keys(options) as OptionName[]; // keys of the object above

export function optionOf(name: OptionName): Option {
  return options[name];
}

/** What was given, by name. */
export interface Given {
  readonly words: readonly string[];
  text(name: OptionName): string | undefined;
  texts(name: OptionName): readonly string[];
  has(name: OptionName): boolean;
  readonly names: readonly OptionName[];
}

/** Reads a command line; throws a usage error for an option that nothing knows, or a value that is missing or unknown. */
export function readOptions(argv: readonly string[]): Given {
  const { tokens, positionals } = parseArgs({
    args: [...argv],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values = new Map<OptionName, string[]>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const name = knownName(token.name, token.rawName);
    const value = valueOf(name, token.rawName, token.value, token.inlineValue === true);
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  return {
    words: positionals,
    text: (name) => values.get(name)?.at(-1),
    texts: (name) => values.get(name) ?? [],
    has: (name) => values.has(name),
    names: [...values.keys()],
  };
}

function knownName(name: string, raw: string): OptionName {
  const found = optionNames.find((known) => known === name);
  if (found !== undefined) return found;
  throw usage(`unknown option ${raw}${didYouMean(name, optionNames, '--')}; see quench help`);
}

function valueOf(name: OptionName, raw: string, value: string | undefined, inline: boolean): string {
  const option = optionOf(name);
  if (option.type === 'boolean') {
    if (value !== undefined) throw usage(`${raw} takes no value`);
    return '';
  }
  const looksLikeOption = !inline && value !== undefined && value.length > 1 && value.startsWith('-');
  if (value === undefined || looksLikeOption) throw usage(`${raw} needs a value: ${raw} ${option.value ?? 'VALUE'}`);
  const unknown = (option.several === true ? value.split(',') : [value]).find((word) => option.words?.includes(word) === false);
  if (unknown !== undefined) {
    const words = option.words ?? [];
    throw usage(`${raw}: expected ${words.join(', ')}, seen "${unknown}"${didYouMean(unknown, words)}`);
  }
  return value;
}
