// argv and environment in, exit code out: the only place that reads process.env or ends the process.
import { GatewayError } from './core/errors.ts';
import { serve, type Terminal } from './serve.ts';

const terminal: Terminal = { env: process.env, stdout: process.stdout, stderr: process.stderr };
const [command = 'serve', ...rest] = process.argv.slice(2);

if (command === 'serve') {
  await serveUntilTold(rest);
}

async function serveUntilTold(args: readonly string[]): Promise<void> {
  const place = args.indexOf('--config');
  const path = place >= 0 ? (args[place + 1] ?? '') : 'quench.yaml';
  try {
    const gateway = await serve(path, terminal);
    const told = new Promise<void>((resolve) => {
      for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => resolve());
    });
    await told;
    await gateway.stop();
    process.exit(0);
  } catch (error) {
    const says =
      error instanceof GatewayError
        ? `${error.code}: ${error.message}`
        : error instanceof Error
          ? (error.stack ?? error.message)
          : String(error);
    process.stderr.write(`quench: ${says}\n`);
    process.exit(1);
  }
}
