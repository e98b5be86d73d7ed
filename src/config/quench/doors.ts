// Who may come in, with what: API tokens, endpoints and limits, from quench.yaml.
import { join } from 'node:path';
import type { Json } from '../../core/json.ts';
import { isOwnName, ownNameRefused } from '../../core/own-name.ts';
import { day, hour, minute, second } from '../../core/time.ts';
import type { Files } from '../files.ts';
import { resolveSecrets } from '../secrets.ts';
import { below } from '../yaml/pointer.ts';
import { didYouMean } from '../yaml/problems.ts';
import { kindOf, optionsOf } from './adapters.ts';
import { configDefaults } from './defaults.ts';
import { bytesOr, complain, spanAt, type Loading, type RawEndpoint, type SecretRef } from './loading.ts';
import type { AuthRule, Config, EndpointConfig } from './types.ts';

/** A shorter one can be guessed through the door. */
const secretCharsMin = 16;

/** Whether only this machine reaches the address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}$/.test(host);
}

/** `dataDir` is where a gateway keeps what is its own. */
export function apiOf(loading: Loading, dataDir: string): Config['api'] {
  const api = loading.raw.api ?? {};
  const tokens = Object.entries(api.tokens ?? {}).map(([name, { role, secret, scopes = null }]) => {
    const pointer = `${below('/api/tokens', name)}/secret`;
    const [found = ''] = secretsAt(loading, pointer, secret);
    checkDoor(loading, pointer, found, `the token ${name}`);
    checkCarried(loading, pointer, found, 'bearer');
    for (const [index, scope] of (scopes ?? []).entries()) warnOfScope(loading, `${below('/api/tokens', name)}/scopes/${index}`, scope);
    if (isOwnName(name)) complain(loading, below('/api/tokens', name), ownNameRefused(name, 'call the token by who holds it, ops: or ci:'));
    return { name, role, scopes, secret: found };
  });
  return {
    tokens,
    ackSecrets: ackSecretsOf(loading, api.ackSecrets, dataDir),
    metrics: api.metrics ?? configDefaults.metrics,
  };
}

/** What signs links: as the file says; else, of a gateway that is alone, a secret of its own. Several cannot agree on one that each makes. */
function ackSecretsOf(loading: Loading, given: SecretRef | 'none' | undefined, dataDir: string): readonly string[] {
  if (given === 'none') return [];
  const { linkFiles, warn } = loading.deps;
  const isAlone = (loading.raw.log?.type ?? 'embedded') === 'embedded';
  if (given === undefined && !isAlone) warn?.(loading.file.problem('/api', noLinks));
  if (given === undefined && (!isAlone || linkFiles === undefined)) return [];
  const place = '/api/ackSecrets';
  const found =
    given === undefined
      ? secretsIn(loading, place, { file: join(dataDir, 'ack.token') }, linkFiles ?? loading.deps.files)
      : secretsAt(loading, place, given);
  for (const secret of found) checkDoor(loading, '/api/ackSecrets', secret, 'acknowledgement links');
  return found;
}

/** Who holds a secret of one door must not come in by another: a monitoring server's token is read by everybody who administers that server. */
function checkDoor(loading: Loading, pointer: string, secret: string, holder: string): void {
  const { unsafe } = loading.deps;
  if (secret === '' || unsafe === undefined) return; // complained about already, or not to be judged
  const tell = (message: string): void => unsafe.tell(loading.file.problem(pointer, message));
  if (secret.length < secretCharsMin) tell(tooShort(secret));
  const other = loading.doorSecrets.get(secret);
  if (other !== undefined && other !== holder)
    tell(`expected a secret of its own, seen that of ${other}: make another one (openssl rand -base64 24)`);
  loading.doorSecrets.set(secret, other ?? holder);
}

/** A token comes in a header of HTTP: one that no header can carry refuses everybody who holds it. */
function checkCarried(loading: Loading, pointer: string, secret: string, kind: 'bearer' | 'basic'): void {
  const seen = notCarried(secret, kind);
  if (secret === '' || seen === null) return;
  loading.deps.unsafe?.tell(
    loading.file.problem(
      pointer,
      `expected one word of ASCII, which a header can carry, seen ${seen}: make one with openssl rand -base64 24`,
    ),
  );
}

/** What about a token keeps it from standing in a header, in words that tell nothing of it; null when it can. */
function notCarried(secret: string, kind: 'bearer' | 'basic'): string | null {
  const lines = secret.split(/\r\n|[\r\n]/).length;
  if (lines > 1) return `${lines} lines`;
  if (/(?!\t)\p{Cc}/u.test(secret)) return 'a control character';
  if (kind === 'basic') return null; // as base64 it may hold the rest
  if (/\s/.test(secret)) return /^\s|\s$/.test(secret) ? 'a blank at an end' : 'a blank within';
  return /^[\x21-\x7e]+$/.test(secret) ? null : 'a letter that is not ASCII';
}

