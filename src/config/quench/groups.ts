// Groups of things that playbooks act on, and how many members each has: what a share of a group is a share of.
// The count is what an operator wrote, or a list that something else keeps up to date in a file. That members were heard of says nothing:
// one that is ill is heard of, and one that is well may never be.
//   N1  A playbook that is bounded by a share of nobody knows how many is refused by `check`, and before it begins, with what to write.
//   N2  Shares are rounded so that less is done: of 25 % the whole numbers below, of what stays healthy those above.
import { dirname, resolve } from 'node:path';
import type { Playbook } from '../../core/playbook/document.ts';
import { below } from '../yaml/pointer.ts';
import { complain, unknownName, type Loading } from './loading.ts';

/** Exactly one of the three. */
export interface RawGroup {
  readonly count?: number;
  readonly members?: readonly string[];
  readonly file?: string;
}

/** How many members a group has, by its name; null of one whose count cannot be read. */
export type Groups = ReadonlyMap<string, number | null>;

export function groupsOf(loading: Loading): Groups {
  const groups = Object.entries(loading.raw.groups ?? {});
  return new Map(groups.map(([name, raw]) => [name, countOf(loading, below('/groups', name), raw)]));
}

function countOf(loading: Loading, pointer: string, { count, members, file, ...rest }: RawGroup): number | null {
  if ([count, members, file].filter((one) => one !== undefined).length !== 1) {
    const seen = Object.keys({ ...rest, ...(count && { count }), ...(members && { members }), ...(file && { file }) }).join(' and ');
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
  const { group, guards } = playbook;
  const { blastShare, healthy } = guards;
  const at = (pointer: string, message: string, says: string) => ({ playbook, fault: { pointer, message, says } });
  if (group === undefined) return { playbook, fault: null };
  const members = groups.get(group);
  if (members === undefined) {
    const paste = `write groups: { ${group}: { count: 40 } }, or members: [...] or file: NAME instead of count, in quench.yaml`;
    return at(
      '/target/group',
      `${unknownName('group', group, [...groups.keys()])}: ${paste}`,
      `nothing says how many members ${group} has`,
    );
  }
  if (members === null)
    return at(
      '/target/group',
      `expected a group with a count, seen ${group}, whose count cannot be read`,
      `the count of ${group} cannot be read`,
    );
  const max = blastShare === undefined ? null : Math.floor((members * blastShare.percent) / 100); // N2
  if (max !== null && max < 1) {
    const message = `expected a share of at least one of the ${members} members of ${group}, seen ${blastShare?.percent}%: write ${Math.ceil(100 / members)}% or more`;
    return at('/guards/blastRadius', message, `${blastShare?.percent}% of ${group} is nobody`);
  }
  const floor = healthy === undefined ? null : (healthy.count ?? Math.ceil((members * (healthy.percent ?? 100)) / 100)); // N2
  if (floor !== null && floor >= members) {
    const message = `expected fewer than the ${members} members of ${group}, seen ${floor} that are to stay healthy: it could never act`;
    return at('/guards/keepHealthy', message, `all ${members} of ${group} are to stay healthy`);
  }
  const bounded = {
    ...guards,
    ...(max === null || blastShare === undefined ? {} : { blastRadius: { max, perMs: blastShare.perMs } }),
    ...(floor === null ? {} : { floor: { name: group, members, healthy: floor } }),
  };
  return { playbook: { ...playbook, guards: bounded }, fault: null };
}
