// The table of commands: dispatch, help and completion are made from it, so that they cannot say different things.
import { alertCommands } from './alerts.ts';
import type { Command } from './command.ts';
import { backupCommands } from './backup.ts';
import { deadLetterCommands } from './deadletters.ts';
import { gatewayCommands } from './gateway.ts';
import { incidentCommands } from './incidents.ts';
import { initCommands } from './init.ts';
import { localCommands } from './local.ts';
import { logCommands } from './log.ts';
import { reportCommands } from './reports.ts';
import { runCommands } from './runs.ts';
import { sendCommands } from './send.ts';
import { silenceCommands } from './silences.ts';

export const commands: readonly Command[] = [
  ...initCommands,
  ...localCommands,
  ...gatewayCommands,
  ...sendCommands,
  ...incidentCommands,
  ...alertCommands,
  ...runCommands,
  ...silenceCommands,
  ...reportCommands,
  ...deadLetterCommands,
  ...logCommands,
  ...backupCommands,
];

/** Verbs of each noun, in the order of the table; a command of one word has none. */
export function verbsByNoun(): ReadonlyMap<string, readonly string[]> {
  const nouns = new Map<string, string[]>();
  for (const { words } of [...commands, ...spoken]) {
    const [noun = '', verb] = words.split(' ');
    const verbs = nouns.get(noun) ?? [];
    if (verb !== undefined) verbs.push(verb);
    nouns.set(noun, verbs);
  }
  return nouns;
}

/** Commands about the commands; run.ts answers them. */
export const spoken = [
  { words: 'help', args: '[COMMAND]', says: 'this, or help on one command' },
  { words: 'completion', args: 'bash|zsh|fish', says: 'a completion script for your shell' },
  { words: 'version', args: '', says: 'the version' },
] as const;
