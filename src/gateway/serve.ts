// `quench serve`: loads quench.yaml, makes the tokens that are missing, runs the gateway until it is told to stop.
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { createExpressions } from '../../adapters/cel/expressions.ts';
import { diskFiles, type Files } from '../config/files.ts';
import { loadConfig } from '../config/quench/config.ts';
import type { Config } from '../config/quench/types.ts';
import { problemLine } from '../config/yaml/problems.ts';
import { memberOf } from '../config/yaml/shape.ts';
import { GatewayError } from '../core/errors.ts';
import { systemClock } from './clock.ts';
import { startGateway, type Gateway } from './compose.ts';
import { configDeps } from './config-deps.ts';
import { createLogger } from './logger.ts';
import { version } from './version.ts';

export interface Terminal {
  readonly env: { readonly [name: string]: string | undefined };
  readonly stdout: NodeJS.WritableStream & { write(text: string): boolean };
  readonly stderr: NodeJS.WritableStream & { write(text: string): boolean };
}

/** Starts the gateway; `invalid_config` carries every problem of the configuration, a line each. */
export async function serve(configPath: string, terminal: Terminal): Promise<Gateway> {
  const made: string[] = [];
  const path = resolve(configPath);
  const deps = { ...configDeps(terminal.env, diskFiles, createExpressions(), systemClock), doorFiles: tokenFiles(made) };
  const loaded = loadConfig(path, deps);
  if (!loaded.ok) {
    const lines = loaded.error.map((problem) => problemLine({ ...problem, file: relative('.', problem.file) }));
    throw new GatewayError('invalid_config', `the configuration does not load:\n${lines.join('\n')}`);
  }
  const config = loaded.value;
  const logger = createLogger(terminal.stderr, systemClock);
  const stream = terminal.stdout as NodeJS.WriteStream;
  const executorEnv = { PATH: terminal.env['PATH'] ?? '/usr/bin:/bin', LANG: 'C.UTF-8' };
  const gateway = await startGateway(config, { clock: systemClock, logger, stream, executorEnv, version });
  terminal.stdout.write(welcome(config, gateway.port, made, stream.isTTY === true));
  return gateway;
}

/** Reads tokens of the doors; a missing `*.token` is made, readable by its owner only, so that a first start needs no preparation. */
function tokenFiles(made: string[]): Files {
  return {
    ...diskFiles,
    read(path) {
      try {
        return diskFiles.read(path);
      } catch (error) {
        if (!path.endsWith('.token') || memberOf(error, 'code') !== 'ENOENT') throw error;
        mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
        writeFileSync(path, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
        made.push(path);
        return diskFiles.read(path);
      }
    },
  };
}

/** New tokens are shown to a person only: what is no terminal is a journal, and keeps what it hears. */
function welcome(config: Config, port: number, made: readonly string[], isTerminal: boolean): string {
  const url = `http://${config.listen.host.includes(':') ? `[${config.listen.host}]` : config.listen.host}:${port}`;
  const lines = [`quench ${version} listens on ${url}`, ''];
  for (const path of made) {
    lines.push(`new token in ${relative('.', path)}${isTerminal ? ` (shown this once): ${readFileSync(path, 'utf8').trim()}` : ''}`);
  }
  if (made.length > 0) lines.push('');
  for (const [name, endpoint] of Object.entries(config.endpoints)) lines.push(`  ${endpoint.source.padEnd(11)} ${url}/webhooks/${name}`);
  lines.push(
    '',
    `${config.policy.playbooks.length} playbooks, ${Object.keys(config.notifiers).length} notifier(s), data in ${relative('.', config.data.dir) || '.'}`,
    '',
    'next: npm run demo            in a second shell, to see it work',
    '      adapters/<vendor>/README.md   to connect a sender',
    '      npm run quench -- incident list',
    '',
  );
  return `${lines.join('\n')}\n`;
}
