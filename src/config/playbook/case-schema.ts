// A file of playbook test cases as JSON Schema. Reading it is cases.ts.
import { severities } from '../../core/alert/severity.ts';
import { outcomes, type Outcome } from '../../core/run/ends.ts';
import { either, type Schema } from '../yaml/shape.ts';
import { line, mapping, named, plainName, span } from './schema.ts';

/** How a run may end, `refused` by a guard, or `none` when no playbook was chosen. */
export type CaseEnd = Outcome | 'none';

const caseEnds: readonly CaseEnd[] = [...outcomes, 'none'];

const texts = { type: 'object', maxProperties: 64, additionalProperties: { type: 'string', maxLength: 4_096 } };

const alert = mapping(
  {
    at: span,
    claim: { enum: ['firing', 'cleared', 'acknowledged', 'noted'] },
    source: line(64),
    name: line(256),
    summary: line(512),
    severity: { enum: severities },
    labels: texts,
    annotations: texts,
    entity: mapping({ host: line(253), ip: line(64), service: line(253), pod: line(253), namespace: line(253), cluster: line(253) }),
  },
  ['name'],
);

const answer = mapping(
  { outcome: { enum: ['ok', 'failed', 'unknown'] }, output: { type: 'object' }, error: line(64), detail: line(512), takes: span },
  ['outcome'],
);

const stepKey: Schema = {
  type: 'string',
  pattern: '^(undo/)?[a-z][A-Za-z0-9_]{0,39}$',
  'x-expects': 'a step id, proof1 … for verify, or undo/<id>',
};

/** JSON Schema of one `*.test.yaml` file. */
export const CasesSchema: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'playbook test cases',
  ...mapping(
    {
      playbook: plainName,
      cases: {
        type: 'array',
        minItems: 1,
        maxItems: 100,
        items: mapping(
          {
            name: line(200),
            given: mapping(
              {
                alerts: { type: 'array', maxItems: 1_000, items: alert },
                mode: { enum: ['off', 'shadow', 'approve', 'auto'] },
                approval: mapping({ at: span, approved: { type: 'boolean' } }, ['at', 'approved']),
                until: span,
              },
              ['alerts'],
              { incident: 'write the alerts that make it', group: '', confidence: '' },
            ),
            actions: named(
              { type: ['object', 'array'], ...either({ type: 'object' }, answer, { items: answer, minItems: 1, maxItems: 50 }) },
              stepKey,
            ),
            // oxlint-disable-next-line unicorn/no-thenable -- a word of the file
            then: mapping(
              {
                ended: { enum: caseEnds },
                paged: { type: 'boolean' },
                calls: {
                  type: 'array',
                  maxItems: 100,
                  items: mapping({ step: stepKey, uses: line(100), with: { type: 'object' } }, ['step', 'uses', 'with']),
                },
              },
              ['ended', 'paged'],
              { effects: 'write calls', order: 'write calls, they are in order' },
            ),
          },
          ['name', 'given', 'then'],
          { crash: 'crashes are tested by the engine itself' },
        ),
      },
    },
    ['playbook', 'cases'],
  ),
};
