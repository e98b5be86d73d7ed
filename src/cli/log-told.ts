// What `log replay` and `log move` tell when they are done, for people and as JSON.
import { problemLine, type ConfigProblem } from '../config/yaml/problems.ts';
import type { Result } from '../core/errors.ts';
import { fields, type Call } from './command.ts';
import { exits, type ExitCode } from './exit.ts';
import type { Moved, MovedPartition, Comparison, Sums } from './results.ts';
import { formOf, printList, type Column } from './table.ts';
import { data, painted, plain, plainJson, say } from './terminal.ts';

const shown = 20;
const sums = ['alerts', 'incidents', 'unresolved', 'pages'] as const;

type Done<T> = Result<T, readonly ConfigProblem[]>;

export function tellComparison(call: Call, done: Done<Comparison>): ExitCode {
  if (!done.ok) return problems(call, done.error);
  if (formOf(call.given) === 'json') data(call.terminal, plainJson(done.value));
  else tellRange(call, done.value);
  return exits.ok;
}

/** What is not equal on the other side fails the command. */
export function tellMoved(call: Call, done: Done<Moved>): ExitCode {
  if (!done.ok) return problems(call, done.error);
  tellMove(call, done.value);
  return done.value.ok ? exits.ok : exits.failed;
}

function problems({ terminal, given }: Call, found: readonly ConfigProblem[]): ExitCode {
  if (formOf(given) === 'json') data(terminal, plainJson({ ok: false, problems: found }));
  else for (const problem of found) data(terminal, plain(problemLine(problem)));
  say(terminal, `${found.length} ${found.length === 1 ? 'problem' : 'problems'}`);
  return exits.failed;
}

// ---------------------------------------------------------------- replay

function tellRange(call: Call, shadowed: Comparison): void {
  const { terminal } = call;
  const { inputs, was, now, fromBefore: before } = shadowed;
  const both = (name: string, value: (side: Sums) => string): [string, string] => [
    name,
    was === null ? value(now) : `${value(was) || '0'} then, ${value(now) || '0'} now`,
  ];
  fields(terminal, [
    ['stretch', `${shadowed.from ?? ''} to ${shadowed.to ?? ''}`],
    ['fed', countsOf(inputs.fed)],
    ['left out', countsOf(inputs.leftOut)],
    ...sums.map((name) => both(name, (side) => String(side[name]))),
    both('decisions', (side) => countsOf(side.decisions)),
    both('runs', (side) => countsOf(side.runs)),
    [
      'before',
      `${before.alerts} alerts, ${before.pages} pages and ${before.runs} runs go back to before the stretch and are not compared; silences and flapping of before are not known`,
    ],
  ]);
  if (was === null) return say(terminal, 'no facts in the recording: nothing to compare with; export --topic facts, too, and append it');
  tellDifferences(call, shadowed);
}

function tellDifferences({ terminal }: Call, { different, paged, unanswered }: Comparison): void {
  const { count } = different;
  data(
    terminal,
    `\ndecided differently  ${painted(terminal, count === 0 ? 'green' : 'yellow', String(count))}${count === 0 ? '' : `: ${plain(countsOf(different.kinds))}`}`,
  );
  for (const { input, summary, alert, was, now } of different.first.slice(0, shown)) {
    data(terminal, plain(`  ${input}  ${summary || alert}`));
    data(terminal, plain(`    then ${was.decision}: ${was.reason}`));
    data(terminal, plain(`    now  ${now.decision}: ${now.reason}`));
  }
  for (const [side, says] of [
    [paged.onlyThen, 'paged then, not now'],
    [paged.onlyNow, 'paged now, not then'],
  ] as const) {
    data(terminal, `${says.padEnd(19)}  ${side.count}`);
    for (const { alert, title } of side.first.slice(0, shown)) data(terminal, plain(`  ${alert}  ${title}`));
  }
  if (count > shown) say(terminal, `the first ${shown}; up to a hundred with -o json`);
  if (unanswered > 0) say(terminal, `of ${unanswered} alerts the recording holds no decision`);
}

function countsOf(counts: { readonly [word: string]: number }): string {
  return Object.entries(counts)
    .map(([word, count]) => `${count} ${word}`)
    .join(', ');
}

// ---------------------------------------------------------------- move

const movedColumns: readonly Column<MovedPartition>[] = [
  { head: 'PARTITION', cell: ({ partition }) => String(partition) },
  { head: 'SCOPES', cell: ({ scopes }) => String(scopes) },
  { head: 'ROWS', cell: ({ rows }) => String(rows) },
  { head: 'FACTS', cell: ({ facts }) => String(facts) },
  {
    head: 'READ BACK',
    cell: ({ equal }) => (equal === null ? 'not written' : equal ? 'equal' : 'NOT EQUAL'),
    colour: ({ equal }) => (equal === null ? null : equal ? 'green' : 'red'),
  },
];

function tellMove({ terminal, given }: Call, moved: Moved): void {
  const { partitions: items, dryRun, deadLetters, forgotten, different } = moved;
  printList(terminal, given, { items, columns: movedColumns, whole: moved, id: ({ partition }) => String(partition) });
  say(
    terminal,
    `${deadLetters} dead letters ${dryRun ? 'would be moved' : 'moved'}; deliveries as they were received stay in the old file`,
  );
  if (forgotten > 0)
    say(
      terminal,
      `retention had forgotten ${forgotten} facts: what they told goes on being decided by, but the new read model does not show it`,
    );
  if (different.length > 0)
    say(
      terminal,
      `not equal: ${different.slice(0, shown).join(', ')}; do not start a gateway on it: delete its topics, keep the old data, and report this`,
    );
  else if (dryRun) say(terminal, 'no record was written; topics and data.dir are there now, made where they were missing');
  else say(terminal, 'start the gateways on the shared log, with a new data.dir; keep the old directory until you are content');
}
