// `incident`: list, show with its story, and what people do to one.
import type { IncidentAnswer } from '../readmodel/answers.ts';
import type { IncidentDocument, PageDocument, RunDocument } from '../readmodel/documents.ts';
import { below, each, fields, list, reaching, showEach, showing, type Call, type Command } from './command.ts';
import { exits, usage } from './exit.ts';
import { filters } from './filters.ts';
import { resultOfIncident } from './outcomes.ts';
import { ago, clockOf, colourOf, shortSpan, type Column } from './table.ts';
import { data, painted, plain, type Terminal } from './terminal.ts';
import { readTimeline, timelineLines } from './timeline.ts';
import { watch } from './watch.ts';

const path = '/api/v1/incidents';
const membersShown = 20;

export const severityColumn: Column<{ readonly severity: string }> = {
  head: 'SEVERITY',
  cell: ({ severity }) => severity,
  colour: ({ severity }) => colourOf(severity),
};
export const stateColumn: Column<{ readonly state: string }> = {
  head: 'STATE',
  cell: ({ state }) => state,
  colour: ({ state }) => colourOf(state),
};
export const idColumn: Column<{ readonly id: string }> = { head: 'ID', cell: ({ id }) => id };

const columns: readonly Column<IncidentDocument>[] = [
  idColumn,
  stateColumn,
  severityColumn,
  { head: 'SCORE', cell: scoreOf },
  { head: 'ALERTS', cell: ({ members }) => String(members) },
  { head: 'OPENED', cell: ({ openedAt }, now) => ago(openedAt, now) },
  { head: 'RESULT', cell: resultOfIncident },
  { head: 'TITLE', cell: ({ title, children }) => (children === 0 ? title : `${title} (storm, speaks for ${children})`) },
];

function scoreOf({ score }: IncidentDocument): string {
  return score?.value.toFixed(2) ?? '';
}

async function show(call: Call, incident: IncidentAnswer): Promise<void> {
  const { terminal } = call;
  const score = scoreOf(incident);
  data(terminal, `${painted(terminal, 'bold', plain(incident.id))}  ${plain(incident.title)}`);
  fields(terminal, [
    ['state', stateOf(incident)],
    ['severity', joined(', ', incident.severity, score === '' ? '' : `score ${score}`)],
    ['decision', joined(': ', incident.decision ?? '', incident.reason ?? '')],
    ['opened', openedOf(incident, terminal.clock.now())],
    ['part of', incident.parent ?? ''],
    ...incident.runs.toReversed().map((run): [string, string] => ['run', runLine(run)]),
    ...incident.pages.toReversed().map((page): [string, string] => ['page', pageLine(page)]),
  ]);
  showMembers(terminal, incident);
  showNested(terminal, incident);
  const lines = timelineLines(terminal, await readTimeline(call.api(), incident.id, -1), call.given.has('all'));
  if (lines.length > 0) data(terminal, '\ntimeline');
  for (const line of lines) data(terminal, `  ${line}`);
}

function runLine(run: RunDocument): string {
  const target = run.target === '' ? '' : ` on ${run.target}`;
  return joined(': ', `${run.id} ${run.playbook}${target}`, run.end ?? run.state, run.reason ?? '');
}

function pageLine(page: PageDocument): string {
  const by = page.ackedBy === null ? '' : `, acknowledged by ${page.ackedBy}`;
  return `${page.id} ${page.state}${by}, ladder ${page.ladder}: ${page.reason}`;
}

function joined(between: string, ...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(between);
}

function stateOf(incident: IncidentDocument): string {
  const resolved = incident.state === 'resolved';
  const by = (resolved ? incident.resolvedBy : incident.acknowledgedBy) ?? '';
  const who = (resolved ? incident.resolvedWho : null) ?? '';
  return `${incident.state}${by === '' ? '' : ` by ${by}`}${who === '' ? '' : ` (${who})`}`;
}

function openedOf({ openedAt, resolvedAt }: IncidentDocument, now: number): string {
  return `${clockOf(openedAt)}, ${resolvedAt === null ? `${shortSpan(now - openedAt)} ago` : `lasted ${shortSpan(resolvedAt - openedAt)}`}`;
}

