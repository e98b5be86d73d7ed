// Who gets which partition: even, and with as little moved as can be. Runs on whichever member the coordinator chose to lead the group.
//   G1  Shares differ by one partition at most; a member keeps what it holds as far as that allows.
//   G2  The same members holding the same get the same, whoever works it out.
import { AssignerProtocol, type Assigner, type GroupMember } from 'kafkajs';

const name = 'quench-sticky';

interface Member {
  readonly id: string;
  readonly instance: string;
  /** Partitions that it says it has; the word is the protocol's between gateways of any version. */
  readonly held: readonly number[];
}

/** Partitions by member. */
export function shareOut(members: readonly Member[], partitions: number): ReadonlyMap<string, readonly number[]> {
  const order = members.toSorted((a, b) => compare(a.instance, b.instance) || compare(a.id, b.id));
  const shares = new Map(order.map((member) => [member.id, [] as number[]]));
  if (order.length === 0) return shares;
  const least = Math.floor(partitions / order.length);
  let larger = partitions % order.length;
  const free = new Set(Array.from({ length: partitions }, (_, partition) => partition));
  for (const { id, held } of order) {
    const share = shares.get(id) ?? [];
    for (const partition of held.toSorted((a, b) => a - b)) {
      const room = share.length < least || (share.length === least && larger > 0);
      if (!room || !free.delete(partition)) continue;
      if (share.length === least) larger -= 1;
      share.push(partition);
    }
  }
  for (const partition of free) {
    const next = order.map(({ id }) => shares.get(id) ?? []).reduce((a, b) => (b.length < a.length ? b : a));
    next.push(partition);
  }
  return shares;
}

/** `held` is asked each time the process joins. */
export function stickyAssigner(topic: string, partitions: number, instance: string, held: () => readonly number[]): Assigner {
  const assign = async ({ members }: { readonly members: readonly GroupMember[] }) => {
    const shares = shareOut(members.map(memberOf), partitions);
    return [...shares].map(([memberId, share]) => ({
      memberId,
      memberAssignment: AssignerProtocol.MemberAssignment.encode({
        version: 1,
        assignment: { [topic]: [...share] },
        userData: Buffer.alloc(0),
      }),
    }));
  };
  const protocol = () => ({
    name,
    metadata: AssignerProtocol.MemberMetadata.encode({
      version: 1,
      topics: [topic],
      userData: Buffer.from(JSON.stringify({ instance, held: held() })),
    }),
  });
  return { name, version: 1, assign, protocol };
}

function memberOf({ memberId, memberMetadata }: GroupMember): Member {
  const userData = AssignerProtocol.MemberMetadata.decode(memberMetadata)?.userData;
  try {
    const { instance, held } = JSON.parse(userData?.toString() ?? '') as { readonly instance: unknown; readonly held: unknown };
    const numbers = Array.isArray(held) ? held.filter((partition): partition is number => Number.isSafeInteger(partition)) : [];
    return { id: memberId, instance: String(instance), held: numbers };
  } catch {
    return { id: memberId, instance: memberId, held: [] };
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
