// `log`: how the log stands, its records as lines, a stretch of it through today's rules, and a lone gateway's data put on a shared log.
import { once } from 'node:events';
import type { Topic } from '../ports/event-log.ts';
import { sharedRoles, type SharedRole } from '../ports/shares.ts';
import type { LogAnswer, LogPartition, LogRole } from '../readmodel/answers.ts';
import { reaching, showing, type Call, type Command } from './command.ts';
import { exits, usage, type ExitCode } from './exit.ts';
import { logPath, partitionCount, partitionIn, placeIn, recordsFrom, rangeOf } from './log-records.ts';
import { tellMoved, tellComparison } from './log-told.ts';
import { formOf, printList, shortSpan, type Column } from './table.ts';
import { pause, plain, plainJson, say, type Colour } from './terminal.ts';

const defaultConfig = 'quench.yaml';
/** Long enough for a lag to move, short enough to wait for. */
const lookAgainMs = 1_000;
const progressEveryMs = 2_000;

// ---------------------------------------------------------------- stats

type RoleWord = 'here' | 'not here' | 'growing';
type Figures = LogPartition & { readonly [role in SharedRole]: LogRole & { readonly state: RoleWord } };

/** Lag is only worth alarm when it grows, which takes a second look. */
async function stats(call: Call): Promise<ExitCode> {
  const { terminal, given } = call;
  const look = (): Promise<LogAnswer> => call.api().get<LogAnswer>(logPath, ['instance', 'roles', 'log', 'partitions', 'spool']);
  let seen = await look();
  const before = seen;
  if (seen.partitions.some((one) => sharedRoles.some((role) => (one[role].lag ?? 0) > 0))) {
    await pause(terminal, lookAgainMs);
    seen = await look();
  }
  const items = seen.partitions.map((one, place) => withWords(one, before.partitions[place] ?? one));
  printList(terminal, given, {
    items,
    columns: statsColumns,
    whole: { ...seen, partitions: items },
    id: ({ partition }) => String(partition),
  });
  if (formOf(given) !== 'table') return exits.ok;
  const { spool } = seen;
  if (spool !== null && spool.records > 0)
    say(terminal, `${spool.records} batches (${spool.bytes} bytes) wait for the log, the oldest for ${shortSpan(spool.oldestMs ?? 0)}`);
  say(terminal, plain(`${seen.log} log, asked of instance ${seen.instance} (${seen.roles.join(', ')})`));
  return exits.ok;
}

function withWords(one: LogPartition, before: LogPartition): Figures {
  return {
    ...one,
    host: { ...one.host, state: wordOf(one.host, before.host) },
    effects: { ...one.effects, state: wordOf(one.effects, before.effects) },
  };
}

function wordOf({ here, lag }: LogRole, before: LogRole): RoleWord {
  if (lag !== null && lag > (before.lag ?? lag)) return 'growing';
  return here ? 'here' : 'not here';
}

const extent = (topic: Topic): Column<Figures> => ({
  head: topic.toUpperCase(),
  cell: (one) => `${one[topic].first}..${one[topic].end}`,
});

const statsColumns: readonly Column<Figures>[] = [
  { head: 'PARTITION', cell: ({ partition }) => String(partition) },
  extent('inputs'),
  extent('facts'),
  ...sharedRoles.flatMap((role): readonly Column<Figures>[] => [
    { head: role.toUpperCase(), cell: (one) => one[role].state, colour: (one) => colourFor(one[role].state) },
    { head: 'LAG', cell: (one) => String(one[role].lag ?? '') },
  ]),
];

function colourFor(word: RoleWord): Colour | null {
  return word === 'growing' ? 'red' : word === 'here' ? 'green' : null;
}

// ---------------------------------------------------------------- export

async function exportLog(call: Call): Promise<ExitCode> {
  const { terminal, given } = call;
  const topic = topicIn(given.text('topic'));
  const limit = limitIn(given.text('limit'));
  const from = placeIn(given.text('from') ?? '0');
  const asked = partitionIn(given.text('partition'));
  const count = await partitionCount(call);
  const only = typeof asked === 'number' ? asked : count === 1 ? 0 : null;
  if (only !== null && from.partition !== null && from.partition !== only)
    throw usage(`--from names partition ${from.partition}, --partition says ${only}`);
  if (only === null && from.partition === null && from.offset > 0)
    throw usage(`the log has ${count} partitions: expected --from PARTITION:OFFSET, or --partition, seen an offset alone`);
  const first = only ?? from.partition ?? 0;
  const last = only ?? count - 1;
  const meter = meterOf(call, 'records');
  let written = 0;
  let stood = `${first}:${from.offset}`;
  try {
    for (let partition = first; partition <= last && written < limit; partition += 1) {
      const start = partition === first ? from.offset : 0;
      stood = `${partition}:${start}`;
      for await (const line of recordsFrom(call, { topic, partition, from: start, raw: given.has('raw') })) {
        const hasRoom = terminal.stdout.write(`${oneLine(line)}\n`);
        written += 1;
        stood = `${partition}:${line.offset + 1}`;
        if (!hasRoom) await once(terminal.stdout, 'drain', { signal: terminal.signal }); // a reader that is slower than the gateway
        meter(written, stood);
        if (written >= limit) break;
      }
    }
  } catch (error) {
    say(terminal, `broke off behind ${written} records; go on with --from ${stood}`);
    throw error;
  }
  say(terminal, `${written} records; what comes later begins at --from ${stood}`);
  return exits.ok;
}

