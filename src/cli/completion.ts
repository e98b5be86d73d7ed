// Completion scripts for shells, made from the table of commands: nouns, verbs, and the options of each command.
import type { Command } from './command.ts';
import { commands, verbsByNoun } from './commands.ts';
import { optionNames, optionOf } from './options.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

export function completionFor(shell: Shell): string {
  switch (shell) {
    case 'bash':
      return bash();
    case 'zsh':
      return `#compdef quench\nautoload -U +X bashcompinit && bashcompinit\n${bash()}`;
    case 'fish':
      return fish();
  }
}

function bash(): string {
  const nouns = [...verbsByNoun()];
  const verbs = nouns.filter(([, each]) => each.length > 0).map(([noun, each]) => `        ${noun}) words="${each.join(' ')}" ;;`);
  const optionLine = ({ words, options }: Command): string =>
    `        "${words}") words="${options.map((name) => `--${name}`).join(' ')}" ;;`;
  const values = optionNames.flatMap((name) => {
    const { words } = optionOf(name);
    return words === undefined ? [] : [`        --${name}) words="${words.join(' ')}" ;;`];
  });
  return `_quench() {
    local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" words=""
    local noun="\${COMP_WORDS[1]}" verb="\${COMP_WORDS[2]}"
    COMPREPLY=()
    case "$prev" in
        --config|--data|--file|--out|--to|--token-file|-f) COMPREPLY=($(compgen -f -- "$cur")); return ;;
${values.join('\n')}
    esac
    if [ -n "$words" ]; then COMPREPLY=($(compgen -W "$words" -- "$cur")); return; fi
    if [ "$COMP_CWORD" -eq 1 ]; then
        words="${nouns.map(([noun]) => noun).join(' ')}"
    elif [[ "$cur" == -* ]]; then
        case "$noun $verb" in
${commands.map(optionLine).join('\n')}
        *) case "$noun" in
${commands
  .filter(({ words }) => !words.includes(' '))
  .map(optionLine)
  .join('\n')}
        esac ;;
        esac
    elif [ "$COMP_CWORD" -eq 2 ]; then
        case "$noun" in
${verbs.join('\n')}
        completion) words="${shells.join(' ')}" ;;
        replay|backup|restore|init) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        esac
    fi
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _quench quench
`;
}

function fish(): string {
  const nouns = [...verbsByNoun()];
  const lines = ['complete -c quench -f', ...nouns.map(([noun]) => `complete -c quench -n __fish_use_subcommand -a ${noun}`)];
  for (const [noun, verbs] of nouns) {
    if (verbs.length > 0)
      lines.push(
        `complete -c quench -n '__fish_seen_subcommand_from ${noun}; and not __fish_seen_subcommand_from ${verbs.join(' ')}' -a '${verbs.join(' ')}'`,
      );
  }
  for (const { words, options } of commands) {
    const seen = words
      .split(' ')
      .map((word) => `__fish_seen_subcommand_from ${word}`)
      .join('; and ');
    for (const name of options) lines.push(`complete -c quench -n '${seen}' ${fishOption(name)}`);
  }
  lines.push(`complete -c quench -n '__fish_seen_subcommand_from completion' -a '${shells.join(' ')}'`);
  return `${lines.join('\n')}\n`;
}

function fishOption(name: (typeof optionNames)[number]): string {
  const { type, short, value, words, says } = optionOf(name);
  const takes =
    type === 'boolean' ? '' : value === 'FILE' || value === 'DIR' ? ' -r -F' : words === undefined ? ' -x' : ` -x -a '${words.join(' ')}'`;
  return `-l ${name}${short === undefined ? '' : ` -s ${short}`}${takes} -d '${says.replaceAll("'", '’')}'`;
}
