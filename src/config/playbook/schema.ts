// The playbook/v1 document as JSON Schema: what the loader checks shapes with, and what editors are served.
// What a shape cannot say (known actions, references, expressions) is lint.ts.
import { bytesPattern, percentPattern, ratePattern, sharePattern, spanPattern } from '../yaml/duration.ts';
import { either, type Schema } from '../yaml/shape.ts';

export const span = { type: 'string', pattern: spanPattern, 'x-expects': 'a span such as 90s, 10m or 1h30m' } as const;
const rate = { type: 'string', pattern: `${ratePattern}|^none$`, 'x-expects': 'a rate such as "3 per 6h", or none' } as const;
export const bytes = { type: 'string', pattern: bytesPattern, 'x-expects': 'a size such as 512KiB or 1MiB' } as const;
export const line = (max: number): Schema => ({ type: 'string', minLength: 1, maxLength: max });
const cel = { type: 'string', minLength: 1, maxLength: 4_000, 'x-expects': 'a CEL expression as text' } as const;
const stepId = {
  type: 'string',
  pattern: '^[a-z][A-Za-z0-9_]{0,39}$',
  'x-expects': 'an id of letters, digits and _ that begins with a small letter',
} as const;
export const plainName = {
  type: 'string',
  pattern: '^[a-z][a-z0-9-]{0,62}$',
  'x-expects': 'a name of small letters, digits and - that begins with a letter',
} as const;

/** A mapping that has these keys and no others. */
export function mapping(properties: Schema, required: readonly string[] = [], later: { readonly [key: string]: string } = {}): Schema {
  return { type: 'object', properties, required, additionalProperties: false, 'x-later': later };
}

/** A mapping from names to one kind of thing. */
export function named(what: object, names: object = plainName, max = 100): Schema {
  return { type: 'object', propertyNames: names, additionalProperties: what, maxProperties: max };
}

const call = {
  uses: { type: 'string', pattern: '^[a-z][a-z0-9-]*/[a-z][a-z0-9-]*(@.*)?$', 'x-expects': 'the name of an action, family/name' },
  with: { type: 'object' },
  timeout: span,
} as const;

/** A mark for what must not leave the executor. */
const secret = {
  'x-expects': 'true, or a list of members of the answer such as [json.access_token]',
  ...either(
    { type: 'boolean' },
    { const: true, 'x-expects': 'true, or a list of members of the answer such as [json.access_token]' },
    {
      type: 'array',
      minItems: 1,
      maxItems: 20,
      items: {
        type: 'string',
        pattern: '^[A-Za-z0-9_-]{1,100}([.][A-Za-z0-9_-]{1,100}){0,9}$',
        'x-expects': 'a member such as json.access_token',
      },
      'x-expects': 'true, or a list of members of the answer such as [json.access_token]',
    },
  ),
} as const;

const callLater = { run: 'name an action with "uses", and give its input with "with"' };
const oneTarget = 'a run of this version acts on one target';

const trigger = mapping({ alert: cel, incident: cel, for: span }, [], {
  schedule: 'only alerts and incidents start a run',
  manual: 'only alerts and incidents start a run',
  webhook: 'only alerts and incidents start a run',
  confidence: 'write guards.confidence',
});

const param = mapping(
  {
    type: { enum: ['string', 'integer', 'number', 'boolean'] },
    from: cel,
    default: { type: ['string', 'number', 'boolean'] },
    pattern: line(500),
    oneOf: { type: 'array', minItems: 1, maxItems: 100, uniqueItems: true, items: { type: ['string', 'number', 'boolean'] } },
    maxLength: { type: 'integer', minimum: 1, maximum: 4_096 },
  },
  ['type'],
  { items: oneTarget, minItems: oneTarget, maxItems: oneTarget, format: 'write a pattern', minimum: 'write oneOf', maximum: 'write oneOf' },
);

export const blastRadius = {
  ...rate,
  pattern: `${rate.pattern}|${sharePattern}`,
  'x-expects': 'how many targets within a window, such as "10 per 10m", a share of its group, such as 25%, or none',
} as const;
export const keepHealthy = {
  type: ['integer', 'string'],
  minimum: 1,
  maximum: 1_000_000,
  pattern: percentPattern,
  'x-expects': 'how many members of its group stay healthy, such as 3 or 60%',
} as const;

