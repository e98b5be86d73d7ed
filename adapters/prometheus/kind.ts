// The prometheus source as the registry knows it. What its options mean stands at PrometheusConfig.
import { checked, type SourceKind } from '../kit/kinds.ts';
import { entityLabels, severityWord, severityWords } from '../kit/schemas.ts';
import { alertmanagerApi } from './api.ts';
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

export const prometheusSource: SourceKind = {
  name: 'prometheus',
  options,
  create: (given) => prometheus(checked(given)),
  routes: alertmanagerApi,
};