/** Nothing would lie in it, unless another gateway on the same log has such a tenant. */
function warnOfScope(loading: Loading, pointer: string, scope: string): void {
  const tenants = [...new Set(Object.values(loading.raw.endpoints).map(({ tenant = configDefaults.tenant }) => tenant))];
  const known = tenants.map((tenant) => encodeURIComponent(tenant.toWellFormed()).replaceAll('*', '%2A'));
  const [tenant = '', ...labels] = scope.split(';');
  const names = loading.raw.scope?.labels ?? [];
  if (!known.includes(tenant))
    loading.deps.warn?.(
      loading.file.problem(
        pointer,
        `expected a scope of a tenant of the endpoints, seen "${scope}"${didYouMean(tenant, known)}; tenants are ${known.join(', ')}: this token sees nothing`,
      ),
    );
  else if (!scope.includes('#') && labels.length !== names.length)
    loading.deps.warn?.(
      loading.file.problem(
        pointer,
        `expected a scope as ${[tenant, ...names.map((name) => `${name}=…`)].join(';')}, seen "${scope}": nothing lies in it`,
      ),
    );
}

const noLinks =
  'pages carry no links: gateways that share a log need one secret for them; write api: { ackSecrets: { file: tokens/ack.token } }, the same file on each, or ackSecrets: none';

function tooShort(secret: string): string {
  return `expected at least ${secretCharsMin} characters, seen ${secret.length}: make one with openssl rand -base64 24`;
}

export function endpointsOf(loading: Loading, loopback: boolean): Config['endpoints'] {
  const open = Object.entries(loading.raw.endpoints).filter(([, endpoint]) => endpoint.alertsApi === true);
  for (const [name] of open.slice(1)) {
    complain(
      loading,
      `${below('/endpoints', name)}/alertsApi`,
      `expected one endpoint with alertsApi, seen a second one beside ${open[0]?.[0]}`,
    );
  }
  return Object.fromEntries(
    Object.entries(loading.raw.endpoints).map(([name, raw]): [string, EndpointConfig] => {
      const pointer = below('/endpoints', name);
      const kind = kindOf(loading, `${pointer}/source`, raw.source, { what: 'source', known: loading.deps.sources });
      return [
        name,
        {
          source: raw.source,
          tenant: raw.tenant ?? configDefaults.tenant,
          auth: authOf(loading, raw, pointer, loopback),
          alertsApi: raw.alertsApi ?? false,
          options: optionsOf(loading, `${pointer}/options`, raw.options ?? {}, kind),
          mapping: mappingOf(loading, `${pointer}/mapping`, raw.mapping ?? {}),
          reconcile: reconcileOf(loading, pointer, raw),
        },
      ];
    }),
  );
}

/** Each expression may read the body, and nothing else. */
function mappingOf(loading: Loading, pointer: string, mapping: EndpointConfig['mapping']): EndpointConfig['mapping'] {
  for (const [member, expression] of Object.entries(mapping)) {
    const checked = loading.deps.expressions.check(expression, ['body']);
    if (!checked.ok) complain(loading, below(pointer, member), `expected CEL over body, seen something else: ${checked.error}`);
  }
  return mapping;
}

function reconcileOf(loading: Loading, endpoint: string, { source, reconcile }: RawEndpoint): EndpointConfig['reconcile'] {
  if (reconcile === undefined) return null;
  const pointer = `${endpoint}/reconcile`;
  const ask = loading.deps.sources.find(({ name }) => name === source)?.ask;
  if (ask === undefined) complain(loading, pointer, `expected no reconcile, seen one: a source ${source} cannot be asked what is open`);
  const roles = loading.raw.roles ?? [];
  if (roles.includes('host') && !roles.includes('project'))
    complain(loading, pointer, 'expected the role project beside host: whoever asks a source compares its answer with the read model');
  const { every, unheard, grace, ...options } = reconcile;
  const { everyMs, unheardMs, graceMs } = configDefaults.reconcile;
  const spanOf = (name: string, text: string | undefined, fallback: number): number =>
    spanAt(loading, `${pointer}/${name}`, text, fallback, { min: second, max: day });
  return {
    everyMs: spanOf('every', every, everyMs),
    unheardMs: spanOf('unheard', unheard, unheardMs),
    graceMs: spanOf('grace', grace, graceMs),
    options: ask === undefined ? options : optionsOf(loading, pointer, options, { name: source, options: ask.options }),
  };
}

