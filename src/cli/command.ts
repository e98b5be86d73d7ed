// What a command is, what it is given, and what all that read lists or take ids share.
import type { PlaybookCase } from '../config/playbook/cases.ts';
import type { ConfigProblem } from '../config/yaml/problems.ts';
import type { Result } from '../core/errors.ts';
import type { Instant } from '../core/time.ts';
import type { Listed, LogLine } from '../readmodel/answers.ts';
import type { Api, Members } from './client.ts';
import { exits, Stop, usage, type ExitCode } from './exit.ts';
import { filtersOf } from './filters.ts';
import type { Given, OptionName } from './options.ts';
import type { BackedUp, Comparison, Inited, Moved, Summary } from './results.ts';
import { formOf, printList, type Column } from './table.ts';
import { data, plain, plainJson, readAll, say, type Terminal } from './terminal.ts';

const idsBytesMax = 1_048_576;
const pageSize = 200;
const listMax = 100_000;

/** What runs without a gateway, handed in from above: it needs the adapters, which commands do not know. */
export interface Parts {
  readonly version: string;
  serve(config: string, terminal: Terminal, how: { readonly intakeOnly: boolean }): Promise<{ stop(): Promise<void> }>;
  check(config: string, env: Terminal['env']): Promise<Result<Loaded, readonly ConfigProblem[]>>;
  checkPlaybooks(dir: string, env: Terminal['env']): Promise<Result<Loaded, readonly ConfigProblem[]>>;
  testPlaybooks(dir: string, env: Terminal['env'], told: (tested: Tested) => void): Promise<Result<null, readonly ConfigProblem[]>>;
  replay(ask: ReplayAsk): Promise<Result<Summary, readonly ConfigProblem[]>>;
  compare(ask: CompareAsk): Promise<Result<Comparison, readonly ConfigProblem[]>>;
  move(ask: MoveAsk): Promise<Result<Moved, readonly ConfigProblem[]>>;
  backUp(ask: BackupAsk): Promise<Result<BackedUp, readonly ConfigProblem[]>>;
  restore(ask: RestoreAsk): Promise<BackedUp>;
  init(ask: InitAsk): Promise<Result<Inited, readonly ConfigProblem[]>>;
}

export interface Loaded {
  /** Where its playbooks are. */
  readonly playbookDir: string;
  /** What was found, by what it is called: `playbooks: 9`. */
  readonly counts: { readonly [what: string]: number };
  /** What works and is hardly meant. */
  readonly warnings?: readonly ConfigProblem[];
}

export interface Tested {
  readonly playbook: string;
  readonly name: string;
  readonly file: string;
  readonly ended: PlaybookCase['expected']['ended'] | 'working';
  /** Expected and seen, a sentence each; empty when the case holds. */
  readonly differences: readonly string[];
  readonly tookMs: number;
}

export interface ReplayAsk {
  readonly file: string;
  readonly config: string | null;
  readonly out: string;
  readonly env: Terminal['env'];
  readonly signal: AbortSignal;
  readonly progress: (deliveries: number, at: number) => void;
}

/** A range of the log: its inputs, and the facts from about the same time on; both oldest first. */
export interface LogRange {
  readonly partitions: readonly number[];
  inputs(partition: number): AsyncGenerator<LogLine>;
  facts(partition: number): AsyncGenerator<LogLine>;
}

export interface CompareAsk {
  /** Where the records are: read as they are needed, or in a file of lines. */
  readonly from: { readonly range: LogRange } | { readonly file: string };
  readonly config: string;
  readonly env: Terminal['env'];
  readonly signal: AbortSignal;
  readonly progress: (inputs: number, at: Instant) => void;
}

export interface MoveAsk {
  /** Data directory of the gateway that was alone. */
  readonly from: string;
  readonly config: string;
  readonly dryRun: boolean;
  readonly env: Terminal['env'];
  readonly signal: AbortSignal;
  readonly progress: (text: string) => void;
}

export interface BackupAsk {
  /** Where the copy goes. */
  readonly file: string;
  readonly config: string;
  readonly force: boolean;
  readonly env: Terminal['env'];
  readonly signal: AbortSignal;
  /** Called often, with a share of 0 to 1. */
  readonly progress: (share: number) => void;
}

export interface RestoreAsk {
  readonly file: string;
  /** The data directory, new or with nothing but tokens in it. */
  readonly to: string;
  readonly signal: AbortSignal;
  readonly progress: (share: number) => void;
}

export interface InitAsk {
  readonly dir: string;
  /** Where the gateway is to keep its data; null: `data` below the directory. */
  readonly data: string | null;
  readonly env: Terminal['env'];
}

