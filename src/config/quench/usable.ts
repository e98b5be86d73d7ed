// What a gateway can start with when its configuration does not load: everything that has no part in what is wrong.
// `check` and a reload stay strict; this is for a restart at night, when a door and a notifier that work are better than none.
//   U1  Nothing becomes more open by being broken: an endpoint with a fault takes nothing in, a token with a fault is none, metrics ask for a token.
//   U2  It can page: every route ends at a ladder, every rung at a notifier's name.
import type { Ladder } from '../../core/page/ladder.ts';
import type { Policy } from '../../core/playbook/policy.ts';
import { digestOf } from '../playbook/digest.ts';
import { problemLine, type ConfigProblem } from '../yaml/problems.ts';
import type { Reading } from './config.ts';
import { configDefaults } from './defaults.ts';
import type { Config, EndpointConfig } from './types.ts';

/** Which parts of a configuration are broken, and why. */
export interface Broken {
  readonly problems: readonly ConfigProblem[];
  /** By name, why it cannot be used. */
  readonly notifiers: ReadonlyMap<string, string>;
  readonly endpoints: ReadonlySet<string>;
  /** Ladders, routes or rules are not what was meant: a policy that is in force stays so. */
  readonly policy: boolean;
}

export interface Usable {
  readonly config: Config;
  readonly broken: Broken;
}

/** Members of the document that say what the gateway stands on: a wrong guess would write to another place or part alerts differently. */
const foundations: ReadonlySet<string> = new Set(['data', 'log', 'scope']);
/** What there are better values for in a configuration that once loaded; without one, defaults do. */
const settings: ReadonlySet<string> = new Set(['listen', 'roles', 'limits']);
const policyMembers: ReadonlySet<string> = new Set([
  'playbooks',
  'ladders',
  'routes',
  'grouping',
  'groups',
  'storm',
  'flapping',
  'paging',
  'settle',
  'holdOff',
  'stale',
]);
const whyCharsMax = 200;

/** How much of a reading can be used: `no` when what the gateway stands on is broken, `better not` when an older copy is the better choice. */
export function worthOf({ config, problems }: Reading): 'whole' | 'in part' | 'better not' | 'no' {
  if (config === null) return 'no';
  const members = problems.filter(({ file }) => file === config.file).map(({ path }) => membersIn(path)[0] ?? '');
  if (members.some((member) => foundations.has(member))) return 'no';
  if (members.some((member) => settings.has(member))) return 'better not';
  return problems.length === 0 ? 'whole' : 'in part';
}

/** The configuration without what is broken, and what that is; null when there is none. */
export function usableConfig({ config, problems, named }: Reading): Usable | null {
  if (config === null) return null;
  const own = problems.filter(({ file }) => file === config.file).map((problem) => ({ problem, members: membersIn(problem.path) }));
  const of = (...path: readonly string[]): readonly ConfigProblem[] =>
    own.flatMap(({ problem, members }) => (path.every((member, at) => members[at] === member) ? [problem] : []));
  const notifiers = new Map(named.notifiers.flatMap((name) => whyOf(name, of('notifiers', name))));
  const endpoints = brokenEndpoints(config, named.endpoints, of);
  const policyIsBroken = own.some(({ members }) => policyMembers.has(members[0] ?? ''));
  const rings = [...new Set([...Object.keys(config.notifiers), ...named.notifiers])];
  const policy = policyIsBroken ? pagingPolicy(config.policy, rings, (index) => of('routes', String(index)).length > 0) : config.policy;
  return {
    config: {
      ...config,
      api: {
        tokens: config.api.tokens.filter(({ name, secret }) => secret !== '' && of('api', 'tokens', name).length === 0), // U1
        ackSecrets: config.api.ackSecrets.filter((secret) => secret !== ''),
        metrics: of('api', 'metrics').length > 0 ? 'read' : config.api.metrics,
      },
      approvals: of('approvals').length > 0 ? { byLink: false, approvers: [] } : config.approvals, // U1
      endpoints: Object.fromEntries(named.endpoints.map((name) => [name, endpointOf(config, name, endpoints.has(name), of)])),
      notifiers: Object.fromEntries(rings.map((name) => [name, config.notifiers[name] ?? { type: '', options: {} }])),
      actions: Object.fromEntries(Object.entries(config.actions).filter(([kind]) => of('actions', kind).length === 0)),
      failOpen: { ...config.failOpen, notify: whoHears(config, policy, rings, notifiers) },
      policy,
    },
    broken: { problems, notifiers, endpoints, policy: policyIsBroken },
  };
}

