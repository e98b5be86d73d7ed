// What decides, from quench.yaml: playbooks, ladders, routes and rules, as the one document that goes on the log.
import type { Ladder } from '../../core/page/ladder.ts';
import type { Policy, Route } from '../../core/playbook/policy.ts';
import { day, minute, second, type Millis } from '../../core/time.ts';
import { digestOf } from '../playbook/digest.ts';
import { expressionFaults } from '../playbook/expressions.ts';
import { sees } from '../playbook/names.ts';
import { dirFault, readPlaybookDir, readPlaybooks, type LoadedPlaybook } from '../playbook/playbooks.ts';
import { below } from '../yaml/pointer.ts';
import { configDefaults } from './defaults.ts';
import { groupsOf } from './groups.ts';
import { complain, spanAt, unknownName, type Loading } from './loading.ts';
import { judged, type Permits } from './prospects.ts';
import type { Config } from './types.ts';

/** The policy that is published, with the playbooks of a directory. */
export function policyOf(loading: Loading, dir: string, permits: Permits): Policy & Pick<Required<Policy>, 'delivery'> {
  const { raw } = loading;
  const { grouping, storm, flap, paging } = configDefaults;
  const span = (key: 'settle' | 'holdOff' | 'stale', fallback: Millis, min: Millis): Millis =>
    spanAt(loading, `/${key}`, raw[key], fallback, { min, max: 30 * day });
  const holdOffMs = span('holdOff', configDefaults.holdOffMs, 0);
  const groups = groupsOf(loading);
  const playbooks = playbooksOf(loading, dir).map((loaded) => judged(loading, loaded, { holdOffMs, permits, groups }));
  const ladders = laddersOf(loading);
  const routes = routesOf(loading);
  const keepTrying = raw.delivery?.keepTrying;
  const policy: Omit<Policy, 'digest'> & Pick<Required<Policy>, 'delivery'> = {
    playbooks,
    ladders,
    routes,
    grouping: {
      windowMs: spanAt(loading, '/grouping/window', raw.grouping?.window, grouping.windowMs, { min: second, max: day }),
      labels: raw.grouping?.labels ?? grouping.labels,
      reopenMs: spanAt(loading, '/grouping/reopen', raw.grouping?.reopen, grouping.reopenMs, { min: 0, max: 30 * day }),
      membersMax: raw.grouping?.membersMax ?? grouping.membersMax,
    },
    storm: {
      alerts: raw.storm?.alerts ?? storm.alerts,
      withinMs: spanAt(loading, '/storm/within', raw.storm?.within, storm.withinMs, { min: second, max: day }),
    },
    flap: {
      startPercent: raw.flapping?.start ?? flap.startPercent,
      stopPercent: raw.flapping?.stop ?? flap.stopPercent,
      steadyMs: spanAt(loading, '/flapping/steady', raw.flapping?.steady, flap.steadyMs, { min: second, max: day }),
    },
    paging: { severity: raw.paging?.severity ?? paging.severity, score: raw.paging?.score ?? paging.score },
    settleMs: span('settle', configDefaults.settleMs, 0),
    holdOffMs,
    staleMs: span('stale', configDefaults.staleMs, minute),
    delivery: {
      keepTryingMs: spanAt(loading, '/delivery/keepTrying', keepTrying, configDefaults.keepTryingMs, { min: minute, max: 7 * day }),
      bundleMs: spanAt(loading, '/delivery/bundle', raw.delivery?.bundle, configDefaults.bundleMs, { min: 0, max: minute }),
      lastResort: lastResortOf(loading, { routes, ladders }),
    },
  };
  if (policy.flap.stopPercent >= policy.flap.startPercent) {
    complain(loading, '/flapping', `expected stop below start, seen stop ${policy.flap.stopPercent} and start ${policy.flap.startPercent}`);
  }
  return { digest: digestOf(policy), ...policy };
}

