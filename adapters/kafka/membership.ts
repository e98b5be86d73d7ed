// Keeps one living member in a group, and its lease.
//   H1  The lease (lease.ts) does not count from asking to join until it is known what is ours: what was may be another's by then.
//   H3  A member that falls silent is replaced by a new one, for ever (the client may stop without a word). The old one's connections are cut: it may
//       still be on its way to join, and would hold partitions that nobody works on.
import { second, type Millis } from '../../src/core/time.ts';
import type { Client } from './client.ts';
import { createMember, type Member } from './group-member.ts';
import { createLease, type Lease } from './lease.ts';
import { createBell, pause, pauseOr, within, type Bell } from './waits.ts';

const pollMs: Millis = 250;
const connectWithinMs: Millis = 10 * second;
const joinedWithinMs: Millis = 4 * second;
/** Between a member that failed and the next one. */
const restMs: Millis = second;
/** What fails for a shorter time is not worth a line: a coordinator that loads. */
const graceMs: Millis = 3 * second;
/** Sessions without an answer after which the member is replaced. */
const silentSessions = 2;
/** The client believes that it has joined a moment after it has told us. */
const joinedRestMs: Millis = 20;

export interface MembershipDeps {
  readonly client: Client;
  readonly groupId: string;
  readonly topic: string;
  /** Once true, no new member is made; `stop` ends the one that is. */
  isStopping(): boolean;
  /** What the next member would keep. */
  assigned(): readonly number[];
  /** The group agreed anew. */
  onAssigned(memberId: string, partitions: readonly number[]): void;
}

export interface Membership {
  start(): void;
  /** Whether nobody else can have been given yet what was assigned to us (H1). */
  isLeaseValid(): boolean;
  /** Leaves the group; `isStopping` is true by then. */
  stop(): Promise<void>;
}

interface State {
  readonly lease: Lease;
  /** Rings when the current member has given up, or is taken away from those who watch over it. */
  readonly ended: Bell;
  /** Rings when the current member has joined. */
  readonly joined: Bell;
  /** The current member: its events count, and those of earlier ones do not. */
  member: Member | null;
  /** From asking to join until it is known what is ours, and while there is no member (H1). */
  isJoining: boolean;
}

export function createMembership(deps: MembershipDeps): Membership {
  const { clock, settings } = deps.client;
  const state: State = {
    lease: createLease(clock, settings.sessionMs),
    ended: createBell(),
    joined: createBell(),
    member: null,
    isJoining: false,
  };
  let running: Promise<void> = Promise.resolve();
  return {
    start: () => void (running = keepMember(deps, state)),
    isLeaseValid: () => !state.isJoining && state.lease.isValid(),
    async stop() {
      // One that goes before it has joined says no goodbye (the client, 2.2.4), and the others would wait a session for it.
      if (state.member !== null && state.isJoining) await pauseOr(clock, joinedWithinMs, state.joined.next());
      await pause(clock, joinedRestMs);
      const last = state.member;
      state.member = null;
      state.ended.ring();
      await last?.leave();
      await running;
    },
  };
}

/** Makes a member, waits until it fails or falls silent, and makes the next one (H3). */
async function keepMember(deps: MembershipDeps, state: State): Promise<void> {
  const { client, groupId, isStopping } = deps;
  const { clock, settings, health } = client;
  while (!isStopping()) {
    const ended = state.ended.next();
    const member = newMember(deps, state);
    state.member = member;
    state.lease.touch();
    try {
      // Whoever joins waits for members that died, at most a session; a coordinator that died, too, comes on top.
      await within(clock, connectWithinMs + settings.sessionMs, `join ${groupId}`, member.join());
      await Promise.race([ended, silenceOf(deps, state, member)]);
    } catch (error) {
      health.bad(partOf(groupId), error, graceMs);
    }
    if (isStopping()) return; // stop() ends the member
    state.member = null;
    state.isJoining = true;
    await member.leave();
    await pause(clock, restMs);
  }
}

function newMember({ client, groupId, topic, assigned, onAssigned }: MembershipDeps, state: State): Member {
  const member = createMember({
    client,
    groupId,
    topic,
    joining() {
      if (state.member === member) state.isJoining = true;
      return assigned();
    },
    isCurrent: () => state.member === member,
    joined(memberId, partitions) {
      state.lease.touch();
      state.isJoining = false;
      state.joined.ring();
      onAssigned(memberId, partitions);
    },
    heartbeatAnswered() {
      state.lease.renew();
      client.health.good(partOf(groupId));
    },
    crashed(error) {
      client.health.bad(partOf(groupId), error, graceMs);
      state.ended.ring();
    },
  });
  return member;
}

/** Resolves when the member has heard nothing for too long, or is the current one no more. */
async function silenceOf({ client, groupId, isStopping }: MembershipDeps, state: State, member: Member): Promise<void> {
  const { clock, settings, health } = client;
  while (!isStopping() && state.member === member) {
    if (state.lease.silentMs() > settings.sessionMs * silentSessions) {
      health.bad(partOf(groupId), new Error('no heartbeat was answered for two sessions; joining anew'));
      return;
    }
    await pause(clock, pollMs);
  }
}

/** What the log's lines call this part of the work. */
function partOf(groupId: string): string {
  return `group ${groupId}`;
}
