// `init`: the first command of somebody who installed Quench; writes a directory to serve from and says what to do next.
import type { Call, Command } from './command.ts';
import { exits, type ExitCode } from './exit.ts';
import { problems, shorter } from './local.ts';
import type { Inited } from './results.ts';
import { formOf } from './table.ts';
import { data, plain, plainJson, say } from './terminal.ts';

async function init(call: Call): Promise<ExitCode> {
  const { terminal, given } = call;
  const [dir = '.'] = call.args;
  const done = await call.parts.init({ dir, data: given.text('data') ?? null, env: terminal.env });
  if (!done.ok) return problems(call, done.error);
  if (formOf(given) === 'json') data(terminal, plainJson(done.value));
  else if (formOf(given) === 'name') for (const path of done.value.made) data(terminal, plain(path));
  else tell(call, done.value);
  return exits.ok;
}

function tell({ terminal, given }: Call, { dir, made, kept, tokens, adapters, playbooks }: Inited): void {
  for (const path of made) data(terminal, `made   ${plain(path)}`);
  for (const path of kept) data(terminal, `there  ${plain(path)}   left as it is`);
  const config = plain(shorter(dir) || '.');
  const [admin, ingest] = [tokens.admin, tokens.ingest].map((path) => plain(shorter(path)));
  const asks = given.has('data') ? `QUENCH_TOKEN_FILE=${admin} quench incident list` : `quench incident list --config ${config}`;
  const steps = [
    [`quench check --config ${config}`, 'what is wrong with it, by line'],
    [`quench playbook test --config ${config}`, 'your playbooks against their cases; nothing is touched'],
    [`quench serve --config ${config}`, 'until it is told to stop'],
    [asks, 'in a second shell'],
  ] as const;
  const width = Math.max(...steps.map(([command]) => command.length));
  say(terminal, '');
  for (const [place, [command, what]] of steps.entries())
    say(terminal, `${place === 0 ? 'next: ' : '      '}${command.padEnd(width)}  ${what}`);
  say(terminal, '');
  say(terminal, `senders: their token is in ${ingest}, what to paste in ${plain(adapters)}/<vendor>/`);
  say(terminal, `more playbooks to copy: ${plain(playbooks)}`);
}

export const initCommands: readonly Command[] = [
  {
    words: 'init',
    args: 'DIR',
    least: 1,
    most: 1,
    says: 'write a directory to serve from: quench.yaml, a first playbook with its test case, tokens',
    more: ['What is there already is left as it is, and named. --data puts tokens and store elsewhere, /var/lib/quench for a service.'],
    options: ['data', 'output', 'quiet'],
    run: init,
  },
];
