// Options of time series in InfluxDB in quench.yaml: `series: { influx: … }`.
import type { Millis } from '../../src/core/time.ts';

const databaseDefault = 'quench';
const timeoutMsDefault = 10_000;

export const InfluxOptions = {
  type: 'object',
  additionalProperties: false,
  required: ['url'],
  properties: {
    url: {
      type: 'string',
      pattern: '^https?://[^\\s/@?#]+(/[^\\s?#@]*)?$',
      maxLength: 500,
      'x-expects': 'an address such as http://127.0.0.1:8086, without user and password',
    },
    database: {
      type: 'string',
      pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$',
      'x-expects': 'letters, digits, _, . and -',
      default: databaseDefault,
    },
    username: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[^:]*$', 'x-expects': 'a name without a colon' },
    password: { type: 'string', minLength: 1, maxLength: 4_096, writeOnly: true },
    ca: { type: 'string', description: 'certificates of those who may sign, PEM: { file: path }' },
    create: {
      type: 'boolean',
      default: true,
      description: 'false: database, retention policies and continuous queries are there, made by somebody who may',
    },
    timeoutMs: { type: 'integer', minimum: 1_000, maximum: 60_000, default: timeoutMsDefault, description: 'how long an answer may take' },
  },
  dependentRequired: { username: ['password'], password: ['username'] },
} as const;

export interface InfluxOptions {
  readonly url: string;
  readonly database?: string;
  readonly username?: string;
  readonly password?: string;
  readonly ca?: string;
  readonly create?: boolean;
  readonly timeoutMs?: number;
}

export interface Settings {
  readonly url: URL;
  readonly database: string;
  readonly login: { readonly username: string; readonly password: string } | null;
  readonly ca: string | null;
  readonly create: boolean;
  readonly timeoutMs: Millis;
}

/** A port or an address of numbers that there cannot be. */
export function faultOf({ url }: InfluxOptions): { readonly pointer: string; readonly message: string } | null {
  if (URL.canParse(url)) return null;
  return {
    pointer: '/url',
    message: 'expected an address such as http://127.0.0.1:8086 (a port of at most 65535, IPv6 as http://[::1]:8086)',
  };
}

export function settingsOf(options: InfluxOptions): Settings {
  const { username, password, ca = null } = options;
  return {
    url: new URL(options.url),
    database: options.database ?? databaseDefault,
    login: username === undefined || password === undefined ? null : { username, password },
    ca,
    create: options.create ?? true,
    timeoutMs: options.timeoutMs ?? timeoutMsDefault,
  };
}
