// The nagios source as the registry knows it. What its options mean stands at NagiosConfig.
import { checked, type SourceKind } from '../kit/kinds.ts';
import { nagios } from './source.ts';

const options = {
  type: 'object',
  additionalProperties: false,
  properties: { instance: { type: 'string', minLength: 1, maxLength: 128 }, serviceIsEntity: { type: 'boolean' } },
} as const;

export const nagiosSource: SourceKind = {
  name: 'nagios',
  options,
  create: (given) => nagios(checked(given)),
};
