// The zabbix source as the registry knows it. What its options mean stands at ZabbixConfig.
import { checked, type SourceKind } from '../kit/kinds.ts';
import { asking, passwordWithUser, severityWord, severityWords } from '../kit/schemas.ts';
import { zabbixProblems } from './reconcile.ts';
import { zabbix } from './source.ts';

/** The platform lists each zone under one name only, sometimes the older one. */
const newerNames = [
  'UTC',
  'Etc/UTC',
  'Europe/Kyiv',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Asia/Ho_Chi_Minh',
  'Asia/Yangon',
  'America/Argentina/Buenos_Aires',
];
const timeZones = [...new Set([...newerNames, ...Intl.supportedValuesOf('timeZone')])];

const options = {
  type: 'object',
  additionalProperties: false,
  properties: {
    instance: { type: 'string', minLength: 1, maxLength: 128 },
    timeZone: { enum: timeZones, 'x-expects': 'an IANA time zone: Europe/Berlin' },
    utcOffsetMinutes: { type: 'integer', minimum: -840, maximum: 840 },
    severities: severityWords,
    severityDefault: severityWord,
  },
} as const;

/** What they mean stands at ZabbixAsking. */
const askOptions = {
  type: 'object',
  additionalProperties: false,
  properties: { ...asking, instance: { type: 'string', minLength: 1, maxLength: 128 } },
  required: ['url'],
  dependentRequired: passwordWithUser,
  anyOf: [{ required: ['token'] }, { required: ['user'] }],
  'x-expects': 'url, and a token or user and password',
} as const;

export const zabbixSource: SourceKind = {
  name: 'zabbix',
  options,
  create: (given) => zabbix(checked(given)),
  ask: { options: askOptions, create: (given, deps) => zabbixProblems(checked(given), deps) },
};
