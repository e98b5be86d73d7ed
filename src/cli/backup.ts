// `backup` and `restore`: the embedded store as one file. They work on the files, beside a gateway that runs, and ask it nothing.
import type { Call, Command } from './command.ts';
import { exits, usage, type ExitCode } from './exit.ts';
import { problems } from './local.ts';
import type { BackedUp } from './results.ts';
import { formOf } from './table.ts';
import { data, plain, plainJson, say } from './terminal.ts';

const defaultConfig = 'quench.yaml';
const progressEveryMs = 2_000;
const mebibyte = 1_048_576;

async function backUp(call: Call): Promise<ExitCode> {
  const { terminal, given } = call;
  const [file = ''] = call.args;
  const began = terminal.clock.steady();
  const done = await call.parts.backUp({
    file,
    config: given.text('config') ?? defaultConfig,
    force: given.has('force'),
    env: terminal.env,
    signal: terminal.signal,
    progress: meterOf(call),
  });
  if (!done.ok) return problems(call, done.error);
  return told(call, done.value, began);
}

async function restore(call: Call): Promise<ExitCode> {
  const { terminal, given } = call;
  const [file = ''] = call.args;
  const to = given.text('to');
  if (to === undefined) throw usage('expected --to DIR, the data directory of the gateway that is to go on with it');
  const began = terminal.clock.steady();
  const done = await call.parts.restore({ file, to, signal: terminal.signal, progress: meterOf(call) });
  return told(call, done, began);
}

/** Says now and then how far the copy is; the check behind it reads all of it again. */
function meterOf({ terminal }: Call): (share: number) => void {
  let at = terminal.clock.steady();
  let isLong = false;
  return (share) => {
    if (share === 1 && isLong) say(terminal, 'copied; checking it');
    if (share === 1 || terminal.clock.steady() - at < progressEveryMs) return;
    at = terminal.clock.steady();
    isLong = true;
    say(terminal, `${Math.floor(share * 100)} % copied`);
  };
}

function told({ terminal, given }: Call, copy: BackedUp, began: number): ExitCode {
  const { from, file, bytes, schema } = copy;
  if (formOf(given) === 'json') data(terminal, plainJson(copy));
  else if (formOf(given) === 'name') data(terminal, plain(file));
  const size = (bytes / mebibyte).toFixed(1);
  const seconds = ((terminal.clock.steady() - began) / 1_000).toFixed(1);
  say(terminal, `${plain(from)} is in ${plain(file)}: ${size} MiB, schema ${schema}, read back and sound, in ${seconds} s`);
  return exits.ok;
}

export const backupCommands: readonly Command[] = [
  {
    words: 'backup',
    args: 'FILE',
    least: 1,
    most: 1,
    says: 'copy the embedded store to a file while the gateway serves, or while none runs',
    more: [
      'The copy is one moment: everything that was accepted before the command began is in it. It is checked before it gets its name.',
      'Not in it: quench.yaml, playbooks and tokens; copy those as files. With a shared log there is nothing to copy here.',
    ],
    options: ['config', 'force', 'output'],
    run: backUp,
  },
  {
    words: 'restore',
    args: 'FILE',
    least: 1,
    most: 1,
    says: 'put a backup into a new data directory, for a gateway that is started afterwards',
    more: [
      'quench restore FILE --to DIR     DIR does not exist, or holds nothing but tokens',
      'What came after the backup is gone, and what was done after it may be done again: docs/install.md says how to start then.',
    ],
    options: ['to', 'output'],
    run: restore,
  },
];
