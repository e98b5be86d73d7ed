// Groups of things that playbooks act on, and how many members each has: what a share of a group is a share of.
// The count is what an operator wrote, or a list that something else keeps up to date in a file. That members were heard of says nothing:
// one that is ill is heard of, and one that is well may never be.
//   N1  A playbook that is bounded by a share of nobody knows how many is refused by `check`, and before it begins, with what to write.
//   N2  Shares are rounded so that less is done: of 25 % the whole numbers below, of what stays healthy those above.
import { dirname, resolve } from 'node:path';
import type { Guards, Playbook } from '../../core/playbook/document.ts';
import { healthyOf, radiusOf } from '../playbook/build.ts';
import { radiusFaults } from '../playbook/lint.ts';
import { below } from '../yaml/pointer.ts';
import { complain, unknownName, type Loading } from './loading.ts';

/** Exactly one of count, members and file, and what holds for every playbook that acts on it. */
export interface RawGroup {
  readonly count?: number;
  readonly members?: readonly string[];
  readonly file?: string;
  readonly blastRadius?: string;
  readonly keepHealthy?: number | string;
}

export interface Group {
  /** Null where they cannot be read. */
  readonly members: number | null;
  /** For playbooks that say nothing themselves. */
  readonly bounds: Pick<Guards, 'blastShare' | 'blastRadius'>;
  /** At least so many, whatever a playbook says. */
  readonly healthy: Guards['healthy'];
}

export type Groups = ReadonlyMap<string, Group>;

export function groupsOf(loading: Loading): Groups {
  return new Map(
    Object.entries(loading.raw.groups ?? {}).map(([name, raw]): [string, Group] => {
      const { blastRadius, keepHealthy } = raw;
      for (const { pointer, message } of radiusFaults(blastRadius, `${below('/groups', name)}/blastRadius`))
        complain(loading, pointer, message);
      const healthy = keepHealthy === undefined ? undefined : healthyOf(keepHealthy);
      return [name, { members: countOf(loading, below('/groups', name), raw), bounds: radiusOf(blastRadius), healthy }];
    }),
  );
}

function countOf(loading: Loading, pointer: string, { count, members, file }: RawGroup): number | null {
  const given = Object.entries({ count, members, file }).filter(([, value]) => value !== undefined);
  if (given.length !== 1) {
    const seen = given.map(([name]) => name).join(' and ');
    complain(loading, pointer, `expected one of count, members and file, seen ${seen === '' ? 'none' : seen}`);
    return null;
  }
  if (count !== undefined) return count;
  if (members !== undefined) return distinct(members);
  const path = resolve(dirname(loading.file.file), file ?? '');
  try {
    const found = distinct(
      loading.deps.files
        .read(path)
        .split(/\r\n|\r|\n/)
        .map((line) => line.replace(/#.*/, '')),
    );
    if (found > 0) return found;
    complain(loading, `${pointer}/file`, `expected the name of a member on each line of ${path}, seen none`);
  } catch {
    complain(loading, `${pointer}/file`, `expected a file that can be read at ${path}, seen none`);
  }
  return null;
}

/** Upper and lower case are one, as of what playbooks act on. */
function distinct(names: readonly string[]): number {
  return new Set(names.map((name) => name.trim().toLowerCase()).filter((name) => name !== '')).size;
}

/** What is wrong with the bounds of a playbook under these groups: where, in a sentence, and why it cannot act, in a few words. */
export interface GroupFault {
  readonly pointer: string;
  readonly message: string;
  readonly says: string;
}

/** The playbook with its shares as numbers, or why they are none (N1). */
export function boundedBy(groups: Groups, playbook: Playbook): { readonly playbook: Playbook; readonly fault: GroupFault | null } {
  const { group: name, guards } = playbook;
  const at = (pointer: string, message: string, says: string) => ({ playbook, fault: { pointer, message, says } });
  if (name === undefined) return { playbook, fault: null };
  const group = groups.get(name);
  if (group === undefined) {
    const paste = `write groups: { ${name}: { count: 40 } }, or members: [...] or file: NAME instead of count, in quench.yaml`;
    return at('/target/group', `${unknownName('group', name, [...groups.keys()])}: ${paste}`, `nothing says how many members ${name} has`);
  }
  const { members, bounds } = group;
  if (members === null) {
    const message = `expected a group with a count, seen ${name}, whose count cannot be read`;
    return at('/target/group', message, `the count of ${name} cannot be read`);
  }
  const isSilent = guards.blastShare === undefined && guards.blastRadius === undefined;
  const { blastShare, blastRadius } = isSilent ? bounds : guards;
  const max = blastShare === undefined ? null : Math.floor((members * blastShare.percent) / 100); // N2
  if (max !== null && max < 1) {
    const message = `expected a share of at least one of the ${members} members of ${name}, seen ${blastShare?.percent}%: write ${Math.ceil(100 / members)}% or more`;
    return at(isSilent ? '/target/group' : '/guards/blastRadius', message, `${blastShare?.percent}% of ${name} is nobody`);
  }
  const own = floorOf(members, guards.healthy);
  const healthy = Math.max(own, floorOf(members, group.healthy));
  if (healthy >= members) {
    const message = `expected fewer than the ${members} members of ${name}, seen ${healthy} that are to stay healthy: it could never act`;
    return at(own < healthy ? '/target/group' : '/guards/keepHealthy', message, `all ${members} of ${name} are to stay healthy`);
  }
  const radius = max !== null && blastShare !== undefined ? { max, perMs: blastShare.perMs } : blastRadius;
  const bounded = {
    ...guards,
    ...(radius === undefined ? {} : { blastRadius: radius }),
    ...(healthy === 0 ? {} : { floor: { name, members, healthy } }),
  };
  return { playbook: { ...playbook, guards: bounded }, fault: null };
}

/** 0 where nobody says. N2 */
function floorOf(members: number, healthy: Guards['healthy']): number {
  return healthy === undefined ? 0 : (healthy.count ?? Math.ceil((members * (healthy.percent ?? 100)) / 100));
}
