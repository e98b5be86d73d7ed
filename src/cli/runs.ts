// `run` and `page`: what playbooks did, what waits for a yes, and who was told.
import { outputText } from '../core/run/told.ts';
import type { OutputAnswer } from '../readmodel/answers.ts';
import type { PageDocument, RunDocument } from '../readmodel/documents.ts';
import { below, each, fields, list, reaching, showEach, showing, type Call, type Command } from './command.ts';
import { hasHelped } from './ends.ts';
import { exits, Stop, usage, type ExitCode } from './exit.ts';
import { filters } from './filters.ts';
import { idColumn, stateColumn } from './incidents.ts';
import { ago, clockOf, endColour, formOf, shortSpan, type Column } from './table.ts';
import { data, pause, plain, plainJson } from './terminal.ts';
import { readTimeline, timelineLines } from './timeline.ts';
import { spanGiven } from './watch.ts';

const path = '/api/v1/runs';
const lookEveryMs = 250;
const waitMs = 600_000;

const runColumns: readonly Column<RunDocument>[] = [
  idColumn,
  stateColumn,
  { head: 'END', cell: ({ end }) => end ?? '', colour: ({ end }) => endColour(end) },
  { head: 'PLAYBOOK', cell: ({ playbook }) => playbook },
  { head: 'MODE', cell: ({ mode }) => mode ?? '' },
  { head: 'STARTED', cell: ({ startedAt }, now) => ago(startedAt, now) },
  { head: 'INCIDENT', cell: ({ incident }) => incident },
  { head: 'TARGET', cell: ({ target }) => target },
];

const pageColumns: readonly Column<PageDocument>[] = [
  idColumn,
  stateColumn,
  { head: 'LADDER', cell: ({ ladder }) => ladder },
  { head: 'RUNG', cell: ({ rung }) => String(rung + 1) },
  { head: 'OPENED', cell: ({ openedAt }, now) => ago(openedAt, now) },
  { head: 'BY', cell: ({ ackedBy }) => ackedBy ?? '' },
  { head: 'INCIDENT', cell: ({ incident }) => incident },
  { head: 'REASON', cell: ({ reason }) => reason },
];

async function show(call: Call, run: RunDocument): Promise<void> {
  const { terminal } = call;
  const params = Object.entries(run.params).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const took = run.endedAt === null ? '' : `, took ${shortSpan(run.endedAt - run.startedAt)}`;
  fields(terminal, [
    ['run', `${run.id}  ${run.playbook} ${run.version ?? ''}`],
    ['target', run.target],
    ['state', [run.end ?? run.state, run.reason ?? ''].filter((text) => text !== '').join(': ')],
    ['mode', run.mode ?? ''],
    ['params', params.join(', ')],
    ['incident', run.incident],
    ['started', `${clockOf(run.startedAt)}${took}`],
  ]);
  const entries = await readTimeline(call.api(), run.incident, -1);
  const own = entries.filter((entry) => entry.run === run.id);
  if (own.length > 0) data(terminal, '');
  for (const line of timelineLines(terminal, own, call.given.has('all'))) data(terminal, `  ${line}`);
}

async function approve(call: Call, id: string): Promise<ExitCode> {
  const api = call.api();
  await api.post(`${below(path, id)}/approve`, {});
  if (!call.given.has('wait')) return exits.ok;
  const until = call.terminal.clock.steady() + (spanGiven(call.given.text('timeout'), '--timeout') ?? waitMs);
  for (;;) {
    const run = await api.get<RunDocument>(below(path, id), ['state', 'end', 'reason']);
    if (run.state === 'ended') {
      const end = run.end ?? '';
      if (hasHelped(end)) return exits.ok;
      throw new Stop(exits.unhealed, `the run ended ${end}: ${run.reason ?? ''}`);
    }
    if (call.terminal.clock.steady() >= until) throw new Stop(exits.timeout, `the run is still ${run.state}; see quench run show ${id}`);
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
    options: [...showing, ...filters.run],
    run: (call) => list(call, path, runColumns, filters.run),
  },
  {
    words: 'run show',
    args: 'ID...',
    least: 1,
    most: 100,
    says: 'one run, step by step',
    options: [...showing, 'all'],
    run: (call) =>
      showEach<RunDocument>(call, (id) => below(path, id), {
        members: ['id', 'state', 'incident', 'params', 'startedAt', 'endedAt'],
        show: (run) => show(call, run),
      }),
  },
  {
    words: 'run output',
    args: 'ID CALL',
    least: 2,
    most: 2,
    says: 'the whole output of one call of a run',
    more: ['Calls are named as run show -o json has them: diagnose/disk/1, steps/restart/1.'],
    options: [...reaching, 'output'],
    async run(call) {
      const [id = '', name = ''] = call.args;
      if (id === '-') throw usage('run output takes one id, not stdin');
      const whole = await call.api().get<OutputAnswer>(`${below(path, id)}/output?call=${encodeURIComponent(name)}`, ['call', 'output']);
      if (formOf(call.given) === 'json') data(call.terminal, plainJson(whole));
      else for (const line of outputText(whole.output).split('\n')) data(call.terminal, plain(line));
      return exits.ok;
    },
  },
  {
    words: 'run approve',
    args: 'ID...',
    least: 1,
    most: 1_000,
    says: 'let a run that waits act',
    more: ['What another person has answered first is refused with who it was (exit code 1), here and by deny.'],
    options: [...showing, 'wait', 'timeout'],
    run: (call) => each(call, 'approved', (id) => approve(call, id)),
  },
  {
    words: 'run deny',
    args: 'ID...',
    least: 1,
    most: 1_000,
    says: 'refuse a run that waits; whoever refuses it has the incident',
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
    options: [...showing, ...filters.page],
    run: (call) => list(call, '/api/v1/pages', pageColumns, filters.page),
  },
];
