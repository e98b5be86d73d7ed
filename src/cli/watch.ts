// `incident watch`: one incident until it is resolved, or everything until Ctrl-C.
//   F1  Of one incident no line is left out or told twice: the stream only says when to read on in its timeline.
//   F2  A lost connection is taken up where it ended, a bounded number of times.
import { parseSpan } from '../config/yaml/duration.ts';
import type { TimelineEntry } from '../readmodel/timeline.ts';
import type { Api } from './client.ts';
import type { Call } from './command.ts';
import { hasHelped } from './ends.ts';
import { exits, Stop, usage, type ExitCode } from './exit.ts';
import { clockOf, formOf } from './table.ts';
import { data, painted, pause, plain, plainJson, say, type Terminal } from './terminal.ts';
import { colourFor, indentOf, readTimeline, type Entry } from './timeline.ts';

const lostMax = 30;
const lostPauseMs = 2_000;
const lookAgainMs = 100;
const looksForLine = 20;
const looksWhenOpened = 4;

export async function watch(call: Call): Promise<ExitCode> {
  const [incident] = call.args;
  const ended = new AbortController();
  const late = deadlineOf(call, () => ended.abort());
  // What follows stops by the deadline as it does by Ctrl-C.
  const terminal: Terminal = { ...call.terminal, signal: AbortSignal.any([call.terminal.signal, ended.signal]) };
  const api = call.apiOn(terminal);
  try {
    return await (incident === undefined ? watchAll(call, terminal, api) : watchOne(call, terminal, api, incident));
  } catch (error) {
    if (ended.signal.aborted && !call.terminal.signal.aborted) throw new Stop(exits.timeout, 'the time of --timeout is over');
    throw error;
  } finally {
    late();
  }
}

function deadlineOf({ given, terminal }: Call, end: () => void): () => void {
  const span = spanGiven(given.text('timeout'), '--timeout');
  return span === null ? () => {} : terminal.clock.after(span, end);
}

/** A span of the command line, or null when it was not given. */
export function spanGiven(text: string | undefined, option: string): number | null {
  if (text === undefined) return null;
  const span = parseSpan(text);
  if (span === null || span === 0) throw usage(`${option}: expected a span like 90s, 30m or 2h, seen "${text}"`);
  return span;
}

async function watchAll(call: Call, terminal: Terminal, api: Api): Promise<ExitCode> {
  say(terminal, 'watching every incident; Ctrl-C ends it');
  for await (const line of linesOf(terminal, api)) {
    if (line === null) continue;
    if (formOf(call.given) === 'json') data(terminal, oneLineJson(line));
    else if (formOf(call.given) === 'name') data(terminal, plain(line.incident));
    else
      data(terminal, `${stamp(terminal, line.at)}  ${plain(line.incident)}  ${painted(terminal, colourFor(line.type), plain(line.text))}`);
  }
  return exits.ok;
}

async function watchOne(call: Call, terminal: Terminal, api: Api, incident: string): Promise<ExitCode> {
  let last = -1;
  let end = '';
  let over = false;

  async function readOn(): Promise<void> {
    for (const entry of await readTimeline(api, incident, last)) {
      last = Math.max(last, entry.seq);
      print(call, terminal, entry);
      if (entry.type === 'RunStarted') end = '';
      else if (entry.type === 'RunFinished') end = entry.end;
      else if (entry.type === 'RunRefused') end = 'refused';
      else if (entry.type === 'IncidentResolved') over = true;
      else if (entry.type === 'IncidentReopened') over = false;
    }
  }

  /** Reads on until the entry is there; the timeline is written a moment after it was decided. */
  async function readTo(seq: number, looks: number): Promise<void> {
    for (let look = 0; look < looks && last < seq && !over; look++) {
      if (look > 0) await pause(terminal, lookAgainMs);
      await readOn(); // F1
    }
  }

  await readOn();
  if (!over) {
    for await (const line of linesOf(terminal, api)) {
      // What was decided before the stream stood may still be on its way into the timeline.
      if (line === null) await readTo(Number.MAX_SAFE_INTEGER, looksWhenOpened);
      else if (line.incident === incident) await readTo(line.seq, looksForLine);
      if (over) break;
    }
  }
  return end === '' || hasHelped(end) ? exits.ok : exits.unhealed;
}

function print(call: Call, terminal: Terminal, entry: Entry): void {
  const form = formOf(call.given);
  if (form === 'json') return data(terminal, oneLineJson(entry));
  if (form === 'table')
    data(terminal, `${stamp(terminal, entry.at)}  ${indentOf(entry)}${painted(terminal, colourFor(entry.type), plain(entry.text))}`);
}

function stamp(terminal: Terminal, at: number): string {
  return painted(terminal, 'dim', clockOf(at).slice(11));
}

function oneLineJson(value: object): string {
  return plainJson(value).replace(/\n\s*/g, ' ');
}

/** Lines as they are decided, taken up again where the stream was lost (F2); null whenever a stream stands, or has a gap. */
async function* linesOf(terminal: Terminal, api: Api): AsyncGenerator<TimelineEntry | null> {
  let after = '';
  let lost = 0;
  for (;;) {
    try {
      for await (const event of api.events(after)) {
        if (event.id !== '') after = event.id;
        if (event.data === '' || event.type === 'gap') {
          if (event.id !== '' || event.type === 'gap') yield null; // all else is a sign of life
          continue;
        }
        lost = 0;
        if (event.type === 'line') yield JSON.parse(event.data) as TimelineEntry; // as the gateway's events/frames.ts makes them
      }
    } catch (error) {
      if (!(error instanceof Stop) || error.exit !== exits.unreachable || after === '' || lost >= lostMax) throw error;
    }
    if (lost >= lostMax) throw new Stop(exits.unreachable, `lost the gateway ${lostMax} times`);
    lost += 1;
    say(terminal, 'lost the gateway, trying again');
    await pause(terminal, lostPauseMs);
  }
}
