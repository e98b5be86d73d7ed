// Configuration and registry for commands that run without a gateway: the same loading as `serve`, and nothing is written.
import { createExpressions, type CelExpressions } from '../../adapters/cel/expressions.ts';
import { existsSync } from 'node:fs';
import { configFileAt, diskFiles, exposureOf, type Files } from '../config/files.ts';
import { loadCases, type PlaybookCase } from '../config/playbook/cases.ts';
import { dirFault, loadPlaybooks, readCaseDir, readPlaybookDir } from '../config/playbook/playbooks.ts';
import { loadConfig } from '../config/quench/config.ts';
import { configDefaults } from '../config/quench/defaults.ts';
import type { ConfigDeps } from '../config/quench/loading.ts';
import type { Config } from '../config/quench/types.ts';
import { inOrder, type ConfigProblem } from '../config/yaml/problems.ts';
import { memberOf } from '../config/yaml/pointer.ts';
import { fail, GatewayError, ok, type Result } from '../core/errors.ts';
import type { Playbook } from '../core/playbook/document.ts';
import type { IntakeEndpoint } from '../engine/intake/endpoint.ts';
import { systemClock } from '../gateway/clock.ts';
import { configDeps } from '../gateway/config-deps.ts';
import { endpointsOf } from '../gateway/endpoints.ts';
import { defaultPolicy } from './cases.ts';
import type { Rules } from './replay/replay.ts';
import type { SourceKind } from '../../adapters/kit/kinds.ts';
import { registry } from '../../adapters/registry.ts';

type Env = ConfigDeps['env'];

export interface Playbooks {
  readonly playbooks: readonly Playbook[];
  readonly cases: readonly PlaybookCase[];
  readonly expressions: CelExpressions;
}

/** What `serve` would load; token files that `serve` would make are taken as made. */
export function usedConfig(path: string, env: Env): Result<Config, readonly ConfigProblem[]> {
  return loadConfig(configFileAt(path), depsOf(env, createExpressions()));
}

/** The same for `quench check`, which also complains about what is not safe, or will be refused, and warns of what is hardly meant. */
export function checkConfig(path: string, env: Env, warn: (warning: ConfigProblem) => void): Result<Config, readonly ConfigProblem[]> {
  const unsafe: ConfigProblem[] = [];
  const exposure = (file: string): ReturnType<typeof exposureOf> => (existsSync(file) ? exposureOf(file) : null);
  const deps = {
    ...depsOf(env, createExpressions()),
    unsafe: { exposure, tell: (problem: ConfigProblem) => void unsafe.push(problem) },
    warn,
  };
  const loaded = loadConfig(configFileAt(path), deps);
  return unsafe.length === 0 ? loaded : fail(inOrder([...(loaded.ok ? [] : loaded.error), ...unsafe]));
}

/** Playbooks and their cases in a directory. */
export function checkPlaybooks(dir: string, env: Env): Result<Playbooks, readonly ConfigProblem[]> {
  const expressions = createExpressions();
  const loaded = loadPlaybooks(filesIn(dir, readPlaybookDir), depsOf(env, expressions));
  if (!loaded.ok) return loaded;
  const playbooks = loaded.value.map(({ playbook }) => playbook);
  const cases = loadCases(filesIn(dir, readCaseDir), playbooks);
  return cases.ok ? ok({ playbooks, cases: cases.value, expressions }) : cases;
}

/** What a replay needs to know; without a configuration the defaults, and every source as it comes. */
export function replayRules(path: string | null, env: Env): Result<Rules, readonly ConfigProblem[]> {
  // Its actions are simulated: the operator's lists, which may be those of another machine, refuse none of them.
  const { configured: _, ...deps } = depsOf(env, createExpressions());
  const config = path === null ? null : loadConfig(configFileAt(path), deps);
  if (config !== null && !config.ok) return fail(config.error);
  const expressions = createExpressions();
  const configured = config === null ? [] : configuredEndpoints(config.value, expressions);
  const taken = new Set(configured.map(({ name }) => name));
  const plain = registry.sources.filter(({ name }) => !taken.has(name)).map(plainEndpoint);
  const endpoints = [...configured, ...plain];
  return ok({
    policy: config?.value.policy ?? defaultPolicy(),
    endpoints,
    endpoint: (name) =>
      endpoints.find(({ source }) => source.name === name) ?? endpoints.find((endpoint) => endpoint.name === name) ?? null,
    expressions,
  });
}

function configuredEndpoints(config: Config, expressions: CelExpressions): readonly IntakeEndpoint[] {
  return endpointsOf(config, registry, { live: { config: () => config }, expressions, broken: new Set() });
}

function plainEndpoint(kind: SourceKind): IntakeEndpoint {
  return { name: kind.name, source: kind.create({}), tenant: configDefaults.tenant, scopeLabels: [] };
}

function filesIn(dir: string, read: typeof readPlaybookDir): ReturnType<typeof readPlaybookDir> {
  try {
    return read(dir, diskFiles);
  } catch (error) {
    throw new GatewayError('not_found', dirFault(dir, error));
  }
}

function depsOf(env: Env, expressions: CelExpressions): ConfigDeps {
  return { ...configDeps(env, diskFiles, expressions, systemClock), doorFiles: withoutTokens, linkFiles: withoutTokens };
}

/** The first start makes the tokens that are missing; until then any text stands in for them. */
const withoutTokens: Files = {
  ...diskFiles,
  read(path) {
    try {
      return diskFiles.read(path);
    } catch (error) {
      if (path.endsWith('.token') && memberOf(error, 'code') === 'ENOENT') return `made-at-the-first-start:${encodeURIComponent(path)}`;
      throw error;
    }
  },
};
