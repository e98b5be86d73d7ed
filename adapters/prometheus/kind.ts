// The prometheus source as the registry knows it. What its options mean stands at PrometheusConfig.
import { checked, type SourceKind } from '../kit/kinds.ts';
import { asking, entityLabels, passwordWithUser, severityWord, severityWords } from '../kit/schemas.ts';
import { alertmanagerApi } from './api.ts';
import { alertmanagerAlerts } from './reconcile.ts';
import { prometheus } from './source.ts';

const options = {
  type: 'object',
  additionalProperties: false,
  properties: {
    severityLabel: { type: 'string', minLength: 1, maxLength: 128 },
    severities: severityWords,
    severityDefault: severityWord,
    entity: entityLabels,
  },
} as const;

/** What they mean stands at AlertmanagerAsking. */
const askOptions = {
  type: 'object',
  additionalProperties: false,
  properties: {
    ...asking,
    receiver: { type: 'string', minLength: 1, maxLength: 256, 'x-expects': 'the name of the receiver that leads here' },
  },
  required: ['url', 'receiver'],
  dependentRequired: passwordWithUser,
} as const;

export const prometheusSource: SourceKind = {
  name: 'prometheus',
  options,
  create: (given) => prometheus(checked(given)),
  routes: alertmanagerApi,
  ask: { options: askOptions, create: (given, deps) => alertmanagerAlerts(checked(given), deps) },
};
