// `alert`: what is known about each alert, and the delivery behind it.
import type { Doc } from './client.ts';
import { below, fields, idsOf, list, listing, showEach, showing, type Call, type Command } from './command.ts';
import { exits, type ExitCode } from './exit.ts';
import { idColumn, severityColumn, stateColumn } from './incidents.ts';
import { agoAt, clockOf, docAt, docsAt, numberAt, textAt, type Column } from './table.ts';
import { data, plainLines } from './terminal.ts';

const path = '/api/v1/alerts';

const columns: readonly Column[] = [
  idColumn,
  stateColumn,
  severityColumn,
  { head: 'NAME', cell: (doc) => textAt(doc, 'name') },
  { head: 'WHERE', cell: (doc) => whereOf(doc) },
  { head: 'SEEN', cell: (doc) => textAt(doc, 'count') },
  { head: 'SINCE', cell: (doc, now) => agoAt(doc, 'startedAt', now) },
  { head: 'INCIDENT', cell: (doc) => textAt(doc, 'incident') },
  { head: 'SUMMARY', cell: (doc) => textAt(doc, 'summary') },
];

function whereOf(doc: Doc): string {
  const entity = docAt(doc, 'entity');
  return ['host', 'service', 'pod', 'ip'].map((part) => textAt(entity, part)).find((text) => text !== '') ?? '';
}

function show({ terminal }: Call, doc: Doc): void {
  const now = terminal.clock.now();
  const score = docAt(doc, 'score');
  fields(terminal, [
    ['alert', `${textAt(doc, 'id')}  ${textAt(doc, 'name')}`],
    ['summary', textAt(doc, 'summary')],
    [
      'state',
      `${textAt(doc, 'state')}, ${textAt(doc, 'severity')}, seen ${textAt(doc, 'count') === '1' ? 'once' : `${textAt(doc, 'count')} times`} by ${textAt(doc, 'source')}`,
    ],
    ['since', `${clockOf(numberAt(doc, 'startedAt'))}, ${agoAt(doc, 'startedAt', now)}`],
    ['incident', textAt(doc, 'incident')],
    ['decision', `${textAt(doc, 'decision')}: ${textAt(doc, 'reason')}`],
    [
      'score',
      [textAt(score, 'value'), ...docsAt(score, 'terms').map((term) => textAt(term, 'why'))].filter((text) => text !== '').join('; '),
    ],
    ['muted', textAt(docAt(doc, 'muted'), 'kind')],
    ...Object.entries(docAt(doc, 'labels')).map(([name, value]): [string, string] => ['label', `${name}=${String(value)}`]),
    ...docsAt(doc, 'links').map((link): [string, string] => ['link', `${textAt(link, 'text')}: ${textAt(link, 'href')}`]),
  ]);
}

/** Into a file the bytes as they came; onto a terminal nothing that acts. */
async function raw(call: Call): Promise<ExitCode> {
  const { terminal } = call;
  for (const id of await idsOf(call)) {
    const body = textAt(await call.api().get(`${below(path, id)}/raw`), 'body');
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
    options: listing,
    run: (call) => list(call, path, columns),
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
        : showEach(
            call,
            (id) => below(path, id),
            (doc) => show(call, doc),
          ),
  },
];
