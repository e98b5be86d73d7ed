// Keeps one living member in a group, and its lease.
//   H1  The lease (lease.ts) does not count from asking to join until it is known what is ours: what was may be another's by then.
//   H3  A member that falls silent is replaced by a new one, for ever (the client may stop without a word). The old one's connections are cut: it may
//       still be on its way to join, and would hold partitions that nobody works on.
import { second, type Millis } from '../../src/core/time.ts';
import type { Client } from './client.ts';
import { createMember, type Member } from './group-member.ts';
import { createLease } from './lease.ts';
import { createBell, pause, pauseOr, within } from './waits.ts';

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

export function createMembership({ client, groupId, topic, isStopping, assigned, onAssigned }: MembershipDeps): Membership {
  const { clock, settings, health } = client;
  const part = `group ${groupId}`;
  const lease = createLease(clock, settings.sessionMs);
  const crashed = createBell();
  const joined = createBell();
  let member: Member | null = null;
  let isJoining = false;
  let running: Promise<void> = Promise.resolve();

  function newMember(): Member {
    const made = createMember({
      client,
      groupId,
      topic,
      joining() {
        if (member === made) isJoining = true;
        return assigned();
      },
      isCurrent: () => member === made,
      joined(memberId, partitions) {
        lease.touch();
        isJoining = false;
        joined.ring();
        onAssigned(memberId, partitions);
      },
      heartbeatAnswered() {
        lease.renew();
        health.good(part);
      },
      crashed(error) {
        health.bad(part, error, graceMs);
        crashed.ring();
      },
    });
    return made;
  }

  /** Makes a member, waits until it fails or falls silent, and makes the next one (H3). */
  async function keepMember(): Promise<void> {
    while (!isStopping()) {
      const hasCrashed = crashed.next();
      const made = newMember();
      member = made;
      lease.touch();
      try {
        // Whoever joins waits for members that died, at most a session; a coordinator that died, too, comes on top.
        await within(clock, connectWithinMs + settings.sessionMs, `join ${groupId}`, made.join());
        await Promise.race([hasCrashed, silenceOf(made)]);
      } catch (error) {
        health.bad(part, error, graceMs);
      }
      if (isStopping()) return; // stop() ends the member
      member = null;
      isJoining = true;
      await made.leave();
      await pause(clock, restMs);
    }
  }

  /** Resolves when nothing was heard for too long, or somebody else ends the member. */
  async function silenceOf(made: Member): Promise<void> {
    while (!isStopping() && member === made) {
      if (lease.silentMs() > settings.sessionMs * silentSessions) {
        health.bad(part, new Error('no heartbeat was answered for two sessions; joining anew'));
        return;
      }
      await pause(clock, pollMs);
    }
  }

  return {
    start: () => void (running = keepMember()),
    isLeaseValid: () => !isJoining && lease.isValid(),
    async stop() {
      // One that goes before it has joined says no goodbye (the client, 2.2.4), and the others would wait a session for it.
      if (member !== null && isJoining) await pauseOr(clock, joinedWithinMs, joined.next());
      await pause(clock, joinedRestMs);
      const last = member;
      member = null;
      crashed.ring();
      await last?.leave();
      await running;
    },
  };
}
