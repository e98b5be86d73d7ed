// Where the gateway is that a command speaks to: --url, QUENCH_URL, the `listen` of the configuration at hand, or the default.
import { readFileSync, statSync } from 'node:fs';
import { addressWithoutUserinfo } from '../core/userinfo.ts';
import { dirname, join } from 'node:path';
import { memberOf } from '../config/yaml/pointer.ts';
import { usage } from './exit.ts';
import type { Given } from './options.ts';
import type { Terminal } from './terminal.ts';

const hostDefault = '127.0.0.1';
const portDefault = 8686;
const defaultUrl = `http://${hostDefault}:${portDefault}`;

/** The address, without a slash at its end; `listens` is what the configuration says. */
export function addressOf({ env }: Terminal, given: Given, listens: string | null): string {
  const text = given.text('url') ?? env['QUENCH_URL'] ?? listens ?? defaultUrl;
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw usage(`expected the address of a gateway like ${defaultUrl}, seen "${addressWithoutUserinfo(text)}"`);
  if (url.username !== '' || url.password !== '')
    throw usage('expected an address without user and password, seen both: use QUENCH_TOKEN or --token-file');
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

/** The directory of the configuration, whether that was named or is where we are. */
export function configDirOf(given: Given): string {
  const config = given.text('config') ?? '.';
  return isDirectory(config) ? config : dirname(config);
}

/**
 * What the `listen` of the configuration says; null when the address is given otherwise, when there is none that can be read, or when the port
 * is left to the system. Judging the file is for `check`. What reads YAML is loaded only for a file that says something of it.
 */
export async function listensAt({ env }: Terminal, given: Given): Promise<string | null> {
  if ((given.text('url') ?? env['QUENCH_URL']) !== undefined) return null;
  const config = given.text('config') ?? '.';
  const file = isDirectory(config) ? join(config, 'quench.yaml') : config;
  const text = textOf(file);
  if (!text.includes('listen')) return null;
  const { readYaml } = await import('../config/yaml/yaml.ts');
  const read = readYaml(file, text);
  const listen = read.ok ? memberOf(read.value.value, 'listen') : undefined;
  const port = memberOf(listen, 'port') ?? portDefault;
  const host = memberOf(listen, 'host') ?? hostDefault;
  if (typeof port !== 'number' || typeof host !== 'string' || port === 0) return null;
  const url = URL.parse(`http://${reachable(host)}:${port}`);
  return url === null ? null : url.origin;
}

/** Who listens everywhere is reached on this machine. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return hostDefault;
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