type ProblemsOf = (...path: readonly string[]) => readonly ConfigProblem[];

function whyOf(name: string, problems: readonly ConfigProblem[]): readonly (readonly [string, string])[] {
  const [first] = problems;
  return first === undefined ? [] : [[name, problemLine(first).slice(-whyCharsMax)]];
}

/** A fault in how a source is asked, or in who takes the alerts API, is none of taking deliveries in. */
function brokenEndpoints(config: Config, names: readonly string[], of: ProblemsOf): ReadonlySet<string> {
  const beside = (name: string): number => of('endpoints', name, 'reconcile').length + of('endpoints', name, 'alertsApi').length;
  return new Set(names.filter((name) => config.endpoints[name] === undefined || of('endpoints', name).length > beside(name)));
}

function endpointOf(config: Config, name: string, isBroken: boolean, of: ProblemsOf): EndpointConfig {
  const nothing = { source: '', tenant: configDefaults.tenant, alertsApi: false, options: {}, mapping: {}, reconcile: null };
  const read = config.endpoints[name] ?? { ...nothing, auth: [] };
  if (isBroken) return { ...read, auth: [], reconcile: null }; // U1
  const alertsApi = read.alertsApi && of('endpoints', name, 'alertsApi').length === 0;
  return { ...read, alertsApi, reconcile: of('endpoints', name, 'reconcile').length > 0 ? null : read.reconcile };
}

/** U2: what is left of ladders and routes, and where nothing is, one ladder to everybody. */
function pagingPolicy(policy: Policy, names: readonly string[], isFaulty: (route: number) => boolean): Policy {
  const ladders: Record<string, Ladder> = {};
  for (const [name, ladder] of Object.entries(policy.ladders)) {
    const rungs = ladder.rungs.map((rung) => ({ ...rung, notify: rung.notify.filter((notifier) => names.includes(notifier)) }));
    const left = rungs.filter(({ notify }) => notify.length > 0);
    if (left.length > 0) ladders[name] = { ...ladder, rungs: left };
  }
  const routes = policy.routes.filter(({ ladder, when }, index) => ladders[ladder] !== undefined && when !== null && !isFaulty(index));
  const last = policy.routes.find(({ ladder, when }) => when === null && ladders[ladder] !== undefined)?.ladder ?? Object.keys(ladders)[0];
  const { rungWaitMs, ladder } = configDefaults;
  if (last === undefined) ladders['default'] = { name: 'default', rungs: [{ notify: names, waitMs: rungWaitMs }], ...ladder };
  const { digest: _old, ...rest } = policy;
  const kept = policy.playbooks.filter(({ escalate }) => escalate.ladder === null || ladders[escalate.ladder] !== undefined);
  const paging = { ...rest, playbooks: kept, ladders, routes: [...routes, { when: null, ladder: last ?? 'default' }] };
  return { digest: digestOf(paging), ...paging };
}

/** Those who were meant to hear and can; else whoever can. */
function whoHears(config: Config, policy: Policy, names: readonly string[], broken: ReadonlyMap<string, string>): readonly string[] {
  const can = (name: string): boolean => names.includes(name) && !broken.has(name);
  const meant = config.failOpen.notify.filter(can);
  if (meant.length > 0) return meant;
  const rung = policy.ladders[policy.routes.at(-1)?.ladder ?? '']?.rungs[0]?.notify.filter(can) ?? [];
  return rung.length > 0 ? rung : names.filter(can);
}

/** The members of a path as problems tell it: `routes[0].when`. */
function membersIn(path: string): readonly string[] {
  return path.split(/[.[\]]+/).filter((member) => member !== '');
}
