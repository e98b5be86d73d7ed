// The zabbix source as the registry knows it. What its options mean stands at ZabbixConfig.
import { checked, type SourceKind } from '../kit/kinds.ts';
import { zabbix } from './source.ts';

const options = {
  type: 'object',
  additionalProperties: false,
  properties: {
    instance: { type: 'string', minLength: 1, maxLength: 128 },
    utcOffsetMinutes: { type: 'integer', minimum: -840, maximum: 840 },
  },
} as const;

export const zabbixSource: SourceKind = {
  name: 'zabbix',
  options,
  create: (given) => zabbix(checked(given)),
};
