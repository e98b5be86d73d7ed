// `alert`: what is known about each alert, and the delivery behind it.
import type { RawAnswer } from '../readmodel/answers.ts';
import type { AlertDocument } from '../readmodel/documents.ts';
import { below, fields, idsOf, list, showEach, showing, type Call, type Command } from './command.ts';
import { exits, type ExitCode } from './exit.ts';
import { filters } from './filters.ts';
import { idColumn, severityColumn, stateColumn } from './incidents.ts';
import { resultOfAlert } from './outcomes.ts';
import { ago, clockOf, type Column } from './table.ts';
import { data, plainLines } from './terminal.ts';

const path = '/api/v1/alerts';

const columns: readonly Column<AlertDocument>[] = [
  idColumn,
  stateColumn,
  severityColumn,
  { head: 'NAME', cell: ({ name }) => name },
  { head: 'WHERE', cell: ({ entity }) => entity.host ?? entity.service ?? entity.pod ?? entity.ip ?? '' },
  { head: 'SEEN', cell: ({ count }) => String(count) },
  { head: 'SINCE', cell: ({ startedAt }, now) => ago(startedAt, now) },
  { head: 'RESULT', cell: resultOfAlert },
  { head: 'INCIDENT', cell: ({ incident }) => incident ?? '' },
  { head: 'SUMMARY', cell: ({ summary }) => summary },
];

function show({ terminal }: Call, alert: AlertDocument): void {
  const { score } = alert;
  const times = alert.count === 1 ? 'once' : `${alert.count} times`;
  fields(terminal, [
    ['alert', `${alert.id}  ${alert.name}`],
    ['summary', alert.summary],
    ['state', `${alert.state}, ${alert.severity}, seen ${times} by ${alert.source}`],
    ['since', `${clockOf(alert.startedAt)}, ${ago(alert.startedAt, terminal.clock.now())}`],
    ['incident', alert.incident ?? ''],
    ['decision', alert.decision === null ? '' : `${alert.decision}: ${alert.reason ?? ''}`],
    ['score', score === null ? '' : [String(score.value), ...score.terms.map(({ why }) => why)].join('; ')],
    ['muted', alert.muted?.kind ?? ''],
    ...Object.entries(alert.labels).map(([name, value]): [string, string] => ['label', `${name}=${value}`]),
    ...alert.links.map(({ text, href }): [string, string] => ['link', `${text}: ${href}`]),
  ]);
}

/** Into a file the bytes as they came; onto a terminal nothing that acts. */
async function raw(call: Call): Promise<ExitCode> {
  const { terminal } = call;
  for (const id of await idsOf(call)) {
    const { body } = await call.api().get<RawAnswer>(`${below(path, id)}/raw`, ['body']);
    data(terminal, terminal.stdout.isTTY === true ? plainLines(body) : body);
  }
  return exits.ok;
}

export const alertCommands: readonly Command[] = [
  {
    words: 'alert list',
    args: '',
    least: 0,
    most: 0,
    says: 'alerts, newest first',
    more: ['States: firing, cleared.'],
    options: [...showing, ...filters.alert],
    run: (call) => list(call, path, columns, filters.alert),
  },
  {
    words: 'alert show',
    args: 'ID...',
    least: 1,
    most: 100,
    says: 'one alert: what was decided about it and why',
    options: [...showing, 'raw'],
    run: (call) =>
      call.given.has('raw')
        ? raw(call)
        : showEach<AlertDocument>(call, (id) => below(path, id), {
            members: ['id', 'state', 'labels', 'links', 'score', 'muted'],
            show: (alert) => show(call, alert),
          }),
  },
];