export interface Call {
  readonly terminal: Terminal;
  readonly given: Given;
  /** What follows the command's own words. */
  readonly args: readonly string[];
  readonly parts: Parts;
  readonly api: () => Api;
  /** Another one, which stops when this terminal says so. */
  readonly apiOn: (terminal: Terminal) => Api;
}

export interface Command {
  /** `incident ack`. */
  readonly words: string;
  /** How the rest is written: `ID...`. */
  readonly args: string;
  readonly least: number;
  readonly most: number;
  readonly says: string;
  /** More lines for its own help. */
  readonly more?: readonly string[];
  readonly options: readonly OptionName[];
  readonly run: (call: Call) => Promise<ExitCode>;
}

export const reaching: readonly OptionName[] = ['url', 'token-file', 'config'];
export const showing: readonly OptionName[] = [...reaching, 'output', 'quiet', 'no-header'];

/** Lists a noun: reads pages until enough have come, and says on stderr when there are more. */
export async function list<Item extends { readonly id: string }>(
  call: Call,
  path: string,
  columns: readonly Column<Item>[],
  filters: readonly OptionName[],
): Promise<ExitCode> {
  const { terminal, given } = call;
  const wanted = countOf(given);
  const asked = filtersOf(given, filters, terminal.clock.now());
  const items: Item[] = [];
  let next: string | null = null;
  do {
    const query = new URLSearchParams([...asked, ['limit', String(Math.min(pageSize, wanted - items.length))]]);
    if (next !== null) query.set('after', next);
    const page: Listed<Item> = await call.api().get<Listed<Item>>(`${path}?${query}`, ['items', 'next']);
    items.push(...page.items);
    next = page.next;
  } while (next !== null && items.length < wanted);
  printList(terminal, given, { items, columns, whole: { items, next }, id: ({ id }) => id });
  if (items.length === 0) say(terminal, 'none');
  else if (next !== null) say(terminal, `the first ${items.length}; more with --limit`);
  return exits.ok;
}

function countOf(given: Given): number {
  const text = given.text('limit');
  if (text === undefined) return 50;
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1 || count > listMax) throw usage(`--limit: expected 1 to ${listMax}, seen "${text}"`);
  return count;
}

/** The ids of the arguments; `-` stands for those on stdin. Each once. */
export async function idsOf(call: Call): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const arg of call.args) {
    if (arg !== '-') ids.push(arg);
    else ids.push(...(await readAll(call.terminal, idsBytesMax)).split(/\s+/).filter((id) => id !== ''));
  }
  return [...new Set(ids)];
}

/** Does one thing to each id; goes on after a failure and ends with the first one's exit code. */
export async function each(call: Call, done: string, act: (id: string) => Promise<ExitCode>): Promise<ExitCode> {
  const { terminal, given } = call;
  const results: object[] = [];
  let exit: ExitCode = exits.ok;
  for (const id of await idsOf(call)) {
    try {
      const own = await act(id);
      if (exit === exits.ok) exit = own;
      results.push({ id, status: done });
      if (formOf(given) === 'name') data(terminal, plain(id));
      else if (formOf(given) === 'table') say(terminal, `${done} ${id}`);
    } catch (error) {
      if (!(error instanceof Stop) || error.exit === exits.interrupted || error.exit === exits.unreachable) throw error;
      if (exit === exits.ok) exit = error.exit;
      results.push({ id, status: 'failed', reason: error.message });
      say(terminal, `quench: ${id}: ${error.message}`);
    }
  }
  if (formOf(given) === 'json') data(terminal, plainJson({ items: results }));
  return exit;
}

/** Shows each document: JSON as it is, ids, or what `show` prints. */
export async function showEach<Shown extends { readonly id: string }>(
  call: Call,
  path: (id: string) => string,
  { members, show }: { readonly members: Members<Shown>; readonly show: (shown: Shown) => Promise<void> | void },
): Promise<ExitCode> {
  for (const id of await idsOf(call)) {
    const shown = await call.api().get<Shown>(path(id), members);
    const form = formOf(call.given);
    if (form === 'json') data(call.terminal, plainJson(shown));
    else if (form === 'name') data(call.terminal, plain(shown.id));
    else await show(shown);
  }
  return exits.ok;
}

/** Rows of `name  value` for one document; empty values are left out. */
export function fields(terminal: Terminal, rows: readonly (readonly [string, string])[]): void {
  const width = Math.max(...rows.map(([name]) => name.length));
  for (const [name, value] of rows) if (value !== '') data(terminal, `${name.padEnd(width)}  ${plain(value)}`);
}

export function below(path: string, id: string): string {
  return `${path}/${encodeURIComponent(id)}`;
}
