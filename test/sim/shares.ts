// Who of several processes works on which partition: the simulation's broker group, with leases on the steady clock.
// A process that is in contact renews its lease all the time; only losing contact is an event, so that calm costs nothing.
//   G1  A partition is given to another only when its holder has given it back, or can no longer `hold` it by its own clock.
//   G2  `gained` and `lost` of one partition never overlap in one process.
import { second, type Millis } from '../../src/core/time.ts';
import type { SharedRole, Shares } from '../../src/ports/shares.ts';
import type { SimClock } from './clock.ts';
import type { Ledger } from './ledger.ts';
import type { Random } from './random.ts';

const leaseMs: Millis = 6 * second;
const beatMs: Millis = 2 * second;
/** Whoever was told to give back and does not get it done: the partition goes on without him. */
const giveBackWithinMs: Millis = 15 * second;

/** A process as the group sees it. */
export interface Link {
  readonly name: string;
  readonly alive: () => boolean;
  /** Since when nothing has come through, on the steady clock; null while it is in contact. */
  outSince: Millis | null;
}

export interface Group {
  /** A process's part in it; `running` of a partition is true from the end of `gained` to the beginning of `lost`. */
  member(link: Link): Shares & { running(partition: number): boolean };
  /** The process that was given the partition last. */
  owner(partition: number): string | null;
  /** Partitions go round by one process. */
  shuffle(): void;
  /** To be called when a link has gone out, and when one has come back. */
  out(link: Link): void;
  back(link: Link): void;
}

export interface GroupParts {
  readonly clock: SimClock;
  readonly random: Random;
  readonly partitions: number;
  readonly gained: () => void;
  /** Called when somebody has begun to work on a partition, or has ended it. */
  readonly changed: () => void;
  readonly bug: (error: unknown) => void;
  readonly reach: (path: string) => void;
}

interface Member {
  readonly link: Link;
  readonly told: Parameters<Shares['start']>[0];
  /** Partitions that it believes to be its own. */
  readonly mine: Set<number>;
  readonly running: Set<number>;
  readonly chains: Map<number, Promise<void>>;
  /** Said to it and not yet heard. */
  post: (() => void)[];
  state: 'in' | 'evicted' | 'left';
}

