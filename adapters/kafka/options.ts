// Options of the shared log in quench.yaml, and what they are to the client.
import type { KafkaConfig, SASLOptions } from 'kafkajs';

const partitionsDefault = 6;
const replicationDefault = 3;
const prefixDefault = 'quench.';
const sessionMsDefault = 6_000;
const portPattern = '[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]';

export const KafkaOptions = {
  type: 'object',
  additionalProperties: false,
  required: ['brokers'],
  properties: {
    brokers: {
      type: 'array',
      minItems: 1,
      maxItems: 50,
      items: { type: 'string', pattern: `^[^\\s:/@\\[\\]]+:(${portPattern})$`, 'x-expects': 'host:port' },
      description: 'a few brokers to ask for the rest',
    },
    tls: {
      type: ['boolean', 'object'],
      additionalProperties: false,
      properties: {
        ca: { type: 'string', description: 'certificates of those who may sign, PEM: { file: path }' },
        cert: { type: 'string', description: 'our certificate, PEM' },
        key: { type: 'string', writeOnly: true, description: 'its key, PEM' },
        serverName: { type: 'string', minLength: 1, maxLength: 253 },
      },
      description: 'true, or with certificates',
    },
    sasl: {
      type: 'object',
      additionalProperties: false,
      required: ['mechanism', 'username', 'password'],
      properties: {
        mechanism: { enum: ['plain', 'scram-sha-256', 'scram-sha-512'] },
        username: { type: 'string', minLength: 1, maxLength: 255 },
        password: { type: 'string', minLength: 1, maxLength: 1_024, writeOnly: true },
      },
    },
    topicPrefix: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,100}$', 'x-expects': 'letters, digits, ., _ and -', default: prefixDefault },
    partitions: { type: 'integer', minimum: 1, maximum: 512, default: partitionsDefault, description: 'never to be changed afterwards' },
    replication: { type: 'integer', minimum: 1, maximum: 9, default: replicationDefault },
    createTopics: { type: 'boolean', default: true, description: 'false: they are there, made by somebody who may' },
    sessionMs: {
      type: 'integer',
      minimum: 1_000,
      maximum: 60_000,
      default: sessionMsDefault,
      description: 'silence after which a gateway is taken for dead',
    },
  },
} as const;

export interface KafkaOptions {
  readonly brokers: readonly string[];
  readonly tls?: boolean | { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly serverName?: string };
  readonly sasl?: { readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; readonly username: string; readonly password: string };
  readonly topicPrefix?: string;
  readonly partitions?: number;
  readonly replication?: number;
  readonly createTopics?: boolean;
  readonly sessionMs?: number;
}

/** Options with their defaults in place. */
export interface Settings {
  readonly topics: { readonly inputs: string; readonly facts: string; readonly desks: string; readonly deadletter: string };
  readonly prefix: string;
  readonly partitions: number;
  readonly replication: number;
  readonly createTopics: boolean;
  readonly sessionMs: number;
}

export function settingsOf(options: KafkaOptions): Settings {
  const prefix = options.topicPrefix ?? prefixDefault;
  return {
    topics: { inputs: `${prefix}inputs`, facts: `${prefix}facts`, desks: `${prefix}desks`, deadletter: `${prefix}deadletter` },
    prefix,
    partitions: options.partitions ?? partitionsDefault,
    replication: options.replication ?? replicationDefault,
    createTopics: options.createTopics ?? true,
    sessionMs: options.sessionMs ?? sessionMsDefault,
  };
}

/** How the client reaches and trusts the brokers. */
export function connectionOf(options: KafkaOptions): Pick<KafkaConfig, 'brokers' | 'ssl' | 'sasl'> {
  const { brokers, tls = false, sasl } = options;
  // The client's union of mechanisms does not follow from ours by structure.
  const login = sasl === undefined ? {} : { sasl: { ...sasl } as SASLOptions };
  return { brokers: [...brokers], ssl: typeof tls === 'boolean' ? tls : secureContextOf(tls), ...login };
}

function secureContextOf(tls: Exclude<KafkaOptions['tls'], boolean | undefined>): object {
  const { serverName, ...rest } = tls;
  return serverName === undefined ? rest : { ...rest, servername: serverName };
}
