// Options of the nagios source in quench.yaml; what they mean stands at NagiosConfig.

export const NagiosOptions = {
  type: 'object',
  additionalProperties: false,
  properties: { instance: { type: 'string', minLength: 1, maxLength: 128 }, serviceIsEntity: { type: 'boolean' } },
} as const;
