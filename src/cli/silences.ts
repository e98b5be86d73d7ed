// `silence`: made with a look at what it mutes now, always with an end and a reason.
import type { Matcher } from '../core/alert/labels.ts';
import { matcherIn } from '../core/alert/matchers.ts';
import { day } from '../core/time.ts';
import type { PreviewAnswer, SilenceAcceptedAnswer } from '../readmodel/answers.ts';
import type { SilenceDocument } from '../readmodel/documents.ts';
import { below, each, list, reaching, showing, type Call, type Command } from './command.ts';
import { exits, Stop, usage, type ExitCode } from './exit.ts';
import { filters } from './filters.ts';
import { idColumn, stateColumn } from './incidents.ts';
import { ago, formOf, shortSpan, type Column } from './table.ts';
import { confirmed, data, plain, plainJson, say } from './terminal.ts';
import { spanGiven } from './watch.ts';

const path = '/api/v1/silences';
const previewLines = 5;

const columns: readonly Column<SilenceDocument>[] = [
  idColumn,
  stateColumn,
  { head: 'ENDS', cell: ({ endsAt, untilResolved }, now) => `${ago(endsAt, now)}${untilResolved ? ', or when resolved' : ''}` },
  { head: 'BY', cell: ({ by }) => by },
  { head: 'MATCHERS', cell: ({ matchers }) => matchers.map(({ name, op, value }) => `${name}${op}${value}`).join(' ') },
  { head: 'COMMENT', cell: ({ comment }) => comment },
];

function matcherOf(text: string): Matcher {
  const read = matcherIn(text);
  if (!read.ok) throw usage(read.error);
  return read.value;
}

async function add(call: Call): Promise<ExitCode> {
  const { terminal, given } = call;
  const matchers = call.args.map(matcherOf);
  const untilResolved = given.has('until-resolved');
  const span = spanGiven(given.text('for'), '--for') ?? (untilResolved ? day : null);
  if (span === null) throw usage('a silence needs an end: --for 2h, or --until-resolved');
  const comment = given.text('comment');
  if (comment === undefined || comment.trim() === '') throw usage('a silence needs a reason: --comment "…"');
  if (!given.has('yes') && terminal.stdin.isTTY !== true)
    throw usage('nobody can be asked here: look with quench alert list, then say --yes');
  const scope = given.text('scope');
  const wanted = { matchers, ...(scope === undefined ? {} : { scope }) };
  await preview(call, wanted, span);
  if (!given.has('yes') && !(await confirmed(terminal, 'add it?'))) throw new Stop(exits.failed, 'nothing was added');
  const asked = { ...wanted, endsAt: terminal.clock.now() + span, untilResolved, comment };
  const answer = await call.api().post<SilenceAcceptedAnswer>(path, asked, ['id']);
  if (formOf(given) === 'json') data(terminal, plainJson(answer));
  else data(terminal, plain(answer.id));
  return exits.ok;
}

async function preview(call: Call, wanted: object, span: number): Promise<void> {
  const { count, complete, items, near } = await call.api().post<PreviewAnswer>(`${path}/preview`, wanted, ['count', 'complete', 'items']);
  const least = complete ? '' : 'at least ';
  say(
    call.terminal,
    `for ${shortSpan(span)} it mutes ${least}${count} ${count === 1 ? 'alert that fires' : 'alerts that fire'} now${count === 0 ? '' : ':'}`,
  );
  for (const { summary } of items.slice(0, previewLines)) say(call.terminal, `  ${plain(summary)}`);
  if (count > previewLines) say(call.terminal, `  … and ${count - previewLines} more`);
  // A gateway of 0.1.0 says nothing of what it does not match.
  if (near === undefined || near.count === 0) return;
  say(call.terminal, `it does not match ${near.count} that ${near.count === 1 ? 'looks' : 'look'} alike:`);
  for (const { name, value, summary } of near.items.slice(0, previewLines))
    say(call.terminal, `  ${plain(`${name}="${value}"`)}  ${plain(summary)}`);
}

export const silenceCommands: readonly Command[] = [
  {
    words: 'silence list',
    args: '',
    least: 0,
    most: 0,
    says: 'silences, newest first',
    more: ['States: active, expired.'],
    options: [...showing, ...filters.silence],
    run: (call) => list(call, path, columns, filters.silence),
  },
  {
    words: 'silence add',
    args: 'NAME=VALUE...',
    least: 1,
    most: 20,
    says: 'mute alerts whose labels fit; shows first what it would mute',
    more: [
      'Matchers: NAME=VALUE, NAME!=VALUE, NAME=~PATTERN, NAME!~PATTERN; all of them must hold. NAME and VALUE may stand in double quotes.',
      'It needs a reason, --comment, and an end, --for or --until-resolved. The id of the silence is on stdout.',
    ],
    options: [...reaching, 'output', 'for', 'until-resolved', 'comment', 'scope', 'yes'],
    run: add,
  },
  {
    words: 'silence expire',
    args: 'ID...',
    least: 1,
    most: 1_000,
    says: 'end a silence now',
    options: showing,
    run: (call) =>
      each(call, 'expired', async (id) => {
        await call.api().remove(below(path, id));
        return exits.ok;
      }),
  },
];
