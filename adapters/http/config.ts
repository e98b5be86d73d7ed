// The operator's part of http/request and http/probe: what may be called, and with which credentials.
// Nothing here comes from a playbook or an alert.

export interface HttpConfig {
  /**
   * What may be called: an address prefix (`https://deploy.example/hooks/`), a host name (any port), or an IP address or CIDR block
   * for addresses written as numbers. A private or loopback address is reached only through an entry that names it.
   * Empty or missing: nothing may be called.
   */
  readonly allow?: readonly string[];
  /** Headers that go with every call below a prefix; their values are secrets and are taken out of what is reported. */
  readonly credentials?: readonly { readonly url: string; readonly headers: { readonly [name: string]: string } }[];
}

/** What reach.ts reads; it refuses the rest when the gateway starts. */
const prefixPattern = '^https?://[^\\s/?#@]+(/[^\\s?#]*)?$';
const prefix = {
  type: 'string',
  pattern: prefixPattern,
  maxLength: 2048,
  'x-expects': 'an address prefix such as https://deploy.example/hooks/',
};
const hostPattern = '^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$';
const numberPattern = '^[0-9A-Fa-f.:]+/[0-9]{1,3}$|^[0-9A-Fa-f:]*:[0-9A-Fa-f.:]*$';
const reachable = {
  type: 'string',
  pattern: `${prefixPattern}|${hostPattern}|${numberPattern}`,
  maxLength: 2048,
  'x-expects': 'a prefix such as https://deploy.example/hooks/, a host name alone, an IP address or a CIDR block',
};

/** Its schema in quench.yaml. */
export const HttpConfig = {
  type: 'object',
  additionalProperties: false,
  properties: {
    allow: { type: 'array', maxItems: 256, items: reachable },
    credentials: {
      type: 'array',
      maxItems: 64,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['url', 'headers'],
        properties: {
          url: prefix,
          headers: {
            type: 'object',
            minProperties: 1,
            maxProperties: 16,
            additionalProperties: { type: 'string', maxLength: 8192, 'x-secret': true },
          },
        },
      },
    },
  },
} as const;
