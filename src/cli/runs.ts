// `run` and `page`: what playbooks did, what waits for a yes, and who was told.
import type { Doc } from './client.ts';
import { below, each, fields, list, listing, showEach, showing, type Call, type Command } from './command.ts';
import { exits, Stop, type ExitCode } from './exit.ts';
import { idColumn, stateColumn } from './incidents.ts';
import { agoAt, clockOf, colourOf, docAt, numberAt, shortSpan, textAt, type Column } from './table.ts';
import { data, pause } from './terminal.ts';
import { readTimeline, timelineLines } from './timeline.ts';
import { helped, spanGiven } from './watch.ts';

const path = '/api/v1/runs';
const lookEveryMs = 250;
const waitMs = 600_000;

const runColumns: readonly Column[] = [
  idColumn,
  stateColumn,
  { head: 'END', cell: (doc) => textAt(doc, 'end'), colour: (doc) => colourOf(textAt(doc, 'end')) },
  { head: 'PLAYBOOK', cell: (doc) => textAt(doc, 'playbook') },
  { head: 'MODE', cell: (doc) => textAt(doc, 'mode') },
  { head: 'STARTED', cell: (doc, now) => agoAt(doc, 'startedAt', now) },
  { head: 'INCIDENT', cell: (doc) => textAt(doc, 'incident') },
  { head: 'TARGET', cell: (doc) => textAt(doc, 'target') },
];

const pageColumns: readonly Column[] = [
  idColumn,
  stateColumn,
  { head: 'LADDER', cell: (doc) => textAt(doc, 'ladder') },
  { head: 'RUNG', cell: (doc) => (numberAt(doc, 'rung') === null ? '' : String((numberAt(doc, 'rung') ?? 0) + 1)) },
  { head: 'OPENED', cell: (doc, now) => agoAt(doc, 'openedAt', now) },
  { head: 'BY', cell: (doc) => textAt(doc, 'ackedBy') },
  { head: 'INCIDENT', cell: (doc) => textAt(doc, 'incident') },
  { head: 'REASON', cell: (doc) => textAt(doc, 'reason') },
];

async function show(call: Call, doc: Doc): Promise<void> {
  const { terminal } = call;
  const started = numberAt(doc, 'startedAt');
  const ended = numberAt(doc, 'endedAt');
  const params = Object.entries(docAt(doc, 'params')).map(([name, value]) => `${name}=${String(value)}`);
  fields(terminal, [
    ['run', `${textAt(doc, 'id')}  ${textAt(doc, 'playbook')} ${textAt(doc, 'version')}`],
    ['target', textAt(doc, 'target')],
    ['state', [textAt(doc, 'end') || textAt(doc, 'state'), textAt(doc, 'reason')].filter((text) => text !== '').join(': ')],
    ['mode', textAt(doc, 'mode')],
    ['params', params.join(', ')],
    ['incident', textAt(doc, 'incident')],
    ['started', `${clockOf(started)}${started === null || ended === null ? '' : `, took ${shortSpan(ended - started)}`}`],
  ]);
  const entries = await readTimeline(call.api(), textAt(doc, 'incident'), -1);
  const own = entries.filter((entry) => entry.run === textAt(doc, 'id'));
  if (own.length > 0) data(terminal, '');
  for (const line of timelineLines(terminal, own, call.given.has('all'))) data(terminal, `  ${line}`);
}

async function approve(call: Call, id: string): Promise<ExitCode> {
  const api = call.api();
  await api.post(`${below(path, id)}/approve`, {});
  if (!call.given.has('wait')) return exits.ok;
  const until = call.terminal.clock.steady() + (spanGiven(call.given.text('timeout'), '--timeout') ?? waitMs);
  for (;;) {
    const run = await api.get(below(path, id));
    if (textAt(run, 'state') === 'ended') {
      const end = textAt(run, 'end');
      if (helped.has(end)) return exits.ok;
      throw new Stop(exits.unhealed, `the run ended ${end}: ${textAt(run, 'reason')}`);
    }
    if (call.terminal.clock.steady() >= until)
      throw new Stop(exits.timeout, `the run is still ${textAt(run, 'state')}; see quench run show ${id}`);
    await pause(call.terminal, lookEveryMs);
  }
}

export const runCommands: readonly Command[] = [
  {
    words: 'run list',
    args: '',
    least: 0,
    most: 0,
    says: 'runs of playbooks, newest first',
    more: ['States: working, waiting (for a yes), ended.'],
    options: listing,
    run: (call) => list(call, path, runColumns),
  },
  {
    words: 'run show',
    args: 'ID...',
    least: 1,
    most: 100,
    says: 'one run, step by step',
    options: [...showing, 'all'],
    run: (call) =>
      showEach(
        call,
        (id) => below(path, id),
        (doc) => show(call, doc),
      ),
  },
  {
    words: 'run approve',
    args: 'ID...',
    least: 1,
    most: 1_000,
    says: 'let a run that waits act',
    options: [...showing, 'wait', 'timeout'],
    run: (call) => each(call, 'approved', (id) => approve(call, id)),
  },
  {
    words: 'run deny',
    args: 'ID...',
    least: 1,
    most: 1_000,
    says: 'refuse a run that waits; a person is paged instead',
    options: [...showing, 'note'],
    run: (call) =>
      each(call, 'denied', async (id) => {
        const note = call.given.text('note');
        await call.api().post(`${below(path, id)}/deny`, note === undefined ? {} : { note });
        return exits.ok;
      }),
  },
  {
    words: 'run cancel',
    args: 'ID...',
    least: 1,
    most: 1_000,
    says: 'stop a run; what it has done stays done',
    options: showing,
    run: (call) =>
      each(call, 'cancelled', async (id) => {
        await call.api().post(`${below(path, id)}/cancel`, {});
        return exits.ok;
      }),
  },
  {
    words: 'page list',
    args: '',
    least: 0,
    most: 0,
    says: 'pages, newest first',
    more: ['States: ringing, acked, closed.'],
    options: listing,
    run: (call) => list(call, '/api/v1/pages', pageColumns),
  },
];
