// Options of the prometheus source in quench.yaml; what they mean stands at PrometheusConfig.
import { entityLabels, severityWord, severityWords } from '../kit/schemas.ts';

export const PrometheusOptions = {
  type: 'object',
  additionalProperties: false,
  properties: {
    severityLabel: { type: 'string', minLength: 1, maxLength: 128 },
    severities: severityWords,
    severityDefault: severityWord,
    entity: entityLabels,
  },
} as const;
