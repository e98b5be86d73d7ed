// Fragments of JSON Schema that several sources use for their options in quench.yaml.
import { severities } from '../../src/core/alert/severity.ts';

export const severityWord = { enum: severities } as const;

/** Words of the vendor, in lower case, to our severities. */
export const severityWords = { type: 'object', maxProperties: 64, additionalProperties: severityWord } as const;

const labelNames = { type: 'array', maxItems: 16, items: { type: 'string', minLength: 1, maxLength: 128 } } as const;

/** Which labels name each part of the entity. */
export const entityLabels = {
  type: 'object',
  additionalProperties: false,
  properties: { host: labelNames, ip: labelNames, service: labelNames, pod: labelNames, namespace: labelNames, cluster: labelNames },
} as const;

/** An address that targetOf of http-client.ts takes, so that `quench check` refuses what a start would. */
export const httpAddress = {
  type: 'string',
  pattern: '^[Hh][Tt][Tt][Pp][Ss]?://[^\\s/?#@]+([/?#][^\\s]*)?$',
  'x-expects': 'an address such as https://hooks.example.org/quench',
} as const;

const plain = { type: 'string', minLength: 1, maxLength: 256 } as const;
const credential = { type: 'string', minLength: 1, maxLength: 4_096, writeOnly: true } as const;

/** How a monitoring system is asked over HTTP (kit/ask.ts). */
export const asking = { url: httpAddress, user: plain, password: credential, token: credential } as const;

/** A password goes with a user. */
export const passwordWithUser = { user: ['password'], password: ['user'] } as const;
