// quench.yaml as JSON Schema. Options of sources, notifiers and actions are checked by the adapters' own schemas.
// Defaults and cross checks are config.ts.
import { severities } from '../../core/alert/severity.ts';
import { roles } from '../../ports/shares.ts';
import { blastRadius, bytes, keepHealthy, line, mapping, named, span } from '../playbook/schema.ts';
import { either, type Schema } from '../yaml/shape.ts';

const reference = '{ env: NAME } or { file: path }, never the secret itself';

/** Where a secret is to be found. */
const secret: Schema = {
  ...mapping({
    env: { type: 'string', pattern: '^[A-Za-z_][A-Za-z0-9_]{0,127}$', 'x-expects': 'the name of an environment variable' },
    file: line(4_096),
  }),
  minProperties: 1,
  maxProperties: 1,
  writeOnly: true,
  'x-expects': reference,
};

const secretsForm = either({ type: 'object' }, secret, { items: secret, minItems: 1, maxItems: 5, 'x-expects': 'one to five secrets' });

/** One secret, or several of which any is accepted, for rotation. */
const secrets: Schema = {
  type: ['object', 'array'],
  writeOnly: true,
  'x-expects': `${reference}, or a list of those`,
  ...secretsForm,
};

/** Of links; without them pages carry none, which is said in words. */
const linkSecrets: Schema = {
  ...secrets,
  type: ['object', 'array', 'string'],
  'x-expects': `${reference}, or a list of those, or none`,
  ...either({ type: 'string' }, { const: 'none', writeOnly: true, 'x-expects': `${reference}, or none` }, secretsForm),
};

const count = (max: number): Schema => ({ type: 'integer', minimum: 1, maximum: max });
const percent = { type: 'number', minimum: 0, maximum: 100 };
const labelName = line(128);
const options = { type: 'object' };

