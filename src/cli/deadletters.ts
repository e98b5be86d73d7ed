// `deadletter`: deliveries that were not understood.
import type { Doc } from './client.ts';
import { below, each, fields, list, reaching, showEach, showing, type Call, type Command } from './command.ts';
import { exits } from './exit.ts';
import { idColumn, stateColumn } from './incidents.ts';
import { agoAt, clockOf, docAt, numberAt, textAt, type Column } from './table.ts';
import { data, plainLines } from './terminal.ts';

const path = '/api/v1/deadletters';

const columns: readonly Column[] = [
  idColumn,
  stateColumn,
  { head: 'CAME', cell: (doc, now) => agoAt(doc, 'at', now) },
  { head: 'ENDPOINT', cell: (doc) => textAt(doc, 'endpoint') },
  { head: 'REASON', cell: (doc) => textAt(doc, 'reason') },
  { head: 'MESSAGE', cell: (doc) => textAt(doc, 'message') },
];

function show({ terminal }: Call, doc: Doc): void {
  fields(terminal, [
    ['letter', `${textAt(doc, 'id')} ${textAt(doc, 'state')}`],
    ['came', `${clockOf(numberAt(doc, 'at'))} at ${textAt(doc, 'endpoint')}${textAt(doc, 'path')} (${textAt(doc, 'source')})`],
    ['reason', `${textAt(doc, 'reason')}: ${textAt(doc, 'message')}`],
    ...Object.entries(docAt(doc, 'headers')).map(([name, value]): [string, string] => ['header', `${name}: ${String(value)}`]),
  ]);
  data(terminal, `\n${plainLines(textAt(doc, 'body'))}`);
}

export const deadLetterCommands: readonly Command[] = [
  {
    words: 'deadletter list',
    args: '',
    least: 0,
    most: 0,
    says: 'deliveries that were not understood, newest first',
    options: [...showing, 'limit'],
    run: (call) => list(call, path, columns, []),
  },
  {
    words: 'deadletter show',
    args: 'ID...',
    least: 1,
    most: 100,
    says: 'one of them, with its body',
    options: showing,
    run: (call) =>
      showEach(
        call,
        (id) => below(path, id),
        (doc) => show(call, doc),
      ),
  },
  {
    words: 'deadletter replay',
    args: 'ID...',
    least: 1,
    most: 1_000,
    says: 'send it through again; twice has the effect of once',
    options: showing,
    run: (call) =>
      each(call, 'replayed', async (id) => {
        await call.api().post(`${below(path, id)}/replay`, {});
        return exits.ok;
      }),
  },
  {
    words: 'deadletter discard',
    args: 'ID...',
    least: 1,
    most: 1_000,
    says: 'let it go',
    options: [...reaching, 'output', 'quiet'],
    run: (call) =>
      each(call, 'discarded', async (id) => {
        await call.api().post(`${below(path, id)}/discard`, {});
        return exits.ok;
      }),
  },
];
