// Options of the zabbix source in quench.yaml; what they mean stands at ZabbixConfig.

export const ZabbixOptions = {
  type: 'object',
  additionalProperties: false,
  properties: {
    instance: { type: 'string', minLength: 1, maxLength: 128 },
    utcOffsetMinutes: { type: 'integer', minimum: -840, maximum: 840 },
  },
} as const;
