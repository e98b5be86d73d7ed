// The story of an incident as a person wants to read it: times from its beginning, one line each, what a run did indented.
// A call and its answer are one line; what a run says again and again is said once, with how often.
import type { Fact } from '../core/records.ts';
import type { TimelineAnswer } from '../readmodel/answers.ts';
import type { TimelineEntry } from '../readmodel/timeline.ts';
import type { Api } from './client.ts';
import { shortSpan } from './table.ts';
import { painted, plain, type Colour, type Terminal } from './terminal.ts';

const entriesPerPage = 1_000;
const pagesMax = 50;
/** Of one call; with `--all` as many as the gateway tells, and `run output` has the whole. */
const outputLinesShown = 5;

export interface Entry {
  readonly seq: number;
  readonly at: number;
  readonly type: string;
  readonly text: string;
  readonly run: string;
  readonly call: string;
  /** How the run ended, on the entry that says so. */
  readonly end: string;
  /** The last lines of what a call gave. */
  readonly output: string;
}

/** Entries after a place, oldest first; at most 50,000. */
export async function readTimeline(api: Api, incident: string, after: number): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  let from = after;
  for (let page = 0; page < pagesMax; page++) {
    const path = `/api/v1/incidents/${encodeURIComponent(incident)}/timeline?after=${from}&limit=${entriesPerPage}`;
    const { items, next } = await api.get<TimelineAnswer>(path, ['items', 'next']);
    entries.push(...items.map(entryOf));
    if (next === null) break;
    from = next;
  }
  return entries;
}

function entryOf({ seq, at, type, text, detail }: TimelineEntry): Entry {
  const word = (name: string): string => (typeof detail[name] === 'string' ? detail[name] : '');
  return { seq, at, type, text, run: word('run'), call: word('call'), end: word('end'), output: word('output') };
}

interface Told {
  readonly entry: Entry;
  readonly text: string;
  times: number;
  lastAt: number;
  /** The newest, of a line that is said again. */
  output: string;
}

/** The lines; with `every`, each entry by itself. */
export function timelineLines(terminal: Terminal, entries: readonly Entry[], every: boolean): readonly string[] {
  const start = entries[0]?.at ?? 0;
  const told = every
    ? entries.map((entry) => ({ entry, text: entry.text, times: 1, lastAt: entry.at, output: entry.output }))
    : condensed(entries);
  const width = Math.max(4, ...told.map(({ entry }) => offsetOf(entry.at - start).length));
  const lines: string[] = [];
  for (const { entry, text, times, lastAt, output } of told) {
    const again = times > 1 ? ` (${times} times, the last ${offsetOf(lastAt - start)})` : '';
    lines.push(
      `${painted(terminal, 'dim', offsetOf(entry.at - start).padStart(width))}  ${indentOf(entry)}${painted(terminal, colourFor(entry.type), plain(text))}${again}`,
    );
    for (const line of every ? linesIn(output) : linesIn(output).slice(-outputLinesShown))
      lines.push(`${' '.repeat(width)}  ${indentOf(entry)}${painted(terminal, 'dim', `| ${plain(line)}`)}`);
  }
  return lines;
}

function linesIn(output: string): readonly string[] {
  return output === '' ? [] : output.split('\n');
}

function offsetOf(span: number): string {
  return `+${shortSpan(span)}`;
}

export function indentOf(entry: Entry): string {
  return entry.run !== '' && within.has(entry.type) ? '  ' : '';
}

const within: ReadonlySet<string> = new Set(['StepRequested', 'StepFinished', 'RunMoved'] satisfies Fact['type'][]);

/** Joins calls with their answers, and counts what a run repeats. */
function condensed(entries: readonly Entry[]): readonly Told[] {
  const lines: Told[] = [];
  const open = new Map<string, string>();
  const known = new Map<string, Told>();
  for (const entry of entries) {
    const call = `${entry.run}|${entry.call}`;
    if (entry.type === 'StepRequested') {
      open.set(call, entry.text);
      continue;
    }
    const asked = entry.type === 'StepFinished' ? open.get(call) : undefined;
    open.delete(call);
    const text = asked === undefined ? entry.text : `${asked.replace(/, attempt \d+$/, '')}: ${entry.text.replace(/^[^:]*: /, '')}`;
    const key = `${entry.run}|${text.replace(/ after \S+$/, '')}`;
    const same = within.has(entry.type) ? known.get(key) : undefined;
    if (same !== undefined) {
      same.times += 1;
      same.lastAt = entry.at;
      same.output = entry.output;
      continue;
    }
    const line = { entry, text, times: 1, lastAt: entry.at, output: entry.output };
    if (within.has(entry.type)) known.set(key, line);
    lines.push(line);
  }
  for (const entry of entries) {
    // Asked for and not answered yet.
    if (entry.type === 'StepRequested' && open.has(`${entry.run}|${entry.call}`))
      lines.push({ entry, text: `${entry.text} …`, times: 1, lastAt: entry.at, output: '' });
  }
  return lines.sort((a, b) => a.entry.seq - b.entry.seq);
}

const colours: { readonly [Type in Fact['type']]?: Colour } = {
  IncidentDecided: 'bold',
  IncidentResolved: 'green',
  PageOpened: 'red',
  PageRang: 'red',
  RunRefused: 'red',
  RunStarted: 'yellow',
  RunFinished: 'yellow',
  ApprovalRequested: 'yellow',
};

/** Of the type of a line; most have none, and a newer gateway may have types that are not known here. */
export function colourFor(type: string): Colour | null {
  return Object.hasOwn(colours, type) ? (colours[type as Fact['type']] ?? null) : null; // a key of the table
}
