// A gateway in small: starts the executor, has it run a command and start a service, says so, and waits to be killed.
// Argument: JSON of {program, config, argv}.
import { forkExecutor } from '../../src/executor/client.ts';
import { callOf } from './calls.ts';
import { wallClock } from './wallclock.ts';

const { program, config, argv } = JSON.parse(process.argv[2] ?? '{}') as { program: string; config: object; argv: readonly string[] };
const executor = await forkExecutor({ program, config, clock: wallClock, env: {} });
const started = await callOf(executor, 'process/restart', { input: { name: 'service' }, key: 'k0', timeoutMs: 10_000 });
void callOf(executor, 'shell/run', { input: { argv }, key: 'k1', timeoutMs: 60_000 });
process.stdout.write(`${JSON.stringify({ executor: executor.pid, started })}\n`);
setInterval(() => {}, 1_000);
