// The nagios source as the registry knows it. What its options mean stands at NagiosConfig.
import { checked, type SourceKind } from '../kit/kinds.ts';
import { asking, passwordWithUser } from '../kit/schemas.ts';
import { nagiosProblems } from './reconcile.ts';
import { nagios } from './source.ts';

const options = {
  type: 'object',
  additionalProperties: false,
  properties: { instance: { type: 'string', minLength: 1, maxLength: 128 }, serviceIsEntity: { type: 'boolean' } },
} as const;

/** What they mean stands at NagiosAsking. */
const askOptions = {
  type: 'object',
  additionalProperties: false,
  properties: {
    statusFile: { type: 'string', minLength: 1, maxLength: 4_096 },
    url: asking.url,
    user: asking.user,
    password: asking.password,
    instance: { type: 'string', minLength: 1, maxLength: 128, 'x-expects': 'the instance that the notification script sends' },
  },
  required: ['instance'],
  dependentRequired: passwordWithUser,
  oneOf: [{ required: ['statusFile'] }, { required: ['url'] }],
  'x-expects': 'instance, and either statusFile or url',
} as const;

export const nagiosSource: SourceKind = {
  name: 'nagios',
  options,
  create: (given) => nagios(checked(given)),
  ask: { options: askOptions, create: (given, deps) => nagiosProblems(checked(given), deps) },
};