function createGroup(parts: GroupParts): Group {
  const { clock, random, partitions, reach } = parts;
  const owners: (Member | null)[] = Array.from({ length: partitions }, () => null);
  /** Partitions that are to be given back; each time is another one. */
  const revoking = new Map<number, object>();
  const progress = new Map<number, number>();
  const everybody = new Set<Member>();
  let members: Member[] = [];
  let round = random.int(0, partitions);

  function share(): void {
    for (const [partition, owner] of owners.entries()) {
      const next = members[(partition + round) % Math.max(1, members.length)] ?? null;
      if (owner === next || revoking.has(partition)) continue;
      if (owner !== null) revoke(partition, owner);
      else if (next !== null) give(partition, next);
    }
  }

  function give(partition: number, to: Member): void {
    for (const other of everybody) {
      if (other !== to && other.state !== 'left' && other.link.alive() && holds(other, partition))
        parts.bug(new Error(`G1: partition ${partition} is given to ${to.link.name} while ${other.link.name} holds it`));
    }
    owners[partition] = to;
    tell(to, () => {
      to.mine.add(partition);
      void chain(to, partition, async () => {
        if (to.state === 'left') return;
        await to.told.gained(partition);
        to.running.add(partition);
        parts.gained();
        parts.changed();
      });
    });
  }

  function revoke(partition: number, from: Member): void {
    const time = {};
    revoking.set(partition, time);
    reach('partition moved while both live');
    tell(from, () => {
      void lose(from, partition).then(() => release(partition, time));
      clock.after(giveBackWithinMs, () => {
        if (release(partition, time)) reach('partition taken from one that does not give it back');
      });
    });
  }

  function release(partition: number, time: object): boolean {
    if (revoking.get(partition) !== time) return false;
    revoking.delete(partition);
    owners[partition] = null;
    share();
    return true;
  }

  /** By its own clock it no longer holds the partition from this moment on. */
  function lose(member: Member, partition: number): Promise<void> {
    member.mine.delete(partition);
    member.running.delete(partition);
    parts.changed();
    return chain(member, partition, () => {
      member.running.delete(partition);
      return member.state === 'left' ? Promise.resolve() : member.told.lost(partition);
    });
  }

  function chain(member: Member, partition: number, next: () => Promise<void>): Promise<void> {
    const before = member.chains.get(partition) ?? Promise.resolve();
    const done = inTurn(before, next).catch((error: unknown) => parts.bug(error)); // G2
    member.chains.set(partition, done);
    return done;
  }

  function tell(member: Member, what: () => void): void {
    member.post.push(what);
    clock.after(random.int(1, 20), () => deliver(member));
  }

  function deliver(member: Member): void {
    if (member.link.outSince !== null || member.state !== 'in') return;
    for (const what of member.post.splice(0)) what();
  }

  function drop(member: Member, state: 'evicted' | 'left'): void {
    member.state = state;
    member.post = [];
    members = members.filter((other) => other !== member);
    for (const [partition, owner] of owners.entries()) {
      if (owner !== member) continue;
      owners[partition] = null;
      revoking.delete(partition);
    }
    share();
  }

  function join(member: Member): void {
    if (member.state === 'left' || members.includes(member)) return;
    member.state = 'in';
    members.push(member);
    share();
  }

  function holds({ mine, link }: Member, partition: number): boolean {
    return mine.has(partition) && (link.outSince === null || clock.steady() < leaseEnd(link.outSince));
  }

  function each(link: Link, what: (member: Member) => void): void {
    for (const member of everybody) if (member.link === link && member.state !== 'left') what(member);
  }

  return {
    member(link) {
      let me: Member | null = null;
      return {
        async start(told) {
          const mine: Member = { link, told, mine: new Set(), running: new Set(), chains: new Map(), post: [], state: 'in' };
          me = mine;
          everybody.add(mine);
          clock.after(random.int(1, 50), () => join(mine));
        },
        holds: (partition) => me !== null && me.state !== 'left' && holds(me, partition),
        done: (partition, offset) => void progress.set(partition, offset),
        progress: async () => progress,
        async stop() {
          if (me === null) return;
          drop(me, 'left');
          everybody.delete(me);
        },
        running: (partition) => me?.running.has(partition) === true,
      };
    },
    owner: (partition) => owners[partition]?.link.name ?? null,
    shuffle() {
      round += 1;
      share();
    },
    out(link) {
      const since = link.outSince;
      if (since === null) return;
      each(link, (member) => {
        clock.after(leaseEnd(since) - clock.steady(), () => {
          if (link.outSince !== since || member.state !== 'in') return;
          reach('lease ran out');
          drop(member, 'evicted');
        });
      });
    },
    back(link) {
      each(link, (member) => {
        if (member.state === 'in') return deliver(member);
        reach('came back and had been given up');
        void Promise.all([...member.mine].map((partition) => lose(member, partition))).then(() => join(member));
      });
    },
  };
}

export type Groups = { readonly [role in SharedRole]: Group };

/** One group for each role that is shared out: a process may decide one partition and act for another. */
export function createGroups(parts: Pick<GroupParts, 'clock' | 'random' | 'partitions' | 'changed'> & { readonly ledger: Ledger }): Groups {
  const { ledger, random } = parts;
  const group = (role: SharedRole): Group =>
    createGroup({
      ...parts,
      random: random.fork(),
      gained: () => (role === 'host' ? ledger.lived() : undefined),
      bug: (error) => ledger.breach(`N1: a partition changed hands badly: ${String(error)}`),
      reach: (path) => ledger.reach(path),
    });
  return { host: group('host'), effects: group('effects') };
}

/** From the last beat before contact was lost. */
function leaseEnd(outSince: Millis): Millis {
  return Math.floor(outSince / beatMs) * beatMs + leaseMs;
}

async function inTurn(before: Promise<void>, next: () => Promise<void>): Promise<void> {
  await before;
  await next();
}
