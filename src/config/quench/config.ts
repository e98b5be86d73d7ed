// quench.yaml, read once: defaults, spans as milliseconds, secrets by reference, and every name that is referred to must exist.
// The shape is schema.ts. Nothing else in the gateway reads configuration, environment or these files.
//   F1  Defaults are defaults.ts and playbookDefaults, and nowhere else.
//   F2  A configuration that loads can page: every route ends at a ladder, every rung at a notifier.
import { dirname, resolve } from 'node:path';
import { fail, ok, type Result } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import { hour } from '../../core/time.ts';
import type { Files } from '../files.ts';
import { inOrder, type ConfigProblem } from '../yaml/problems.ts';
import { below, memberOf, membersOf } from '../yaml/pointer.ts';
import { shapeFaults, withoutFaults, type ShapeFault } from '../yaml/shape.ts';
import { readYaml } from '../yaml/yaml.ts';
import { actionsOf, logOf, notifiersOf, rolesOf, storeOf } from './adapters.ts';
import { configDefaults } from './defaults.ts';
import { approvalsOf } from './approvals.ts';
import { apiOf, endpointsOf, isLoopback, limitsOf, spoolOf } from './doors.ts';
import { spanAt, type ConfigDeps, type Loading, type RawConfig } from './loading.ts';
import { failOpenOf, policyOf } from './policy.ts';
import { ConfigSchema } from './schema.ts';
import { seriesOf } from './series.ts';
import type { Permits } from './prospects.ts';
import type { Config } from './types.ts';

/** A configuration as far as it can be read, and everything that is wrong with it. */
export interface Reading {
  /** Null when the file is no document of this shape. What has a problem is in it with what is left of it, or missing. */
  readonly config: Config | null;
  readonly problems: readonly ConfigProblem[];
  /** Names that the file gives, also of what could not be read. */
  readonly named: { readonly endpoints: readonly string[]; readonly notifiers: readonly string[] };
}

/** The configuration at a path, or every problem of it and of its playbooks. Paths in the file are relative to the file. */
export function loadConfig(path: string, deps: ConfigDeps): Result<Config, readonly ConfigProblem[]> {
  const { config, problems } = read(path, deps, () => null);
  return config === null || problems.length > 0 ? fail(problems) : ok(config);
}

/** What a start makes of a file that does not load: a part with a fault is left out whole where leaving the fault out does not help. */
export function readConfig(path: string, deps: ConfigDeps): Reading {
  return read(path, deps, withoutParts);
}

function read(path: string, deps: ConfigDeps, rescue: (value: Json, faults: readonly ShapeFault[]) => Json | null): Reading {
  const nothing = { config: null, named: { endpoints: [], notifiers: [] } };
  const text = textOf(path, deps.files);
  if (!text.ok) return { ...nothing, problems: [text.error] };
  const yaml = readYaml(path, text.value);
  if (!yaml.ok) return { ...nothing, problems: yaml.error };
  const file = yaml.value;
  const shape = shapeFaults(ConfigSchema, file.value);
  const sound = shape.length === 0 ? file.value : (withoutFaults(ConfigSchema, file.value, shape) ?? rescue(file.value, shape));
  const problems: ConfigProblem[] = shape.map((fault) => file.problem(fault.pointer, fault.message, fault.on));
  if (sound === null) return { ...nothing, problems: inOrder(problems) };
  const named = { endpoints: namesOf(file.value, 'endpoints'), notifiers: namesOf(file.value, 'notifiers') };
  // ConfigSchema accepted it, whole or without what it complained about.
  const loading: Loading = {
    file,
    raw: sound as Json & RawConfig,
    deps,
    problems,
    notifiers: named.notifiers,
    doorSecrets: new Map(),
    secrets: new Set(),
  };
  const config = configOf(loading);
  return { config, problems: inOrder(problems), named };
}

/** Without every notifier, endpoint, ladder or token that has a fault, and every other member of the document that has one. */
function withoutParts(value: Json, faults: readonly ShapeFault[]): Json | null {
  const parts = faults.map((fault) => {
    const members = membersOf(fault.pointer);
    const depth = members[0] === 'api' ? 3 : ['notifiers', 'endpoints', 'ladders'].includes(members[0] ?? '') ? 2 : 1;
    return { ...fault, keyword: members.length === 0 ? fault.keyword : '', pointer: members.slice(0, depth).reduce(below, '') };
  });
  return withoutFaults(ConfigSchema, value, parts);
}

function namesOf(document: Json, member: string): readonly string[] {
  const named = memberOf(document, member);
  return typeof named === 'object' && named !== null && !Array.isArray(named) ? Object.keys(named) : [];
}

function textOf(path: string, files: Files): Result<string, ConfigProblem> {
  try {
    return ok(files.read(path));
  } catch (error) {
    const code = memberOf(error, 'code');
    const why = typeof code === 'string' ? code : 'it cannot be read';
    return fail({ file: path, line: 1, column: 1, path: '', message: `expected a configuration file, seen none: ${why}` });
  }
}

function configOf(loading: Loading): Config {
  const { file, raw } = loading;
  const host = raw.listen?.host ?? configDefaults.listen.host;
  const port = raw.listen?.port ?? configDefaults.listen.port;
  const from = (dir: string): string => resolve(dirname(file.file), dir);
  const dir = from(raw.playbooks?.dir ?? configDefaults.playbooksDir);
  const actions = actionsOf(loading);
  const policy = policyOf(loading, dir, permitsOf(loading, actions));
  const dataDir = from(raw.data?.dir ?? configDefaults.dataDir);
  const api = apiOf(loading, dataDir);
  if (api.ackSecrets.length > 0 && raw.listen?.publicUrl === undefined && /^(?:0\.0\.0\.0|::)$/.test(host))
    loading.deps.warn?.(
      file.problem('/listen', `links in pages begin with ${host}, which leads nowhere: write publicUrl, the address that people reach`),
    );
  const config: Omit<Config, 'secrets'> = {
    file: file.file,
    listen: {
      host,
      port,
      publicUrl: (raw.listen?.publicUrl ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}`).replace(/\/$/, ''),
    },
    api,
    approvals: approvalsOf(loading, api, policy),
    data: { type: storeOf(loading), dir: dataDir },
    log: logOf(loading),
    series: seriesOf(loading),
    roles: rolesOf(loading),
    limits: limitsOf(loading),
    endpoints: endpointsOf(loading, isLoopback(host)),
    scope: { labels: raw.scope?.labels ?? [] },
    playbooks: { dir },
    actions,
    notifiers: notifiersOf(loading),
    drainMs: spanAt(loading, '/drain', raw.drain, configDefaults.drainMs, { min: 0, max: hour }),
    spool: spoolOf(loading),
    failOpen: failOpenOf(loading, policy),
    reload: raw.reload ?? configDefaults.reload,
    policy,
  };
  return { ...config, secrets: [...loading.secrets] };
}

/** What the lists permit; a configuration of actions that is broken is complained about elsewhere, and permits what it will. */
function permitsOf({ deps, problems }: Loading, actions: Config['actions']): Permits {
  if (deps.configured === undefined || problems.some(({ path }) => path.startsWith('actions'))) return () => [];
  const known = new Map(deps.configured(actions).map((action) => [action.name, action]));
  return (call) => known.get(call.uses)?.permits?.(call.with) ?? [];
}
