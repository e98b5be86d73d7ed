// What `log replay` and `log move` tell when they are done, for people and as JSON.
import { problemLine, type ConfigProblem } from '../config/yaml/problems.ts';
import type { Result } from '../core/errors.ts';
import type { Doc } from './client.ts';
import { fields, type Call } from './command.ts';
import { exits, type ExitCode } from './exit.ts';
import { docAt, docsAt, formOf, numberAt, printList, textAt, type Column } from './table.ts';
import { data, painted, plain, plainJson, say } from './terminal.ts';

const shown = 20;
const sums = ['alerts', 'incidents', 'unresolved', 'pages'] as const;

type Done = Result<Doc, readonly ConfigProblem[]>;

export function tellShadowed(call: Call, done: Done): ExitCode {
  if (!done.ok) return problems(call, done.error);
  if (formOf(call.given) === 'json') data(call.terminal, plainJson(done.value));
  else tellShadow(call, done.value);
  return exits.ok;
}

/** What is not equal on the other side fails the command. */
export function tellMoved(call: Call, done: Done): ExitCode {
  if (!done.ok) return problems(call, done.error);
  tellMove(call, done.value);
  return done.value['ok'] === true ? exits.ok : exits.failed;
}

function problems({ terminal, given }: Call, found: readonly ConfigProblem[]): ExitCode {
  if (formOf(given) === 'json') data(terminal, plainJson({ ok: false, problems: found }));
  else for (const problem of found) data(terminal, plain(problemLine(problem)));
  say(terminal, `${found.length} ${found.length === 1 ? 'problem' : 'problems'}`);
  return exits.failed;
}

// ---------------------------------------------------------------- replay

function tellShadow(call: Call, doc: Doc): void {
  const { terminal } = call;
  const inputs = docAt(doc, 'inputs');
  const was = doc['was'] === null ? null : docAt(doc, 'was');
  const now = docAt(doc, 'now');
  const before = docAt(doc, 'fromBefore');
  const both = (name: string, value: (side: Doc) => string): [string, string] => [
    name,
    was === null ? value(now) : `${value(was) || '0'} then, ${value(now) || '0'} now`,
  ];
  fields(terminal, [
    ['stretch', `${textAt(doc, 'from')} to ${textAt(doc, 'to')}`],
    ['fed', countsOf(docAt(inputs, 'fed'))],
    ['left out', countsOf(docAt(inputs, 'leftOut'))],
    ...sums.map((name) => both(name, (side) => textAt(side, name))),
    both('decisions', (side) => countsOf(docAt(side, 'decisions'))),
    both('runs', (side) => countsOf(docAt(side, 'runs'))),
    [
      'before',
      `${textAt(before, 'alerts')} alerts, ${textAt(before, 'pages')} pages and ${textAt(before, 'runs')} runs go back to before the stretch and are not compared; silences and flapping of before are not known`,
    ],
  ]);
  if (was === null) return say(terminal, 'no facts in the recording: nothing to compare with; export --topic facts, too, and append it');
  tellDifferences(call, doc);
}

function tellDifferences({ terminal }: Call, doc: Doc): void {
  const different = docAt(doc, 'different');
  const count = numberAt(different, 'count') ?? 0;
  data(
    terminal,
    `\ndecided differently  ${painted(terminal, count === 0 ? 'green' : 'yellow', String(count))}${count === 0 ? '' : `: ${plain(countsOf(docAt(different, 'kinds')))}`}`,
  );
  for (const one of docsAt(different, 'first').slice(0, shown)) {
    const [was, now] = [docAt(one, 'was'), docAt(one, 'now')];
    data(terminal, plain(`  ${textAt(one, 'input')}  ${textAt(one, 'summary') || textAt(one, 'alert')}`));
    data(terminal, plain(`    then ${textAt(was, 'decision')}: ${textAt(was, 'reason')}`));
    data(terminal, plain(`    now  ${textAt(now, 'decision')}: ${textAt(now, 'reason')}`));
  }
  const paged = docAt(doc, 'paged');
  for (const [name, says] of [
    ['onlyThen', 'paged then, not now'],
    ['onlyNow', 'paged now, not then'],
  ] as const) {
    const side = docAt(paged, name);
    data(terminal, `${says.padEnd(19)}  ${textAt(side, 'count')}`);
    for (const one of docsAt(side, 'first').slice(0, shown)) data(terminal, plain(`  ${textAt(one, 'alert')}  ${textAt(one, 'title')}`));
  }
  if (count > shown) say(terminal, `the first ${shown}; up to a hundred with -o json`);
  const unanswered = numberAt(doc, 'unanswered') ?? 0;
  if (unanswered > 0) say(terminal, `of ${unanswered} alerts the recording holds no decision`);
}

function countsOf(doc: Doc): string {
  return Object.entries(doc)
    .map(([word, count]) => `${String(count)} ${word}`)
    .join(', ');
}

// ---------------------------------------------------------------- move

const movedColumns: readonly Column[] = [
  { head: 'PARTITION', cell: (doc) => textAt(doc, 'partition') },
  { head: 'SCOPES', cell: (doc) => textAt(doc, 'scopes') },
  { head: 'ROWS', cell: (doc) => textAt(doc, 'rows') },
  { head: 'FACTS', cell: (doc) => textAt(doc, 'facts') },
  {
    head: 'READ BACK',
    cell: (doc) => (doc['equal'] === null ? 'not written' : doc['equal'] === true ? 'equal' : 'NOT EQUAL'),
    colour: (doc) => (doc['equal'] === false ? 'red' : doc['equal'] === true ? 'green' : null),
  },
];

function tellMove(call: Call, doc: Doc): void {
  const { terminal, given } = call;
  printList(terminal, given, { docs: docsAt(doc, 'partitions'), columns: movedColumns, whole: doc, id: (one) => textAt(one, 'partition') });
  const dry = doc['dryRun'] === true;
  say(
    terminal,
    `${textAt(doc, 'deadLetters')} dead letters ${dry ? 'would be moved' : 'moved'}; deliveries as they were received stay in the old file`,
  );
  const forgotten = numberAt(doc, 'forgotten') ?? 0;
  if (forgotten > 0)
    say(
      terminal,
      `retention had forgotten ${forgotten} facts: what they told goes on being decided by, but the new read model does not show it`,
    );
  const different = (doc['different'] as readonly string[] | undefined) ?? [];
  if (different.length > 0)
    say(
      terminal,
      `not equal: ${different.slice(0, shown).join(', ')}; do not start a gateway on it: delete its topics, keep the old data, and report this`,
    );
  else if (dry) say(terminal, 'no record was written; topics and data.dir are there now, made where they were missing');
  else say(terminal, 'start the gateways on the shared log, with a new data.dir; keep the old directory until you are content');
}