const guards = mapping(
  {
    cooldown: span,
    attempts: rate,
    blastRadius,
    keepHealthy,
    concurrency: { type: 'integer', minimum: 1, maximum: 100 },
    confidence: { type: 'number', minimum: 0, maximum: 1 },
    approve: mapping({ within: span }, [], {
      when: 'write mode: approve',
      from: 'anyone with the role approver may approve',
      count: 'one approval is asked for',
      notAuthor: '',
      otherwise: 'an approval that does not come is escalated',
    }),
  },
  [],
  {
    storm: 'write storm in quench.yaml',
    deny: 'freeze by hand: quench freeze',
    windows: '',
  },
);

const diagnosis = mapping(
  {
    id: stepId,
    ...call,
    secret,
    continueOnError: { type: 'boolean' },
    check: cel,
    otherwise: { enum: ['end', 'escalate'] },
    say: line(500),
  },
  [],
  { ...callLater, foreach: oneTarget, when: 'write a check before it', needs: 'looks are taken in order' },
);

const undo = mapping(call, ['uses'], { ...callLater, when: 'an undo runs when the run is rolled back' });

const step = mapping(
  {
    id: stepId,
    ...call,
    secret,
    when: cel,
    retry: mapping(
      {
        times: { type: 'integer', minimum: 1, maximum: 10 },
        backoff: {
          type: 'string',
          pattern: '^[0-9dhms]{2,20}( to [0-9dhms]{2,20})?$',
          'x-expects': 'a wait such as 5s, or a growing one such as "5s to 60s"',
        },
        factor: { type: 'number', minimum: 1, maximum: 10 },
      },
      ['times'],
      { on: 'every failure is retried', jitter: '' },
    ),
    unknown: { enum: ['stop', 'retry'] },
    continueOnError: { type: 'boolean' },
    undo,
  },
  ['id', 'uses'],
  {
    ...callLater,
    foreach: oneTarget,
    batches: oneTarget,
    maxFailures: oneTarget,
    parallel: 'steps run in order',
    needs: 'steps run in order',
    steps: 'write them one after the other',
    playbook: 'copy the steps',
    ladder: 'write one playbook',
    outputs: 'outputs are read as $steps.<id>.<field>',
    deadline: 'write timeout and retry',
  },
);

const proof = {
  type: ['string', 'object'],
  'x-expects': '"resolved", or an action with "uses" and "expect"',
  ...either(
    { type: 'string' },
    { const: 'resolved', 'x-expects': '"resolved", or an action with "uses" and "expect"' },
    mapping({ ...call, secret, expect: cel }, ['uses', 'expect'], callLater),
  ),
};

const proofs = { type: 'array', minItems: 1, maxItems: 10, items: proof };

const verify = mapping({
  within: span,
  every: span,
  stableFor: span,
  all: proofs,
  any: proofs,
  otherwise: { enum: ['escalate', 'rollback'] },
});

/** JSON Schema of one playbook document. */
export const PlaybookSchema: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'playbook/v1',
  ...mapping(
    {
      apiVersion: { const: 'playbook/v1' },
      name: plainName,
      version: { type: 'string', pattern: '^[0-9]+\\.[0-9]+\\.[0-9]+$', 'x-expects': 'a version such as 1.0.0' },
      summary: line(200),
      owner: line(100),
      mode: { enum: ['off', 'shadow', 'approve', 'auto'] },
      on: { type: 'array', minItems: 1, maxItems: 20, items: trigger },
      params: named(param, stepId, 30),
      target: mapping(
        {
          resource: line(500),
          group: { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$', 'x-expects': 'the name of a group of quench.yaml' },
        },
        ['resource'],
        {
          each: oneTarget,
        },
      ),
      guards,
      diagnose: { type: 'array', maxItems: 20, items: diagnosis },
      steps: { type: 'array', minItems: 1, maxItems: 30, items: step },
      verify,
      escalate: mapping({ ladder: plainName, say: line(2_000), after: span }, [], {
        page: 'write the name of a ladder: escalate.ladder',
        attach: 'diagnosis, steps and checks are attached always',
      }),
    },
    ['apiVersion', 'name', 'version', 'summary', 'owner', 'on', 'target', 'steps'],
    {
      extends: 'copy what you need of the parent',
      labels: '',
      ladder: 'write one playbook',
      rollback: 'write undo at each step and verify.otherwise: rollback',
      needs: 'steps run in order',
      foreach: oneTarget,
      batches: oneTarget,
      parallel: 'steps run in order',
      playbook: 'copy the steps',
    },
  ),
};