function showMembers(terminal: Terminal, { id, members, alerts, alertsMore }: IncidentAnswer): void {
  data(terminal, `\nalerts  ${Math.max(members, alerts.length)}`);
  for (const { state, count, severity, summary, source } of alerts.slice(0, membersShown)) {
    const times = count > 1 ? `, ${count} times` : '';
    data(
      terminal,
      `  ${painted(terminal, colourOf(state), plain(state.padEnd(8)))}${plain(`${severity.padEnd(9)} ${summary} (${source}${times})`)}`,
    );
  }
  if (alertsMore || alerts.length > membersShown) data(terminal, `  … quench alert list --incident ${plain(id)} shows more`);
}

function showNested(terminal: Terminal, { id, children, nested }: IncidentAnswer): void {
  if (nested.items.length === 0) return;
  data(terminal, `\nspeaks for  ${children}`);
  for (const one of nested.items.slice(0, membersShown))
    data(terminal, `  ${painted(terminal, colourOf(one.state), plain(one.state.padEnd(13)))}${plain(`${one.id}  ${one.title}`)}`);
  if (nested.items.length > membersShown || nested.next !== null)
    data(terminal, `  … quench incident list --parent ${plain(id)} shows more`);
}

export const incidentCommands: readonly Command[] = [
  {
    words: 'incident list',
    args: '',
    least: 0,
    most: 0,
    says: 'incidents that are not resolved, the worst first',
    more: [
      'States: open, acknowledged, resolved; without --state the first two.',
      'Incidents for which a storm speaks are shown with --children, and where a filter fits them but not the storm.',
      'quench incident list --state resolved --since 1d --host db1',
    ],
    options: [...showing, ...filters.incident],
    run: (call) => list(call, path, columns, filters.incident),
  },
  {
    words: 'incident show',
    args: 'ID...',
    least: 1,
    most: 100,
    says: 'one incident: why it is there, what was done, who was told',
    options: [...showing, 'all'],
    run: (call) =>
      showEach<IncidentAnswer>(call, (id) => below(path, id), {
        members: ['id', 'state', 'title', 'score', 'alerts', 'runs', 'pages', 'nested'],
        show: (incident) => show(call, incident),
      }),
  },
  {
    words: 'incident ack',
    args: 'ID...',
    least: 1,
    most: 1_000,
    says: 'you have it: stop ringing',
    more: ['What another person has is not taken (exit code 1); --over takes it over. Everybody who was told hears who has it.'],
    options: [...showing, 'over'],
    run: (call) =>
      each(call, 'acknowledged', async (id) => {
        await call.api().post(`${below(path, id)}/ack`, call.given.has('over') ? { over: true } : {});
        return exits.ok;
      }),
  },
  {
    words: 'incident unack',
    args: 'ID...',
    least: 1,
    most: 1_000,
    says: 'you give it back: it rings again',
    more: ['What nobody has is not given back (exit code 1).'],
    options: [...showing, 'note'],
    run: (call) =>
      each(call, 'given back', async (id) => {
        const note = call.given.text('note');
        await call.api().post(`${below(path, id)}/unack`, note === undefined ? {} : { note });
        return exits.ok;
      }),
  },
  {
    words: 'incident resolve',
    args: 'ID...',
    least: 1,
    most: 1_000,
    says: 'it is over, whatever the alerts say',
    more: [
      'What still fires reopens it after a while (grouping.reopen); with --force it comes back only when it is worse, or has cleared and fires again.',
    ],
    options: [...showing, 'note', 'force'],
    run: (call) =>
      each(call, 'resolved', async (id) => {
        const note = call.given.text('note');
        const force = call.given.has('force') ? { force: true } : {};
        await call.api().post(`${below(path, id)}/resolve`, { ...(note === undefined ? {} : { note }), ...force });
        return exits.ok;
      }),
  },
  {
    words: 'incident note',
    args: 'ID TEXT...',
    least: 2,
    most: 1_000,
    says: 'write a remark onto its timeline',
    options: reaching,
    async run(call) {
      const [id = '', ...text] = call.args;
      if (id === '-') throw usage('incident note takes one id, not stdin');
      await call.api().post(`${below(path, id)}/note`, { text: text.join(' ') });
      return exits.ok;
    },
  },
  {
    words: 'incident watch',
    args: '[ID]',
    least: 0,
    most: 1,
    says: 'follow one incident until it is resolved, or all of them',
    more: ['Exit code 7 when it was resolved, but its last playbook did not help.'],
    options: [...reaching, 'output', 'quiet', 'timeout'],
    run: watch,
  },
];
