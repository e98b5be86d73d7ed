// `deadletter`: deliveries that were not understood.
import type { LetterAnswer, LetterDocument } from '../readmodel/answers.ts';
import { below, each, fields, list, reaching, showEach, showing, type Call, type Command } from './command.ts';
import { exits } from './exit.ts';
import { filters } from './filters.ts';
import { idColumn, stateColumn } from './incidents.ts';
import { ago, clockOf, type Column } from './table.ts';
import { data, plainLines } from './terminal.ts';

const path = '/api/v1/deadletters';

const columns: readonly Column<LetterDocument>[] = [
  idColumn,
  stateColumn,
  { head: 'CAME', cell: ({ at }, now) => ago(at, now) },
  { head: 'ENDPOINT', cell: ({ endpoint }) => endpoint },
  { head: 'REASON', cell: ({ reason }) => reason },
  { head: 'MESSAGE', cell: ({ message }) => message },
];

function show({ terminal }: Call, letter: LetterAnswer): void {
  fields(terminal, [
    ['letter', `${letter.id} ${letter.state}`],
    ['came', `${clockOf(letter.at)} at ${letter.endpoint}${letter.path} (${letter.source})`],
    ['reason', `${letter.reason}: ${letter.message}`],
    ...Object.entries(letter.headers).map(([name, value]): [string, string] => ['header', `${name}: ${value}`]),
  ]);
  data(terminal, `\n${plainLines(letter.body)}`);
}

export const deadLetterCommands: readonly Command[] = [
  {
    words: 'deadletter list',
    args: '',
    least: 0,
    most: 0,
    says: 'deliveries that were not understood, newest first',
    options: [...showing, ...filters.letter],
    run: (call) => list(call, path, columns, filters.letter),
  },
  {
    words: 'deadletter show',
    args: 'ID...',
    least: 1,
    most: 100,
    says: 'one of them, with its body',
    options: showing,
    run: (call) =>
      showEach<LetterAnswer>(call, (id) => below(path, id), {
        members: ['id', 'state', 'headers', 'body'],
        show: (letter) => show(call, letter),
      }),
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
