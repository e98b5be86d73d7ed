// argv and environment in, exit code out: the only place that reads process.env, or ends the gateway or a command.
import { run } from './cli/run.ts';
import type { Terminal } from './cli/terminal.ts';
import { systemClock } from './gateway/clock.ts';
import { createLogger } from './gateway/logger.ts';
import { isOurs } from './gateway/runtime-warnings.ts';
import { parts } from './offline/parts.ts';

const interrupted = 130;
/** npm and an older Node's launcher pass on what the terminal has sent already: that is one Ctrl-C, not two. */
const onceMs = 1_000;
const told = new AbortController();
let toldAt = 0;

for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    const at = systemClock.steady();
    if (told.signal.aborted && at - toldAt > onceMs) process.exit(interrupted); // asked again: do not wait any longer
    if (!told.signal.aborted) toldAt = at;
    told.abort();
  });
}
// What the runtime warns of is told in our logger's form, unless it is about a package and does no harm.
process.removeAllListeners('warning');
process.on('warning', (warning) => {
  const { name, message } = warning;
  if (isOurs(warning)) createLogger(process.stderr, systemClock).warn({ name, message }, 'runtime warns');
});
// Neither opens a debugger nor ends anything: Node does the first with SIGUSR1 and the system the second with SIGUSR2, unless somebody listens.
for (const name of ['SIGUSR1', 'SIGUSR2'] as const) process.on(name, () => {});
// `quench … | head`: whoever read has seen enough. A gateway goes on without its output: a closed pipe or a full disk must not end it.
const isGateway = process.argv.slice(2).includes('serve');
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (!isGateway) process.exit(error.code === 'EPIPE' ? 0 : 1);
});
process.stderr.on('error', () => {});

const { env, stdin, stdout, stderr } = process;
const terminal: Terminal = { env, stdin, stdout, stderr, clock: systemClock, signal: told.signal };
const code = await run(process.argv.slice(2), terminal, parts);
// What is written must be out before the end; a pipe may still hold some of it.
await new Promise<void>((resolve) => void stdout.write('', () => resolve()));
process.exit(code);
