// The newrelic source as the registry knows it. What its options mean stands at NewRelicConfig.
import { checked, type SourceKind } from '../kit/kinds.ts';
import { entityLabels, severityWord, severityWords } from '../kit/schemas.ts';
import { newrelic } from './source.ts';

const options = {
  type: 'object',
  additionalProperties: false,
  properties: { severities: severityWords, severityDefault: severityWord, entity: entityLabels },
} as const;

export const newrelicSource: SourceKind = {
  name: 'newrelic',
  options,
  create: (given) => newrelic(checked(given)),
};