function authOf(loading: Loading, raw: RawEndpoint, pointer: string, loopback: boolean): readonly AuthRule[] {
  if (raw.allowUnauthenticated === true) {
    const place = `${pointer}/allowUnauthenticated`;
    if (raw.auth !== undefined) complain(loading, place, 'expected auth or allowUnauthenticated, seen both: remove one');
    if (!loopback)
      complain(
        loading,
        place,
        'expected auth on an address that others reach, seen none: allowUnauthenticated is for listen.host 127.0.0.1 only',
      );
    return [{ kind: 'none' }];
  }
  if (raw.auth === undefined) {
    complain(loading, pointer, 'expected auth (bearer, basic or hmac), seen none: write auth: { bearer: { file: data/ingest.token } }');
    return [];
  }
  return (['bearer', 'basic', 'hmac'] as const).flatMap((kind): readonly AuthRule[] => {
    const refs = raw.auth?.[kind];
    if (refs === undefined) return [];
    const place = `${pointer}/auth/${kind}`;
    if (kind === 'hmac') return [{ kind, secrets: keysAt(loading, place, refs) }];
    const secrets = secretsAt(loading, place, refs);
    // Endpoints may share one: all of them only take alerts.
    for (const secret of secrets) {
      checkDoor(loading, place, secret, 'an endpoint');
      checkCarried(loading, place, secret, kind);
    }
    return [{ kind, secrets }];
  });
}

/** Keys are agreed with the sender, so none is made here; one that cannot be used would refuse every delivery. */
function keysAt(loading: Loading, pointer: string, refs: SecretRef): readonly string[] {
  const keys = secretsIn(loading, pointer, refs, loading.deps.files);
  for (const key of keys) {
    const wrong = key === '' ? null : loading.deps.keyProblem(key); // '' was complained about already
    if (wrong !== null) complain(loading, pointer, `expected a key for signatures, seen something else: ${wrong}`);
  }
  return keys;
}

function secretsAt(loading: Loading, pointer: string, refs: SecretRef): readonly string[] {
  return secretsIn(loading, pointer, refs, loading.deps.doorFiles ?? loading.deps.files);
}

function secretsIn(loading: Loading, pointer: string, refs: SecretRef, files: Files): readonly string[] {
  // One reference or a list of them; both resolve to texts.
  const { value, problems, secrets } = resolveSecrets(loading.file, pointer, refs as Json, {}, { ...loading.deps, files });
  loading.problems.push(...problems);
  for (const secret of secrets) loading.secrets.add(secret);
  return [value].flat().filter((secret) => typeof secret === 'string');
}

export function spoolOf(loading: Loading): Config['spool'] {
  const { bytes, age } = loading.raw.spool ?? {};
  const { bytesMax, ageMaxMs } = configDefaults.spool;
  return {
    bytesMax: bytesOr(bytes, bytesMax),
    ageMaxMs: spanAt(loading, '/spool/age', age, ageMaxMs, { min: minute, max: 30 * day }),
  };
}

/** Less than this is taken by a few thousand alerts that are open. */
const diskBytesMin = 67_108_864;

export function limitsOf(loading: Loading): Config['limits'] {
  const raw = loading.raw.limits ?? {};
  const given = configDefaults.limits;
  const limits = {
    bodyBytesMax: bytesOr(raw.body, given.bodyBytesMax),
    listBytesMax: bytesOr(raw.lists, Math.max(given.listBytesMax, bytesOr(raw.body, 0))),
    bufferedBytesMax: bytesOr(raw.buffered, given.bufferedBytesMax),
    connectionsMax: raw.connections ?? given.connectionsMax,
    streamsMax: raw.streams ?? given.streamsMax,
    queueRecordsMax: raw.queueRecords ?? given.queueRecordsMax,
    queueBytesMax: bytesOr(raw.queue, given.queueBytesMax),
    backlogMax: raw.backlog ?? given.backlogMax,
    deadLettersMax: raw.deadLetters ?? given.deadLettersMax,
    retentionMs: spanAt(loading, '/limits/retention', raw.retention, given.retentionMs, { min: hour, max: 3_650 * day }),
    diskBytesMax: bytesOr(raw.disk, given.diskBytesMax),
  };
  if (limits.diskBytesMax < diskBytesMin) {
    complain(loading, '/limits/disk', 'expected at least 64MiB, seen less: what is open, and what is not shown yet, must have room');
  }
  if (limits.bodyBytesMax > limits.bufferedBytesMax) {
    complain(loading, '/limits/body', 'expected at most limits.buffered, seen more: not one body of that size could be taken');
  }
  if (limits.listBytesMax > limits.bufferedBytesMax) {
    complain(loading, '/limits/lists', 'expected at most limits.buffered, seen more: write limits.lists, or more in limits.buffered');
  }
  return limits;
}
