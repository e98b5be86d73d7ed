// One command line from beginning to end: which command, are its options its own, run it, and the exit code. Never throws.
import { didYouMean } from '../config/yaml/problems.ts';
import { memberOf } from '../config/yaml/pointer.ts';
import { GatewayError } from '../core/errors.ts';
import { listensAt } from './address.ts';
import { createApi, type Api } from './client.ts';
import type { Call, Command, Parts } from './command.ts';
import { commands, verbsByNoun } from './commands.ts';
import { completionFor, shells } from './completion.ts';
import { exits, Stop, usage, type ExitCode } from './exit.ts';
import { commandHelp, nounHelp, wholeHelp } from './help.ts';
import { readOptions, type Given } from './options.ts';
import { data, say, type Terminal } from './terminal.ts';

/** Runs the command line (without program and script) and resolves to its exit code. */
export async function run(argv: readonly string[], terminal: Terminal, parts: Parts): Promise<ExitCode> {
  try {
    return await dispatch(readOptions(argv), terminal, parts);
  } catch (error) {
    return failed(error, terminal);
  }
}

function failed(error: unknown, terminal: Terminal): ExitCode {
  if (terminal.signal.aborted) return exits.interrupted;
  if (error instanceof Stop) {
    say(terminal, `quench: ${error.message}`);
    return error.exit;
  }
  if (error instanceof GatewayError) {
    say(terminal, `quench: ${error.code}: ${error.message}`);
    return error.code === 'not_found' ? exits.missing : exits.failed;
  }
  const code = memberOf(error, 'syscall') === undefined ? undefined : memberOf(error, 'code');
  if (error instanceof Error && typeof code === 'string') {
    say(terminal, `quench: ${error.message}${code === 'EADDRINUSE' ? ': is another gateway running?' : ''}`);
    return exits.failed;
  }
  say(terminal, `quench: this is a bug, please report it: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return exits.failed;
}

async function dispatch(given: Given, terminal: Terminal, parts: Parts): Promise<ExitCode> {
  const [noun, verb] = given.words;
  if (given.has('version') || noun === 'version') return told(terminal, parts.version);
  if (noun === undefined) return told(terminal, wholeHelp());
  if (noun === 'help') return help(given.words.slice(1), terminal);
  const command = commands.find(({ words }) => words === noun || words === `${noun} ${verb ?? ''}`);
  if (given.has('help')) return help(given.words, terminal);
  if (noun === 'completion') return completion(given.words.slice(1), terminal);
  if (command === undefined) throw unknown(noun, verb);
  const call = callOf(command, given, terminal, parts);
  return command.run(call(await listensAt(terminal, given)));
}

/** What the command is given, once it is known where its gateway listens; a Stop when it was not called as it should be. */
function callOf(command: Command, given: Given, terminal: Terminal, parts: Parts): (listens: string | null) => Call {
  const wrong = given.names.find((name) => !command.options.includes(name));
  if (wrong !== undefined)
    throw usage(`${command.words} has no option --${wrong}${didYouMean(wrong, command.options, '--')}; see quench help ${command.words}`);
  const args = given.words.slice(command.words.split(' ').length);
  if (args.length < command.least) throw usage(`expected quench ${command.words} ${command.args}; see quench help ${command.words}`);
  if (args.length > command.most) {
    throw usage(`${command.words}: expected at most ${command.most} arguments, seen ${args.length}; see quench help ${command.words}`);
  }
  let api: Api | null = null;
  return (listens) => {
    const apiOn = (on: Terminal): Api => createApi(on, given, listens);
    return { terminal, given, args, parts, apiOn, api: () => (api ??= apiOn(terminal)) };
  };
}

function help(words: readonly string[], terminal: Terminal): ExitCode {
  const [noun, verb] = words;
  if (noun === undefined || noun === 'help') return told(terminal, wholeHelp());
  const command = commands.find((one) => one.words === noun || one.words === `${noun} ${verb ?? ''}`);
  if (command !== undefined) return told(terminal, commandHelp(command));
  const verbs = verbsByNoun().get(noun);
  if (verbs === undefined || (verb !== undefined && verbs.length > 0)) throw unknown(noun, verb);
  return told(terminal, verbs.length > 0 ? nounHelp(noun) : wholeHelp());
}

function completion([shell]: readonly string[], terminal: Terminal): ExitCode {
  const known = shells.find((name) => name === shell);
  if (known === undefined) throw usage(`expected quench completion ${shells.join('|')}`);
  terminal.stdout.write(completionFor(known));
  return exits.ok;
}

function unknown(noun: string, verb: string | undefined): Stop {
  const nouns = verbsByNoun();
  const verbs = nouns.get(noun);
  if (verbs === undefined) return usage(`there is no command "${noun}"${didYouMean(noun, [...nouns.keys()])}; see quench help`);
  if (verb === undefined) return usage(`${noun} needs a verb: ${verbs.join(', ')}`);
  return usage(`${noun} has no verb "${verb}"${didYouMean(verb, verbs)}; it has ${verbs.join(', ')}`);
}

function told(terminal: Terminal, text: string): ExitCode {
  data(terminal, text);
  return exits.ok;
}
