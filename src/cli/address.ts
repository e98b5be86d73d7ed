// Where the gateway is that a command speaks to: --url, QUENCH_URL, the `listen` of the configuration at hand, or the default.
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { memberOf } from '../config/yaml/shape.ts';
import { readYaml } from '../config/yaml/yaml.ts';
import { usage } from './exit.ts';
import type { Given } from './options.ts';
import type { Terminal } from './terminal.ts';

const hostDefault = '127.0.0.1';
const portDefault = 8686;
const defaultUrl = `http://${hostDefault}:${portDefault}`;

/** The address, without a slash at its end. */
export function addressOf({ env }: Terminal, given: Given): string {
  const text = given.text('url') ?? env['QUENCH_URL'] ?? listensAt(given) ?? defaultUrl;
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) throw usage(`expected the address of a gateway like ${defaultUrl}, seen "${text}"`);
  if (url.username !== '' || url.password !== '')
    throw usage('expected an address without user and password, seen both: use QUENCH_TOKEN or --token-file');
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

/** The directory of the configuration, whether that was named or is where we are. */
export function configDirOf(given: Given): string {
  const config = given.text('config') ?? '.';
  return isDirectory(config) ? config : dirname(config);
}

/** What its `listen` says; null when there is none that can be read, or the port is left to the system. Judging the file is for `check`. */
function listensAt(given: Given): string | null {
  const config = given.text('config') ?? '.';
  const file = isDirectory(config) ? join(config, 'quench.yaml') : config;
  const read = readYaml(file, textOf(file));
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
