// JSON Schemas of a playbook as it was loaded, the type of core/playbook/document.ts. What people write is config/playbook's schema.
import type { Diagnosis, Param, Playbook, Proving, SecretMark, Step, Trigger, Verify } from '../core/playbook/document.ts';
import type { PlaybookLine } from '../readmodel/answers.ts';
import { closed, either, integer, listOf, mapOf, nullable, number, text, truth, value, words, type SchemaOf } from '../readmodel/schema.ts';
import type { Schema } from './schema.ts';

const secret: SchemaOf<SecretMark> = either<readonly [true, readonly string[]]>({ const: true }, listOf(text));
const call = { uses: text, with: value, timeoutMs: integer, secret } as const;
const mode = words(['off', 'shadow', 'approve', 'auto']);

const line = { name: text, version: text, summary: text, owner: text, mode, digest: text } as const;

const diagnosis: SchemaOf<Diagnosis> = either(
  closed<Extract<Diagnosis, { kind: 'look' }>>({ kind: words(['look']), id: text, continueOnError: truth, ...call }, ['secret']),
  closed<Extract<Diagnosis, { kind: 'check' }>>({ kind: words(['check']), check: text, otherwise: words(['end', 'escalate']), say: text }),
);

const proof: SchemaOf<Proving> = either(
  closed<Extract<Proving, { kind: 'resolved' }>>({ kind: words(['resolved']) }),
  closed<Extract<Proving, { kind: 'probe' }>>({ kind: words(['probe']), expect: text, ...call }, ['secret']),
);

const param = closed<Param>({
  type: words(['string', 'integer', 'number', 'boolean']),
  from: nullable(text),
  fallback: value,
  pattern: nullable(text),
  maxLength: integer,
  oneOf: nullable(listOf(value)),
});

const step = closed<Step>(
  {
    id: text,
    ...call,
    when: nullable(text),
    retry: closed<Step['retry']>({ times: integer, waitMs: integer, factor: number, waitMaxMs: integer }),
    onUnknown: words(['stop', 'retry']),
    continueOnError: truth,
    undo: nullable(closed<NonNullable<Step['undo']>>(call, ['secret'])),
  },
  ['secret'],
);

export const playbookComponents: { readonly [name: string]: Schema } = {
  Playbooks: closed<{ readonly items: readonly PlaybookLine[]; readonly next: string | null }>({
    items: listOf(closed<PlaybookLine>(line)),
    next: nullable(text),
  }),
  Playbook: closed<Playbook>(
    {
      ...line,
      triggers: listOf(closed<Trigger>({ on: words(['alert', 'incident']), when: text, forMs: integer })),
      params: mapOf(param),
      target: value,
      guards: closed<Playbook['guards']>(
        {
          cooldownMs: integer,
          attempts: nullable(closed<NonNullable<Playbook['guards']['attempts']>>({ max: integer, perMs: integer })),
          concurrency: integer,
          blastRadius: nullable(closed<NonNullable<Playbook['guards']['blastRadius']>>({ max: integer, perMs: integer })),
          blastShare: closed<NonNullable<Playbook['guards']['blastShare']>>({ percent: integer, perMs: integer }),
          healthy: closed<NonNullable<Playbook['guards']['healthy']>>({ count: integer, percent: integer }, ['count', 'percent']),
          floor: closed<NonNullable<Playbook['guards']['floor']>>({ name: text, members: integer, healthy: integer }),
          confidence: number,
          approveWithinMs: integer,
        },
        ['blastRadius', 'blastShare', 'healthy', 'floor'],
      ),
      diagnose: listOf(diagnosis),
      steps: listOf(step),
      verify: closed<Verify>({
        withinMs: integer,
        everyMs: integer,
        stableForMs: integer,
        require: words(['all', 'any']),
        proofs: listOf(proof),
        otherwise: words(['escalate', 'rollback']),
      }),
      escalate: closed<Playbook['escalate']>({ ladder: nullable(text), say: value, afterMs: integer }, ['afterMs']),
      group: text,
      unlisted: text,
    },
    ['group', 'unlisted'],
  ),
};
