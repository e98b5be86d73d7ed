// Options of the newrelic source in quench.yaml; what they mean stands at NewRelicConfig.
import { entityLabels, severityWord, severityWords } from '../kit/schemas.ts';

export const NewRelicOptions = {
  type: 'object',
  additionalProperties: false,
  properties: { severities: severityWords, severityDefault: severityWord, entity: entityLabels },
} as const;