const endpoint = mapping(
  {
    source: { type: 'string' },
    tenant: { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$', 'x-expects': 'a tenant of letters, digits, ., _ and -' },
    auth: {
      ...mapping({ bearer: secrets, basic: secrets, hmac: secrets }),
      minProperties: 1,
      'x-expects': 'at least one of bearer, basic, hmac',
    },
    allowUnauthenticated: { const: true, 'x-expects': 'true, or leave it out' },
    alertsApi: { type: 'boolean' },
    reconcile: { type: 'object', properties: { every: span, unheard: span, grace: span } },
    options,
    mapping: named({ type: 'string', minLength: 1, maxLength: 4_000, 'x-expects': 'a CEL expression over body' }, line(128), 64),
  },
  ['source'],
);

/** Scopes of a token, as the gateway writes them. */
const tokenScopes: Schema = {
  type: 'array',
  minItems: 1,
  maxItems: 50,
  uniqueItems: true,
  items: {
    type: 'string',
    pattern: '^[^\\s|*]{1,200}$',
    'x-expects': 'a scope such as default or acme;team=db, whole',
  },
  'x-expects': 'one to fifty scopes; leave it out for a token of every scope',
};

const notify: Schema = {
  type: ['string', 'array'],
  'x-expects': 'the name of a notifier, or a list of names',
  ...either(
    { type: 'array' },
    { items: { type: 'string' }, minItems: 1, maxItems: 20, uniqueItems: true, 'x-expects': 'at least one notifier, each once' },
    {},
  ),
};

const rung = mapping({ notify, wait: span }, ['notify'], { schedule: 'name notifiers', user: 'name notifiers' });

/** JSON Schema of quench.yaml. */
export const ConfigSchema: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'quench.yaml',
  ...mapping(
    {
      listen: mapping({
        host: line(253),
        port: { type: 'integer', minimum: 0, maximum: 65_535 },
        publicUrl: {
          type: 'string',
          pattern: '^https?://[^\\s/@?#]+(/[^\\s?#]*)?$',
          'x-expects': 'an address such as https://quench.example',
        },
      }),
      api: mapping({
        tokens: named(mapping({ role: { enum: ['read', 'operate', 'admin'] }, secret, scopes: tokenScopes }, ['role', 'secret'])),
        ackSecrets: linkSecrets,
        metrics: { enum: ['open', 'read'] },
      }),
      approvals: mapping({
        byLink: { type: 'boolean', 'x-expects': 'true (whoever has the link may say yes) or false' },
        approvers: {
          type: 'array',
          maxItems: 100,
          uniqueItems: true,
          items: line(64),
          'x-expects': 'a list of persons that notifiers name',
        },
      }),
      data: mapping({ type: line(64), dir: line(4_096) }),
      log: { type: 'object', properties: { type: { type: 'string' } } },
      series: {
        type: 'object',
        properties: {
          keep: mapping({ points: span, hours: span, days: span }),
          minutesSaved: named({ type: 'number', minimum: 0, maximum: 10_000 }),
          hosts: { type: 'boolean', 'x-expects': 'true (hosts are tags, too: as many series as hosts) or false' },
        },
      },
      roles: { type: 'array', minItems: 1, uniqueItems: true, items: { enum: roles } },
      limits: mapping({
        body: bytes,
        lists: bytes,
        buffered: bytes,
        connections: count(65_535),
        streams: count(10_000),
        queueRecords: count(1_000_000),
        queue: bytes,
        backlog: count(10_000_000),
        deadLetters: count(1_000_000),
        retention: span,
        disk: bytes,
      }),
      endpoints: { ...named(endpoint), minProperties: 1 },
      scope: mapping({ labels: { type: 'array', maxItems: 5, uniqueItems: true, items: labelName } }),
      playbooks: mapping({ dir: line(4_096) }),
      groups: named(
        mapping({
          count: count(1_000_000),
          members: { type: 'array', minItems: 1, maxItems: 10_000, items: line(253) },
          file: line(4_096),
          blastRadius,
          keepHealthy,
        }),
      ),
      actions: { type: 'object', additionalProperties: options },
      notifiers: {
        ...named({
          type: 'object',
          required: ['type'],
          properties: {
            type: { type: 'string' },
            person: {
              ...line(64),
              pattern: '^[^\\p{C}\\p{Z}]+( [^\\p{C}\\p{Z}]+)*$',
              'x-expects': 'the name of the one person whom it reaches',
            },
          },
        }),
        minProperties: 1,
      },
      ladders: {
        ...named(
          mapping(
            {
              rungs: { type: 'array', minItems: 1, maxItems: 20, items: rung },
              repeat: { type: 'integer', minimum: 0, maximum: 9 },
              ackTimeout: span,
            },
            ['rungs'],
          ),
        ),
        minProperties: 1,
      },
      routes: { type: 'array', minItems: 1, maxItems: 100, items: mapping({ when: line(4_000), ladder: { type: 'string' } }, ['ladder']) },
      grouping: mapping({
        window: span,
        labels: { type: 'array', maxItems: 20, items: { type: 'array', minItems: 1, maxItems: 10, uniqueItems: true, items: labelName } },
        reopen: span,
        membersMax: count(10_000),
      }),
      storm: mapping({ alerts: { type: 'integer', minimum: 2, maximum: 100_000 }, within: span }),
      flapping: mapping({ start: percent, stop: percent, steady: span }),
      paging: mapping({ severity: { enum: severities }, score: { type: 'number', minimum: 0, maximum: 1 } }),
      settle: span,
      holdOff: span,
      stale: span,
      drain: span,
      spool: mapping({ bytes, age: span }),
      failOpen: mapping({ after: span, notify }),
      delivery: mapping({ keepTrying: span, bundle: span }),
      reload: { enum: ['auto', 'asked'] },
    },
    ['endpoints', 'notifiers', 'ladders'],
    { silences: 'set them through the API', schedules: 'name notifiers in ladders', maintenance: 'set a silence' },
  ),
};