function topicIn(text: string | undefined): Topic {
  if (text === 'inputs' || text === 'facts') return text;
  throw usage('expected --topic inputs, or --topic facts');
}

function limitIn(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  const limit = Number(text);
  if (!Number.isSafeInteger(limit) || limit < 1) throw usage(`--limit: expected a number of records, seen "${text}"`);
  return limit;
}

function oneLine(value: object): string {
  return plainJson(value).replace(/\n\s*/g, '');
}

/** Says now and then how far it is; a pipe on stderr is told nothing but the end. */
function meterOf({ terminal }: Call, what: string): (count: number, where: string) => void {
  let at = terminal.clock.steady();
  const isWatched = (terminal.stderr as { readonly isTTY?: boolean }).isTTY === true;
  return (count, where) => {
    if (!isWatched || count % 256 !== 0 || terminal.clock.steady() - at < progressEveryMs) return;
    at = terminal.clock.steady();
    say(terminal, `${count} ${what}, ${where}`);
  };
}

// ---------------------------------------------------------------- replay

async function replay(call: Call): Promise<ExitCode> {
  const { terminal, given } = call;
  const file = given.text('file');
  const wrong = (['from', 'until', 'partition'] as const).find((name) => file !== undefined && given.has(name));
  if (wrong !== undefined) throw usage(`--${wrong} goes with a gateway, not with --file: an export is the stretch itself`);
  const meter = meterOf(call, 'inputs');
  const compared = await call.parts.compare({
    from: file === undefined ? { range: await rangeOf(call) } : { file },
    config: given.text('config') ?? defaultConfig,
    env: terminal.env,
    signal: terminal.signal,
    progress: (inputs, at) => meter(inputs, new Date(at).toISOString()),
  });
  return tellComparison(call, compared);
}

// ---------------------------------------------------------------- move

async function move(call: Call): Promise<ExitCode> {
  const { terminal, given } = call;
  const from = given.text('from');
  if (from === undefined) throw usage('expected --from DATA_DIR, the data directory of the gateway that was alone');
  const moved = await call.parts.move({
    from,
    config: given.text('config') ?? defaultConfig,
    dryRun: given.has('dry-run'),
    env: terminal.env,
    signal: terminal.signal,
    progress: (text) => say(terminal, plain(text)),
  });
  return tellMoved(call, moved);
}

export const logCommands: readonly Command[] = [
  {
    words: 'log stats',
    args: '',
    least: 0,
    most: 0,
    says: 'how far the log has come, and who works on it',
    more: [
      'HOST decides, EFFECTS acts and notifies: here (this gateway works on it), not here, or growing when its lag grew within a second.',
    ],
    options: showing,
    run: stats,
  },
  {
    words: 'log export',
    args: '',
    least: 0,
    most: 0,
    says: 'records of the log as lines of JSON, up to its present end',
    more: [
      'Without --partition all of them, one after the other; --from PARTITION:OFFSET goes on where an export ended.',
      'Needs a token with the role admin: deliveries hold what senders put into them. --raw adds them as received.',
    ],
    options: [...reaching, 'topic', 'partition', 'from', 'limit', 'raw'],
    run: exportLog,
  },
  {
    words: 'log replay',
    args: '',
    least: 0,
    most: 0,
    says: 'what the configuration would have decided over a stretch of the log, beside what was decided; nobody is paged, nothing is touched',
    more: [
      'quench log replay --from PARTITION:OFFSET [--until OFFSET|TIME] [--partition all]     of a gateway; all: the same time in every partition',
      'quench log replay --file export.jsonl     of an export: inputs, and facts behind them for the comparison',
      'Fed are alerts, silences, resolutions by hand, and acks while a page rings here, too. Actions are simulated: each answers ok and cures nothing.',
    ],
    options: [...reaching, 'output', 'from', 'until', 'partition', 'file'],
    run: replay,
  },
  {
    words: 'log move',
    args: '',
    least: 0,
    most: 0,
    says: 'put the data of a stopped gateway with an embedded log on the shared log of the configuration',
    more: [
      'quench log move --from old/data --config quench.yaml [--dry-run]     before the first gateway on the shared log starts',
      '--dry-run looks at everything and writes no record; topics and data.dir are made where they are missing, as by the move itself.',
      'Moves desks, facts and dead letters, and reads them back. Deliveries as they were received stay in the old file.',
      'Dead letters go by way of data.dir: run it where a gateway with this configuration is to run.',
      'All rows of a partition are saved at once and held in memory, about 2 kB for each alert known.',
    ],
    options: ['config', 'output', 'from', 'dry-run'],
    run: move,
  },
];
