// `incident`: list, show with its story, and what people do to one.
import type { Doc } from './client.ts';
import { below, each, fields, list, listing, reaching, showEach, showing, type Call, type Command } from './command.ts';
import { exits, usage } from './exit.ts';
import { agoAt, clockOf, colourOf, docAt, docsAt, numberAt, shortSpan, textAt, type Column } from './table.ts';
import { data, painted, plain } from './terminal.ts';
import { readTimeline, timelineLines } from './timeline.ts';
import { watch } from './watch.ts';

const path = '/api/v1/incidents';
const membersShown = 20;

export const severityColumn: Column = {
  head: 'SEVERITY',
  cell: (doc) => textAt(doc, 'severity'),
  colour: (doc) => colourOf(textAt(doc, 'severity')),
};
export const stateColumn: Column = { head: 'STATE', cell: (doc) => textAt(doc, 'state'), colour: (doc) => colourOf(textAt(doc, 'state')) };
export const idColumn: Column = { head: 'ID', cell: (doc) => textAt(doc, 'id') };

const columns: readonly Column[] = [
  idColumn,
  stateColumn,
  severityColumn,
  { head: 'SCORE', cell: (doc) => scoreOf(doc) },
  { head: 'ALERTS', cell: (doc) => textAt(doc, 'members') },
  { head: 'OPENED', cell: (doc, now) => agoAt(doc, 'openedAt', now) },
  { head: 'DECISION', cell: (doc) => textAt(doc, 'decision') },
  { head: 'TITLE', cell: (doc) => textAt(doc, 'title') },
];

function scoreOf(doc: Doc): string {
  return numberAt(docAt(doc, 'score'), 'value')?.toFixed(2) ?? '';
}

async function show(call: Call, doc: Doc, id: string): Promise<void> {
  const { terminal } = call;
  data(terminal, `${painted(terminal, 'bold', plain(textAt(doc, 'id')))}  ${plain(textAt(doc, 'title'))}`);
  fields(terminal, [
    ['state', stateOf(doc)],
    ['severity', joined(', ', textAt(doc, 'severity'), scoreOf(doc) === '' ? '' : `score ${scoreOf(doc)}`)],
    ['decision', joined(': ', textAt(doc, 'decision'), textAt(doc, 'reason'))],
    ['opened', openedOf(doc, terminal.clock.now())],
    ['part of', textAt(doc, 'parent')],
    ...docsAt(doc, 'runs')
      .toReversed()
      .map((run): [string, string] => ['run', runLine(run)]),
    ...docsAt(doc, 'pages')
      .toReversed()
      .map((page): [string, string] => ['page', pageLine(page)]),
  ]);
  showMembers(call, doc);
  const lines = timelineLines(terminal, await readTimeline(call.api(), id, -1), call.given.has('all'));
  if (lines.length > 0) data(terminal, '\ntimeline');
  for (const line of lines) data(terminal, `  ${line}`);
}

function runLine(run: Doc): string {
  const target = textAt(run, 'target');
  return joined(
    ': ',
    `${textAt(run, 'id')} ${textAt(run, 'playbook')}${target === '' ? '' : ` on ${target}`}`,
    textAt(run, 'end') || textAt(run, 'state'),
    textAt(run, 'reason'),
  );
}

function pageLine(page: Doc): string {
  const by = textAt(page, 'ackedBy') === '' ? '' : `, acknowledged by ${textAt(page, 'ackedBy')}`;
  return `${textAt(page, 'id')} ${textAt(page, 'state')}${by}, ladder ${textAt(page, 'ladder')}: ${textAt(page, 'reason')}`;
}

function joined(between: string, ...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(between);
}

function stateOf(doc: Doc): string {
  const who =
    textAt(doc, 'state') === 'resolved' ? [textAt(doc, 'resolvedBy'), textAt(doc, 'resolvedWho')] : [textAt(doc, 'acknowledgedBy'), ''];
  const [by = '', name = ''] = who;
  return `${textAt(doc, 'state')}${by === '' ? '' : ` by ${by}`}${name === '' ? '' : ` (${name})`}`;
}

function openedOf(doc: Doc, now: number): string {
  const opened = numberAt(doc, 'openedAt');
  const resolved = numberAt(doc, 'resolvedAt');
  if (opened === null) return '';
  return `${clockOf(opened)}, ${resolved === null ? `${shortSpan(now - opened)} ago` : `lasted ${shortSpan(resolved - opened)}`}`;
}

function showMembers({ terminal }: Call, doc: Doc): void {
  const alerts = docsAt(doc, 'alerts');
  const more = doc['alertsMore'] === true || alerts.length > membersShown;
  data(terminal, `\nalerts  ${plain(textAt(doc, 'members')) || String(alerts.length)}`);
  for (const alert of alerts.slice(0, membersShown)) {
    const state = textAt(alert, 'state');
    const seen = numberAt(alert, 'count') ?? 1;
    const times = seen > 1 ? `, ${seen} times` : '';
    data(
      terminal,
      `  ${painted(terminal, colourOf(state), state.padEnd(8))}${plain(`${textAt(alert, 'severity').padEnd(9)} ${textAt(alert, 'summary')} (${textAt(alert, 'source')}${times})`)}`,
    );
  }
  if (more) data(terminal, `  … quench alert list --text ${plain(textAt(doc, 'id'))} shows more`);
}

export const incidentCommands: readonly Command[] = [
  {
    words: 'incident list',
    args: '',
    least: 0,
    most: 0,
    says: 'incidents, newest first',
    more: ['States: open, acknowledged, resolved.'],
    options: listing,
    run: (call) => list(call, path, columns),
  },
  {
    words: 'incident show',
    args: 'ID...',
    least: 1,
    most: 100,
    says: 'one incident: why it is there, what was done, who was told',
    options: [...showing, 'all'],
    run: (call) =>
      showEach(
        call,
        (id) => below(path, id),
        (doc, id) => show(call, doc, id),
      ),
  },
  {
    words: 'incident ack',
    args: 'ID...',
    least: 1,
    most: 1_000,
    says: 'you have it: stop ringing',
    options: showing,
    run: (call) =>
      each(call, 'acknowledged', async (id) => {
        await call.api().post(`${below(path, id)}/ack`, {});
        return exits.ok;
      }),
  },
  {
    words: 'incident resolve',
    args: 'ID...',
    least: 1,
    most: 1_000,
    says: 'it is over, whatever the alerts say',
    options: [...showing, 'note'],
    run: (call) =>
      each(call, 'resolved', async (id) => {
        const note = call.given.text('note');
        await call.api().post(`${below(path, id)}/resolve`, note === undefined ? {} : { note });
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
