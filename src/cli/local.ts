// Commands that need no gateway: serve (which is one), check, replay, playbook check and test. And `playbook list`, which asks one.
import { relative } from 'node:path';
import { problemLine, type ConfigProblem } from '../config/yaml/problems.ts';
import type { Listed, PlaybookLine } from '../readmodel/answers.ts';
import { showing, type Call, type Command, type Loaded, type Tested } from './command.ts';
import { exits, usage, type ExitCode } from './exit.ts';
import type { Summary } from './results.ts';
import { clockOf, formOf, printList, type Column } from './table.ts';
import { data, painted, plain, plainJson, say } from './terminal.ts';

const progressEveryMs = 2_000;
const defaultConfig = 'quench.yaml';

async function serve(call: Call): Promise<ExitCode> {
  const { terminal } = call;
  const gateway = await call.parts.serve(call.given.text('config') ?? defaultConfig, terminal, {
    intakeOnly: call.given.has('intake-only'),
  });
  await new Promise<void>((resolve) => {
    if (terminal.signal.aborted) resolve();
    else terminal.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await gateway.stop();
  return exits.ok;
}

async function check(call: Call): Promise<ExitCode> {
  const path = call.given.text('config') ?? defaultConfig;
  const loaded = await call.parts.check(path, call.terminal.env);
  if (!loaded.ok) return problems(call, loaded.error);
  return fine(call, path, loaded.value);
}

function fine(call: Call, what: string, { counts, warnings = [] }: Omit<Loaded, 'playbookDir'>): ExitCode {
  const near = warnings.map((warning) => ({ ...warning, file: shorter(warning.file) }));
  if (formOf(call.given) === 'json') data(call.terminal, plainJson({ ok: true, problems: [], warnings: near, ...counts }));
  else for (const warning of near) data(call.terminal, plain(`${problemLine({ ...warning, message: `warning: ${warning.message}` })}`));
  const found = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  say(call.terminal, `${what}: fine, ${found.join(', ')}`);
  return exits.ok;
}

/** Every problem, a line each as editors read it: `file:line:column: path: message`. */
export function problems(call: Call, found: readonly ConfigProblem[]): ExitCode {
  const near = found.map((problem) => ({ ...problem, file: shorter(problem.file) }));
  if (formOf(call.given) === 'json') data(call.terminal, plainJson({ ok: false, problems: near }));
  else for (const problem of near) data(call.terminal, plain(problemLine(problem)));
  say(call.terminal, `${found.length} ${found.length === 1 ? 'problem' : 'problems'}`);
  return exits.failed;
}

/** Relative to where we are, unless that would climb. */
export function shorter(file: string): string {
  const near = relative('.', file);
  return near.startsWith('..') ? file : near;
}

// ---------------------------------------------------------------- playbooks

const playbookColumns: readonly Column<PlaybookLine>[] = [
  { head: 'NAME', cell: ({ name }) => name },
  { head: 'VERSION', cell: ({ version }) => version },
  { head: 'MODE', cell: ({ mode }) => mode, colour: ({ mode }) => (mode === 'auto' ? 'yellow' : null) },
  { head: 'OWNER', cell: ({ owner }) => owner },
  { head: 'SUMMARY', cell: ({ summary }) => summary },
];

/** The directory given, that of the configuration, or `playbooks`; problems when the configuration does not load. */
async function playbookDir(call: Call): Promise<{ readonly dir: string } | { readonly problems: readonly ConfigProblem[] }> {
  const [dir] = call.args;
  if (dir !== undefined) return { dir };
  const loaded = await call.parts.check(call.given.text('config') ?? defaultConfig, call.terminal.env);
  return loaded.ok ? { dir: loaded.value.playbookDir } : { problems: loaded.error };
}

async function checkPlaybooks(call: Call): Promise<ExitCode> {
  const place = await playbookDir(call);
  if ('problems' in place) return problems(call, place.problems);
  const loaded = await call.parts.checkPlaybooks(place.dir, call.terminal.env);
  return loaded.ok ? fine(call, shorter(place.dir), loaded.value) : problems(call, loaded.error);
}

async function testPlaybooks(call: Call): Promise<ExitCode> {
  const { terminal, given } = call;
  const place = await playbookDir(call);
  if ('problems' in place) return problems(call, place.problems);
  const began = terminal.clock.steady();
  const all: Tested[] = [];
  const ran = await call.parts.testPlaybooks(place.dir, terminal.env, (tested) => {
    all.push(tested);
    if (formOf(given) === 'table') tellCase(call, tested);
  });
  if (!ran.ok) return problems(call, ran.error);
  const failed = all.filter(({ differences }) => differences.length > 0);
  if (formOf(given) === 'json') data(terminal, plainJson({ ok: failed.length === 0, cases: all }));
  if (formOf(given) === 'name') for (const { playbook, name } of failed) data(terminal, plain(`${playbook}: ${name}`));
  say(terminal, `${all.length} cases, ${failed.length} failed, in ${Math.round(terminal.clock.steady() - began)} ms`);
  if (all.length === 0) say(terminal, `no case in ${place.dir}: write them beside the playbook, in NAME.test.yaml`);
  return failed.length === 0 && all.length > 0 ? exits.ok : exits.failed;
}

function tellCase({ terminal }: Call, { playbook, name, differences, tookMs }: Tested): void {
  const good = differences.length === 0;
  const word = painted(terminal, good ? 'green' : 'red', good ? 'ok    ' : 'FAILED');
  data(terminal, `${word}  ${plain(`${playbook}: ${name}`)} (${tookMs.toFixed(1)} ms)`);
  for (const difference of differences) data(terminal, `        ${plain(difference)}`);
}

// ---------------------------------------------------------------- replay

async function replay(call: Call): Promise<ExitCode> {
  const { terminal, given } = call;
  const [file = ''] = call.args;
  const out = given.text('out');
  if (out === undefined) throw usage('expected --out DIR, for alerts.jsonl, incidents.jsonl and summary.json');
  const began = terminal.clock.steady();
  let told = began;
  const replayed = await call.parts.replay({
    file,
    out,
    config: given.text('config') ?? null,
    env: terminal.env,
    signal: terminal.signal,
    progress(deliveries, at) {
      if (deliveries % 256 !== 0 || terminal.clock.steady() - told < progressEveryMs) return;
      told = terminal.clock.steady();
      say(terminal, `${deliveries} deliveries, ${clockOf(at)}`);
    },
  });
  if (!replayed.ok) return problems(call, replayed.error);
  if (formOf(given) === 'json') data(terminal, plainJson(replayed.value));
  else tellSummary(call, replayed.value);
  say(terminal, `written to ${out} in ${((terminal.clock.steady() - began) / 1_000).toFixed(1)} s`);
  return exits.ok;
}

function tellSummary({ terminal }: Call, summary: Summary): void {
  const { deadLetters: letters } = summary;
  const listed = (counts: Summary['runs']): string =>
    Object.entries(counts)
      .map(([word, count]) => `${count} ${word}`)
      .join(', ');
  const rows: readonly (readonly [string, string])[] = [
    ['deliveries', `${summary.deliveries}, ${letters.count} not understood`],
    ['alerts', `${summary.alerts} of ${summary.identities} kinds`],
    ['decisions', listed(summary.decisions)],
    ['incidents', `${summary.incidents}, ${summary.unresolved} unresolved`],
    ['pages', String(summary.pages)],
    ['runs', listed(summary.runs) || '0'],
  ];
  for (const [name, value] of rows) data(terminal, `${name.padEnd(10)}  ${plain(value)}`);
  const [first] = letters.first;
  if (first !== undefined) say(terminal, `first not understood: line ${first.line}: ${first.message}`);
}

export const localCommands: readonly Command[] = [
  {
    words: 'serve',
    args: '',
    least: 0,
    most: 0,
    says: 'run the gateway until it is told to stop',
    options: ['config', 'intake-only'],
    run: serve,
  },
  {
    words: 'check',
    args: '',
    least: 0,
    most: 0,
    says: 'load the configuration and its playbooks, and say everything that is wrong',
    options: ['config', 'output'],
    run: check,
  },
  {
    words: 'playbook list',
    args: '',
    least: 0,
    most: 0,
    says: 'the playbooks in force',
    options: showing,
    run: listPlaybooks,
  },
  {
    words: 'playbook check',
    args: '[DIR]',
    least: 0,
    most: 1,
    says: 'load playbooks and their test cases, and say everything that is wrong',
    options: ['config', 'output'],
    run: checkPlaybooks,
  },
  {
    words: 'playbook test',
    args: '[DIR]',
    least: 0,
    most: 1,
    says: 'run the test cases beside the playbooks in virtual time; nothing is touched',
    options: ['config', 'output', 'quiet'],
    run: testPlaybooks,
  },
  {
    words: 'replay',
    args: 'DELIVERIES.jsonl[.gz]',
    least: 1,
    most: 1,
    says: 'what recorded deliveries would have come to; nobody is paged, nothing is touched',
    more: [
      'A line: {"at", "source", "headers", "body"}. Out come alerts.jsonl, incidents.jsonl and summary.json.',
      'Actions are simulated: each answers ok and cures nothing; an alert clears when the recording clears it.',
      'Without --config: the defaults, no playbooks.',
    ],
    options: ['config', 'out', 'output'],
    run: replay,
  },
];

/** The API gives all of them at once, without pages. */
async function listPlaybooks({ api, terminal, given }: Call): Promise<ExitCode> {
  const whole = await api().get<Listed<PlaybookLine>>('/api/v1/playbooks', ['items']);
  printList(terminal, given, { items: whole.items, columns: playbookColumns, whole, id: ({ name }) => name });
  return exits.ok;
}
