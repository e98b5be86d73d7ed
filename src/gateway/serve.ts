// `quench serve`: loads quench.yaml, makes the tokens that are missing, runs the gateway until it is told to stop.
import { readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { createExpressions } from '../../adapters/cel/expressions.ts';
import { createScrubber, type Scrubber } from '../../adapters/kit/redact.ts';
import { mayDamageStores } from '../../adapters/sqlite/release.ts';
import { configFileAt, diskFiles, exposureOf } from '../config/files.ts';
import { loadConfig } from '../config/quench/config.ts';
import type { Config } from '../config/quench/types.ts';
import { problemLine, type ConfigProblem } from '../config/yaml/problems.ts';
import { ok } from '../core/errors.ts';
import type { Logger } from '../ports/logger.ts';
import { bootConfig, tellBoot } from './boot-config.ts';
import { systemClock } from './clock.ts';
import { startGateway, type Gateway } from './compose.ts';
import { configDeps } from './config-deps.ts';
import { troubleOf } from './config-trouble.ts';
import { createLogger } from './logger.ts';
import { createOutput } from './output.ts';
import type { LoadConfig } from './reload.ts';
import { notedFiles, watchFiles } from './watch-files.ts';
import { tokenFiles } from './token-files.ts';
import { isInstalled, packageDir, version } from './version.ts';

export interface Terminal {
  readonly env: { readonly [name: string]: string | undefined };
  readonly stdout: NodeJS.WritableStream & { write(text: string): boolean };
  readonly stderr: NodeJS.WritableStream & { write(text: string): boolean };
}

/** Starts the gateway with what of its configuration can be used; `invalid_config` carries every problem, a line each, when nothing can. SIGHUP reloads it until it is stopped. */
export async function serve(configPath: string, terminal: Terminal, how: { readonly intakeOnly: boolean }): Promise<Gateway> {
  const vault = createScrubber();
  const logger = createLogger(createOutput(terminal.stderr, 2, systemClock), systemClock, vault.text);
  // A hang-up ends nothing here; until the gateway is up there is nothing to reload.
  let reload: () => unknown = () => logger.info({}, 'not reloaded: the gateway is still starting');
  const hangUp = (): void => void reload();
  process.on('SIGHUP', hangUp);
  try {
    const { gateway, unwatch } = await started(configPath, terminal, { logger, vault, ...how });
    reload = gateway.reload;
    const stop = async (): Promise<void> => {
      reload = () => logger.info({}, 'not reloaded: the gateway is stopping');
      await unwatch();
      await gateway.stop().finally(() => process.off('SIGHUP', hangUp));
    };
    return { ...gateway, stop };
  } catch (error) {
    process.off('SIGHUP', hangUp);
    throw error;
  }
}

async function started(
  configPath: string,
  terminal: Terminal,
  { logger, vault, intakeOnly }: { readonly logger: Logger; readonly vault: Scrubber; readonly intakeOnly: boolean },
): Promise<{ gateway: Gateway; unwatch: () => Promise<void> }> {
  const made: string[] = [];
  const path = configFileAt(configPath);
  const files = notedFiles(diskFiles);
  const linkFiles = tokenFiles(files, (file) =>
    logger.info({ file: relative('.', file) }, 'made a secret that signs the links in pages; delete it, and links of before are void'),
  );
  const deps = { ...configDeps(terminal.env, files, createExpressions(), systemClock), linkFiles };
  const unsafe: ConfigProblem[] = [];
  const judging = { exposure: exposureOf, tell: (problem: ConfigProblem) => void unsafe.push(problem) };
  const warn = (problem: ConfigProblem): void => logger.warn({ problem: problemLine(problem) }, 'quench check warns of this');
  const boot = bootConfig(path, { ...deps, doorFiles: tokenFiles(files, (file) => made.push(file)), unsafe: judging, warn }, logger);
  vault.learn(boot.config.secrets);
  tellBoot(boot, logger);
  const trouble = troubleOf(boot);
  const config: Config = intakeOnly ? { ...boot.config, roles: ['intake'] } : boot.config;
  for (const problem of trouble.problems() === 0 ? unsafe : []) logger.warn({ problem: problemLine(problem) }, 'quench check refuses this');
  if (mayDamageStores(process.versions.sqlite))
    logger.warn(
      { node: process.versions.node, sqlite: process.versions.sqlite },
      'the SQLite of this Node can damage a store that is written and folded at once: update Node to its newest patch',
    );
  const roles = intakeOnly ? { roles: config.roles } : {};
  const load: LoadConfig = () => {
    files.begin();
    const loaded = loadConfig(path, { ...deps, expressions: createExpressions() });
    return loaded.ok ? ok({ ...loaded.value, ...roles }) : loaded;
  };
  const stream = terminal.stdout as NodeJS.WriteStream;
  const { PATH = '/usr/bin:/bin', NODE_COMPILE_CACHE: cache } = terminal.env;
  const executorEnv = { PATH, LANG: 'C.UTF-8', ...(cache === undefined ? {} : { NODE_COMPILE_CACHE: cache }) };
  const gateway = await startGateway(config, {
    clock: systemClock,
    logger,
    vault,
    stream,
    executorEnv,
    version,
    trouble,
    load,
  });
  terminal.stdout.write(welcome(config, gateway.port, made, stream.isTTY === true));
  const watching = config.reload === 'auto';
  return { gateway, unwatch: watching ? watchFiles({ files, changed: gateway.reload, clock: systemClock }) : async () => {} };
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
    ...nextSteps(config.file),
    '',
  );
  return `${lines.join('\n')}\n`;
}

/** A clone has a demo and runs by npm; what is installed has a command of its own, and its files lie where npm put them. */
function nextSteps(file: string): readonly string[] {
  const given = resolve(file) === resolve('quench.yaml') ? '' : ` --config ${relative('.', file)}`;
  return isInstalled
    ? [`next: ${join(packageDir, 'adapters')}/<vendor>/README.md   to connect a sender`, `      quench incident list${given}`]
    : [
        'next: npm run demo            in a second shell, to see it work',
        '      adapters/<vendor>/README.md   to connect a sender',
        `      npm run quench -- incident list${given}`,
      ];
}