function playbooksOf(loading: Loading, dir: string): readonly LoadedPlaybook[] {
  const { raw, deps, problems } = loading;
  let texts: ReturnType<typeof readPlaybookDir>;
  try {
    texts = readPlaybookDir(dir, deps.files, (error) => complain(loading, '/playbooks/dir', dirFault(dir, error)));
  } catch (error) {
    complain(loading, '/playbooks/dir', dirFault(dir, error));
    return [];
  }
  const read = readPlaybooks(texts, deps);
  problems.push(...read.problems);
  const ladders = Object.keys(raw.ladders);
  return read.loaded.filter(({ playbook, file }) => {
    const { ladder } = playbook.escalate;
    if (ladder === null || ladders.includes(ladder)) return true;
    problems.push(file.problem('/escalate/ladder', unknownName('ladder', ladder, ladders)));
    return false;
  });
}

function laddersOf(loading: Loading): Policy['ladders'] {
  return Object.fromEntries(
    Object.entries(loading.raw.ladders).map(([name, raw]): [string, Ladder] => {
      const pointer = below('/ladders', name);
      const rungs = raw.rungs.map((rung, index) => {
        const place = `${pointer}/rungs/${index}`;
        return {
          notify: notifiersAt(loading, `${place}/notify`, rung.notify),
          waitMs: spanAt(loading, `${place}/wait`, rung.wait, configDefaults.rungWaitMs, { min: 10 * second, max: 150 * 60 * minute }),
        };
      });
      const ackTimeoutMs = spanAt(loading, `${pointer}/ackTimeout`, raw.ackTimeout, configDefaults.ladder.ackTimeoutMs, {
        min: 0,
        max: 7 * day,
      });
      return [name, { name, rungs, repeat: raw.repeat ?? configDefaults.ladder.repeat, ackTimeoutMs }];
    }),
  );
}

/** One name or a list of them; each must be a notifier's. */
function notifiersAt(loading: Loading, pointer: string, names: string | readonly string[]): readonly string[] {
  const known = [...new Set([...Object.keys(loading.raw.notifiers), ...loading.notifiers])];
  const notify = [names].flat();
  notify.forEach((name, at) => {
    const inner = typeof names === 'string' ? pointer : `${pointer}/${at}`;
    if (!known.includes(name)) complain(loading, inner, unknownName('notifier', name, known));
  });
  return notify;
}

/** Whom to page about what nobody decided, and what nobody on a ladder took: unless it is said, whoever the last route rings first. */
function lastResortOf(loading: Loading, { routes, ladders }: Pick<Policy, 'routes' | 'ladders'>): readonly string[] {
  const notify = loading.raw.failOpen?.notify;
  const ladder = ladders[routes.at(-1)?.ladder ?? ''];
  return notify === undefined ? (ladder?.rungs[0]?.notify ?? []) : notifiersAt(loading, '/failOpen/notify', notify);
}

export function failOpenOf(loading: Loading, { delivery }: Pick<Required<Policy>, 'delivery'>): Config['failOpen'] {
  const after = loading.raw.failOpen?.after;
  return {
    afterMs: spanAt(loading, '/failOpen/after', after, configDefaults.failOpenAfterMs, { min: 10 * second, max: day }),
    notify: delivery.lastResort,
  };
}

function routesOf(loading: Loading): readonly Route[] {
  const ladders = Object.keys(loading.raw.ladders);
  const routes = loading.raw.routes;
  if (routes === undefined) {
    const fallback = ladders.includes('default') ? 'default' : ladders.length === 1 ? ladders[0] : undefined;
    if (fallback === undefined) {
      complain(loading, '/ladders', 'expected routes, or a ladder named default, seen neither: nobody would know which ladder gets a page');
      return [];
    }
    return [{ when: null, ladder: fallback }];
  }
  const scope = { roots: sees.route, params: {}, done: [], later: [] };
  return routes.map((route, index) => {
    const pointer = `/routes/${index}`;
    const last = index === routes.length - 1;
    if (!ladders.includes(route.ladder)) complain(loading, `${pointer}/ladder`, unknownName('ladder', route.ladder, ladders));
    if (last && route.when !== undefined) {
      complain(loading, `${pointer}/when`, 'expected the last route without "when", seen one: what fits no route must still reach someone');
    }
    if (!last && route.when === undefined)
      complain(loading, pointer, 'expected "when" on every route but the last, seen none: the routes after it would never be used');
    if (route.when !== undefined) {
      for (const message of expressionFaults(route.when, scope, loading.deps.expressions, 'condition'))
        complain(loading, `${pointer}/when`, message);
    }
    return { when: route.when ?? null, ladder: route.ladder };
  });
}
