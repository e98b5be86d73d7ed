// Help, made from the tables of commands, options and exit codes.
import type { Command } from './command.ts';
import { commands, spoken } from './commands.ts';
import { exitMeanings } from './exit.ts';
import { optionOf, type OptionName } from './options.ts';

const environment: readonly (readonly [string, string])[] = [
  ['QUENCH_URL', 'address of the gateway; else `listen` of the configuration, else http://127.0.0.1:8686'],
  ['QUENCH_TOKEN', 'API token; or QUENCH_TOKEN_FILE; or data/admin.token beside the configuration, for a gateway on this machine'],
  ['QUENCH_INGEST_TOKEN', 'token of senders, for send; or QUENCH_INGEST_TOKEN_FILE; or data/ingest.token beside the configuration'],
  ['NO_COLOR, TERM=dumb', 'no colour; there is none either when stdout is no terminal'],
];

/** All commands, the environment and the exit codes. */
export function wholeHelp(): string {
  const rows = [...commands, ...spoken].map(({ words, args, says }): [string, string] => [`${words} ${args}`.trim(), says]);
  return [
    'quench: puts the fire out, proves it, and pages a person only when that fails',
    '',
    'usage: quench COMMAND [OPTIONS]',
    '',
    ...columns(rows),
    '',
    'Data is on stdout, words are on stderr. -o json for programs, -q for ids only; - reads ids from stdin:',
    '  quench incident list --state open -q | quench incident ack -',
    '',
    'environment',
    ...columns(environment),
    '',
    'exit codes',
    ...columns(exitMeanings.map(([code, says]): [string, string] => [String(code), says])),
    '',
    'quench help COMMAND says more about one of them.',
  ].join('\n');
}

/** What one command takes. */
export function commandHelp(command: Command): string {
  const usage = `usage: quench ${command.words}${command.args === '' ? '' : ` ${command.args}`} [OPTIONS]`;
  const names: readonly OptionName[] = [...command.options, 'help'];
  const more = command.more ?? [];
  const ids =
    command.args.startsWith('ID') && command.most > 1 && command.words !== 'incident note' ? ['- as an id reads ids from stdin.'] : [];
  return [
    `quench ${command.words}: ${command.says}`,
    '',
    usage,
    ...(more.length + ids.length > 0 ? ['', ...more, ...ids] : []),
    '',
    ...columns(names.map(optionRow)),
  ].join('\n');
}

/** The commands that begin with a noun. */
export function nounHelp(noun: string): string {
  const rows = commands
    .filter(({ words }) => words.startsWith(`${noun} `))
    .map(({ words, args, says }): [string, string] => [`${words} ${args}`.trim(), says]);
  return [`usage: quench ${noun} VERB [OPTIONS]`, '', ...columns(rows)].join('\n');
}

function optionRow(name: OptionName): [string, string] {
  const { short, value, says } = optionOf(name);
  return [`${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`, says];
}

function columns(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
